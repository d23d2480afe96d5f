"""The very first run killed while it makes its tables and indexes: the next one makes what is missing."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pymongo import MongoClient

from syncctl.sandbox import Sandbox
from tests.chaos.states import assert_nothing_is_missing
from tests.chaos.tally import tally
from tests.support.program import LIMIT_S, Program
from tests.support.world import World

ROUNDS_PER_FIRST_RUN = 7
KILLS_IN_A_ROW = 2

KILLED_WHILE_IT_PREPARES = """
import os, signal, sys
at, told = int(sys.argv.pop()), os.environ["STEPS_TOLD_IN"]
steps = 0
preparing = None
def take_notice(frame, event, argument):
    global steps, preparing
    if preparing is None:
        code = frame.f_code
        if event == "call" and code.co_name == "prepare" and "storage" in code.co_filename:
            preparing = frame
        return
    steps += 1
    if steps == at:
        os.kill(os.getpid(), signal.SIGKILL)
    if event == "return" and frame is preparing:
        sys.setprofile(None)
        with open(told, "w") as file:
            file.write(str(steps))
from syncctl.cli.main import main
sys.setprofile(take_notice)
main()
"""
"""Takes its own life at the so many-th call or return within the database's preparation (0: at none), and
says how many there were."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=2, bookings=4) as sandbox:
        yield sandbox


def test_killed_while_it_prepares_the_database(
    database_url: str, sandbox: Sandbox, tmp_path: Path, rounds: int
) -> None:
    program = Program(tmp_path, API_BASE_URL=sandbox.base_url, DATABASE_URL=database_url)
    assert run_killed_at(program, 0) == 0
    steps = int((tmp_path / "steps").read_text(encoding="utf-8"))
    wanted = made_by(database_url)
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    for _ in range(1 + rounds // ROUNDS_PER_FIRST_RUN):
        empty(database_url)
        for at in sorted(rng.sample(range(1, steps), KILLS_IN_A_ROW)):
            # What the first one has made is not made again: the second may find all done.
            if run_killed_at(program, at) == -signal.SIGKILL:
                tally.add("kills")
        ended = program.run("api")
        assert ended.status == 0, ended.output
        assert made_by(database_url) == wanted
        with closing(World(sandbox, database_url)) as world:
            assert_nothing_is_missing(world)


def run_killed_at(program: Program, at: int) -> int:
    """`api`, killed at that step of its preparations; gives its status."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_IT_PREPARES, "api", str(at)],
        cwd=program.folder,
        env=program.environment | {"STEPS_TOLD_IN": str(program.folder / "steps")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode


def empty(url: str) -> None:
    """As before the first run: no file, no database."""
    if url.startswith("sqlite"):
        for file in _file(url).parent.glob(f"{_file(url).name}*"):
            file.unlink()
        return
    with MongoClient[dict[str, Any]](url) as client:
        client.drop_database(client.get_default_database().name)


def made_by(url: str) -> object:
    """The tables and indexes, each as it was made; of a SQLite file whose pages are sound, too."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(_file(url))) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            version = database.execute("PRAGMA user_version").fetchone()
            return version, sorted(database.execute("SELECT type, name, sql FROM sqlite_master"), key=str)
    with MongoClient[dict[str, Any]](url) as client:
        leads_database = client.get_default_database()
        return {
            name: {index: str(facts) for index, facts in leads_database[name].index_information().items()}
            for name in leads_database.list_collection_names()
        }


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
