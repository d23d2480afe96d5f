"""Who caused a difference between lead and source."""

from datetime import UTC, datetime
from typing import Any

import pytest

from syncctl.locations import load_locations
from syncctl.services.reconcile.results import ChangedBy, LastSeen, differences, is_written_alike

DAY = datetime(2026, 3, 1, tzinfo=UTC)
THEN, NOW, EDITED = (datetime(2026, month, 1, tzinfo=UTC) for month in (4, 5, 6))
LEAD = {"_id": "1", "createdAt": DAY, "updatedAt": DAY}


def found(
    lead: dict[str, Any],
    said: dict[str, Any],
    now: dict[str, Any],
    *more: dict[str, Any],
    has_changed: bool = False,
    touched: bool = False,
) -> list[tuple[str, ChangedBy, bool]]:
    document = {**LEAD, **lead, **({"updatedAt": EDITED} if touched else {})}
    versions = [now, *more]
    return [
        (difference.field, difference.changed_by, difference.is_for_telecallers)
        for difference in differences(versions, LastSeen(said, has_changed), document, load_locations())
    ]


def test_at_a_glance_only_what_is_written_alike_is_alike() -> None:
    lead = {**LEAD, "remarks": "x", "securityAmount": 5, "functionDate": None}
    for said, is_alike in (
        ({"remarks": "x", "securityAmount": 5}, True),
        ({"remarks": "x", "securityAmount": 5.0}, False),
        ({"remarks": "x ", "securityAmount": 5}, False),
        ({"remarks": "x", "securityAmount": 5, "functionDate": ""}, True),
        ({"remarks": "x"}, False),
    ):
        assert is_written_alike({**LEAD, **said}, lead) is is_alike


def test_news_that_no_sync_has_seen_are_the_sources_even_if_the_lead_was_edited() -> None:
    for lead in ({"functionDate": THEN}, {"functionDate": EDITED}, {}):
        assert found(lead, {"functionDate": THEN}, {"functionDate": NOW}, touched=True) == [
            ("functionDate", ChangedBy.SOURCE, True)
        ]


def test_what_the_source_never_changed_is_a_telecallers() -> None:
    same = {"functionDate": THEN, "remarks": "x"}
    assert found({"functionDate": EDITED}, same, same, touched=True) == [
        ("functionDate", ChangedBy.TELECALLER, False),
        ("remarks", ChangedBy.TELECALLER, False),
    ]


@pytest.mark.parametrize(
    ("field", "touched", "expected"),
    [
        ("functionDate", False, (ChangedBy.SOURCE, True)),
        ("functionDate", True, (ChangedBy.EITHER, True)),
        ("remarks", True, (ChangedBy.EITHER, False)),
        ("securityAmount", True, (ChangedBy.SOURCE, True)),
    ],
)
def test_once_a_sync_has_seen_the_change_the_lead_tells(
    field: str, touched: bool, expected: tuple[ChangedBy, bool]
) -> None:
    now: Any = NOW if field == "functionDate" else 5.0 if field == "securityAmount" else "new"
    before: Any = THEN if field == "functionDate" else 4.0 if field == "securityAmount" else "old"
    assert found({field: before}, {field: now}, {field: now}, has_changed=True, touched=touched) == [
        (field, *expected)
    ]


def test_a_field_that_the_source_does_not_speak_of_is_not_its_doing() -> None:
    assert found({"reason": "Price"}, {}, {}, has_changed=True) == [("reason", ChangedBy.TELECALLER, False)]


def test_as_long_as_one_item_row_says_what_the_lead_holds_nothing_differs() -> None:
    said = {"enquiryType": "Suit"}
    assert found(said, said, {"enquiryType": "Sherwani"}, {"enquiryType": "Suit"}) == []


def test_what_means_the_same_is_the_same() -> None:
    lead = {
        "name": "ANAGHA  p",
        "phone": "+91 90000 00001",
        "store": "Suitor Guy - CALICUT",
        "securityAmount": 5.0,
        "remarks": "",
        "bookingNo": 12,
    }
    source = {
        "name": "Anagha P",
        "phone": "9000000001",
        "store": "Suitor Guy - Calicut",
        "securityAmount": 5,
        "bookingNo": "12",
    }
    assert found(lead, source, source) == []
