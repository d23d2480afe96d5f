"""SQLite's errors as syncctl's, with the file and what to do. SQLite's own messages hold no values."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

from syncctl.errors import StorageError, StorageUnavailableError

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
