from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain import import_notes
from syncctl.domain.import_notes import Change, in_notes, lead_digest, same_value
from syncctl.domain.sources import LeadType

MOMENT = datetime(2025, 10, 9, 4, 30, 0, 123456, UTC)
LEAD = {"_id": "a1", "leadType": "general", "name": "Renée K", "createdAt": MOMENT, "__v": 0, "flag": False}


class DriversNumber(int):
    """As bson.Int64."""

    def __repr__(self) -> str:
        return f"Int64({int(self)})"


def test_a_digest_is_what_notes_of_earlier_imports_have() -> None:
    assert lead_digest(LEAD) == "68db99fceeae4d15"


@pytest.mark.parametrize(
    "same",
    [
        dict(reversed(LEAD.items())),
        {**LEAD, "assignedTo": None},
        {**LEAD, "leadType": LeadType.GENERAL},
        {**LEAD, "__v": 0.0},
        {**LEAD, "__v": DriversNumber(0)},
        {**LEAD, "createdAt": MOMENT.replace(microsecond=123000)},
        {**LEAD, "createdAt": MOMENT.replace(tzinfo=None)},
        {**LEAD, "createdAt": MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))},
    ],
)
def test_where_a_lead_is_stored_does_not_change_its_digest(same: dict[str, Any]) -> None:
    assert lead_digest(same) == lead_digest(LEAD)


values = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.datetimes(timezones=st.just(UTC))
)
leads = st.dictionaries(st.text(max_size=3), values, max_size=4)


@given(leads, leads)
def test_a_digest_changes_with_any_field(one: dict[str, Any], other: dict[str, Any]) -> None:
    names = one.keys() | other.keys()
    is_same = all(same_value(one.get(name), other.get(name)) for name in names)
    assert (lead_digest(one) == lead_digest(other)) == is_same


@pytest.fixture(scope="module")
def small_notes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(import_notes, "MOST_CHANGES", 3)
        patched.setattr(import_notes, "MOST_CHARACTERS", 200)
        yield


@pytest.mark.usefixtures("small_notes")
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 150))))
def test_changes_are_noted_together_in_their_order(sizes: list[tuple[str, int]]) -> None:
    changes = [(item, Change({}, {"remarks": "x" * size})) for item, size in sizes]
    notes = list(in_notes(changes))
    assert [change for note in notes for change in note.items()] == changes
    for note in notes:
        assert len(note) == 1 or sum(len(repr(change)) for change in note.values()) <= 200
        assert 0 < len(note) <= 3
    for note, following in pairwise(notes):  # no note could have been longer
        item, change = next(iter(following.items()))
        characters = sum(len(repr(each)) for each in (*note.values(), change))
        assert len(note) == 3 or item in note or characters > 200
