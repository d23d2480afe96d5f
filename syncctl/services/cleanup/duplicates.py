"""What copies of one lead have in common, and which of the leads that may be copies are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.lead_values import Document
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.locations import Locations, StoreNames
from syncctl.parsing.phones import PHONE_DIGITS, phone_number
from syncctl.parsing.values import LONGEST_TEXT, file_day
from syncctl.services.matching.legacy_leads import split_store, stored_file_key, stored_key, text_of
from syncctl.text import normalize_text

KEY_FIELDS: tuple[str, ...] = (
    "leadType",
    "phone",
    "bookingNo",
    "name",
    "store",
    "createdAt",
    "functionDate",
)
"""The fields that a lead's key is made of."""

NUMBERED_FIELDS = ("leadType", "phone", "bookingNo")
UNNUMBERED_FIELDS = tuple(field for field in KEY_FIELDS if field not in NUMBERED_FIELDS)
"""Those that the key of a lead with a booking number is made of, and those of others besides."""

_CUSTOMER_BYTES, _STORE_BYTES = 8, 4
"""Sizes of the two parts of a digest: a file lead's key without the store, and the store. Among 130,000 keys,
two share a digest once in 2,000,000,000 databases; planning compares whole keys."""


def cleanup_key(lead: Document, locations: StoreNames) -> str | None:
    """What copies of the same lead have in common; None for a lead that can't be a copy.

    Type, phone and booking number; without a booking number type, phone, name and store, and for a lead that
    is neither a booking nor a return (it is from a file or typed by hand) also the day (contract/files.md). A
    lead without a phone number, or without a name or store where these are needed, has no key.
    """
    if (usual := usual_key(lead)) is not None:
        return usual
    if phone_number(text_of(lead, "phone")) is None:
        return None
    if text_of(lead, "bookingNo"):
        return stored_key(lead, locations)
    if not (text_of(lead, "name") and text_of(lead, "store")):
        return None
    if not _has_file_key(lead):
        return stored_key(lead, locations)
    return stored_file_key(lead, locations)


def usual_key(lead: Document) -> str | None:
    """The `cleanup_key` of a lead with a booking number and all written as most are, seen at a glance; None
    for any other lead."""
    lead_type, phone, booking_no = lead.get("leadType"), lead.get("phone"), lead.get("bookingNo")
    if not (type(lead_type) is type(phone) is type(booking_no) is str and len(phone) == PHONE_DIGITS):
        return None
    if not (phone.isdigit() and lead_type.isalnum() and booking_no.isalnum()):
        return None
    key = f"{lead_type}{SEPARATOR}{phone}{SEPARATOR}{booking_no}"
    return key if key.isascii() and len(key) <= LONGEST_TEXT else None


def usual_file_key(lead: Document, stores: CachedStores) -> str | None:
    """The same of a lead from a file, without a booking number."""
    lead_type, phone, name = lead.get("leadType"), lead.get("phone"), lead.get("name")
    store, at = lead.get("store"), lead.get("createdAt")
    if lead.get("bookingNo") not in (None, ""):
        return None
    if not (type(lead_type) is type(phone) is type(name) is type(store) is str):
        return None
    if not (len(phone) == PHONE_DIGITS and phone.isdigit() and lead_type.isalnum() and name.isprintable()):
        return None
    if lead_type in API_LEAD_TYPES or type(at) is not datetime or not (shop := stores.in_key(store)):
        return None
    customer = f"{lead_type}{SEPARATOR}{phone}{SEPARATOR}{SEPARATOR}{normalize_text(name)}"
    if name.isspace() or not name or not customer.isascii() or len(customer) > LONGEST_TEXT:
        return None
    return f"{customer}{SEPARATOR}{shop}{SEPARATOR}{file_day(at).isoformat()}"


def _has_file_key(lead: Document) -> bool:
    return not text_of(lead, "bookingNo") and text_of(lead, "leadType") not in API_LEAD_TYPES


def customer_of(key: str, lead: Document) -> str:
    """A lead's key without the store, if it has one: leads without a store are compared with others by it."""
    return split_store(key)[0] if _has_file_key(lead) else key


