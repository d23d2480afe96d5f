"""SIGINT and SIGTERM wherever the code stands: synclogs say so, nothing stays, the next run finishes."""

import contextvars
import inspect
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from syncctl.cli.stopping import is_no_place_to_raise
from syncctl.errors import InterruptedRunError, TerminationRequest
from syncctl.ports.storage import Storage
from syncctl.services.run import SYNC_TYPES
from tests.support.world import Recorder, World
from tests.torture.jobs import JOBS, Job
from tests.torture.prepared import Prepared, prepared
from tests.torture.tally import tally

STRIKES = 2
STRIKES_PER_ROUND = 0.2
HOW = {
    KeyboardInterrupt: "interrupted before its end",
    TerminationRequest: "terminated by a signal before its end",
}
"""What the synclog says of the step that a signal ended."""

CLEANUPS = ("clean_finished", "clean_duplicates", "rename_stores")
RUNS = ("execute", "retry_rejects", *CLEANUPS)
"""The functions within which a signal strikes: what a run is."""

MOMENTS = ("call", "return", "c_return")
"""Python looks for signals when a function begins and after each call, but not, say, between the end of a
with block and the release of its lock. (Generators yield and are closed with the same events; nor then.)"""


class Strike:
    """Raises what a signal's handler would, at the `at`-th moment of the run at which Python may call it, or
    the next one that is a place to raise (0: at none). `where`: the place at which it did, or "", and
    `within`: the functions that were under way, and their folders."""

    def __init__(self, at: int, request: type[KeyboardInterrupt]) -> None:
        self.moments = 0
        self.where = ""
        self.within: set[str] = set()
        self._at = at
        self._request = request
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
            if 0 < self._at <= self.moments and not is_no_place_to_raise(frame):
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}, {event}"
                self.within = set(_functions(frame))
                self._end()
                raise self._request
        if event == "return" and frame is self._run:
            self._end()

    def _end(self) -> None:
        sys.setprofile(None)
        self._run = None


def _functions(frame: FrameType | None) -> Iterator[str]:
    """The names of the functions that are under way, and of the folders that they stand in."""
    while frame is not None:
        yield frame.f_code.co_name
        yield Path(frame.f_code.co_filename).parent.name
        frame = frame.f_back


# A connection that is being made when the signal comes is closed by the end of the process.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", range(len(JOBS)), ids=[job.name for job in JOBS])
def test_struck_wherever_it_stands(number: int, mongo_url: str, tmp_path: Path, rounds: int) -> None:
    strikes = STRIKES + round((rounds - 1) * STRIKES_PER_ROUND)
    urls = [f"sqlite:///{tmp_path / 'syncctl.db'}", mongo_url]
    if rounds == 1:
        urls = [urls[number % 2]]
    for url in urls:
        strike_and_redo(JOBS[number], url, tmp_path, strikes)


def strike_and_redo(job: Job, url: str, folder: Path, strikes: int) -> None:
    with prepared(job, url, folder) as ready:
        ready.rewind()
        watched = Strike(0, KeyboardInterrupt)
        job.do(ready.place, watched)
        for _ in range(strikes):
            request = ready.luck.choice((KeyboardInterrupt, TerminationRequest))
            at = ready.luck.randint(1, watched.moments)
            ready.rewind()
            strike(ready, Strike(at, request), request)
            ready.assert_redone()


def strike(ready: Prepared, struck: Strike, request: type[KeyboardInterrupt]) -> None:
    """Do the job, interrupted."""
    world = ready.place.world
    world.recorder = Recorder()
    logs_before = _ids(world)
    try:
        # In a context of its own, as a process's end would take what pymongo keeps there: its time limit.
        contextvars.copy_context().run(ready.job.do, ready.place, struck)
        ended: BaseException | None = None
    except (InterruptedRunError, KeyboardInterrupt, SystemError) as error:
        ended = error
    finally:
        sys.setprofile(None)
    if not struck.where:  # the run took fewer steps than the one that was watched, and is over
        assert ended is None
        return
    tally.add("interrupts")
    assert [thread for thread in threading.enumerate() if thread.name.startswith("rental-api-")] == []
    assert ended is not None, f"{struck.where}: the signal was lost"
    logs = [log for log in world.app.all("synclogs") if str(log["_id"]) not in logs_before]
    if isinstance(ended, InterruptedRunError):
        assert ended.exit_code == InterruptedRunError(request()).exit_code
        assert_logged(world.recorder, logs, struck, HOW[request])
    elif isinstance(ended, SystemError):
        # What code in C may make of it, which the program's error boundary knows better, and a run does not.
        assert {"bson", "pymongo"} & struck.within, struck.where
    elif not struck.within & {"retry_rejects", *CLEANUPS}:
        # A run lets a bare one through only where no step is under way: before the first or after the last.
        assert len(world.recorder.started) == len(world.recorder.finished), struck.where
        assert len(logs) == len(world.recorder.started), struck.where


def assert_logged(recorder: Recorder, logs: Sequence[dict[str, Any]], struck: Strike, how: str) -> None:
    """Each step that was begun has a synclog, and the last word on one that was under way is that it failed,
    unless it was done but for the telling."""
    failed = [log["syncType"] for log in logs if (log["status"], log["errorMessage"]) == ("failed", how)]
    others = [log["syncType"] for log in logs if log["status"] == "success"]
    assert len(failed) + len(others) == len(logs), struck.where
    done = [SYNC_TYPES[result.name] for result in recorder.finished if result.error != how]
    begun = [SYNC_TYPES[name] for name in recorder.started]
    assert set(begun) <= {*failed, *others}, f"{struck.where}: a step left no synclog"
    assert set(done) <= set(others), struck.where
    assert len(failed) <= 1, struck.where
    if begun and begun[-1] not in done and "finish_step" not in struck.within:
        assert failed == begun[-1:], struck.where


def _ids(world: World) -> set[str]:
    return {str(log["_id"]) for log in world.app.all("synclogs")}
