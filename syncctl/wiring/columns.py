"""A look at the columns of a store's file: no database, nothing is written."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.errors import UsageError
from syncctl.ports.stop import Stop
from syncctl.wiring.adapters import titles_of

if TYPE_CHECKING:
    from syncctl.services.imports.columns import ColumnReport
    from syncctl.settings.settings import Settings


def kind_of_file(path: Path, asked: str | None) -> StepName:
    """The kind that is asked for, or else the one in the file's name.

    Raises:
        FileProblemError: there is no such file, whose name might tell it.
        UsageError: that isn't a kind, or the name has none.
    """
    from syncctl.files.problems import file_errors
    from syncctl.services.imports.file_stores import kind_of_name

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
