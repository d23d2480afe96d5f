"""Leads that are there already and belong to records that the sync does not know yet: the old system's under
random ids, and those that an edit has made what the source says by now. Each is linked once, not doubled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from syncctl.domain.identity import SEPARATOR, derived_id, lead_key, with_day, with_phone
from syncctl.domain.lead_values import Document, LeadType, LeadValues
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched
from syncctl.domain.records import SourceRecord, Write
from syncctl.errors import InvalidRowError
from syncctl.locations import Locations, StoreNames
from syncctl.mapping.file_rows import file_key
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import file_day, text
from syncctl.text import fold

API_TYPES = (LeadType.BOOKING, LeadType.RETURN)
_LAST = datetime.max.replace(tzinfo=UTC)


def text_of(lead: Mapping[str, Any], field: str) -> str:
    """A field of a stored lead as text; "" where it holds none."""
    try:
        return text(lead.get(field))
    except InvalidRowError:
        return ""


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


def stored_day(value: object) -> date | None:
    """The day that a date of a stored file lead means; None for what is no date."""
    return file_day(value) if isinstance(value, datetime) else None


def stored_file_key(lead: Document, locations: StoreNames) -> str:
    """The key that a file's row would have that has the values of the lead as it is now."""
    day = stored_day(lead.get("createdAt")) or stored_day(lead.get("functionDate"))
    return file_key(stored_key({**lead, "bookingNo": None}, locations), day)


def parted_key(stored_file_key: str) -> tuple[str, str]:
    """Such a key without its store, and the store, folded."""
    customer, store, day = stored_file_key.rsplit(SEPARATOR, 2)
    return SEPARATOR.join((customer, "", day)), store


def best_first(lead: Document) -> tuple[bool, datetime, str]:
    """For sorting copies: the one that a telecaller worked on, else the oldest."""
    created_at = lead.get("createdAt")
    return (not is_touched(lead), created_at if isinstance(created_at, datetime) else _LAST, lead["_id"])


class UnlinkedLeads:
    """Stored leads among which records that the sync does not know yet may find theirs.

    `linked`: ids of leads that belong to a known record. Where that is not answered any more (`answered_keys`
    are the keys of the whole answer), and the lead has got exactly the key of another record, the source was
    corrected as the lead had been before: it is one booking. `taken`: ids of leads that can't be another's.
    """

    def __init__(
        self,
        leads: Iterable[Document],
        locations: Locations,
        *,
        linked: Collection[str] = (),
        taken: Collection[str] = (),
        answered_keys: Collection[str] = (),
    ) -> None:
        self._locations = locations
        self._answered_keys = answered_keys
        self._free: dict[str, Document] = {}
        self._by_key: dict[str, list[Document]] = defaultdict(list)
        self._by_person: dict[tuple[str, str], list[Document]] = defaultdict(list)
        self._corrected: dict[str, Document] = {}
        for lead in sorted(leads, key=best_first):
            if lead["_id"] in taken:
                continue
            key = stored_key(lead, locations)
            if lead["_id"] in linked:
                self._corrected.setdefault(key, lead)
            elif not _made_by_a_killed_run(lead, locations):
                self._free[lead["_id"]] = lead
                self._by_key[key].append(lead)
                self._by_person[_type_and_phone(lead)].append(lead)

    def take_own(self, record: SourceRecord) -> str | None:
        """The id of the lead that has all of the record's key, as it is read now or was before, or None. It
        and its copies, all but the best of which are surplus, are nobody else's from then on."""
        for reading in _readings(record):
            own = [lead for lead in self._of_key(reading) if lead["_id"] in self._free]
            if not own:
                continue
            for lead in own:
                del self._free[lead["_id"]]
            return str(own[0]["_id"])
        corrected = self._corrected.get(record.key)
        if corrected is None or any(derived_id(key) == corrected["_id"] for key in self._answered_keys):
            return None
        del self._corrected[record.key]
        return str(corrected["_id"])

    def _of_key(self, record: SourceRecord) -> list[Document]:
        values = record.values
        if values.get("bookingNo"):
            return self._by_key.get(record.key, [])
        same_person = [
            lead
            for lead in self._by_person.get((values["leadType"], values["phone"]), ())
            if fold(text_of(lead, "name")) == fold(values["name"])
            # Under "Default Store", as the old system wrote where it knew none, it may be any store's.
            and self._locations.canonical(text_of(lead, "store")) in (None, values["store"])
        ]
        if values["leadType"] in API_TYPES:
            return [lead for lead in same_person if not text_of(lead, "bookingNo")]
        return [lead for lead in same_person if _same_day(lead, values)]

    @property
    def left(self) -> list[Document]:
        """Those that no record has taken and that belong to none."""
        return list(self._free.values())


def _type_and_phone(lead: Mapping[str, Any]) -> tuple[str, str]:
    phone = text_of(lead, "phone")
    return text_of(lead, "leadType"), phone_number(phone) or phone


def _readings(record: SourceRecord) -> Iterator[SourceRecord]:
    """The record, then with its day and its phone number as earlier rules read them."""
    yield record
    if record.former_day is not None:
        day = datetime.combine(record.former_day, time(), UTC)
        moved = {field: day for field in ("enquiryDate", "functionDate") if field in record.values}
        values = LeadValues(**{**record.values, **moved})  # type: ignore[typeddict-item]
        yield record._replace(key=with_day(record.key, record.former_day), values=values)
    for phone in record.former_phones:
        values = LeadValues(**{**record.values, "phone": phone})
        yield record._replace(key=with_phone(record.key, phone), values=values)


def mended_phone(
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
    """Whether its id is that of its own key: a run was killed before it had noted the record, which will find
    it by its id."""
    if text_of(lead, "leadType") in API_TYPES:
        return bool(lead["_id"] == derived_id(stored_key(lead, locations)))
    key = stored_key({**lead, "bookingNo": None}, locations)
    days = {stored_day(lead.get("enquiryDate")), stored_day(lead.get("functionDate")), None}
    return lead["_id"] in {derived_id(file_key(key, day)) for day in days}
