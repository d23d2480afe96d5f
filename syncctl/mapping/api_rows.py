"""A row of a report made into the values of a lead (contract/database.md, "Mapping")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from typing import Any

from syncctl.domain.lead_fields import DATE_FIELDS, LEAD_FIELDS, SOURCE_FIELDS
from syncctl.domain.lead_values import LeadType, LeadValues
from syncctl.domain.steps import StepName
from syncctl.errors import InvalidRowError
from syncctl.parsing.dates import read_date
from syncctl.parsing.phones import former_phones, phone_number, why_no_phone
from syncctl.parsing.values import LONGEST_TEXT, number, text

# Field names vary between versions of the reports: the first non-empty one wins (contract/rental-api.md).
NAME = LEAD_FIELDS["name"].api
PHONE = LEAD_FIELDS["phone"].api
BOOKING_NO = LEAD_FIELDS["bookingNo"].api
BOOKING_DATE = LEAD_FIELDS["createdAt"].api
RETURN_DATE = LEAD_FIELDS["returnDate"].api
FUNCTION_DATE = LEAD_FIELDS["functionDate"].api
ATTENDED_BY = LEAD_FIELDS["attendedBy"].api
REMARKS = LEAD_FIELDS["remarks"].api

DATE_VALUES = {field.api[0]: field.name for field in SOURCE_FIELDS if field.name in DATE_FIELDS and field.api}
"""A date's field in a row -> in a lead."""

LOCATION = ("location",)
LOCATION_ID = ("locationID",)

SURELY_CHANGED = 5
"""Rows: so many of which not one date can be read are no slips, the API has changed its form."""

Row = Mapping[str, Any]


def first_text(row: Row, aliases: tuple[str, ...]) -> str:
    """The first of these fields that holds text, or ""."""
    for alias in aliases:
        value = row.get(alias)
        if value is not None and (found := text(value)):
            return found
    return ""


def optional_text(row: Row, aliases: tuple[str, ...]) -> str:
    """As first_text, cut where it is too long: a customer is not left uncalled for it."""
    for alias in aliases:
        value = row.get(alias)
        if value is not None and (found := text(value[:LONGEST_TEXT] if isinstance(value, str) else value)):
            return found
    return ""


@lru_cache(maxsize=4096)  # the rows of an answer share their days, and those of a booking all of their dates
def _read_date(written: str, zone: tzinfo) -> datetime | None:
    return read_date(written, zone, month_first=True)


def first_date(row: Row, aliases: tuple[str, ...], zone: tzinfo) -> tuple[datetime | None, bool]:
    """The date in the first of these fields that holds one, or None; and whether what they hold instead can't
    be read, which is not the same as none. `zone`: the business's."""
    is_unread = False
    for alias in aliases:
        value = row.get(alias)
        if value is None:
            continue
        if isinstance(value, bool | list | dict):
            is_unread = True
            continue
        try:
            found = _read_date(text(value), zone)
        except (ValueError, InvalidRowError):
            is_unread = True
            continue
        if found is not None:
            return found, False
    return None, is_unread


class RowDates:
    """Reads the dates of one answer's rows. `zone`: the business's.

    `read`, `unread`, `absent`: in how many rows a field's date was read, could not be, or was not there, by
    its first alias. `missed`: the fields of the row in hand that hold something that can't be read.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.read: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()
        self.absent: Counter[str] = Counter()
        self.missed: list[str] = []

    def first(self, row: Row, aliases: tuple[str, ...]) -> datetime | None:
        """As first_date; what can't be read is counted."""
        found, is_unread = first_date(row, aliases, self.zone)
        if found is not None:
            self.read[aliases[0]] += 1
        elif is_unread:
            self.unread[aliases[0]] += 1
            self.missed.append(aliases[0])
        else:
            self.absent[aliases[0]] += 1
        return found

    @property
    def changed_form(self) -> str | None:
        """A field of which not one date can be read, of SURELY_CHANGED or more; None where there is none."""
        for field in (BOOKING_DATE[0], RETURN_DATE[0], FUNCTION_DATE[0]):
            # A row without its own date is of another kind; one without a function date counts.
            others = self.read[field] + (self.absent[field] if field == FUNCTION_DATE[0] else 0)
            if self.unread[field] >= SURELY_CHANGED and not others:
                return field
        return None


def own_date(report: StepName, row: Row, zone: tzinfo) -> datetime | None:
    """The date of the booking or return that a row is about; None where there is none that can be read."""
    return first_date(row, _own_date_aliases(report), zone)[0]


def _own_date_aliases(report: StepName) -> tuple[str, ...]:
    return RETURN_DATE if report is StepName.RETURN else BOOKING_DATE


def first_amount(row: Row, aliases: tuple[str, ...]) -> float | None:
    """The first of these fields that holds an amount of money, or None; a 0 is empty."""
    for alias in aliases:
        value = row.get(alias)
        if value is not None and (found := number(value)):
            return found
    return None


def is_of_report(report: StepName, row: Row) -> bool:
    """Whether a row is what its report is about: a booking without a booking date is another kind of row, a
    return without a return date has not been returned yet. A date that can't be read is not absent."""
    found, is_unread = first_date(row, _own_date_aliases(report), UTC)
    return found is not None or is_unread


