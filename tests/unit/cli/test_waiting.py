"""What a person sees while the program waits: at once, in place, and gone when the wait is over."""

import io
import threading
import time
from contextlib import suppress
from math import inf

import pytest

from syncctl.cli.terminal.waiting import WaitDisplay, WaitLine
from syncctl.domain.sources import StepName
from syncctl.ports.waiting import (
    CheckWait,
    DatabaseWait,
    PassWait,
    RetryWait,
    RunWait,
    Wait,
    waiting,
    watched_by,
)

LOCK = RunWait(29274, None, 30.0)
DATABASE = DatabaseWait("MongoDB at db.example", 5.0)


def retry(location: str = "3", *, reason: str = "503", wait_s: float = 2.0) -> RetryWait:
    return RetryWait(StepName.BOOKING, location, reason, 4, 6, wait_s)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("wait", "after_s", "said"),
    [
        (LOCK, 12.0, "waiting for run 29274, 12 s of 30"),
        (RunWait(None, None, 90.0), 61.0, "waiting for another run, 61 s of 90"),
        (RunWait(7, "db\x1b[2J", 2.5), 1.0, "waiting for run 7 on db\\x1b[2J, 1 s of 2.5"),
        (DATABASE, 3.4, "waiting for MongoDB at db.example, 3 s of 5"),
        (DatabaseWait("MongoDB at db.example", inf), 12.2, "waiting for MongoDB at db.example, 12 s"),
        (CheckWait(2), 1.0, "asking 2 locations for everything as a check, 1 s"),
        (PassWait(), 2.0, "going through all leads, 2 s"),
        (CheckWait(0), 1.0, "measuring how the API answers narrower questions, 1 s"),
        (retry(), 0.7, "location 3: 503, try 4 of 6 in 2 s"),
        (retry(wait_s=120.0), 60.0, "location 3: 503, try 4 of 6 in 60 s"),
        (retry(""), 1.5, "all locations: 503, try 4 of 6 in 1 s"),
        (RetryWait(StepName.STORES, "", "503", 2, 6, 4.0), 1.0, "the store list: 503, try 2 of 6 in 3 s"),
    ],
)
def test_it_says_what_is_waited_for_and_how_long(wait: Wait, after_s: float, said: str) -> None:
    clock = Clock()
    line = WaitLine(clock)
    line.begun(wait)
    assert line.text() == ""  # not worth a flicker
    clock.now += after_s
    assert line.text() == said
    line.ended(wait)
    assert line.text() == ""


def test_of_several_the_one_that_ends_first_is_named() -> None:
    clock = Clock()
    line = WaitLine(clock)
    waits = [retry("3", wait_s=9.0), retry("7", wait_s=4.0), retry("8", wait_s=6.0)]
    for wait in waits:
        line.begun(wait)
    clock.now += 1.0
    assert line.text() == "location 7: 503, try 4 of 6 in 3 s (and 2 more)"
    line.begun(LOCK)
    line.ended(waits[1])
    clock.now += 1.0
    assert line.text() == "waiting for run 29274, 1 s of 30"


def test_waits_are_announced_to_the_innermost_watcher_however_they_end() -> None:
    clock = Clock()
    outer, inner = WaitLine(clock), WaitLine(clock)
    with watched_by(outer):
        with watched_by(inner), suppress(KeyError), waiting(LOCK):
            clock.now += 1.0
            assert (outer.text(), inner.text()) == ("", "waiting for run 29274, 1 s of 30")
            raise KeyError
        assert inner.text() == ""
        with waiting(DATABASE):
            clock.now += 1.0
            assert outer.text()
    with waiting(LOCK):
        clock.now += 1.0
        assert outer.text() == ""


def shown(display: WaitDisplay, stream: io.StringIO, *waits: Wait, until: str) -> str:
    with display:
        for wait in waits:
            display.begun(wait)
        give_up_at = time.monotonic() + 20.0
        while until not in stream.getvalue() and time.monotonic() < give_up_at:
            time.sleep(0.01)
        for wait in waits:
            display.ended(wait)
    return stream.getvalue()


def test_in_place_on_a_terminal_and_gone_afterwards() -> None:
    stream = io.StringIO()
    text = shown(WaitDisplay(stream, WaitLine(grace_s=0.0), in_place=True), stream, LOCK, until="0 s of 30")
    assert text.startswith("\r\x1b[Kwaiting for run 29274, 0 s of 30")
    assert text.endswith("\r\x1b[K")
    assert "\n" not in text


def test_on_a_dumb_terminal_one_line_for_each_and_none_for_retries() -> None:
    stream = io.StringIO()
    display = WaitDisplay(stream, WaitLine(grace_s=0.0), in_place=False, poll_s=0.001)
    threads = threading.active_count()
    text = shown(display, stream, retry(), LOCK, PassWait(), until="leads\n")
    assert text == "waiting for run 29274, up to 30 s\ngoing through all leads\n"
    assert threading.active_count() == threads


def test_nothing_and_no_thread_where_nothing_is_waited_for() -> None:
    stream = io.StringIO()
    threads = threading.active_count()
    with WaitDisplay(stream, WaitLine(), in_place=True) as display:
        display.begun(LOCK)
        display.ended(LOCK)
    assert (stream.getvalue(), threading.active_count()) == ("", threads)
