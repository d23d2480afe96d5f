"""Single values of a source row."""

from datetime import UTC, date, datetime

import pytest

from syncctl.errors import InvalidRowError
from syncctl.values import LONGEST_TEXT, file_day, number, text, wall_clock


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


def test_a_wall_clock_time_is_marked_as_utc_and_cut_to_milliseconds() -> None:
    assert wall_clock("2025-02-01T08:59:27") == datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)
    assert wall_clock("2025-02-01T08:59:27.1239999") == datetime(2025, 2, 1, 8, 59, 27, 123000, tzinfo=UTC)
    assert wall_clock("2025-02-01") == datetime(2025, 2, 1, tzinfo=UTC)
    assert wall_clock("2025-02-01T08:59:27+05:30") == datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "0001-01-01",
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00+05:30",
        "0001-01-01 05:30:00",
        "1900-01-01",
        "1900-01-01T00:00:00",
        "1900-01-01T05:30:00-05:30",
        "19000101",
        "9999-12-31T23:59:59.9999999",
        "1/1/0001 12:00:00 AM",
        "01-01-1900 00:00:00",
        "01/01/0001",
        "/Date(-62135596800000)/",
        "/Date(-62135596800000+0530)/",
        "/Date(-2208988800000)/",
        "/Date(-2209008600000)/",
    ],
)
def test_a_date_that_stands_for_none_is_none(written: str) -> None:
    assert wall_clock(written) is None


@pytest.mark.parametrize(
    "written",
    [
        *("31-02-2025", "2025-02-31T00:00:00", "soon", "2025"),
        *("0025-02-01T00:00:00", "1899-12-30", "0001-01-02T00:00:00", "1900-02-01", "11/1/0001", "1/1/19001"),
    ],
)
def test_what_is_no_date_is_not_guessed(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wall_clock(written)


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
