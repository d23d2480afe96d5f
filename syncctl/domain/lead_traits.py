"""The fields that identify which lead a source record, a stored lead or a report is about
(contract/database.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple, Self

from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.errors import InvalidRowError
from syncctl.locations import StoreNames
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import file_day, text
from syncctl.text import normalize_text, normalize_unicode

SNAPSHOT_FIELDS = ("leadData", "leadSnapshot", "beforeSnapshot")
"""Fields of a report that hold a lead, or parts of one."""

_VERSION_SUFFIXES = ("", "_before", "_after")
_LEAD_IDS = ("id", "leadId", "lead_id")
_PHONES = ("phone", "phone_number")
_BOOKING_NUMBERS = ("bookingNo", "booking_number", "booking_no")
_NAMES = ("name", "lead_name")
_LEAD_TYPES = ("leadType", "lead_type")
_DETAILS = (
    ("functionDate", "function_date"),
    ("returnDate", "return_date"),
    ("attendedBy", "attended_by"),
    ("closingStatus", "closing_status"),
    ("securityAmount", "security_amount"),
)
"""Further fields, which break ties between equally good fits."""


class Traits(NamedTuple):
    """What identifies the lead that a record, a lead or a report is about. An edited field has two values."""

    lead_ids: frozenset[str] = frozenset()
    lead_types: frozenset[str] = frozenset()
    """In lower case, without spaces."""

    first_types: frozenset[str] = frozenset()
    """The lead types before a page changed them."""

    phones: frozenset[str] = frozenset()
    booking_numbers: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Normalized for comparing."""

    written_names: frozenset[str] = frozenset()
    """As they are written."""

    stores: frozenset[str] = frozenset()
    moments: frozenset[datetime] = frozenset()
    """When the lead was created, by the source's clock, if a time of day is known."""

    days: frozenset[date] = frozenset()
    """The day it was created, if no time of day is known."""

    details: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of_record(cls, values: LeadValues, lead_id: str) -> Self:
        """From a source record's values; `lead_id`: the id that its lead has, had or would have."""
        return cls._of_parts([values], {lead_id}, None)

    @classmethod
    def of_lead(cls, lead: Document, locations: StoreNames) -> Self:
        """From a stored lead as it is now."""
        return cls._of_parts([lead], {lead["_id"]}, locations)

    @classmethod
    def of_report(cls, report: Document, locations: StoreNames) -> Self:
        """From a report of any of the four shapes; unknown fields and malformed values are skipped.

        A flat report's own `createdAt` is the report's; its lead's is `created_at`.
        """
        snapshots = [part for name in SNAPSHOT_FIELDS if isinstance(part := report.get(name), Mapping)]
        flat = {field: value for field, value in report.items() if field not in ("_id", "createdAt")}
        ids = {str(part[name]) for part in (flat, *snapshots) for name in _LEAD_IDS if part.get(name)}
        ids |= {str(part["_id"]) for part in snapshots if part.get("_id")}
        return cls._of_parts([flat, *snapshots], ids, locations)

    @classmethod
    def _of_parts(cls, parts: list[Any], lead_ids: set[str], locations: StoreNames | None) -> Self:
        lead_types = frozenset(map(_letters, _texts(parts, _LEAD_TYPES)))
        before = frozenset(map(_letters, _texts(parts, ("lead_type_before",), ("",))))
        moments, days = _times(parts, before | lead_types)
        names, stores = frozenset(_texts(parts, _NAMES)), _texts(parts, ("store",))
        return cls(
            lead_ids=frozenset(lead_ids),
            lead_types=lead_types,
            first_types=before or lead_types,
            phones=frozenset(filter(None, map(phone_number, _texts(parts, _PHONES)))),
            booking_numbers=frozenset(map(normalize_unicode, _texts(parts, _BOOKING_NUMBERS))),
            names=frozenset(map(normalize_text, names)),
            written_names=names,
            stores=frozenset(stores if locations is None else filter(None, map(locations.canonical, stores))),
            moments=moments,
            days=days,
            details=frozenset(_details(parts)),
        )


_CALL_STATUSES = ("callStatus", "call_status")


def call_status(report: Document) -> str:
    """The last call status in a report of any shape: as set by the page that finished the lead, otherwise
    as it was before; "" if there is none."""
    parts = [report, *(part for name in SNAPSHOT_FIELDS if isinstance(part := report.get(name), Mapping))]
    for suffix in ("_after", ""):
        for found in _texts(parts, _CALL_STATUSES, (suffix,)):
            return found
    return ""


def _texts(
    parts: Iterable[Mapping[str, Any]], fields: tuple[str, ...], suffixes: tuple[str, ...] = _VERSION_SUFFIXES
) -> Iterator[str]:
    for part in parts:
        for field in fields:
            for suffix in suffixes:
                if (value := part.get(field + suffix)) is not None and (found := readable_text(value)):
                    yield found


def readable_text(value: object) -> str:
    """A value as text; "" for what can't be read as one."""
    try:
        return text(value)
    except InvalidRowError:
        return ""  # longer than any name or number


def _letters(lead_type: str) -> str:
    return "".join(lead_type.split()).casefold()


API_TYPES = frozenset(map(_letters, API_LEAD_TYPES))


def as_datetime(value: object) -> datetime | None:
    """A stored date, even if stored as text; None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _times(
    parts: Iterable[Mapping[str, Any]], lead_types: frozenset[str]
) -> tuple[frozenset[datetime], frozenset[date]]:
    """When a lead was created: moments with a time of day, and days. A visit's day may be stored as
    midnight in India (`file_day`); bookings and returns have only the day of `createdAt`."""
    of_api = bool(lead_types) and lead_types <= API_TYPES
    moments: set[datetime] = set()
    days: set[date] = set()
    for part in parts:
        for field in ("createdAt", "created_at"):
            if (moment := as_datetime(part.get(field))) is None:
                continue
            is_midnight = moment.time() == time()
            if not is_midnight and (of_api or file_day(moment) == moment.date()):
                moments.add(moment.replace(microsecond=0))
            else:
                days.add(moment.date() if is_midnight else file_day(moment))
        if not of_api:
            dates = (part.get(f) for f in ("enquiryDate", "enquiry_date", "visitDate", "visit_date"))
            days |= {file_day(moment) for value in dates if (moment := as_datetime(value)) is not None}
    return frozenset(moments), frozenset(days)


def _details(parts: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for part in parts:
        for names in _DETAILS:
            for name in names:
                if (value := part.get(name)) is not None and (found := _detail(names, value)):
                    yield names[0], found


def _detail(names: tuple[str, ...], value: object) -> str:
    if not names[0].endswith("Date"):
        return normalize_text(readable_text(value))
    moment = as_datetime(value)
    return file_day(moment).isoformat() if moment else ""
