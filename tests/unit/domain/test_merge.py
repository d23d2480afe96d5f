"""The three-way merge: the file's news reaches unedited fields, a telecaller's edit stays."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.merge import merge, next_base
from tests.support.store_files import NAMES_WRITTEN_TWICE

DAY = datetime(2025, 2, 1, tzinfo=UTC)
TOLD = frozenset({"remarks", "reason", "functionDate", "name"})
UNTOUCHED = {
    "_id": "a" * 24,
    "createdAt": DAY,
    "updatedAt": DAY,
    "callStatus": "Not Called",
    "leadStatus": "No Status",
}


@pytest.mark.parametrize(
    ("was", "ours", "theirs", "becomes", "conflict"),
    [
        ("a", "a", "a", "a", False),
        ("a", "a", "edited", "edited", False),
        ("a", "b", "a", "b", False),
        ("a", "b", "edited", "edited", True),
        ("a", "b", "b", "b", False),
        (None, "b", None, "b", False),
        (None, "b", "", "b", False),
        (None, "b", "edited", "edited", True),
        ("a", None, "a", "", False),
        ("a", "", "edited", "edited", True),
        ("a", "a", None, None, False),
        ("a", "b", None, None, True),
    ],
)
def test_each_way_that_three_values_can_stand(
    was: str | None, ours: str | None, theirs: str | None, becomes: str | None, conflict: bool
) -> None:
    lead = {**UNTOUCHED, "updatedAt": datetime(2025, 3, 1, tzinfo=UTC)}
    base = {} if was is None else {"remarks": was}
    source = {} if ours is None else {"remarks": ours}
    if theirs is not None:
        lead["remarks"] = theirs
    merged = merge(base, source, TOLD, lead)
    assert {**lead, **merged.values}.get("remarks") == becomes
    assert merged.conflicts == (("remarks",) if conflict else ())


@pytest.mark.parametrize(("one", "other"), NAMES_WRITTEN_TWICE)
def test_a_text_in_other_code_points_is_no_news_and_no_conflict(one: str, other: str) -> None:
    for base, lead in ((one, one), (one, "Edited"), (None, one)):
        was = None if base is None else {"name": base}
        assert merge(was, {"name": other}, {"name"}, {**UNTOUCHED, "name": lead}).values == {}
    assert merge({"name": "Else"}, {"name": other}, {"name"}, {**UNTOUCHED, "name": one}).conflicts == ()
    assert merge({"name": ""}, {"name": other}, {"name"}, dict(UNTOUCHED)).values == {"name": other}


def test_an_emptied_field_is_taken_away_and_remarks_become_empty() -> None:
    lead = {**UNTOUCHED, "remarks": "a", "reason": "b"}
    merged = merge({"remarks": "a", "reason": "b"}, {}, TOLD, lead)
    assert merged.values == {"remarks": "", "reason": None}


def test_a_field_that_the_file_does_not_speak_of_is_left_alone() -> None:
    lead = {**UNTOUCHED, "remarks": "a", "reason": "b"}
    assert merge({"remarks": "a", "reason": "b"}, {"remarks": "a"}, {"remarks"}, lead).values == {}
    assert next_base({"remarks": "a", "reason": "b"}, {"remarks": "c"}, {"remarks"}) == {
        "remarks": "c",
        "reason": "b",
    }
    assert next_base({"remarks": "a", "reason": "b"}, {}, {"remarks"}) == {"reason": "b"}


def test_without_a_base_an_untouched_lead_takes_the_files_values() -> None:
    lead = {**UNTOUCHED, "remarks": "old", "reason": "kept"}
    assert merge(None, {"remarks": "new", "name": "A"}, TOLD, lead).values == {"remarks": "new", "name": "A"}


def test_without_a_base_a_touched_lead_only_has_its_gaps_filled() -> None:
    lead = {**UNTOUCHED, "callStatus": "Connected", "remarks": "mine"}
    merged = merge(None, {"remarks": "new", "functionDate": DAY}, TOLD, lead)
    assert merged.values == {"functionDate": DAY}
    assert merged.conflicts == ()


def test_the_write_is_guarded_by_what_was_read() -> None:
    lead = {**UNTOUCHED, "remarks": "a"}
    later = datetime(2025, 3, 1, tzinfo=UTC)
    change = merge({"remarks": "a"}, {"remarks": "b", "name": "N"}, TOLD, lead).guarded_change(lead, later)
    assert change.lead_id == lead["_id"]
    assert change.expected == {"remarks": "a", "name": None, "updatedAt": DAY}
    assert change.values == {"remarks": "b", "name": "N", "updatedAt": later}


VALUES = st.dictionaries(st.sampled_from(sorted(TOLD)), st.sampled_from(["", "a", "b", "c"]))


@given(base=VALUES, source=VALUES, edits=VALUES)
def test_a_merge_done_twice_changes_nothing_more(
    base: dict[str, Any], source: dict[str, Any], edits: dict[str, Any]
) -> None:
    lead = {**UNTOUCHED, **base, **edits}
    merged = merge(base, source, TOLD, lead)
    for field in TOLD:
        edited = (lead.get(field) or None) != (base.get(field) or None)
        if edited:
            assert field not in merged.values
    after = {**lead, **merged.values}
    again = merge(next_base(base, source, TOLD), source, TOLD, after)
    assert again.values == {}
    assert again.conflicts == ()
