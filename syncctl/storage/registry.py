"""From DATABASE_URL to the database that it names."""

from pathlib import Path

from syncctl.errors import SettingsError
from syncctl.ports.admin import Database

SQLITE_PREFIX = "sqlite:///"


def open_storage(database_url: str, *, for_reading_only: bool = False) -> Database:
    """The database for a `sqlite:///PATH`, `mongodb://` or `mongodb+srv://` URL; `prepare` comes next.

    For reading only, nothing is made or written, and a SQLite file that is not there yet, or holds none of
    syncctl's tables, is an empty database in memory. Raises SettingsError for any other URL, and
    StorageError where for reading only a SQLite file can't be read.
    """
    scheme = database_url.partition(":")[0]
    if scheme in ("mongodb", "mongodb+srv"):
        # Here, as it takes 0.13 s and SQLite's users need none of it; SQLite's below takes 0.01 s.
        from syncctl.storage.mongo.storage import MongoStorage

        return MongoStorage(database_url, read_only=for_reading_only)
    if database_url.startswith(SQLITE_PREFIX) and database_url != SQLITE_PREFIX:
        return _open_sqlite(Path(database_url.removeprefix(SQLITE_PREFIX)), for_reading_only)
    raise SettingsError(
        "DATABASE_URL must begin with sqlite:/// and a file, or with mongodb:// or mongodb+srv:// and a host."
    )


def _open_sqlite(path: Path, for_reading_only: bool) -> Database:
    from syncctl.storage.sqlite.storage import SqliteStorage

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
