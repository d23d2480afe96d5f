"""Ctrl-C and SIGTERM: requests that the work looks at, raised nowhere else, and that wake every wait."""

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from syncctl.cli.stopping import REPEATED_AFTER_S, stoppable
from syncctl.errors import StopRequestedError
from syncctl.ports.stop import Stop
from syncctl.run_lock import RunLock
from syncctl.sandbox import Fault, Sandbox
from tests.support.program import Program
from tests.support.store_files import SAMPLES

LIMIT_S = 10.0
LONGEST_START_S = 60.0
AT_ONCE_S = 3.0
"""One second on a machine that has time, which this one may not have."""

SENT = pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


class Finalized:
    """Is sent a signal while it is finalized."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


class InterruptedLock:
    """A lock as threading.Condition is one: in Python, and interrupted between its two halves."""

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
    interrupted = InterruptedLock(number)
    with interrupted:
        pass
    assert not interrupted.lock.locked()


@SENT
@pytest.mark.parametrize("place", [finalized, in_a_callback, locked])
def test_a_signal_is_neither_lost_nor_raised_where_it_comes(
    place: Callable[[int], None], sent: signal.Signals, status: int
) -> None:
    with stoppable() as stop, stop.at_safe_points():
        stop.raise_if_requested()
        place(sent)
        with pytest.raises(StopRequestedError) as caught:
            stop.raise_if_requested()
    assert caught.value.exit_code == stop.exit_code == status


def test_what_was_there_before_is_back_afterwards() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    threads, files = threading.enumerate(), os.listdir("/proc/self/fd")
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in numbers] == before
    assert threading.enumerate() == threads
    assert os.listdir("/proc/self/fd") == files


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_a_request_ends_a_wait_at_once(seconds: float | None) -> None:
    begun = time.monotonic()
    soon = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    with stoppable() as stop, stop.at_safe_points():
        soon.start()  # only now can the request be received, however busy the machine is
        with pytest.raises(StopRequestedError):
            stop.wait(seconds)
    soon.join()
    assert time.monotonic() - begun < LIMIT_S


def test_whoever_is_to_be_woken_is_so_once_and_by_another_thread() -> None:
    stop, woken = Stop(), []
    with stop.waking(lambda: woken.append(threading.current_thread())):
        request = threading.Thread(target=stop.request, args=(signal.SIGTERM,))
        request.start()
        request.join()
    stop.request(signal.SIGTERM)
    assert woken == [request]


def test_who_comes_after_the_request_is_woken_too() -> None:
    stop, woken = Stop(), []
    stop.request(signal.SIGTERM)
    with stop.waking(lambda: woken.append(True)):
        assert woken == [True]


def test_between_two_items_and_only_there() -> None:
    stop, done = Stop(), []

    def work() -> None:
        for number in stop.between(range(5)):
            assert stop.waits_for_safe_point
            if number == 2:
                stop.request(signal.SIGINT)
            done.append(number)

    with pytest.raises(StopRequestedError):
        work()
    assert done == [0, 1, 2]
    assert not stop.waits_for_safe_point


def test_the_first_request_counts() -> None:
    stop = Stop()
    stop.request(signal.SIGTERM)
    stop.request(signal.SIGINT)
    assert stop.exit_code == 143


NEVER_LOOKS = """
import sys, time
from contextlib import nullcontext
from syncctl.cli.stopping import stoppable
with stoppable() as stop, stop.at_safe_points() if "safe points" in sys.argv else nullcontext():
    print("ready", flush=True)
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        time.sleep(0.01)
        if stop.requested and "says so" in sys.argv:
            print("requested", flush=True)
            sys.argv.remove("says so")
