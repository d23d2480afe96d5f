"""Runs cleanups for tests, and reads what they left, byte for byte."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syncctl.locations import load_locations
from syncctl.ports.admin import Database
from syncctl.services.cleanup.cleaning import BackupTarget, DuplicatesCleaned, clean_duplicates
from syncctl.services.cleanup.finished.cleaning import FinishedCleaned, clean_finished
from syncctl.services.cleanup.store_names import StoresRenamed, rename_stores
from tests.contract.samples import lead
from tests.support.webapp import Lead, MongoApp, SqliteApp

LOCATIONS = load_locations()
NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)


def clean(database: Database, folder: Path, *chosen: str) -> DuplicatesCleaned:
    return clean_duplicates(
        database, LOCATIONS, chosen, BackupTarget(folder, NOW, lambda _path, _leads: None)
    )


def rename(database: Database, folder: Path) -> StoresRenamed:
    return rename_stores(database, LOCATIONS, BackupTarget(folder, NOW, lambda _path, _leads: None))


def clean_up_finished(database: Database, folder: Path) -> FinishedCleaned:
    return clean_finished(database, LOCATIONS, BackupTarget(folder, NOW, lambda _path, _leads: None))


def stored_leads(database: Database, app: MongoApp | SqliteApp) -> dict[str, str]:
    """Every lead, byte for byte."""
    ids = [str(document["_id"]) for document in app.all("leads")]
    return {snapshot.lead_id: snapshot.document for snapshot in database.snapshots(ids)}


def records(app: MongoApp | SqliteApp) -> dict[str, str]:
    return {str(document["_id"]): str(document["leadId"]) for document in app.all("syncrecords")}


def copies(count: int, **common: Any) -> list[Lead]:
    """Untouched copies of one booking, with ids from 1 on: the first one would be kept."""
    fields = {"phone": "9000000001", "bookingNo": "2025000000001", "name": "Customer", **common}
    return [lead(number, **fields) for number in range(1, count + 1)]


class InterleavedDatabase:
    """Calls `act` just before the first call of one method. `has_acted`: it was called."""

    def __init__(self, database: Database, method: str, act: Callable[[], object]) -> None:
        self._database = database
        self._method = method
        self._interfere: Callable[[], object] | None = act
        self.has_acted = False

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self._interfere is not None:
            act, self._interfere = self._interfere, None
            act()
            self.has_acted = True
        return getattr(self._database, name)
