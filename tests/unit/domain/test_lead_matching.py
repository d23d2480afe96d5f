"""Which lead a report is about (contract/database.md, "What tells which lead it was")."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from syncctl.domain.lead_matching import Agreement, Level, agreement, agreements, best_pairs, is_certain
from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import LeadValues
from syncctl.locations import load_locations

LEAD_ID = "65f000000000000000000001"
PHONE, OTHER_PHONE = "9000000001", "9000000002"
BOOKING, OTHER_BOOKING = "2025020100700001", "2025020100700002"
BOOKED = datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)
VISIT = datetime(2026, 10, 10, tzinfo=UTC)
STORE, OTHER_STORE = "Zorucci - Edappally", "Suitor Guy - Kannur"
DAY = timedelta(days=1)
IN_INDIA = VISIT - timedelta(hours=5, minutes=30)


def booking(**changes: Any) -> Traits:
    values = {
        "leadType": "bookingConfirmation",
        "name": "Anagha K",
        "phone": PHONE,
        "store": STORE,
        "bookingNo": BOOKING,
        "createdAt": BOOKED,
    } | changes
    return Traits.of_record(_values(values), "unknown")


def walkin(**changes: Any) -> Traits:
    values = {
        "leadType": "general",
        "name": "Anagha K",
        "phone": PHONE,
        "store": STORE,
        "createdAt": VISIT,
        "enquiryDate": VISIT,
    } | changes
    return Traits.of_record(_values(values), "unknown")


def _values(values: dict[str, Any]) -> LeadValues:
    return cast(LeadValues, {name: value for name, value in values.items() if value is not None})


def fits(report: dict[str, Any], record: Traits) -> Agreement | None:
    return agreement(record, Traits.of_report(report, load_locations()))


def level(report: dict[str, Any], record: Traits) -> Level | None:
    found = fits(report, record)
    return found.level if found else None


FLAT_BOOKING: dict[str, Any] = {
    "_id": "r" * 24,
    "lead_name": "Anagha K",
    "phone_number": PHONE,
    "store": STORE,
    "lead_type": "bookingConfirmation",
    "booking_number": BOOKING,
    "created_at": BOOKED,
    "createdAt": datetime(2026, 11, 26, tzinfo=UTC),
}
FLAT_WALKIN: dict[str, Any] = {
    **FLAT_BOOKING,
    "lead_type": "general",
    "booking_number": None,
    "created_at": VISIT,
    "enquiry_date": VISIT,
    "visit_date": None,
}

BY_NUMBER: list[dict[str, Any]] = [
    {"phone_number": PHONE, "booking_number": BOOKING, "lead_type": "bookingConfirmation"},
    {"phone_number": PHONE, "booking_number": OTHER_BOOKING, "booking_no_before": BOOKING},
    {"phone_number": 9000000001, "booking_number": 2025020100700001},
    {"leadData": {"phone": PHONE, "bookingNo": BOOKING, "leadType": "bookingConfirmation"}},
    {"leadData": {"phone_number": "+91 90000 00001", "booking_number": BOOKING}},
    {"leadSnapshot": {"phone": PHONE, "bookingNo": BOOKING, "leadType": "bookingConfirmation", "name": "x"}},
    {"beforeSnapshot": {"phone": PHONE, "bookingNo": BOOKING}, "leadSnapshot": {"phone": OTHER_PHONE}},
    {"phone_number": PHONE, "booking_number": BOOKING, "lead_type": "Booking Confirmation"},
    {**FLAT_BOOKING, "phone_number": OTHER_PHONE, "lead_name": "Other", "created_at": None},
]


@pytest.mark.parametrize("report", BY_NUMBER)
def test_the_booking_number_tells_in_every_shape_whatever_else_was_edited(report: dict[str, Any]) -> None:
    assert level(report, booking()) is Level.BOOKING
    assert level(report, booking(bookingNo=OTHER_BOOKING + "9", createdAt=BOOKED + DAY)) is None


@pytest.mark.parametrize("report", [BY_NUMBER[0], BY_NUMBER[3], BY_NUMBER[5], BY_NUMBER[7]])
def test_a_return_is_not_its_booking(report: dict[str, Any]) -> None:
    assert level(report, booking(leadType="return")) is None


@pytest.mark.parametrize(
    "report",
    [
        {**FLAT_BOOKING, "id": LEAD_ID, "booking_number": OTHER_BOOKING},
        {"leadSnapshot": {"_id": LEAD_ID, "phone": OTHER_PHONE}},
        {"leadData": {"id": LEAD_ID}},
    ],
)
def test_an_id_decides(report: dict[str, Any]) -> None:
    record = Traits.of_record(
        LeadValues(leadType="bookingConfirmation", name="X", phone="1", store=""), LEAD_ID
    )
    assert level(report, record) is Level.ID


def test_a_reports_own_id_is_no_leads() -> None:
    assert Traits.of_report({**FLAT_BOOKING, "report_id": LEAD_ID}, load_locations()).lead_ids == frozenset()


@pytest.mark.parametrize(
    ("edited", "found"),
    [
        ({"booking_number": OTHER_BOOKING}, Level.MOMENT),
        ({"booking_number": None, "phone_number": OTHER_PHONE}, Level.MOMENT),
        ({"booking_number": OTHER_BOOKING, "lead_name": "X", "phone_number": OTHER_PHONE}, Level.MOMENT),
        ({"booking_number": OTHER_BOOKING, "lead_name": "X", "store": OTHER_STORE}, Level.MOMENT),
        (
            {"booking_number": OTHER_BOOKING, "lead_name": "X", "store": OTHER_STORE, "phone_number": "1"},
            None,
        ),
        ({"booking_number": OTHER_BOOKING, "created_at": BOOKED + timedelta(seconds=1)}, None),
        ({"booking_number": OTHER_BOOKING, "created_at": BOOKED.replace(hour=0, minute=0, second=0)}, None),
        ({"booking_number": OTHER_BOOKING, "created_at": "2025-02-01T08:59:27.000Z"}, Level.MOMENT),
    ],
)
def test_the_second_of_a_booking_tells_with_one_of_phone_name_and_store(
    edited: dict[str, Any], found: Level | None
) -> None:
    assert level({**FLAT_BOOKING, **edited}, booking()) is found


@pytest.mark.parametrize(
    ("edited", "found"),
    [
        ({}, Level.DAY),
        ({"phone_number": OTHER_PHONE}, Level.DAY),
        ({"lead_name": "Other"}, Level.DAY),
        ({"store": OTHER_STORE}, Level.DAY),
        ({"lead_name": "Other", "store": OTHER_STORE}, Level.DAY),
        ({"phone_number": OTHER_PHONE, "lead_name": "Other"}, None),
        ({"phone_number": OTHER_PHONE, "store": OTHER_STORE}, None),
        ({"created_at": IN_INDIA, "enquiry_date": IN_INDIA}, Level.DAY),
        ({"created_at": VISIT - DAY, "enquiry_date": VISIT - DAY}, None),
        ({"created_at": None, "enquiry_date": None, "visit_date": VISIT}, Level.DAY),
    ],
)
def test_the_day_of_a_visit_tells_with_the_phone_or_with_name_and_store(
    edited: dict[str, Any], found: Level | None
) -> None:
    assert level({**FLAT_WALKIN, **edited}, walkin()) is found


def test_a_returning_customers_next_visit_is_another() -> None:
    assert level(FLAT_WALKIN, walkin(createdAt=VISIT + 33 * DAY, enquiryDate=VISIT + 33 * DAY)) is None


def test_a_lead_typed_in_by_hand_is_no_visit_of_another_day() -> None:
    typed = {**FLAT_WALKIN, "created_at": VISIT + timedelta(hours=11), "enquiry_date": None}
    assert level(typed, walkin()) is None


def test_the_page_that_makes_a_walk_in_a_loss_finishes_the_walk_in() -> None:
    report = {**FLAT_WALKIN, "lead_type": "lossOfSale", "lead_type_before": "general"}
    report["lead_type_after"] = "lossOfSale"
    of_walkin, of_loss = fits(report, walkin()), fits(report, walkin(leadType="lossOfSale"))
    assert of_walkin is not None
    assert of_loss is not None
    assert of_walkin > of_loss


PERSON: dict[str, Any] = {
    "lead_name": "ANAGHA  k",
    "phone_number": PHONE,
    "lead_type": "bookingConfirmation",
    "store": "Zurocci - EDAPALLY",
}


@pytest.mark.parametrize(
    ("report", "found"),
    [
        (PERSON, Level.PERSON),
        ({"leadData": {"name": "Anagha K", "phone": PHONE, "store": STORE}}, Level.PERSON),
        ({**PERSON, "lead_name": "Other", "lead_name_before": "Anagha K"}, Level.PERSON),
        ({**PERSON, "booking_number": OTHER_BOOKING}, None),
        ({**PERSON, "created_at": BOOKED + DAY}, None),
        ({**PERSON, "lead_name": "Rahul"}, None),
        ({**PERSON, "store": OTHER_STORE}, None),
        ({**PERSON, "lead_type": "return"}, None),
        ({**PERSON, "phone_number": OTHER_PHONE}, None),
    ],
)
def test_only_without_number_and_dates_the_person_tells(report: dict[str, Any], found: Level | None) -> None:
    assert level(report, booking()) is found


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"leadData": None},
        {"leadData": "text"},
        {"phone_number": ["9"], "booking_number": {"$gt": ""}, "created_at": 7, "enquiry_date": "soon"},
        {"id": None},
    ],
)
def test_odd_reports_fit_nothing(report: dict[str, Any]) -> None:
    assert level(report, booking()) is None
    assert level(report, walkin()) is None


def test_what_makes_a_key_is_certain() -> None:
    def certain(report: dict[str, Any], record: Traits) -> bool:
        traits = Traits.of_report(report, load_locations())
        found = agreement(record, traits)
        assert found is not None
        return is_certain(found, record, traits)

    assert certain(FLAT_BOOKING, booking())
    assert not certain({**FLAT_BOOKING, "phone_number": OTHER_PHONE}, booking())
    assert certain(FLAT_WALKIN, walkin())
    assert not certain({**FLAT_WALKIN, "store": OTHER_STORE}, walkin())
    assert not certain(PERSON, booking())


def how(level: Level, fields: int) -> Agreement:
    return Agreement(level, fields, True, 0)


def test_the_best_agreement_is_settled_first() -> None:
    found = {
        ("owner", "report"): how(Level.DAY, 3),
        ("namesake", "report"): how(Level.DAY, 2),
        ("booking", "report"): how(Level.BOOKING, 0),
    }
    assert best_pairs(found) == {"booking": "report"}
    del found["booking", "report"]
    assert best_pairs(found) == {"owner": "report"}


def test_a_tie_is_nobodys_and_no_worse_fit_gets_it() -> None:
    found = {
        ("one", "report"): how(Level.DAY, 2),
        ("two", "report"): how(Level.DAY, 2),
        ("three", "report"): how(Level.DAY, 1),
    }
    assert best_pairs(found) == {}


def test_as_many_reports_as_records_are_shared_out() -> None:
    records, reports = ("one", "two"), ("a", "b")
    found = {(record, report): how(Level.PERSON, 3) for record in records for report in reports}
    assert best_pairs(found) == {"one": "a", "two": "b"}


def test_who_has_the_least_choice_comes_first() -> None:
    found = {
        ("one", "a"): how(Level.DAY, 2),
        ("two", "a"): how(Level.DAY, 2),
        ("two", "b"): how(Level.DAY, 2),
    }
    assert best_pairs(found) == {"one": "a", "two": "b"}


def test_a_second_report_of_one_lead_is_nobody_elses() -> None:
    found = {
        ("owner", "a"): how(Level.BOOKING, 3),
        ("owner", "b"): how(Level.BOOKING, 3),
        ("other", "b"): how(Level.MOMENT, 1),
    }
    assert best_pairs(found) == {"owner": "a"}


def test_only_what_has_a_clue_in_common_is_compared() -> None:
    reports = {"own": Traits.of_report(FLAT_WALKIN, load_locations())}
    assert list(agreements({"record": walkin(), "other": booking()}, reports)) == [("record", "own")]
