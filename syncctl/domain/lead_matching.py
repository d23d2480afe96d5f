"""How well a report or stored lead fits a source record, and which record gets which.

The rule is contract/database.md, "What tells which lead it was". A report finishes one record, and a lead
belongs to one record: the best agreement wins, and a tie is left unmatched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple, TypeVar

from syncctl.domain.lead_traits import Traits

T = TypeVar("T", bound=Hashable)


class Level(IntEnum):
    """What a record and a report or lead agree on; the higher, the more certain."""

    PERSON = 1  # phone, name, lead type and store; only for reports with neither booking number nor dates
    DAY = 2  # the day of a visit, and the phone or both name and store
    MOMENT = 3  # the time of day of `createdAt`, and phone, name or store
    BOOKING = 4  # the booking number
    ID = 5


class Agreement(NamedTuple):
    """How well two agree. Compares as a tuple: a greater one is a better fit."""

    level: Level
    fields: int
    """How many of phone, name and store agree."""

    lead_type: bool
    """Whether the lead type agrees with the one before the finishing page changed it."""

    details: int
    """How many further fields agree."""


def agreements(
    records: Mapping[str, Traits], candidates: Mapping[T, Traits]
) -> dict[tuple[str, T], Agreement]:
    """The agreement of each pair that fits at all, by the keys of both."""
    by_clue: dict[Hashable, list[T]] = defaultdict(list)
    for candidate, traits in candidates.items():
        for clue in _lookup_values(traits):
            by_clue[clue].append(candidate)
    return {
        (record_id, candidate): found
        for record_id, traits in records.items()
        for candidate in {each for clue in _lookup_values(traits) for each in by_clue.get(clue, ())}
        if (found := agreement(traits, candidates[candidate])) is not None
    }


def _lookup_values(traits: Traits) -> Iterator[Hashable]:
    """Values to look candidates up by: two that agree share at least one. Each kind has its own type or
    tag."""
    yield from traits.lead_ids
    yield from traits.moments
    yield from (("number", number) for number in traits.booking_numbers)
    yield from (("phone", phone) for phone in traits.phones)
    yield from (("name", name) for name in traits.names)


def agreement(record: Traits, other: Traits) -> Agreement | None:
    """How well a report or lead fits a record; None if it is about another lead."""
    same_id = bool(record.lead_ids & other.lead_ids)
    other_type = bool(record.lead_types and other.lead_types and not record.lead_types & other.lead_types)
    if other_type and not same_id:
        return None
    same_phone = bool(record.phones & other.phones)
    same_name = bool(record.names & other.names)
    same_store = bool(record.stores & other.stores)
    numbers_differ = bool(
        record.booking_numbers
        and other.booking_numbers
        and not record.booking_numbers & other.booking_numbers
    )
    if same_id:
        level = Level.ID
    elif record.booking_numbers & other.booking_numbers:
        level = Level.BOOKING
    elif record.moments & other.moments and (same_phone or same_name or same_store):
        level = Level.MOMENT
    elif record.days & other.days and not numbers_differ and (same_phone or (same_name and same_store)):
        level = Level.DAY
    elif (
        same_phone and same_name and same_store and not (other.booking_numbers or other.moments or other.days)
    ):
        level = Level.PERSON
    else:
        return None
    return Agreement(
        level,
        same_phone + same_name + same_store,
        bool(record.lead_types & other.first_types),
        len(record.details & other.details),
    )


def is_certain(found: Agreement, record: Traits, other: Traits) -> bool:
    """Whether no other record can fit better: everything in the record's key agrees."""
    if found.level in (Level.ID, Level.PERSON):
        return found.level is Level.ID
    if found.level is Level.BOOKING:
        return bool(record.phones & other.phones)
    return found.fields == 3 and found.lead_type


def best_pairs(agreements: Mapping[tuple[str, T], Agreement]) -> dict[str, T]:
    """Which record gets which candidate, by record id. `agreements`: by record id and candidate.

    Best agreements are settled first; each record and each candidate is used once. Candidates that fit
    several records equally well are shared out if there are enough for all; otherwise none of them is used.
    """
    pairs: dict[str, T] = {}
    used: set[T] = set()
    by_strength: dict[Agreement, list[tuple[str, T]]] = defaultdict(list)
    for edge, found in agreements.items():
        by_strength[found].append(edge)
    tied: set[str] = set()
    for strength in sorted(by_strength, reverse=True):
        wanted_by: dict[T, set[str]] = defaultdict(set)
        for record_id, candidate in by_strength[strength]:
            if candidate not in used:
                wanted_by[candidate].add(record_id)
        alike: dict[frozenset[str], list[T]] = defaultdict(list)
        for candidate, record_ids in wanted_by.items():
            alike[frozenset(record_ids)].append(candidate)
        for group in sorted(alike, key=len):  # the groups with the fewest records first
            candidates = sorted(alike[group], key=str)
            waiting = sorted(group - pairs.keys() - tied)
            if len(candidates) >= len(waiting):
                pairs |= zip(waiting, candidates, strict=False)
            else:
                tied.update(waiting)
            used.update(candidates)
    return pairs
