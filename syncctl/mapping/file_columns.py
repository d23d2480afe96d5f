"""Which columns of a store's file make which field of a lead: worked out once for each header."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from syncctl.domain.lead_fields import COMMENTS, SOURCE_FIELDS, LeadField, columns_of
from syncctl.domain.sources import StepName

_IN_KEY = ("name", "enquiryDate", "visitDate", "createdAt")
"""Fields that are read where a record's key is made."""

PROBLEM_COLUMNS = {
    "beyond the header": "cells beyond the last column title are filled",
    "cells that can't be read": "a cell can't be read",
}
"""Columns that describe a problem of the row (`files/headers.py`)."""


class TextField(NamedTuple):
    """A text of a lead, and the columns that it is made of."""

    name: str
    columns: tuple[str, ...]
    only_losses: bool
    choices: tuple[tuple[tuple[str, ...], str], ...]
    """Columns, and what stands between their texts; without it only the first that is filled counts. The
    first choice that has any text counts."""


class FileColumns(NamedTuple):
    """Where files with certain columns have which field, but for the key and the day of the visit."""

    faults: tuple[str, ...]
    """The columns that describe a problem."""

    dates: tuple[tuple[str, tuple[str, ...]], ...]
    texts: tuple[TextField, ...]
    of_visits: frozenset[str]
    """The fields that such a file speaks of."""

    of_losses: frozenset[str]
    """The same of a lost sale."""


@lru_cache(maxsize=256)  # as many as there are different headers
def file_columns(kind: StepName, there: tuple[str, ...]) -> FileColumns:
    """What the columns that are there mean in a file of this kind."""
    columns = {
        field: tuple(filter(there.__contains__, columns_of(kind, field)))
        for field in SOURCE_FIELDS
        if any(column in there for column in columns_of(kind, field))
    }
    texts = [
        TextField(field.name, names, field.only_losses, _choices(kind, field, names, there))
        for field, names in columns.items()
        if field.value_type is str and field.name not in _IN_KEY
    ]
    dates = [
        (field.name, names)
        for field, names in columns.items()
        if field.value_type is datetime and field.name not in _IN_KEY
    ]
    return FileColumns(
        tuple(filter(there.__contains__, PROBLEM_COLUMNS)),
        tuple(dates),
        tuple(texts),
        frozenset(field.name for field in columns if not field.only_losses),
        frozenset(field.name for field in columns),
    )


def _choices(
    kind: StepName, field: LeadField, names: tuple[str, ...], there: tuple[str, ...]
) -> tuple[tuple[tuple[str, ...], str], ...]:
    if field.name == "remarks" and kind is StepName.LOSS_OF_SALE:
        others = tuple(name for name in names if name not in COMMENTS)
        return (tuple(filter(COMMENTS.__contains__, there)), "; "), (others, "")
    return ((names, field.joined_by),)
