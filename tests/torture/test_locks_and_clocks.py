"""Lock files that are left behind, unusable or removed under a run; clocks that jump."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from syncctl.sandbox import Fault, Sandbox
from tests.support.program import Program
from tests.support.world import World
from tests.torture.jobs import few_locations
from tests.torture.states import assert_nothing_is_missing
from tests.torture.tally import tally

LIMIT_S = 30.0
JUMPS = 3
JUMPS_PER_ROUND = 0.5


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=2, bookings=16) as sandbox:
        yield sandbox


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    return Program(tmp_path, API_BASE_URL=sandbox.base_url, SYNC_LOCK_FILE=tmp_path / "the.lock")


def _left_by_a_dead_process(lock: Path) -> None:
    lock.write_text(f"pid={os.getpid()}\nstarted=2020-01-01T00:00:00Z\nhost=elsewhere\n")


def _garbled(lock: Path) -> None:
    lock.write_bytes(bytes(range(256)) * 4096)


def _write_only(lock: Path) -> None:
    lock.touch(mode=0o200)


@pytest.mark.parametrize("leave", [_left_by_a_dead_process, _garbled, _write_only])
def test_a_lock_file_that_nobody_holds(program: Program, leave: Callable[[Path], None]) -> None:
    tally.add("lock troubles")
    lock = program.folder / "the.lock"
    leave(lock)
    if not os.access(lock, os.R_OK):
        assert program.run("stores").status == 78  # only root reads what it may not
    else:
        assert program.run("stores").status == 0


def _folder(lock: Path) -> None:
    lock.mkdir()


def _pipe(lock: Path) -> None:
    os.mkfifo(lock)


def _leads_nowhere(lock: Path) -> None:
    lock.symlink_to("no/such/folder/lock")


@pytest.mark.parametrize("make", [_folder, _pipe, _leads_nowhere])
def test_a_lock_file_that_is_none(program: Program, make: Callable[[Path], None]) -> None:
    tally.add("lock troubles")
    make(program.folder / "the.lock")
    ended = program.run("stores")
    assert ended.status == 78
    assert "set SYNC_LOCK_FILE to another one" in ended.stderr


def test_a_lock_file_that_is_removed_under_a_run(program: Program, sandbox: Sandbox) -> None:
    """Then two runs are at work at once: the database keeps them from doubling anything."""
    tally.add("lock troubles")
    sandbox.set_faults(Fault("slow", api="return", seconds=1.0, times=1))
    with program.start("api") as first:
        give_up_at = time.monotonic() + LIMIT_S
        while not any(request.api == "return" for request in sandbox.requests):
            assert time.monotonic() < give_up_at
            time.sleep(0.01)
        assert program.run("api").status == 75
        (program.folder / "the.lock").unlink()
        assert program.run("api").status == 0
        _, stderr = first.communicate(timeout=LIMIT_S)
    assert first.returncode == 0, stderr
    with closing(World(sandbox, f"sqlite:///{program.folder / 'data' / 'syncctl.db'}")) as world:
        assert_nothing_is_missing(world)


def test_a_clock_that_jumps_between_runs(database_url: str, sandbox: Sandbox, rounds: int) -> None:
    """Minutes, days and years back and forth: once it is right again, so is the database."""
    luck = Random(1)  # noqa: S311 - luck, not cryptography
    with closing(World(sandbox, database_url, few_locations(sandbox))) as world:
        right = world.now
        for _ in range(JUMPS + round(rounds * JUMPS_PER_ROUND)):
            tally.add("lock troubles")
            jump = luck.choice((timedelta(minutes=1), timedelta(days=1), timedelta(days=400)))
            world.now = right + luck.uniform(-3, 3) * jump
            sandbox.add_bookings(2)
            assert world.run().ok
            if luck.random() < 0.3:
                world.now = right
                assert world.run().ok
                assert_nothing_is_missing(world)
        world.now = right
        assert world.run().ok
        assert_nothing_is_missing(world)
