"""SIGINT and SIGTERM wherever the code stands: synclogs say so, nothing stays, the next run finishes."""

import contextvars
import inspect
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest

from syncctl.cli.stopping import is_no_place_to_raise
from syncctl.errors import InterruptedRunError, TerminationRequest
from syncctl.ports import Storage
from tests.torture.jobs import JOBS, Job
from tests.torture.prepared import Prepared, prepared
from tests.torture.tally import tally

STRIKES = 2
STRIKES_PER_ROUND = 0.2
RUNS = ("execute", "retry_rejects", "clean_duplicates", "rename_stores")
"""The functions within which a signal strikes: what a run is."""

MOMENTS = ("call", "return", "c_return")
"""Python looks for signals when a function begins and after each call, but not, say, between the end of a
with block and the release of its lock. (Generators yield and are closed with the same events; nor then.)"""


class Strike:
    """Raises what a signal's handler would, at the `at`-th moment of the run at which Python may call it, or
    the next one that is a place to raise (0: at none)."""

    def __init__(self, at: int, request: type[KeyboardInterrupt]) -> None:
        self.moments = 0
        self.where = ""
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
                self._end()
                raise self._request
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
    tally.add("interrupts")
    world.recorder.started.clear()
    logs_before = len(world.app.all("synclogs"))
    try:
        # In a context of its own, as a process's end would take what pymongo keeps there: its time limit.
        contextvars.copy_context().run(ready.job.do, ready.place, struck)
        ended: BaseException | None = None
    except (InterruptedRunError, KeyboardInterrupt) as error:
        ended = error
    except SystemError:  # what pymongo's C code may make of it: the program's error boundary knows better
        return
    finally:
        sys.setprofile(None)
    if struck.where:
        assert ended is not None, f"{struck.where}: the signal was lost"
    if isinstance(ended, InterruptedRunError):
        assert ended.exit_code == InterruptedRunError(request()).exit_code
    logged = len(world.app.all("synclogs")) - logs_before
    assert logged >= len(world.recorder.started), f"{struck.where}: a step left no synclog"
    assert [thread for thread in threading.enumerate() if thread.name.startswith("rental-api-")] == []
