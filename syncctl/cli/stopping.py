"""SIGINT and SIGTERM while a command runs: raised where the program stands, if that is a place to raise."""

from __future__ import annotations

import _weakrefset
import contextlib
import copyreg
import importlib._bootstrap as import_system
import signal
import weakref
from collections.abc import Iterator
from types import FrameType

from syncctl.errors import TerminationRequest

LOOK_AGAIN_S = 0.005

_FILES = frozenset(
    {
        *(module.__file__ for module in (contextlib, copyreg, weakref, _weakrefset)),
        import_system._get_module_lock.__code__.co_filename,  # type: ignore[attr-defined]
    }
)
_FUNCTIONS = frozenset({"__enter__", "__exit__", "_release_save", "_acquire_restore"})
"""Where nothing may be raised: in between the two halves of entering or leaving a with block, which would
leave a lock held for ever (https://bugs.python.org/issue29988), and in callbacks of weak references. The
import system has both: of the latter, one at the end of each import. And copyreg passes over whatever is
raised while pickle learns of a class."""


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """Within, SIGINT raises KeyboardInterrupt, and SIGTERM TerminationRequest, in the main thread.

    Outside, where nothing needs tidying up, both end the program as they end any: raised while Python starts
    or ends, they would show as a traceback.
    """
    stop = Stop()
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, stop) for number in handled}
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def is_no_place_to_raise(frame: FrameType | None) -> bool:
    """Whether what is raised in this frame would not reach the program, but be shown as "Exception ignored",
    or would leave open what a with block holds."""
    if frame is not None and (frame.f_code.co_filename in _FILES or frame.f_code.co_name in _FUNCTIONS):
        return True
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


class Stop:
    """Handles the signals. Where the program stands in no place to raise, it looks again a moment later.

    `raised`: the last request that was raised, or None.
    """

    def __init__(self) -> None:
        self.raised: KeyboardInterrupt | None = None
        self._request: KeyboardInterrupt | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            self._request = TerminationRequest()
        elif number == signal.SIGINT:
            self._request = KeyboardInterrupt()
        request = self._request
        if request is None:
            return
        if is_no_place_to_raise(frame):
            signal.setitimer(signal.ITIMER_REAL, LOOK_AGAIN_S)
            return
        self._request, self.raised = None, request
        raise request
