"""Whether something starts the sync at the times of the settings."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncctl.ports.machine import ScheduleState
from syncctl.scheduling.crontab import block
from syncctl.scheduling.state import LineContext, cron_state, old_syncs, timer_state
from syncctl.scheduling.systemd import TimerUnit

WANTED = b"*/5 * * * * /opt/syncctl api --env-file /opt/.env >> /opt/data/cron.log 2>&1"
NOW = datetime(2026, 3, 11, 6, tzinfo=UTC)
KOLKATA = LineContext(ZoneInfo("Asia/Kolkata"), "Asia/Kolkata", {"API_TOKEN", "DATABASE_URL"})


def state_of(crontab: bytes, wanted: bytes = WANTED) -> ScheduleState:
    return cron_state(crontab, wanted, "clerk", KOLKATA, NOW)


@pytest.mark.parametrize(
    ("crontab", "installed", "in_step", "found"),
    [
        (b"", False, False, "no line in clerk's crontab runs `syncctl api`"),
        (b"5 * * * * backup\n", False, False, "no line"),
        (b"17 2 * * * syncctl api --full --env-file /opt/.env\n", False, False, "no line"),
        (b"#*/5 * * * * syncctl api --env-file /opt/.env\n", False, False, "no line"),
        (block(WANTED), True, True, "the line of `syncctl cron install` in clerk's crontab"),
        (b"5 * * * * a\n" + block(WANTED) + b"6 * * * * b\n", True, True, "the line of"),
        (block(WANTED.replace(b"/opt/syncctl", b"/usr/bin/syncctl")), True, True, "the line of"),
        (block(WANTED.replace(b"*/5 ", b"0 ")), True, False, "runs at 0 * * * *, but API_SYNC_TIME is */5 *"),
        (
            block(WANTED.replace(b"/opt/.env", b"/a/.env")),
            True,
            False,
            "--env-file /a/.env, but the settings in",
        ),
        (b"*/5 *  * * * syncctl api --env-file /opt/.env\n", True, True, "written by hand"),
        (b"*/5 * * * * cd /opt && syncctl api\n", True, False, "runs without --env-file"),
        (b"@hourly syncctl api --env-file /opt/.env\n", True, False, "it runs at @hourly"),
        (
            b"0 * * * * syncctl api\n*/5 * * * * syncctl api --env-file /opt/.env\n",
            True,
            True,
            "written by hand",
        ),
        (b"*/5 * * * * cd /app && npm run sync:api\n", False, False, "no line in clerk's crontab runs"),
        (b"*/5 * * * * cd /srv/syncctl && npm run sync:api\n", False, False, "no line"),
        (
            b"*/5 * * * * npm run sync:api\n*/5 * * * * python -m syncctl api --env-file /opt/.env\n",
            True,
            True,
            "written by hand",
        ),
    ],
)
def test_crontabs(crontab: bytes, installed: bool, in_step: bool, found: str) -> None:
    state = state_of(crontab)
    assert (state.installed, state.in_step, state.problem) == (installed, in_step, None)
    assert found in state.found


@pytest.mark.parametrize(
    ("crontab", "found"),
    [
        (b"*/10 * * * * cd /app && npm run sync:api\n", ["*/10 * * * * cd /app && npm run sync:api"]),
        (
            b"@hourly node /app/scripts/syncReturn.js\n" + block(WANTED),
            ["@hourly node /app/scripts/syncReturn.js"],
        ),
        (
            b"0 * * * * cd /srv/syncctl && npm run sync:booking\n",
            ["0 * * * * cd /srv/syncctl && npm run sync:booking"],
        ),
        (block(WANTED) + b"0 * * * * syncctl sync:api\n0 2 * * * '/opt/a b/syncctl' booking\n", []),
        (b"0 2 * * * cd /app && npm run sync:all\n", []),  # said of what imports files
        (b"#*/10 * * * * npm run sync:api\n", []),
    ],
)
def test_the_old_systems_syncs(crontab: bytes, found: list[str]) -> None:
    assert list(old_syncs(crontab)) == found


def test_a_damaged_block_is_a_problem() -> None:
    state = state_of(b"# BEGIN syncctl\n")
    assert not state.installed
    assert "crontab -e" in (state.problem or "")


def test_a_line_that_changes_into_its_folder_needs_no_settings_file() -> None:
    wanted = b"*/5 * * * * cd /opt && /opt/syncctl api >> /opt/data/cron.log 2>&1"
    assert state_of(block(wanted), wanted).in_step


DAILY = WANTED.replace(b"*/5 * * * *", b"30 2 * * *")


@pytest.mark.parametrize(
    ("above", "wanted", "said"),
    [
        (b"SHELL=/bin/sh\nPATH=/usr/bin:/bin\nMAILTO=clerk\nCRON_TZ=Asia/Kolkata\n", DAILY, ()),
        (b'SHELL = "/bin/sh"\n', WANTED, ()),
        (b"#SHELL=/bin/csh\n", WANTED, ()),
        (b"SHELL=/bin/csh\nSHELL=/bin/sh\n", WANTED, ()),
        (b"SHELL=/no/such/shell\n", WANTED, ("SHELL=/no/such/shell: there is no such program",)),
        (b" SHELL\t= '/no/such shell'\n", WANTED, ("SHELL=/no/such shell: there is no such program",)),
        (b"SHELL=/usr/bin/env\n", WANTED, ("SHELL=/usr/bin/env: that isn't a shell that can run the line",)),
        (b"SHELL=\n", WANTED, ("SHELL=: there is no such program",)),
        (b"PATH=/no/folder\n", WANTED, ()),  # the program is named by its whole path
        (b"CRON_TZ=UTC\n", DAILY, ("CRON_TZ=UTC: a cron that supports CRON_TZ uses that clock",)),
        (b"CRON_TZ=UTC\n", WANTED, ()),  # every five minutes is so by any clock
        (b"CRON_TZ=Asia/Colombo\n", DAILY, ()),
        (b"CRON_TZ=Mars/Olympus\n", DAILY, ("CRON_TZ=Mars/Olympus: there is no such time zone",)),
        (b"CRON_TZ=../../etc/passwd\n", DAILY, ("CRON_TZ=../../etc/passwd: there is no such",)),
        (b"API_TOKEN=hush\nOTHER=x\n", WANTED, ("API_TOKEN=…: its runs use that",)),
        (
            b"SHELL=/bin/false\nDATABASE_URL=mongodb://u:hush@h/n\n",
            WANTED,
            ("SHELL=/bin/false: that isn't a shell", "DATABASE_URL=…: its runs"),
        ),
    ],
)
def test_what_is_set_above_the_block(above: bytes, wanted: bytes, said: tuple[str, ...]) -> None:
    found = state_of(above + block(wanted) + b"SHELL=/bin/csh\n", wanted)
    assert found.in_step
    assert len(found.obstacles) == len(said)
    for obstacle, words in zip(found.obstacles, said, strict=True):
        assert obstacle.startswith(words)
        assert "hush" not in obstacle


def test_what_runs_nightly_has_to_fit_too() -> None:
    full = b"17 2 * * * /opt/syncctl api --full --wait 600 --env-file /opt/.env >> /opt/data/cron.log 2>&1"
    state = state_of(b"SHELL=/no/shell\nCRON_TZ=Asia/Kolkata\n" + block(WANTED, full))
    assert state.in_step
    assert state.schedule == "*/5 * * * *"
    shell, zone = state.obstacles  # the shell once
    assert shell.startswith("SHELL=")
    assert "nightly is meant by the machine's" in zone
    assert not state_of(block(WANTED, full.replace(b"/opt/.env", b"/old/.env"))).in_step


def test_a_line_by_hand_finds_its_program_in_the_path_above_it(tmp_path: Path) -> None:
    program = tmp_path / "syncctl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    line = b"*/5 * * * * syncctl api --env-file /opt/.env\n"
    assert state_of(f"PATH={tmp_path}:/bin\n".encode() + line).obstacles == ()
    (said,) = state_of(b"PATH=/bin\n" + line).obstacles
    assert said == "PATH=/bin: syncctl is in none of these folders"
    assert state_of(line + b"PATH=/bin\n").obstacles == ()


@pytest.mark.parametrize(
    "first", ["#!/usr/bin/env no-such-python", "#! /usr/bin/env -S A=b no-such-python -u"]
)
def test_a_program_whose_interpreter_is_looked_for_in_the_path(tmp_path: Path, first: str) -> None:
    program = tmp_path / "syncctl"
    program.write_text(f"{first}\n")
    wanted = WANTED.replace(b"/opt/syncctl", str(program).encode())
    (said,) = state_of(b"PATH=/bin\n" + block(wanted), wanted).obstacles
    assert "no-such-python" in said
    (tmp_path / "no-such-python").touch(mode=0o755)
    assert state_of(f"PATH={tmp_path}\n".encode() + block(wanted), wanted).obstacles == ()


@pytest.mark.parametrize(
    ("text", "enabled", "installed", "in_step"),
    [
        ("[Timer]\nOnCalendar=a\nOnCalendar = b\n", True, True, False),
        ("[Timer]\nOnCalendar=a\nOnCalendar=b\n", True, True, True),
        ("[Timer]\nOnCalendar=a\nOnCalendar=b\n", False, False, False),
        ("[Timer]\n", True, True, False),
    ],
)
def test_timers(text: str, enabled: bool, installed: bool, in_step: bool) -> None:
    state = timer_state(TimerUnit(Path("/etc/x.timer"), text, enabled), ("a", "b"))
    assert (state.installed, state.in_step) == (installed, in_step)
    assert state.by_systemd
    assert "/etc/x.timer" in state.found
