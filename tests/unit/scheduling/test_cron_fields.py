"""A schedule's fields, and whether it depends on the time zone."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from syncctl.errors import SettingsError
from syncctl.scheduling.expression import cron_fields, crontab_fields, same_in_both_zones

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
