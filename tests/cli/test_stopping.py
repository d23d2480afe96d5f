"""Signals raised in places where an exception is lost, or leaves a lock held."""

import copyreg
import importlib._bootstrap
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FrameType

import pytest

from syncctl.cli.stopping import is_no_place_to_raise, stoppable
from syncctl.errors import TerminationRequest

LIMIT_S = 10.0


class Finalized:
    """Is sent a signal while it is finalized."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        _deep_down(self.number)


def _deep_down(number: int) -> None:
    signal.raise_signal(number)


class StruckLock:
    """A lock as threading.Condition is one: in Python, and struck between its two halves."""

    def __init__(self, number: int) -> None:
        self.lock = threading.Lock()
        self.number = number

    def __enter__(self) -> None:
        self.lock.acquire()
        signal.raise_signal(self.number)

    def __exit__(self, *error: object) -> None:
        signal.raise_signal(self.number)
        self.lock.release()


def finalized(number: int) -> None:
    Finalized(number)


def in_a_callback(number: int) -> None:
    referred = threading.Thread()
    reference = weakref.finalize(referred, signal.raise_signal, number)
    del referred
    assert not reference.alive


def locked(number: int) -> None:
    struck = StruckLock(number)
    try:
        with struck:
            _wait()
    finally:
        assert not struck.lock.locked()


def _wait() -> None:
    """For the moment at which the program looks again."""
    give_up_at = time.monotonic() + LIMIT_S
    while time.monotonic() < give_up_at:
        time.sleep(0.001)


def _stopped(at: Callable[[], None]) -> None:
    with stoppable():
        at()
        _wait()


@pytest.mark.parametrize("place", [finalized, in_a_callback, locked])
@pytest.mark.parametrize(
    ("number", "request_type"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TerminationRequest)]
)
def test_a_signal_is_neither_lost_nor_does_it_leave_a_lock(
    place: Callable[[int], None], number: int, request_type: type[KeyboardInterrupt]
) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        _stopped(lambda: place(number))
    assert type(caught.value) is request_type


def _end_an_import() -> None:
    """The import system lets go of a module's lock in a callback of a weak reference."""
    lock = importlib._bootstrap._get_module_lock("no.such.module")  # type: ignore[attr-defined]
    del lock


def _pickle_a_new_class() -> None:
    """copyreg has an `except: pass` around what it keeps of a class."""

    class New:
        __slots__ = ("field",)

    copyreg._slotnames(New)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("do", "name"), [(_end_an_import, "cb"), (_pickle_a_new_class, "_slotnames")])
def test_where_python_itself_would_lose_it_nothing_is_raised(do: Callable[[], None], name: str) -> None:
    places: dict[str, bool] = {}

    def take_notice(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            places[frame.f_code.co_name] = is_no_place_to_raise(frame)

    sys.setprofile(take_notice)
    do()
    sys.setprofile(None)
    assert places[name]


def test_the_handlers_before_are_back_afterwards() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_wait_is_broken_off_at_once() -> None:
    begun = time.monotonic()
    changed = threading.Condition()
    soon = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    soon.start()
    with pytest.raises(KeyboardInterrupt), stoppable(), changed:
        changed.wait(60)
    soon.join()
    assert time.monotonic() - begun < LIMIT_S
