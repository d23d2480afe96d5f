"""When the schedule comes next, also where the clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.errors import SettingsError
from syncctl.scheduling.expression import next_run

RIGA = ZoneInfo("Europe/Riga")
KOLKATA = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("*/5 * * * *", UTC, "2026-11-23T16:00:00Z", "2026-11-23T16:05:00Z"),
        ("*/5 * * * *", UTC, "2026-11-23T16:00:00.5Z", "2026-11-23T16:05:00Z"),
        ("*/5 * * * *", UTC, "2026-11-23T16:04:59.9Z", "2026-11-23T16:05:00Z"),
        ("30 2 * * *", KOLKATA, "2026-11-23T16:00:00Z", "2026-11-23T21:00:00Z"),
        # 03:30 does not exist on the day that summer time begins: cron makes up for it at 04:00.
        ("30 3 * * *", RIGA, "2024-03-30T23:00:00Z", "2024-03-31T01:00:00Z"),
        # 03:10 comes twice on the day that it ends; this is the second one, after that day's only 03:30 run.
        ("30 3 * * *", RIGA, "2024-10-27T01:10:00Z", "2024-10-28T01:30:00Z"),
        ("0 0 29 2 *", UTC, "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
    ],
)
def test_next_run(cron: str, zone: ZoneInfo, after: str, expected: str) -> None:
    moment = next_run(cron, zone, datetime.fromisoformat(after))
    assert moment == datetime.fromisoformat(expected)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "cron", ["", "hourly", "@hourly", "* * * *", "* * * * * *", "61 * * * *", "*/0 * * * *", "0 0 30 2 *"]
)
def test_a_wrong_expression_is_a_wrong_setting(cron: str) -> None:
    with pytest.raises(SettingsError, match="five fields"):
        next_run(cron, UTC, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_schedule_that_never_comes() -> None:
    # Day 1 or 31 that is also the month's second Monday.
    with pytest.raises(SettingsError, match="never runs"):
        next_run("0 0 */30 * 1#2", UTC, datetime(2026, 1, 1, tzinfo=UTC))


@settings(deadline=None)
@given(
    after=st.datetimes(
        datetime(2024, 1, 1),  # noqa: DTZ001 - hypothesis wants the bounds naive
        datetime(2026, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    zone=st.sampled_from([UTC, RIGA, KOLKATA, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]),
    cron=st.sampled_from(["*/5 * * * *", "30 3 * * *", "0 */2 * * *", "15 1,2,3 * * 0"]),
)
def test_it_is_always_later(after: datetime, zone: ZoneInfo, cron: str) -> None:
    assert next_run(cron, zone, after) > after
