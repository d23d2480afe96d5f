"""A row of a report made into a lead's values, field by field."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.domain.lead_values import LeadValues
from syncctl.domain.sources import StepName
from syncctl.errors import InvalidRowError
from syncctl.mapping.api_rows import NAME, PHONE, RowDates, is_of_report
from syncctl.mapping.api_rows import report_values as values_of_row

STORE = "Suitor Guy - Perinthalmanna"
ROW: dict[str, Any] = {
    "bookingNo": "2025020100700001",
    "customerName": " Anagha K ",
    "phoneNo": "+91 90487 80011",
    "bookingDate": "2025-02-01T08:59:27",
    "deliveryDate": "2025-02-14T00:00:00",
    "trialDate": "2025-02-13T00:00:00",
    "expectedReturnDate": "2025-02-17T00:00:00",
    "remarks": "Anju:36\n30-06-2024",
    "returnDate": "2025-02-18T12:30:00",
    "price": 1500.5,
    "bookingBy": "Staff A",
    "itemCode": "ZR04B047",
    "itemName": "ZR04B047 GOWN",
    "measurement": "0",
    "category": "GARMENT B2",
    "subCategory": "GOWN",
    "location": "PMNA",
    "returnAttendedBy": "Staff B",
    "rentOutDate": None,
}


KOLKATA = ZoneInfo("Asia/Kolkata")


def report_values(report: StepName, row: object, store: str | None) -> LeadValues | None:
    return values_of_row(report, row, store, RowDates(KOLKATA))


def test_a_booking_row_field_by_field() -> None:
    assert report_values(StepName.BOOKING, ROW, STORE) == {
        "leadType": "bookingConfirmation",
        "source": "Booking",
        "name": "Anagha K",
        "phone": "9048780011",
        "store": STORE,
        "bookingNo": "2025020100700001",
        "functionDate": datetime(2025, 2, 14, tzinfo=UTC),
        "enquiryType": "GARMENT B2",
        "remarks": "Anju:36\n30-06-2024",
        "securityAmount": 1500.5,
        "createdAt": datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC),
    }


def test_a_return_row_field_by_field() -> None:
    assert report_values(StepName.RETURN, ROW, STORE) == {
        "leadType": "return",
        "source": "Return",
        "name": "Anagha K",
        "phone": "9048780011",
        "store": STORE,
        "bookingNo": "2025020100700001",
        "functionDate": datetime(2025, 2, 14, tzinfo=UTC),
        "enquiryType": "GARMENT B2",
        "remarks": "Anju:36\n30-06-2024",
        "returnDate": datetime(2025, 2, 18, 12, 30, tzinfo=UTC),
        "createdAt": datetime(2025, 2, 18, 12, 30, tzinfo=UTC),
        "attendedBy": "Staff A",
    }


@pytest.mark.parametrize("return_date", [None, "", "  ", "0001-01-01T00:00:00", "1900-01-01T00:00:00Z"])
def test_what_is_not_returned_yet_is_no_return(return_date: str | None) -> None:
    assert report_values(StepName.RETURN, {**ROW, "returnDate": return_date, "phoneNo": None}, STORE) is None


@pytest.mark.parametrize("bad", [{}, {"customerName": None, "phoneNo": "1"}, {"bookingNo": "9" * 20_000}])
@pytest.mark.parametrize(
    "booked",
    [
        {},
        {"bookingDate": None},
        {"bookingDate": "", "booking_date": "  "},
        {"bookingDate": "0001-01-01T00:00:00", "BookingDate": "1900-01-01 00:00:00Z"},
    ],
)
def test_a_row_without_a_booking_date_is_no_booking_whatever_else_is_wrong_with_it(
    booked: dict[str, Any], bad: dict[str, Any]
) -> None:
    row = {field: value for field, value in ROW.items() if field != "bookingDate"}
    assert report_values(StepName.BOOKING, {**row, **booked, **bad}, STORE) is None
    assert not is_of_report(StepName.BOOKING, {**row, **booked, **bad})
    assert report_values(StepName.BOOKING, {**row, **booked}, None) is None


@pytest.mark.parametrize("booked", ["31-02-2025", "0025-02-01T10:00:00", ["2025-02-01"], True, "x" * 20_000])
def test_a_booking_date_that_cannot_be_read_is_not_absent(booked: object) -> None:
    values = report_values(StepName.BOOKING, {**ROW, "bookingDate": booked}, STORE)
    assert values is not None
    assert "createdAt" not in values
    assert is_of_report(StepName.BOOKING, {**ROW, "bookingDate": booked})
    later = report_values(
        StepName.BOOKING, {**ROW, "bookingDate": booked, "BookingDate": "2025-02-01"}, STORE
    )
    assert later is not None
    assert later["createdAt"] == datetime(2025, 2, 1, tzinfo=UTC)


def test_the_booking_date_of_the_first_field_that_has_one_counts() -> None:
    row = {**ROW, "bookingDate": "1900-01-01T00:00:00", "BookingDate": "2025-02-01T08:00:00"}
    values = report_values(StepName.BOOKING, row, STORE)
    assert values is not None
    assert values["createdAt"] == datetime(2025, 2, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("free", [0, 0.0, "0", "0.00", None, "", "free", "-0"])
def test_a_price_of_nothing_is_empty(free: object) -> None:
    values = report_values(StepName.BOOKING, {**ROW, "price": free}, STORE)
    assert values is not None
    assert "securityAmount" not in values
    values = report_values(StepName.BOOKING, {**ROW, "price": free, "security": 0, "deposit": "500"}, STORE)
    assert values is not None
    assert values["securityAmount"] == 500


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"customerName": "  "}, "no customer name"),
        ({"customerName": None}, "no customer name"),
        ({"customerName": {"first": "A"}}, "no customer name"),
        ({"phoneNo": None}, "no phone number"),
        ({"phoneNo": "12345"}, "too few digits"),
        ({"bookingNo": "9" * 20_000}, "longer than"),
    ],
)
def test_an_invalid_row_tells_its_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRowError, match=reason):
        report_values(StepName.BOOKING, {**ROW, **change}, STORE)


@pytest.mark.parametrize("returned", ["31-02-2025", "0025-02-01T10:00:00", True, ["2025-02-01"]])
def test_whether_it_was_returned_must_be_told(returned: object) -> None:
    with pytest.raises(InvalidRowError, match="returnDate can't be read as a date"):
        report_values(StepName.RETURN, {**ROW, "returnDate": returned}, STORE)


def test_a_row_without_a_store_is_invalid() -> None:
    with pytest.raises(InvalidRowError, match="no store"):
        report_values(StepName.BOOKING, ROW, None)


@pytest.mark.parametrize("row", [None, "text", 3, ["list"]])
def test_a_row_that_is_no_record_is_invalid(row: object) -> None:
    with pytest.raises(InvalidRowError, match="isn't a record"):
        report_values(StepName.BOOKING, row, STORE)


@pytest.mark.parametrize("alias", NAME)
def test_every_alias_of_the_name_is_understood(alias: str) -> None:
    row = {**ROW, "customerName": " "} | {alias: "Rahul"}
    values = report_values(StepName.BOOKING, row, STORE)
    assert values is not None
    assert values["name"] == "Rahul"


@pytest.mark.parametrize("alias", PHONE)
def test_every_alias_of_the_phone_is_understood(alias: str) -> None:
    row = {**ROW, "phoneNo": None} | {alias: 9000000001}
    values = report_values(StepName.BOOKING, row, STORE)
    assert values is not None
    assert values["phone"] == "9000000001"


def test_an_optional_date_that_is_none_gives_way_to_the_next() -> None:
    row = {**ROW, "functionDate": "0001-01-01T00:00:00", "eventDate": "soon"}
    values = report_values(StepName.BOOKING, row, STORE)
    assert values is not None
    assert values["functionDate"] == datetime(2025, 2, 14, tzinfo=UTC)


def test_a_remark_that_is_too_long_is_cut_and_the_customer_kept() -> None:
    values = report_values(StepName.BOOKING, {**ROW, "remarks": "x" * 20_000}, STORE)
    assert values is not None
    assert values["remarks"] == "x" * 10_000


def test_absent_values_are_left_out() -> None:
    row = {"customerName": "A", "phoneNo": "9000000001", "bookingDate": "2025-02-01T08:59:27"}
    assert report_values(StepName.BOOKING, row, STORE) == {
        "leadType": "bookingConfirmation",
        "source": "Booking",
        "name": "A",
        "phone": "9000000001",
        "store": STORE,
        "createdAt": datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC),
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    report=st.sampled_from([StepName.BOOKING, StepName.RETURN]),
    row=st.dictionaries(st.sampled_from([*ROW, *NAME, *PHONE, "$where", "a.b"]), JSON) | JSON,
)
@settings(max_examples=40)
def test_any_row_is_mapped_ignored_or_invalid(report: StepName, row: object) -> None:
    try:
        values = report_values(report, row, STORE)
    except InvalidRowError:
        return
    if values is not None:
        assert set(values) <= set(LeadValues.__annotations__)
        assert values["name"]
        assert len(values["phone"]) == 10
