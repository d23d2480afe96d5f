"""`history`: run by run, and one run in detail."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry
from syncctl.domain.run_results import Counts, LocationResult, RunResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.storage.registry import open_storage
from tests.support.program import Program

START = datetime(2026, 3, 10, 12, 0, 1, tzinfo=UTC)
SAVED = Counts(rows=15, saved=12, existing=2, invalid=1)
GOOD, BAD, TWIN = "ab12" + "0" * 28, "cd34" + "0" * 28, "ab99" + "0" * 28


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """With three runs, the newest of which failed in part, and one that was stopped before its first step."""
    places = (
        LocationResult("7", "Suitor Guy - Perinthalmanna", SAVED, changed=("2025020100100001",)),
        LocationResult("9", "Suitor Guy - Kottayam", error="HTTP 502 [/red] for 9012345678"),
    )
    fine = StepResult(StepName.BOOKING, StepStatus.SUCCESS, SAVED, 1, 1, locations=places[:1])
    part = StepResult(
        StepName.BOOKING, StepStatus.PARTIAL, SAVED, 1, 2, 1, "1 of 2 locations failed", locations=places
    )
    nothing = StepResult(StepName.RETURN, StepStatus.SUCCESS)
    program = Program(tmp_path)
    with closing(open_storage(f"sqlite:///{tmp_path / 'data' / 'syncctl.db'}")) as database:
        database.prepare()
        for number, (run_id, steps) in enumerate(
            ((GOOD, (fine, nothing)), (TWIN, (nothing,)), ("ef" * 16, ()), (BAD, (part, nothing)))
        ):
            start = START + timedelta(minutes=5 * number)
            result = RunResult("api", run_id, Trigger.AUTO, False, start, 2.34, None, steps)
            database.save_run(RunEntry(run_id, start, history_document(result)))
    return program


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_in_a_pipe_each_step_is_a_line_newest_run_first(program: Program) -> None:
    ended = program.run("history")
    assert ended.status == 0
    lines = [line.split("\t") for line in ended.stdout.splitlines()]
    assert [(line[1], line[5]) for line in lines] == [
        (BAD, "booking"),
        (BAD, "return"),
        ("ef" * 16, "no step"),
        (TWIN, "return"),
        (GOOD, "booking"),
        (GOOD, "return"),
    ]
    assert lines[0][0] == "2026-03-10T12:15:01Z"
    assert lines[0][6:] == [
        "partial",
        "12 saved",
        "0 updated",
        "2 existing",
        "1 invalid",
        "1 error",
        "1 of 2 locations failed",
    ]


def test_limit_and_failed_choose_runs(program: Program) -> None:
    assert len(program.run("history", "--limit", "1").stdout.splitlines()) == 2
    failed = program.run("history", "--failed").stdout.splitlines()
    assert {line.split("\t")[1] for line in failed} == {BAD}


def test_the_documents_keys_stay(program: Program) -> None:
    listed = json.loads(program.run("history", "--json").stdout)
    assert list(listed) == ["command", "ok", "schema", "runs"]
    assert len(listed["runs"]) == 4
    keys = ["run_id", "command", "trigger", "ok", "started_at", "duration_s", "steps"]
    assert list(listed["runs"][0]) == keys
    counts = ["rows", "saved", "updated", "existing", "reported", "merged", "invalid", "ignored"]
    step = ["name", "status", "locations", *counts, "changed", "errors", "error"]
    assert list(listed["runs"][0]["steps"][0]) == step
    told = json.loads(program.run("history", "cd", "--json").stdout)
    assert list(told) == ["command", "ok", "schema", "run"]
    assert list(told["run"]) == keys
    assert list(told["run"]["steps"][0]) == [*step, "details"]
    assert list(told["run"]["steps"][0]["details"][0]) == [
        "location",
        "store",
        *counts,
        "changed",
        "conflicts",
        "error",
        "warning",
    ]
    assert told["run"]["steps"][0]["details"][1]["error"] == "HTTP 502 [/red] for 90xxxxxx78"


@pytest.mark.parametrize("wanted", [BAD, "CD34"])
def test_one_run_is_told_location_by_location(program: Program, wanted: str) -> None:
    ended = program.run("history", wanted)
    assert ended.status == 0
    lines = [line.split("\t") for line in ended.stdout.splitlines()]
    assert [line[:3] for line in lines[1:3]] == [
        ["booking", "7", "Suitor Guy - Perinthalmanna"],
        ["booking", "9", "Suitor Guy - Kottayam"],
    ]
    assert "changed at the source: 2025020100100001" in lines[1][-1]
    assert lines[2][-1] == "HTTP 502 [/red] for 90xxxxxx78"


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 200])
def test_on_a_terminal_lists_and_details_fit(program: Program, columns: int) -> None:
    for words in (("history",), ("history", "cd")):
        ended = program.run_on_terminal(*words, columns=columns)
        assert ended.status == 0
        lines = plain(ended.stdout).splitlines()
        assert all(len(line) <= columns for line in lines)
        assert "UTC" in ended.stdout
        assert any("! booking" in line for line in lines)
    assert "[/red]" in ended.stdout
    assert "90xxxxxx78" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ab",), (GOOD, TWIN)),
        (("zz",), ("zz", "syncctl history")),
        (("",), ("syncctl history",)),
        (("%",), ("syncctl history",)),
        (("cd", "--failed"), ("--failed",)),
    ],
)
def test_a_run_that_is_not_one_is_a_usage_error(
    program: Program, arguments: tuple[str, ...], told: tuple[str, ...]
) -> None:
    ended = program.run("history", *arguments)
    assert (ended.status, ended.stdout) == (2, "")
    for words in told:
        assert words in ended.stderr


def test_before_the_first_run_it_says_so(tmp_path: Path) -> None:
    program = Program(tmp_path)
    ended = program.run("history")
    assert (ended.status, ended.stdout) == (0, "")
    assert "syncctl api" in ended.stderr
    assert json.loads(program.run("history", "--json").stdout)["runs"] == []


def test_an_unreachable_database_ends_with_69(tmp_path: Path) -> None:
    unreachable = "mongodb://127.0.0.1:9/leads?serverSelectionTimeoutMS=200"
    assert Program(tmp_path).run("history", DATABASE_URL=unreachable).status == 69
