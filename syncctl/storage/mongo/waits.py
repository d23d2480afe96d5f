"""Announces what the driver waits for once it is connected: a command's reply, or a server to send it to."""

import math
from contextlib import AbstractContextManager

from pymongo import monitoring

from syncctl.ports.waiting import DatabaseWait, waiting

_NO_SERVER = 0
"""Stands for a command's request id, of which none is 0."""


class WaitListener(monitoring.CommandListener, monitoring.TopologyListener):
    """Begins a wait with each command, and with the loss of the primary. Short ones are never drawn.
    `place`: the database in the midst of a sentence."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._under_way: dict[int, AbstractContextManager[None]] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self._begin(event.request_id)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self._end(event.request_id)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._end(event.request_id)

    def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
        """Nobody is waited for yet: `prepare` announces that itself."""

    def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
        if event.new_description.has_writable_server():
            self._end(_NO_SERVER)
        elif event.previous_description.has_writable_server():
            self._begin(_NO_SERVER)

    def closed(self, event: monitoring.TopologyClosedEvent) -> None:
        self._end(_NO_SERVER)

    def _begin(self, number: int) -> None:
        self._under_way[number] = waiting(DatabaseWait(self._place, math.inf))
        self._under_way[number].__enter__()

    def _end(self, number: int) -> None:
        if (begun := self._under_way.pop(number, None)) is not None:
            begun.__exit__(None, None, None)
