"""Whether a report holds a lead: the four shapes of `reports` read as one (contract/database.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Self

from syncctl.errors import InvalidRowError
from syncctl.identity import fold
from syncctl.locations import Locations
from syncctl.models import Document, SourceRecord
from syncctl.values import phone_number, text

NESTED = ("leadData", "leadSnapshot", "beforeSnapshot")
EDIT_SUFFIXES = ("", "_before", "_after")

_IDS = ("id", "_id", "leadId", "lead_id")
_PHONES = ("phone", "phone_number")
_BOOKING_NUMBERS = ("bookingNo", "booking_number", "booking_no")
_NAMES = ("name", "lead_name")
_LEAD_TYPES = ("leadType", "lead_type")
_STORES = ("store",)


def _texts(parts: Iterable[Mapping[str, Any]], fields: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        for field in fields:
            for suffix in EDIT_SUFFIXES:
                value = part.get(field + suffix)
                if value is None:
                    continue
                try:
                    found = text(value)
                except InvalidRowError:
                    continue  # longer than any name or number: it can't be the one looked for
                if found:
                    yield found


def _letters(lead_type: str) -> str:
    return "".join(lead_type.split()).casefold()


@dataclass(frozen=True, slots=True)
class FinishedLead:
    """What a report says of its lead, before and after edits; every set may be empty."""

    lead_ids: frozenset[str]
    phones: frozenset[str]
    booking_numbers: frozenset[str]
    names: frozenset[str]
    lead_types: frozenset[str]
    stores: frozenset[str]

    @classmethod
    def from_report(cls, report: Document, locations: Locations) -> Self:
        """Read a report of any shape; unknown fields and odd values are passed over."""
        nested = [part for name in NESTED if isinstance(part := report.get(name), Mapping)]
        parts = [report, *nested]
        ids = {str(part[name]) for part in parts for name in _IDS if part.get(name) is not None}
        return cls(
            lead_ids=frozenset(ids),
            phones=frozenset(filter(None, map(phone_number, _texts(parts, _PHONES)))),
            booking_numbers=frozenset(_texts(parts, _BOOKING_NUMBERS)),
            names=frozenset(map(fold, _texts(parts, _NAMES))),
            lead_types=frozenset(map(_letters, _texts(parts, _LEAD_TYPES))),
            stores=frozenset(locations.canonical(store) or store for store in _texts(parts, _STORES)),
        )

    def holds(self, record: SourceRecord, others: Set[str] = frozenset()) -> bool:
        """Whether this is, by what it says, the report of that record. `others`: leads of other records.

        Phone and booking number decide, and the lead type where the report has it; the name stands in for a
        phone that was edited before the report was made. Only where the report or the record has no booking
        number do phone, name, lead type and store; but a report that names another record's lead is about
        that one: a lead is in reports, not a customer.
        """
        values = record.values
        same_phone, same_name = values["phone"] in self.phones, fold(values["name"]) in self.names
        if self.lead_types and _letters(values["leadType"]) not in self.lead_types:
            return False
        booking_no = values.get("bookingNo")
        if booking_no and self.booking_numbers:
            return booking_no in self.booking_numbers and (same_phone or same_name)
        if self.lead_ids & others:
            return False
        return same_phone and same_name and values["store"] in self.stores
