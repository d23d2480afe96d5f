"""Stored leads of records that the sync doesn't know yet: the old system's, under random ids, and leads
that were edited to what the source says now. Each is linked once instead of being duplicated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from syncctl.domain.identity import SEPARATOR, derived_id, lead_key, with_day, with_phone
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched
from syncctl.domain.records import SourceRecord, SyncRecord, Write
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.errors import InvalidRowError
from syncctl.locations import Locations, StoreNames
from syncctl.mapping.file_rows import file_key
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import file_day, text
from syncctl.text import normalize_text

_LAST = datetime.max.replace(tzinfo=UTC)


def text_of(lead: Mapping[str, Any], field: str) -> str:
    """A field of a stored lead as text; "" if it has none."""
    try:
        return text(lead.get(field))
    except InvalidRowError:
        return ""


def stored_key(lead: Document, locations: StoreNames) -> str:
    """The key of a stored lead with its current values, including edits."""
    store = text_of(lead, "store")
    phone = text_of(lead, "phone")
    return lead_key(
        text_of(lead, "leadType"),
        phone_number(phone) or phone,
        text_of(lead, "bookingNo"),
        text_of(lead, "name"),
        locations.canonical(store) or store,
    )


def stored_day(value: object) -> date | None:
    """The day that a date of a stored file lead means; None if it isn't a date."""
    return file_day(value) if isinstance(value, datetime) else None


def stored_file_key(lead: Document, locations: StoreNames) -> str:
    """The key that a file row with the lead's current values would have."""
    day = stored_day(lead.get("createdAt")) or stored_day(lead.get("functionDate"))
    return file_key(stored_key({**lead, "bookingNo": None}, locations), day)


def split_store(stored_file_key: str) -> tuple[str, str]:
    """Such a key without its store, and the normalized store."""
    customer, store, day = stored_file_key.rsplit(SEPARATOR, 2)
    return SEPARATOR.join((customer, "", day)), store


def copy_order(lead: Document) -> tuple[bool, datetime, str]:
    """Sort key for copies of a lead: those that a telecaller worked on first, then the oldest."""
    created_at = lead.get("createdAt")
    return (not is_touched(lead), created_at if isinstance(created_at, datetime) else _LAST, lead["_id"])


class LinkedLeads(NamedTuple):
    """The leads of a search that belong to known records."""

    ids: Collection[str] = ()
    owners: Callable[[str], Collection[SyncRecord]] = lambda _lead_id: ()
    """Gives the records that a lead belongs to."""


NONE_LINKED = LinkedLeads()


