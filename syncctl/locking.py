"""One run at a time: an advisory lock on a file, which the system lets go of when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from syncctl.errors import LockHeldError, SettingsError

_POLL_S = 0.2
_CONTENT_LIMIT = 4096


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RunLock:
    """A lock on the file `path` by flock(2).

    The file is never unlinked: whoever still had the old one open would hold a lock that nobody else sees.
    What it contains (pid, start, host) only serves the message to those who come second.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._descriptor: int | None = None

    def acquire(self, wait_s: float = 0.0) -> None:
        """Take the lock, waiting up to `wait_s` seconds for it.

        Raises LockHeldError if another run still has it then, SettingsError if the file can't be used.
        """
        give_up_at = self._monotonic() + wait_s
        with contextlib.ExitStack() as undo:
            descriptor = self._open()
            undo.callback(os.close, descriptor)
            while not self._try(descriptor):
                remaining_s = give_up_at - self._monotonic()
                if not remaining_s > 0:
                    raise LockHeldError(self._held_message(descriptor, waited=wait_s > 0))
                self._sleep(min(_POLL_S, remaining_s))
            self._describe(descriptor)
            undo.pop_all()
            self._descriptor = descriptor

    def release(self) -> None:
        """Let go of it; without it, nothing happens."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        # Lest it be read as what the next holder says, before that one has written; only the message suffers.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)

    @contextlib.contextmanager
    def hold(self, wait_s: float = 0.0) -> Iterator[None]:
        """Hold the lock for the length of a `with` block. Raises as `acquire` does."""
        self.acquire(wait_s)
        try:
            yield
        finally:
            self.release()

    def _open(self) -> int:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not truncated: until it is locked, what it says is another run's.
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SettingsError(
                f"The lock file {self._path} is no regular file: set SYNC_LOCK_FILE to another one."
            )
        return descriptor

    def _try(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._unusable(error) from error
        return True

    def _unusable(self, error: OSError) -> SettingsError:
        if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            return SettingsError(
                f"The lock file {self._path} is on a file system that can't lock it ({error.strerror}): "
                "set SYNC_LOCK_FILE to one on a local disk."
            )
        return SettingsError(
            f"The lock file {self._path} can't be used ({error.strerror}): "
            "make it writable for this user, or set SYNC_LOCK_FILE to another one."
        )

    def _describe(self, descriptor: int) -> None:
        start = self._now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        content = f"pid={os.getpid()}\nstarted={start}\nhost={os.uname().nodename}\n"
        # On a full disk the lock holds all the same; only the others' message says less.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, content.encode(errors="replace"), 0)

    def _held_message(self, descriptor: int, *, waited: bool) -> str:
        try:
            content = os.pread(descriptor, _CONTENT_LIMIT, 0).decode(errors="replace")
        except OSError:
            content = ""
        pid = _entry(content, "pid", r"[0-9]{1,10}")
        host = _entry(content, "host", r"[0-9A-Za-z._-]{1,253}")
        holder = ""
        if pid:
            elsewhere = f" on {host}" if host and host != os.uname().nodename else ""
            holder = f" (pid {pid}{elsewhere})"
        return (
            f"Another syncctl run{holder} {self._held_since(content)}; it will finish by itself: "
            f"try again later, or wait {'longer ' if waited else ''}for it with --wait SECONDS."
        )

    def _held_since(self, content: str) -> str:
        started = _entry(content, "started", r"[0-9T:+-]{1,40}Z?")
        try:
            held_s = (self._now() - datetime.fromisoformat(started)).total_seconds()
        except (ValueError, TypeError, OverflowError):  # garbled, or without a zone
            return f"holds {self._path}"
        # A clock that was set back makes no sensible length.
        length = f" ({_duration(held_s)})" if held_s >= 0 else ""
        return f"has held {self._path} since {started}{length}"


def _entry(content: str, name: str, pattern: str) -> str:
    match = re.search(rf"^{name}=({pattern})$", content, re.MULTILINE)
    return match[1] if match else ""


def _duration(seconds: float) -> str:
    """In its two largest units: 3 min 20 s."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    parts = [(days, "d"), (hour, "h"), (minute, "min"), (second, "s")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:2])
