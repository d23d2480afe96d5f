"""`import undo` as a person and a script meet it."""

import csv
import json
import re
import signal
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncctl.cli.commands.sync import result_even_if_aborted
from syncctl.cli.context import Session
from syncctl.domain.run_results import Counts, RunResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import StopRequestedError
from syncctl.ports.stop import Stop
from syncctl.run_lock import RunLock
from tests.cli.test_reference import documented_keys
from tests.support.program import Program
from tests.support.store_files import row, write
from tests.support.webapp import SqliteApp


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def customer(number: int, **changes: str) -> list[str]:
    return row(**{"Contact": f"94000{number:05}", "Customer_Name": f"Customer {number}", **changes})


def imported(program: Program, *rows: list[str]) -> str:
    file = write(program.folder / "walkin_sg_calicut.csv", *rows)
    run_id: str = json.loads(program.run("import", "walkin", str(file), "--json").stdout)["run_id"]
    return run_id


@pytest.fixture
def run_id(program: Program) -> str:
    """The second import of a file: one lead created, two changed, of which one was edited since."""
    imported(program, *(customer(n) for n in range(3)))
    run_id = imported(
        program, customer(0, Remarks="new"), customer(1, Remarks="[bold]new"), customer(3), customer(4)
    )
    edit(program, 0, remarks="calls back")
    with closing(app_of(program)) as app:
        app.delete(app.leads(phone="9400000004")[0]["_id"])
    return run_id


def app_of(program: Program) -> SqliteApp:
    return SqliteApp(str(program.folder / "data" / "syncctl.db"))


def edit(program: Program, number: int, **changes: Any) -> None:
    with closing(app_of(program)) as app:
        app.edit(app.leads(phone=f"94000{number:05}")[0]["_id"], **changes)


def remarks(program: Program) -> dict[str, str]:
    with closing(app_of(program)) as app:
        return {lead["phone"][-1]: lead["remarks"] for lead in app.leads()}


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


BEFORE = {"0": "calls back", "1": "[bold]new", "2": "just enquiry", "3": "just enquiry"}
AFTER = {"0": "calls back", "1": "just enquiry", "2": "just enquiry"}


def test_in_a_pipe_the_plan_has_a_line_for_each_lead(program: Program, run_id: str) -> None:
    ended = program.run("import", "undo", run_id[:6])
    assert ended.status == 0
    lines = [line.split("\t") for line in ended.stdout.splitlines()]
    assert [(line[0], *line[2:]) for line in lines[:4]] == [
        (
            *("to undo", "walk-in", "Customer 1", "94xxxxxx01", "Suitor Guy - Calicut"),
            "remarks would go back: [bold]new → just enquiry",
        ),
        (
            "to undo",
            "walk-in",
            "Customer 3",
            "94xxxxxx03",
            "Suitor Guy - Calicut",
            "created by the import: would be deleted",
        ),
        (
            *("to keep", "walk-in", "Customer 0", "94xxxxxx00", "Suitor Guy - Calicut"),
            "remarks would be kept: somebody has worked on it",
        ),
        ("gone", "walk-in", "Customer 4", "94xxxxxx04", "Suitor Guy - Calicut", "finished or deleted since"),
    ]
    assert [line[0] for line in lines[4:]] == ["file", "records", "seen"]
    assert f"`syncctl import undo {run_id[:8]} --apply` does it, after writing a backup of 2" in ended.stderr
    assert remarks(program) == BEFORE
    done = program.run("import", "undo", run_id, "--apply").stdout.splitlines()
    assert [line.split("\t")[0] for line in done[:6]] == [
        "undone",
        "undone",
        "kept",
        "gone",
        "file",
        "records",
    ]
    assert done[1].endswith("created by the import: deleted")
    assert not any("would" in line for line in done)


@pytest.mark.parametrize(("apply", "word"), [((), "would be deleted"), (("--apply", "--yes"), "deleted")])
def test_a_plan_is_not_said_to_be_done(
    program: Program, run_id: str, apply: tuple[str, ...], word: str
) -> None:
    shown = plain(program.run_on_terminal("import", "undo", run_id, *apply, "-v").stdout)
    assert f"(1 created by it, {word})" in shown
    assert ("would" in shown) == (not apply)


