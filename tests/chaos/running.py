"""A running process of the program that can be stopped, inspected and sent signals."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncctl.run_lock import lock_state
from tests.chaos.tally import tally
from tests.support.program import LIMIT_S, Ended, Program

LOOK_S = 0.002


class Running:
    """A run of the program. Its lock file shows whether it is at work: it contains the pid from start to
    end."""

    def __init__(self, process: "subprocess.Popen[str]", lock: Path) -> None:
        self._process = process
        self._lock = lock
        self._stopped = False

    @property
    def is_at_work(self) -> bool:
        """Whether it has taken the lock and not released it. (A dead one never does.)"""
        try:
            return self._lock.read_bytes().startswith(b"pid=%d\n" % self._process.pid)
        except FileNotFoundError:
            return False

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._state() not in "ZX"

    def children(self) -> list[int]:
        """The processes that it has started and that have not ended."""
        threads = Path(f"/proc/{self._process.pid}/task")
        found = [list_.read_text() for list_ in threads.glob("*/children")]
        return [int(child) for children in found for child in children.split()]

    def wait_until_begun(self) -> bool:
        """Wait until it has the lock. False: it ended before that was seen."""
        give_up_at = time.monotonic() + LIMIT_S
        while not self.is_at_work:
            if not self.is_alive:
                return False
            assert time.monotonic() < give_up_at
            time.sleep(LOOK_S)
        return True

    def wait_until_done(self) -> None:
        """Wait until it has given the lock back."""
        give_up_at = time.monotonic() + LIMIT_S
        while self.is_at_work and self.is_alive:
            assert time.monotonic() < give_up_at
            time.sleep(LOOK_S)

    def hold_still(self) -> None:
        """Stop the process, so that nothing changes while it is inspected."""
        self._process.send_signal(signal.SIGSTOP)
        while self._state() not in "TZX":
            time.sleep(LOOK_S)

    def end(self, sent: signal.Signals | None = None) -> Ended:
        """Send it a signal, to be handled as soon as it resumes, and wait for its exit."""
        if sent is not None:
            self._process.send_signal(sent)
        self._process.send_signal(signal.SIGCONT)
        stdout, stderr = self._process.communicate(timeout=LIMIT_S)
        ended = Ended(self._process.returncode, stdout, stderr)
        if "Traceback" in ended.output:
            tally.add("tracebacks")
        return ended

    def assert_lock_is_free(self) -> None:
        """Nobody holds it: another run may begin."""
        assert lock_state(self._lock).held is False

    def _state(self) -> str:
        """The process's state as proc(5) gives it, after the name in brackets; Z, X: it has ended."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):  # and it has been reaped
            return "X"
        return stat.rpartition(") ")[2][0]


@contextmanager
def running(program: Program, *arguments: str, **environment: str) -> Iterator[Running]:
    """A run ended by the test, or else killed."""
    process = program.start(*arguments, **environment)
    try:
        yield Running(process, program.folder / "data" / "syncctl.lock")
    finally:
        process.kill()
        process.communicate()
