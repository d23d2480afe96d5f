"""Whether a report holds a lead, in each of the four shapes."""

from typing import Any

import pytest

from syncctl.finished import FinishedLead
from syncctl.identity import source_record
from syncctl.locations import load_locations
from syncctl.models import LeadValues, SourceRecord

LEAD_ID = "65f000000000000000000001"
PHONE, OTHER_PHONE = "9000000001", "9000000002"
BOOKING, OTHER_BOOKING = "2025020100700001", "2025020100700002"


def record(**changes: str) -> SourceRecord:
    values = LeadValues(
        leadType="bookingConfirmation",
        source="Booking",
        name="Anagha K",
        phone=PHONE,
        store="Zorucci - Edappally",
        bookingNo=BOOKING,
    )
    values.update(changes)  # type: ignore[typeddict-item]
    if not values["bookingNo"]:
        del values["bookingNo"]
    return source_record(values)


def holds(report: dict[str, Any], wanted: SourceRecord) -> bool:
    finished = FinishedLead.from_report(report, load_locations())
    return LEAD_ID in finished.lead_ids or finished.holds(wanted)


SHAPES: list[dict[str, Any]] = [
    {"phone_number": PHONE, "booking_number": BOOKING, "lead_type": "bookingConfirmation"},
    {
        "phone_number": OTHER_PHONE,
        "phone_before": PHONE,
        "phone_after": OTHER_PHONE,
        "booking_number": BOOKING,
    },
    {"phone_number": PHONE, "booking_number": OTHER_BOOKING, "booking_no_before": BOOKING},
    {"phone_number": 9000000001, "booking_number": 2025020100700001},
    {"leadData": {"phone": PHONE, "bookingNo": BOOKING, "leadType": "bookingConfirmation"}},
    {
        "leadData": {
            "phone_number": "+91 90000 00001",
            "booking_number": BOOKING,
            "lead_type": "bookingConfirmation",
        }
    },
    {"leadSnapshot": {"phone": PHONE, "bookingNo": BOOKING, "leadType": "bookingConfirmation", "name": "x"}},
    {"beforeSnapshot": {"phone": PHONE, "bookingNo": BOOKING}, "leadSnapshot": {"phone": OTHER_PHONE}},
    {"phone_number": PHONE, "booking_number": BOOKING, "lead_type": "Booking Confirmation"},
    {"leadSnapshot": {"phone": OTHER_PHONE, "bookingNo": BOOKING, "name": "anagha k"}},
    {"id": LEAD_ID, "phone_number": OTHER_PHONE, "booking_number": OTHER_BOOKING},
    {"leadSnapshot": {"_id": LEAD_ID, "phone": OTHER_PHONE}},
]


@pytest.mark.parametrize("report", SHAPES)
def test_a_finished_lead_is_found_in_every_shape(report: dict[str, Any]) -> None:
    assert holds(report, record())


@pytest.mark.parametrize("report", SHAPES[:10])
def test_a_returning_customers_new_booking_is_not_finished(report: dict[str, Any]) -> None:
    assert not holds(report, record(bookingNo="2026010100700009"))


@pytest.mark.parametrize("report", [SHAPES[0], SHAPES[4], SHAPES[5], SHAPES[6]])
def test_the_lead_type_decides_where_the_report_has_it(report: dict[str, Any]) -> None:
    assert not holds(report, record(leadType="return"))


@pytest.mark.parametrize("report", SHAPES[:9])
def test_another_customer_is_not_finished(report: dict[str, Any]) -> None:
    assert not holds(report, record(phone="9000000003", name="Rahul"))


NAMED: dict[str, Any] = {
    "lead_name": "ANAGHA  k",
    "phone_number": PHONE,
    "lead_type": "bookingConfirmation",
    "store": "Zurocci - EDAPALLY",
}


@pytest.mark.parametrize(
    ("report", "wanted"),
    [
        (NAMED, record(bookingNo="")),
        (NAMED, record()),
        ({**NAMED, "booking_number": BOOKING}, record(bookingNo="")),
        ({**NAMED, "lead_name": "Other", "lead_name_before": "Anagha K"}, record(bookingNo="")),
        (
            {"leadData": {"name": "Anagha K", "phone": PHONE, "store": "Zorucci - Edappally"}},
            record(bookingNo=""),
        ),
    ],
)
def test_without_a_booking_number_name_type_and_store_decide(
    report: dict[str, Any], wanted: SourceRecord
) -> None:
    assert holds(report, wanted)


@pytest.mark.parametrize(
    "change",
    [{"name": "Rahul"}, {"store": "Suitor Guy - Edappally"}, {"leadType": "return"}, {"phone": OTHER_PHONE}],
)
def test_and_each_of_them_must_agree(change: dict[str, str]) -> None:
    assert not holds(NAMED, record(bookingNo="", **change))


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"leadData": None},
        {"leadData": "text"},
        {"phone_number": ["9"], "booking_number": {"$gt": ""}},
        {"id": None},
    ],
)
def test_odd_reports_hold_nothing(report: dict[str, Any]) -> None:
    assert not holds(report, record())


def test_a_report_of_another_records_lead_is_not_about_the_whole_customer() -> None:
    report = FinishedLead.from_report({**NAMED, "id": LEAD_ID}, load_locations())
    assert report.holds(record(bookingNo=""))
    assert not report.holds(record(bookingNo=""), others=frozenset({LEAD_ID}))
