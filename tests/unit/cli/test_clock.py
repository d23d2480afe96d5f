"""The reader's clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncctl.cli.render.clock import Clock

NOW = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)  # 06:30 in India
CLOCK = Clock(ZoneInfo("Asia/Kolkata"), NOW)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 11, 26, 21, 50, tzinfo=UTC), "today 03:20 IST"),
        (datetime(2026, 11, 26, 18, 29, tzinfo=UTC), "yesterday 23:59 IST"),
        (datetime(2026, 11, 27, 18, 30, tzinfo=UTC), "tomorrow 00:00 IST"),
        (datetime(2026, 11, 5, 0, 0, tzinfo=UTC), "5 Nov 05:30 IST"),
        (datetime(2025, 12, 31, 20, 0, tzinfo=UTC), "1 Jan 01:30 IST"),
        (datetime(2025, 12, 31, 18, 0, tzinfo=UTC), "31 Dec 2025 23:30 IST"),
    ],
)
def test_a_moment(moment: datetime, shown: str) -> None:
    assert CLOCK.moment(moment) == shown
    assert CLOCK.short(moment) == shown.removesuffix(" IST")


def test_the_time_of_today_needs_no_day() -> None:
    assert CLOCK.time(NOW) == "06:30 IST"
    assert CLOCK.time(NOW - timedelta(days=1)) == "yesterday 06:30 IST"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "just now"),
        (59, "just now"),
        (119, "119 s ago"),
        (7_199, "119 min ago"),
        (7_200, "2 h ago"),
        (47 * 3_600, "47 h ago"),
        (48 * 3_600, "2 days ago"),
        (-30, "in under a minute"),
        (-300, "in 5 min"),
    ],
)
def test_how_long_ago(seconds: int, shown: str) -> None:
    assert CLOCK.ago(NOW - timedelta(seconds=seconds)) == shown


def test_the_zone_has_a_name() -> None:
    assert CLOCK.zone_name == "IST"
    assert Clock(UTC, NOW).zone_name == "UTC"
