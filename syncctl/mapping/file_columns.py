"""Which columns of the stores' files the fields of a lead are made of (contract/files.md, "Mapping")."""

from __future__ import annotations

from syncctl.domain.lead_fields import SOURCE_FIELDS, LeadField
from syncctl.domain.sources import StepName

IN_KEY = ("phone", "store")
"""The columns that are read where a record's key is made."""


def columns_of(kind: StepName, field: LeadField) -> tuple[str, ...]:
    """The columns that a field is made of in files of this kind."""
    return field.loss_columns if field.loss_columns and kind is StepName.LOSS_OF_SALE else field.columns


def file_columns(kind: StepName) -> tuple[str, ...]:
    """The columns that leads are made of in files of this kind: what a title can stand for."""
    every = [column for field in SOURCE_FIELDS for column in columns_of(kind, field)]
    return tuple(dict.fromkeys((*every, *IN_KEY)))


def fields_of(kind: StepName, column: str) -> tuple[str, ...]:
    """The fields of a lead that a column has a part in."""
    return tuple(
        field.name
        for field in SOURCE_FIELDS
        if column in columns_of(kind, field) or (column in IN_KEY and column == field.name)
    )
