"""When the schedule comes next, also where the clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.errors import SettingsError
from syncctl.scheduling.expression import cron_fields, crontab_fields, next_run, same_in_both_zones

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


NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
KOLKATA, RIGA, LONDON = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Riga"), ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("cron", "written"),
    [
        ("*/5 * * * *", "*/5 * * * *"),
        ("5/15 9 * jul-DEC mon,5", "5-59/15 9 * jul-DEC mon,5"),
        ("0,5/20,7-9/2 4/8 3/10 2/5 1/3", "0,5-59/20,7-9/2 4-23/8 3-31/10 2-12/5 1-7/3"),
    ],
)
def test_as_it_stands_in_a_crontab(cron: str, written: str) -> None:
    assert crontab_fields(cron) == written
    dates = [list(islice(CronSim(text, NOW), 200)) for text in (cron, written)]
    assert dates[0] == dates[1]


@pytest.mark.parametrize("cron", ["0 0 L * *", "0 0 LW * *", "0 0 * * 5L", "0 0 * * MON#2", "0 0 * * 1,5l"])
def test_what_cron_does_not_know(cron: str) -> None:
    with pytest.raises(SettingsError, match="API_SYNC_TIME"):
        cron_fields(cron)


def test_sunday_is_one_day() -> None:
    assert cron_fields("0 0 * * 0,7").weekdays == {0}
    assert cron_fields("0 0 * * 5-7").weekdays == {5, 6, 0}
    assert cron_fields("0 0 1 * 7").either_day
    assert not cron_fields("0 0 */2 * 7").either_day


@pytest.mark.parametrize(
    ("cron", "zone", "other", "same"),
    [
        ("*/5 * * * *", UTC, KOLKATA, True),
        ("*/30 * * * *", UTC, KOLKATA, True),
        ("0 * * * *", UTC, KOLKATA, False),
        ("0 * * * *", UTC, RIGA, True),
        ("0 0-23 1-31 1-12 0-6", UTC, RIGA, True),
        ("*/5 9-18 * * *", UTC, KOLKATA, False),
        ("*/5 * * * 1-5", UTC, RIGA, False),
        ("*/5 * 1 * *", UTC, RIGA, False),
        ("0 3 * * *", UTC, ZoneInfo("Etc/UTC"), True),
        # In winter London's clocks show UTC.
        ("0 3 * * *", UTC, LONDON, False),
    ],
)
def test_whether_the_zone_matters(cron: str, zone: ZoneInfo, other: ZoneInfo, same: bool) -> None:
    assert same_in_both_zones(cron, zone, other, NOW) is same
    for days in (0, 40, 200) if same else ():
        after = NOW + timedelta(days=days)
        times = [
            [moment.astimezone(UTC) for moment in islice(CronSim(cron, after.astimezone(clock)), 50)]
            for clock in (zone, other)
        ]
        assert times[0] == times[1]
