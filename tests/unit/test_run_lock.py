"""The lock against real other processes, and files that can't serve as one."""

import errno
import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncctl.errors import LockHeldError, SettingsError
from syncctl.ports.machine import LockState
from syncctl.ports.waiting import RunWait
from syncctl.run_lock import RunLock, lock_state
from tests.support.waits import seen_waits

START = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)

HOLD = """
import sys
from pathlib import Path
from syncctl.run_lock import RunLock
with RunLock(Path(sys.argv[1])).hold():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends or it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@contextmanager
def held_with(path: Path, content: bytes) -> Iterator[None]:
    """The lock held by someone who wrote `content` into the file."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Clock:
    """A clock that only sleeping moves; `on_sleep` is what happens meanwhile."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.on_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds
        self.on_sleep()


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with other_process(path) as process:
        with pytest.raises(LockHeldError) as caught:
            RunLock(path).acquire()
        assert re.fullmatch(
            rf"Another syncctl run \(pid {process.pid}\) has held {re.escape(str(path))} "
            r"for \d+ s\.\nIt will finish by itself: try again later, or wait for it with --wait SECONDS\.",
            str(caught.value),
        )


def test_a_killed_process_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with other_process(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert f"pid={process.pid}" in path.read_text()
    with RunLock(path, now=lambda: START).hold():
        assert path.read_text().startswith(f"pid={os.getpid()}\nstarted=2026-11-23T16:00:00Z\nhost=")
    assert path.exists()


def test_it_is_let_go_of_after_the_block_even_if_that_fails(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "lock")
    with pytest.raises(ZeroDivisionError), lock.hold():
        raise ZeroDivisionError
    with RunLock(tmp_path / "lock").hold():
        lock.release()  # it no longer has it, so the other one keeps it
        with pytest.raises(LockHeldError):
            lock.acquire()


def test_child_processes_do_not_inherit_it(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "lock")
    lock.acquire()
    # `close_fds` left out, so that only close-on-exec stands between the child and the descriptor.
    with subprocess.Popen(
        ["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, close_fds=False
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"up?\n")
        assert child.stdout.readline() == b"up?\n"
        lock.release()
        with RunLock(tmp_path / "lock").hold():
            pass


def test_waiting_until_it_is_free(tmp_path: Path) -> None:
    clock = Clock()
    holder = RunLock(tmp_path / "lock")
    holder.acquire()
    clock.on_sleep = lambda: holder.release() if clock.seconds > 3 else None
    with seen_waits() as waits:
        with RunLock(tmp_path / "lock", monotonic=clock.monotonic, sleep=clock.sleep).hold(10):
            assert 3 < clock.seconds < 4
        with RunLock(tmp_path / "lock").hold(10), pytest.raises(LockHeldError):
            RunLock(tmp_path / "lock").acquire()  # which does not wait
    assert waits == [RunWait(os.getpid(), None, 10)]


def test_a_holder_on_another_machine_is_named_while_it_is_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    content = b"pid=7\nstarted=2026-11-23T16:00:00Z\nhost=other.example\n"
    with seen_waits() as waits, held_with(tmp_path / "lock", content), pytest.raises(LockHeldError):
        RunLock(tmp_path / "lock", monotonic=clock.monotonic, sleep=clock.sleep).acquire(2.5)
    assert waits == [RunWait(7, "other.example", 2.5)]


def test_waiting_in_vain(tmp_path: Path) -> None:
    clock = Clock()
    with RunLock(tmp_path / "lock").hold():
        waiting = RunLock(tmp_path / "lock", monotonic=clock.monotonic, sleep=clock.sleep)
        with pytest.raises(LockHeldError, match="or wait longer for it with --wait SECONDS"):
            waiting.acquire(1.5)
    assert clock.seconds == pytest.approx(1.5)


def test_interrupted_while_waiting_nothing_stays_open(tmp_path: Path) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    open_before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    with RunLock(tmp_path / "lock").hold(), pytest.raises(KeyboardInterrupt):
        RunLock(tmp_path / "lock", sleep=interrupt).acquire(5)
    if open_before is not None:
        assert len(os.listdir("/proc/self/fd")) == open_before


@pytest.mark.parametrize(
    ("started", "said"),
    [
        ("2026-11-23T16:00:00Z", "has held {path} for 0 s."),
        ("2026-11-23T15:56:40Z", "has held {path} for 3 min."),
        ("2026-11-23T12:00:00Z", "has held {path} for 4 h."),
        ("2026-11-20T13:00:00Z", "has held {path} for 3 days."),
        ("2026-11-23T16:00:01Z", "holds {path}."),
    ],
)
def test_since_when(tmp_path: Path, started: str, said: str) -> None:
    path = tmp_path / "lock"
    content = f"pid=12\nstarted={started}\nhost=elsewhere.example\n".encode()
    with held_with(path, content), pytest.raises(LockHeldError) as caught:
        RunLock(path, now=lambda: START).acquire()
    assert f"(pid 12 on elsewhere.example) {said.format(path=path)}" in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary()
    | st.text().map(lambda text: f"pid={text}\nstarted={text}\nhost={text}\n".encode(errors="replace"))
    | st.datetimes().map(lambda moment: f"started={moment.isoformat()}".encode())
)
def test_a_garbled_file_does_not_garble_the_message(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    with held_with(path, content), pytest.raises(LockHeldError) as caught:
        RunLock(path).acquire()
    message = str(caught.value)
    assert caught.value.message.isprintable()
    assert str(path) in message
    assert path.read_bytes() == content


def test_the_file_and_its_folder_are_private(tmp_path: Path) -> None:
    path = tmp_path / "even" / "new" / "lock"
    with RunLock(path).hold():
        assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


FOREIGN = [
    b"notes of a person\n",
    b"1234\n",
    b"pid=12\n",
    b"pid=12\nstarted=2026-11-23T16:00:00Z\nhost=a\nand notes\n",
    b"x" * 100_000,
    b"pid=12\nstarted=2026-11-23T16:00:00Z\nhost=a\n" + b"\0" * 100_000 + b"notes",
    b"\0notes",
]
OWN = [
    b"",
    b"pid=12\nstarted=2020-01-01T00:00:00Z\nhost=elsewhere\n",
    b"pid=12\nstarted=2020-01",
    b"\0" * 60,
]


@pytest.mark.attack("lock")
@pytest.mark.parametrize("content", FOREIGN, ids=range(len(FOREIGN)))
def test_what_something_else_keeps_there_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"notes\.txt holds something other than a lock.*SYNC_LOCK_FILE"):
        RunLock(path).acquire()
    assert path.read_bytes() == content
    problem = lock_state(path).problem
    assert problem is not None
    assert "something other than a lock" in problem
    with path.open("rb") as file:  # it is not left locked
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("content", OWN, ids=range(len(OWN)))
def test_what_a_dead_run_left_is_taken_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    path.write_bytes(content)
    assert lock_state(path) == LockState(held=False)
    with RunLock(path).hold():
        assert f"pid={os.getpid()}" in path.read_text()
    assert path.read_bytes() == b""


@pytest.mark.attack("lock")
@pytest.mark.parametrize("content", [b"notes", b"", None])
def test_a_link_is_not_followed(tmp_path: Path, content: bytes | None) -> None:
    notes = tmp_path / "notes.txt"
    if content is not None:
        notes.write_bytes(content)
    (tmp_path / "lock").symlink_to(notes)
    with pytest.raises(SettingsError, match="lock is a link: set SYNC_LOCK_FILE to another file"):
        RunLock(tmp_path / "lock").acquire()
    assert (notes.read_bytes() if notes.exists() else None) == content
    assert lock_state(tmp_path / "lock").problem == f"{tmp_path / 'lock'} can't be read: it is a link"


@pytest.mark.parametrize("name", [".", "file/lock", "pipe", "x" * 300])
def test_paths_that_can_not_be_a_lock_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="SYNC_LOCK_FILE"):
        RunLock(tmp_path / name).acquire()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_of_someone_else(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch(mode=0o400)
    with pytest.raises(SettingsError, match=r"can't be used \(Permission denied\).*SYNC_LOCK_FILE"):
        RunLock(path).acquire()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(code, os.strerror(code))

    # No such file system can be had here, so the system call is the one thing that is replaced.
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(SettingsError, match="SYNC_LOCK_FILE to one on a local disk") as caught:
        RunLock(tmp_path / "lock").acquire()
    assert os.strerror(code) in str(caught.value)


def test_a_start_long_ago_has_a_length(tmp_path: Path) -> None:
    now = START + timedelta(days=400)
    path = tmp_path / "lock"
    with held_with(path, b"started=2026-11-23T16:00:00Z\n"), pytest.raises(LockHeldError, match="400 days"):
        RunLock(path, now=lambda: now).acquire()


def test_a_look_tells_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with other_process(path) as process:
        state = lock_state(path)
        assert state.held
        assert state.pid == process.pid
        assert state.host == os.uname().nodename
        assert state.since is not None
        assert abs(datetime.now(UTC) - state.since) < timedelta(minutes=1)
        assert state.problem is None
        process.kill()
        process.wait()
        assert f"pid={process.pid}" in path.read_text()
        assert lock_state(path) == LockState(held=False)


def test_a_look_at_nothing_makes_no_file(tmp_path: Path) -> None:
    assert lock_state(tmp_path / "lock") == LockState(held=False)
    assert not (tmp_path / "lock").exists()


def test_a_look_leaves_the_lock_to_whoever_wants_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    clock = Clock()
    with path.open("w") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        clock.on_sleep = lambda: fcntl.flock(looking, fcntl.LOCK_UN)
        with RunLock(path, monotonic=clock.monotonic, sleep=clock.sleep).hold():
            assert clock.seconds < 0.1
            assert lock_state(path).held


def test_one_that_is_looked_at_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    clock = Clock()
    with path.open("w") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_SH)
        with pytest.raises(LockHeldError):
            RunLock(path, monotonic=clock.monotonic, sleep=clock.sleep).acquire()
    assert clock.seconds < 1


def test_whoever_takes_it_in_turns_is_never_sent_away_by_looks(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            assert lock_state(path).problem is None

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(200):
            with RunLock(path).hold():
                pass
    finally:
        over.set()
        for looker in lookers:
            looker.join()


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b"", LockState(held=True)),
        (
            b"pid=12\nstarted=2026-11-23T16:00:00Z\nhost=a",
            LockState(held=True, pid=12, host="a", since=START),
        ),
        (b"pid=twelve\nstarted=2026-11-23T16:00:00\nhost=\xff", LockState(held=True)),
    ],
)
def test_a_look_at_what_the_holder_says(tmp_path: Path, content: bytes, state: LockState) -> None:
    path = tmp_path / "lock"
    with held_with(path, content):
        assert lock_state(path) == state


@pytest.mark.parametrize(
    ("name", "problem"),
    [(".", "isn't a regular file"), ("pipe", "isn't a regular file"), ("file/lock", "Not a directory")],
)
def test_a_look_at_what_is_no_lock(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    state = lock_state(tmp_path / name)
    assert not state.held
    assert problem in (state.problem or "")
