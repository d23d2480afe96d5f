"""`history`: run by run, and one run in detail."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.main import get_command

from syncctl.cli.app import whole_program
from syncctl.cli.context import Session
from syncctl.cli.render.clock import Clock
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry
from syncctl.domain.run_results import Counts, LocationResult, RunResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.sandbox import Sandbox
from syncctl.services.run import Clock as RunClock
from syncctl.storage.registry import open_storage
from tests.support.program import Program

START = datetime(2026, 3, 10, 12, 0, 1, tzinfo=UTC)
CLOCK = RunClock(lambda: START, lambda: 0.0, lambda after: after, ZoneInfo("Asia/Kolkata"))
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


def imported(program: Program) -> None:
    """Add an import of three files, one of which brought nothing new, and one failed."""
    files = (
        LocationResult("walkin_sg_kochi.csv", "", Counts(rows=10, saved=5, merged=3, ignored=2)),
        LocationResult("walkin_sg_thrissur.csv", "", Counts(rows=4, merged=4)),
        LocationResult("walkin_z_kannur.csv", "", unchanged=True),
    )
    counts = Counts(rows=14, saved=5, merged=7, ignored=2)
    error = f"walkin_z_kannur.csv: {'very ' * 12}broken, the reason of which is too long for a line"
    step = StepResult(StepName.WALKIN, StepStatus.PARTIAL, counts, 3, 3, 1, error, locations=files)
    start = START + timedelta(hours=1)
    result = RunResult("import walkin", "fa" * 16, Trigger.MANUAL, False, start, 2.34, None, (step,))
    with closing(open_storage(f"sqlite:///{program.folder / 'data' / 'syncctl.db'}")) as database:
        database.save_run(RunEntry(result.run_id, start, history_document(result)))


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
        "12 added",
        "0 changed",
        "2 already there",
        "0 finished",
        "0 merged",
        "1 rejected",
        "0 ignored",
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
        assert "IST" in ended.stdout
        assert "UTC" not in ended.stdout
        assert any(line.startswith("! ") for line in lines)
    assert "[/red]" in ended.stdout
    assert "90xxxxxx78" in ended.stdout


def on_screen(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> list[str]:
    """The lines of a command on a terminal of 80 characters, the program in this process."""
    monkeypatch.chdir(program.folder)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    clock = Clock(ZoneInfo("Asia/Kolkata"), START + timedelta(hours=20))
    monkeypatch.setattr(Session, "clock", lambda session: clock)
    with pytest.raises(SystemExit) as ended:
        get_command(whole_program())(list(words))
    assert ended.value.code == 0
    return plain(capsys.readouterr().out).splitlines()


def test_on_a_terminal_the_newest_run_is_the_lowest_line_and_quiet_ones_are_one(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(open_storage(f"sqlite:///{program.folder / 'data' / 'syncctl.db'}")) as database:
        for number in range(20, 61):
            start = START + timedelta(minutes=5 * number)
            steps = (StepResult(StepName.BOOKING, StepStatus.SUCCESS, Counts(rows=3, existing=2, merged=1)),)
            result = RunResult("api", f"{number:032}", Trigger.AUTO, False, start, 2.0, None, steps)
            database.save_run(RunEntry(result.run_id, start, history_document(result)))
    lines = on_screen(program, monkeypatch, capsys, "history")
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["When", "(IST)", "Run", "Result", "Took"]
    good, twin, stopped, bad, rest, quiet, _hint = (" ".join(line.split()) for line in lines[1:])
    assert (good[:1], good[-6:], "12 added, 1 changed at the source" in good) == ("✓", " 2.3 s", True)
    assert "nothing new" in twin
    assert "stopped before its first step" in stopped
    assert bad.startswith("! yesterday 17:45 cd340000 bookings: 1 of 2 locations failed; ")
    assert rest == "changed at the source only"
    assert quiet == "✓ yesterday 19:10 41 runs until 22:30, nothing new"
    assert len(on_screen(program, monkeypatch, capsys, "history", "-v")) == 20 + 2
    assert "20 runs until" in on_screen(program, monkeypatch, capsys, "history", "--limit", "20")[1]


def test_on_a_terminal_the_location_that_failed_stands_first(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = on_screen(program, monkeypatch, capsys, "history", "cd")
    assert lines[0].startswith("! api, yesterday 17:45 IST, automatic, 2.3 s")
    assert lines[2].startswith("! bookings: failed in part, 1 of 2 locations; 15 rows: ")
    shown = "\n".join(lines)
    assert shown.index("9 Suitor Guy - Kottayam") < shown.index("7 Suitor Guy - Perinthalmanna")
    assert "HTTP 502 [/red] for 90xxxxxx78" in shown
    (numbers,) = (line for line in lines if "Perinthalmanna" in line)
    assert numbers.split()[-3:] == ["12", "2", "1"]  # as the step's line counts them
    imported(program)
    lines = on_screen(program, monkeypatch, capsys, "history", "fa")
    assert [line.split() for line in lines if ".csv  " in line or "more file" in line] == [
        ["walkin_sg_kochi.csv", "5", "3", "2"],
        ["walkin_sg_thrissur.csv", "0", "4", "0"],
        ["1", "more", "file,", "nothing", "new", "0", "0", "0"],
    ]


def test_the_files_of_an_import_are_named(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(program)
    shown = " ".join(" ".join(on_screen(program, monkeypatch, capsys, "history")).split())
    assert "import walkin, walkin_sg_kochi.csv" in shown
    assert "broken, the reason of…" in shown
    first = program.run("history", "--limit", "1").stdout.splitlines()[0].split("\t")
    assert first[-1] == "walkin_sg_kochi.csv and 1 more"


def test_statistics_count_whole_runs_only(program: Program, sandbox: Sandbox) -> None:
    program.write_env(API_BASE_URL=sandbox.base_url, API_CALL_DELAY_MS=0)
    for words in ((), ("--location", sandbox.locations[0])):
        assert program.run("api", *words).status == 0
    document = json.loads(program.run("history", "--stats", "--days", "2", "--json").stdout)
    assert (document["command"], document["ok"]) == ("history", True)
    stats = document["stats"]
    assert (stats["days"], stats["runs"], stats["succeeded"], stats["target_met"]) == (2, 1, 1, True)


def test_statistics_in_plain_words(
    program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = CLOCK._replace(now=lambda: START + timedelta(hours=20))
    monkeypatch.setattr("syncctl.wiring.checks.clock_of", lambda settings: clock)
    lines = on_screen(program, monkeypatch, capsys, "history", "--stats")
    assert [" ".join(line.split()) for line in lines] == [
        "runs 4 of `syncctl api` in 30 days, since 9 Feb 13:30 IST",
        "succeeded 3, 75.0%: the target of 99% is missed",
        "within 30 s 4, 100.0%",
        "duration p50 2.3 s, p95 2.3 s, p99 2.3 s",
        "longest gap 19 h: yesterday 17:45 IST until now",
        "worst location bookings of location 9 Suitor Guy - Kottayam: failed in 1 run,",
        "last: HTTP 502 [/red] for 90xxxxxx78",
        "rows a day 30 came in, 24 new leads were added, on average",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ab",), (GOOD, TWIN)),
        (("zz",), ("zz", "syncctl history")),
        (("",), ("syncctl history",)),
        (("%",), ("syncctl history",)),
        (("cd", "--failed"), ("--failed",)),
        (("--stats", "cd"), ("--stats",)),
        (("--days", "3"), ("--stats",)),
        (("--stats", "--days", "9" * 12), ("--days",)),
        (("--limit", "9" * 40), ("--limit",)),
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
