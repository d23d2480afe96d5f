"""Single cells."""

from datetime import date, datetime, time, timedelta

import pytest

from syncctl.files.cells import (
    EPOCH_1900,
    EPOCH_1904,
    UNREADABLE,
    as_text,
    clean,
    clean_row,
    date_of_serial,
    whole_number,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Anju \n", "Anju"),
        ("\N{NO-BREAK SPACE}Anju\N{NO-BREAK SPACE}", "Anju"),
        ("", None),
        (" \t", None),
        (" - ", None),
        ("\N{EN DASH}", None),
        ("#N/A", "#N/A"),
        ("\N{ZERO WIDTH SPACE}", None),
        (" \N{NO-BREAK SPACE}\u2060\ufeff\u00ad ", None),
        ("\u3164", None),
        ('="\N{ZERO WIDTH SPACE}"', None),
        ("\N{ZERO WIDTH SPACE}-", None),
        ("-\N{LEFT-TO-RIGHT MARK}", None),
        ("\N{ZERO WIDTH SPACE}Anju", "\N{ZERO WIDTH SPACE}Anju"),
        (None, None),
        ("--", "--"),
        ("'0123", "'0123"),
        ("0", "0"),
        ('="9876543210"', "9876543210"),
        (' = " Anju "', "Anju"),
        ('="say ""hi"""', 'say "hi"'),
        ('="-"', None),
        ('=""', None),
        ('="a"&"b"', '="a"&"b"'),
        ("=SUM(A1)", "=SUM(A1)"),
        ('"Anju"', '"Anju"'),
        ("\N{MINUS SIGN}", None),
        (0.0, 0),
        (9876543210.0, 9876543210),
        (1.5, 1.5),
        (1e300, 1e300),
        (float("nan"), UNREADABLE),
        (float("inf"), float("inf")),
        (True, True),
        (False, False),
        (date(2025, 1, 2), date(2025, 1, 2)),
        (datetime(2025, 1, 2), date(2025, 1, 2)),  # noqa: DTZ001
        (datetime(2025, 1, 2, 3, 4), datetime(2025, 1, 2, 3, 4)),  # noqa: DTZ001
        (time(3, 4), "03:04:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
    ],
)
def test_clean(value: object, expected: object) -> None:
    cleaned = clean(value)
    assert clean_row([value, " x "]) == [cleaned, "x"]
    assert cleaned == expected
    assert type(cleaned) is type(expected)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (45678, date(2025, 1, 21)),
        ("45678", date(2025, 1, 21)),
        (45678.5, datetime(2025, 1, 21, 12)),  # noqa: DTZ001
        ("45678.0", date(2025, 1, 21)),
        ("45678\N{ZERO WIDTH SPACE}", date(2025, 1, 21)),
        (20000, date(1954, 10, 3)),
        (80000, date(2119, 1, 11)),
        (19999, 19999),
        (80001, 80001),
        (2025, 2025),
        (20250105, 20250105),
        ("20250105", "20250105"),
        (True, True),
        ("\u0663" * 5, "\u0663" * 5),
        ("15/11/2025", "15/11/2025"),
        (date(2025, 1, 2), date(2025, 1, 2)),
        (None, None),
        (float("nan"), pytest.approx(float("nan"), nan_ok=True)),
    ],
)
def test_serial_numbers_of_days(cell: str | float | date | None, expected: object) -> None:
    assert date_of_serial(cell, EPOCH_1900) == expected


def test_the_other_epoch_is_1462_days_later() -> None:
    assert date_of_serial(45678 - 1462, EPOCH_1904) == date(2025, 1, 21)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("9876543210.0", "9876543210"),
        ("0987654321.00", "0987654321"),
        ("9876543210", "9876543210"),
        ("98765.43210", "98765.43210"),
        ("9.87654E+09", "9.87654E+09"),
        (9876543210, 9876543210),
        (None, None),
    ],
)
def test_a_number_that_was_taken_for_a_float(cell: str | int | None, expected: object) -> None:
    assert whole_number(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Anju", "Anju"),
        (None, ""),
        (9876543210, "9876543210"),
        (1.5, "1.5"),
        (True, "TRUE"),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 3, 4), "2025-01-02 03:04:00"),  # noqa: DTZ001
    ],
)
def test_text_of_a_cell(cell: str | float | date | None, expected: str) -> None:
    assert as_text(cell) == expected
