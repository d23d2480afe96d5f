"""A schedule and a command as systemd writes them."""

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from syncctl.errors import SettingsError
from syncctl.scheduling.crontab_line import ScheduledCommand
from syncctl.scheduling.systemd import on_calendar, systemd_units

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")

TIMES = [
    ("*/5 * * * *", ("*-*-* *:00..55/5:00 UTC",)),
    ("* * * * *", ("*-*-* *:*:00 UTC",)),
    ("0 9-17/2 * * *", ("*-*-* 09..17/2:00:00 UTC",)),
    ("7,12,50 3 * * *", ("*-*-* 03:07,12,50:00 UTC",)),
    ("30 2 1,15 jan-mar *", ("*-01..03-01,15 02:30:00 UTC",)),
    ("0 6 * * mon-fri", ("Mon,Tue,Wed,Thu,Fri *-*-* 06:00:00 UTC",)),
    ("0 6 * * 5-7", ("Fri,Sat,Sun *-*-* 06:00:00 UTC",)),
    ("30 4 1,15 * 5", ("*-*-01,15 04:30:00 UTC", "Fri *-*-* 04:30:00 UTC")),
    ("0 0 */2 * 1", ("Mon *-*-01..31/2 00:00:00 UTC",)),
    ("0 0 1-31 * 1", ("*-*-* 00:00:00 UTC",)),
    ("0 0 1 * 0-6", ("*-*-* 00:00:00 UTC",)),
    ("0 0 29 2 *", ("*-02-29 00:00:00 UTC",)),
    ("5/15 * * * *", ("*-*-* *:05..50/15:00 UTC",)),
]


@pytest.mark.parametrize(("cron", "times"), TIMES)
def test_the_times(cron: str, times: tuple[str, ...]) -> None:
    assert on_calendar(cron, "UTC") == times


@needs_systemd
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("cron", [cron for cron, _ in TIMES])
def test_systemd_reads_them_as_cron_does(cron: str, zone: str) -> None:
    after, wanted = datetime(2026, 11, 23, 16, 2, tzinfo=UTC), 12
    found: set[datetime] = set()
    for time in on_calendar(cron, zone):
        shown = subprocess.run(
            [
                str(ANALYZE),
                "calendar",
                f"--iterations={wanted}",
                f"--base-time={after:%Y-%m-%d %H:%M:%S} UTC",
                time,
            ],
            capture_output=True,
            text=True,
            check=True,
            env={"TZ": "UTC", "LC_ALL": "C"},
        ).stdout
        found |= {
            datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            for moment in re.findall(r"(?:elapse|#\d+): \w{3} (\S+ \S+) UTC", shown)
        }
    expected = [
        moment.astimezone(UTC) for moment in islice(CronSim(cron, after.astimezone(ZoneInfo(zone))), wanted)
    ]
    assert sorted(found)[:wanted] == expected


def command(name: str) -> ScheduledCommand:
    folder = Path("/opt") / name
    return ScheduledCommand(
        "*/5 * * * *",
        "Asia/Kolkata",
        (str(folder / "syncctl"),),
        folder / ".env",
        folder,
        folder / "cron.log",
    )


def test_the_pair() -> None:
    units = systemd_units(command("syncctl"), "clerk")
    assert "\nUser=clerk\n" in units.service
    assert "\nExecStart=/opt/syncctl/syncctl api --env-file /opt/syncctl/.env\n" in units.service
    assert "\nSuccessExitStatus=75\n" in units.service
    assert "\nOnCalendar=*-*-* *:00..55/5:00 Asia/Kolkata\nPersistent=true\n" in units.timer


def test_what_means_something_to_systemd_is_made_plain() -> None:
    odd = replace(command("a $HOME 100%"), settings_file=Path('/opt/"x\\$y/.env'))
    units = systemd_units(odd, "clerk")
    start = next(line for line in units.service.splitlines() if line.startswith("ExecStart="))
    assert start == r'ExecStart="/opt/a $HOME 100%%/syncctl" api --env-file "/opt/\"x\\$$y/.env"'
    assert "\nWorkingDirectory=/opt/a $HOME 100%%\n" in units.service


@pytest.mark.parametrize(("name", "trouble"), [("a\nb", "control characters"), ("it's", "quote")])
def test_what_can_not_be_said_in_a_unit(name: str, trouble: str) -> None:
    with pytest.raises(SettingsError, match=trouble):
        systemd_units(command(name), "clerk")


@needs_systemd
def test_systemd_takes_the_pair(tmp_path: Path) -> None:
    folder = tmp_path / "a 100% $HOME"
    folder.mkdir()
    program = folder / "syncctl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = folder / 'it\'s "x"\\'
    scheduled = ScheduledCommand("0 4 1 * 5", "UTC", (str(program),), file, folder, folder / "x")
    units = systemd_units(scheduled, "root")
    (tmp_path / "syncctl.service").write_text(units.service)
    (tmp_path / "syncctl.timer").write_text(units.timer)
    ended = subprocess.run(
        [str(ANALYZE), "verify", "./syncctl.service", "./syncctl.timer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "syncctl" not in ended.stderr, ended.stderr
    assert ended.returncode == 0, ended.stderr
