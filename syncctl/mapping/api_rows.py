"""Maps a report's row to the values of a lead (contract/database.md, "Mapping")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, cast

from syncctl.domain.lead_fields import LEAD_FIELDS, SOURCE_FIELDS
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.sources import SOURCES, Aliases, Source, StepName
from syncctl.errors import InvalidRowError
from syncctl.parsing.dates import read_date
from syncctl.parsing.phones import former_phones, phone_number, why_no_phone
from syncctl.parsing.values import LONGEST_TEXT, number, text

# Field names vary between versions of the reports: the first non-empty one wins (contract/rental-api.md).
NAME = LEAD_FIELDS["name"].api
PHONE = LEAD_FIELDS["phone"].api
BOOKING_NO = LEAD_FIELDS["bookingNo"].api
FUNCTION_DATE = LEAD_FIELDS["functionDate"].api
REMARKS = LEAD_FIELDS["remarks"].api
OWN_DATES = tuple(source.date for source in SOURCES.values())
"""The fields of the records' own dates, of each report."""

DATE_VALUES = {
    **{source.date[0]: source.date_field or "createdAt" for source in SOURCES.values()},
    **{field.api[0]: field.name for field in SOURCE_FIELDS if field.value_type is datetime and field.api},
}
"""A row's date field -> the lead's field."""

LOCATION = ("location",)
LOCATION_ID = ("locationID",)

FORMAT_CHANGE_ROWS = 5
"""Rows; if not a single date in so many rows is readable, the API has changed its format."""

Row = Mapping[str, Any]


def first_text(row: Row, aliases: tuple[str, ...]) -> str:
    """The first of these fields with text, or ""."""
    for alias in aliases:
        value = row.get(alias)
        if value is not None and (found := text(value)):
            return found
    return ""


def row_text(row: object, aliases: tuple[str, ...]) -> str:
    """The first non-empty text among these fields of a row, which may be invalid; or ""."""
    try:
        return first_text(row, aliases) if isinstance(row, dict) else ""
    except InvalidRowError:
        return ""


def optional_text(row: Row, aliases: tuple[str, ...]) -> str:
    """Like `first_text`, truncated if too long: a customer should be called all the same."""
    for alias in aliases:
        value = row.get(alias)
        if value is not None and (found := text(value[:LONGEST_TEXT] if isinstance(value, str) else value)):
            return found
    return ""


@lru_cache(maxsize=4096)  # the rows of an answer share their days, and those of a booking all of their dates
def _read_date(value: object, zone: tzinfo) -> datetime | None:
    return read_date(text(value), zone, month_first=True)


# The rows of a booking share its number.
_phone_number = lru_cache(maxsize=4096)(phone_number)
_former_phones = lru_cache(maxsize=4096)(former_phones)


def first_date(row: Row, aliases: tuple[str, ...], zone: tzinfo) -> tuple[datetime | None, bool]:
    """The date in the first of these fields that has one, or None; and whether there is an unreadable one
    instead, which is not the same as none. `zone`: the business's."""
    is_unread = False
    for alias in aliases:
        value = row.get(alias)
        if value is None:
            continue
        if isinstance(value, bool | list | dict):
            is_unread = True
            continue
        try:
            found = _read_date(value, zone)
        except (ValueError, InvalidRowError):
            is_unread = True
            continue
        if found is not None:
            return found, False
    return None, is_unread


