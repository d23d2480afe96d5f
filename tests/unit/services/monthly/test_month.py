"""Calendar months."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from syncctl.errors import UsageError
from syncctl.services.monthly.month import Month


def test_a_month() -> None:
    month = Month.parse("2024-02")
    assert (str(month), month.title) == ("2024-02", "February 2024")
    assert (month.days[0], month.days[-1], len(month.days)) == (date(2024, 2, 1), date(2024, 2, 29), 29)
    assert month.weeks == tuple(date(2024, m, d) for m, d in ((1, 29), (2, 5), (2, 12), (2, 19), (2, 26)))
    assert month == Month.of(date(2024, 2, 29))
    assert Month.parse("2026-12").next_first == date(2027, 1, 1)


def test_it_begins_when_it_does_at_the_shops() -> None:
    month = Month.parse("2026-11")
    begin, _ = month.moments(ZoneInfo("Asia/Kolkata"))
    assert begin.astimezone(UTC) == datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    assert month.lead_dates[0] == datetime(2026, 11, 1, tzinfo=UTC)  # leads' dates are the shops' wall clock


@pytest.mark.parametrize("written", ["2026-13", "november", "2026", "2026-11-01", ""])
def test_what_isn_t_a_month(written: str) -> None:
    with pytest.raises(UsageError, match="isn't a month: write it as 2026-01"):
        Month.parse(written)
