"""`api` and its parts as users, scripts and cron meet them."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from syncctl.run_lock import RunLock
from syncctl.sandbox import Fault, Sandbox
from tests.support.program import Ended, Program
from tests.support.store_files import SAMPLES

TOP_KEYS = {
    "command", "ok", "schema", "run_id", "trigger", "dry_run", "started_at", "duration_s", "next_sync_at",
    "steps",
}  # fmt: skip
STEP_KEYS = {
    "name", "status", "locations", "rows", "saved", "updated", "existing", "reported", "merged", "invalid",
    "ignored", "errors", "error",
}  # fmt: skip


def count(program: Program, query: str) -> int:
    with closing(sqlite3.connect(program.folder / "data" / "syncctl.db")) as database:
        number: int = database.execute(query).fetchone()[0]
        return number


def assert_no_customers_number(ended: Ended, sandbox: Sandbox) -> None:
    for location in sandbox.locations:
        for row in sandbox.rows("booking", location):
            digits = re.sub(r"\D", "", str(row.get("phoneNo") or ""))
            assert len(digits) < 9 or digits[-9:] not in ended.output


def test_under_cron_it_says_what_the_old_log_said(program: Program) -> None:
    ended = program.run("api")
    assert ended.status == 0
    assert ended.stdout == ""
    said = [line.split("  ", 1)[1] for line in ended.stderr.splitlines()]
    assert re.fullmatch(r"Starting automatic API sync at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said[0])
    assert [line for line in said if line.startswith("Step")] == [
        "Step 1/3: Syncing Stores…",
        "Step 2/3: Syncing Booking Confirmations…",
        "Step 3/3: Syncing Returns…",
    ]
    totals = dict(line.split(": ", 1) for line in said if line.startswith(("Total", "Locations", "Next")))
    assert totals["Locations processed"] == "39/39"
    assert int(totals["Total new records saved"]) == count(program, "SELECT count(*) FROM leads")
    assert totals["Total skipped (already exists)"].isdigit()
    assert totals["Total errors"] == "0"
    assert totals["Next sync"].startswith(("none", "not known"))  # no crontab starts this one
    completed, duration, next_sync = said[-3:]
    assert completed == "Automatic API sync completed successfully"
    assert duration.startswith("Duration: ")
    assert next_sync.startswith("Next sync: ")
    assert "\x1b" not in ended.output


def test_in_a_pipe_it_is_by_hand_if_the_process_belongs_to_a_terminal(program: Program) -> None:
    piped = f"{sys.executable} -m syncctl stores --json < /dev/null 2> log | cat"
    code = f"import pty; pty.spawn(['/bin/sh', '-c', {piped!r}])"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ended.stdout)["trigger"] == "manual"
    assert "Starting manual store sync" in (program.folder / "log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("booking",), ("api", "--dry-run"), ("api", "--location", "no such")])
def test_only_an_automatic_run_of_all_apis_is_said_to_be_completed(
    program: Program, arguments: tuple[str, ...]
) -> None:
    assert "completed successfully" not in program.run(*arguments).output


@pytest.mark.slow
def test_a_run_that_failed_in_part_is_not_said_to_be_completed(program: Program, sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("404", api="booking", location=sandbox.locations[0]))
    assert "completed successfully" not in program.run("api").output
    sandbox.set_faults()
    assert "completed successfully" in program.run("api").output
    assert "completed successfully" not in program.run_on_terminal("api").output


def test_json_is_exactly_one_object(program: Program) -> None:
    ended = program.run("api", "--json")
    assert ended.status == 0
    assert ended.stdout.count("\n") == 1
    result = json.loads(ended.stdout)
    assert set(result) == TOP_KEYS
    assert (result["command"], result["ok"], result["trigger"], result["dry_run"]) == (
        "api",
        True,
        "auto",
        False,
    )
    assert result["started_at"].endswith("Z")
    assert result["next_sync_at"].endswith("Z")
    assert [step["name"] for step in result["steps"]] == ["stores", "booking", "return"]
    for step in result["steps"]:
        assert set(step) == STEP_KEYS | ({"audit"} if step["name"] != "stores" else set())
        assert set(step["locations"]) == {"processed", "total"}
        parts = ("saved", "updated", "existing", "reported", "merged", "invalid", "ignored")
        assert step["rows"] == sum(step[part] for part in parts)
        assert (step["status"], step["errors"], step["error"]) == ("success", 0, None)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stores", "booking", "return", "api"])
def test_the_old_systems_names_work(program: Program, name: str) -> None:
    old = json.loads(program.run(f"sync:{name}", "--json", "--dry-run").stdout)
    new = json.loads(program.run(name, "--json", "--dry-run").stdout)
    for result in (old, new):
        for volatile in ("run_id", "started_at", "duration_s", "next_sync_at"):
            del result[volatile]
    assert old == new
    assert old["command"] == name


def test_a_dry_run_says_for_each_location_what_would_be_and_leaves_no_file(
    program: Program, sandbox: Sandbox
) -> None:
    ended = program.run("booking", "--dry-run", "--location", sandbox.locations[0])
    assert ended.status == 0
    assert re.search(rf"booking {sandbox.locations[0]} .*: \d+ rows: \d+ would be added", ended.stderr)
    assert sorted(path.name for path in program.folder.iterdir()) == [".env"]


@pytest.mark.slow
def test_switched_off_it_does_nothing_under_cron_unless_forced(program: Program, sandbox: Sandbox) -> None:
    program.write_env(API_SYNC_ENABLED="false", API_BASE_URL=sandbox.base_url, API_CALL_DELAY_MS=0)
    off = program.run("api")
    assert (off.status, off.stdout) == (0, "")
    assert len(off.stderr.splitlines()) == 1
    assert "API_SYNC_ENABLED" in off.stderr
    off = program.run("api", "--json")
    assert off.status == 0
    assert [step["status"] for step in json.loads(off.stdout)["steps"]] == ["skipped"] * 3
    assert sandbox.requests == []
    assert program.run("stores", "--force").status == 0
    assert sandbox.requests
    asked = len(sandbox.requests)
    assert program.run_on_terminal("stores").status == 0
    assert len(sandbox.requests) > asked


def test_a_held_lock_ends_the_run_with_75_naming_the_holder(program: Program) -> None:
    with RunLock(program.folder / "data" / "syncctl.lock").hold(0):
        held = program.run("api")
        started = time.monotonic()
        assert program.run("api", "--wait", "0.5").status == 75
        assert time.monotonic() - started >= 0.5
    assert held.status == 75
    assert len(held.stderr.splitlines()) <= 2
    assert re.search(r"pid \d+", held.stderr)
    assert program.run("stores").status == 0


@pytest.mark.slow
def test_on_a_terminal_a_wait_is_shown_in_place_and_not_with_q(program: Program) -> None:
    with RunLock(program.folder / "data" / "syncctl.lock").hold(0):
        shown = program.run_on_terminal("api", "--wait", "1.5")
        assert shown.status == 75
        assert f"waiting for run {os.getpid()}, 1 s of 1.5" in shown.stdout
        assert "waiting" not in program.run_on_terminal("api", "--wait", "1.5", "-q").stdout
        dumb = program.run_on_terminal("api", "--wait", "1.5", TERM="dumb").stdout
        assert f"waiting for run {os.getpid()}, up to 1.5 s\r\n" in dumb
        assert "\x1b" not in dumb
        gone = "mongodb://127.0.0.1:1/leads?serverSelectionTimeoutMS=1500"
        shown = program.run_on_terminal("history", DATABASE_URL=gone)
        assert "waiting for MongoDB at 127.0.0.1:1, 1 s of 1.5" in shown.stdout
        (line, *_) = program.run("api", "--wait", "0.1").stderr.splitlines()
        assert line.endswith(f"INFO  Waiting for run {os.getpid()}, up to 0.1 s")


@pytest.mark.slow
def test_stdout_and_stderr_are_judged_apart(program: Program) -> None:
    shown, piped = program.run_half_on_terminal("stores", on_terminal="stderr")
    assert "1/1 Stores" in shown
    assert "Total new records saved: " in piped
    assert "\x1b" not in piped
    shown, piped = program.run_half_on_terminal("stores", on_terminal="stdout")
    assert "Already there" in shown
    assert "INFO  Step 1/1: Syncing Stores…" in piped
    assert "\x1b" not in piped


def test_one_dead_api_is_status_1_and_the_others_complete(program: Program, sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("404", api="booking"))
    ended = program.run("api", "--json")
    assert ended.status == 1
    result = json.loads(ended.stdout)
    assert not result["ok"]
    assert [step["status"] for step in result["steps"]] == ["success", "failed", "success"]
    assert "404" in result["steps"][1]["error"]
    assert "ERROR" in ended.stderr
    assert count(program, "SELECT count(*) FROM leads WHERE leadType = 'return'") > 0


@pytest.mark.slow
def test_a_dead_database_is_status_69_within_seconds(program: Program, sandbox: Sandbox) -> None:
    started = time.monotonic()
    ended = program.run("api", DATABASE_URL="mongodb://user:hush-hush@127.0.0.1:9/leads")
    assert time.monotonic() - started < 10
    assert (ended.status, ended.stdout) == (69, "")
    assert "127.0.0.1:9" in ended.stderr
    assert "hush-hush" not in ended.output
    assert sandbox.requests == []


def test_a_broken_database_file_is_status_69(program: Program) -> None:
    folder = program.folder / "data"
    folder.mkdir()
    (folder / "syncctl.db").write_bytes(b"this is no database" * 100)
    ended = program.run("api")
    assert ended.status == 69
    assert "syncctl.db" in ended.stderr
    assert len(ended.stderr.splitlines()) <= 3


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("API_CONCURRENCY", "many"),
        ("API_SYNC_TIME", "every five minutes"),
        ("DATABASE_URL", "mysql://x/y"),
        ("MONGO_URI", "mongodb://127.0.0.1:9"),
        ("BOOKING_API_ENDPOINT", "/api/Reports/GetRentoutList"),
        ("RETURN_API_ENDPOINT", "/api/Reports/get-rent-out"),
        ("BOOKING_API_KEY_FILE", "/no/such/file"),
    ],
)
def test_a_wrong_setting_is_status_78_and_named(program: Program, setting: str, value: str) -> None:
    ended = program.run("api", **{setting: value})
    assert (ended.status, ended.stdout) == (78, "")
    assert setting in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("api", "--from", "31-12-2025"),
        ("api", "--to", "2025-12-31"),
        ("api", "--from", "2025-12-31", "--to", "2025-12-01"),
        ("api", "--full", "--from", "2025-12-01"),
        ("api", "--location", "no-such"),
        ("api", "--wait", "-1"),
        ("api", "--no-such-option"),
        ("no-such-command",),
    ],
)
def test_a_wrong_command_line_is_status_2(program: Program, arguments: tuple[str, ...]) -> None:
    ended = program.run(*arguments)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr


def wait_for_a_request(sandbox: Sandbox, api: str) -> None:
    deadline = time.monotonic() + 20
    while not any(request.api == api for request in sandbox.requests):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_cleanly(
    program: Program, sandbox: Sandbox, sent: signal.Signals, status: int
) -> None:
    sandbox.set_faults(Fault("slow", api="return", seconds=30))
    with program.start("api") as process:
        wait_for_a_request(sandbox, "return")
        time.sleep(0.3)
        process.send_signal(sent)
        stdout, stderr = process.communicate(timeout=10)
    assert process.returncode == status
    assert stdout == ""
    assert "Traceback" not in stderr
    assert "what was stored is kept" in stderr
    assert count(program, "SELECT count(*) FROM leads") > 0
    assert count(program, "SELECT count(*) FROM synclogs WHERE status = 'failed'") == 1
    sandbox.set_faults()
    assert program.run("api").status == 0


def broken_off(stdout: str) -> list[dict[str, Any]]:
    """The steps of the one object that a run prints which was ended before its time."""
    assert stdout.count("\n") == 1
    result = json.loads(stdout)
    assert set(result) == TOP_KEYS | {"error"}
    assert not result["ok"]
    steps: list[dict[str, Any]] = result["steps"]
    for step in steps:
        parts = ("saved", "updated", "existing", "reported", "merged", "invalid", "ignored")
        assert step["rows"] == sum(step[part] for part in parts)
    return steps


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (signal.SIGTERM, 143, "terminated by a signal before it finished"),
        (signal.SIGINT, 130, "interrupted before it finished"),
    ],
)
def test_json_of_an_interrupted_run_is_its_result_so_far(
    program: Program, sandbox: Sandbox, sent: signal.Signals, status: int, error: str
) -> None:
    sandbox.set_faults(Fault("slow", api="return", seconds=30))
    with program.start("api", "--json") as process:
        wait_for_a_request(sandbox, "return")
        time.sleep(0.3)
        process.send_signal(sent)
        stdout, stderr = process.communicate(timeout=10)
    assert process.returncode == status
    assert "what was stored is kept" in stderr
    assert json.loads(stdout)["error"]["exit_code"] == status
    *done, last = broken_off(stdout)
    assert [(step["name"], step["status"]) for step in done] == [
        ("stores", "success"),
        ("booking", "success"),
    ]
    assert (last["name"], last["status"], last["error"]) == ("return", "failed", error)
    assert done[1]["saved"] > 0


class ProgramLosingDatabase(Program):
    """`syncctl` whose database goes away at the call that the last argument names."""

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", THE_DATABASE_GOES_AWAY]


THE_DATABASE_GOES_AWAY = """
import sys
from syncctl.errors import StorageUnavailableError
from syncctl.storage.sqlite.storage import SqliteStorage
def gone(*given):
    raise StorageUnavailableError("The database is gone.")
