"""Runs a job with a kill, an interrupt or an error at one of its database calls, and checks its report of
it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from syncctl.domain.run_results import RunResult
from syncctl.errors import (
    InterruptedRunError,
    StopRequestedError,
    StorageError,
    StorageUnavailableError,
    SyncctlError,
)
from syncctl.ports.storage import Storage
from tests.chaos.prepared import PreparedJob
from tests.chaos.tally import tally
from tests.support.failing_storage import WRITES, FailingStorage, Killed, Moment, interrupted, terminated
from tests.support.world import Recorder

End = Callable[[], BaseException]


def gone() -> BaseException:
    """The database can't be reached."""
    return StorageUnavailableError("gone")


def refused() -> BaseException:
    """The database refuses this one call."""
    return StorageError("refused")


REFUSALS: tuple[End, ...] = (gone, refused)
ENDS: tuple[End, ...] = (Killed, interrupted, terminated, *REFUSALS)
"""What can happen to a job at a call."""

OF_THE_HISTORY = frozenset({"save_run", "forget_runs"})
"""Writes after the run's end: a signal there does not interrupt the run."""

OUTSIDE_OF_STEPS = OF_THE_HISTORY | {"add_sync_log"}
"""Writes after a step's end: its result is final, whatever ends the run then."""


def moments_of(ready: PreparedJob) -> list[Moment]:
    """When a write can fail. A SQLite transaction is all or nothing."""
    of_sqlite = ready.workspace.world.url.startswith("sqlite")
    return [moment for moment in Moment if not (of_sqlite and moment is Moment.MIDWAY)]


def run_with_fault(
    ready: PreparedJob, at: int, moment: Moment, error: End, among: Collection[str] = WRITES
) -> str:
    """Do the job with an error at one of its calls: it must either end with it or report it. Returns the
    call's name, or "" if the job was already done."""
    app = ready.workspace.world.app
    logged_before = len(app.all("synclogs"))
    failing: list[FailingStorage] = []

    def fail(storage: Storage) -> Any:
        failing.append(FailingStorage(storage, at, error, moment, among))
        return failing[0]

    result: object = None
    ended: BaseException | None = None
    ready.workspace.world.recorder = Recorder()  # not every job begins one of its own
    try:
        result = ready.job.do(ready.workspace, fail)
    except (Killed, SyncctlError) as end:
        ended = end
    if not (struck := failing[0].struck):
        assert ended is None, ended
        return ""
    match cause := error():
        case Killed():
            tally.add("kills at a write", struck in WRITES)
            assert isinstance(ended, Killed), f"{struck}: a kill was caught, and came to {ended or result}"
        case StopRequestedError():
            tally.add("interrupts")
            entries = app.all("synclogs")[logged_before:]
            assert_interruption_is_told(ready, struck, cause, ended, entries)
        case StorageUnavailableError():
            tally.add("database troubles")
            assert isinstance(ended, StorageUnavailableError), f"{struck}: {ended or result}"
        case _:
            tally.add("database troubles")
            failed = isinstance(result, RunResult) and not result.ok
            warned = ready.workspace.world.recorder.warnings
            assert isinstance(ended, StorageError) or failed or warned, f"{struck}: not reported"
    return struck


def assert_interruption_is_told(
    ready: PreparedJob,
    struck: str,
    cause: StopRequestedError,
    ended: BaseException | None,
    entries: Sequence[Mapping[str, Any]],
) -> None:
    """The exit status and the new synclogs (`entries`) report the interruption: each started step has an
    entry, and the interrupted one says so."""
    if not ready.is_logged or struck in OF_THE_HISTORY:
        assert isinstance(ended, StopRequestedError | InterruptedRunError), f"{struck}: {ended}"
        assert ended.exit_code == cause.exit_code
        return
    expected = InterruptedRunError(cause)
    assert isinstance(ended, InterruptedRunError), f"{struck}: {ended}"
    assert ended.exit_code == expected.exit_code
    assert len(entries) >= len(ready.workspace.world.recorder.started), f"{struck}: a step left no synclog"
    if struck in WRITES - OUTSIDE_OF_STEPS:
        assert (entries[-1]["status"], entries[-1]["errorMessage"]) == ("failed", expected.short), struck
