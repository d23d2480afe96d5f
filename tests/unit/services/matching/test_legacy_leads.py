"""The old system's leads, found by key once."""

from datetime import UTC, datetime
from typing import Any

from syncctl.domain.identity import source_record
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.records import SourceRecord
from syncctl.locations import load_locations
from syncctl.services.matching.legacy_leads import LinkedLeads, UnlinkedLeads

BOOKED = datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)
LATER = datetime(2025, 3, 1, tzinfo=UTC)


def record(booking_no: str = "77", phone: str = "9000000001", name: str = "Anagha") -> SourceRecord:
    values = LeadValues(
        leadType="bookingConfirmation",
        source="Booking",
        name=name,
        phone=phone,
        store="Suitor Guy - Calicut",
        createdAt=BOOKED,
    )
    if booking_no:
        values["bookingNo"] = booking_no
    return source_record(values)


def lead(lead_id: str = "a" * 24, **changes: Any) -> Document:
    return {
        "_id": lead_id,
        "leadType": "bookingConfirmation",
        "name": "Anagha",
        "phone": "9000000001",
        "store": "Suitor Guy - Calicut",
        "bookingNo": "77",
        "createdAt": BOOKED,
        "updatedAt": BOOKED,
        "callStatus": "Not Called",
        "leadStatus": "No Status",
        **changes,
    }


def linked(
    leads: list[Document], wanted: SourceRecord, *others: SourceRecord, linked: str = "", taken: str = ""
) -> str | None:
    unlinked = UnlinkedLeads(
        leads,
        load_locations(),
        linked=LinkedLeads({linked}),
        taken={taken},
        answered_keys={wanted.key, *(other.key for other in others)},
    )
    return unlinked.take_matching(wanted)


def test_a_lead_of_the_same_key_is_the_records() -> None:
    assert linked([lead()], record()) == "a" * 24
    assert linked([lead(phone="+91 90000 00001")], record()) == "a" * 24


def test_without_a_booking_number_spelling_does_not_count() -> None:
    old = lead(bookingNo=None, name=" ANAGHA", store="Suitor Guy - CALICUT")
    assert linked([old], record(booking_no="")) == "a" * 24


def test_of_several_copies_the_one_worked_on_is_taken_else_the_oldest() -> None:
    oldest = lead(
        "a" * 24, createdAt=datetime(2024, 1, 1, tzinfo=UTC), updatedAt=datetime(2024, 1, 1, tzinfo=UTC)
    )
    plain, called = lead("b" * 24), lead("c" * 24, callStatus="Connected")
    assert linked([plain, oldest], record()) == "a" * 24
    assert linked([plain, oldest, called], record()) == "c" * 24


def test_a_lead_that_was_edited_to_what_the_source_says_by_now_is_not_doubled() -> None:
    assert linked([lead()], record(), linked="a" * 24) == "a" * 24
    assert linked([lead(phone="+91 90000 00001")], record(), linked="a" * 24) == "a" * 24


def test_a_lead_that_was_edited_to_what_the_source_says_of_another_is_not_taken() -> None:
    own = record("78")
    assert linked([lead(own.lead_id)], record(), own, linked=own.lead_id) is None


def test_a_lead_under_default_store_is_found_by_the_rest_of_its_key() -> None:
    old = lead(bookingNo=None, store="Default Store")
    assert linked([old], record(booking_no="")) == "a" * 24
    assert linked([old], record(booking_no="", name="Other")) is None
    assert linked([old], record()) is None


def test_odd_documents_are_passed_over() -> None:
    odd = {"_id": "d" * 24, "leadType": None, "phone": ["x"], "name": {"$ne": ""}, "createdAt": "yesterday"}
    assert linked([odd, {"_id": "e" * 24}], record()) is None
