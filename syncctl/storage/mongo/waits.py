"""Announces what the driver waits for once it is connected: a command's reply."""

import math
from contextlib import AbstractContextManager

from pymongo import monitoring

from syncctl.ports.waiting import DatabaseWait, waiting


class WaitListener(monitoring.CommandListener):
    """Begins a wait with each command. Short ones are never drawn. `place`: the database in the midst of a
    sentence.

    Not to servers as well: for them the driver has a thread that holds up the program's end by half a second.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._under_way: dict[int, AbstractContextManager[None]] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self._under_way[event.request_id] = waiting(DatabaseWait(self._place, math.inf))
        self._under_way[event.request_id].__enter__()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self._end(event.request_id)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._end(event.request_id)

    def _end(self, number: int) -> None:
        if (begun := self._under_way.pop(number, None)) is not None:
            begun.__exit__(None, None, None)
