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

from syncctl.domain.run_results import RunResult
from syncctl.errors import StorageUnavailableError
from syncctl.ports.storage import Storage
from tests.chaos.jobs import JOBS, LATER_SYNC, Job
from tests.chaos.prepared import PreparedJob, prepared
from tests.chaos.tally import tally
from tests.support import mongod
from tests.support.failing_storage import WRITES
from tests.support.mongod import Mongod, ReplicaSet, with_database

pytestmark = pytest.mark.mongo

SHORT_TIMEOUTS = "serverSelectionTimeoutMS=1000&timeoutMS=1000"
"""Shortens useless waiting; by default a sync waits 15 s, longer than an election takes."""

RESTARTS = 1
RESTARTS_PER_ROUND = 0.25
FAILOVERS = 1
FAILOVERS_PER_ROUND = 0.2

MOSTLY_STRUCK = 0.5
"""A job whose last write it is that goes on while the trouble begins may be over before it has."""

ENOUGH = 10
WHOLE_AFTER_ELECTION = 0.8


@dataclass(frozen=True)
class Trouble:
    """An outage of a server: `begin` starts it, `end`, if given, ends it."""

    begin: Callable[[], object]
    end: Callable[[], object] = lambda: None


class TroubleAt:
    """Forwards every call; calls `strike` just before the `at`-th write, and `go_on` before each later
    one."""

    def __init__(
        self, storage: Storage, at: int, strike: Callable[[], object], go_on: Callable[[], object]
    ) -> None:
        self._storage = storage
        self._left = at
        self._strike = strike
        self._go_on = go_on

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self._left -= 1
            if self._left == 0:
                self._strike()
            elif self._left < 0:
                self._go_on()
        return getattr(self._storage, name)


@dataclass(frozen=True)
class Ended:
    """The result of a job during an outage: success, failures, or an exception. `was_at_work`: it was running
    when the outage began."""

    result: object
    error: StorageUnavailableError | None
    was_at_work: bool

    @property
    def is_whole(self) -> bool:
        return self.error is None and (not isinstance(self.result, RunResult) or self.result.ok)


def with_trouble(
    ready: PreparedJob, trouble: Trouble, *, meanwhile: float = 0.5, at: int | None = None
) -> Ended:
    """Do the job with an outage just before one of its writes (the `at`-th, or a random one), or `meanwhile`
    (how often, 0 to 1): that write continues while the outage begins, the next one comes after. Only an
    unreachable database may end the job.

    The job has its own thread, since a server started by a thread is bound to it (prctl(2),
    PR_SET_PDEATHSIG).
    """
    at = at or ready.rng.randint(1, ready.writes)
    at_once = ready.rng.random() < meanwhile
    struck, begun, over = threading.Event(), threading.Event(), threading.Event()

    def strike() -> None:
        struck.set()
        if not at_once:
            over.wait()

    def troubled(storage: Storage) -> Any:
        return TroubleAt(storage, at, strike, begun.wait)

    ready.rewind()
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(ready.job.do, ready.workspace, troubled)
        while not (struck.wait(0.01) or job.done()):
            continue
        try:
            trouble.begin()
            was_at_work = struck.is_set() and not job.done()
            begun.set()
            trouble.end()
        finally:
            begun.set()
            over.set()
        tally.add("failovers", was_at_work)
        try:
            return Ended(job.result(), None, was_at_work)
        except StorageUnavailableError as error:
            return Ended(None, error, was_at_work)


@dataclass
class Outcomes:
    """How the jobs of a test ended."""

    was_at_work: int = 0
    whole: int = 0

    def add(self, ended: Ended) -> None:
        """Count a job, if the trouble struck it at all."""
        self.was_at_work += ended.was_at_work
        self.whole += ended.was_at_work and ended.is_whole

    def assert_struck(self, tried: int) -> None:
        """Nearly every trouble struck a job in its midst. Of a few nothing can be said."""
        assert tried < ENOUGH or self.was_at_work >= MOSTLY_STRUCK * tried, self

    def assert_mostly_whole(self, tried: int) -> None:
        """The same, and nearly all of these jobs came through it: the driver looks for the new primary for
        longer than an election takes, and sends again what it had sent to the old one (retryWrites), which
        it can't where a server is alone."""
        self.assert_struck(tried)
        assert tried < ENOUGH or self.whole >= WHOLE_AFTER_ELECTION * self.was_at_work, self


@contextmanager
def jobs_in_turn(jobs: tuple[Job, ...], url: str, folder: Path) -> Iterator[Iterator[PreparedJob]]:
    """The jobs, prepared when they are first needed, over and over; each in a database of its own."""
    with ExitStack() as stack:
        ready: dict[str, PreparedJob] = {}

        def turns() -> Iterator[PreparedJob]:
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
    outcomes, times = Outcomes(), RESTARTS + round(rounds * RESTARTS_PER_ROUND)
    with jobs_in_turn((LATER_SYNC, *JOBS), server.uri, tmp_path) as turns:
        for ready in itertools.islice(turns, times):
            ended = with_trouble(ready, Trouble(server.kill, server.start))
            outcomes.add(ended)
            assert ended.is_whole or ended.error, ended
            assert ended.error is None or "What was stored is kept" in str(ended.error)
            ready.assert_redone()
    outcomes.assert_struck(times)


@pytest.mark.parametrize("trouble", ["killed", "frozen"])
def test_a_server_that_does_not_come_back_in_time(server: Mongod, tmp_path: Path, trouble: str) -> None:
    url = f"{with_database(server.uri, f'torture_{trouble}')}?{SHORT_TIMEOUTS}"
    with prepared(LATER_SYNC, url, tmp_path) as ready:
        try:
            stop = server.kill if trouble == "killed" else server.freeze
            ended = with_trouble(ready, Trouble(stop), meanwhile=0, at=1)
        finally:
            if trouble == "killed":
                server.start()
            else:
                server.thaw()
        assert ended.was_at_work
        assert ended.error is not None
        ready.assert_redone()


def test_a_primary_that_is_killed_in_mid_run(replicas: ReplicaSet, tmp_path: Path, rounds: int) -> None:
    outcomes, times = Outcomes(), FAILOVERS + round(rounds * FAILOVERS_PER_ROUND)
    with jobs_in_turn((LATER_SYNC, *JOBS), replicas.uri, tmp_path) as turns:
        for ready in itertools.islice(turns, times):
            ended = with_trouble(ready, Trouble(replicas.primary().kill))
            outcomes.add(ended)
            assert ended.is_whole or ended.error, ended
            replicas.restart_dead()
            ready.assert_redone()
    outcomes.assert_mostly_whole(times)


def test_a_primary_that_steps_down_in_mid_run(replicas: ReplicaSet, tmp_path: Path, rounds: int) -> None:
    outcomes, times = Outcomes(), FAILOVERS + round(rounds * FAILOVERS_PER_ROUND)
    with jobs_in_turn((LATER_SYNC, *JOBS), replicas.uri, tmp_path) as turns:
        for ready in itertools.islice(turns, times):
            ended = with_trouble(ready, Trouble(replicas.step_down))
            outcomes.add(ended)
            assert ended.is_whole or ended.error, ended
            ready.assert_redone()
    outcomes.assert_mostly_whole(times)
