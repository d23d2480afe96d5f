"""One run at a time: an advisory file lock, released by the OS when its holder dies."""

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
from syncctl.filesystem.ordinary_files import open_nonblocking
from syncctl.filesystem.private_files import make_private_folder
from syncctl.ports.machine import LockState
from syncctl.ports.waiting import RunWait, waiting
from syncctl.text import duration

_POLL_S = 0.2
_LOOK_PAUSE_S = 0.01
_LOOKS = 50
_CONTENT_LIMIT = 4096
_OWN_CONTENT = re.compile(rb"pid=[0-9]{1,10}\nstarted=[0-9T:+Z-]{0,40}(?:\nhost=[^\n]{0,255}\n?)?")
"""What a run writes into the file, or a prefix of it if a full disk or a power cut truncated it."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def lock_state(path: Path) -> LockState:
    """Whether the lock on `path` is held, without disturbing a run that is about to start.

    A file that no process has locked is free, whatever it contains: its holder died. So is a missing one.
    """
    # Without O_NONBLOCK, opening a pipe without a writer would block.
    try:
        descriptor = open_nonblocking(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return LockState(held=False)
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        return LockState(held=False, problem=f"{path} can't be read: {reason}")
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return LockState(held=False, problem=f"{path} isn't a regular file")
        # Shared, so that RunLock._try can tell this check from a run.
        if _flock(descriptor, fcntl.LOCK_SH):
            foreign = None if _is_own(descriptor) else f"{path} holds something other than a lock"
            return LockState(held=False, problem=foreign)
        return _holder(os.pread(descriptor, _CONTENT_LIMIT, 0).decode(errors="replace"))
    except OSError as error:
        return LockState(held=False, problem=f"{path} can't be locked: {error.strerror}")
    finally:
        os.close(descriptor)


def _is_own(descriptor: int) -> bool:
    """Whether a lock file contains nothing but what a run writes. Raises OSError."""
    content = os.pread(descriptor, _CONTENT_LIMIT, 0)
    # After a power cut a file may have its length, but zeros for what was written.
    written = content.rstrip(b"\0")
    return len(content) < _CONTENT_LIMIT and (not written or bool(_OWN_CONTENT.fullmatch(written)))


def _content(descriptor: int) -> str:
    """What the file says of its holder; "" if it can't be read."""
    try:
        return os.pread(descriptor, _CONTENT_LIMIT, 0).decode(errors="replace")
    except OSError:
        return ""


def _elsewhere(holder: LockState) -> str | None:
    """The holder's machine, unless it is this one."""
    return None if holder.host == os.uname().nodename else holder.host


def _holder(content: str) -> LockState:
    pid = _entry(content, "pid", r"[0-9]{1,10}")
    host = _entry(content, "host", r"[0-9A-Za-z._-]{1,253}")
    return LockState(held=True, pid=int(pid) if pid else None, host=host or None, since=_started(content))


def _started(content: str) -> datetime | None:
    """When the holder started according to the file; None if that is unreadable or has no time zone."""
    try:
        started = datetime.fromisoformat(_entry(content, "started", r"[0-9T:+-]{1,40}Z?"))
        return None if started.tzinfo is None else started.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _flock(descriptor: int, kind: int) -> bool:
    """Take the lock, exclusive or shared, without waiting. Raises OSError if locks are not supported."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class RunLock:
    """A lock on the file `path` by flock(2).

    The file is never deleted: a process that still had the old one open would hold a lock invisible to
    others. Its content (pid, start, host) only serves messages to other processes.
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
        """Take the lock, waiting up to `wait_s` seconds.

        Raises LockHeldError if another run still holds it, SettingsError if the file can't be used.
        """
        with contextlib.ExitStack() as undo:
            descriptor = self._open()
            undo.callback(os.close, descriptor)
            if not self._try(descriptor):
                self._wait(descriptor, wait_s)
            self._refuse_foreign(descriptor)
            self._describe(descriptor)
            undo.pop_all()
            self._descriptor = descriptor

    def _wait(self, descriptor: int, wait_s: float) -> None:
        """Try until it is taken. Raises LockHeldError after `wait_s` seconds."""
        give_up_at = self._monotonic() + wait_s
        holder = _holder(_content(descriptor))
        wait = RunWait(holder.pid, _elsewhere(holder), wait_s)
        with waiting(wait) if wait_s > 0 else contextlib.nullcontext():
            while (remaining_s := give_up_at - self._monotonic()) > 0:
                self._sleep(min(_POLL_S, remaining_s))
                if self._try(descriptor):
                    return
        raise self._held(descriptor, waited=wait_s > 0)

    def release(self) -> None:
        """Release it; does nothing if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        # So that it is not mistaken for the next holder's content; at worst a message has less detail.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)

    @contextlib.contextmanager
    def hold(self, wait_s: float = 0.0) -> Iterator[None]:
        """Hold the lock during a `with` block. Raises as `acquire` does."""
        self.acquire(wait_s)
        try:
            yield
        finally:
            self.release()

    def _open(self) -> int:
        try:
            make_private_folder(self._path.parent)
            # Not truncated: until it is locked, the content belongs to another run.
            descriptor = open_nonblocking(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise SettingsError(
                    f"The lock file {self._path} is a link: set SYNC_LOCK_FILE to another file, or to "
                    "what it leads to."
                ) from error
            raise self._unusable(error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SettingsError(
                f"The lock file {self._path} isn't a regular file: set SYNC_LOCK_FILE to another one."
            )
        return descriptor

    def _try(self, descriptor: int) -> bool:
        try:
            for _ in range(_LOOKS):
                if _flock(descriptor, fcntl.LOCK_EX):
                    return True
                if not _flock(descriptor, fcntl.LOCK_SH):
                    return False
                # Held shared by a `lock_state` check, which takes only an instant.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                self._sleep(_LOOK_PAUSE_S)
        except OSError as error:
            raise self._unusable(error) from error
        return False

    def _refuse_foreign(self, descriptor: int) -> None:
        """Raise SettingsError if the file has other content, which locking would erase."""
        try:
            if _is_own(descriptor):
                return
        except OSError as error:
            raise self._unusable(error) from error
        raise SettingsError(
            f"The lock file {self._path} holds something other than a lock and was left alone: "
            "set SYNC_LOCK_FILE to a file that nothing else uses."
        )

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
        # On a full disk the lock still works; others only see a less detailed message.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, content.encode(errors="replace"), 0)

    def _held(self, descriptor: int, *, waited: bool) -> LockHeldError:
        holder = _holder(_content(descriptor))
        holder_text = ""
        if holder.pid is not None:
            host = _elsewhere(holder)
            holder_text = f" (pid {holder.pid} on {host})" if host else f" (pid {holder.pid})"
        return LockHeldError(
            f"Another syncctl run{holder_text} {self._held_since(holder.since)}.",
            hint="It will finish by itself: try again later, or "
            f"wait {'longer ' if waited else ''}for it with --wait SECONDS.",
        )

    def _held_since(self, since: datetime | None) -> str:
        held_s = (self._now() - since).total_seconds() if since else -1
        # After a clock change, the duration would be meaningless.
        return f"has held {self._path} for {duration(held_s)}" if held_s >= 0 else f"holds {self._path}"


def _entry(content: str, name: str, pattern: str) -> str:
    match = re.search(rf"^{name}=({pattern})$", content, re.MULTILINE)
    return match[1] if match else ""
