"""`status` on a terminal, in a pipe, as JSON, and again and again."""

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.run_history import SyncLog
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.storage.registry import open_storage
from tests.support.program import Program

UNREACHABLE = "mongodb://u:pass-word@127.0.0.1:9/leads?serverSelectionTimeoutMS=200"


def log(folder: Path, ago: timedelta, status: StepStatus = StepStatus.SUCCESS, error: str = "") -> None:
    with closing(open_storage(f"sqlite:///{folder / 'data' / 'syncctl.db'}")) as database:
        database.prepare()
        for kind in ("store", "booking", "return"):
            moment = datetime.now(UTC) - ago
            database.add_sync_log(SyncLog(kind, Trigger.AUTO, moment, 0, status, error or None))
        for report in (StepName.BOOKING, StepName.RETURN):
            database.save_location_states(report, [LocationState("7", min(moment, datetime.now(UTC)))])


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_after_a_run_it_is_ok(program: Program) -> None:
    program.run("api")
    ended = program.run("status", "--json", PATH=str(program.folder))  # where no crontab(1) is found
    assert ended.status == 0
    status = json.loads(ended.stdout)
    assert (status["health"], status["ok"]) == ("OK", True)
    not_seen, waiting = status["reasons"]
    assert not_seen.startswith("Scheduler: ")  # one run without a terminal is no scheduler
    assert "rejects" in waiting
    assert (status["scheduled"]["by"], status["next_sync_at"]) == (None, None)
    booking = status["steps"][1]
    assert (booking["name"], booking["status"], booking["late"]) == ("booking", "success", False)
    assert booking["counts"]["saved"] == booking["new"] > 0
    assert status["leads"] >= booking["new"]
    in_pipe = program.run("status")
    assert in_pipe.status == 0
    assert in_pipe.stdout.startswith("health\tOK\t")
    assert in_pipe.stdout.count("leads of a day\t") == 14


@pytest.mark.slow
@pytest.mark.parametrize("command", [("api",), ("api", "--dry-run"), ("verify", "data"), ("explain", "9")])
def test_a_database_of_newer_key_rules_is_status_78(program: Program, command: tuple[str, ...]) -> None:
    program.run("stores")
    with closing(sqlite3.connect(program.folder / "data" / "syncctl.db")) as database, database:
        database.execute("UPDATE synckeyrules SET version = version + 1")
    ended = program.run(*command)
    assert ended.status == 78
    assert "was written by a newer syncctl: upgrade this one" in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2


def test_before_the_first_run_it_is_late(program: Program) -> None:
    ended = program.run("status")
    assert ended.status == 1
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("health\tLATE\t")
    assert lines[-1].startswith("next step\t`syncctl doctor`")


@pytest.mark.slow
def test_late_and_failing_end_with_what_to_do_next(program: Program) -> None:
    log(program.folder, timedelta(days=1))
    assert program.run("status").stdout.splitlines()[-1].startswith("next step\t`syncctl verify sync`")
    for columns in (60, 200):
        lines = plain(program.run_on_terminal("status", columns=columns).stdout).splitlines()
        assert lines[-1].startswith("→ `syncctl verify sync`")
        assert len(lines) <= 26
    ended = program.run("status", DATABASE_URL=UNREACHABLE)
    assert ended.stdout.splitlines()[-1].startswith("next step\t`syncctl doctor`")


def test_a_run_of_one_location_is_not_ok(program: Program) -> None:
    program.run("stores")
    program.run("booking", "--location", "7")
    program.run("return", "--location", "7", "--from", "2026-01-01", "--to", "2026-01-02")
    ended = program.run("status", "--json")
    assert ended.status == 1
    status = json.loads(ended.stdout)
    assert [step["late"] for step in status["steps"]] == [False, True, True]
    partly = ["only some locations or days" in reason for reason in status["reasons"]]
    assert partly == [True, True, False, False]
    assert "reject" in status["reasons"][3]