"""


def start(*arguments: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", NEVER_LOOKS, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@SENT
def test_with_nothing_to_tidy_up_the_program_ends_at_once(sent: signal.Signals, status: int) -> None:
    with start() as process:
        process.send_signal(sent)
        _, stderr = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, stderr) == (status, "Stopped.\n")


@SENT
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_second_request_ends_it_at_once(first: signal.Signals, sent: signal.Signals, status: int) -> None:
    with start("safe points", "says so") as process:
        process.send_signal(first)
        assert process.stdout is not None
        assert process.stdout.readline() == "requested\n"
        time.sleep(REPEATED_AFTER_S)
        assert process.poll() is None
        process.send_signal(sent)
        _, stderr = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, stderr) == (status, "Stopped.\n")


def test_what_a_wrapper_passes_on_is_the_same_ctrl_c() -> None:
    """timeout(1) sends its child the Ctrl-C that the terminal has sent it already."""
    with start("safe points") as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2 * REPEATED_AFTER_S)
        process.kill()


def slow_call(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("slow", api="booking", seconds=60))


def asked_to_wait(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("503", api="booking"))


def nothing(sandbox: Sandbox) -> None:
    """All is well."""


@SENT
@pytest.mark.parametrize(
    ("at_fault", "settings"),
    [
        pytest.param(slow_call, {}, id="a call"),
        pytest.param(asked_to_wait, {"API_MIN_BACKOFF_S": 3600, "API_RUN_DEADLINE_S": 7200}, id="a backoff"),
        pytest.param(
            nothing, {"API_CALL_DELAY_MS": 60_000, "API_RUN_DEADLINE_S": 7200}, id="a pause between calls"
        ),
    ],
)
def test_a_run_that_waits_for_the_api(
    tmp_path: Path,
    at_fault: Callable[[Sandbox], None],
    settings: dict[str, object],
    sent: signal.Signals,
    status: int,
) -> None:
    with Sandbox(locations=3, bookings=4) as sandbox:
        at_fault(sandbox)
        program = Program(tmp_path, API_BASE_URL=sandbox.base_url)
        with program.start("api", **{name: str(value) for name, value in settings.items()}) as process:
            give_up_at = time.monotonic() + LONGEST_START_S
            while not any(request.api != "stores" for request in sandbox.requests):
                assert time.monotonic() < give_up_at
                if "API_CALL_DELAY_MS" in settings and sandbox.requests:
                    break
                time.sleep(0.02)
            time.sleep(0.5)
            assert_ends_at_once(process, sent, status, "what was stored is kept; the next run goes on")
    assert program.run("status").status in (0, 1)


def _has_open(pid: int, path: Path) -> bool:
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if file.readlink() == path:
                return True
    return False


@SENT
def test_a_wait_for_the_lock(tmp_path: Path, sent: signal.Signals, status: int) -> None:
    program = Program(tmp_path)
    lock = tmp_path / "data" / "syncctl.lock"
    lock.parent.mkdir()
    with RunLock(lock).hold(), program.start("api", "--wait", "3600") as process:
        give_up_at = time.monotonic() + LONGEST_START_S
        while not _has_open(process.pid, lock):
            assert time.monotonic() < give_up_at
            time.sleep(0.02)
        assert_ends_at_once(process, sent, status, "Stopped.")


@pytest.mark.slow
@SENT
def test_a_workbook_whose_reader_hangs(tmp_path: Path, sent: signal.Signals, status: int) -> None:
    """The reader is held still, as one is that computes."""
    book = SAMPLES / "walkin_sg_calicut.xlsx"
    assert book.exists()
    program = Hanging(tmp_path)
    with program.start("import", "walkin", str(book)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        time.sleep(0.2)
        assert_ends_at_once(process, sent, status, "what was stored is kept; the next run goes on")


class Hanging(Program):
    """`syncctl` whose reader of workbooks never says anything."""

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", THE_READER_HANGS]


THE_READER_HANGS = """
from syncctl.files import workbook
workbook._START = "import time; print('reading', flush=True); time.sleep(3600)"
start = workbook.subprocess.Popen
def shown(command, **given):
    return start(command, **given | {"stdout": None})
workbook.subprocess.Popen = shown
from syncctl.cli.main import main
main()
"""


def assert_ends_at_once(
    process: "subprocess.Popen[str]", sent: signal.Signals, status: int, said: str
) -> None:
    assert process.poll() is None
    began = time.monotonic()
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=20)
    took_s = time.monotonic() - began
    assert process.returncode == status, stderr
    assert said in stderr
    assert "Traceback" not in stderr
    assert took_s < AT_ONCE_S
