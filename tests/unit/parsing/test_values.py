"""Single values of a source row."""

from datetime import UTC, date, datetime

import pytest

from syncctl.errors import InvalidRowError
from syncctl.parsing.values import LONGEST_TEXT, file_day, number, text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Rahul ", "Rahul"),
        (None, ""),
        (True, ""),
        ([], ""),
        ({"a": 1}, ""),
        (9048780011, "9048780011"),
        (9048780011.0, "9048780011"),
        (1.5, "1.5"),
        (float("nan"), ""),
        (float("inf"), ""),
        ("Jos\ud800é\0", "Jos\ufffdé\ufffd"),
        ("a\0b", "a\ufffdb"),
        ("Anju:36\n30-06-2024", "Anju:36\n30-06-2024"),
    ],
)
def test_text(value: object, expected: str) -> None:
    assert text(value) == expected


def test_text_too_long_for_a_lead_is_invalid() -> None:
    assert text("x" * LONGEST_TEXT)
    with pytest.raises(InvalidRowError, match="longer than"):
        text("x" * (LONGEST_TEXT + 1))


@pytest.mark.parametrize(
    "nothing",
    [
        "\u200b",
        "\u200d\ufeff",
        "\u00ad",
        "\u202a\u202c",
        "\u2060 \u200e",
        "\u3164",
        "\u2800",
        "\x07",
        "\u0301",
        "\ufe0f",
    ],
)
def test_text_that_shows_nothing_is_none(nothing: str) -> None:
    assert text(nothing) == text(f" {nothing} ") == ""
    assert text(f"A{nothing}") == f"A{nothing}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1500.5, 1500.5),
        (1500.0, 1500),
        ("1,500.50", 1500.5),
        ("2000", 2000),
        ("free", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        ("inf", None),
        (10**400, None),
        ([1], None),
    ],
)
def test_number(value: object, expected: float | None) -> None:
    found = number(value)
    assert found == expected
    assert isinstance(found, int) == isinstance(expected, int)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2025, 11, 1, tzinfo=UTC), date(2025, 11, 1)),
        (datetime(2025, 10, 31, 18, 30, tzinfo=UTC), date(2025, 11, 1)),
        (datetime(2024, 12, 31, 18, 30, tzinfo=UTC), date(2025, 1, 1)),
        (datetime(2025, 10, 31, 18, 29, 59, 999000, tzinfo=UTC), date(2025, 10, 31)),
        (datetime(2025, 10, 31, 18, 30, 0, 1000, tzinfo=UTC), date(2025, 10, 31)),
        (datetime(2025, 10, 31, 18, 30, 1, tzinfo=UTC), date(2025, 10, 31)),
        (datetime(9999, 12, 31, 18, 30, tzinfo=UTC), date(9999, 12, 31)),
    ],
)
def test_a_file_leads_day_midnight_in_india_is_the_next(moment: datetime, day: date) -> None:
    assert file_day(moment) == day
