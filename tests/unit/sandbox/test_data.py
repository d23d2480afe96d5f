"""The made-up data: the same for the same seed, of the promised size, with everything odd in it."""

from collections import Counter
from datetime import date, datetime, time
from typing import Any

import pytest

from syncctl.sandbox import Sandbox
from syncctl.sandbox.dialects import LedgerQuery
from syncctl.sandbox.ledger import Ledger
from tests.unit.sandbox.conftest import TODAY


@pytest.fixture(scope="module")
def full() -> Sandbox:
    return Sandbox(today=TODAY)


@pytest.fixture(scope="module")
def booking_rows(full: Sandbox) -> list[dict[str, Any]]:
    return full.rows("booking")


def first_of(row: dict[str, Any], *names: str) -> Any:
    return next((row[name] for name in names if name in row), None)


def number_of(row: dict[str, Any]) -> Any:
    return first_of(row, "bookingNo", "bookingNumber", "BookingNo")


def phone_of(row: dict[str, Any]) -> Any:
    return first_of(row, "phoneNo", "mobile", "Contact")


def name_of(row: dict[str, Any]) -> Any:
    return first_of(row, "customerName", "name", "CustomerName")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_default_size_has_352_item_rows_a_location(seed: int) -> None:
    sandbox = Sandbox(seed=seed, today=TODAY)
    assert len(sandbox.locations) == 21
    assert [len(sandbox.rows("booking", code)) for code in sandbox.locations] == [352] * 21
    assert len(sandbox.rows("return")) == 7392


def test_the_same_seed_gives_the_same_data_whatever_is_looked_at_first() -> None:
    one, other = (Sandbox(seed=5, locations=7, today=TODAY) for _ in range(2))
    other.rows("booking", "709")
    assert one.rows("booking") == other.rows("booking")
    assert one.add_bookings(30) == other.add_bookings(30)
    assert Sandbox(seed=6, locations=7, today=TODAY).rows("booking") != one.rows("booking")


def test_the_data_is_pinned() -> None:
    row = Sandbox(seed=1, today=TODAY).rows("booking", "7")[0]
    assert row["bookingNo"] == "2024040200700001"
    assert set(row) == {
        *("bookingNo", "customerName", "phoneNo", "bookingDate", "deliveryDate", "trialDate"),
        *("expectedReturnDate", "remarks", "returnDate", "price", "bookingBy", "itemCode", "itemName"),
        *("measurement", "category", "subCategory", "location", "returnAttendedBy", "rentOutDate"),
    }


def test_a_booking_number_belongs_to_one_booking_of_one_location(full: Sandbox) -> None:
    owners: dict[str, set[tuple[str, Any]]] = {}
    for code in full.locations:
        for row in full.rows("booking", code):
            if number := number_of(row):
                assert number.isdecimal()
                owners.setdefault(number, set()).add((code, phone_of(row)))
    assert {len(of_one) for of_one in owners.values()} == {1}
    assert len(owners) == 21 * 200 - 21 * 4


def test_about_seventy_percent_are_returned_after_delivery_and_not_after_today(
    full: Sandbox, booking_rows: list[dict[str, Any]]
) -> None:
    returned = 0
    for row in booking_rows:
        back = first_of(row, "returnDate", "return_date", "ReturnDate")
        if back is not None:
            returned += 1
            assert first_of(row, "deliveryDate", "functionDate", "eventDate")[:10] < back[:10] <= str(TODAY)
    assert 0.65 < returned / len(booking_rows) < 0.75


def test_bookings_lie_in_the_last_twelve_months(booking_rows: list[dict[str, Any]]) -> None:
    days = sorted(first_of(row, "bookingDate", "booking_date", "BookingDate")[:10] for row in booking_rows)
    assert str(date(2024, 4, 1)) == days[0]
    assert days[-1] == str(TODAY)


def test_every_oddity_of_the_contract_occurs(booking_rows: list[dict[str, Any]]) -> None:
    names, phones = [name_of(row) for row in booking_rows], [phone_of(row) for row in booking_rows]
    assert None in names
    assert any(name is not None and not name.strip() for name in names)
    assert any(name and name.strip() and name != name.strip() for name in names)
    assert None in phones
    digits = {len("".join(filter(str.isdecimal, phone))) for phone in phones if phone}
    assert digits == {5, 9, 10, 11, 12}
    assert {None, ""} <= {number_of(row) for row in booking_rows}
    assert any("price" not in row and "bookingNo" in row for row in booking_rows)
    assert {"mobile", "Contact"} <= {name for row in booking_rows for name in row}
    remarks = [row["remarks"] for row in booking_rows if "remarks" in row]
    assert any(text and "\n" in text for text in remarks)
    assert any(text and not text.isascii() for text in remarks)
    assert None in remarks


def test_some_customers_come_back_with_a_new_booking(full: Sandbox) -> None:
    bookings = {(number_of(r), name_of(r), phone_of(r)) for r in full.rows("booking", "7") if number_of(r)}
    customers = Counter((name, phone) for _, name, phone in bookings if name and phone and len(phone) > 5)
    assert sum(count > 1 for count in customers.values()) >= 5


def test_two_codes_are_one_shop_with_bookings_of_their_own(full: Sandbox) -> None:
    names = {str(row["locCode"]): row["locName"] for row in full.rows("stores")}
    assert (names["7"], names["709"]) == ("SG.Perinthalmanna", "PMNA")
    assert {number_of(row) for row in full.rows("booking", "7")}.isdisjoint(
        {number for row in full.rows("booking", "709") if (number := number_of(row))} - {None, ""}
    )


def test_store_codes_are_numbers_and_strings_and_the_states_vary(full: Sandbox) -> None:
    rows = full.rows("stores")
    assert {type(row["locCode"]) for row in rows} == {int, str}
    assert {repr(row["status"]) for row in rows} == {"1", "'1'", "0", "None"}


def test_more_locations_than_there_are_names_for() -> None:
    sandbox = Sandbox(locations=23, bookings=1, today=TODAY)
    assert sandbox.locations[21:] == ["1000", "1001"]
    assert sandbox.rows("stores")[22]["locName"] == "SG.Place 2"
    assert sandbox.rows("booking", "1001")[0]["bookingNo"].endswith("100100001")


def test_no_location_and_no_booking_at_all() -> None:
    empty = Sandbox(locations=0, today=TODAY)
    assert (empty.rows("stores"), empty.add_bookings(3)) == ([], [])
    assert Sandbox(bookings=0, today=TODAY).rows("booking") == []


def test_with_a_clock_nothing_has_happened_later_today_and_the_past_stays_the_same() -> None:
    def ledger(hour: int) -> Ledger:
        now = datetime.combine(TODAY, time(hour, 50))
        return Ledger(seed=1, locations=2, bookings=400, today=TODAY, now=lambda: now)

    early, late = ledger(1), ledger(23)
    assert early.rows(LedgerQuery("booking")) == late.rows(LedgerQuery("booking"))
    early.return_booking(early.add_bookings(3)[-1]["bookingNo"], None)
    dates = [row["bookingDate"] for row in early.rows(LedgerQuery("booking")) if "bookingDate" in row]
    dates += [row["returnDate"] for row in early.rows(LedgerQuery("return")) if row.get("returnDate")]
    assert max(dates) == f"{TODAY}T01:50:00"
