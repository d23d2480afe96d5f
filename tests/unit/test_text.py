"""Equal-looking texts are equal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.identity import current_key, lead_key
from syncctl.domain.sources import StepName
from syncctl.text import normalize_text, normalize_unicode, shortened
from tests.support.store_files import NAMES_WRITTEN_TWICE

STORE = "Suitor Guy - Calicut"


@pytest.mark.parametrize(("one", "other"), NAMES_WRITTEN_TWICE)
def test_what_reads_the_same_is_the_same(one: str, other: str) -> None:
    assert one != other
    assert normalize_unicode(one) == normalize_unicode(other)
    assert normalize_text(one) == normalize_text(other)
    keys = [lead_key("general", "9846012345", "", name, STORE) for name in (one, other)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("one", "other"), [("Renée", "Renee"), ("അവൻ", "അവന"), ("Anjali", "Anjalie"), ("Meera Das", "MeeraDas")]
)
def test_what_reads_otherwise_is_another(one: str, other: str) -> None:
    assert normalize_text(one) != normalize_text(other)


def test_case_and_spacing_count_only_where_texts_are_the_same() -> None:
    assert normalize_text("  RENÉE  k ") == normalize_text("Rene\u0301e K")
    assert normalize_unicode("RENÉE") != normalize_unicode("renée")
    assert normalize_text('="Anjali K"') == normalize_text("anjali k")


@given(st.text(max_size=20))
def test_comparing_what_is_made_comparable_changes_nothing(text: str) -> None:
    assert normalize_unicode(normalize_unicode(text)) == normalize_unicode(text)
    assert normalize_unicode(unicodedata.normalize("NFD", text)) == normalize_unicode(
        unicodedata.normalize("NFC", text)
    )


def former_normalization(text: str) -> str:
    """Comparison as in the first key rules."""
    return " ".join(text.split()).casefold()


@given(st.text(max_size=20))
def test_a_key_of_the_first_rules_is_made_one_of_todays(name: str) -> None:
    before = "\x1f".join(
        ("general", "9846012345", "", former_normalization(name), former_normalization(STORE), "2025-02-01")
    )
    now = lead_key("general", "9846012345", "", former_normalization(name), STORE) + "\x1f2025-02-01"
    assert current_key(before) == now


@pytest.mark.parametrize("kind", [StepName.WALKIN, StepName.LOSS_OF_SALE])
def test_a_booking_number_is_compared_so_too(kind: StepName) -> None:
    assert lead_key(kind, "1", "20\u200b25", "A", STORE) == lead_key(kind, "1", "2025", "B", STORE)


@given(st.text(), st.integers(1, 30))
def test_a_shortened_text_is_one_line_of_at_most_that_length(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short) <= most
    assert len(short.splitlines()) <= 1
    line = " ".join(text.split())
    assert short == line or short.endswith("…")
    assert shortened("dropped the connection (location 8)", 26) == "dropped the connection…"
