"""Maps a row of a store's file to the values of a lead (contract/files.md, "Mapping")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache, partial
from itertools import chain
from typing import Any, NamedTuple

from syncctl.domain.identity import SEPARATOR, derived_id, lead_key
from syncctl.domain.lead_fields import DATE_COLUMNS
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import SourceRecord
from syncctl.domain.sources import LeadType, StepName
from syncctl.errors import InvalidRowError
from syncctl.mapping.file_columns import PROBLEM_COLUMNS, FileColumns, file_columns
from syncctl.parsing.dates import in_range, read_date
from syncctl.parsing.phones import FORMULA, former_phones, phone_number, why_no_phone
from syncctl.parsing.values import LONGEST_TEXT, TRUTH_VALUES, is_error, may_be_error, other_content, text
from syncctl.text import normalize_unicode

Cells = Mapping[str, object]
"""A row's cells by column name (`files/headers.py`), in the order of the columns; empty ones None."""

_RowTexts = Mapping[str, Any]
"""A row's cells as texts; those that say nothing are empty or None."""

MOVED = "days from 1904"
"""The column for rows of workbooks that count days from 1904: by how many days their dates were shifted.
Earlier versions did not shift those of .xls files."""

FIRST_SERIAL, LAST_SERIAL = 20_000, 80_000
"""Excel's serial numbers for the days from 1954 to 2119."""

_SERIAL_ZERO = date(1899, 12, 30)
_DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_MIDNIGHT = re.compile(r"0?0:00(:00)?")
_LOSS = re.compile("los[st]", re.IGNORECASE)
_GENERAL, _LOSS_OF_SALE = LeadType.GENERAL.value, LeadType.LOSS_OF_SALE.value


class _Texts(dict[str, str]):
    """The texts of a row's cells, each made when it is asked for: one that is too long is an error."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def __missing__(self, column: str) -> str:
        found = self[column] = text(self._cells.get(column))
        return found


def _plain_texts(cells: Cells) -> _RowTexts | None:
    """The cells of a row as most are: printable ASCII without blanks around it and without errors, so that
    each is its own text; None for any other row, which `text` has to look at."""
    filled = [cell for cell in cells.values() if cell is not None]
    texts = [cell for cell in filled if type(cell) is str]
    joined = "|".join(texts)
    if (
        not (joined.isascii() and joined.isprintable())
        or "| " in joined
        or " |" in joined
        or may_be_error(joined)
        or len(joined) > LONGEST_TEXT
        or joined.strip() != joined
    ):
        return None
    if len(texts) == len(filled):
        return cells
    return {column: cell if type(cell) is str else text(cell) for column, cell in cells.items()}


class FileRecord(NamedTuple):
    """A lead as a file has it."""

    record: SourceRecord
    provided: frozenset[str]
    """The lead's fields that the file has a column for, and says something of."""

    unreadable: tuple[str, ...] = ()
    """The columns whose cells can't be read, which the lead is saved without."""

    is_plain: bool = False
    """Whether its cells are known to be nothing but printable ASCII."""


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
    if type(cell) is str:  # as most are
        return _date_of_text(cell, zone)
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return in_range(cell)
    if isinstance(cell, date):
        return in_range(datetime.combine(cell, time()))
    return _date_of_text(str(cell) if isinstance(cell, bool) else text(cell), zone)


@lru_cache(maxsize=4096)  # the rows of a file share their days
def _date_of_text(cell: str, zone: tzinfo) -> datetime | None:
    written = normalize_unicode(text(cell))
    if _MIDNIGHT.fullmatch(written):
        return None  # an empty formula result in a cell formatted as a date
    if written.isascii() and written.isdigit() and FIRST_SERIAL <= int(written) <= LAST_SERIAL:
        return file_date(_SERIAL_ZERO + timedelta(days=int(written)), zone)
    found = read_date(written, zone)
    return None if found is None else datetime.combine(found, time(), UTC)