@pytest.mark.slow
def test_no_age_is_negative_when_an_entry_is_dated_in_the_future(program: Program) -> None:
    log(program.folder, -timedelta(days=1400))
    ended = program.run("status")
    assert ended.status == 0
    assert ended.stdout.count("\tdated in the future\t") == 3
    assert not re.search(r"-\d+ s", ended.stdout)
    assert "in the future, by" not in plain(program.run_on_terminal("status").stdout)
    log(program.folder, -timedelta(seconds=90))
    assert "\t0 s ago\t" in program.run("status").stdout


@pytest.mark.slow
def test_errors_are_redacted_and_harmless(program: Program) -> None:
    log(program.folder, timedelta(0), StepStatus.FAILED, "bad [/red] row of 9012345678\x1b[2J")
    for ended in (
        program.run("status"),
        program.run("status", "--json"),
        program.run_on_terminal("status"),
        program.run_on_terminal("verify", "sync"),
    ):
        assert ended.status == 1
        assert "FAILING" in ended.stdout or "wrong" in ended.stdout
        assert "[/red]" in plain(ended.stdout)
        assert "90xxxxxx78" in ended.stdout
        assert "\x1b[2J" not in ended.stdout


def test_an_unreachable_database_is_failing(program: Program) -> None:
    ended = program.run("status", "--json", DATABASE_URL=UNREACHABLE)
    assert ended.status == 1
    status = json.loads(ended.stdout)
    assert (status["health"], status["leads"]) == ("FAILING", None)
    assert "127.0.0.1:9" in status["reasons"][0]
    assert "pass-word" not in ended.output


def test_it_says_that_automatic_sync_is_off(program: Program) -> None:
    log(program.folder, timedelta(0))
    ended = program.run("status", API_SYNC_ENABLED="false")
    assert ended.status == 1
    assert ended.stdout.startswith("health\tPAUSED\t")
    assert "next sync\tnone while paused (API_SYNC_ENABLED=false)" in ended.stdout


@pytest.mark.slow
def test_it_fits_on_one_screen_of_any_width(program: Program) -> None:
    log(program.folder, timedelta(0))
    for columns in (60, 80, 200):
        ended = program.run_on_terminal("status", columns=columns)
        lines = plain(ended.stdout).splitlines()
        assert len(lines) <= 24
        assert all(len(line) <= columns for line in lines)
        assert lines[0].startswith("OK")
        assert any(re.match(r"bookings +just now +success", line) for line in lines)
        assert len(lines[-1].split()) == 14


def test_watching_in_a_pipe_tells_again_until_ctrl_c(program: Program) -> None:
    log(program.folder, timedelta(0))
    with program.start("status", "--watch", "--interval", "0.1") as process:
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            seen += line.startswith("health\t")
            if seen == 3:
                break
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=10)
    assert (process.returncode, stderr) == (130, "")


def test_watching_on_a_terminal_ends_quietly_by_ctrl_c(program: Program) -> None:
    log(program.folder, timedelta(0))
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "syncctl", "status", "--watch", "--interval", "0.1"],
        cwd=program.folder,
        env=program.environment | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    ) as process:
        os.close(follower)
        shown = b""
        give_up_at = time.monotonic() + 20
        while shown.count(b"Next sync") < 2 and time.monotonic() < give_up_at:
            shown += os.read(leader, 65536)
        process.send_signal(signal.SIGINT)
        while chunk := _read(leader):
            shown += chunk
        assert process.wait(timeout=10) == 130
    os.close(leader)
    assert shown.count(b"Next sync") >= 2
    for word in (b"Traceback", b"Stopped", b"Error"):
        assert word not in shown


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # EIO: the other end is closed
        return b""


@pytest.mark.slow
@pytest.mark.parametrize("interval", ["nan", "inf", "1e10", "86401", "0", "-1"])
def test_an_interval_that_nobody_can_wait_for_is_refused(program: Program, interval: str) -> None:
    ended = program.run("status", "--watch", "--interval", interval)
    assert (ended.status, ended.stdout) == (2, "")
    assert "--interval" in ended.stderr


def test_watching_as_json_is_refused(program: Program) -> None:
    ended = program.run("status", "--watch", "--json")
    assert ended.status == 2
    assert "--watch" in json.loads(ended.stdout)["error"]["message"]