setattr(SqliteStorage, sys.argv.pop(), gone)
from syncctl.cli.main import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "call", "steps"),
    [
        (("api",), "stores", [("stores", "failed")]),
        (("api",), "save_location_states", [("stores", "success"), ("booking", "failed")]),
        (("api",), "save_run", [("stores", "success"), ("booking", "success"), ("return", "success")]),
        (
            ("import", "walkin", str(SAMPLES / "walkin_sg_calicut.xlsx")),
            "store_leads",
            [("walkin", "failed")],
        ),
    ],
)
def test_json_of_a_run_whose_database_goes_away_is_its_result_so_far(
    tmp_path: Path, sandbox: Sandbox, arguments: tuple[str, ...], call: str, steps: list[tuple[str, str]]
) -> None:
    ended = ProgramLosingDatabase(tmp_path, API_BASE_URL=sandbox.base_url).run(*arguments, "--json", call)
    assert ended.status == 69
    assert "The database is gone." in ended.stderr
    assert json.loads(ended.stdout)["error"] == {
        "exit_code": 69,
        "message": "The database is gone.",
        "hint": None,
    }
    steps_printed = broken_off(ended.stdout)
    assert [(step["name"], step["status"]) for step in steps_printed] == steps
    assert {step["error"] for step in steps_printed if step["status"] == "failed"} <= {
        "The database is gone."
    }