class RowDates:
    """Reads the dates of one answer's rows. `zone`: the business's.

    `read`, `unread`, `absent`: in how many rows a date was readable, unreadable or missing, by the field's
    first alias. `unreadable`: the current row's unreadable date fields.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.read: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()
        self.absent: Counter[str] = Counter()
        self.unreadable: list[str] = []

    def first(self, row: Row, aliases: tuple[str, ...]) -> datetime | None:
        """Like `first_date`, and counts unreadable dates."""
        found, is_unread = first_date(row, aliases, self.zone)
        if found is not None:
            self.read[aliases[0]] += 1
        elif is_unread:
            self.unread[aliases[0]] += 1
            self.unreadable.append(aliases[0])
        else:
            self.absent[aliases[0]] += 1
        return found

    @property
    def changed_format(self) -> str | None:
        """A field of which not a single date is readable, in at least FORMAT_CHANGE_ROWS rows; None if
        there is none."""
        for field in (aliases[0] for aliases in (*OWN_DATES, FUNCTION_DATE)):
            # A row without its own date is another kind of row; one without a function date counts.
            others = self.read[field] + (self.absent[field] if field == FUNCTION_DATE[0] else 0)
            if self.unread[field] >= FORMAT_CHANGE_ROWS and not others:
                return field
        return None


def own_date(report: StepName, row: Row, zone: tzinfo) -> datetime | None:
    """The date of the record that a row is about; None where there is none that can be read."""
    return first_date(row, SOURCES[report].date, zone)[0]


def first_amount(row: Row, aliases: tuple[str, ...]) -> float | None:
    """The first of these fields with an amount of money, or None; 0 counts as empty."""
    for alias in aliases:
        value = row.get(alias)
        if value is not None and (found := number(value)):
            return found
    return None


def is_of_report(report: StepName, row: Row) -> bool:
    """Whether the row belongs to its report: a booking row without a booking date is something else, and a
    return without a return date has not happened yet. An unreadable date is not a missing one."""
    found, is_unread = first_date(row, SOURCES[report].date, UTC)
    return found is not None or is_unread


UNKNOWN_LOCATION = "no store: neither locations.toml nor the store list names this location"


def _identity(row: Row, source: Source, store: str | None, without_store: str) -> LeadValues:
    """The values that identify a record. Raises InvalidRowError: no name, no valid phone or no store."""
    name = first_text(row, NAME)
    if not name:
        raise InvalidRowError("no customer name")
    written = first_text(row, PHONE)
    phone = _phone_number(written)
    if phone is None:
        raise InvalidRowError(why_no_phone(written))
    if not store:
        raise InvalidRowError(without_store)
    values = LeadValues(
        leadType=source.lead_type, source=source.lead_source, name=name, phone=phone, store=store
    )
    if booking_no := first_text(row, BOOKING_NO):
        values["bookingNo"] = booking_no
    return values


def identity_values(
    report: StepName, row: object, store: str | None, dates: RowDates, without_store: str = UNKNOWN_LOCATION
) -> LeadValues | None:
    """The identifying values of a report's row, and its own date; None if the row does not belong to the
    report (`is_of_report`). `dates`: starts a new row. `without_store`: the reason if the store is missing.
    Raises InvalidRowError: it can't become a lead; the message is the reason, without the customer's data."""
    if not isinstance(row, dict):
        raise InvalidRowError("the row isn't a record with fields")
    dates.unreadable = []
    source = SOURCES[report]
    happened_at = dates.first(row, source.date)
    if happened_at is None:
        if not dates.unreadable:
            return None
        if source.follows_booking:
            raise InvalidRowError(f"{source.date[0]} can't be read as a date")
    values = _identity(row, source, store, without_store)
    if happened_at is not None:
        if source.date_field is not None:
            cast("dict[str, Any]", values)[source.date_field] = happened_at
        values["createdAt"] = happened_at
    elif "bookingNo" not in values:
        raise InvalidRowError(f"{source.date[0]} can't be read as a date, and there is no booking number")
    return values


def function_date_rank(row: Row, zone: tzinfo) -> int:
    """Which of the fields a row's function date stands in: 0 is the one that counts first. `zone`: the
    business's."""
    for rank, name in enumerate(FUNCTION_DATE):
        if first_date(row, (name,), zone)[0] is not None:
            return rank
    return len(FUNCTION_DATE)


def phones_under_earlier_rules(row: Row, values: LeadValues) -> tuple[str, ...]:
    """Other phone numbers that earlier key rules read from this row."""
    phone = values["phone"]
    return () if row.get(PHONE[0]) == phone else _former_phones(first_text(row, PHONE), phone)


def _text(_dates: RowDates, row: Row, aliases: Aliases) -> str | None:
    return optional_text(row, aliases) or None


def _amount(_dates: RowDates, row: Row, aliases: Aliases) -> float | None:
    return first_amount(row, aliases)


_READERS: Mapping[type, Callable[[RowDates, Row, Aliases], Any]] = {
    datetime: RowDates.first,
    float: _amount,
    str: _text,
}
OWN_TEXTS = tuple(
    alias
    for source in SOURCES.values()
    for name, aliases in source.fields.items()
    if LEAD_FIELDS[name].value_type is str
    for alias in aliases
)
"""The fields of rows whose text only some of the reports take over, such as who attended."""

_IN_IDENTITY = ("name", "phone", "bookingNo")
_OF_EVERY_REPORT = {
    field.name: field.api for field in SOURCE_FIELDS if field.api and field.name not in _IN_IDENTITY
}
_FIELDS = {
    report: tuple(
        (name, aliases, _READERS[LEAD_FIELDS[name].value_type])
        for name, aliases in (_OF_EVERY_REPORT | dict(source.fields)).items()
    )
    for report, source in SOURCES.items()
}


def complete_values(report: StepName, row: Row, values: LeadValues, dates: RowDates) -> LeadValues:
    """Add the row's remaining values to `values`, which has the identifying ones. Returns `values`."""
    fields = cast("dict[str, Any]", values)
    for field, aliases, read in _FIELDS[report]:
        if field not in fields and (found := read(dates, row, aliases)) is not None:
            fields[field] = found
    return values


def report_values(report: StepName, row: Any, store: str | None, dates: RowDates) -> LeadValues | None:
    """A report's row as a lead's values; None and errors as in `identity_values`."""
    values = identity_values(report, row, store, dates)
    return None if values is None else complete_values(report, row, values, dates)
