"""What the database knows of the telecallers' work, and what it can't know."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from syncctl.domain.records import Write
from syncctl.services.explain.events import Event, called_on, creation, lead_events
from syncctl.services.explain.names import UserNames

CREATED = datetime(2026, 3, 1, 8, 59, 27, tzinfo=UTC)
LATER = CREATED + timedelta(days=1)


class Users:
    """A survey that knows one user."""

    def user_names(self, user_ids: list[str]) -> dict[str, str]:
        return {user_id: "Made Up" for user_id in user_ids if user_id == "u1"}


def events(written: dict[str, Write] | None = None, **fields: Any) -> list[tuple[datetime, str]]:
    lead = {"_id": "1", "createdAt": CREATED, "updatedAt": CREATED, **fields}
    users = UserNames(Users())  # type: ignore[arg-type]
    return [(event.at, event.what) for event in lead_events(lead, written or {}, users)]


def test_of_an_untouched_lead_there_is_nothing_to_tell() -> None:
    assert events(callStatus="Not Called", leadStatus="No Status", assignedTo=None) == []


def test_an_assignment_is_told_with_the_name_of_the_telecaller() -> None:
    assert events(assignedTo="u1", assignedAt=LATER) == [(LATER, "assigned to Made Up")]
    assert events(assignedTo="gone", assignedAt=LATER) == [(LATER, "assigned to gone")]
    assert events(assignedTo="u1") == []  # nobody knows when


def test_an_edit_is_told_with_the_statuses_that_it_left() -> None:
    assert events(updatedAt=LATER, callStatus="Connected", leadStatus="No Status") == [
        (LATER, "last changed in the web app: Connected")
    ]
    assert events(updatedAt=LATER) == [(LATER, "last changed in the web app")]


def test_a_write_of_syncctls_own_is_no_edit() -> None:
    assert events({"updatedAt": Write(LATER, LATER)}, updatedAt=LATER) == []


@pytest.mark.parametrize("at", [datetime(2026, 3, 2, tzinfo=UTC), None, "soon"])
def test_a_call_of_which_only_the_day_is_known_has_no_moment(at: object) -> None:
    assert events(callDate=at) == []


def test_a_call_is_told() -> None:
    assert events(callDate=LATER) == [(LATER, "called")]
    assert called_on({"callDate": datetime(2026, 3, 2, tzinfo=UTC)}) == "2026-03-02"
    assert called_on({"callDate": LATER}) == ""


def test_when_a_lead_was_typed_in_is_known_only_if_its_id_says_the_same() -> None:
    made = ObjectId.from_datetime(CREATED)
    typed_in = creation({"_id": str(made), "createdAt": CREATED + timedelta(milliseconds=300)})
    assert typed_in == Event(CREATED, "typed in by hand")
    assert creation({"_id": str(made), "createdAt": LATER}) is None  # the old system's, or a derived id
    assert creation({"_id": "x", "createdAt": CREATED}) is None
