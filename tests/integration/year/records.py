"""All bookings, returns and visits of the year, and the leads that belong to them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property

from syncctl.locations import load_locations
from tests.support.recognition import Facts, Level, agreeing, day_of, level, of_lead
from tests.support.webapp import Lead, Report

Key = tuple[str, ...]
API_TYPES = ("bookingConfirmation", "return")


@dataclass(eq=False)
class Record:
    """A booking, a return or a visit, as stated by its source."""

    lead_type: str
    name: str
    phone: str
    store: str
    day: date
    number: str = ""

    instant: datetime | None = None
    """An API record's createdAt."""

    row: dict[str, str] = field(default_factory=dict)
    """A file record's cells, by title."""

    leads: dict[str, Lead] = field(default_factory=dict)
    """Its current leads by id, with people's edits of each."""

    reports: dict[str, Report] = field(default_factory=dict)
    """The reports that finished it, by id."""

    edited: Lead = field(default_factory=dict)
    """All edits made by people."""

    is_deleted: bool = False
    """By a person."""

    was_seen: bool = False
    """syncctl has seen it."""

    was_seen_when_gone: bool = False
    """syncctl had seen it when it was finished or deleted."""

    @property
    def is_of_api(self) -> bool:
        return self.lead_type in API_TYPES

    @property
    def is_gone(self) -> bool:
        """Whether people have finished or deleted it."""
        return bool(self.reports) or self.is_deleted

    @property
    def key(self) -> Key:
        if self.number:
            return self.lead_type, self.number, self.phone
        name = " ".join(self.name.casefold().split())
        return self.lead_type, "", self.phone, name, self.store, self.day.isoformat()

    @cached_property
    def facts(self) -> Facts:
        """What its source says of it."""
        midnight = datetime.combine(self.day, time(), UTC)
        said: Lead = {"leadType": self.lead_type, "name": self.name, "phone": self.phone, "store": self.store}
        if self.is_of_api:
            return of_lead({**said, "bookingNo": self.number, "createdAt": self.instant})
        return of_lead({**said, "createdAt": midnight, "enquiryDate": midnight})

    def __str__(self) -> str:
        what = self.number or f"{self.name} {self.phone} at {self.store}"
        return f"{self.lead_type} {what} of {self.day}"


class Register:
    """All records, and the leads typed in by telecallers, by id, as they must be."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.typed: dict[str, Lead] = {}
        self._by_key: dict[Key, Record] = {}
        self._by_fact: dict[object, set[Record]] = defaultdict(set)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def add(self, record: Record) -> Record:
        assert record.key not in self._by_key, record
        self.records.append(record)
        self._by_key[record.key] = record
        for fact in _lookup_values(record.facts):
            self._by_fact[fact].add(record)
        return record

    def of_source(self, values: Lead) -> Record | None:
        """The record that an unedited lead, or what the sync remembers of a source, is of."""
        if values.get("bookingNo"):
            return self._by_key.get((values["leadType"], values["bookingNo"], values["phone"]))
        day = values.get("enquiryDate") or values["createdAt"]
        name = " ".join(values["name"].casefold().split())
        store = load_locations().canonical(values["store"]) or values["store"]
        return self._by_key.get(
            (values["leadType"], "", values["phone"], name, store, day_of(day).isoformat())
        )

    def recognisable(self, facts: Facts, record: Record) -> bool:
        """Whether a report or an edited lead identifies this record, and no other equally well."""
        rank = _rank(facts, record)
        if rank[0] is Level.NOT:
            return False
        others = set[Record]().union(*(self._by_fact[fact] for fact in _lookup_values(facts))) - {record}
        return all(_rank(facts, other) < rank for other in others)


def _lookup_values(facts: Facts) -> set[object]:
    """Without any of these in common, records can't be matched."""
    return {*facts.said["bookingNo"], *facts.said["phone"], *facts.instants, *facts.days}


def _rank(facts: Facts, record: Record) -> tuple[Level, int]:
    return level(facts, record.facts), agreeing(facts, record.facts)