def test_json_of_a_run_that_has_not_begun_is_an_error(program: Program) -> None:
    (program.folder / "data").mkdir()
    with RunLock(program.folder / "data" / "syncctl.lock").hold(0):
        locked = program.run("api", "--json")
    assert (locked.status, json.loads(locked.stdout)["error"]["exit_code"]) == (75, 75)
    unreachable = program.run("api", "--json", DATABASE_URL="sqlite:////proc/no/such.db")
    assert (unreachable.status, json.loads(unreachable.stdout)["error"]["exit_code"]) == (69, 69)


@pytest.mark.slow
def test_neither_secret_nor_phone_number_in_any_output(program: Program, sandbox: Sandbox) -> None:
    log_file = program.folder / "sync.log"
    for fault in ("500", "401", "html", "redirect"):
        sandbox.set_faults(Fault(fault, rate=0.5))
        ended = program.run(
            "api", "--full", "-v", API_TOKEN="hush-hush-token", API_MAX_TRIES="2", SYNC_LOG_FILE=str(log_file)
        )
        assert "hush-hush" not in ended.output
        assert_no_customers_number(ended, sandbox)
    assert "hush-hush" not in log_file.read_text(encoding="utf-8")


def test_the_key_is_sent_and_may_come_from_a_file(tmp_path: Path) -> None:
    with Sandbox(locations=2, bookings=5, token="the-key") as sandbox:
        program = Program(tmp_path, API_BASE_URL=sandbox.base_url, API_TOKEN_FILE=tmp_path / "key")
        (tmp_path / "key").write_text("the-key\n", encoding="utf-8")
        assert program.run("api").status == 0
        refused = program.run("booking", API_TOKEN="another")
        assert refused.status == 1
        assert "API_TOKEN" in refused.stderr


