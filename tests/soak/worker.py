"""The process in which syncctl runs, so that its memory and files are measured without the sandbox and the
test."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.errors import SyncctlError
from syncctl.locations import Locations
from syncctl.sandbox import Sandbox
from tests.support.interleaved_storage import InterleavedStorage
from tests.support.world import World

MIDWAY = "midway"
"""Sent by the process when a run reaches its `stop_at` call."""

END_S = 10.0


@dataclass(frozen=True)
class WorkerSetup:
    """What the worker process needs."""

    url: str
    """Of the database."""

    port: int
    """Of the sandbox."""

    today: date
    """The sandbox's last day."""

    locations: Locations
    """All locations."""

    folder: Path
    """For its files."""


@dataclass(frozen=True)
class RunOrder:
    """A run to perform."""

    now: datetime
    """Its clock."""

    stop_at: int = 0
    """The storage call before which the business continues; 0: none."""

    full: bool = False
    """Whether an API run is a full one."""

    kind: StepName | None = None

    files: tuple[Path, ...] = ()
    """The files of an import."""


@dataclass(frozen=True)
class Ended:
    """The result of a run."""

    error: str
    """Empty if it succeeded."""

    seconds: float
    """Wall-clock time."""

    peak_kb: int
    """The process's peak memory during the run."""

    open_files: int
    """Files open afterwards."""

    balanced: bool = True
    """Whether each row was accounted for."""


@dataclass
class Worker:
    """A running process. `end` it."""

    setup: WorkerSetup
    _connection: Connection = field(init=False)
    _process: Any = field(init=False)

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.setup), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, order: RunOrder, midway: Callable[[], None] = lambda: None) -> Ended:
        """Let it run; `midway` is called while the run waits. EOFError: the process has broken down."""
        self._connection.send(order)
        while (answer := self._connection.recv()) == MIDWAY:
            midway()
            self._connection.send(None)
        assert isinstance(answer, Ended)
        return answer

    def end(self) -> None:
        """End it, at once if it does not end by itself."""
        self._connection.close()
        self._process.join(END_S)
        self._process.kill()
        self._process.join()


def _serve(connection: Connection, setup: WorkerSetup) -> None:
    tempfile.tempdir = str(setup.folder)
    sandbox = Sandbox(locations=0, bookings=0, today=setup.today, port=setup.port)  # only to name its address
    world = World(sandbox, setup.url, setup.locations)
    try:
        while True:
            connection.send(_done(world, connection.recv(), connection))
    except (EOFError, BrokenPipeError):
        return  # the parent process has exited
    finally:
        world.close()


def _done(world: World, order: RunOrder, connection: Connection) -> Ended:
    def midway() -> None:
        connection.send(MIDWAY)
        connection.recv()

    def stopping(storage: Any) -> Any:
        return InterleavedStorage(storage, order.stop_at, midway)

    world.now = order.now
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # reset the peak
    began = time.monotonic()
    try:
        if order.kind is not None:
            result = world.import_files(order.kind, *order.files, wrap=stopping)
        else:
            result = world.run(measures=True, audits=2, full=order.full, wrap=stopping)
    except SyncctlError as error:
        return Ended(str(error), time.monotonic() - began, _peak_kb(), _open_files())
    return Ended(
        _error_of(result),
        time.monotonic() - began,
        _peak_kb(),
        _open_files(),
        all(step.counts.balanced for step in result.steps),
    )


def _error_of(result: RunResult) -> str:
    return "" if result.ok else "; ".join(step.error or step.name for step in result.steps if step.error)


def _peak_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
