"""SIGINT and SIGTERM while a command runs: a request to stop, which the work looks at by itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from syncctl.ports.stop import Stop

SIGNALS = (signal.SIGINT, signal.SIGTERM)

REPEATED_AFTER_S = 0.3
"""A signal that comes sooner after the first is the same request: timeout(1) and its kind pass on to their
child what it has been sent already."""

_RESTORE_TERMINAL = b"\r\x1b[K\x1b[?25h"
"""Empties the line and shows the cursor, which a progress display hides."""

_ending = threading.Lock()
"""Taken by the thread that ends the program."""


@contextmanager
def stoppable(last_words: Callable[[int], bytes] = lambda _: b"") -> Iterator[Stop]:
    """Within, SIGINT and SIGTERM are requests to stop. To be used in the main thread.

    A second request ends the program at once, and so does the first where nothing needs tidying up
    (`Stop.at_safe_points`). Outside, both signals end the program as they end any. `last_words`: what is
    written to stdout where the program is ended at once by a signal, of this number.
    """
    stop = Stop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if not stop.waits_for_safe_point:
            _end_now(number, last_words)
        stop.note(number)

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # A handler may run in the midst of anything, with locks held: so it is this thread that wakes others.
    # Python writes to the pipe as soon as a signal comes, whatever the main thread is at.
    watcher = threading.Thread(
        target=_watch, args=(reader, stop, last_words), name="stop-requests", daemon=True
    )
    watcher.start()
    wakeup_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handlers_before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup_before)
        os.close(writer)
        watcher.join()
        os.close(reader)


def _watch(reader: int, stop: Stop, last_words: Callable[[int], bytes]) -> None:
    first_at: float | None = None
    while numbers := os.read(reader, 1):
        number = numbers[0]
        if number not in SIGNALS:
            continue
        now = time.monotonic()
        is_second = first_at is not None and now - first_at >= REPEATED_AFTER_S
        # One that the handler has noted is dealt with, even if the work has just come to its end by it.
        is_unheeded = not (stop.waits_for_safe_point or stop.requested)
        if is_unheeded or is_second:
            _end_now(number, last_words)
        first_at = now if first_at is None else first_at
        stop.request(number)


def _end_now(number: int, last_words: Callable[[int], bytes]) -> NoReturn:
    if not _ending.acquire(blocking=False):
        time.sleep(0.05)  # the other thread, or this one further up, is at it
        os._exit(128 + number)
    terminal = next((descriptor for descriptor in (2, 1) if os.isatty(descriptor)), None)
    try:
        if terminal is not None and os.environ.get("TERM") != "dumb":
            os.write(terminal, _RESTORE_TERMINAL)
        os.write(2, b"Stopped.\n")
        os.write(1, last_words(number))
    finally:
        os._exit(128 + number)
