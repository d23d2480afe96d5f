"""What an import notes of each of its changes before it makes it, so that it can be taken back
(docs/decisions/0020-import-undo.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from syncctl.domain.lead_values import Document
from syncctl.domain.records import Write


class NoteKind(StrEnum):
    """What is changed."""

    LEAD = "lead"
    """Fields of a lead."""

    WRITES = "writes"
    """What a record notes of writes into its lead."""

    VALUES = "values"
    """The base of a record."""

    REPORT = "report"
    """Which report finished a record."""

    LINKED = "linked"
    """A record is added whose lead is there already, or finished."""

    ADDED = "added"
    """A record is added with its lead."""

    SEEN = "seen"
    """Nothing: a record that an earlier import has added lately has a row in this one's files, too."""

    REJECTED = "rejected"
    """A row is put on the rejects list."""

    CLEARED = "cleared"
    """A row is taken off the rejects list: forgotten, or closed with a person's answer."""

    AMENDED = "amended"
    """A row on the rejects list gets what a person has corrected in it."""

    FILE = "file"
    """The hash of a file as last imported."""


class Change(NamedTuple):
    """One change that an import was about to make. Whether it made it, only the database knows: it may have
    been killed in between."""

    before: Mapping[str, Any]
    """What was there, by name; empty where nothing was. None stands for a field that is null or absent."""

    after: Mapping[str, Any]
    """What was to be there, by the same names, and what else undoing it has to know."""


class ImportNote(NamedTuple):
    """Changes of one kind that an import was about to make at once."""

    run_id: str
    kind: NoteKind

    number: str
    """Grows with each write of the run."""

    changes: dict[str, Change]
    """By what is changed: the id of a lead, record or reject, or a file's kind and name."""

    @property
    def note_id(self) -> str:
        """Notes of one kind stand together, in the order of the writes."""
        return f"{self.run_id}:{self.kind}:{self.number}"


MOST_CHANGES = 1000
"""Of one note."""

MOST_CHARACTERS = 1_000_000
"""Of one note, if it has more than one change: MongoDB takes documents of 16 MB."""


def in_notes(changes: Iterable[tuple[str, Change]]) -> Iterator[dict[str, Change]]:
    """Changes of one kind, as many together as one note takes: of one thing only one."""
    together: dict[str, Change] = {}
    characters = 0
    for item, change in changes:
        size = len(repr(change)) if any(change) else 0  # of what was only seen there is nothing to say
        is_full = len(together) >= MOST_CHANGES or characters + size > MOST_CHARACTERS
        if together and (is_full or item in together):
            yield together
            together, characters = {}, 0
        together[item] = change
        characters += size
    if together:
        yield together


class NotedImport(NamedTuple):
    """An import that has noted its changes."""

    run_id: str
    command: str
    started_at: datetime

    undone_at: datetime | None = None
    """When it was taken back."""

    created_only: bool = False
    """Whether an earlier version made it, which noted nothing: only the leads that it created are known, and
    are noted when it is taken back."""


class ValuesChange(NamedTuple):
    """A record's base to be put back, if it still has the fingerprint that is expected."""

    record_id: str
    expected: str
    values: Mapping[str, Any]
    fingerprint: str


class WriteChange(NamedTuple):
    """A record's note of a write into a field to be put back, if it is still that of a certain time."""

    record_id: str
    field: str
    at: datetime

    before: Write | None
    """None: there was none."""


def lead_digest(lead: Document) -> str:
    """16 hex digits that change with any field of a lead, wherever it is stored: dates count to the
    millisecond, a field that is null counts as absent, 1.0 as 1. Notes keep them for 90 days: made in another
    way, they would keep leads that nobody has touched."""
    fields = {
        name: value if type(value) in _PLAIN else _plain(value)
        for name in _in_order(tuple(lead))
        if (value := lead[name]) is not None
    }
    return blake2b(ascii(fields).encode("ascii"), digest_size=8).hexdigest()


_PLAIN = (str, bool, int)
"""Types of most values of a lead, which are the same wherever it is stored."""


@lru_cache(maxsize=1024)  # new leads have the same fields
def _in_order(names: tuple[str, ...]) -> list[str]:
    return sorted(names)


def same_value(one: Any, other: Any) -> bool:
    """Whether two values of a field are the same to any database: as in `lead_digest`, and 1 is not true."""
    return bool(_plain(one) == _plain(other)) and isinstance(one, bool) == isinstance(other, bool)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return _iso_date(value)
        case float() if value.is_integer():
            return int(value)
        case bool():
            return value
        case int():  # a driver's own number
            return int(value)
        case str():  # an Enum
            return str(value)
    return value


@lru_cache(maxsize=8192)  # a lead has one date in two fields, and a file repeats the same days
def _iso_date(value: datetime) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds")
