"""MongoDB killed, restarted, frozen, replaced in mid-run: the run succeeds or says so, the next one does."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncctl.errors import StorageUnavailableError
from syncctl.models import RunResult
from syncctl.ports import Storage
from tests.support import mongod
from tests.support.failing_storage import WRITES
from tests.support.mongod import Mongod, ReplicaSet, with_database
from tests.torture.jobs import JOBS, LATER_SYNC, Job
from tests.torture.prepared import Prepared, prepared
from tests.torture.tally import tally

IMPATIENT = "serverSelectionTimeoutMS=1000&timeoutMS=1000"
"""For what waits in vain; by default a sync waits 15 s, longer than an election takes."""

RESTARTS = 1
RESTARTS_PER_ROUND = 0.2
FAILOVERS = 1
FAILOVERS_PER_ROUND = 0.2


class TroubleAt:
    """Passes everything on, but at the `at`-th write lets something happen to the server first."""

    def __init__(self, storage: Storage, at: int, trouble: Callable[[], None]) -> None:
        self._storage = storage
        self._left = at
        self._trouble = trouble

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self._left -= 1
            if self._left == 0:
                self._trouble()
        return getattr(self._storage, name)


@dataclass(frozen=True)
class Ended:
    """How a job ended that the database had trouble in: as it should, with failures, or not at all."""

    result: object
    error: StorageUnavailableError | None

    @property
    def is_whole(self) -> bool:
        return self.error is None and (not isinstance(self.result, RunResult) or self.result.ok)


def with_trouble(
    ready: Prepared, trouble: Callable[[], None], *, meanwhile: float = 0.5, at: int | None = None
) -> Ended:
    """Do the job, with trouble just before one of its writes (the `at`-th, else any), or `meanwhile` (how
    often, 0 to 1). Only an unreachable database may end it.

    The job has a thread of its own, since a server that a thread starts is tied to it (prctl(2),
    PR_SET_PDEATHSIG).
    """
    at = at or ready.luck.randint(1, ready.writes)
    at_once = ready.luck.random() < meanwhile
    struck, over = threading.Event(), threading.Event()

    def strike() -> None:
        struck.set()
        if not at_once:
            over.wait()

    def troubled(storage: Storage) -> Any:
        return TroubleAt(storage, at, strike)

    ready.rewind()
    tally.add("failovers")
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(ready.job.do, ready.place, troubled)
        while not (struck.wait(0.01) or job.done()):
            continue
        trouble()
        over.set()
        try:
            return Ended(job.result(), None)
        except StorageUnavailableError as error:
            return Ended(None, error)


@contextmanager
def jobs_in_turn(jobs: tuple[Job, ...], url: str, folder: Path) -> Iterator[Iterator[Prepared]]:
    """The jobs, prepared when they are first needed, over and over; each in a database of its own."""
    with ExitStack() as stack:
        ready: dict[str, Prepared] = {}

        def turns() -> Iterator[Prepared]:
            for number, job in enumerate(itertools.cycle(jobs)):
                if job.name not in ready:
                    own = with_database(url, f"torture_{number}")
                    ready[job.name] = stack.enter_context(prepared(job, own, folder))
                yield ready[job.name]

        yield turns()


@pytest.fixture(scope="module")
def server() -> Iterator[Mongod]:
    with skipped_without_mongod(mongod.own_mongod()) as server:
        yield server


@pytest.fixture(scope="module")
def replicas() -> Iterator[ReplicaSet]:
    with skipped_without_mongod(mongod.replica_set()) as replicas:
        yield replicas


@contextmanager
def skipped_without_mongod(servers: Any) -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(servers)
        except mongod.NoMongodError as error:
            pytest.skip(f"no MongoDB: {error}")
        yield opened


def test_a_server_that_is_restarted_in_mid_run(server: Mongod, tmp_path: Path, rounds: int) -> None:
    def restart() -> None:
        server.kill()
        server.start()

    with jobs_in_turn((LATER_SYNC, *JOBS), server.uri, tmp_path) as turns:
        for ready in itertools.islice(turns, RESTARTS + round(rounds * RESTARTS_PER_ROUND)):
            ended = with_trouble(ready, restart)
            assert ended.error is None or "What was stored is kept" in str(ended.error)
            ready.assert_redone()


@pytest.mark.parametrize("trouble", ["killed", "frozen"])
def test_a_server_that_does_not_come_back_in_time(server: Mongod, tmp_path: Path, trouble: str) -> None:
    url = f"{with_database(server.uri, f'torture_{trouble}')}?{IMPATIENT}"
    with prepared(LATER_SYNC, url, tmp_path) as ready:
        try:
            stop = server.kill if trouble == "killed" else server.freeze
            ended = with_trouble(ready, stop, meanwhile=0, at=1)
        finally:
            if trouble == "killed":
                server.start()
            else:
                server.thaw()
        assert ended.error is not None
        ready.assert_redone()


def test_a_primary_that_is_killed_in_mid_run(replicas: ReplicaSet, tmp_path: Path, rounds: int) -> None:
    with jobs_in_turn((LATER_SYNC, *JOBS), replicas.uri, tmp_path) as turns:
        for ready in itertools.islice(turns, FAILOVERS + round(rounds * FAILOVERS_PER_ROUND)):
            primary = replicas.primary()
            ended = with_trouble(ready, primary.kill)
            replicas.restart_dead()
            assert ended.is_whole or ended.error, ended
            ready.assert_redone()


def test_a_primary_that_steps_down_in_mid_run(replicas: ReplicaSet, tmp_path: Path, rounds: int) -> None:
    with jobs_in_turn((LATER_SYNC, *JOBS), replicas.uri, tmp_path) as turns:
        for ready in itertools.islice(turns, FAILOVERS + round(rounds * FAILOVERS_PER_ROUND)):
            ended = with_trouble(ready, replicas.step_down)
            assert ended.is_whole or ended.error, ended
            ready.assert_redone()
