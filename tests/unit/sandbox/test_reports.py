"""What a healthy sandbox answers: shapes, windows, changes."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from syncctl.sandbox import Sandbox
from tests.unit.sandbox.client import (
    BODY,
    HEADERS,
    REPORTS,
    RETURN_BODY,
    STORE_LIST,
    ask,
    ask_over,
    connected,
    report,
)
from tests.unit.sandbox.conftest import TODAY

NO_DATA = {"dataSet": None, "status": False, "errorDescription": "No data found"}


def dated(rows: list[Any], *names: str) -> set[str]:
    return {row[name][:10] for row in rows for name in names if row.get(name)}


def sound(sandbox: Sandbox, location: str = "7") -> list[Any]:
    """Rows of bookings that have a number and the usual field names."""
    return [row for row in sandbox.rows("booking", location) if row.get("bookingNo")]


def test_json_is_served_as_text_without_a_charset_in_utf8(sandbox: Sandbox) -> None:
    reply = report(sandbox, "booking")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/plain"
    assert "₹".encode() in reply.body
    assert reply.document == {
        "dataSet": {"data": sandbox.rows("booking", "7")},
        "status": True,
        "errorDescription": None,
    }


def test_the_store_list(sandbox: Sandbox) -> None:
    reply = ask(sandbox, "GET", STORE_LIST, headers={})
    assert reply.rows == sandbox.rows("stores")
    assert reply.rows[0]["locCode"] == "7"


@pytest.mark.parametrize("api", ["booking", "return"])
def test_the_oracle_is_what_a_first_sync_gets(sandbox: Sandbox, api: str) -> None:
    got = [row for code in sandbox.locations for row in report(sandbox, api, code).rows]
    assert got == sandbox.rows(api)
    assert len(got) == 21 * 176


def test_an_unknown_location_and_an_empty_window_are_no_data(sandbox: Sandbox) -> None:
    future = (TODAY + timedelta(days=1), TODAY + timedelta(days=9))
    for reply in (report(sandbox, "booking", "999"), report(sandbox, "return", window=future)):
        assert (reply.status, reply.document) == (200, NO_DATA)


def test_the_booking_window_is_inclusive_at_both_ends(sandbox: Sandbox) -> None:
    days = sorted(dated(sandbox.rows("booking", "7"), "bookingDate", "booking_date", "BookingDate"))
    first, last = (date.fromisoformat(day) for day in (days[10], days[20]))
    rows = report(sandbox, "booking", window=(first, last)).rows
    assert sorted(dated(rows, "bookingDate", "booking_date", "BookingDate")) == days[10:21]
    one_day = report(sandbox, "booking", window=(first, first)).rows
    assert dated(one_day, "bookingDate", "booking_date", "BookingDate") == {days[10]}


def test_the_return_report_has_returns_of_the_window_and_open_bookings_of_the_window(
    sandbox: Sandbox,
) -> None:
    first, last = date(2025, 1, 10), date(2025, 2, 10)
    expected = []
    for row in sandbox.rows("return", "7"):
        booked = row.get("bookingDate") or row.get("booking_date") or row.get("BookingDate")
        returned = row.get("returnDate") or row.get("return_date") or row.get("ReturnDate")
        if str(first) <= (returned or booked)[:10] <= str(last):
            expected.append(row)
    assert any(row.get("returnDate") for row in expected)
    assert any("returnDate" in row and row["returnDate"] is None for row in expected)
    assert report(sandbox, "return", window=(first, last)).rows == expected


@pytest.mark.parametrize(
    ("months", "first"), [("1", "2025-02-28"), ("12", "2024-03-31"), ("13", "2024-02-29")]
)
def test_months_count_back_to_the_same_day_of_the_month(sandbox: Sandbox, months: str, first: str) -> None:
    number = sound(sandbox)[0]["bookingNo"]
    day_before = date.fromisoformat(first) - timedelta(days=1)
    for day, seen in ((date.fromisoformat(first), True), (day_before, False)):
        sandbox.change_booking(number, bookingDate=day)
        reply = ask(sandbox, "POST", REPORTS["booking"], {**BODY, "months": months})
        assert (number in {row.get("bookingNo") for row in reply.rows}) is seen


def test_new_bookings_are_sound_and_appear_in_both_reports_at_once(sandbox: Sandbox) -> None:
    before = len(report(sandbox, "booking").rows)
    added = sandbox.add_bookings(22) + sandbox.add_bookings(21)
    assert len({row["bookingNo"] for row in added}) == 43
    assert dated(added, "bookingDate") == {str(TODAY)}
    assert all(row["customerName"].strip() and row["returnDate"] is None for row in added)
    of_seven = [row for row in added if row["bookingNo"][8:11] == "007"]
    # 43 bookings, dealt out over 21 locations from the first on.
    assert len({row["bookingNo"] for row in of_seven}) == 3
    assert report(sandbox, "booking").rows[before:] == of_seven
    assert report(sandbox, "return", window=(TODAY, TODAY)).rows[-len(of_seven) :] == of_seven


def test_a_booking_entered_today_may_be_dated_otherwise(sandbox: Sandbox) -> None:
    weeks_ago = TODAY - timedelta(days=24)
    before = report(sandbox, "booking", window=(weeks_ago, weeks_ago)).document
    added = sandbox.add_bookings(21, on=weeks_ago)
    assert dated(added, "bookingDate") == {str(weeks_ago)}
    assert {row["bookingNo"][:8] for row in added} == {f"{TODAY:%Y%m%d}"}
    assert all(row["returnDate"] is None for row in added)
    of_seven = [row for row in added if row["bookingNo"][8:11] == "007"]
    for api in ("booking", "return"):
        assert report(sandbox, api).rows[-len(of_seven) :] == of_seven
        assert report(sandbox, api, window=(weeks_ago, weeks_ago)).rows[-len(of_seven) :] == of_seven
    assert report(sandbox, "booking", window=(weeks_ago, weeks_ago)).document != before
    today = report(sandbox, "booking", window=(TODAY, TODAY)).document["dataSet"] or {"data": []}
    assert not [row for row in today["data"] if row in of_seven]


def test_a_return_entered_today_may_be_dated_weeks_ago(sandbox: Sandbox) -> None:
    weeks_ago = datetime(2025, 3, 3, 18, 5)  # noqa: DTZ001 - wall clock
    (number,) = {row["bookingNo"] for row in sandbox.add_bookings(1, on=TODAY - timedelta(days=60))}
    window = (weeks_ago.date(), weeks_ago.date())
    assert report(sandbox, "return", window=window).document == NO_DATA
    sandbox.return_booking(number, at=weeks_ago)
    assert {row["bookingNo"] for row in report(sandbox, "return", window=window).rows} == {number}


def test_a_changed_booking_changes_in_all_its_rows(sandbox: Sandbox) -> None:
    counts: dict[str, int] = {}
    for row in sound(sandbox):
        counts[row["bookingNo"]] = counts.get(row["bookingNo"], 0) + 1
    number = next(number for number, count in counts.items() if count == 3)
    report(sandbox, "booking")
    sandbox.change_booking(number, customerName="Someone Else", deliveryDate=date(2025, 6, 1))
    rows = [row for row in report(sandbox, "booking").rows if row.get("bookingNo") == number]
    assert [(row["customerName"], row["deliveryDate"]) for row in rows] == [
        ("Someone Else", "2025-06-01T00:00:00")
    ] * 3


def test_a_return_is_dated_today_at_midday_or_as_told(sandbox: Sandbox) -> None:
    numbers = list(dict.fromkeys(row["bookingNo"] for row in sound(sandbox) if row["returnDate"] is None))
    sandbox.return_booking(numbers[0])
    sandbox.return_booking(numbers[1], at=datetime(2025, 3, 30, 18, 5, 9))  # noqa: DTZ001 - wall clock
    rows = report(sandbox, "return", window=(TODAY - timedelta(days=1), TODAY)).rows
    moments = {row.get("bookingNo"): row.get("returnDate") for row in rows}
    assert moments[numbers[0]] == "2025-03-31T12:30:00"
    assert moments[numbers[1]] == "2025-03-30T18:05:09"


def test_a_removed_booking_is_gone_from_both_reports(sandbox: Sandbox) -> None:
    number = sound(sandbox)[0]["bookingNo"]
    report(sandbox, "booking")
    sandbox.remove_booking(number)
    for api in ("booking", "return"):
        assert number not in {row.get("bookingNo") for row in report(sandbox, api).rows}


def test_raw_rows_are_in_both_reports_of_their_location_whatever_the_window(sandbox: Sandbox) -> None:
    raw: list[object] = [{"bookingNo": 5}, "no row", None, [1]]
    sandbox.add_rows("709", raw)
    future = (TODAY + timedelta(days=1), TODAY + timedelta(days=9))
    assert report(sandbox, "booking", "709", future).rows == raw
    assert report(sandbox, "return", "709", future).rows == raw
    assert report(sandbox, "booking", "7", future).document == NO_DATA


def test_what_is_not_there_cannot_be_changed(sandbox: Sandbox) -> None:
    number = sound(sandbox)[0]["bookingNo"]
    with pytest.raises(LookupError, match="no booking '123'"):
        sandbox.change_booking("123", customerName="X")
    with pytest.raises(LookupError, match="no booking ''"):
        sandbox.remove_booking("")
    with pytest.raises(LookupError, match="no field custName"):
        sandbox.change_booking(number, custName="X")
    with pytest.raises(LookupError, match="no location 999"):
        sandbox.add_rows("999", [])
    with pytest.raises(ValueError, match="none of stores, booking, return"):
        sandbox.rows("rentout")


def test_the_oracle_gives_copies(sandbox: Sandbox) -> None:
    sandbox.add_rows("7", [{"tags": ["a"]}])
    for row in sandbox.rows("booking", "7") + sandbox.rows("stores"):
        row.get("tags", []).append("b")
        row.clear()
    assert sandbox.rows("booking", "7")[-1] == {"tags": ["a"]}
    assert sandbox.rows("booking", "7")[0]["bookingNo"]
    assert ask(sandbox, "GET", STORE_LIST).rows[0]["locName"] == "SG.Perinthalmanna"


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    with connected(sandbox) as connection:
        for _ in range(3):
            assert ask_over(connection, "POST", REPORTS["return"], RETURN_BODY, HEADERS).status == 200
    assert len({request.client_port for request in sandbox.requests}) == 1
