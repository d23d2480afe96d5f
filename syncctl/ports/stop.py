"""A request to stop, which the work looks at where it can end cleanly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from syncctl.errors import ExitCode, StopRequestedError

Item = TypeVar("Item")


class Stop:
    """The request to stop of one command. The work looks at it between batches, before each call and in each
    wait; a new one asks for nothing. Any thread may use it."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._requested = threading.Event()
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []
        self._sections = 0

    @property
    def requested(self) -> bool:
        """Whether the work is to end."""
        return self._signal is not None

    @property
    def exit_code(self) -> ExitCode | None:
        """The exit status of a command that was stopped; None while nothing is requested."""
        return None if self._signal is None else StopRequestedError(self._signal).exit_code

    @property
    def waits_for_safe_point(self) -> bool:
        """Whether the work under way looks for a request, as `at_safe_points` says."""
        return self._sections > 0

    def note(self, number: int) -> None:
        """Let the work see a request at its next look. Takes no lock, so that a signal handler may call it:
        it may run while its own thread holds any of them. `number`: of the signal; the first one counts."""
        if self._signal is None:
            self._signal = number

    def request(self, number: int) -> None:
        """`note` it, and wake whoever waits."""
        self.note(number)
        with self._lock:
            self._requested.set()
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def raise_if_requested(self) -> None:
        """Raises StopRequestedError once a stop is requested."""
        if self._signal is not None:
            raise StopRequestedError(self._signal)

    def wait(self, seconds: float | None = None) -> None:
        """Sleep so long (None: for ever). Raises StopRequestedError as soon as a stop is requested."""
        self._requested.wait(seconds)
        self.raise_if_requested()

    def between(self, items: Iterable[Item]) -> Iterator[Item]:
        """Gives the items. What is done with each is finished (`at_safe_points`): StopRequestedError is
        raised before the next one once a stop is requested."""
        with self.at_safe_points():
            for item in items:
                self.raise_if_requested()
                yield item

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Within, a request calls `wake`, from another thread; at once where it has been made before."""
        with self._lock:
            self._wakers.append(wake)
            is_late = self._requested.is_set()
        try:
            if is_late:
                wake()
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)

    @contextmanager
    def at_safe_points(self) -> Iterator[None]:
        """Within, there is something to finish or to tidy up: a request waits until the work looks at it.
        Everywhere else it ends the program at once."""
        self._sections += 1
        try:
            yield
        finally:
            self._sections -= 1
