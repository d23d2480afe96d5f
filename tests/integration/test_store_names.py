"""Misspelt store names mended, and put back."""

from pathlib import Path
from typing import Any

import pytest

from syncctl.ports.admin import Database
from syncctl.services.cleanup.backups import BackupKind
from syncctl.services.cleanup.duplicate_search import find_duplicates
from syncctl.services.cleanup.restoring import BackupRestored, restore_backup
from syncctl.services.cleanup.store_names import plan_stores
from tests.contract.samples import lead, record, text_id
from tests.support.cleanups import LOCATIONS, InterleavedDatabase, clean, copies, rename, stored_leads
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.webapp import MongoApp, SqliteApp


def test_misspelt_names_are_mended_and_come_back(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    written = ["Suitor Guy - CALICUT", "Zurocci - Edappally", "Z. Perinthalmanna", "Suitor Guy - Calicut"]
    database.store_leads([lead(number, store=store) for number, store in enumerate(written)], [])
    database.store_leads([lead(8, store="Default Store"), lead(9, store="Suitor Guy - Atlantis")], [])
    before = stored_leads(database, app)
    plan = plan_stores(database, LOCATIONS)
    assert plan.renames == {
        "Suitor Guy - CALICUT": "Suitor Guy - Calicut",
        "Zurocci - Edappally": "Zorucci - Edappally",
        "Z. Perinthalmanna": "Zorucci - Perinthalmanna",
    }
    assert plan.unknown == {"Default Store": 1, "Suitor Guy - Atlantis": 1}
    assert stored_leads(database, app) == before

    result = rename(database, folder)

    assert (result.renamed, result.left) == (3, ())
    names = [document["store"] for document in sorted(app.leads(), key=lambda lead: lead["_id"])]
    assert names == [*plan.renames.values(), written[3], "Default Store", "Suitor Guy - Atlantis"]
    assert all(document["updatedAt"] == document["createdAt"] for document in app.leads())
    assert rename(database, folder).backup is None
    assert result.backup is not None
    assert result.backup.name == "stores-20260311T093000Z.jsonl"
    assert restore_backup(database, result.backup) == BackupRestored(BackupKind.STORES, 3, 0, [])
    assert stored_leads(database, app) == before
    assert restore_backup(database, result.backup) == BackupRestored(BackupKind.STORES, 0, 3, [])


def test_copies_are_left_until_they_are_cleaned(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    pair = copies(2, store="Zurocci - Perinthalmanna")
    other_name = {**pair[1], "store": "Zorucci - Perinthalmanna"}
    database.store_leads([pair[0], other_name, lead(9)], [record(1)])
    result = rename(database, folder)
    assert (result.renamed, result.plan.in_duplicates) == (0, {"Zurocci - Perinthalmanna": 1})
    clean(database, folder)
    assert rename(database, folder).renamed == 1
    assert find_duplicates(database, LOCATIONS).count == 0


def test_a_store_that_a_telecaller_changes_meanwhile_stays_so(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads([lead(number, store="Zurocci - Perinthalmanna") for number in (1, 2)], [])
    interfering: Any = InterleavedDatabase(
        database, "update_leads", lambda: app.edit(text_id(1), store="Suitor Guy - Calicut")
    )
    result = rename(interfering, folder)
    assert (result.renamed, result.left) == (1, (text_id(1),))
    assert result.backup is not None
    app.edit(text_id(2), store="Zorucci - Edappal")
    assert restore_backup(database, result.backup).different == [text_id(1), text_id(2)]
    assert {document["store"] for document in app.leads()} == {
        "Suitor Guy - Calicut",
        "Zorucci - Edappal",
    }


def test_killed_at_any_write_it_finishes_the_next_time(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads([lead(number, store="Zurocci - Perinthalmanna") for number in range(4)], [])
    before = stored_leads(database, app)
    failing: Any = FailingStorage(database, 1, moment=Moment.MIDWAY)
    with pytest.raises(Killed):
        rename(failing, folder)
    rename(database, folder)
    assert {document["store"] for document in app.leads()} == {"Zorucci - Perinthalmanna"}
    for backup in sorted(folder.glob("*.jsonl")):
        restore_backup(database, backup)
    assert stored_leads(database, app) == before
