"""Opening a SQLite file with its rights, its journal and its waiting time; transactions on it; SQLite's
errors as syncctl's, with the file and what to do. SQLite's own messages hold no values."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from json import JSONDecodeError
from pathlib import Path

from syncctl.errors import StorageError, StorageUnavailableError
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


_PERMISSIONS = "can't be written: check the permissions of the file and its folder."
_BUSY = "is still in use by another process: try again when that one is done."
_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_CANTOPEN: "can't be opened: check that its folder exists and that you may write there.",
    sqlite3.SQLITE_READONLY: _PERMISSIONS,
    sqlite3.SQLITE_PERM: _PERMISSIONS,
    sqlite3.SQLITE_NOTADB: (
        "isn't a SQLite database: check DATABASE_URL; if the file was one, stop syncctl and put a backup "
        "back."
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged: stop syncctl, then restore a backup, or save what can be read "
        "with `sqlite3 FILE .recover | sqlite3 NEW_FILE`."
    ),
    sqlite3.SQLITE_IOERR: (
        "could not be read or written: stop syncctl and check its disk; restore a backup if it is damaged."
    ),
}
_FULL = "has no room left on its disk, or in {} for sorting: free some, run again. What was stored is kept."
_NO_TEMPORARY_FOLDER = "has no writable folder for temporary files: set TMPDIR to one."


def _temporary_folder() -> str:
    """Where SQLite puts its temporary files (https://sqlite.org/tempfiles.html, 5)."""
    named = (os.environ.get(name) for name in ("SQLITE_TMPDIR", "TMPDIR"))
    folders = [*filter(None, named), "/var/tmp", "/usr/tmp", "/tmp"]  # noqa: S108 - SQLite's choice
    return next((each for each in folders if os.access(each, os.W_OK | os.X_OK)), ".")


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn what SQLite or the file system raises inside into StorageError or StorageUnavailableError.

    `place` names the database, such as "The SQLite database /var/lib/syncctl.db".
    """
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; https://sqlite.org/rescode.html
        extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        code = extended & 0xFF
        if extended == sqlite3.SQLITE_IOERR_GETTEMPPATH:
            raise StorageError(f"{place} {_NO_TEMPORARY_FOLDER}") from error
        if code in _UNAVAILABLE:
            raise StorageUnavailableError(f"{place} {_UNAVAILABLE[code]}") from error
        if code == sqlite3.SQLITE_FULL:
            raise StorageError(f"{place} {_FULL.format(_temporary_folder())}") from error
        raise StorageError(f"{place} refused a command: {error}.") from error
    except JSONDecodeError:
        raise StorageError(f"{place} holds damaged JSON: restore a backup.") from None  # it quotes the data
    except (UnicodeError, OverflowError) as error:
        raise StorageError(
            f"{place} can't hold a value ({type(error).__name__}): it isn't valid text or too large a number."
        ) from error
    except OSError as error:
        raise StorageUnavailableError(
            f"{place} can't be opened: {error.strerror}. Check its folder."
        ) from error
