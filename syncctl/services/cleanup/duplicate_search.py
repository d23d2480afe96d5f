"""Finds the duplicates among all leads of a database in one pass over them, which keeps one bit of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from syncctl.domain.identity import derived_id
from syncctl.domain.lead_values import Document
from syncctl.locations import Locations
from syncctl.parsing.phones import phone_number
from syncctl.ports.admin import Database
from syncctl.services.batching import batched
from syncctl.services.cleanup.duplicates import (
    KEY_FIELDS,
    NUMBERED_FIELDS,
    UNNUMBERED_FIELDS,
    CachedStores,
    DuplicateFinder,
    DuplicateSets,
    OnCounted,
    cleanup_key,
    customer_of,
    keep_no_count,
    usual_file_key,
    usual_key,
)
from syncctl.services.matching.legacy_leads import split_store, text_of

BITS = 2**27
"""16 MB: of a million leads, 4,000 are looked at again for nothing."""

LOOKED_UP_AT_ONCE = 1000


class MarkedTexts:
    """Texts of which one bit each is kept: one that is not marked may seem to be, seldom."""

    def __init__(self) -> None:
        self._bits = bytearray(BITS // 8)

    def is_marked(self, text: str) -> bool:
        """Whether the text, or another one with the same bit, was marked."""
        bit = hash(text) % BITS
        return bool(self._bits[bit >> 3] & (1 << (bit & 7)))

    def mark(self, text: str) -> bool:
        """Mark it. Gives whether it seems to have been marked before."""
        bit = hash(text) % BITS
        place, mask = bit >> 3, 1 << (bit & 7)
        was_marked = self._bits[place] & mask
        self._bits[place] |= mask
        return bool(was_marked)


class DuplicateSearch:
    """Takes all leads one by one; those that may be copies of others are then looked up by phone number, and
    `DuplicateFinder` decides. A lead whose phone number is not just ten digits is kept, as nothing finds it
    by them.

    Where a lead's id is not derived from its key, the record with this key is looked up as well: the record's
    own lead may have been edited, and another program may have inserted it again with the source's values.
    """

    def __init__(self, locations: Locations, database: Database) -> None:
        self.leads = 0
        """How many it has taken."""

        self._locations = locations
        self._stores = CachedStores(locations)
        self._database = database
        self._seen = MarkedTexts()
        self._phones: set[str] = set()
        self._oddly_written: list[Document] = []
        self._of_record: dict[str, str] = {}
        self._edited: list[tuple[str, set[str]]] = []

    def add(self, lead: Document, usual: str | None) -> None:
        """Add a lead with its `_id` and KEY_FIELDS, and its `usual_key`; those of UNNUMBERED_FIELDS are not
        needed where it has a booking number. Raises StorageError."""
        self.leads += 1
        if (key := usual) is not None:
            customer, phone = key, lead["phone"]
        elif (key := usual_file_key(lead, self._stores)) is not None:
            customer, phone = split_store(key)[0], lead["phone"]
        elif (key := cleanup_key(lead, self._stores)) is not None:
            customer, phone = customer_of(key, lead), phone_number(text_of(lead, "phone"))
            if lead["phone"] != phone:
                self._oddly_written.append({field: lead[field] for field in _FIELDS if field in lead})
        else:
            return
        digest = derived_id(key)
        if digest != lead["_id"]:
            self._of_record[digest] = lead["_id"]
            if len(self._of_record) == LOOKED_UP_AT_ONCE:
                self._look_up_records()
        if self._seen.mark(customer):
            self._phones.add(phone)

    def found(self) -> DuplicateSets:
        """The sets among the leads so far, by their values now. Raises StorageError."""
        self._look_up_records()
        finder = DuplicateFinder(self._locations)
        for lead in self._candidates():
            finder.add(lead)
        return replace(finder.found(self._edited), leads=self.leads)

    def _candidates(self) -> Iterator[Document]:
        for phones in batched(self._phones, LOOKED_UP_AT_ONCE):
            yield from self._database.leads_with_phones(phones, KEY_FIELDS)
        yield from self._oddly_written

    def _look_up_records(self) -> None:
        """Pair leads that have a record's key with the record's own leads, which have another one by now."""
        records = self._database.find_records(self._of_record.keys()) if self._of_record else {}
        others = {
            record_id: known.lead_id
            for record_id, known in records.items()
            if known.lead_id != self._of_record[record_id]
        }
        leads = self._database.leads(others.values()) if others else {}
        self._edited += [
            (text_of(leads[own_id], "leadType"), {own_id, self._of_record[record_id]})
            for record_id, own_id in others.items()
            if own_id in leads
        ]
        self._of_record.clear()


_FIELDS = ("_id", *KEY_FIELDS)


def find_duplicates(
    database: Database, locations: Locations, on_counted: OnCounted = keep_no_count
) -> DuplicateSets:
    """All sets of duplicates in the database, in one pass over its leads. Raises StorageError."""
    search = DuplicateSearch(locations, database)
    for lead in database.scan_leads(NUMBERED_FIELDS, UNNUMBERED_FIELDS):
        search.add(lead, usual_key(lead))
    duplicates = search.found()
    if search.leads:
        on_counted(duplicates)
    return duplicates
