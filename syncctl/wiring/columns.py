"""A look at the columns of a store's file: no database, nothing is written."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.domain.sources import StepName
from syncctl.ports.stop import Stop
from syncctl.wiring.adapters import titles_of

if TYPE_CHECKING:
    from syncctl.services.imports.columns import ColumnReport
    from syncctl.settings.settings import Settings


def columns_of_file(settings: Settings, path: Path, kind: StepName, stop: Stop) -> ColumnReport:
    """What the columns of the file are taken for. Raises as `column_report` does."""
    from syncctl.files.reading import open_file
    from syncctl.services.imports.columns import column_report

    reader = partial(open_file, stop=stop, known=titles_of(settings, kind), nearest=True)
    return column_report(path, kind, reader, stop)
