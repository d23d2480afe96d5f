"""What an edit of a lead shows by."""

from datetime import UTC, datetime
from typing import Any

import pytest

from syncctl.domain.leads import is_touched

THEN, LATER = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "lead",
    [
        {},
        {"createdAt": THEN},
        {"createdAt": THEN, "updatedAt": THEN, "callStatus": "Not Called", "leadStatus": "No Status"},
        {"createdAt": THEN, "updatedAt": None, "callStatus": None, "followUpFlag": False, "assignedTo": None},
        {"createdAt": THEN, "updatedAt": THEN, "remarks": "of the source"},
    ],
)
def test_an_untouched_lead(lead: dict[str, Any]) -> None:
    assert not is_touched(lead)


@pytest.mark.parametrize(
    "edit",
    [
        {"updatedAt": LATER},
        {"callStatus": "Connected"},
        {"leadStatus": "Lost"},
        {"assignedTo": "65f0c0ffee65f0c0ffee65f0"},
        {"followUpFlag": True},
        {"followUpDate": LATER},
        {"callDate": LATER},
        {"rating": 4},
    ],
)
def test_a_touched_lead(edit: dict[str, Any]) -> None:
    assert is_touched({"createdAt": THEN, "updatedAt": THEN} | edit)
