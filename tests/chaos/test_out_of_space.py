"""Room that runs out under database and backups, wherever a job stands: told in words, made good later."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from syncctl.domain.run_results import RunResult
from syncctl.errors import SyncctlError
from tests.chaos.jobs import JOBS, LATER_SYNC, Job
from tests.chaos.prepared import PreparedJob, prepared
from tests.chaos.tally import tally
from tests.support.disks import Disk, NoDiskError, disk

PLENTY = 64 * 1024 * 1024
PAGE = 4096
TOO_LITTLE = 0.8
"""Of what a job's log needs, which depends a little on the order in which answers come."""

ROUNDS_PER_TIME = 5
TOLD = (
    "no room left on its disk",
    "could not be read or written",
    "(No space left on device), so nothing was changed",
    "(File too large), so nothing was changed",
)

Shortage = Callable[[int], AbstractContextManager[None]]
"""While it lasts, there is room for so many bytes more."""


@contextmanager
def files_are_small(size: int) -> Iterator[None]:
    """Limit the file size, as any user can (ulimit -f), and as the program would see a quota. Python
    ignores the signal that comes with it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def jobs(rounds: int) -> tuple[Job, ...]:
    return JOBS if rounds > 1 else (LATER_SYNC, JOBS[-2])


def test_a_disk_that_is_full(tmp_path: Path, rounds: int) -> None:
    for number, job in enumerate(jobs(rounds)):
        try:
            with disk(tmp_path / f"{number}", PLENTY) as mounted, prepared_in(mounted.folder, job) as ready:
                run_out_of_space(ready, partial(full, mounted), rounds)
        except NoDiskError as error:
            pytest.skip(f"no disk can be mounted: {error}")


@contextmanager
def full(mounted: Disk, room: int) -> Iterator[None]:
    mounted.resize(mounted.used + room)
    try:
        yield
    finally:
        mounted.resize(PLENTY)


def test_files_that_may_not_grow(tmp_path: Path, rounds: int) -> None:
    for number, job in enumerate(jobs(rounds)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        with prepared_in(folder, job) as ready:
            run_out_of_space(ready, files_are_small, rounds)


def prepared_in(folder: Path, job: Job) -> AbstractContextManager[PreparedJob]:
    """The job, with its database, files and backups in one folder."""
    return prepared(job, f"sqlite:///{folder / 'syncctl.db'}", folder)


def run_out_of_space(ready: PreparedJob, shortage: Shortage, rounds: int) -> None:
    """Run a job several times with less space than it needs, and then with enough."""
    rewind_to_an_empty_log(ready)
    ready.assert_redone()
    needed = log_of(ready).stat().st_size
    for _ in range(1 + rounds // ROUNDS_PER_TIME):
        rewind_to_an_empty_log(ready)
        with shortage(ready.rng.randrange(PAGE, int(TOO_LITTLE * needed))):
            trouble = failure_of(ready)
        assert trouble is not None
        assert any(words in trouble for words in TOLD), trouble
        tally.add("database troubles")
        ready.assert_redone()


def failure_of(ready: PreparedJob) -> str | None:
    """Run the job; its error message, or None."""
    try:
        result = ready.job.do(ready.workspace, lambda storage: storage)
    except SyncctlError as error:
        return str(error)
    if isinstance(result, RunResult):
        assert all(step.counts.balanced for step in result.steps)
        warnings = ready.workspace.world.recorder.warnings
        errors = [*(step.error for step in result.steps if step.error), *warnings]
        return "; ".join(errors) or None
    return None


def log_of(ready: PreparedJob) -> Path:
    """SQLite's write-ahead log, which is as long as the job made it."""
    return ready.workspace.folder / "syncctl.db-wal"


def rewind_to_an_empty_log(ready: PreparedJob) -> None:
    ready.rewind()
    database = ready.workspace.world.app._database
    assert isinstance(database, sqlite3.Connection)
    with suppress(FileNotFoundError):
        for backup in (ready.workspace.folder / "backups").iterdir():
            backup.unlink()
    assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    assert log_of(ready).stat().st_size == 0
