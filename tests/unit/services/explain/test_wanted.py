"""The number asked about is read as imports read it, and remembered as it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.errors import UsageError
from syncctl.services.explain.wanted import PREFIXES, CustomerQuery
from syncctl.services.rejects.raw_rows import raw_text


@pytest.mark.parametrize(
    ("typed", "phone", "shown"),
    [
        ("9400000001", "9400000001", "9400000001"),
        ("+91 94000 00001", "9400000001", "+91 94000 00001"),
        ("0091-9400000001", "9400000001", "0091-9400000001"),
        ("09400000001", "9400000001", "09400000001"),
        ("940000000", "0940000000", "940000000"),
        (" (94000) 00001 ", "9400000001", "(94000) 00001"),
        ("94000 00001/94000 00002", "9400000001", "94000 00001"),
        ("94000 00001 after 6 pm", "9400000001", "94000 00001"),
        ("९४०००००००१", "9400000001", "९४०००००००१"),
        ("൯൪൦൦൦ ൦൦൦൦൧", "9400000001", "൯൪൦൦൦ ൦൦൦൦൧"),
    ],
)
def test_a_phone_number_in_any_spelling(typed: str, phone: str, shown: str) -> None:
    wanted = CustomerQuery.from_text(typed)
    assert (wanted.phone, dict(wanted.typed)) == (phone, {phone: shown})
    assert wanted.is_named_by(phone)
    assert wanted.is_named_by(f"+91{phone}") is not phone.startswith("0")


def test_a_number_that_imports_reject_is_known_by_its_digits() -> None:
    wanted = CustomerQuery.from_text("+971 50 123 4567")
    assert (wanted.phone, dict(wanted.typed)) == (None, {"971501234567": "+971 50 123 4567"})


def test_a_booking_number_is_no_phone_number() -> None:
    wanted = CustomerQuery.from_text("\u200b 2025020100100001 ")
    assert (wanted.phone, wanted.booking_no) == (None, "2025020100100001")
    assert wanted.is_named_by("2025020100100001")


@pytest.mark.parametrize("typed", ["", " - ", "\u200b", "7" * 20_000])
def test_what_can_be_neither_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="booking number"):
        CustomerQuery.from_text(typed)


@given(
    st.sampled_from((*PREFIXES, "+91 ", "(0", "call ")),
    st.lists(st.sampled_from(("", "", "", " ", "-", "  ", ".", ")")), min_size=10, max_size=10),
    st.sampled_from(("", ".0", " ", " / 9876543210", "\n", "\u0d05")),
)
def test_a_quick_look_passes_over_no_row_that_names_it(prefix: str, signs: list[str], rest: str) -> None:
    wanted = CustomerQuery.from_text("9847012345")
    written = prefix + "".join(map("".join, zip("9847012345", signs, strict=True))) + rest
    assert wanted.may_be_in(raw_text({"Contact": written})) or not wanted.is_named_by(written)


@pytest.mark.parametrize(
    "value", [9847012345, 9847012345.0, "\u0d6f\u0d6e47012345", "B-17", 98470, "9847012344"]
)
def test_what_it_is_named_by_may_be_in_the_row(value: object) -> None:
    raw = raw_text({"other": "1", "value": value})
    for asked in ("9847012345", "B-17"):
        wanted = CustomerQuery.from_text(asked)
        assert wanted.may_be_in(raw) >= wanted.is_named_by(value)
    assert not CustomerQuery.from_text("9876543210").may_be_in(raw_text({"Contact": "9847012345"}))
