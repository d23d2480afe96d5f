"""`verify source` as a person or cron runs it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from syncctl.sandbox import Fault, Sandbox
from tests.support.program import Program


@pytest.fixture
def lost(program: Program) -> list[str]:
    """Booking numbers of two leads that are lost together with what is known of them."""
    assert program.run("api").status == 0
    with closing(sqlite3.connect(program.folder / "data" / "syncctl.db")) as database, database:
        found = database.execute(
            "SELECT _id, bookingNo FROM leads WHERE leadType = 'bookingConfirmation' AND bookingNo != '' "
            "ORDER BY createdAt LIMIT 2"
        ).fetchall()
        for lead_id, _ in found:
            database.execute("DELETE FROM leads WHERE _id = ?", (lead_id,))
            database.execute("DELETE FROM syncrecords WHERE leadId = ?", (lead_id,))
    return sorted(number for _, number in found)


def lines(stdout: str, kind: str) -> list[list[str]]:
    return [line.split("\t") for line in stdout.splitlines() if line.startswith(f"{kind}\t")]


def test_on_nothing_it_finds_everything_missing_and_makes_no_file(program: Program) -> None:
    ended = program.run("verify", "source")
    assert ended.status == 1
    assert lines(ended.stdout, "missing")
    assert not (program.folder / "data").exists()


def test_healthy_is_status_0_and_says_nothing_on_stderr(program: Program) -> None:
    program.run("api")
    ended = program.run("verify", "source")
    assert (ended.status, ended.stderr) == (0, "")
    assert all(line.startswith("ok\t") for line in ended.stdout.splitlines())


@pytest.mark.slow
def test_what_is_missing_is_listed_and_repaired(program: Program, lost: list[str]) -> None:
    ended = program.run("verify", "source")
    assert ended.status == 1
    missing = lines(ended.stdout, "missing")
    assert sorted(cells[4] for cells in missing) == lost
    assert all("xxxxxx" in cells[5] for cells in missing)
    found = json.loads(program.run("verify", "source", "--json").stdout)
    assert (found["command"], found["ok"], found["run_id"]) == ("verify source", False, None)
    assert sorted(entry["booking_no"] for entry in found["findings"]) == lost
    assert sum(place["missing"] for place in found["locations"]) == 2
    repaired = program.run("verify", "source", "--repair")
    assert repaired.status == 0
    assert sorted(cells[4] for cells in lines(repaired.stdout, "repaired")) == lost
    assert "2 added" in repaired.stdout
    assert "Starting automatic verify source" in repaired.stderr
    assert program.run("verify", "source").status == 0


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_on_a_terminal_nothing_is_cut_off(
    program: Program, sandbox: Sandbox, lost: list[str], columns: int
) -> None:
    row = next(row for row in sandbox.rows("booking") if row.get("bookingNo") not in {None, "", *lost})
    sandbox.change_booking(row["bookingNo"], customerName="[bold]Zed[/bold] \x1b[31m")
    ended = program.run_on_terminal("verify", "source", columns=columns)
    assert ended.status == 1
    for word in ("✗", "Missing", "--repair", *lost, "[bold]Zed[/bold]"):
        assert word in ended.stdout
    assert "\x1b[31m \n" not in ended.stdout


def test_a_location_that_fails_is_status_1_and_named(program: Program, sandbox: Sandbox) -> None:
    program.run("api")
    sandbox.set_faults(Fault("404", api="return", location=sandbox.locations[0]))
    ended = program.run("verify", "source")
    assert ended.status == 1
    (failed,) = lines(ended.stdout, "FAILED")
    assert f"(location {sandbox.locations[0]})" in failed[1]
    assert "nothing at the locations that answered" in ended.stdout


@pytest.mark.slow
def test_a_repair_waits_for_no_other_run_unless_told(program: Program) -> None:
    from syncctl.run_lock import RunLock

    program.run("api")
    with RunLock(program.folder / "data" / "syncctl.lock").hold(0.0):
        assert program.run("verify", "source", "--repair").status == 75
        assert program.run("verify", "source").status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("--from", "2026-02-31"), 2, "2026-02-31"),
        (("--to", "2026-02-01"), 2, "--from"),
        (("--location", "4242"), 2, "4242"),
    ],
)
def test_usage(program: Program, arguments: tuple[str, ...], status: int, told: str) -> None:
    ended = program.run("verify", "source", *arguments)
    assert ended.status == status
    assert told in ended.stderr


@pytest.mark.slow
def test_an_unreachable_database_is_status_69(tmp_path: Path) -> None:
    program = Program(tmp_path, DATABASE_URL="mongodb://127.0.0.1:9/x")
    ended = program.run("verify", "source")
    assert (ended.status, ended.stdout) == (69, "")
    assert len(ended.stderr.splitlines()) == 1
