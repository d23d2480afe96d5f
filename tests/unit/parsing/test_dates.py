"""Dates read where only one day can be meant."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.parsing.dates import read_date

KOLKATA = ZoneInfo("Asia/Kolkata")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = datetime(2025, 2, 13, tzinfo=UTC)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def of_person(written: str) -> datetime | None:
    return read_date(written, KOLKATA)


def of_api(written: str) -> datetime | None:
    return read_date(written, KOLKATA, month_first=True)


def test_the_wall_clock_is_marked_as_utc_and_cut_to_milliseconds() -> None:
    assert of_api("2025-02-01T08:59:27") == datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)
    assert of_api("2025-02-01T08:59:27.1239999") == datetime(2025, 2, 1, 8, 59, 27, 123000, tzinfo=UTC)
    assert of_api("2025-02-01") == datetime(2025, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        *("/Date(1738400367000)/", "/Date(1738400367000+0530)/", "/Date(1738400367000-0800)/"),
        *("2025-02-01T08:59:27Z", "2025-02-01T08:59:27.000+00:00", "2025-02-01T14:29:27+05:30"),
        *("2025-02-01T14:29:27", "2/1/2025 2:29:27 PM", "02/01/2025 14:29:27", "Feb 1, 2025 2:29:27 PM"),
        *("Sat, 01 Feb 2025 08:59:27 GMT", "Sat Feb 01 2025 14:29:27 GMT+0530 (India Standard Time)"),
    ],
)
def test_an_instant_is_what_the_businesss_clock_shows(written: str) -> None:
    assert of_api(written) == datetime(2025, 2, 1, 14, 29, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "13-02-2025 10.30",
        "13.02.2025, 10.30.00",
        "13 Feb 2025 at 10.30",
        "13/02/25  10.30 hrs",
        "2025-02-13 10.30",
    ],
)
def test_a_time_of_day_may_be_written_with_a_point(written: str) -> None:
    assert of_person(written) == datetime(2025, 2, 13, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(("written", "day"), [("15 11.25", 15), ("5.11 25", 5), ("15. 11.2025", 15)])
def test_a_day_and_a_month_with_a_point_are_no_time(written: str, day: int) -> None:
    assert of_person(written) == datetime(2025, 11, day, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        *("2025-02-13", "2025/02/13", "2025.2.13", "20250213", "13022025", "2025-02-13T10:30:00"),
        *("2025-02-13 10:30 AM", "2025-02-12T18:30:00.000Z", "/Date(1739385000000)/"),
        *(
            "13-02-2025",
            "13/2/25",
            "13.02.2025",
            "13.02.2025.",
            "13 02 2025",
            "13 - 02 - 2025",
            "13\\02\\2025",
        ),
        *("13\N{NON-BREAKING HYPHEN}02\N{NON-BREAKING HYPHEN}2025", "13\N{EN DASH}02\N{EN DASH}2025"),
        *("13\N{EM DASH}02\N{EM DASH}2025", "13\N{MINUS SIGN}02\N{MINUS SIGN}2025"),
        *("13\N{HYPHEN}02\N{HYPHEN}2025", "13\N{FIGURE DASH}02\N{FIGURE DASH}2025", "13_02_2025"),
        *(
            "'13-02-2025",
            " 13-02-2025\N{ZERO WIDTH SPACE}",
            "१३-०२-२०२५",
            "൧൩/൦൨/൨൦൨൫",
            "\uff11\uff13\uff0f\uff10\uff12\uff0f\uff12\uff10\uff12\uff15",
        ),
        *("13-02-2025 10:30", "13/02/2025, 10:30:45 PM", "13-02-2025 at 5 pm", "13.02.2025 5.30 p.m."),
        *("13-02-2025T10:30", "13-02-2025 17:00 hrs", "10:30 AM 13-02-2025", "13-02-2025 10:30 IST"),
        *("13-02-2025 (tentative)", "13-02-2025 (Thursday)", "13-02-2025 evening", "Thu 13-02-2025"),
        *("Thursday, 13 February 2025", "13 Feb 2025, Thurs.", "13-Feb-2025", "13-FEB-25", "13/Feb/2025"),
        *("13 Feb 2025", "13\N{NO-BREAK SPACE}Feb\N{NO-BREAK SPACE}2025", "13Feb2025", "13 Feb. 2025"),
        *("13th Feb 2025", "13 th February, 2025", "13th of February 2025", "the 13th of Feb 2025"),
        *("Feb 13, 2025", "February 13 2025", "Feb 13th, 2025", "Feb-13-2025", "Feb. 13, '25", "2025 Feb 13"),
        *("13 Febuary 2025", "13th/02/2025", "13 Feb '25"),
    ],
)
def test_forms_in_which_only_one_day_can_be_meant(written: str) -> None:
    found = of_person(written)
    assert found is not None
    assert found.date() == DAY.date()


@pytest.mark.parametrize(
    "written",
    [
        *("2/13/2025", "02/13/2025", "31-02-2025", "29/02/2025", "2025-02-30T00:00:00", "00-02-2025"),
        *("13-14/02/2025", "13/02/2025 & 14/02/2025", "13-02-2025 to 15-02-2025", "13-02-2025 14"),
        *("Feb 2025", "13-Feb", "13 Feb", "13/02", "Feb 13-14", "Feb 13-25", "13-14 Feb 2025", "2025"),
        *("13-02-2O25", "1739404800000", "next week", "after 13th", "not fixed", "soon", "?", "x" * 20_000),
        *("Friday 13 Feb 2025", "13 Marriage 2025", "13 xyz 2025", "13-02-202", "13-02-20255", "130225"),
        *("2025-W07-4", "2025W074", "2025-044", "13-02-2025 25:00", "13-02-2025 10:30 - 11:30"),
        *("13-02-2025 25.30", "13-02-2025 10.3", "13-02-2025 10.75", "9846012345 10.30", "#N/A", "TRUE"),
        *("13-02-1999", "13-02-2101", "2101-01-01", "1999-12-31", "0025-02-01T00:00:00", "1899-12-30"),
        *("0001-01-02T00:00:00", "1900-02-01", "9999-12-31T23:59:59.9999999", "/Date(99999999999999999)/"),
        *("/Date(soon)/", "13-02-2025 9846012345", "9846012345", "0000-00-00"),
    ],
)
def test_what_can_not_be_read_is_not_guessed(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        of_person(written)


@pytest.mark.parametrize(
    "written",
    [
        *("0001-01-01", "0001-01-01T00:00:00", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00+05:30"),
        *("0001-01-01 05:30:00", "1900-01-01", "1900-01-01T00:00:00", "1900-01-01T05:30:00-05:30"),
        *("1899-12-31T18:30:00Z", "19000101", "1/1/0001 12:00:00 AM", "01-01-1900 00:00:00", "01/01/0001"),
        *("/Date(-62135596800000)/", "/Date(-62135596800000+0530)/", "/Date(-62135616600000)/"),
        *("/Date(-2208988800000)/", "/Date(-2209008600000)/", "00-01-1900", "1/0/1900", "0-Jan-00"),
        *("", " ", "-", "--", "\N{EM DASH}", "null", "NULL", "None", "N/A", "nil"),
    ],
)
def test_what_says_none_is_none(written: str) -> None:
    assert of_api(written) is None
    assert of_person(written) is None


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2/13/2025", date(2025, 2, 13)),
        ("02/03/2025", date(2025, 2, 3)),
        ("13-02-2025 08:59", date(2025, 2, 13)),
        ("02.13.2025", date(2025, 2, 13)),
        ("03-03-2025", date(2025, 3, 3)),
        ("13/02/2025", None),
        ("02-03-2025", None),
    ],
)
def test_the_apis_numbers_have_the_month_first_only_with_slashes(written: str, day: date | None) -> None:
    if day is None:
        with pytest.raises(ValueError, match=r".+"):
            of_api(written)
    else:
        found = of_api(written)
        assert found is not None
        assert found.date() == day


@pytest.mark.parametrize("name", MONTHS)
def test_every_month_by_its_name_and_short_forms(name: str) -> None:
    month = MONTHS.index(name) + 1
    shorter = {name[:3], name[:4], name, name.upper(), f"{name[:3]}.", name.lower()}
    for form in shorter:
        for written in (
            f"7 {form} 2025",
            f"{form} 7, 2025",
            f"07-{form}-25",
            f"7th {form} 2025",
            f"7{form}2025",
        ):
            assert of_person(written) == datetime(2025, month, 7, tzinfo=UTC), written


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_each_day_however_it_is_written(day: date) -> None:
    ordinal = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 if day.day not in (11, 12, 13) else 0, "th")
    name = MONTHS[day.month - 1]
    for written in (
        f"{day:%d-%m-%Y}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%Y%m%d}",
        f"{day:%d%m%Y}",
        f"{day.day}{ordinal} {name} {day.year}",
        f"{name[:3]} {day.day}, {day.year}",
        f"{day:%A}, {day.day} {name} {day.year}",
    ):
        assert of_person(written) == datetime(day.year, day.month, day.day, tzinfo=UTC), written
    milliseconds = (datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    shown = of_api(f"/Date({milliseconds})/")
    assert shown == datetime(day.year, day.month, day.day, 5, 30, tzinfo=UTC)


@given(st.text(max_size=30) | st.text(alphabet="0123456789-/. :FebThuPMamstZ+()", max_size=30))
def test_any_text_is_a_date_in_range_or_none_or_refused(written: str) -> None:
    for read in (of_api, of_person):
        try:
            found = read(written)
        except ValueError:
            continue
        assert found is None or 2000 <= found.year <= 2100