class UnlinkedLeads:
    """Stored leads to be searched for those of records that the sync doesn't know yet.

    If the record of a linked lead is no longer in the whole answer (`answered_keys`) and the lead now has
    exactly the key of another record, the source was corrected just as the lead had been edited before: it is
    the same booking. A booking of another store was never in the answer, so nothing shows that it is gone.
    `taken`: ids of leads that can't belong to another record.
    """

    def __init__(
        self,
        leads: Iterable[Document],
        locations: Locations,
        *,
        linked: LinkedLeads = NONE_LINKED,
        taken: Collection[str] = (),
        answered_keys: Collection[str] = (),
    ) -> None:
        self._locations = locations
        self._answered_keys = answered_keys
        self._owners = linked.owners
        self._free: dict[str, Document] = {}
        self._by_key: dict[str, list[Document]] = defaultdict(list)
        self._by_person: dict[tuple[str, str], list[Document]] = defaultdict(list)
        self._edited_to_match: dict[str, Document] = {}
        for lead in sorted(leads, key=copy_order):
            if lead["_id"] in taken:
                continue
            key = stored_key(lead, locations)
            if lead["_id"] in linked.ids:
                self._edited_to_match.setdefault(key, lead)
            elif not _made_by_a_killed_run(lead, locations):
                self._free[lead["_id"]] = lead
                self._by_key[key].append(lead)
                self._by_person[_type_and_phone(lead)].append(lead)

    def take_matching(self, record: SourceRecord) -> str | None:
        """The id of the lead that has the record's whole key, by current or former rules, or None. The
        lead and its copies, of which all but the best are surplus, are then no longer available to other
        records."""
        for reading in _former_readings(record):
            matching = [lead for lead in self._of_key(reading) if lead["_id"] in self._free]
            if not matching:
                continue
            for lead in matching:
                del self._free[lead["_id"]]
            return str(matching[0]["_id"])
        edited_to_match = self._edited_to_match.get(record.key)
        if edited_to_match is None or self._may_be_anothers(edited_to_match["_id"], record):
            return None
        del self._edited_to_match[record.key]
        return str(edited_to_match["_id"])

    def _may_be_anothers(self, lead_id: str, record: SourceRecord) -> bool:
        """Whether the record that a linked lead belongs to may still be at the source."""
        if any(derived_id(key) == lead_id for key in self._answered_keys):
            return True
        values = record.values
        return any(
            owner.key in self._answered_keys
            or (values.get("bookingNo") and owner.values.get("store") != values["store"])
            for owner in self._owners(lead_id)
            if owner.replaced_by is None
        )

    def _of_key(self, record: SourceRecord) -> list[Document]:
        values = record.values
        if values.get("bookingNo"):
            return self._by_key.get(record.key, [])
        same_person = [
            lead
            for lead in self._by_person.get((values["leadType"], values["phone"]), ())
            if normalize_text(text_of(lead, "name")) == normalize_text(values["name"])
            # "Default Store" is what the old system wrote for unknown stores, so it fits any store.
            and self._locations.canonical(text_of(lead, "store")) in (None, values["store"])
        ]
        if values["leadType"] in API_LEAD_TYPES:
            return [lead for lead in same_person if not text_of(lead, "bookingNo")]
        return [lead for lead in same_person if _same_day(lead, values)]

    @property
    def unmatched(self) -> list[Document]:
        """The leads that no record has taken and that aren't linked to one."""
        return list(self._free.values())


def _type_and_phone(lead: Mapping[str, Any]) -> tuple[str, str]:
    phone = text_of(lead, "phone")
    return text_of(lead, "leadType"), phone_number(phone) or phone


def _former_readings(record: SourceRecord) -> Iterator[SourceRecord]:
    """The record, then the record with its day and phone number as earlier rules parsed them."""
    yield record
    if record.former_day is not None:
        day = datetime.combine(record.former_day, time(), UTC)
        moved = {field: day for field in ("enquiryDate", "functionDate") if field in record.values}
        values = LeadValues(**{**record.values, **moved})  # type: ignore[typeddict-item]
        yield record._replace(key=with_day(record.key, record.former_day), values=values)
    for phone in record.former_phones:
        values = LeadValues(**{**record.values, "phone": phone})
        yield record._replace(key=with_phone(record.key, phone), values=values)


def repaired_phone(
    record: SourceRecord, lead: Document, written: Mapping[str, Write] = NOTHING_WRITTEN
) -> str | None:
    """The number that a lead is to have instead of the one that earlier rules read; None where it has
    another, or a telecaller has worked on it. `written`: what syncctl has written into it."""
    phone = text_of(lead, "phone")
    is_misread = (phone_number(phone) or phone) in record.former_phones
    return record.values["phone"] if is_misread and not is_touched(lead, written) else None


def _same_day(lead: Document, values: LeadValues) -> bool:
    asked_on, function_date = values.get("enquiryDate"), values.get("functionDate")
    if asked_on is not None:
        return asked_on.date() in (stored_day(lead.get("createdAt")), stored_day(lead.get("enquiryDate")))
    if function_date is not None:
        return stored_day(lead.get("functionDate")) == function_date.date()
    return lead.get("enquiryDate") is None and lead.get("functionDate") is None


def _made_by_a_killed_run(lead: Document, locations: StoreNames) -> bool:
    """Whether its id is derived from its own key: a run was killed before it stored the record, which will
    find the lead by this id."""
    if text_of(lead, "leadType") in API_LEAD_TYPES:
        return bool(lead["_id"] == derived_id(stored_key(lead, locations)))
    key = stored_key({**lead, "bookingNo": None}, locations)
    days = {stored_day(lead.get("enquiryDate")), stored_day(lead.get("functionDate")), None}
    return lead["_id"] in {derived_id(file_key(key, day)) for day in days}