def file_record(kind: StepName, cells: Cells, store: str | None, zone: tzinfo) -> FileRecord:
    """The lead in a row of `usable_cells` cells.

    `kind`: WALKIN or LOSS_OF_SALE; `store`: canonical, None if unknown; `zone`: the business's. Raises
    InvalidRowError: it can't become a lead; the message is the reason, without the customer's data.
    """
    columns = file_columns(kind, tuple(cells))
    for fault in columns.faults:
        if cells[fault] is not None:
            raise InvalidRowError(PROBLEM_COLUMNS[fault])
    plain = _plain_texts(cells)
    texts = _Texts(cells) if plain is None else plain
    name = _name(cells.get("name"), is_plain=plain is not None)
    written = cells.get("phone")
    phone = phone_number(written)
    if phone is None:
        raise InvalidRowError(why_no_phone(written))
    if store is None:
        raise InvalidRowError("no store: its column doesn't name a known one")
    asked_on = _day_of_visit(cells, zone)
    unreadable = _unreadable_fields(columns, cells) if plain is None else {}
    days = _other_days(columns, cells, zone, unreadable)
    status = _first(texts, ("status",)) if "status" in cells else ""
    if kind is StepName.WALKIN and "closingStatus" in unreadable:
        # It decides what the lead is, and its key with it.
        raise InvalidRowError(f"Status can't be read: {other_content(status)} is in the cell")
    lost = kind is StepName.LOSS_OF_SALE or _is_loss(status)
    values: LeadValues = {
        "leadType": _LOSS_OF_SALE if lost else _GENERAL,
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
    _add_texts(columns, texts, values, lost=lost)
    provided = columns.of_losses if lost else columns.of_visits
    if asked_on is None:
        provided -= {"createdAt"}  # a lead keeps its first known day
    if unreadable:  # which is not empty: the lead keeps its value
        provided -= unreadable.keys()
        for field in unreadable:
            values.pop(field, None)  # type: ignore[misc]
    before = () if written == phone or isinstance(written, int) else former_phones(written, phone)
    day = asked_on or days.get("functionDate")
    record = _identified(values, day, before)
    if day and isinstance(moved := cells.get(MOVED), int):
        record = record._replace(former_day=day.date() - timedelta(days=moved))
    without = tuple(dict.fromkeys(chain.from_iterable(unreadable.values()))) if unreadable else ()
    return FileRecord(record, provided, without, plain is not None)


@lru_cache(maxsize=1024)  # a file has few
def _is_loss(status: str) -> bool:
    return bool(_LOSS.search(normalize_unicode(status)))


def _other_days(
    there: FileColumns, cells: Cells, zone: tzinfo, unreadable: dict[str, list[str]]
) -> dict[str, datetime]:
    """The dates beside the day of the visit, by field; what can't be read is added to `unreadable`."""
    days: dict[str, datetime] = {}
    for field, columns in there.dates:
        for column in columns:
            if cells[column] is not None:
                break
        else:
            continue
        try:
            day = file_date(cells[column], zone)
        except ValueError:
            unreadable[field] = [column]
        else:
            if day is not None:
                days[field] = day
    return days


def _unreadable_fields(there: FileColumns, cells: Cells) -> dict[str, list[str]]:
    """The fields without a value because a cell that they are made of holds an error, and the columns of
    these cells. Not those of the name and the dates, which are looked at by themselves."""
    errors = [column for column, cell in cells.items() if is_error(cell)]
    found: dict[str, list[str]] = {}
    for field in there.texts if errors else ():
        is_joined = any(between for _, between in field.choices)
        filled = [column for column in field.columns if text(cells[column])]
        if wrong := [column for column in (filled if is_joined else filled[:1]) if column in errors]:
            found[field.name] = wrong
    return found


def _name(cell: object, *, is_plain: bool) -> str:
    if is_plain and type(cell) is str and cell[:1].isalpha() and cell not in TRUTH_VALUES:
        return cell
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


def _add_texts(there: FileColumns, texts: _RowTexts, values: LeadValues, *, lost: bool) -> None:
    known: dict[str, Any] = values  # type: ignore[assignment]
    for name, _, only_losses, choices in there.texts:
        if lost or not only_losses:
            for columns, between in choices:
                if between:
                    found = between.join(filter(None, map(texts.__getitem__, columns)))
                else:
                    found = _first(texts, columns)
                if found:
                    known[name] = found
                    break


def _first(texts: _RowTexts, columns: tuple[str, ...]) -> str:
    for column in columns:
        if found := texts[column]:
            return str(found)
    return ""


def file_key(key: str, day: date | None) -> str:
    """The key of a file's row: that of a record without a booking number, plus the day (contract/files.md:
    phone + name + store + lead type + date)."""
    return SEPARATOR.join((key, day.isoformat() if day else ""))


def _identified(values: LeadValues, day: datetime | None, former_phones: tuple[str, ...]) -> SourceRecord:
    key = lead_key(values["leadType"], values["phone"], "", values["name"], values["store"])
    key = file_key(key, day.date() if day else None)
    return SourceRecord(key, derived_id(key), values, former_phones)
