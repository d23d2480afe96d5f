"""Whether something starts the sync at the times of the settings."""

from pathlib import Path

import pytest

from syncctl.cron.block import block
from syncctl.cron.state import cron_state, old_syncs, timer_state

WANTED = b"*/5 * * * * /opt/syncctl api --env-file /opt/.env >> /opt/data/cron.log 2>&1"


@pytest.mark.parametrize(
    ("crontab", "installed", "in_step", "found"),
    [
        (b"", False, False, "no line of clerk's crontab runs `syncctl api`"),
        (b"5 * * * * backup\n", False, False, "no line"),
        (b"17 2 * * * syncctl api --full --env-file /opt/.env\n", False, False, "no line"),
        (b"#*/5 * * * * syncctl api --env-file /opt/.env\n", False, False, "no line"),
        (block(WANTED), True, True, "the line of `syncctl cron install` in clerk's crontab"),
        (b"5 * * * * a\n" + block(WANTED) + b"6 * * * * b\n", True, True, "the line of"),
        (block(WANTED.replace(b"/opt/syncctl", b"/usr/bin/syncctl")), True, True, "the line of"),
        (block(WANTED.replace(b"*/5 ", b"0 ")), True, False, "runs at 0 * * * *, API_SYNC_TIME is */5 *"),
        (block(WANTED.replace(b"/opt/.env", b"/a/.env")), True, False, "--env-file /a/.env, the settings in"),
        (b"*/5 *  * * * syncctl api --env-file /opt/.env\n", True, True, "written by hand"),
        (b"*/5 * * * * cd /opt && syncctl api\n", True, False, "runs without --env-file"),
        (b"@hourly syncctl api --env-file /opt/.env\n", True, False, "it runs at @hourly"),
        (
            b"0 * * * * syncctl api\n*/5 * * * * syncctl api --env-file /opt/.env\n",
            True,
            True,
            "written by hand",
        ),
        (b"*/5 * * * * cd /app && npm run sync:api\n", False, False, "no line of clerk's crontab runs"),
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
    state = cron_state(crontab, WANTED, "clerk")
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
    state = cron_state(b"# BEGIN syncctl\n", WANTED, "clerk")
    assert not state.installed
    assert "crontab -e" in (state.problem or "")


def test_a_line_that_changes_into_its_folder_needs_no_settings_file() -> None:
    wanted = b"*/5 * * * * cd /opt && /opt/syncctl api >> /opt/data/cron.log 2>&1"
    assert cron_state(block(wanted), wanted, "clerk").in_step


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
    state = timer_state(Path("/etc/x.timer"), text, ("a", "b"), enabled=enabled)
    assert (state.installed, state.in_step) == (installed, in_step)
    assert state.by_systemd
    assert "/etc/x.timer" in state.found
