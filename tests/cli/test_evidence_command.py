"""`doctor --evidence` as the owner runs it: the file, what is said, and that no run is disturbed."""

import json
import re
import threading
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from syncctl.run_lock import RunLock
from syncctl.sandbox import Sandbox
from syncctl.storage.registry import open_storage
from tests.support.program import Program


@pytest.mark.slow
def test_the_file_and_what_is_said_of_it(program: Program, sandbox: Sandbox) -> None:
    ended = program.run("doctor", "--evidence", "e.json")
    assert ended.status == 0
    file = program.folder / "e.json"
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_text(encoding="utf-8"))
    assert ended.stdout.splitlines() == document["summary"]
    assert ended.stderr == (
        "Written to e.json: it holds nobody's name or number, and can be sent as it is.\n"
    )
    assert len(sandbox.requests) == len(document["calls"]) == 53
    assert not any("rentout" in request.path.lower() for request in sandbox.requests)
    assert sorted(path.name for path in program.folder.iterdir()) == [".env", "data", "e.json"]
    assert [path.name for path in (program.folder / "data").iterdir()] == ["syncctl.lock"]

    again = program.run("doctor", "--evidence", "e.json")
    assert (again.status, again.stdout) == (2, "")
    assert "--force" in again.stderr
    assert len(sandbox.requests) == 53

    forced = program.run("doctor", "--evidence", "e.json", "--force", "--json")
    assert forced.status == 0
    summary = json.loads(forced.stdout)
    assert list(summary) == ["command", "ok", "schema", "evidence", "summary"]
    assert (summary["command"], summary["ok"], summary["evidence"]) == ("doctor", True, "e.json")


def test_on_stdout(program: Program) -> None:
    ended = program.run("doctor", "--evidence", "-")
    assert (ended.status, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["reports"]["return"]["less"]
    assert not (program.folder / "-").exists()
    ended = program.run("doctor", "--evidence", "-", "--json")
    assert (ended.status, json.loads(ended.stdout)["ok"]) == (2, False)


def test_on_a_terminal(program: Program) -> None:
    shown = program.run_on_terminal("doctor", "--evidence", "e.json")
    assert shown.status == 0
    assert "· Returns, everything: " in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.stdout)
    assert "Written to e.json" in shown.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_after_a_sync_it_asks_the_locations_with_most_rows_and_tells_what_was_measured(
    program: Program, request: pytest.FixtureRequest, kind: str
) -> None:
    url = f"sqlite:///{program.folder / 'data' / 'syncctl.db'}"
    if kind == "mongo":
        url = request.getfixturevalue("mongo_url")
    assert program.run("api", DATABASE_URL=url).status == 0
    with closing(open_storage(url)) as database:
        database.prepare()
        runs = len(database.runs(0))
        ended = program.run("doctor", "--evidence", "-", DATABASE_URL=url)
        assert len(database.runs(0)) == runs
        facts = database.facts()
    assert ended.status == 0
    document = json.loads(ended.stdout)
    known = {"kind": facts.kind, "version": facts.version, "topology": facts.topology}
    assert document["made"]["database"] == known
    assert document["reports"]["booking"]["stored"]["mode"] == "whole"
    assert document["reports"]["booking"]["stored"]["trials"]
    assert set(document["locations"]["asked"]) == {"7", "144", "701"}
    assert url not in ended.stdout


def test_without_a_database_the_api_is_asked_all_the_same(program: Program) -> None:
    unreachable = "mongodb://u:pass-word@127.0.0.1:9/leads?serverSelectionTimeoutMS=200"
    ended = program.run("doctor", "--evidence", "-", DATABASE_URL=unreachable)
    assert ended.status == 0
    assert list(json.loads(ended.stdout)["made"]["database"]) == ["problem"]
    assert "pass-word" not in ended.output


@pytest.mark.slow
def test_it_waits_for_a_run_and_asks_politely(program: Program, sandbox: Sandbox) -> None:
    lock = RunLock(program.folder / "data" / "syncctl.lock")
    lock.acquire(0)
    with program.start("doctor", "--evidence", "e.json", API_CALL_DELAY_MS="20") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "A run is under way: waiting for its end …\n"
        assert sandbox.requests == []
        lock.release()
        released = time.monotonic()
        _, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    times = sorted((request.at, request.done_at) for request in sandbox.requests)
    assert times[0][0] >= released
    assert all(later[0] - earlier[1] >= 0.02 for earlier, later in pairwise(times))


@pytest.mark.slow
def test_no_run_begins_meanwhile(program: Program, sandbox: Sandbox) -> None:
    with program.start("doctor", "--evidence", "e.json", API_CALL_DELAY_MS="50") as process:
        deadline = time.monotonic() + 30
        while not sandbox.requests and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert program.run("api").status == 75
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.slow
def test_it_ends_with_the_time_of_a_run(tmp_path: Path) -> None:
    with Sandbox(locations=3, bookings=10, latency_s=0.1) as sandbox:
        program = Program(tmp_path, API_BASE_URL=sandbox.base_url, API_RUN_DEADLINE_S=2)
        ended = program.run("doctor", "--evidence", "e.json")
    assert ended.status == 0
    document = json.loads((tmp_path / "e.json").read_text())
    assert "time ran out (API_RUN_DEADLINE_S)" in document["summary"][0]
    assert 5 < len(document["calls"]) < 25


def test_an_api_that_refuses_the_key(tmp_path: Path) -> None:
    with Sandbox(locations=3, bookings=3, token="open-sesame") as sandbox:
        program = Program(tmp_path, API_BASE_URL=sandbox.base_url, API_TOKEN="not-that-one")
        ended = program.run("doctor", "--evidence", "e.json")
    assert ended.status == 1
    assert len([request for request in sandbox.requests if request.api != "stores"]) == 2
    assert "no report answered: `syncctl doctor` says what is wrong" in ended.stderr
    written = (tmp_path / "e.json").read_text()
    assert json.loads(written)["stopped"] == "the API refused the key"
    assert "not-that-one" not in written + ended.output
