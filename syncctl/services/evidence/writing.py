"""A file for one user's eyes, which is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from syncctl.errors import UsageError


@contextmanager
def private_file(target: Path, *, overwrite: bool) -> Iterator[Callable[[str], None]]:
    """Takes the text that `target` shall hold, readable for this user only. That it can't be written is found
    out at once, before there is a text.

    Raises:
        UsageError: `target` is there already, is no ordinary file, or can't be written.
    """
    if os.path.lexists(target):
        if target.is_symlink() or not target.is_file():
            raise UsageError(f"{target} is no ordinary file: name another (- is stdout).")
        if not overwrite:
            raise UsageError(f"{target} exists already: name another, or overwrite it with --force.")
    beside = target.with_name(f".{target.name}.{os.getpid()}")

    def put(text: str) -> None:
        try:
            with os.fdopen(
                descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False
            ) as file:
                file.write(text)
            os.fsync(descriptor)
            beside.replace(target)
        except OSError as error:
            raise _unwritable(target, error) from None

    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        yield put
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):  # it has become the target
            beside.unlink()


def _unwritable(target: Path, error: OSError) -> UsageError:
    return UsageError(f"{target} can't be written: {error.strerror}.")
