"""What makes two source rows the same lead: the key, the id derived from it, and a fingerprint of the values.

The key uses the *source's* values, so a telecaller's edit of phone, name or store doesn't change it: type +
phone + booking number; without a booking number type + phone + name + store.

The rules have a version (KEY_RULES), which the database stores. Records of an earlier version keep their
keys; `current_key` translates them to today's rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import SourceRecord
from syncctl.text import normalize_text, normalize_unicode

SEPARATOR = "\x1f"
"""Never part of a normalized name, a stripped booking number or a phone number: `str.split` treats it as
white space."""

LEAD_ID_BYTES = 12
"""The size of an ObjectId, which all leads of the web app have as `_id`."""


KEY_RULES = 2
"""The version of the key rules. 2: a cell with several phone numbers counts as the first one, whatever
surrounds it; texts are compared in NFC, without format characters (docs/decisions/0003)."""

_normalized_store = lru_cache(maxsize=1024)(normalize_text)  # few stores, many leads


def derived_id(text: str) -> str:
    """24 hex digits that depend only on the text: the same on every machine and in every run."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=LEAD_ID_BYTES).hexdigest()


_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_MAX_SECONDS = 0xFFFFFFFF
"""An ObjectId stores its time in four bytes."""


def id_time(lead_id: str) -> datetime | None:
    """The second in which an ObjectId was made; None for any other kind of id. A derived id also yields a
    time, but a random one."""
    if not _OBJECT_ID.fullmatch(lead_id):
        return None
    return datetime.fromtimestamp(int(lead_id[:8], 16), UTC)


def first_id_at(moment: datetime) -> str:
    """The smallest ObjectId of the second of `moment`: all made earlier are smaller."""
    second = min(max(int(moment.timestamp()), 0), _MAX_SECONDS)
    return f"{second:08x}".ljust(2 * LEAD_ID_BYTES, "0")


def lead_key(lead_type: str, phone: str, booking_no: str, name: str, store: str) -> str:
    """The identity of an API record (contract/database.md, "Mapping"; docs/decisions/0001-identity.md)."""
    if booking_no:
        return f"{lead_type}{SEPARATOR}{phone}{SEPARATOR}{normalize_unicode(booking_no)}"
    return SEPARATOR.join((lead_type, phone, "", normalize_text(name), _normalized_store(store)))


def fingerprint(values: Mapping[str, Any]) -> str:
    """16 hex digits that change with any of the source's values, but not with their order."""
    order, names = _layout(tuple(values))
    joined = SEPARATOR.join(
        [
            value if type(value) is str else _iso_date(value) if type(value) is datetime else str(value)
            for value in map(values.__getitem__, order)
        ]
    )
    return blake2b(f"{names}{SEPARATOR}{joined}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@cache  # one entry per combination of fields
def _layout(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    order = tuple(sorted(names))
    return order, SEPARATOR.join(order)


@lru_cache(maxsize=8192)  # a row has one date in two fields, and a file repeats the same days
def _iso_date(value: datetime) -> str:
    return value.isoformat()


def key_of(values: LeadValues) -> str:
    """The key of the record with these values."""
    return lead_key(
        values["leadType"], values["phone"], values.get("bookingNo", ""), values["name"], values["store"]
    )


def source_record(
    values: LeadValues, former_phones: tuple[str, ...] = (), key: str | None = None
) -> SourceRecord:
    """The record with these values. `former_phones`: as in SourceRecord. `key`: what `key_of` makes of them,
    where that is known already."""
    key = key or key_of(values)
    return SourceRecord(key, derived_id(key), values, former_phones)


def phone_of(key: str) -> str:
    """The phone number in a key."""
    return key.split(SEPARATOR, 2)[1]


def with_phone(key: str, phone: str) -> str:
    """The key of the same record under another phone number."""
    lead_type, _, rest = key.split(SEPARATOR, 2)
    return SEPARATOR.join((lead_type, phone, rest))


def with_day(key: str, day: date) -> str:
    """The key of a file row with another day (`mapping.file_rows.file_key`)."""
    return SEPARATOR.join((key.rpartition(SEPARATOR)[0], day.isoformat()))


def with_store(key: str, canonical: Callable[[str], str | None]) -> str:
    """The key of the same record under the store's canonical name; unchanged where no store is in it."""
    parts = key.split(SEPARATOR)
    if len(parts) > 4 and (store := canonical(parts[4])):
        parts[4] = _normalized_store(store)
    return SEPARATOR.join(parts)


def keys_of(record: SourceRecord) -> tuple[str, ...]:
    """The record's key, then the keys it would have had when its phone number or day was parsed by earlier
    rules."""
    keys = [record.key]
    if record.former_day is not None:
        keys.append(with_day(record.key, record.former_day))
    return *keys, *(with_phone(key, phone) for phone in record.former_phones for key in keys)


def current_key(key: str) -> str:
    """A key of any version by today's rules, except for its phone number: the key doesn't show how that
    was written."""
    parts = key.split(SEPARATOR)
    if (key.isascii() and "=" not in key) or len(parts) < 3:
        return key
    lead_type, phone, booking_no, *others = parts
    return SEPARATOR.join((lead_type, phone, normalize_unicode(booking_no), *map(normalize_text, others)))
