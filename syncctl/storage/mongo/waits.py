"""Announces what the driver waits for once it is connected: a server to ask, and a command's reply."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident

from pymongo import monitoring

from syncctl.ports.waiting import DatabaseWait, waiting


class WaitListener(monitoring.CommandListener):
    """Begins a wait with each command, and one with each operation until its first command, and after a
    failed one until the next: so long the driver looks for a primary. Short ones are never drawn.
    `place`: the database in the midst of a sentence.

    Not by listening to servers: for that the driver has a thread that holds up the program's end by half a
    second.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._under_way: dict[int, AbstractContextManager[None]] = {}
        self._looking: dict[int, AbstractContextManager[None] | None] = {}
        """By thread that is at an operation: the wait for a server."""

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Within, commands are sent. One within another is a part of it."""
        thread = get_ident()
        if thread in self._looking:
            yield
            return
        self._looking[thread] = self._begun()
        try:
            yield
        finally:
            self._found()
            del self._looking[thread]

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self._found()
        self._under_way[event.request_id] = self._begun()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self._end(event.request_id)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._end(event.request_id)
        if get_ident() in self._looking:
            self._looking[get_ident()] = self._begun()

    def _begun(self) -> AbstractContextManager[None]:
        begun = waiting(DatabaseWait(self._place, math.inf))
        begun.__enter__()
        return begun

    def _found(self) -> None:
        if (begun := self._looking.get(get_ident())) is not None:
            self._looking[get_ident()] = None
            begun.__exit__(None, None, None)

    def _end(self, number: int) -> None:
        if (begun := self._under_way.pop(number, None)) is not None:
            begun.__exit__(None, None, None)
