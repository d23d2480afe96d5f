"""A file's raw row by the titles of columns that come with syncctl."""

from collections.abc import Mapping
from typing import Any

from syncctl.domain.sources import StepName
from syncctl.files import headers


def cells_of(kind: StepName, row: Mapping[str, Any]) -> Mapping[str, object]:
    """As services take it (`CellsOf`)."""
    return headers.cells_of(row, headers.Titles(f"columns.{kind}"))
