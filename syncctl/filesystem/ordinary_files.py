"""Opens files without blocking: opening a named pipe without a writer would wait for ever."""

from __future__ import annotations

import errno
import os
import selectors
import stat
import time
from typing import BinaryIO

PIPE_TIMEOUT_S = 10.0
"""How long a pipe that was named on purpose may take."""

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_AT_ONCE = 65_536


def open_ordinary(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading bytes.

    Raises OSError; its `strerror` says so if it is another kind of file.
    """
    descriptor = open_nonblocking(path, os.O_RDONLY)
    try:
        require_regular_file(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_named(path: str | os.PathLike[str], most: int, timeout_s: float = PIPE_TIMEOUT_S) -> bytes:
    """The first `most` bytes of a file that a person has named: a regular file, a device such as
    /dev/null, or a shell's `<(…)`, which must finish within `timeout_s`. Raises OSError, also for a named
    pipe."""
    descriptor = open_nonblocking(path, os.O_RDONLY)
    try:
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISCHR(mode) or is_unnamed_pipe(path, mode)):
            require_regular_file(path, mode)
        return _read(descriptor, most, time.monotonic() + timeout_s)
    finally:
        os.close(descriptor)


def require_regular_file(path: str | os.PathLike[str], mode: int) -> None:
    """Raise OSError unless the mode (stat.st_mode) is that of a regular file."""
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise _not_regular_error(path, mode)


def is_special_file(path: str | os.PathLike[str]) -> bool:
    """Whether the path exists and is not a regular file."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_unnamed_pipe(path: str | os.PathLike[str], mode: int) -> bool:
    """Whether it is a pipe inherited by this process, such as /dev/fd/63, rather than one in a folder."""
    return stat.S_ISFIFO(mode) and not os.path.lexists(os.path.realpath(path))


def open_nonblocking(path: str | os.PathLike[str], flags: int) -> int:
    """A non-blocking descriptor for whatever is at the path. Raises OSError."""
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a pipe without a reader
            raise _not_regular_error(path, os.stat(path).st_mode) from error
        raise


def _not_regular_error(path: str | os.PathLike[str], mode: int) -> OSError:
    kind = _KINDS.get(stat.S_IFMT(mode), "of an unknown kind")
    return OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def _read(descriptor: int, most: int, give_up_at: float) -> bytes:
    content = b""
    while len(content) < most:
        try:
            part = os.read(descriptor, min(_AT_ONCE, most - len(content)))
        except BlockingIOError:
            with selectors.SelectSelector() as waiting:
                waiting.register(descriptor, selectors.EVENT_READ)
                if not waiting.select(max(0.0, give_up_at - time.monotonic())):
                    raise TimeoutError(errno.ETIMEDOUT, "reading it took too long") from None
            continue
        if not part:
            break
        content += part
    return content
