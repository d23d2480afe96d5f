"""SIGINT and SIGTERM wherever the code stands: synclogs say so, nothing stays, the next run finishes."""

import contextvars
import inspect
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from syncctl.cli.stopping import stoppable
from syncctl.domain.sources import SYNC_TYPES
from syncctl.errors import InterruptedRunError, StopRequestedError
from syncctl.ports.storage import Storage
from tests.chaos.jobs import JOBS, Job
from tests.chaos.prepared import PreparedJob, prepared
from tests.chaos.tally import tally
from tests.support.world import Recorder, World

STRIKES = 2
STRIKES_PER_ROUND = 0.2
HOW = {
    signal.SIGINT: "interrupted before it finished",
    signal.SIGTERM: "terminated by a signal before it finished",
}
"""What the synclog says of the step that a signal ended."""

CLEANUPS = ("clean_finished", "clean_duplicates", "rename_stores")
RUNS = ("execute", *CLEANUPS)
"""The functions within which a signal strikes: what a run is."""

MOMENTS = ("call", "return", "c_return")
"""Python looks for signals when a function begins and after each call, but not, say, between the end of a
with block and the release of its lock. (Generators yield and are closed with the same events; nor then.)"""


class SignalAt:
    """Sends this process a signal at the `at`-th moment of the run at which Python may call its handler (0:
    at none)."""

    def __init__(self, at: int, sent: signal.Signals, world: World) -> None:
        self.moments = 0
        self.where = ""
        """The place at which it did."""
        self.run = ""
        """The function that was the run."""
        self.steps = 0
        """How many steps the run had begun by then."""
        self._at = at
        self._sent = sent
        self._world = world
        self._run: FrameType | None = None

    def __call__(self, storage: Storage) -> Storage:
        """To be called just before the run begins, in its thread."""
        sys.setprofile(self._take_notice)
        return storage

    def _take_notice(self, frame: FrameType, event: str, argument: object) -> None:
        if self._run is None:
            if event != "call" or frame.f_code.co_name not in RUNS:
                return
            self._run = frame
        of_generator = event != "c_return" and frame.f_code.co_flags & inspect.CO_GENERATOR
        if event in MOMENTS and not of_generator:
            self.moments += 1
            if 0 < self._at <= self.moments:
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}, {event}"
                self.run = self._run.f_code.co_name
                self.steps = len(self._world.recorder.started)
                self._end()
                signal.raise_signal(self._sent)
        if event == "return" and frame is self._run:
            self._end()

    def _end(self) -> None:
        sys.setprofile(None)
        self._run = None


# A connection that is being made when the signal comes is closed by the end of the process.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", range(len(JOBS)), ids=[job.name for job in JOBS])
def test_struck_wherever_it_stands(number: int, mongo_url: str, tmp_path: Path, rounds: int) -> None:
    strikes = STRIKES + round((rounds - 1) * STRIKES_PER_ROUND)
    urls = [f"sqlite:///{tmp_path / 'syncctl.db'}", mongo_url]
    if rounds == 1:
        urls = [urls[number % 2]]
    for url in urls:
        run_with_signals_and_redo(JOBS[number], url, tmp_path, strikes)


def run_with_signals_and_redo(job: Job, url: str, folder: Path, strikes: int) -> None:
    with prepared(job, url, folder) as ready:
        ready.rewind()
        watched = SignalAt(0, signal.SIGINT, ready.workspace.world)
        job.do(ready.workspace, watched)
        for _ in range(strikes):
            sent = ready.rng.choice((signal.SIGINT, signal.SIGTERM))
            at = ready.rng.randint(1, watched.moments)
            ready.rewind()
            run_with_signal(ready, SignalAt(at, sent, ready.workspace.world), sent)
            ready.assert_redone()


def run_with_signal(ready: PreparedJob, signal_at: SignalAt, sent: signal.Signals) -> None:
    """Do the job with a signal."""
    world = ready.workspace.world
    world.recorder = Recorder()
    logs_before = _ids(world)
    ended: InterruptedRunError | StopRequestedError | None = None
    with stoppable() as stop, stop.at_safe_points():
        never_again, world.stop = world.stop, stop
        try:
            # In a context of its own, as a process's end would take what pymongo keeps there: its time limit.
            contextvars.copy_context().run(ready.job.do, ready.workspace, signal_at)
        except (InterruptedRunError, StopRequestedError) as error:
            ended = error
        finally:
            sys.setprofile(None)
            world.stop = never_again
    assert bool(signal_at.where) is stop.requested
    if not signal_at.where:  # the run took fewer steps than the one that was watched, and is over
        assert ended is None
        return
    tally.add("interrupts")
    assert [thread for thread in threading.enumerate() if thread.name.startswith("rental-api-")] == []
    logs = [log for log in world.app.all("synclogs") if str(log["_id"]) not in logs_before]
    if ended is None:
        # It came after the last safe point: nothing was begun any more.
        assert len(world.recorder.started) == signal_at.steps, f"{signal_at.where}: the signal was lost"
        assert len(logs) == len(world.recorder.finished) == signal_at.steps, signal_at.where
        return
    assert ended.exit_code == 128 + sent
    assert isinstance(ended, InterruptedRunError) is (signal_at.run == "execute"), signal_at.where
    assert_logged(world.recorder, logs, signal_at, HOW[sent])


def assert_logged(recorder: Recorder, logs: Sequence[dict[str, Any]], signal_at: SignalAt, how: str) -> None:
    """Each step that was begun has a synclog, and that of one that was under way says that it failed."""
    failed = [log["syncType"] for log in logs if (log["status"], log["errorMessage"]) == ("failed", how)]
    others = [log["syncType"] for log in logs if log["status"] == "success"]
    assert len(failed) + len(others) == len(logs), signal_at.where
    done = [SYNC_TYPES[result.name] for result in recorder.finished if result.error != how]
    begun = [SYNC_TYPES[name] for name in recorder.started]
    assert set(begun) == {*failed, *others}, f"{signal_at.where}: a step left no synclog"
    assert set(done) == set(others), signal_at.where
    assert failed == [step for step in begun if step not in done][-1:], signal_at.where


def _ids(world: World) -> set[str]:
    return {str(log["_id"]) for log in world.app.all("synclogs")}
