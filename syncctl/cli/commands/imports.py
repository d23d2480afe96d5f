"""`import walkin`, `import lossofsale`: import the stores' files, by hand only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from syncctl.cli.commands import import_undo
from syncctl.cli.commands.sync import finish, printing_result_even_if_aborted
from syncctl.cli.context import Session, command
from syncctl.cli.options import DryRun, Json, Wait


def _given(text: str) -> str:
    """An unset shell variable must not be mistaken for the current folder or for a missing option."""
    if not text.strip():
        raise typer.BadParameter("it is empty.")
    return text


def _given_path(text: str) -> Path:
    return Path(_given(text))


Paths = Annotated[
    list[Path],
    typer.Argument(
        parser=_given_path,
        metavar="PATH...",
        help="Files, or folders with matching ones.",
        show_default=False,
    ),
]
StoreName = Annotated[
    str | None,
    typer.Option("--store", parser=_given, metavar="NAME", help="Whose they are; else their names tell."),
]
SheetName = Annotated[
    str | None, typer.Option("--sheet", parser=_given, metavar="NAME", help="Only this sheet.")
]

_HELP = {
    "walkin": "Import walk-in reports (.xlsx, .xls, .csv).",
    "lossofsale": "Import loss-of-sale reports (.xlsx, .xls, .csv).",
}


def _import_command(kind: str) -> Callable[..., None]:
    def import_files(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        paths: Paths,
        store: StoreName = None,
        sheet: SheetName = None,
        dry_run: DryRun = False,
        wait: Wait = 0.0,
        json: Json = False,
    ) -> None:
        from syncctl.domain.sources import StepName
        from syncctl.domain.steps import Trigger
        from syncctl.services.imports.importing import ImportJob
        from syncctl.wiring.runs import Invocation, run_import

        # Always manual, whatever stdin and stdout are: files are never imported by a scheduler.
        job = ImportJob(StepName(kind), tuple(paths), store, sheet)
        with printing_result_even_if_aborted(as_json=json) as keep, session.listener() as listener:
            invocation = Invocation(
                f"import {kind}", Trigger.MANUAL, dry_run, wait, on_ended=keep, stop=session.stop
            )
            result = run_import(session.settings, invocation, job, listener)
        finish(result, as_json=json)

    return import_files


def _import_from_folder(kind: str) -> Callable[..., None]:
    def import_all(session: Session, dry_run: DryRun = False, wait: Wait = 0.0, json: Json = False) -> None:
        from syncctl.domain.sources import StepName
        from syncctl.domain.steps import Trigger
        from syncctl.wiring.runs import Invocation, import_from_folder, run_import

        job = import_from_folder(session.settings, StepName(kind), explicit=True)
        with printing_result_even_if_aborted(as_json=json) as keep, session.listener() as listener:
            invocation = Invocation(
                f"import {kind}", Trigger.MANUAL, dry_run, wait, on_ended=keep, stop=session.stop
            )
            result = run_import(session.settings, invocation, job, listener)
        finish(result, as_json=json)

    import_all.__doc__ = f"Import all {kind} files in IMPORT_DIR, the unchanged ones too."
    return import_all


def register(app: typer.Typer) -> None:
    """Add the commands, and the old system's names for them."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Import the stores' files, by hand only."
    )
    for kind, help_text in _HELP.items():
        import_files = _import_command(kind)
        import_files.__doc__ = help_text
        command(group, kind, logged=True)(import_files)
        command(app, f"import:{kind}", hidden=True, logged=True)(import_files)
        command(app, f"import:all:{kind}", hidden=True, logged=True)(_import_from_folder(kind))
    import_undo.register(group)
    app.add_typer(group, name="import")
