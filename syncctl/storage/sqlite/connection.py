"""Opening a SQLite file with its rights, its journal and its waiting time; transactions on it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from syncctl.filesystem.ordinary_files import is_special_file, require_regular_file
from syncctl.filesystem.private_files import make_private_file


def open_connection(path: Path | None, *, read_only: bool, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection to that file, or to a new database in memory (None). Raises sqlite3's errors and OSError.

    The file and its folder are made where missing, for this user only: they hold customers' names and
    numbers. Locks of other processes are waited for as long as `busy_timeout_s`. Statements commit by
    themselves outside of `transaction`.
    """
    if path is None:
        target = ":memory:"
    else:
        if not read_only:
            make_private_file(path)
        if is_special_file(path):  # SQLite would wait for a pipe's writer
            require_regular_file(path, path.stat().st_mode)
        target = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(target, timeout=busy_timeout_s, isolation_level=None, uri=True)
    try:
        connection.row_factory = sqlite3.Row
        # What a person wrote by hand in another encoding must not make a whole table unreadable.
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        if path is not None and not read_only:
            _use_write_ahead_log(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once. The mode is kept in the file."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # Only a new file is not in this mode yet. SQLite does not wait for locks here, and whoever holds one
        # is another syncctl that sets the mode, or will at its next start: the other mode is right as well.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the statements inside or none. Takes the write lock at once, so that reads inside hold."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back by itself, on a full disk for one
            connection.execute("ROLLBACK")
        raise