def test_a_log_file_in_json_lines(program: Program) -> None:
    ended = program.run("stores", SYNC_LOG_FILE="logs/sync.log", SYNC_LOG_FORMAT="json")
    assert ended.status == 0
    lines = (program.folder / "logs" / "sync.log").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert entries[0]["message"].startswith("Starting automatic store sync")
    assert [json.loads(line)["message"] for line in ended.stderr.splitlines()] == [
        e["message"] for e in entries
    ]


def test_quiet_says_nothing_when_all_is_right(program: Program) -> None:
    program.run("api")  # after which the invalid rows of the sandbox are known
    assert program.run("api", "-q").output == ""
    assert program.run("-q", "stores").output == ""


@pytest.mark.slow
def test_newly_rejected_rows_are_one_warning_and_known_ones_none(program: Program) -> None:
    would_be = program.run("api", "--dry-run", "-q").stderr
    ended = program.run("api", "--json", "-q")
    new = sum(step["invalid"] for step in json.loads(ended.stdout)["steps"])
    assert new == count(program, "SELECT count(*) FROM syncrejects")
    line = rf"\S+Z WARN  {new} rows %s: .*`syncctl rejects list` shows why\.\n"
    assert re.fullmatch(line % "would be newly rejected", would_be)
    assert re.fullmatch(line % "newly rejected", ended.stderr)
    assert "WARN" not in program.run("api").stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("-q",)])
