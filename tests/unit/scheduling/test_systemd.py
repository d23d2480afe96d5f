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
from syncctl.scheduling.crontab_line import FULL, ScheduledCommand
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
    service, timer = units["syncctl.service"], units["syncctl.timer"]
    assert "\nUser=clerk\n" in service
    assert "\nExecStart=/opt/syncctl/syncctl api --env-file /opt/syncctl/.env\n" in service
    assert "\nSuccessExitStatus=75\n" in service
    assert "\nOnCalendar=*-*-* *:00..55/5:00 Asia/Kolkata\nPersistent=true\n" in timer


def test_what_runs_nightly_has_units_of_its_own_by_the_machines_clock() -> None:
    units = systemd_units(replace(command("syncctl"), job=FULL, schedule="17 2 * * *", zone=""), "clerk")
    assert " api --full --wait 600 --env-file /opt/syncctl/.env\n" in units["syncctl-full.service"]
    assert "\nOnCalendar=*-*-* 02:17:00\n" in units["syncctl-full.timer"]


def test_a_service_writes_only_where_it_has_to_and_is_handed_its_keys() -> None:
    fenced = replace(
        command("syncctl"),
        writes=(Path("/var/lib/a b"), Path("/srv/100%")),
        keys={"API_TOKEN_FILE": Path("/etc/syncctl/token")},
    )
    service = systemd_units(fenced, "clerk")["syncctl.service"]
    assert '\nReadWritePaths="/var/lib/a b" "/srv/100%%"\n' in service
    assert "\nLoadCredential=api_token_file:/etc/syncctl/token\n" in service
    assert "\nEnvironment=API_TOKEN_FILE=%d/api_token_file\n" in service
    assert "\nPrivateTmp=true\n" in service
    # A lock file in a /tmp of its own would keep no other run out.
    locked = systemd_units(replace(fenced, writes=(Path("/tmp/locks"),)), "clerk")  # noqa: S108
    assert "\nPrivateTmp=false\n" in locked["syncctl.service"]


def test_what_means_something_to_systemd_is_made_plain() -> None:
    odd = replace(command("a $HOME 100%"), settings_file=Path('/opt/"x\\$y/.env'))
    units = systemd_units(odd, "clerk")
    service = units["syncctl.service"]
    start = next(line for line in service.splitlines() if line.startswith("ExecStart="))
    assert start == r'ExecStart="/opt/a $HOME 100%%/syncctl" api --env-file "/opt/\"x\\$$y/.env"'
    assert "\nWorkingDirectory=/opt/a $HOME 100%%\n" in service


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
    scheduled = replace(scheduled, writes=(file,), keys={"API_TOKEN_FILE": file})
    for name, text in systemd_units(scheduled, "root").items():
        (tmp_path / name).write_text(text)
    ended = subprocess.run(
        [str(ANALYZE), "verify", "./syncctl.service", "./syncctl.timer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "syncctl" not in ended.stderr, ended.stderr
    assert ended.returncode == 0, ended.stderr


@needs_systemd
def test_systemd_rates_the_service_as_hardly_exposed(tmp_path: Path) -> None:
    service = tmp_path / "syncctl.service"
    service.write_text(systemd_units(command("syncctl"), "clerk")[service.name])
    ended = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", "--threshold=15", str(service)],
        capture_output=True,
        text=True,
        check=False,
    )
    # 9.2 of 10 without the fence.
    assert ended.returncode == 0, ended.stdout
