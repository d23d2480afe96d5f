"""A look at stores' files: an import's preview written to a file, and what columns are taken for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from syncctl.domain.run_results import Counts, RunResult
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.errors import UsageError
from syncctl.files.preview_files import write_csv, write_workbook
from syncctl.files.sheet_writing import check_workbooks_can_be_written
from syncctl.filesystem.private_files import private_file
from syncctl.ports.stop import Stop
from syncctl.services.imports.file_stores import find_files, kind_of_name
from syncctl.wiring.adapters import titles_of

if TYPE_CHECKING:
    from syncctl.services.imports.columns import ColumnReport
    from syncctl.services.imports.importing import ImportJob
    from syncctl.services.imports.preview import Preview
    from syncctl.settings.settings import Settings


STDOUT = Path("-")

PreviewWriter = Callable[["Preview", RunResult], None]

_COUNTS = {
    "saved": "create",
    "updated": "update",
    "existing": "keep",
    "reported": "finished",
    "merged": "merge",
    "invalid": "reject",
    "ignored": "no customer",
    "rows": "rows",
}


@contextmanager
def preview_file(
    settings: Settings, job: ImportJob, target: Path, stdout: BinaryIO, *, overwrite: bool
) -> Iterator[PreviewWriter]:
    """A function that writes the preview to `target`, "-" for `stdout`. What keeps it from being written is
    known before the import begins; after an error the target is as it was. Raises UsageError: it can't be
    written, or must not."""
    if target == STDOUT:
        yield lambda preview, _: write_csv(preview, stdout, encoding="utf-8")
        return
    suffix = target.suffix.casefold()
    if suffix not in (".xlsx", ".csv"):
        raise UsageError(f"--preview {target} is neither .xlsx nor .csv: give it one of these endings.")
    if suffix == ".xlsx":
        check_workbooks_can_be_written()
    _refuse_if_imported(settings, job, target)
    with private_file(target, overwrite=overwrite, own=settings.own_files) as out:

        def write(preview: Preview, result: RunResult) -> None:
            if suffix == ".csv":
                write_csv(preview, out)
            else:
                write_workbook(preview, _summary(preview, result), out)

        yield write


def _refuse_if_imported(settings: Settings, job: ImportJob, target: Path) -> None:
    """A preview must not take the place of a store's file, nor be imported as one."""
    real = os.path.realpath(target)
    files, _ = find_files(job.kind, job.paths, may_be_empty=True)
    if real in map(os.path.realpath, files):
        raise UsageError(f"{target} is one of the files to import: name another for the preview.")
    folders = (settings.import_dir, *(path for path in job.paths if path.is_dir()))
    if kind_of_name(target.name) and os.path.dirname(real) in map(os.path.realpath, folders):
        raise UsageError(f"{target} would be imported as a store's file from there: name another.")


def _summary(preview: Preview, result: RunResult) -> Iterator[Sequence[str | int]]:
    """The lines of the summary's sheet."""
    yield ("Nothing was written: this is what an import would do.",)
    yield ("Command", result.command)
    yield ("Hash for --only-if", preview.hash)
    yield ("",)
    yield ("File", *_COUNTS.values(), "store")
    for step in result.steps:
        for file in step.locations:
            yield (file.location, *_numbers(file.counts), file.store)
            if file.error:
                yield ("", file.error)
        if len(step.locations) > 1:
            yield ("All", *_numbers(step.counts))


def _numbers(counts: Counts) -> list[int]:
    found = asdict(counts)
    return [found[name] for name in _COUNTS]


def kind_of_file(path: Path, asked: str | None) -> StepName:
    """The kind that is asked for, or else the one in the file's name.

    Raises:
        FileProblemError: there is no such file, whose name might tell it.
        UsageError: that isn't a kind, or the name has none.
    """
    from syncctl.files.limits import file_errors

    kind = asked or kind_of_name(path.name)
    if kind in list(FILE_STEPS):
        return StepName(kind)
    if asked is None:
        with file_errors(path):
            path.stat()
    what = (
        f"--kind {asked!r} isn't a kind of file"
        if asked
        else f"the name {path.name} doesn't say which kind it is"
    )
    raise UsageError(f"{what}: give --kind {' or --kind '.join(FILE_STEPS)}.")


def columns_of_file(settings: Settings, path: Path, kind: StepName, stop: Stop) -> ColumnReport:
    """What the columns of the file are taken for. Raises as `column_report` does."""
    from syncctl.files.reading import open_file
    from syncctl.services.imports.columns import column_report

    reader = partial(open_file, stop=stop, known=titles_of(settings, kind), nearest=True)
    return column_report(path, kind, reader, stop)