def test_applied_with_a_backup_and_then_there_is_nothing_left(program: Program, run_id: str) -> None:
    ended = program.run("import", "undo", run_id, "--apply")
    assert ended.status == 0
    assert "Backup of 2 leads written" in ended.stderr
    assert remarks(program) == AFTER
    (backup,) = (program.folder / "data" / "backups").iterdir()
    assert backup.stat().st_mode & 0o777 == 0o600
    again = program.run("import", "undo", run_id, "--apply")
    assert again.status == 0
    assert again.stdout.startswith("Nothing is left to take back of import ")
    assert "It was taken back at 20" in again.stdout.splitlines()[0]
    assert [line.split("\t")[0] for line in again.stdout.splitlines()[1:]] == ["kept", "gone"]

    assert f"To put the leads back: syncctl cleanup restore {backup}" in ended.stdout
    assert program.run("cleanup", "restore", str(backup)).status == 0
    assert remarks(program) == BEFORE


def test_json_has_the_documented_keys(program: Program, run_id: str) -> None:
    keys = documented_keys("import undo")[0] | {"schema"}
    plan = json.loads(program.run("import", "undo", run_id, "--json").stdout)
    assert plan.keys() == keys
    done = json.loads(program.run("import", "undo", run_id, "--apply", "--json").stdout)
    assert done.keys() == keys | {"changed", "left", "backup", "restore"}
    assert (plan["applied"], done["applied"]) == (False, True)
    for bucket in ("undone", "kept", "gone"):
        assert plan[bucket] == done[bucket]
    assert [(lead["deleted"], lead["why"]) for lead in done["undone"]] == [(False, []), (True, [])]
    assert [lead["kept_fields"] for lead in done["kept"]] == [{"remarks": "edited"}]
    assert "94000" not in json.dumps(done)


@pytest.mark.parametrize(
    ("typed", "status", "expected"),
    [("n\n", 1, BEFORE), ("\n", 1, BEFORE), ("\x04", 1, BEFORE), ("y\n", 0, AFTER)],
)
def test_on_a_terminal_it_asks_once(
    program: Program, run_id: str, typed: str, status: int, expected: dict[str, str]
) -> None:
    ended = program.run_on_terminal("import", "undo", run_id, "--apply", typed=typed)
    shown = plain(ended.stdout)
    assert ended.status == status, shown
    assert shown.count(f"Take back import {run_id[:8]}: delete 1 lead and change back 1 lead? [y/N]") == 1
    assert ("Nothing was changed." in shown) == bool(status)
    assert remarks(program) == expected


def test_with_yes_it_does_not_ask(program: Program, run_id: str) -> None:
    ended = program.run_on_terminal("import", "undo", run_id, "--apply", "--yes")
    assert ended.status == 0
    assert "[y/N]" not in ended.stdout
    assert remarks(program) == AFTER


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_it_has_three_buckets(program: Program, run_id: str, columns: int) -> None:
    shown = plain(program.run_on_terminal("import", "undo", run_id, columns=columns).stdout)
    for heading in (
        "To be undone: 2 leads (1 created",
        "To be kept: 1 lead",
        "No longer there: 1 lead",
    ):
        assert heading in shown
    said = " ".join(shown.split())
    assert "[bold]new → just enquiry" in said
    assert "In all: delete 1 lead and change back 1 lead; 1 lead would be kept; 1 lead no longer" in said
    assert re.search(r"Customer 3 · 94xxxxxx03 ·\s+Suitor Guy - Calicut", shown)
    assert max(map(len, shown.splitlines()[:-2])) <= columns


def test_once_taken_back_nothing_is_left_and_no_empty_list_is_shown(program: Program) -> None:
    run_id = imported(program, customer(1))
    planned = plain(program.run_on_terminal("import", "undo", run_id).stdout)
    assert "0 leads" not in planned
    assert "No longer there" not in planned
    done = plain(program.run_on_terminal("import", "undo", run_id, "--apply", "--yes").stdout)
    assert f"Took back import {run_id[:8]}: deleted 1 lead." in done
    assert "\nsyncctl cleanup restore " in done.replace("\r", "")  # a command begins its line
    shown = plain(program.run_on_terminal("import", "undo", run_id).stdout)
    assert "Nothing is left to take back of import" in shown
    assert "0 leads" not in shown


def test_an_import_and_history_name_the_command(program: Program, run_id: str) -> None:
    file = write(program.folder / "walkin_sg_mg road.csv", customer(9))
    shown = plain(program.run_on_terminal("import", "walkin", str(file)).stdout)
    assert re.search(r"To take it back: syncctl import undo [0-9a-f]{8}\s", shown)
    again = plain(program.run_on_terminal("import", "walkin", str(file)).stdout)
    assert "To take it back" not in again
    command = f"To take it back: syncctl import undo {run_id[:8]}"
    assert command in plain(program.run_on_terminal("history", run_id).stdout)
    assert json.loads(program.run("history", run_id, "--json").stdout)["run"]["undone_at"] is None
    program.run("import", "undo", run_id, "--apply")
    shown = plain(program.run_on_terminal("history", run_id).stdout)
    assert command not in shown
    assert "Taken back: today " in shown
    assert json.loads(program.run("history", run_id, "--json").stdout)["run"]["undone_at"] is not None
    listed = plain(program.run_on_terminal("history", columns=80).stdout).splitlines()
    assert ["taken back today" in line for line in listed if "✓" in line] == [False, True, False, False]
    runs = json.loads(program.run("history", "--json").stdout)["runs"]
    undone = [run.get("undone_at") is not None for run in runs]
    assert undone == ["taken back at 20" in line for line in program.run("history").stdout.splitlines()]
    assert undone == [False, False, True, False]


