"""Maps a row of a store's file to the values of a lead (contract/files.md, "Mapping")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache, partial
from itertools import chain
from typing import Any, NamedTuple

from syncctl.domain.identity import SEPARATOR, derived_id, lead_key
from syncctl.domain.lead_fields import COMMENTS, DATE_COLUMNS, SOURCE_FIELDS, LeadField, columns_of
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import SourceRecord
from syncctl.domain.sources import FILE_STEPS, LeadType, StepName
from syncctl.errors import InvalidRowError
from syncctl.parsing.dates import in_range, read_date
from syncctl.parsing.phones import FORMULA, former_phones, phone_number, why_no_phone
from syncctl.parsing.values import is_error, may_be_error, other_content, text
from syncctl.text import normalize_unicode

Cells = Mapping[str, object]
"""A row's cells by column name (`files/headers.py`), in the order of the columns; empty ones None."""

MOVED = "days from 1904"
"""The column for rows of workbooks that count days from 1904: by how many days their dates were shifted.
Earlier versions did not shift those of .xls files."""

PROBLEM_COLUMNS = {
    "beyond the header": "cells beyond the last column title are filled",
    "cells that can't be read": "a cell can't be read",
}
"""Columns that describe a problem of the row (`files/headers.py`)."""

FIRST_SERIAL, LAST_SERIAL = 20_000, 80_000
"""Excel's serial numbers for the days from 1954 to 2119."""

_SERIAL_ZERO = date(1899, 12, 30)
_DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_MIDNIGHT = re.compile(r"0?0:00(:00)?")
_LOSS = re.compile("los[st]", re.IGNORECASE)


class _FileColumns(NamedTuple):
    """Where a kind of file has which field, but for the key and the day of the visit."""

    dates: tuple[tuple[str, tuple[str, ...]], ...]
    texts: tuple[tuple[LeadField, tuple[str, ...]], ...]


def _file_columns(kind: StepName) -> _FileColumns:
    in_key = ("name", "enquiryDate", "visitDate", "createdAt")
    fields = [field for field in SOURCE_FIELDS if field.columns and field.name not in in_key]
    return _FileColumns(
        tuple((field.name, field.columns) for field in fields if field.value_type is datetime),
        tuple((field, columns_of(kind, field)) for field in fields if field.value_type is str),
    )


_COLUMNS = {kind: _file_columns(kind) for kind in FILE_STEPS}


class FileRecord(NamedTuple):
    """A lead as a file has it."""

    record: SourceRecord
    provided: frozenset[str]
    """The lead's fields that the file has a column for, and says something of."""

    unreadable: tuple[str, ...] = ()
    """The columns whose cells can't be read, which the lead is saved without."""


def usable_cells(cells: Cells) -> Cells:
    """The cells with one value per column: of several filled ones, the first usable."""
    if tuple not in map(type, cells.values()):
        return cells
    return {
        column: next(filter(partial(_is_usable, column), cell), cell[0]) if isinstance(cell, tuple) else cell
        for column, cell in cells.items()
    }


def _is_usable(column: str, cell: object) -> bool:
    if column == "phone":
        return phone_number(cell) is not None
    if column in DATE_COLUMNS:
        try:
            return file_date(cell, UTC) is not None
        except ValueError:
            return False
    if column == "name":
        return other_content(cell) is None and any(map(str.isalpha, text(cell)))
    return bool(text(cell)) and not is_error(cell)


def file_date(cell: object, zone: tzinfo) -> datetime | None:
    """The day in a date column's cell, with the time of a date cell, marked as UTC; None if there is none.

    Text dates are day first (contract/files.md). `zone`: the business's, for texts with an offset. Raises
    ValueError: not a date, or ambiguous.
    """
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return in_range(cell)
    if isinstance(cell, date):
        return in_range(datetime.combine(cell, time()))
    return _date_of_text(str(cell) if isinstance(cell, str | bool) else text(cell), zone)


@lru_cache(maxsize=4096)  # the rows of a file share their days
def _date_of_text(cell: str, zone: tzinfo) -> datetime | None:
    written = normalize_unicode(text(cell))
    if _MIDNIGHT.fullmatch(written):
        return None  # an empty formula result in a cell formatted as a date
    if written.isascii() and written.isdigit() and FIRST_SERIAL <= int(written) <= LAST_SERIAL:
        return file_date(_SERIAL_ZERO + timedelta(days=int(written)), zone)
    found = read_date(written, zone)
    return None if found is None else datetime.combine(found, time(), UTC)


def _first(cells: Cells, *columns: str) -> str:
    for column in columns:
        if (cell := cells.get(column)) is not None and (found := text(cell)):
            return found
    return ""


def _joined(cells: Cells, columns: tuple[str, ...], separator: str) -> str:
    return separator.join([found for column in columns if (found := text(cells.get(column)))])


