"""The kinds of databases that there are, and which one an address names."""

from syncctl.errors import SettingsError
from syncctl.ports.admin import Database
from syncctl.storage.common.backend import Backend
from syncctl.storage.mongo.backend import MONGODB
from syncctl.storage.sqlite.backend import SQLITE

BACKENDS: tuple[Backend, ...] = (SQLITE, MONGODB)
"""Each of them loads its driver only when it is opened: that takes up to 0.13 s."""


DEFAULT_URL = f"{SQLITE.prefixes[0]}syncctl.db"
"""The database where none is set; relative, as a setting may be."""


def open_storage(database_url: str, *, for_reading_only: bool = False) -> Database:
    """The database that an address names; `prepare` comes next.

    For reading only, nothing is made or written. Raises SettingsError for an address of no backend, and what
    the backend's `open` raises.
    """
    return backend_for(database_url).open(database_url, for_reading_only=for_reading_only)


def backend_for(database_url: str) -> Backend:
    """The backend that an address names. Raises SettingsError where there is none."""
    backend = find_backend(database_url)
    if backend is None or database_url in backend.prefixes:
        forms = ", or with ".join(f"{' or '.join(each.prefixes)} and {each.rest}" for each in BACKENDS)
        raise SettingsError(f"DATABASE_URL must begin with {forms}.")
    return backend


def find_backend(database_url: str) -> Backend | None:
    """The backend whose addresses begin like this one, which may be wrong otherwise."""
    return next((backend for backend in BACKENDS if database_url.startswith(backend.prefixes)), None)


def prefixes() -> list[str]:
    """What an address of some backend begins with."""
    return [prefix for backend in BACKENDS for prefix in backend.prefixes]
