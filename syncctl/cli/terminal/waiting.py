"""What is waited for, and how long: a line of the terminal, in place, and gone when the wait is over."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable
from typing import Self, TextIO

from syncctl.domain.sources import StepName
from syncctl.locations import location_words
from syncctl.ports.waiting import CheckWait, DatabaseWait, PassWait, RetryWait, RunWait, Wait
from syncctl.safe_output.printable import printable
from syncctl.text import quantity

GRACE_S = 0.6
"""A shorter wait is not worth a flicker; a longer one is shown within a second."""

_POLL_S = 0.2

ALL_LEADS = "going through all leads"


def seconds(limit_s: float) -> str:
    """A time limit in seconds: `2.5`, `30`."""
    return f"{limit_s:.0f}" if limit_s == round(limit_s) or limit_s >= 10 else f"{limit_s:.1f}"


def waited_for(wait: RunWait | DatabaseWait) -> str:
    """What it is, in the midst of a sentence."""
    if isinstance(wait, DatabaseWait):
        return wait.place
    run = "another run" if wait.pid is None else f"run {wait.pid}"
    return printable(f"{run} on {wait.host}" if wait.host else run)


def lasting_words(wait: RunWait | DatabaseWait | PassWait) -> str:
    """What is waited for, and how long at most: where no line can be redrawn."""
    if isinstance(wait, PassWait):
        return ALL_LEADS
    at_most = "" if math.isinf(wait.limit_s) else f", up to {seconds(wait.limit_s)} s"
    return f"waiting for {waited_for(wait)}{at_most}"


def retry_words(wait: RetryWait, left_s: float) -> str:
    """Which call failed with what, and when it is tried again."""
    place = "the store list" if wait.report is StepName.STORES else location_words(wait.location)
    return printable(
        f"{place}: {wait.reason}, try {wait.next_try} of {wait.of} in {math.ceil(max(0.0, left_s))} s"
    )


def _work_words(wait: CheckWait | PassWait) -> str:
    if isinstance(wait, PassWait):
        return ALL_LEADS
    if not wait.locations:
        return "measuring how the API answers narrower questions"
    return f"asking {quantity(wait.locations, 'location')} for everything as a check"


class WaitLine:
    """Composes the line anew each time that it is shown, so that the time in it moves."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, grace_s: float = GRACE_S) -> None:
        self._clock = clock
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._since: dict[int, tuple[Wait, float]] = {}

    def begun(self, wait: Wait) -> None:
        with self._lock:
            self._since[id(wait)] = wait, self._clock()

    def ended(self, wait: Wait) -> None:
        with self._lock:
            self._since.pop(id(wait), None)

    def under_way(self) -> list[tuple[Wait, float]]:
        """The waits worth showing, and for how many seconds each has lasted."""
        now = self._clock()
        with self._lock:
            lasting = [(wait, now - since) for wait, since in self._since.values()]
        return [each for each in lasting if each[1] >= self._grace_s]

    def text(self) -> str:
        """The line; "" while there is nothing to say."""
        retries: list[tuple[float, RetryWait]] = []
        work = ""
        for wait, lasted_s in self.under_way():
            if isinstance(wait, RunWait | DatabaseWait):
                of = "" if math.isinf(wait.limit_s) else f" of {seconds(wait.limit_s)}"
                return f"waiting for {waited_for(wait)}, {int(lasted_s)} s{of}"
            if isinstance(wait, RetryWait):
                retries.append((wait.wait_s - lasted_s, wait))
            else:
                work = f"{_work_words(wait)}, {int(lasted_s)} s"
        if not retries:
            return work
        left_s, first = min(retries, key=lambda each: each[0])
        more = f" (and {len(retries) - 1} more)" if len(retries) > 1 else ""
        return retry_words(first, left_s) + more


class WaitDisplay:
    """Shows the line on a terminal that has no other display at work. `in_place`: the terminal can empty a
    line; otherwise the beginning of each wait is a line, but of retries."""

    def __init__(
        self, stream: TextIO, line: WaitLine | None = None, *, in_place: bool, poll_s: float = _POLL_S
    ) -> None:
        self._stream = stream
        self._line = line or WaitLine()
        self._in_place = in_place
        self._poll_s = poll_s
        self._shown = ""
        self._said: set[int] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def begun(self, wait: Wait) -> None:
        self._line.begun(wait)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="waits-shown", daemon=True)
                self._thread.start()

    def ended(self, wait: Wait) -> None:
        self._line.ended(wait)
        with self._lock:
            self._said.discard(id(wait))
            self._show()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(self._poll_s):
            with self._lock:
                self._show()

    def _show(self) -> None:
        if not self._in_place:
            for wait, _ in self._line.under_way():
                if isinstance(wait, RunWait | DatabaseWait | PassWait) and id(wait) not in self._said:
                    self._said.add(id(wait))
                    self._write(f"{lasting_words(wait)}\n")
            return
        text = self._line.text()[: shutil.get_terminal_size().columns - 1]
        if text != self._shown:
            self._shown = text
            self._write(f"\r\x1b[K{text}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
