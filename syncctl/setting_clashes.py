"""Files that two settings name: what the one writes there would destroy what the other keeps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, under its name and one of these."""


def clash(path: str | os.PathLike[str], taken: Mapping[str, Iterable[str]]) -> str | None:
    """Who names the file at `path` as well, if anybody does. `taken`: files by who names them.

    Links are followed: it is the file that counts, not its name. A device or pipe has nothing to lose.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        return None
    file = _identity(path)
    return next((who for who, others in taken.items() if file in map(_identity, others)), None)


def sqlite_files(database: str) -> list[str]:
    """The files of a SQLite database."""
    return [database, *(database + suffix for suffix in SQLITE_COMPANIONS)]


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | str:
    """The same for two paths if they lead to the same file, be it that it is not there yet."""
    real = os.path.realpath(path)  # a missing folder on the way to it would be made
    try:
        status = os.stat(real)
    except (OSError, ValueError):
        return real
    return status.st_dev, status.st_ino
