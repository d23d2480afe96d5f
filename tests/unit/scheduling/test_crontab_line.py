"""The crontab's line, as a shell and as cron take it."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.errors import SettingsError, UsageError
from syncctl.scheduling.crontab_line import (
    FULL,
    CrontabLine,
    ScheduledCommand,
    cron_line,
    crontab_lines,
    daily_schedule,
)

WORDS = """#!/bin/sh
printf '%s\\n' "$PWD" "$@"
"""


def command(
    schedule: str = "*/5 * * * *",
    program: tuple[str, ...] = ("/opt/syncctl",),
    settings_file: Path | None = Path("/opt/.env"),
    output: Path = Path("/opt/data/cron.log"),
    *,
    logs: bool = False,
) -> ScheduledCommand:
    return ScheduledCommand(schedule, "UTC", program, settings_file, Path("/opt"), output, logs)


def test_the_line() -> None:
    assert cron_line(command(" 0  9-17/2 * * MON-FRI ")) == (
        b"0 9-17/2 * * MON-FRI /opt/syncctl api --env-file /opt/.env >> /opt/data/cron.log 2>&1"
    )


def test_what_runs_nightly() -> None:
    full = replace(command(daily_schedule("02:17")), job=FULL)
    assert cron_line(full).startswith(
        b"17 2 * * * /opt/syncctl api --full --wait 600 --env-file /opt/.env >> "
    )
    for wrong in ("24:00", "2", "02:60", "noon", ""):
        with pytest.raises(UsageError, match="HH:MM"):
            daily_schedule(wrong)


def test_with_a_log_file_of_its_own_only_trouble_is_said() -> None:
    assert b"api --env-file /opt/.env --quiet >> /opt/data/cron.log 2>&1" in cron_line(command(logs=True))


def test_without_a_settings_file_it_runs_in_its_folder() -> None:
    line = cron_line(command(settings_file=None))
    assert line == b"*/5 * * * * cd /opt && /opt/syncctl api >> /opt/data/cron.log 2>&1"


@pytest.mark.parametrize("name", ["a b", "it's", 'say "x"', "$HOME", "`id`", "a;b&c", "~", "é\\", "#1", "*"])
def test_the_shell_sees_the_words_as_they_are(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    program = folder / "syncctl"
    program.write_text(WORDS)
    program.chmod(0o755)
    file, output = folder / ".env", folder / "cron.log"
    line = cron_line(command(program=(str(program),), settings_file=file, output=output))
    (job,) = crontab_lines(line)
    assert job.schedule == "*/5 * * * *"
    subprocess.run(["/bin/sh", "-c", os.fsencode(job.command)], cwd=tmp_path, check=True)
    assert output.read_text().splitlines()[1:] == ["api", "--env-file", str(file)]
    assert job.settings_file == str(file)
    assert job.syncs


@pytest.mark.parametrize("name", ["100%", "a\nb", "a\tb", "\x7f"])
def test_what_can_not_stand_in_a_crontab(name: str) -> None:
    with pytest.raises(SettingsError, match="a crontab can't hold") as caught:
        cron_line(command(settings_file=Path("/opt") / name))
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="a crontab can't hold"):
        cron_line(command(output=Path("/opt") / name / "cron.log"))


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    assert b"/opt/\xff" in cron_line(command(settings_file=Path(os.fsdecode(b"/opt/\xff"))))


def test_a_command_that_cron_would_not_take() -> None:
    with pytest.raises(SettingsError, match="cron accepts only 990"):
        cron_line(command(settings_file=Path("/" + "x" * 960)))


@given(st.binary(max_size=200))
def test_any_crontab_can_be_read(content: bytes) -> None:
    for line in crontab_lines(content):
        assert isinstance(line.syncs, bool)
        assert isinstance(line.settings_file, str)


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("syncctl api --env-file /a/.env >> x", "/a/.env"),
        ("syncctl --env-file='/a b/.env' api", "/a b/.env"),
        ("syncctl api", ""),
        ("syncctl 'api --env-file x", "x"),
        ("syncctl api --env-file", ""),
    ],
)
def test_the_settings_file_of_a_line(written: str, file: str) -> None:
    assert CrontabLine("* * * * *", written).settings_file == file
