"""Whatever is typed or set: an exit status of the table, a line or two, and no traceback."""

import contextlib
import io
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncctl.cli.app import app
from syncctl.errors import ExitCode
from syncctl.models import StepName
from syncctl.setting_table import SPECS
from tests.support.program import Program
from tests.torture.garbage import garbage_world
from tests.torture.tally import tally

STATUSES = set(ExitCode) - {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
SERVING = {"sandbox", "demo"}
"""Commands that go on until they are stopped, or take seconds: they have tests of their own."""

WRITING_ELSEWHERE = {"install", "remove"}
"""Commands that write to the user's crontab."""


@dataclass(frozen=True)
class Ended:
    """How a command ended that was run in this process."""

    status: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Ended:
    """A command in this process: a hundred times quicker than one of its own."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace") for _ in range(2)]
    status: Any = 0
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            app(list(arguments), prog_name="syncctl")
    except SystemExit as end:
        status = end.code
    finally:
        signal.signal(signal.SIGTERM, handler)
    told = []
    for stream in streams:
        stream.seek(0)
        told.append(stream.read())
        stream.close()
    return Ended(int(status or 0), *told)


def fuzz(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def commands(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Every command with its options, but for those that a test can't run."""
    if not hasattr(tree, "commands"):
        yield path, [name for parameter in tree.params for name in parameter.opts if name.startswith("-")]
        return
    for name, inner in tree.commands.items():
        if name not in SERVING and not (path == ("cron",) and name in WRITING_ELSEWHERE):
            yield from commands(inner, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))

# No slash: what is written is written in the test's own folder. No NUL: no argument can have one.
words = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=()), max_size=8),
    st.sampled_from(
        [
            *(
                "",
                "-",
                "--",
                ".",
                "..",
                "0",
                "-1",
                "1e999",
                "nan",
                "inf",
                "9" * 40,
                "2026-03-11",
                "0001-01-01",
            ),
            *("9999-12-31", "2026-02-30", "7", "walkin", "booking", "x" * 300, "[red]", "{}", "%s", "$(id)"),
            *("9400000001", "\udcff", "=1+1", "*/5 * * * *", "stores", "--json", "--dry-run", "-v", "-q"),
        ]
    ),
)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command, most of the time a real one, with options of its own and words that may be their values."""
    path = draw(st.one_of(st.sampled_from(list(COMMANDS)), st.lists(words, max_size=2).map(tuple)))
    own = COMMANDS.get(path, ["--json"])
    rest = draw(st.lists(st.one_of(words, st.sampled_from(own) if own else words), max_size=5))
    return [*path, *(word for word in rest if word not in ("--help", "-h"))]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of the test's own, an API that refuses every call, and no programs to call."""
    for name in [name for name in os.environ if any(name in spec.names for spec in SPECS)]:
        monkeypatch.delenv(name)
    (tmp_path / ".env").write_text(
        "DATABASE_URL=sqlite:///syncctl.db\nAPI_BASE_URL=http://127.0.0.1:9\nAPI_CALL_DELAY_MS=0\n"
        "API_MAX_TRIES=1\nAPI_RUN_DEADLINE_S=5\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def assert_told_plainly(ended: Ended) -> None:
    assert ended.status in STATUSES, ended
    for text in (ended.stdout, ended.stderr):
        assert "Traceback" not in text, text
        assert "defect of syncctl" not in text, text
    if ended.status == ExitCode.CONFIG and "Error: " in ended.stderr:
        assert len(ended.stderr.splitlines()) <= 3, ended.stderr


def test_command_lines_of_garbage(folder: Path, few_rounds: int) -> None:
    @fuzz(80 * few_rounds)
    @given(command_lines())
    def check(arguments: list[str]) -> None:
        tally.add("garbage settings")
        assert_told_plainly(run(*arguments))

    check()


def test_processes_with_arguments_of_garbage(folder: Path) -> None:
    program = Program(folder, API_BASE_URL="http://127.0.0.1:9", API_MAX_TRIES=1)
    for arguments in (
        ("booking", "--location", "\udcff\udcfe"),
        ("sandbox", "--latency-ms", "nan", "--port", "-1"),
        ("sandbox", "--fault", "[red]\udcff"),
        ("import", "walkin", "\udcff.csv", "--store", "[/red]"),
    ):
        ended = program.run(*arguments)
        tally.add("garbage settings")
        assert_told_plainly(Ended(ended.status, ended.stdout, ended.stderr))
        assert ended.status != ExitCode.OK


def test_rejects_of_garbage_are_listed_exported_and_tried_again(folder: Path) -> None:
    with garbage_world(f"sqlite:///{folder / 'syncctl.db'}") as (world, api):
        odd: list[Any] = [
            {"customerName": float("nan"), "phoneNo": 9400000001.0, "price": float("-inf")},
            {"customerName": None, "phoneNo": {"mobile": "9400000001"}, "\ud800": "\udfff", "\0": "\0"},
            {"customerName": "x" * 20_000, "phoneNo": "9400000001"},
            {"customerName": "", "remarks": "y" * 200_000},
            {"$where": {"a.b": [10**400]}, "": "=1+1", "customerName": "[red]\x1b[31m"},
            [["9400000001"]],
            "\ud800",
            None,
            True,
        ]
        api.rows = [*map(json.dumps, odd), '{"a":' * 300 + "1" + "}" * 300]
        assert world.run((StepName.BOOKING,)).steps[0].counts.invalid == len(api.rows)
    listed = run("rejects", "list", "--limit", "0")
    as_json = run("rejects", "list", "--limit", "0", "--json")
    exported = run("rejects", "export", "rejects.csv")
    retried = run("rejects", "retry", "--json")
    for ended in (listed, as_json, exported, retried):
        assert_told_plainly(ended)
        assert ended.status == ExitCode.OK
        assert "9400000001" not in ended.stdout + ended.stderr
    rejects = json.loads(as_json.stdout)
    assert len(rejects) == len(listed.stdout.splitlines()) == len(api.rows)
    assert json.loads(retried.stdout)["invalid"] == len(rejects)
    assert (folder / "rejects.csv").read_text("utf-8-sig").startswith("rejected: kind")
