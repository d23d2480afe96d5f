"""Lock files that are left behind, unreadable, unusable or removed under a run."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from syncctl.sandbox import Fault, Sandbox
from tests.chaos.states import assert_nothing_is_missing
from tests.chaos.tally import tally
from tests.support.program import Program
from tests.support.unprivileged_program import UnprivilegedProgram
from tests.support.world import World

LIMIT_S = 30.0


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    return Program(tmp_path, API_BASE_URL=sandbox.base_url, SYNC_LOCK_FILE=tmp_path / "the.lock")


def _left_by_a_dead_process(lock: Path) -> None:
    lock.write_text(f"pid={os.getpid()}\nstarted=2020-01-01T00:00:00Z\nhost=elsewhere\n")


def _zeros_after_a_power_cut(lock: Path) -> None:
    lock.write_bytes(bytes(60))


@pytest.mark.parametrize("leave", [_left_by_a_dead_process, _zeros_after_a_power_cut])
def test_a_lock_file_that_nobody_holds(program: Program, leave: Callable[[Path], None]) -> None:
    tally.add("lock troubles")
    lock = program.folder / "the.lock"
    leave(lock)
    assert program.run("stores").status == 0


@pytest.mark.attack("lock", counted=False)
def test_a_lock_file_that_holds_something_else(program: Program) -> None:
    """It may be what a person wrote: it is left as it is."""
    tally.add("lock troubles")
    lock = program.folder / "the.lock"
    lock.write_bytes(garbage := bytes(range(256)) * 4096)
    ended = program.run("stores")
    assert ended.status == 78
    assert "set SYNC_LOCK_FILE to a file that nothing else uses" in ended.stderr
    assert lock.read_bytes() == garbage


@pytest.mark.parametrize(
    ("mode", "command"),
    [(0o200, "stores"), (0o400, "rejects retry"), (0o000, "cleanup duplicates --apply")],
)
def test_a_lock_file_without_rights(tmp_path: Path, sandbox: Sandbox, mode: int, command: str) -> None:
    """To read it, to write it, neither: nothing runs without the lock, and what looks at it says so."""
    lock = tmp_path / "the.lock"
    program = UnprivilegedProgram(tmp_path, API_BASE_URL=sandbox.base_url, SYNC_LOCK_FILE=lock)
    if not program.is_unprivileged():
        pytest.skip("this user can't give up its right to read and write everything")
    tally.add("lock troubles")
    lock.touch()
    lock.chmod(mode)
    ended = program.run(*command.split())
    assert ended.status == 78
    assert "the.lock can't be used (Permission denied): make it writable for this user" in ended.stderr
    assert "Unexpected" not in program.run("doctor").output
    lock.chmod(0o600)
    assert program.run(*command.split()).status == 0


def test_a_lock_file_in_a_folder_without_rights(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = tmp_path / "locks"
    program = UnprivilegedProgram(tmp_path, API_BASE_URL=sandbox.base_url, SYNC_LOCK_FILE=folder / "the.lock")
    if not program.is_unprivileged():
        pytest.skip("this user can't give up its right to read and write everything")
    tally.add("lock troubles")
    folder.mkdir(mode=0o500)
    ended = program.run("stores")
    assert ended.status == 78
    assert "Permission denied" in ended.stderr
    folder.chmod(0o700)
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
    assert "set SYNC_LOCK_FILE to another " in ended.stderr


def test_a_lock_file_that_is_removed_under_a_run(program: Program, sandbox: Sandbox) -> None:
    """Then two runs are at work at once: the database keeps them from doubling anything."""
    tally.add("lock troubles")
    sandbox.set_faults(Fault("slow", api="return", seconds=4.0, times=1))
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
