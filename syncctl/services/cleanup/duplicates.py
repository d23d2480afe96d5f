"""Finds leads that are copies of one another: those of one key, in one pass over all leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from syncctl.domain.identity import derived_id
from syncctl.domain.lead_values import Document, LeadType
from syncctl.locations import Locations, StoreNames
from syncctl.parsing.phones import phone_number
from syncctl.ports.admin import Database
from syncctl.ports.storage import Storage
from syncctl.services.matching.legacy_leads import parted_key, stored_file_key, stored_key, text_of

KEY_FIELDS: tuple[str, ...] = (
    "leadType",
    "phone",
    "bookingNo",
    "name",
    "store",
    "createdAt",
    "functionDate",
)
"""The fields of a lead that its key is made of."""

_API_TYPES = (LeadType.BOOKING, LeadType.RETURN)
_CUSTOMER_BYTES, _STORE_BYTES = 8, 4
"""A digest's: of a key without the store of a file lead, and of that store. Among 130,000 keys two share a
digest once in 2,000,000,000 databases; planning compares whole keys."""


def cleanup_key(lead: Document, locations: StoreNames) -> str | None:
    """What leads that are copies of one another have in common; None for a lead that can be nobody's copy.

    Type, phone and booking number; without a booking number type, phone, name and store, and for a lead that
    is neither a booking nor a return (it is a file's or typed by hand) the day as well (contract/files.md).
    A lead lacks a key where it has no phone number, or no name or store where these are needed.
    """
    if phone_number(text_of(lead, "phone")) is None:
        return None
    if text_of(lead, "bookingNo"):
        return stored_key(lead, locations)
    if not (text_of(lead, "name") and text_of(lead, "store")):
        return None
    if not _has_file_key(lead):
        return stored_key(lead, locations)
    return stored_file_key(lead, locations)


def _has_file_key(lead: Document) -> bool:
    return not text_of(lead, "bookingNo") and text_of(lead, "leadType") not in _API_TYPES


def lacks_store(lead: Document, locations: StoreNames) -> bool:
    """Whether a lead whose key has the store in it is under "Default Store", where the web app's own upload
    puts what it knows no store for, or under another name that is no store's. It is a copy of the same lead
    under a known store, where there is exactly one such store."""
    return _has_file_key(lead) and locations.canonical(text_of(lead, "store")) is None


@dataclass(frozen=True, slots=True)
class DuplicateSets:
    """Sets of leads of one key, two or more, by lead type ("": none): their ids."""

    sets: Mapping[str, list[tuple[str, ...]]]

    @property
    def count_by_type(self) -> dict[str, int]:
        """How many sets there are of each lead type."""
        return {lead_type: len(sets) for lead_type, sets in self.sets.items()}

    @property
    def count(self) -> int:
        """How many sets there are."""
        return sum(map(len, self.sets.values()))

    @property
    def extra_copies(self) -> int:
        """How many leads there are beyond one for each set."""
        return sum(len(ids) - 1 for sets in self.sets.values() for ids in sets)


class DuplicateFinder:
    """Takes leads one by one, and keeps a digest and an id of each.

    In `storage` it looks up the records whose keys leads of other ids bear: a record's own lead may have been
    edited, and be there once more as the source says it, brought by another program.

    A digest begins with that of the key without the store, so that for leads that lack one the others of the
    same customer and day can be found, and nothing more need be kept of those.
    """

    def __init__(self, locations: Locations, storage: Storage | None = None) -> None:
        self._stores = CachedStores(locations)
        self._storage = storage
        self._of_record: dict[str, str] = {}
        self._first: dict[bytes, str] = {}
        self._sets: dict[bytes, list[str]] = {}
        self._types: dict[bytes, str] = {}
        self._storeless: set[bytes] = set()

    def add(self, lead: Document) -> None:
        """A lead with its `_id` and KEY_FIELDS. The same one may come twice: a scan that runs while leads
        are written can meet it again."""
        key = cleanup_key(lead, self._stores)
        if key is None:
            return
        if (record_id := derived_id(key)) != lead["_id"]:
            self._of_record[record_id] = lead["_id"]
        if not _has_file_key(lead):
            digest = _hash(key, _CUSTOMER_BYTES + _STORE_BYTES)
        else:
            customer, store = parted_key(key)
            digest = _hash(customer, _CUSTOMER_BYTES) + _hash(store, _STORE_BYTES)
            if lacks_store(lead, self._stores):
                self._storeless.add(digest)
                self._types[digest] = text_of(lead, "leadType")
        first = self._first.setdefault(digest, lead["_id"])
        if first != lead["_id"]:
            self._sets.setdefault(digest, [first]).append(lead["_id"])
            self._types[digest] = text_of(lead, "leadType")

    def found(self) -> DuplicateSets:
        """The sets among the leads so far; ids in order, and so the sets of a type."""
        by_type: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        sets = dict(self._sets)
        for store, *storeless in self._of_one_store():
            ids = [
                lead_id
                for digest in (store, *storeless)
                for lead_id in sets.pop(digest, [self._first[digest]])
            ]
            sets[storeless[0]] = ids
        joined = _joined([(self._types[digest], set(ids)) for digest, ids in sets.items()], self._edited())
        for lead_type, copies in joined:
            if len(copies) > 1:
                by_type[lead_type].append(tuple(sorted(copies)))
        return DuplicateSets({lead_type: sorted(by_type[lead_type]) for lead_type in sorted(by_type)})

    def _edited(self) -> list[tuple[str, set[str]]]:
        """Leads that bear a record's key, each with the record's own lead, which does not any more."""
        if self._storage is None or not self._of_record:
            return []
        records = self._storage.find_records(self._of_record.keys())
        others = {
            record_id: known.lead_id
            for record_id, known in records.items()
            if known.lead_id != self._of_record[record_id]
        }
        leads = self._storage.leads(others.values()) if others else {}
        return [
            (text_of(leads[own_id], "leadType"), {own_id, self._of_record[record_id]})
            for record_id, own_id in others.items()
            if own_id in leads
        ]

    def _of_one_store(self) -> Iterator[list[bytes]]:
        """Where leads that lack a store have one known store to belong to: the digest of that store's lead,
        then theirs."""
        alike: dict[bytes, list[bytes]] = {digest[:_CUSTOMER_BYTES]: [] for digest in self._storeless}
        if not alike:
            return
        for digest in self._first:
            if (digests := alike.get(digest[:_CUSTOMER_BYTES])) is not None:
                digests.append(digest)
        for digests in alike.values():
            storeless = [digest for digest in digests if digest in self._storeless]
            if len(digests) == len(storeless) + 1:
                yield [*(digest for digest in digests if digest not in self._storeless), *storeless]


def _joined(
    sets: list[tuple[str, set[str]]], pairs: list[tuple[str, set[str]]]
) -> list[tuple[str, set[str]]]:
    """The sets, with each pair in the sets that one of its leads is in, which are then one set."""
    for lead_type, pair in pairs:
        touching = [each for each in sets if each[1] & pair]
        sets = [each for each in sets if not each[1] & pair]
        sets.append((lead_type, pair.union(*(ids for _, ids in touching))))
    return sets


def _hash(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


class CachedStores:
    """A table of locations that remembers the names that it was asked for: there are few, and many leads."""

    def __init__(self, locations: StoreNames) -> None:
        self.canonical = lru_cache(maxsize=4096)(locations.canonical)


def find_duplicates(database: Database, locations: Locations) -> DuplicateSets:
    """All sets of duplicates in the database, in one pass over its leads. Raises StorageError."""
    return duplicates_among(database.scan_leads(KEY_FIELDS), locations, database)


def duplicates_among(
    leads: Iterable[Document], locations: Locations, storage: Storage | None = None
) -> DuplicateSets:
    """The sets of duplicates among leads, each with `_id` and KEY_FIELDS."""
    finder = DuplicateFinder(locations, storage)
    for lead in leads:
        finder.add(lead)
    return finder.found()
