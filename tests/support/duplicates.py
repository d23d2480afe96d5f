"""A database as the old system left it: sets of copies of one lead, some of them worked on by telecallers."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from syncctl.domain.lead_values import Document
from syncctl.locations import Locations
from syncctl.services.cleanup.duplicates import DuplicateFinder, DuplicateSets
from tests.contract.samples import MOMENT, lead

Lead = dict[str, Any]

STORES = ("Suitor Guy - Calicut", "Suitor Guy - CALICUT", "suitor guy  calicut", "SG Calicut")
EDITS: tuple[Lead, ...] = (
    {"callStatus": "Connected", "leadStatus": "Confirmed"},
    {"remarks": "comes on Friday", "followUpFlag": True},
    {"assignedTo": "65f000000000000000000001", "callStatus": "Busy"},
    {"rating": 4},
    {"followUpDate": MOMENT + timedelta(days=30), "callDate": MOMENT + timedelta(days=2)},
)


@dataclass
class CopySet:
    """Copies of one lead."""

    copies: list[Lead] = field(default_factory=list)

    edits: dict[str, Lead] = field(default_factory=dict)
    """Edited fields, by the copy's id."""

    kept: set[str] = field(default_factory=set)
    """The copies that may be kept; empty: a conflict."""


def object_id(rng: random.Random, moment: datetime) -> str:
    """An ObjectId as MongoDB would have created it then."""
    return f"{int(moment.timestamp()):08x}{rng.getrandbits(64):016x}"


def copy_sets(count: int, seed: int = 1) -> Iterator[CopySet]:
    """Sets of 2 to 4 copies of bookings, returns, bookings without a number and walk-ins. In a third of
    them one copy was edited, in a third none, in a third two: with the same edits, with more in one, or
    with different ones."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    for number in range(count):
        made = CopySet()
        moment = MOMENT + timedelta(minutes=number)
        for copy in range(rng.randint(2, 4)):
            made.copies.append(
                {
                    **_original(number),
                    "_id": object_id(rng, moment + timedelta(seconds=copy)),
                    "store": rng.choice(STORES) if number % 3 else STORES[0],
                }
            )
        rng.shuffle(made.copies)
        _work_on(made, number, rng)
        yield made


def _original(number: int) -> Lead:
    kinds: tuple[Lead, ...] = (
        {},
        {"leadType": "return", "source": "Return"},
        {"bookingNo": ""},
        {"bookingNo": "", "leadType": "general", "source": "Walk-in"},
    )
    original = lead(number, **kinds[number % 4])
    return {name: value for name, value in original.items() if name != "bookingNo" or value}


def _work_on(made: CopySet, number: int, rng: random.Random) -> None:
    ids = [copy["_id"] for copy in made.copies]
    edit = EDITS[number % len(EDITS)]
    more = {**edit, "closingStatus": "Booked"}
    one, other = rng.sample(ids, 2)
    match number % 6:
        case 0 | 3:
            made.edits = {one: edit}
            made.kept = {one}
        case 1 | 4:
            canonical = [copy["_id"] for copy in made.copies if copy["store"] == STORES[0]]
            made.kept = {min(canonical or ids)}
        case 2:
            made.edits = {one: edit, other: edit if number % 4 else more}
            made.kept = {one, other} if number % 4 else {other}
        case 5:
            made.edits = {one: {"leadStatus": "Hot"}, other: {"leadStatus": "Cold", **edit}}
    for copy in made.copies:
        if copy["_id"] in made.edits:
            days = rng.randint(1, 60)
            copy |= {**made.edits[copy["_id"]], "updatedAt": copy["createdAt"] + timedelta(days=days)}


def duplicates_among(leads: Iterable[Document], locations: Locations) -> DuplicateSets:
    """The sets of duplicates among leads, each with `_id` and KEY_FIELDS."""
    finder = DuplicateFinder(locations)
    for each in leads:
        finder.add(each)
    return finder.found()