def lacks_store(lead: Document, locations: StoreNames) -> bool:
    """Whether a lead whose key includes the store has "Default Store", which the web app's own upload uses
    for unknown stores, or another name that isn't a store's. It is a copy of the same lead with a known
    store, if there is exactly one such store."""
    return _has_file_key(lead) and locations.canonical(text_of(lead, "store")) is None


@dataclass(frozen=True, slots=True)
class DuplicateSets:
    """Sets of two or more leads with the same key."""

    sets: Mapping[str, list[tuple[str, ...]]]
    """The leads' ids, by lead type ("": none)."""

    leads: int = 0
    """Among how many leads they were looked for."""

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
        """How many leads there are beyond one per set."""
        return sum(len(ids) - 1 for sets in self.sets.values() for ids in sets)


OnCounted = Callable[[DuplicateSets], None]
"""Called with the duplicates once all leads have been looked at, if there are any leads."""


def keep_no_count(_duplicates: DuplicateSets) -> None:
    """For a look whose count nobody keeps."""


class DuplicateFinder:
    """Takes leads one by one, and keeps a digest and an id of each.

    A digest begins with that of the key without the store, so that leads without a store can be compared with
    others of the same customer and day without keeping anything else.
    """

    def __init__(self, locations: Locations) -> None:
        self._stores = CachedStores(locations)
        self._first: dict[bytes, str] = {}
        self._sets: dict[bytes, list[str]] = {}
        self._types: dict[bytes, str] = {}
        self._storeless: set[bytes] = set()
        self._leads = 0

    def add(self, lead: Document) -> None:
        """Add a lead with its `_id` and KEY_FIELDS. The same lead may come twice: a scan during writes can
        return it again."""
        self._leads += 1
        key = cleanup_key(lead, self._stores)
        if key is None:
            return
        if not _has_file_key(lead):
            digest = _hash(key, _CUSTOMER_BYTES + _STORE_BYTES)
        else:
            customer, store = split_store(key)
            digest = _hash(customer, _CUSTOMER_BYTES) + _hash(store, _STORE_BYTES)
            if lacks_store(lead, self._stores):
                self._storeless.add(digest)
                self._types[digest] = text_of(lead, "leadType")
        first = self._first.setdefault(digest, lead["_id"])
        if first != lead["_id"]:
            self._sets.setdefault(digest, [first]).append(lead["_id"])
            self._types[digest] = text_of(lead, "leadType")

    def found(self, pairs: Sequence[tuple[str, set[str]]] = ()) -> DuplicateSets:
        """The sets among the leads so far, sorted by id. `pairs`: what else are copies, by lead type."""
        by_type: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        sets = dict(self._sets)
        for store, *storeless in self._of_one_store():
            ids = [
                lead_id
                for digest in (store, *storeless)
                for lead_id in sets.pop(digest, [self._first[digest]])
            ]
            sets[storeless[0]] = ids
        joined = _joined([(self._types[digest], set(ids)) for digest, ids in sets.items()], pairs)
        for lead_type, copies in joined:
            if len(copies) > 1:
                by_type[lead_type].append(tuple(sorted(copies)))
        return DuplicateSets(
            {lead_type: sorted(by_type[lead_type]) for lead_type in sorted(by_type)}, self._leads
        )

    def _of_one_store(self) -> Iterator[list[bytes]]:
        """For leads without a store that fit exactly one known store: the digest of that store's lead,
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
    sets: list[tuple[str, set[str]]], pairs: Sequence[tuple[str, set[str]]]
) -> list[tuple[str, set[str]]]:
    """The sets, with each pair added to the sets that contain one of its leads, which become one set."""
    for lead_type, pair in pairs:
        touching = [each for each in sets if each[1] & pair]
        sets = [each for each in sets if not each[1] & pair]
        sets.append((lead_type, pair.union(*(ids for _, ids in touching))))
    return sets


def _hash(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


class CachedStores:
    """A location table that caches look-ups: few names, many leads."""

    def __init__(self, locations: StoreNames) -> None:
        self.canonical = lru_cache(maxsize=4096)(locations.canonical)
        self.in_key = lru_cache(maxsize=4096)(self._in_key)

    def _in_key(self, store: str) -> str:
        """A lead's store as its key has it; "" for none."""
        written = text_of({"store": store}, "store")
        return normalize_text(self.canonical(written) or written)