@pytest.mark.parametrize(
    ("as_json", "saved", "is_told"), [(False, 3, True), (False, 0, False), (True, 3, False)]
)
def test_an_import_that_is_broken_off_names_the_command_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
    saved: int,
    is_told: bool,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    step = StepResult(StepName.WALKIN, StepStatus.FAILED, Counts(rows=5, saved=saved), 0, 1, 1, "interrupted")
    started = datetime(2026, 1, 1, tzinfo=UTC)
    result = RunResult("import walkin", "0123456789" * 3, Trigger.MANUAL, False, started, 2.0, None, (step,))

    def break_off() -> None:
        with result_even_if_aborted(session) as keep:
            keep(result)
            raise StopRequestedError(signal.SIGINT)

    session = Session(None, Stop(), quiet=False, verbose=False, logged=False)
    session.as_json = "import walkin" if as_json else None

    with pytest.raises(StopRequestedError):
        break_off()
    assert ("syncctl import undo 01234567" in capsys.readouterr().out) == is_told
    assert (session.partial_result is not None) == as_json


def test_corrected_rejects_name_the_command_too_and_are_taken_back(program: Program) -> None:
    imported(program, customer(1), customer(2, Contact="12"))
    sheet = program.folder / "rejects.csv"
    assert program.run("rejects", "export", str(sheet)).status == 0
    header, line = csv.reader(sheet.read_text("utf-8-sig").splitlines())
    line[header.index("Contact")] = "9400000002"
    with sheet.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, line])
    shown = plain(program.run_on_terminal("rejects", "import", str(sheet)).stdout)
    named = re.search(r"To take it back: syncctl import undo ([0-9a-f]{8})\s", shown)
    assert named, shown
    assert named[0].strip() in plain(program.run_on_terminal("history", named[1]).stdout)
    ended = program.run("import", "undo", named[1], "--apply")
    assert "1 row" in ended.stdout
    assert remarks(program).keys() == {"1"}
    assert "9400000002" not in program.run("rejects", "list").stdout
    assert "undone_at" in json.loads(program.run("history", named[1], "--json").stdout)["run"]


def test_what_is_no_import_is_said_in_a_line(program: Program, run_id: str) -> None:
    short = program.run("import", "undo", run_id[:5], "--apply")
    assert (short.status, short.stdout) == (2, "")
    assert "at least 6 characters" in short.stderr
    unknown = program.run("import", "undo", "ffffff")
    assert (unknown.status, unknown.stdout) == (2, "")
    assert "No run has an id that begins with 'ffffff'" in unknown.stderr
    assert "90 days" in unknown.stderr
    assert program.run("import", "undo").status == 2


def test_it_waits_for_the_lock_of_a_run(program: Program, run_id: str) -> None:
    with RunLock(program.folder / "data" / "syncctl.lock").hold(0):
        assert program.run("import", "undo", run_id).status == 0
        assert program.run("import", "undo", run_id, "--apply").status == 75
    assert remarks(program) == BEFORE


def test_a_file_of_an_earlier_version_can_be_looked_at(program: Program, run_id: str) -> None:
    with closing(app_of(program)) as app:
        version = app._database.execute("PRAGMA user_version").fetchone()[0]
        app._database.execute("DROP TABLE syncimports")
        app._database.execute(f"PRAGMA user_version = {version - 1}")
    assert program.run("history", run_id).status == 0
    plan = program.run("import", "undo", run_id)
    assert plan.status == 0
    assert "An earlier version made this import" in plan.stderr


def test_an_import_of_an_earlier_version_says_what_can_be_taken_back(program: Program, run_id: str) -> None:
    with closing(app_of(program)) as app:
        app._database.execute("DELETE FROM syncimports")
    ended = program.run("import", "undo", run_id, "--apply")
    assert ended.status == 0
    assert "An earlier version made this import" in ended.stderr
    assert remarks(program) == {**AFTER, "1": "[bold]new"}
