"""What the program waits for, announced to whoever shows it: run lock, database, rental API.

Waits are deep inside the adapters, in any command, and many of them before there is a run. So whoever shows
them is known to the process, as the log is, and not handed down.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from syncctl.domain.sources import StepName


class RunWait(NamedTuple):
    """Another run holds the lock."""

    pid: int | None
    """Its process; None: not known."""

    host: str | None
    """Where it runs, if that is another machine."""

    limit_s: float
    """How long it is waited for, in seconds."""


class DatabaseWait(NamedTuple):
    """The database does not answer yet, or another program is writing to it."""

    place: str
    """The database in the midst of a sentence, such as "MongoDB at db.example"."""

    limit_s: float
    """How long it is waited for, in seconds; infinite where that depends on what is being done."""


class RetryWait(NamedTuple):
    """A call of the rental API failed and is about to be tried again."""

    report: StepName
    location: str

    reason: str
    """What the last try failed with, in a few words, such as "503"."""

    next_try: int
    """Which try comes next, from 2."""

    of: int
    """How many tries there may be."""

    wait_s: float
    """Seconds until then."""


class CheckWait(NamedTuple):
    """The steps of a sync are done, and the API is asked for more, as a check."""

    locations: int
    """How many are asked for everything; 0: it is measured how the API answers narrower questions."""


@dataclass(frozen=True, slots=True)
class PassWait:
    """All leads of the database are gone through."""


Wait = RunWait | DatabaseWait | RetryWait | CheckWait | PassWait


class WaitWatcher(Protocol):
    """Shows what is waited for. Any thread may call it."""

    def begun(self, wait: Wait) -> None: ...
    def ended(self, wait: Wait) -> None: ...


_watchers: list[WaitWatcher] = []
"""The last one is told; the others wait for their turn."""


@contextmanager
def watched_by(watcher: WaitWatcher) -> Iterator[None]:
    """Within, waits are announced to this watcher and to no other."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def waiting(wait: Wait) -> Iterator[None]:
    """Within, this is waited for."""
    watcher = _watchers[-1] if _watchers else None
    if watcher is None:
        yield
        return
    watcher.begun(wait)
    try:
        yield
    finally:
        watcher.ended(wait)
