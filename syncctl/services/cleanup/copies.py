"""The copies of one lead: what people have edited in each, and which copy has all edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from functools import cached_property
from types import MappingProxyType
from typing import Any

from syncctl.domain.lead_fields import LEAD_FIELDS, SOURCE_FIELDS
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import (
    NOTHING_WRITTEN,
    STATUS_DEFAULTS,
    is_touched,
)
from syncctl.domain.records import Write
from syncctl.domain.sources import API_LEAD_TYPES, SOURCES
from syncctl.locations import StoreNames
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import file_day
from syncctl.services.matching.legacy_leads import text_of
from syncctl.text import normalize_text, normalize_unicode

HOUSEKEEPING = frozenset(("_id", "__v", "createdAt", "updatedAt"))

_NOT_SHOWN = frozenset(("_id", "__v", "updatedAt"))
_NOT_EDITED = HOUSEKEEPING | {field.name for field in SOURCE_FIELDS if not field.edited}
_IMPORTED_SOURCES = (*(source.lead_source.casefold() for source in SOURCES.values()), "walkin", "lossofsale")

Edits = dict[str, Any]
"""Values that people have entered, by field, normalized for comparing."""


def is_hand_typed(lead: Document) -> bool:
    """Whether a person typed the lead into the web app, so that all of its values are edits."""
    source = "".join(filter(str.isalpha, text_of(lead, "source").casefold()))
    return (
        source not in _IMPORTED_SOURCES
        and text_of(lead, "leadType") not in API_LEAD_TYPES
        and not text_of(lead, "bookingNo")
    )


def comparable(field: str, value: Any, stores: StoreNames) -> Any:
    """A field's value, normalized so that equal meanings are equal; None if empty or the default."""
    if field == "bookingNo":
        return normalize_unicode(text_of({field: value}, field)) or None  # as in the key
    if field == "functionDate" and isinstance(value, datetime) and file_day(value) != value.date():
        return datetime.combine(file_day(value), time(), value.tzinfo)
    if not isinstance(value, str):
        return value or None
    written = value.strip()
    if written == STATUS_DEFAULTS.get(field):
        return None
    if field == "name":
        written = normalize_text(written)
    elif field == "phone":
        written = phone_number(written) or written
    elif field == "store":
        written = normalize_text(
            stores.canonical(written) or ""
        )  # unknown names count as empty, like "Default Store"
    return written or None


class Copies:
    """The leads with one key, two or more, and what people have edited in each."""

    def __init__(
        self,
        leads: Sequence[Document],
        stores: StoreNames,
        written: Mapping[str, Mapping[str, Write]] = MappingProxyType({}),
    ) -> None:
        """`written`: what syncctl has written into them, by id and field."""
        self.leads = leads
        self._stores = stores
        self._written = written

    @cached_property
    def worked_on(self) -> list[Document]:
        """The copies that a person has worked on: touched, typed in by hand, or with a value that only the
        web app can have set and other copies lack."""
        fields = {field for lead in self.leads for field in lead}
        own = self._differing(fields - LEAD_FIELDS.keys(), self.leads)
        return [
            lead
            for lead in self.leads
            if is_touched(lead, self._written.get(lead["_id"], NOTHING_WRITTEN))
            or is_hand_typed(lead)
            or any(self._value(lead, field) is not None for field in own)
        ]

    def edits(self, source_values: Sequence[Mapping[str, Any]]) -> dict[str, Edits]:
        """What people put into the copies that they worked on, by id: neither empty nor a default, nor what
        syncctl wrote, nor what the source said, in a record (`source_values`: their values) or in a copy
        that nobody worked on."""
        ids = {lead["_id"] for lead in self.worked_on}
        untouched = [lead for lead in self.leads if lead["_id"] not in ids]
        return {
            lead["_id"]: self._edits_of(lead, (*untouched, *source_values, self._own_values(lead)))
            for lead in self.worked_on
        }

    def _own_values(self, lead: Document) -> dict[str, Any]:
        """What syncctl wrote into a lead."""
        written = self._written.get(lead["_id"], NOTHING_WRITTEN)
        return {field: write.value for field, write in written.items()}

    def with_all_edits(self, edits: Mapping[str, Edits]) -> list[Document]:
        """The copies that have every edit of all others."""
        every = [edit for others in edits.values() for edit in others.items()]
        return [
            lead
            for lead in self.worked_on
            if all(self._value(lead, field) == value for field, value in every)
        ]

    def edited_differently(self, edits: Mapping[str, Edits]) -> list[str]:
        """The edited fields in which the copies differ."""
        return self._differing({field for others in edits.values() for field in others}, self.worked_on)

    @property
    def written_differently(self) -> list[str]:
        """The fields whose values people would see differ, in the order in which a person wants to read
        them: unlike `edited_differently`, another spelling of a store counts, too."""
        fields = {name for lead in self.leads for name in lead} - _NOT_SHOWN
        values = {name: [lead.get(name) or None for lead in self.leads] for name in fields}
        differing = {name for name, held in values.items() if any(value != held[0] for value in held)}
        return [*(name for name in LEAD_FIELDS if name in differing), *sorted(differing - LEAD_FIELDS.keys())]

    def _differing(self, fields: Iterable[str], leads: Sequence[Document]) -> list[str]:
        return [
            field
            for field in sorted(fields)
            if any(self._value(lead, field) != self._value(leads[0], field) for lead in leads)
        ]

    def _edits_of(self, lead: Document, said: Sequence[Mapping[str, Any]]) -> Edits:
        edits: Edits = {}
        for field in lead.keys() - (HOUSEKEEPING if is_hand_typed(lead) else _NOT_EDITED):
            value = self._value(lead, field)
            if value is not None and value not in [self._value(values, field) for values in said]:
                edits[field] = value
        return edits

    def _value(self, values: Mapping[str, Any], field: str) -> Any:
        return comparable(field, values.get(field), self._stores)
