"""SQLite as a backend: an address is a file's path."""

from collections.abc import Callable
from pathlib import Path

from syncctl.errors import SettingsError
from syncctl.ports.admin import Database, OpeningHints
from syncctl.storage.common.backend import Backend

PREFIX = "sqlite:///"

COMPANIONS = ("-wal", "-shm", "-journal")
"""Suffixes of SQLite's additional files next to a database."""

_HINT = "Fix that (`syncctl config` shows which file DATABASE_URL names): nothing is synced until then."


def _parse(url: str, to_path: Callable[[str], Path]) -> str:
    path = url.removeprefix(PREFIX)
    if not path or path.endswith("/"):
        raise SettingsError(f"a file is expected after {PREFIX}, such as {PREFIX}data/syncctl.db")
    if "?" in path or path == ":memory:":
        raise SettingsError(f"the path of a file is expected after {PREFIX}, without options")
    return f"{PREFIX}{to_path(path)}"


def _open(url: str, *, for_reading_only: bool) -> Database:
    """A file that is not there yet, or holds none of syncctl's tables, is for reading an empty database in
    memory."""
    from syncctl.storage.sqlite.storage import SqliteStorage

    path = Path(url.removeprefix(PREFIX))
    if not for_reading_only:
        return SqliteStorage(path)
    storage = SqliteStorage(path, read_only=True)
    try:
        empty = storage.is_empty()
    except BaseException:
        storage.close()
        raise
    if not empty:
        return storage
    storage.close()
    in_memory = SqliteStorage(None, read_only=True, stands_for=path)
    in_memory.prepare()
    return in_memory


def _driver() -> tuple[str, str]:
    import sqlite3

    return "SQLite", sqlite3.sqlite_version


def _files(url: str) -> list[str]:
    file = url.removeprefix(PREFIX)
    return [file, *(file + suffix for suffix in COMPANIONS)]


SQLITE = Backend(
    name="SQLite",
    prefixes=(PREFIX,),
    rest="a file",
    parse=_parse,
    open=_open,
    hints=OpeningHints(unusable=_HINT, not_writable=_HINT),
    driver=_driver,
    files=_files,
)
