"""A watcher of waits that keeps what it was told."""

from collections.abc import Iterator
from contextlib import contextmanager

from syncctl.ports.waiting import Wait, watched_by


class SeenWaits:
    """`begun` and `ended` in the order in which that happened."""

    def __init__(self) -> None:
        self.begun_waits: list[Wait] = []
        self.ended_waits: list[Wait] = []

    def begun(self, wait: Wait) -> None:
        self.begun_waits.append(wait)

    def ended(self, wait: Wait) -> None:
        self.ended_waits.append(wait)


@contextmanager
def seen_waits() -> Iterator[list[Wait]]:
    """The waits within; all of them must be over at its end."""
    seen = SeenWaits()
    with watched_by(seen):
        yield seen.begun_waits
    assert sorted(map(id, seen.begun_waits)) == sorted(map(id, seen.ended_waits))
