"""Leads that the old system imported under random ids: found by key, once, instead of being doubled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from syncctl.errors import InvalidRowError
from syncctl.identity import fold, lead_key
from syncctl.leads import is_touched
from syncctl.locations import Locations
from syncctl.models import Document, SourceRecord
from syncctl.values import phone_number, text

_LAST = datetime.max.replace(tzinfo=UTC)


def _text_of(lead: Document, field: str) -> str:
    try:
        return text(lead.get(field))
    except InvalidRowError:
        return ""


def key_of(lead: Document, locations: Locations) -> str:
    """The key of a stored lead as it reads now, edits included."""
    store = _text_of(lead, "store")
    phone = _text_of(lead, "phone")
    return lead_key(
        _text_of(lead, "leadType"),
        phone_number(phone) or phone,
        _text_of(lead, "bookingNo"),
        _text_of(lead, "name"),
        locations.canonical(store) or store,
    )


def _best_first(lead: Document) -> tuple[bool, datetime, str]:
    """Of several copies the one that a telecaller worked on, else the oldest."""
    created_at = lead.get("createdAt")
    return (not is_touched(lead), created_at if isinstance(created_at, datetime) else _LAST, lead["_id"])


class OldLeads:
    """Stored leads among which records that the sync does not know yet may find theirs.

    `leads`: those with one of the records' booking numbers or phones. `spoken_for`: ids of leads that are
    known to belong to a record. `answered_keys`: keys of the whole answer that the records come from: a lead
    whose own key is among them belongs to that record and to no other.
    """

    def __init__(
        self,
        leads: Iterable[Document],
        locations: Locations,
        *,
        spoken_for: Collection[str],
        answered_keys: Collection[str],
    ) -> None:
        self._by_key: dict[str, Document] = {}
        self._edited_by_booking: dict[str, list[Document]] = defaultdict(list)
        self._edited_by_phone: dict[str, list[Document]] = defaultdict(list)
        self._taken: set[str] = set(spoken_for)
        for lead in sorted(leads, key=_best_first):
            key = key_of(lead, locations)
            self._by_key.setdefault(key, lead)
            if key in answered_keys or not is_touched(lead):
                continue
            if booking_no := _text_of(lead, "bookingNo"):
                self._edited_by_booking[booking_no].append(lead)
            self._edited_by_phone[_text_of(lead, "phone")].append(lead)

    def claim(self, record: SourceRecord) -> str | None:
        """The id of the record's lead, or None where there is none.

        By key; where a telecaller edited a part of the key, by what is left of it: the booking number, or
        the phone together with the booking's own date and its name or store.
        """
        if (lead := self._by_key.get(record.key)) is not None:
            return self._take(lead)
        booking_no = record.values.get("bookingNo", "")
        for lead in self._edited_by_booking.get(booking_no, ()):
            if lead["_id"] not in self._taken:
                return self._take(lead)
        for lead in self._edited_by_phone.get(record.values["phone"], ()):
            if lead["_id"] not in self._taken and self._same_but_for_number(lead, record):
                return self._take(lead)
        return None

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
            fold(_text_of(lead, "name")) == fold(record.values["name"])
            or _text_of(lead, "store") == record.values["store"]
        )