def test_newly_rejected_rows_are_told_on_a_terminal(program: Program, arguments: tuple[str, ...]) -> None:
    shown = program.run_on_terminal("booking", *arguments, columns=120).stdout
    new = count(program, "SELECT count(*) FROM syncrejects")
    assert shown.count(f"! {new} rows newly rejected: `syncctl rejects list` shows why.") == 1
    assert "newly rejected" not in program.run_on_terminal("booking", *arguments, columns=120).stdout


@pytest.mark.slow
def test_on_a_terminal_it_shows_progress_and_a_table(program: Program) -> None:
    shown = program.run_on_terminal("api")
    assert shown.status == 0
    assert "\x1b[" in shown.stdout
    assert "Syncing stores, bookings and returns" in shown.stdout
    assert "2/3 Bookings" in shown.stdout
    assert "Already there" in program.run_on_terminal("api").stdout
    assert count(program, "SELECT count(*) FROM synclogs WHERE \"trigger\" = 'manual'") == 6
    plain = program.run_on_terminal("api", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain.stdout)
    for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", plain.stdout).splitlines():
        assert len(line.rstrip()) <= 80


def test_the_log_s_level(program: Program) -> None:
    usual = program.run("stores", SYNC_LOG_FILE="usual.log")
    assert "INFO" in usual.stderr
    ended = program.run("stores", SYNC_LOG_FILE="quiet.log", SYNC_LOG_LEVEL="warning")
    assert (ended.status, ended.output) == (0, "")
    assert (program.folder / "quiet.log").read_text(encoding="utf-8") == ""
    ended = program.run("booking", SYNC_LOG_FILE="all.log", SYNC_LOG_LEVEL="debug")
    assert "DEBUG" in ended.stderr
    assert "DEBUG" in (program.folder / "all.log").read_text(encoding="utf-8")
    assert program.run("stores", SYNC_LOG_LEVEL="loud").status == 78
