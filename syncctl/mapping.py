"""A row of a report made into the values of a lead (contract/database.md, "Mapping")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncctl.errors import InvalidRowError
from syncctl.models import LeadType, LeadValues, StepName
from syncctl.values import LONGEST_TEXT, number, phone_number, text, wall_clock

# Field names vary between versions of the reports: the first non-empty one wins (contract/rental-api.md).
NAME = ("customerName", "name", "Name", "CustomerName")
PHONE = ("phoneNo", "phone", "Phone", "mobile", "Mobile", "customerPhone", "contact", "Contact")
BOOKING_NO = ("bookingNo", "bookingNumber", "BookingNo")
BOOKING_DATE = ("bookingDate", "booking_date", "BookingDate")
RETURN_DATE = ("returnDate", "return_date", "ReturnDate")
FUNCTION_DATE = ("functionDate", "eventDate", "deliveryDate", "trialDate")
ENQUIRY_DATE = ("enquiryDate", "date")
SECURITY = ("price", "securityAmount", "security", "deposit")
ATTENDED_BY = ("attendedBy", "attended_by", "staff", "bookingBy", "handledBy")
ENQUIRY_TYPE = ("enquiryType", "type", "category", "subCategory")
REMARKS = ("remarks", "feedback", "notes")
LOCATION = ("location",)
LOCATION_ID = ("locationID",)

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


def needed_date(row: Row, aliases: tuple[str, ...]) -> datetime | None:
    """The date in the first of these fields that holds one, None where none does.

    Raises:
        InvalidRowError: there is text that is no date: guessing another day would be worse.
    """
    for alias in aliases:
        value = row.get(alias)
        if value is None:
            continue
        if not isinstance(value, str) and isinstance(value, bool | list | dict):
            raise InvalidRowError(f"{alias} is no date")
        if not (written := text(value)):
            continue
        try:
            if (found := wall_clock(written)) is not None:
                return found
        except ValueError:
            raise InvalidRowError(f"{alias} is no date") from None
    return None


def optional_date(row: Row, aliases: tuple[str, ...]) -> datetime | None:
    """As needed_date; text that is no date is passed over: a customer is not left uncalled for it."""
    for alias in aliases:
        try:
            found = needed_date(row, (alias,))
        except InvalidRowError:
            continue
        if found is not None:
            return found
    return None


def own_date(report: StepName, row: Row) -> datetime | None:
    """The date of the booking or return that a row is about; None where there is none that can be read."""
    return optional_date(row, RETURN_DATE if report is StepName.RETURN else BOOKING_DATE)


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
    try:
        return needed_date(row, RETURN_DATE if report is StepName.RETURN else BOOKING_DATE) is not None
    except InvalidRowError:
        return True


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
        raise InvalidRowError("too few digits in the phone number" if written else "no phone number")
    if not store:
        raise InvalidRowError(without_store)
    values = LeadValues(leadType=lead_type.value, source=source, name=name, phone=phone, store=store)
    if booking_no := first_text(row, BOOKING_NO):
        values["bookingNo"] = booking_no
    return values


def identity_values(
    report: StepName, row: object, store: str | None, without_store: str = UNKNOWN_LOCATION
) -> LeadValues | None:
    """The values of a report's row that its identity needs, and the row's own date; None where the row is not
    what the report is about (`is_of_report`). `without_store`: what to say where there is no store.

    Raises:
        InvalidRowError: no lead can be made of it; the message is the reason, without the customer's data.
    """
    if not isinstance(row, dict):
        raise InvalidRowError("the row is no record of fields")
    if report is StepName.BOOKING:
        booked_at = optional_date(row, BOOKING_DATE)
        if booked_at is None and not is_of_report(report, row):
            return None
        values = _identity(row, LeadType.BOOKING, "Booking", store, without_store)
        if booked_at is not None:
            values["createdAt"] = booked_at
        return values
    returned_at = needed_date(row, RETURN_DATE)
    if returned_at is None:
        return None
    values = _identity(row, LeadType.RETURN, "Return", store, without_store)
    values["returnDate"] = values["createdAt"] = returned_at
    return values


def complete_values(report: StepName, row: Row, values: LeadValues) -> LeadValues:
    """What else the row tells and `values`, which has its identity, does not hold yet. Gives `values`."""
    if "functionDate" not in values and (function_date := optional_date(row, FUNCTION_DATE)) is not None:
        values["functionDate"] = function_date
    if "enquiryDate" not in values and (enquiry_date := optional_date(row, ENQUIRY_DATE)) is not None:
        values["enquiryDate"] = enquiry_date
    if "enquiryType" not in values and (enquiry_type := optional_text(row, ENQUIRY_TYPE)):
        values["enquiryType"] = enquiry_type
    if "remarks" not in values and (remarks := optional_text(row, REMARKS)):
        values["remarks"] = remarks
    if report is StepName.RETURN:
        if "attendedBy" not in values and (attended_by := optional_text(row, ATTENDED_BY)):
            values["attendedBy"] = attended_by
        return values
    if "securityAmount" not in values and (security := first_amount(row, SECURITY)) is not None:
        values["securityAmount"] = security
    return values


def report_values(report: StepName, row: Any, store: str | None) -> LeadValues | None:
    """A row of that report as a lead's values; None and raises as identity_values."""
    values = identity_values(report, row, store)
    return None if values is None else complete_values(report, row, values)
