"""Which shops an answer holds, whatever id was asked for, and whose each row is."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from syncctl.sandbox import Fault, Sandbox
from tests.unit.sandbox.client import ask, report
from tests.unit.sandbox.conftest import TODAY

NO_DATA = {"dataSet": None, "status": False, "errorDescription": "No data found"}
every_report = pytest.mark.parametrize("api", ["booking", "return"])


def shops(sandbox: Sandbox) -> list[str]:
    """The shops' names by the store list, one for each code."""
    return [row["locName"] for row in sandbox.rows("stores")]


def of_all_shops(sandbox: Sandbox, api: str) -> list[Any]:
    """Every row, with the name of the shop under whose code it is."""
    return [
        {**row, "location": name}
        for code, name in zip(sandbox.locations, shops(sandbox), strict=True)
        for row in sandbox.rows(api, code)
    ]


def several(dialect: str) -> Sandbox:
    return Sandbox(locations=4, bookings=100, today=TODAY, dialect=dialect)


@every_report
def test_where_ids_are_honoured_an_empty_one_has_nothing(sandbox: Sandbox, api: str) -> None:
    assert report(sandbox, api, "").document == NO_DATA
    assert sandbox.requests[-1].location == ""


@every_report
def test_only_an_empty_id_may_be_answered(api: str) -> None:
    with several("empty-id-only") as sandbox:
        for code in (*sandbox.locations, "999"):
            assert report(sandbox, api, code).document == NO_DATA
        assert report(sandbox, api, "").rows == of_all_shops(sandbox, api)


@every_report
def test_the_id_may_be_ignored(api: str) -> None:
    with several("id-ignored") as sandbox:
        for code in (*sandbox.locations, "999", ""):
            assert report(sandbox, api, code).rows == of_all_shops(sandbox, api)


@pytest.mark.parametrize(("dialect", "code"), [("empty-id-only", ""), ("id-ignored", "7")])
def test_each_row_of_several_shops_names_its_own(dialect: str, code: str) -> None:
    with several(dialect) as sandbox:
        counts = Counter(row["location"] for row in report(sandbox, "booking", code).rows)
        assert counts == dict.fromkeys(shops(sandbox), 176)


def test_windows_are_honoured_of_all_shops_too() -> None:
    with several("delivery-date+id-ignored") as sandbox:
        day = TODAY - timedelta(days=40)
        rows = report(sandbox, "booking", window=(day, day + timedelta(days=20))).rows
        assert len({row["location"] for row in rows}) == 4
        assert len(rows) < len(sandbox.rows("booking")) / 2


def test_what_changes_in_one_shop_changes_in_the_answer_of_all() -> None:
    with several("id-ignored") as sandbox:
        before = report(sandbox, "booking").rows
        raw = {"bookingNo": "4711", "location": "SG.Nowhere"}
        sandbox.add_rows(sandbox.locations[-1], [raw])
        assert report(sandbox, "booking").rows == [*before, raw]
        added = sandbox.add_bookings(1)
        assert [row for row in report(sandbox, "booking").rows if row in added] == added
        sandbox.change_booking(added[0]["bookingNo"], customerName="Someone Else")
        assert "Someone Else" in {row.get("customerName") for row in report(sandbox, "booking").rows}
        sandbox.remove_booking(added[0]["bookingNo"])
        assert report(sandbox, "booking").rows == [*before, raw]


def test_faults_strike_by_the_id_that_was_asked_for() -> None:
    with several("id-ignored") as sandbox:
        sandbox.set_faults(Fault("503", location="144"), Fault("envelopes", location="7"))
        assert [report(sandbox, "booking", code).status for code in ("144", "701")] == [503, 200]
        assert report(sandbox, "booking", "7").document == {"dataSet": of_all_shops(sandbox, "booking")}


def test_no_location_at_all() -> None:
    with Sandbox(locations=0, today=TODAY, dialect="id-ignored") as sandbox:
        assert report(sandbox, "booking").document == NO_DATA
        assert ask(sandbox, "GET", "/api/Location/LocationList").document == NO_DATA
