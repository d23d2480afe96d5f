"""A lead's key, the id derived from it, and the print of its values."""

from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.identity import derived_id, fingerprint, first_id_at, id_time, lead_key, source_record
from syncctl.domain.lead_values import LeadValues
from syncctl.text import normalize_text

KEY_PARTS = st.tuples(
    st.sampled_from(["bookingConfirmation", "return"]),
    st.from_regex(r"[0-9]{10}", fullmatch=True),
    st.text(max_size=12).map(str.strip),
    st.text(max_size=12).map(str.strip),
    st.text(max_size=12).map(str.strip),
)


def test_the_derived_id_is_the_same_on_every_machine() -> None:
    assert derived_id("bookingConfirmation\x1f9000000001\x1f2025020100700001") == "c6979efdf93559f71f723b45"
    assert len(derived_id("")) == 24


def test_a_booking_number_makes_name_and_store_irrelevant() -> None:
    one = lead_key("return", "9000000001", "77", "Anagha", "Suitor Guy - Calicut")
    other = lead_key("return", "9000000001", "77", "Rahul", "Zorucci - Edappal")
    assert one == other


def test_without_a_booking_number_name_and_store_are_compared_folded() -> None:
    one = lead_key("return", "9000000001", "", "  Anagha  K ", "Suitor Guy - Calicut")
    assert one == lead_key("return", "9000000001", "", "ANAGHA k", "Suitor  guy - CALICUT")
    assert one != lead_key("return", "9000000001", "", "Anagha M", "Suitor Guy - Calicut")
    assert one != lead_key("bookingConfirmation", "9000000001", "", "Anagha K", "Suitor Guy - Calicut")


@given(KEY_PARTS, KEY_PARTS)
def test_different_records_have_different_keys(
    one: tuple[str, str, str, str, str], other: tuple[str, str, str, str, str]
) -> None:
    def identity(parts: tuple[str, str, str, str, str]) -> tuple[str, ...]:
        lead_type, phone, booking_no, name, store = parts
        if booking_no:
            return (lead_type, phone, booking_no)
        return (lead_type, phone, "", normalize_text(name), normalize_text(store))

    assert (lead_key(*one) == lead_key(*other)) == (identity(one) == identity(other))


def test_the_fingerprint_follows_every_value_and_no_order() -> None:
    values = LeadValues(
        leadType="return",
        source="Return",
        name="Anagha",
        phone="9000000001",
        store="Suitor Guy - Calicut",
        createdAt=datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC),
    )
    reordered = dict(reversed(list(values.items())))
    assert fingerprint(values) == fingerprint(reordered)
    for field in values:
        assert fingerprint(values) != fingerprint({**values, field: "other"})
    assert fingerprint(values) != fingerprint({**values, "remarks": "new"})


def test_a_record_is_known_by_its_key() -> None:
    values = LeadValues(
        leadType="return", source="Return", name="A", phone="9000000001", store="S - P", bookingNo="5"
    )
    record = source_record(values)
    assert record.key == lead_key("return", "9000000001", "5", "A", "S - P")
    assert record.lead_id == derived_id(record.key)


def test_the_time_that_an_objectid_says() -> None:
    moment = datetime(2026, 3, 10, 12, 0, 7, 900000, tzinfo=UTC)
    second = moment.replace(microsecond=0)
    assert id_time(str(ObjectId.from_datetime(moment))) == second
    assert first_id_at(moment) == str(ObjectId.from_datetime(moment))
    assert id_time(first_id_at(moment)[:-1] + "f") == second
    assert first_id_at(datetime.min.replace(tzinfo=UTC)) == "0" * 24
    assert first_id_at(datetime.max.replace(tzinfo=UTC) - timedelta(days=1)) == "f" * 8 + "0" * 16


@pytest.mark.parametrize("lead_id", ["", "7", "g" * 24, "A" * 24, "1" * 23, "1" * 25, "1" * 24 + "\n"])
def test_an_id_of_another_kind_says_no_time(lead_id: str) -> None:
    assert id_time(lead_id) is None
