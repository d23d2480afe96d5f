"""What makes two source rows the same lead: its key, the id derived from it, and a print of its values.

The key is what the *source* calls the record, so a telecaller's edit of phone, name or store changes nothing
about it: type + phone + booking number; without a booking number type + phone + name + store.

The rules have a version (KEY_RULES), which the database carries. Records of the version before keep the keys
that they have: `current_key` says what these are by the rules of today.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import SourceRecord
from syncctl.text import fold, same_text

SEPARATOR = "\x1f"
"""Stands in no folded name, no stripped booking number and no phone: `str.split` takes it for white space."""

LEAD_ID_BYTES = 12
"""An ObjectId's size: leads of the web app have ObjectIds, and so must ours."""


KEY_RULES = 2
"""The version of what makes a key. 2: of several phone numbers in a cell the first, whatever stands around
it; texts compared in NFC, without format characters (docs/decisions/0003)."""

_folded_store = lru_cache(maxsize=1024)(fold)  # there are few, and many leads


def derived_id(text: str) -> str:
    """24 hex digits that depend on nothing but the text, on every machine and in every run."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=LEAD_ID_BYTES).hexdigest()


_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_LAST_SECOND = 0xFFFFFFFF
"""An ObjectId has four bytes for its time."""


def id_time(lead_id: str) -> datetime | None:
    """The second at which an ObjectId was made, which it begins with; None for an id of another kind. A
    derived id has one too, but by chance."""
    if not _OBJECT_ID.fullmatch(lead_id):
        return None
    return datetime.fromtimestamp(int(lead_id[:8], 16), UTC)


def first_id_at(moment: datetime) -> str:
    """The smallest ObjectId of the second of `moment`: those made earlier are smaller."""
    second = min(max(int(moment.timestamp()), 0), _LAST_SECOND)
    return f"{second:08x}".ljust(2 * LEAD_ID_BYTES, "0")


def lead_key(lead_type: str, phone: str, booking_no: str, name: str, store: str) -> str:
    """The identity of an API record (contract/database.md, "Mapping"; design: "How identity works")."""
    if booking_no:
        return f"{lead_type}{SEPARATOR}{phone}{SEPARATOR}{same_text(booking_no)}"
    return SEPARATOR.join((lead_type, phone, "", fold(name), _folded_store(store)))


def fingerprint(values: Mapping[str, Any]) -> str:
    """16 hex digits that change when any of the source's values changes, whatever order they come in."""
    order, names = _layout(tuple(values))
    told = SEPARATOR.join(
        [
            value if type(value) is str else _moment(value) if type(value) is datetime else str(value)
            for value in map(values.__getitem__, order)
        ]
    )
    return blake2b(f"{names}{SEPARATOR}{told}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@cache  # as many as there are combinations of fields
def _layout(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    order = tuple(sorted(names))
    return order, SEPARATOR.join(order)


@lru_cache(maxsize=8192)  # a row tells one date as two fields, a file the same days again and again
def _moment(value: datetime) -> str:
    return value.isoformat()


def key_of(values: LeadValues) -> str:
    """The key of the record that these values are about."""
    return lead_key(
        values["leadType"], values["phone"], values.get("bookingNo", ""), values["name"], values["store"]
    )


def source_record(values: LeadValues, former_phones: tuple[str, ...] = ()) -> SourceRecord:
    """The record that these values are about. `former_phones`: as in SourceRecord."""
    key = key_of(values)
    return SourceRecord(key, derived_id(key), values, former_phones)


def phone_of(key: str) -> str:
    """The phone number in a key."""
    return key.split(SEPARATOR, 2)[1]


def with_phone(key: str, phone: str) -> str:
    """The key of the same record under another phone number."""
    lead_type, _, rest = key.split(SEPARATOR, 2)
    return SEPARATOR.join((lead_type, phone, rest))


def with_day(key: str, day: date) -> str:
    """The key of a file's row with another day (`file_mapping.file_key`)."""
    return SEPARATOR.join((key.rpartition(SEPARATOR)[0], day.isoformat()))


def keys_of(record: SourceRecord) -> tuple[str, ...]:
    """The record's key, then those that it had when its phone number or its day was read otherwise."""
    keys = [record.key]
    if record.former_day is not None:
        keys.append(with_day(record.key, record.former_day))
    return *keys, *(with_phone(key, phone) for phone in record.former_phones for key in keys)


def current_key(key: str) -> str:
    """A key of any version by today's rules, but for its phone number, of which the key does not say how it
    was written."""
    parts = key.split(SEPARATOR)
    if (key.isascii() and "=" not in key) or len(parts) < 3:
        return key
    lead_type, phone, booking_no, *others = parts
    return SEPARATOR.join((lead_type, phone, same_text(booking_no), *map(fold, others)))
