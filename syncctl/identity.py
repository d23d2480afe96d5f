"""What makes two source rows the same lead: its key, the id derived from it, and a print of its values.

The key is what the *source* calls the record, so a telecaller's edit of phone, name or store changes nothing
about it: type + phone + booking number; without a booking number type + phone + name + store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from syncctl.models import LeadValues, SourceRecord

SEPARATOR = "\x1f"
"""Stands in no folded name, no stripped booking number and no phone: `str.split` takes it for white space."""

LEAD_ID_BYTES = 12
"""An ObjectId's size: leads of the web app have ObjectIds, and so must ours."""


def fold(text: str) -> str:
    """Text for comparing: case and spacing do not count."""
    return " ".join(text.split()).casefold()


_folded_store = lru_cache(maxsize=1024)(fold)  # there are few, and many leads


def derived_id(text: str) -> str:
    """24 hex digits that depend on nothing but the text, on every machine and in every run."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=LEAD_ID_BYTES).hexdigest()


_OBJECT_ID = re.compile(r"[0-9a-f]{24}")


def id_time(lead_id: str) -> datetime | None:
    """The second at which an ObjectId was made, which it begins with; None for an id of another kind. A
    derived id has one too, but by chance."""
    if not _OBJECT_ID.fullmatch(lead_id):
        return None
    return datetime.fromtimestamp(int(lead_id[:8], 16), UTC)


def lead_key(lead_type: str, phone: str, booking_no: str, name: str, store: str) -> str:
    """The identity of an API record (contract/database.md, "Mapping"; design: "How identity works")."""
    if booking_no:
        return f"{lead_type}{SEPARATOR}{phone}{SEPARATOR}{booking_no}"
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


def source_record(values: LeadValues) -> SourceRecord:
    """The record that these values are about."""
    key = key_of(values)
    return SourceRecord(key=key, lead_id=derived_id(key), values=values)