def file_record(kind: StepName, cells: Cells, store: str | None, zone: tzinfo) -> FileRecord:
    """The lead in a row of `usable_cells` cells.

    `kind`: WALKIN or LOSS_OF_SALE; `store`: canonical, None if unknown; `zone`: the business's. Raises
    InvalidRowError: it can't become a lead; the message is the reason, without the customer's data.
    """
    for fault, reason in PROBLEM_COLUMNS.items():
        if cells.get(fault) is not None:
            raise InvalidRowError(reason)
    name = _name(cells.get("name"))
    written = cells.get("phone")
    phone = phone_number(written)
    if phone is None:
        raise InvalidRowError(why_no_phone(written))
    if store is None:
        raise InvalidRowError("no store: its column doesn't name a known one")
    asked_on = _day_of_visit(cells, zone)
    unreadable = _unreadable_fields(kind, cells)
    days = _other_days(kind, cells, zone, unreadable)
    status = _first(cells, "status")
    if kind is StepName.WALKIN and "closingStatus" in unreadable:
        # It decides what the lead is, and its key with it.
        raise InvalidRowError(f"Status can't be read: {other_content(status)} is in the cell")
    lost = kind is StepName.LOSS_OF_SALE or bool(_LOSS.search(normalize_unicode(status)))
    values: LeadValues = {
        "leadType": (LeadType.LOSS_OF_SALE if lost else LeadType.GENERAL).value,
        "source": "Loss of Sale" if lost else "Walk-in",
        "name": name,
        "phone": phone,
        "store": store,
    }
    if asked_on is not None:
        values["enquiryDate"] = values["createdAt"] = asked_on
        if lost:
            values["visitDate"] = asked_on
    values.update(days)  # type: ignore[typeddict-item]
    _add_texts(kind, cells, values, lost=lost)
    provided = _provided_fields(kind, tuple(cells), lost)
    if asked_on is None:
        provided -= {"createdAt"}  # a lead keeps its first known day
    if unreadable:  # which is not empty: the lead keeps its value
        provided -= unreadable.keys()
        for field in unreadable:
            values.pop(field, None)  # type: ignore[misc]
    is_plain = isinstance(written, int) or written == phone
    before = () if is_plain else former_phones(written, phone)
    record = _identified(values, asked_on or days.get("functionDate"), before)
    if isinstance(moved := cells.get(MOVED), int) and (day := asked_on or days.get("functionDate")):
        record = record._replace(former_day=day.date() - timedelta(days=moved))
    return FileRecord(record, provided, tuple(dict.fromkeys(chain.from_iterable(unreadable.values()))))


def _other_days(
    kind: StepName, cells: Cells, zone: tzinfo, unreadable: dict[str, list[str]]
) -> dict[str, datetime]:
    """The dates beside the day of the visit, by field; what can't be read is added to `unreadable`."""
    days: dict[str, datetime] = {}
    for field, columns in _COLUMNS[kind].dates:
        column = next((each for each in columns if cells.get(each) is not None), columns[0])
        try:
            day = file_date(cells.get(column), zone)
        except ValueError:
            unreadable[field] = [column]
        else:
            if day is not None:
                days[field] = day
    return days


def _unreadable_fields(kind: StepName, cells: Cells) -> dict[str, list[str]]:
    """The fields without a value because a cell that they are made of holds an error, and the columns of
    these cells. Not those of the name and the dates, which are looked at by themselves."""
    texts = [cell for cell in cells.values() if isinstance(cell, str)]
    if not (may_be_error("\n".join(texts)) and any(map(is_error, texts))):
        return {}
    errors = [column for column, cell in cells.items() if is_error(cell)]
    found: dict[str, list[str]] = {}
    for field, columns in _COLUMNS[kind].texts:
        is_joined = field.joined_by or (field.name == "remarks" and kind is StepName.LOSS_OF_SALE)
        filled = [column for column in columns if text(cells.get(column))]
        if wrong := [column for column in (filled if is_joined else filled[:1]) if column in errors]:
            found[field.name] = wrong
    return found


def _name(cell: object) -> str:
    if other := other_content(cell):
        raise InvalidRowError(f"{other} where the customer name should be")
    name = text(cell)
    if not name or FORMULA.match(name):
        raise InvalidRowError("no customer name: its cell holds a formula" if name else "no customer name")
    return name


def _day_of_visit(cells: Cells, zone: tzinfo) -> datetime | None:
    cell = cells.get("date")
    try:
        return file_date(cell, zone)
    except ValueError:
        if other := other_content(cell):
            raise InvalidRowError(f"Date can't be read: {other} is in the cell") from None
        written = text(cell)
        # Other text may belong to another column, and so be the customer's data.
        shown = f" {written!r}" if _DATE_LIKE.fullmatch(written) else ""
        raise InvalidRowError(f"Date{shown} can't be read as a date (day first)") from None


def _add_texts(kind: StepName, cells: Cells, values: LeadValues, *, lost: bool) -> None:
    known: dict[str, Any] = values  # type: ignore[assignment]
    for field, columns in _COLUMNS[kind].texts:
        if field.only_losses and not lost:
            continue
        if field.name == "remarks" and kind is StepName.LOSS_OF_SALE:
            found = _comments(cells)
        elif field.joined_by:
            found = _joined(cells, columns, field.joined_by)
        else:
            found = _first(cells, *columns)
        if found:
            known[field.name] = found


def _comments(cells: Cells) -> str:
    present = tuple(column for column in cells if column in COMMENTS)
    return _joined(cells, present, "; ") or _first(cells, "remarks", "notes")


@cache  # as many different headers as there are
def _provided_fields(kind: StepName, columns_there: tuple[str, ...], lost: bool) -> frozenset[str]:
    """The fields that a file with these columns speaks of."""
    return frozenset(
        field.name
        for field in SOURCE_FIELDS
        if (lost or not field.only_losses)
        and any(column in columns_there for column in columns_of(kind, field))
    )


def file_key(key: str, day: date | None) -> str:
    """The key of a file's row: that of a record without a booking number, plus the day (contract/files.md:
    phone + name + store + lead type + date)."""
    return SEPARATOR.join((key, day.isoformat() if day else ""))


def _identified(values: LeadValues, day: datetime | None, former_phones: tuple[str, ...]) -> SourceRecord:
    key = file_key(
        lead_key(values["leadType"], values["phone"], "", values["name"], values["store"]),
        day.date() if day else None,
    )
    return SourceRecord(key, derived_id(key), values, former_phones)
