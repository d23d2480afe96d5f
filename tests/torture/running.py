"""A process of the program that is at work on a run: held still, looked at, and sent a signal."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncctl.run_lock import lock_state
from tests.support.program import LIMIT_S, Ended, Program
from tests.torture.tally import tally

LOOK_S = 0.002


class Running:
    """A run of the program. Its lock file says whether it is within what it must bring to an end: it writes
    its number there when it begins, and takes it out when all is done."""

    def __init__(self, process: "subprocess.Popen[str]", lock: Path) -> None:
        self._process = process
        self._lock = lock
        self._stopped = False

    @property
    def is_in_its_midst(self) -> bool:
        """Whether it has taken the lock and not given it back. (A dead one never does.)"""
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
        """Wait until it has the lock. False: it has ended before anyone saw that."""
        give_up_at = time.monotonic() + LIMIT_S
        while not self.is_in_its_midst:
            if not self.is_alive:
                return False
            assert time.monotonic() < give_up_at
            time.sleep(LOOK_S)
        return True

    def wait_until_done(self) -> None:
        """Wait until it has given the lock back."""
        give_up_at = time.monotonic() + LIMIT_S
        while self.is_in_its_midst and self.is_alive:
            assert time.monotonic() < give_up_at
            time.sleep(LOOK_S)

    def hold_still(self) -> None:
        """Stop it where it stands, so that nothing changes while it is looked at."""
        self._process.send_signal(signal.SIGSTOP)
        while self._state() not in "TZX":
            time.sleep(LOOK_S)

    def end(self, sent: signal.Signals | None = None) -> Ended:
        """Send it a signal, which is the first that it notices when it goes on, and wait for its end."""
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
        except (FileNotFoundError, ProcessLookupError):  # and its end has been taken notice of
            return "X"
        return stat.rpartition(") ")[2][0]


@contextmanager
def running(program: Program, *arguments: str, **environment: str) -> Iterator[Running]:
    """A run that the test ends; one that it does not is killed."""
    process = program.start(*arguments, **environment)
    try:
        yield Running(process, program.folder / "data" / "syncctl.lock")
    finally:
        process.kill()
        process.communicate()