UNKNOWN_LOCATION = "no store: neither locations.toml nor the store list names this location"


def _identity(
    row: Row, lead_type: LeadType, source: str, store: str | None, without_store: str
) -> LeadValues:
    """What tells a record from others.

    Raises:
        InvalidRowError: no name, no valid phone or no store.
    """
    name = first_text(row, NAME)
    if not name:
        raise InvalidRowError("no customer name")
    written = first_text(row, PHONE)
    phone = phone_number(written)
    if phone is None:
        raise InvalidRowError(why_no_phone(written))
    if not store:
        raise InvalidRowError(without_store)
    values = LeadValues(leadType=lead_type.value, source=source, name=name, phone=phone, store=store)
    if booking_no := first_text(row, BOOKING_NO):
        values["bookingNo"] = booking_no
    return values


def identity_values(
    report: StepName, row: object, store: str | None, dates: RowDates, without_store: str = UNKNOWN_LOCATION
) -> LeadValues | None:
    """The values of a report's row that its identity needs, and the row's own date; None where the row is not
    what the report is about (`is_of_report`). `dates`: begins a new row. `without_store`: what to say where
    there is no store.

    Raises:
        InvalidRowError: no lead can be made of it; the message is the reason, without the customer's data.
    """
    if not isinstance(row, dict):
        raise InvalidRowError("the row is no record of fields")
    dates.missed = []
    if report is StepName.BOOKING:
        booked_at = dates.first(row, BOOKING_DATE)
        if booked_at is None and not dates.missed:
            return None
        values = _identity(row, LeadType.BOOKING, "Booking", store, without_store)
        if booked_at is not None:
            values["createdAt"] = booked_at
        elif "bookingNo" not in values:
            raise InvalidRowError(f"{BOOKING_DATE[0]} is no date that can be read, and no booking number")
        return values
    returned_at = dates.first(row, RETURN_DATE)
    if returned_at is None:
        if dates.missed:
            raise InvalidRowError(f"{RETURN_DATE[0]} is no date that can be read")
        return None
    values = _identity(row, LeadType.RETURN, "Return", store, without_store)
    values["returnDate"] = values["createdAt"] = returned_at
    return values


def alias_rank(report: StepName, field: str, row: Row, zone: tzinfo) -> int:
    """Which of the names that a lead's field may have in a row of that report it has in this one, which has
    it: 0 is the one that counts first. `zone`: the business's."""
    value_type = LEAD_FIELDS[field].value_type
    for rank, alias in enumerate(_aliases(report, field)):
        if value_type is float:
            is_here = first_amount(row, (alias,)) is not None
        elif value_type is datetime:
            is_here = first_date(row, (alias,), zone)[0] is not None
        else:
            is_here = bool(optional_text(row, (alias,)))
        if is_here:
            return rank
    return 0


def _aliases(report: StepName, field: str) -> tuple[str, ...]:
    if field == "createdAt":
        return _own_date_aliases(report)
    known = LEAD_FIELDS[field]
    return known.api if not known.reports or report in known.reports else ()


def phones_before(row: Row, values: LeadValues) -> tuple[str, ...]:
    """What else the phone number of the row that these values are of was read as under earlier key rules."""
    phone = values["phone"]
    return () if row.get(PHONE[0]) == phone else former_phones(first_text(row, PHONE), phone)


_Named = tuple[tuple[str, tuple[str, ...]], ...]
"""Fields of a lead, each with its names in a row."""


@cache
def _fields_beside_identity(report: StepName) -> tuple[_Named, _Named, _Named]:
    """The dates, texts and amounts that a row of that report has beside its identity and its own date."""
    in_identity = ("name", "phone", "bookingNo", "createdAt", "returnDate")
    fields = [
        (field.value_type, field.name, aliases)
        for field in SOURCE_FIELDS
        if field.name not in in_identity and (aliases := _aliases(report, field.name))
    ]
    dates, texts, amounts = (
        tuple((name, aliases) for value_type, name, aliases in fields if value_type is wanted)
        for wanted in (datetime, str, float)
    )
    return dates, texts, amounts


def complete_values(report: StepName, row: Row, values: LeadValues, dates: RowDates) -> LeadValues:
    """What else the row tells and `values`, which has its identity, does not hold yet. Gives `values`."""
    known: dict[str, Any] = values  # type: ignore[assignment]
    of_dates, of_texts, of_amounts = _fields_beside_identity(report)
    for name, aliases in of_dates:
        if name not in known and (moment := dates.first(row, aliases)) is not None:
            known[name] = moment
    for name, aliases in of_texts:
        if name not in known and (found := optional_text(row, aliases)):
            known[name] = found
    for name, aliases in of_amounts:
        if name not in known and (amount := first_amount(row, aliases)) is not None:
            known[name] = amount
    return values


def report_values(report: StepName, row: Any, store: str | None, dates: RowDates) -> LeadValues | None:
    """A row of that report as a lead's values; None and raises as identity_values."""
    values = identity_values(report, row, store, dates)
    return None if values is None else complete_values(report, row, values, dates)
