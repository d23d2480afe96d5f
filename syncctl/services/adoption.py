"""Leads that are there already: the old system's under random ids, found by key, once, instead of being
doubled, and those that an edit has made what the source says by now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from syncctl.errors import InvalidRowError
from syncctl.identity import derived_id, fold, lead_key
from syncctl.leads import is_touched
from syncctl.locations import Locations
from syncctl.models import Document, SourceRecord
from syncctl.values import phone_number, text

_LAST = datetime.max.replace(tzinfo=UTC)


def text_of(lead: Mapping[str, Any], field: str) -> str:
    """A field of a stored lead as text; "" where it holds none."""
    try:
        return text(lead.get(field))
    except InvalidRowError:
        return ""


class StoreNames(Protocol):
    """What a key needs of the table of locations (`Locations`)."""

    def canonical(self, written: str, /) -> str | None: ...


def stored_key(lead: Document, locations: StoreNames) -> str:
    """The key of a stored lead as it reads now, edits included."""
    store = text_of(lead, "store")
    phone = text_of(lead, "phone")
    return lead_key(
        text_of(lead, "leadType"),
        phone_number(phone) or phone,
        text_of(lead, "bookingNo"),
        text_of(lead, "name"),
        locations.canonical(store) or store,
    )


def best_first(lead: Document) -> tuple[bool, datetime, str]:
    """Of several copies the one that a telecaller worked on, else the oldest."""
    created_at = lead.get("createdAt")
    return (not is_touched(lead), created_at if isinstance(created_at, datetime) else _LAST, lead["_id"])


class OldLeads:
    """Stored leads among which records that the sync does not know yet may find theirs.

    `leads`: those with one of the records' booking numbers or phones. `told`: ids of leads whose records are
    told as well: they can't be another's, whatever an edit has made of them. `spoken_for`: ids of leads that
    are known to belong to a record. Where that is not told any more, and the lead has got exactly the key of
    another, the source was corrected as the lead had been before: it is one booking.
    `answered_keys`: keys of the whole answer that the records come from: a lead whose own key is among them
    belongs to that record and to no other.
    """

    def __init__(
        self,
        leads: Iterable[Document],
        locations: Locations,
        *,
        spoken_for: Collection[str],
        told: Collection[str],
        answered_keys: Collection[str],
    ) -> None:
        self._answered_keys = answered_keys
        self._by_key: dict[str, Document] = {}
        self._corrected: dict[str, Document] = {}
        self._without_store: dict[tuple[str, str, str], Document] = {}
        self._edited_by_booking: dict[str, list[Document]] = defaultdict(list)
        self._edited_by_phone: dict[str, list[Document]] = defaultdict(list)
        self._taken: set[str] = set(told)
        for lead in sorted(leads, key=best_first):
            if lead["_id"] in self._taken:
                continue
            key = stored_key(lead, locations)
            if lead["_id"] in spoken_for:
                self._corrected.setdefault(key, lead)
                continue
            if lead["_id"] == derived_id(key):
                continue  # a killed run made it, and left no record: its own finds it by its id
            self._by_key.setdefault(key, lead)
            if locations.canonical(text_of(lead, "store")) is None:
                self._without_store.setdefault(_person(lead), lead)
            if key in answered_keys or not is_touched(lead):
                continue
            if booking_no := text_of(lead, "bookingNo"):
                self._edited_by_booking[booking_no].append(lead)
            self._edited_by_phone[text_of(lead, "phone")].append(lead)

    def claim(self, record: SourceRecord) -> str | None:
        """The id of the record's lead, or None where there is none.

        By key; where a telecaller edited a part of the key, by what is left of it: the booking number, or
        the phone together with the booking's own date and its name or store.
        """
        if (lead := self._by_key.get(record.key)) is not None and lead["_id"] not in self._taken:
            return self._take(lead)
        if (lead := self._corrected.get(record.key)) is not None and not self._is_told(lead["_id"]):
            return self._take(lead)
        if (lead := self._nameless_stores(record)) is not None and lead["_id"] not in self._taken:
            return self._take(lead)
        booking_no = record.values.get("bookingNo", "")
        for lead in self._edited_by_booking.get(booking_no, ()):
            if lead["_id"] not in self._taken:
                return self._take(lead)
        for lead in self._edited_by_phone.get(record.values["phone"], ()):
            if lead["_id"] not in self._taken and self._same_but_for_number(lead, record):
                return self._take(lead)
        return None

    def _is_told(self, lead_id: str) -> bool:
        """Whether the lead's own record is told as well, be it further on in the answer."""
        return lead_id in self._taken or any(derived_id(key) == lead_id for key in self._answered_keys)

    def _nameless_stores(self, record: SourceRecord) -> Document | None:
        """A lead under "Default Store", as the old system wrote where it knew none: nothing but the store
        can tell it from a record without a booking number."""
        if record.values.get("bookingNo"):
            return None
        lead = self._without_store.get(_person(record.values))
        return lead if lead is not None and not text_of(lead, "bookingNo") else None

    def _take(self, lead: Document) -> str:
        lead_id: str = lead["_id"]
        self._taken.add(lead_id)
        return lead_id

    @staticmethod
    def _same_but_for_number(lead: Document, record: SourceRecord) -> bool:
        created_at = record.values.get("createdAt")
        if created_at is None or lead.get("createdAt") != created_at:
            return False
        return (
            fold(text_of(lead, "name")) == fold(record.values["name"])
            or text_of(lead, "store") == record.values["store"]
        )


def _person(values: Mapping[str, Any]) -> tuple[str, str, str]:
    phone = text_of(values, "phone")
    return text_of(values, "leadType"), phone_number(phone) or phone, fold(text_of(values, "name"))
