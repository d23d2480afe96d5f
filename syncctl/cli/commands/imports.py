"""`import walkin`, `import lossofsale`: import the stores' files, by hand only."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.commands import columns, import_undo
from syncctl.cli.commands.sync import finish, result_even_if_aborted
from syncctl.cli.context import Session, command, command_group
from syncctl.cli.options import ImportDryRun, Json, Wait, given, output_file
from syncctl.domain.sources import FILE_WORDS, StepName
from syncctl.errors import UsageError

if TYPE_CHECKING:
    from syncctl.domain.run_results import RunResult
    from syncctl.services.imports.importing import ImportJob
    from syncctl.services.imports.preview import Preview


def _given_path(text: str) -> Path:
    return Path(given(text))


Paths = Annotated[
    list[Path],
    typer.Argument(
        parser=_given_path,
        metavar="PATH...",
        help="Files to import, or folders with such files.",
        show_default=False,
    ),
]
StoreName = Annotated[
    str | None,
    typer.Option(
        "--store",
        parser=given,
        metavar="NAME",
        show_default="as the files' names say",
        help="The store that the files are from.",
    ),
]
SheetName = Annotated[
    str | None,
    typer.Option("--sheet", parser=given, metavar="NAME", show_default="all", help="Only this sheet."),
]

PreviewFile = Annotated[
    Path | None,
    typer.Option(
        "--preview",
        parser=output_file,
        metavar="FILE",
        help="Write what would become of every row to FILE.xlsx or FILE.csv (- is stdout), nothing else.",
    ),
]
OnlyIf = Annotated[
    str | None,
    typer.Option(
        "--only-if", metavar="HASH", help="Only if it does exactly what the preview with this hash showed."
    ),
]
Overwrite = Annotated[bool, typer.Option("--force", help="With --preview: overwrite an existing FILE.")]

_HELP = {
    "walkin": "Import walk-in files (.xlsx, .xls, .csv).",
    "lossofsale": "Import loss-of-sale files (.xlsx, .xls, .csv).",
}
_HASH = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class _Options:
    """How an import is to go."""

    dry_run: bool
    preview: Path | None
    only_if: str | None
    overwrite: bool
    wait_s: float
    as_json: bool

    def __post_init__(self) -> None:
        if self.as_json and self.is_to_stdout:
            raise UsageError("Use either --preview - or --json: --json has every row anyway.")
        if self.only_if is not None and not _HASH.fullmatch(self.only_if):
            raise UsageError(
                f"--only-if {self.only_if!r} isn't a preview's hash: give the 16 digits that it printed."
            )

    @property
    def is_dry(self) -> bool:
        return self.dry_run or self.preview is not None

    @property
    def is_to_stdout(self) -> bool:
        return self.preview == Path("-")


def _import(session: Session, job: ImportJob, options: _Options) -> None:
    """Import, or show what an import would do, and end the program accordingly."""
    from syncctl.services.imports.preview import Preview

    job = job._replace(only_if=options.only_if)
    with Preview(session.stop) if options.is_dry else nullcontext() as preview:
        result = _run(session, job, options, preview)
        finish(session, result, as_json=options.as_json, show=_shown(session, options, preview))


def _run(session: Session, job: ImportJob, options: _Options, preview: Preview | None) -> RunResult:
    from syncctl.domain.steps import Trigger
    from syncctl.wiring.monitoring import observer_of
    from syncctl.wiring.previews import preview_file
    from syncctl.wiring.runs import Invocation, run_import

    session.count_run(dry_run=options.is_dry)
    settings, command_name = session.settings, f"import {job.kind}"
    # Always manual, whatever stdin and stdout are: files are never imported by a scheduler.
    observe = observer_of(settings, session.metrics)
    invocation = Invocation(
        command_name,
        Trigger.MANUAL,
        options.is_dry,
        options.wait_s,
        observe=observe,
        using=session.using,
        stop=session.stop,
    )
    target = (
        nullcontext()
        if options.preview is None
        else preview_file(settings, job, options.preview, sys.stdout.buffer, overwrite=options.overwrite)
    )
    with target as write:
        with result_even_if_aborted(session) as keep, session.listener() as listener:
            result = run_import(settings, replace(invocation, on_ended=keep), job, listener, preview)
        if write is not None and preview is not None:
            write(preview, result)
    if options.preview is not None and not options.is_to_stdout:
        session.tell(f"Preview written to {options.preview}: it holds customers' data, keep it safe.")
    return result


def _shown(
    session: Session, options: _Options, preview: Preview | None
) -> Callable[[RunResult], None] | None:
    """What shows the result instead of what shows other runs'."""
    if preview is None:
        return None
    from syncctl.cli.render.preview import preview_envelope, render_preview

    if options.as_json:
        return lambda result: preview_envelope(preview, result, session.redactor)
    if options.is_to_stdout or session.quiet:
        return lambda result: None
    return lambda result: render_preview(preview, result, session.redactor, verbose=session.verbose)


def _import_command(kind: str) -> Callable[..., None]:
    def import_files(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        paths: Paths,
        store: StoreName = None,
        sheet: SheetName = None,
        dry_run: ImportDryRun = False,
        preview: PreviewFile = None,
        only_if: OnlyIf = None,
        force: Overwrite = False,
        wait: Wait = 0.0,
        json: Json = False,
    ) -> None:
        from syncctl.services.imports.importing import ImportJob

        job = ImportJob(StepName(kind), tuple(paths), store, sheet)
        _import(session, job, _Options(dry_run, preview, only_if, force, wait, json))

    return import_files


def _import_from_folder(kind: str) -> Callable[..., None]:
    def import_all(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        dry_run: ImportDryRun = False,
        preview: PreviewFile = None,
        only_if: OnlyIf = None,
        force: Overwrite = False,
        wait: Wait = 0.0,
        json: Json = False,
    ) -> None:
        from syncctl.wiring.runs import import_from_folder

        job = import_from_folder(session.settings, StepName(kind), explicit=True)
        _import(session, job, _Options(dry_run, preview, only_if, force, wait, json))

    import_all.__doc__ = f"Import all {FILE_WORDS[StepName(kind)]}s in IMPORT_DIR, unchanged ones too."
    return import_all


def register(app: typer.Typer) -> None:
    """Add the commands, and the old system's names for them."""
    group = command_group(app, "import", "Import the stores' files, or take an import back.")
    for kind, help_text in _HELP.items():
        import_files = _import_command(kind)
        import_files.__doc__ = help_text
        command(group, kind, logged=True)(import_files)
        command(app, f"import:{kind}", hidden=True, logged=True, new_name=f"import {kind}")(import_files)
        old_name = f"import:all:{kind}"
        command(app, old_name, hidden=True, logged=True, new_name=f"import {kind}")(_import_from_folder(kind))
    columns.register(group)
    import_undo.register(group)
