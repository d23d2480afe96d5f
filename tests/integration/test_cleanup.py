"""Cleanup on a database as the old system left it: no edit lost, nothing deleted without a backup of it."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.sources import StepName
from syncctl.errors import FileProblemError, PlanOutdatedError, SettingsError, UsageError
from syncctl.ports.admin import Database, LeadSnapshot
from syncctl.services.cleanup.backups import BackupKind
from syncctl.services.cleanup.cleaning import (
    BackupTarget,
    DuplicatesCleaned,
    clean_duplicates,
    plan_duplicates,
)
from syncctl.services.cleanup.duplicate_results import Conflict
from syncctl.services.cleanup.finished.cleaning import clean_finished
from syncctl.services.cleanup.restoring import BackupRestored, plan_restore, restore_backup
from syncctl.services.cleanup.store_names import rename_stores
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, record, text_id
from tests.support.cleanups import LOCATIONS, NOW, InterleavedDatabase, clean, copies, records, stored_leads
from tests.support.duplicates import CopySet, copy_sets
from tests.support.failing_storage import WRITES, FailingStorage, Killed, Moment
from tests.support.store_files import row, write
from tests.support.webapp import Lead, MongoApp, SqliteApp, finish, old_lead
from tests.support.world import World

STATUSES = ("Booked", "Trial", "Loss", "Loss")


@pytest.fixture
def old_sets(database: Database) -> list[CopySet]:
    sets = list(copy_sets(300))
    database.store_leads([copy for made in sets for copy in made.copies], [])
    database.store_leads([lead(number) for number in range(1000, 1100)], [])
    return sets


@pytest.mark.parametrize("cleanup", [clean_duplicates, rename_stores, clean_finished])
def test_what_a_person_has_agreed_to_is_done_or_nothing(
    database: Database, app: MongoApp | SqliteApp, folder: Path, cleanup: Callable[..., DuplicatesCleaned]
) -> None:
    same = {"phone": "9000000001", "bookingNo": "7"}
    stored = [lead(1, **same), lead(2, **same), lead(3, store="Zurocci - Edappally")]
    database.store_leads(stored, [])
    arguments = (database, LOCATIONS, (text_id(2),)) if cleanup is clean_duplicates else (database, LOCATIONS)
    before, target = stored_leads(database, app), BackupTarget(folder, NOW, lambda _path, _leads: None)
    with pytest.raises(PlanOutdatedError, match="Nothing was changed"):
        cleanup(*arguments, replace(target, agreed={"of another plan": ()}))
    assert stored_leads(database, app) == before
    assert not folder.exists() or not [*folder.iterdir()]
    if cleanup is clean_duplicates:
        plan = plan_duplicates(database, LOCATIONS, (text_id(2),))
        assert plan.actions == {text_id(2): (text_id(1),)}
        done = cleanup(*arguments, replace(target, agreed=plan.actions))
        assert (done.deleted, done.plan.decisions) == (1, plan.decisions)


def test_three_hundred_sets_keep_every_edit_and_come_back_exactly(
    database: Database, app: MongoApp | SqliteApp, folder: Path, old_sets: list[CopySet]
) -> None:
    before = stored_leads(database, app)
    raw_before = sorted(app.all("leads"), key=lambda document: str(document["_id"]))
    extra = sum(len(made.copies) - 1 for made in old_sets if made.kept)
    plan = plan_duplicates(database, LOCATIONS, ())
    assert (plan.sets.total(), plan.removed.total(), len(plan.conflicts)) == (250, extra, 50)
    assert stored_leads(database, app) == before
    assert not folder.exists()

    result = clean(database, folder)

    assert (result.deleted, result.left, result.plan.removed) == (extra, (), plan.removed)
    after = stored_leads(database, app)
    assert after.items() <= before.items()
    for made in old_sets:
        ids = {copy["_id"] for copy in made.copies}
        left = ids & after.keys()
        assert left <= made.kept if made.kept else left == ids
        assert len(left) == 1 or not made.kept
    assert {frozenset(copy.lead_id for copy in conflict.copies) for conflict in result.plan.conflicts} == {
        frozenset(copy["_id"] for copy in made.copies) for made in old_sets if not made.kept
    }
    kept = {document["_id"]: document for document in app.leads()}
    for made in old_sets:
        for edit in made.edits.values():
            holders = [kept[copy["_id"]] for copy in made.copies if copy["_id"] in kept]
            assert any(edit.items() <= holder.items() for holder in holders)
    assert (result.remaining.count, result.backup) == (50, folder / "duplicates-20260311T093000Z.jsonl")

    assert result.backup is not None
    assert clean(database, folder).backup is None
    assert plan_restore(database, result.backup) == BackupRestored(BackupKind.DUPLICATES, extra, 0, [])
    assert stored_leads(database, app) == after
    assert restore_backup(database, result.backup) == BackupRestored(BackupKind.DUPLICATES, extra, 0, [])
    assert plan_restore(database, result.backup) == BackupRestored(BackupKind.DUPLICATES, 0, extra, [])
    assert stored_leads(database, app) == before
    assert sorted(app.all("leads"), key=lambda document: str(document["_id"])) == raw_before
    assert restore_backup(database, result.backup) == BackupRestored(BackupKind.DUPLICATES, 0, extra, [])
    assert stored_leads(database, app) == before


def test_the_backup_is_for_this_user_only_and_tells_what_it_is(
    database: Database, folder: Path, old_sets: list[CopySet]
) -> None:
    umask = os.umask(0)
    try:
        result = clean(database, folder)
    finally:
        os.umask(umask)
    assert result.backup is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert result.backup.stat().st_mode & 0o777 == 0o600
    header, *entries, last = map(json.loads, result.backup.read_text(encoding="utf-8").splitlines())
    assert header == {
        "format": "syncctl backup",
        "version": 1,
        "kind": "duplicates",
        "created_at": "2026-03-11T09:30:00Z",
        "database": database.facts().kind,
        "place": database.facts().place,
    }
    assert last == {"complete": True, "documents": result.deleted}
    assert len(entries) == result.deleted
    assert all(entry["kept"] in database.present_leads([entry["kept"]]) for entry in entries[:20])


def test_of_one_second_each_backup_has_its_own_file(database: Database, folder: Path) -> None:
    for expected in ("duplicates-20260311T093000Z.jsonl", "duplicates-20260311T093000Z-2.jsonl"):
        database.store_leads(copies(2), [])
        assert clean(database, folder).backup == folder / expected


def test_a_person_decides_a_conflict(database: Database, app: MongoApp | SqliteApp, folder: Path) -> None:
    database.store_leads(copies(3), [])
    app.edit(text_id(1), callStatus="Busy")
    app.edit(text_id(3), callStatus="Connected")
    with pytest.raises(UsageError):
        clean(database, folder, "65f000000000000000000001")
    (conflict,) = plan_duplicates(database, LOCATIONS, ()).conflicts
    assert isinstance(conflict, Conflict)
    assert [copy.values for copy in conflict.copies] == [
        {"callStatus": status} for status in ("Busy", "Not Called", "Connected")
    ]
    assert clean(database, folder).deleted == 0
    assert clean(database, folder, text_id(3)).deleted == 2
    assert [document["_id"] for document in app.leads()] == [text_id(3)]


@pytest.mark.parametrize("when", ["leads", "recorded_leads", "repoint_records", "delete_unchanged"])
def test_a_copy_that_is_edited_meanwhile_stays(
    database: Database, app: MongoApp | SqliteApp, folder: Path, when: str
) -> None:
    database.store_leads(copies(3), [record(2)])
    app.edit(text_id(3), callStatus="Busy", updatedAt=NOW)
    interfering: Any = InterleavedDatabase(
        database, when, lambda: app.edit(text_id(2), callStatus="Busy", updatedAt=NOW + timedelta(hours=1))
    )
    clean(interfering, folder)
    assert text_id(2) in {document["_id"] for document in app.leads()}
    clean(database, folder)
    assert [document["_id"] for document in app.leads()] == [text_id(2)]
    assert records(app) == {text_id(2): text_id(2)}


def test_of_two_that_are_edited_meanwhile_both_stay_and_are_told(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads(copies(3), [])

    def edit() -> None:
        app.edit(text_id(1), callStatus="Connected")
        app.edit(text_id(2), callStatus="Busy")

    interfering: Any = InterleavedDatabase(database, "delete_unchanged", edit)
    result = clean(interfering, folder)
    assert (result.deleted, result.left, result.remaining.count) == (1, (text_id(2),), 1)
    assert len(plan_duplicates(database, LOCATIONS, ()).conflicts) == 1


def test_no_copy_is_deleted_for_one_that_is_gone(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads(copies(3), [record(2)])
    interfering: Any = InterleavedDatabase(database, "present_leads", lambda: app.delete(text_id(2)))
    result = clean(interfering, folder)
    assert (result.deleted, set(result.left)) == (0, {text_id(1), text_id(3)})
    assert records(app) == {text_id(2): text_id(2)}


def test_killed_at_any_write_it_finishes_the_next_time(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    assert {"delete_unchanged", "repoint_records"} <= WRITES
    leads = [*copies(4), *(lead(number, bookingNo="7", phone="9000000002") for number in range(10, 13))]
    for moment in Moment:
        for at in (1, 2):
            for document in app.leads():
                app.delete(document["_id"])
            database.store_leads(leads, [record(3), record(11)])
            database.repoint_records({text_id(1): text_id(3), text_id(10): text_id(11)})
            whole = stored_leads(database, app)
            app.edit(text_id(4), callStatus="Busy")
            edited = stored_leads(database, app)
            failing: Any = FailingStorage(database, at, moment=moment)
            with pytest.raises(Killed):
                clean(failing, folder)
            backups = sorted(folder.glob("*.jsonl"))
            _check_backed_up(edited, stored_leads(database, app), backups)
            assert set(records(app).values()) <= stored_leads(database, app).keys()
            clean(database, folder)
            assert sorted(stored_leads(database, app)) == [text_id(4), text_id(11)]
            assert set(records(app).values()) == {text_id(4), text_id(11)}
            for backup in sorted(folder.glob("*.jsonl")):
                restore_backup(database, backup)
                backup.unlink()
            assert stored_leads(database, app) == edited != whole
            database.repoint_records({text_id(4): text_id(3)})


def _check_backed_up(before: dict[str, str], now: dict[str, str], backups: list[Path]) -> None:
    saved = "".join(backup.read_text(encoding="utf-8") for backup in backups)
    for lead_id in before.keys() - now.keys():
        assert f'"document": {before[lead_id]}}}\n' in saved


def test_what_was_restored_is_told_apart_from_what_was_edited_since(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads(copies(4), [])
    backup = clean(database, folder).backup
    assert backup is not None
    restore_backup(database, backup)
    app.delete(text_id(2))
    app.edit(text_id(3), callStatus="Busy")
    assert restore_backup(database, backup) == BackupRestored(BackupKind.DUPLICATES, 1, 1, [text_id(3)])
    assert {document["_id"]: document["callStatus"] for document in app.leads()}[text_id(3)] == "Busy"


@pytest.mark.parametrize("how", ["deleted", "finished"])
def test_copies_of_a_lead_that_is_finished_or_deleted_since_stay_away(
    database: Database, app: MongoApp | SqliteApp, folder: Path, how: str
) -> None:
    database.store_leads(copies(3), [record(1)])
    backup = clean(database, folder).backup
    assert backup is not None
    (kept,) = app.leads()
    if how == "finished":
        finish(app, kept, "booking page")
    else:
        app.delete(kept["_id"])
    for _ in range(2):
        result = restore_backup(database, backup)
        assert (result.restored, result.same, result.different) == (0, 0, [])
        assert sorted(result.kept_lead_gone) == [text_id(2), text_id(3)]
        assert app.leads() == []


def test_copies_that_were_put_back_before_the_kept_lead_was_finished_are_there(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads(copies(3), [record(1)])
    backup = clean(database, folder).backup
    assert backup is not None
    restore_backup(database, backup)
    app.delete(text_id(1))
    assert restore_backup(database, backup) == BackupRestored(BackupKind.DUPLICATES, 0, 2, [])


def test_records_follow_the_kept_lead_and_come_back(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads(copies(3), [record(1)])
    app.edit(text_id(2), callStatus="Busy")
    backup = clean(database, folder).backup
    assert records(app) == {text_id(1): text_id(2)}
    assert backup is not None
    restore_backup(database, backup)
    assert records(app) == {text_id(1): text_id(1)}


def test_without_a_backup_nothing_is_deleted(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads(copies(3), [record(2)])
    before = stored_leads(database, app)
    folder.parent.mkdir(parents=True)
    folder.write_text("a file in the place of the folder", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"nothing was changed.*DATA_DIR"):
        clean(database, folder)
    assert stored_leads(database, app) == before
    assert records(app) == {text_id(2): text_id(2)}


def test_a_damaged_backup_is_refused_before_anything_is_written(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    database.store_leads(copies(4), [])
    backup = clean(database, folder).backup
    assert backup is not None
    lines = backup.read_bytes().splitlines(keepends=True)
    backup.write_bytes(b"".join([*lines[:3], b"garbage\n", *lines[4:]]))
    with pytest.raises(FileProblemError, match="line 4"):
        restore_backup(database, backup)
    assert [document["_id"] for document in app.leads()] == [text_id(1)]


class TestWithTheSync:
    def old_leads(self, world: World, times: int = 3) -> None:
        for expected in world.expected().leads.values():
            for _ in range(times):
                world.app.insert(old_lead(expected))

    def database(self, world: World) -> Any:
        database = open_storage(world.url)
        database.prepare()
        return database

    def clean(self, world: World, folder: Path) -> DuplicatesCleaned:
        database = self.database(world)
        try:
            return clean(database, folder)
        finally:
            database.close()

    @pytest.mark.slow
    @pytest.mark.parametrize("synced_before", [False, True])
    def test_a_sync_after_it_saves_nothing_and_brings_nothing_back(
        self, world: World, folder: Path, synced_before: bool
    ) -> None:
        self.old_leads(world)
        if synced_before:
            assert sum(step.counts.saved for step in world.run().steps[1:]) == 0
        some = sorted(world.app.leads(), key=lambda lead: lead["_id"], reverse=True)
        worked_on: dict[tuple[object, ...], Lead] = {}
        for document in some:
            key = (document["leadType"], document["phone"], document.get("bookingNo"))
            if key not in worked_on and len(worked_on) < 20:
                world.app.edit(document["_id"], callStatus="Connected")
                worked_on[key] = document
        result = self.clean(world, folder)
        assert (result.deleted, result.remaining.count) == (2 * len(world.expected().leads), 0)
        kept = {document["_id"]: document for document in world.app.leads()}
        assert {document["_id"] for document in worked_on.values()} <= kept.keys()
        again = world.run(full=True)
        assert [(step.counts.saved, step.changed) for step in again.steps[1:]] == [(0, 0), (0, 0)]
        assert {document["_id"]: document for document in world.app.leads()} == kept

        first, second, *_ = worked_on.values()
        world.app.delete(first["_id"])
        finish(world.app, kept[second["_id"]], "flat")
        assert [step.counts.saved for step in world.run(full=True).steps[1:]] == [0, 0]
        assert len(world.app.leads()) == len(kept) - 2

    def test_a_files_news_reach_the_kept_copy(self, world: World, tmp_path: Path, folder: Path) -> None:
        file = write(tmp_path / "walkin_sg_calicut.csv", row())
        world.import_files(StepName.WALKIN, file)
        (imported,) = world.app.leads()
        copy_id = world.app.insert(old_lead(imported))
        world.app.edit(copy_id, callStatus="Busy")
        assert self.clean(world, folder).deleted == 1
        write(file, row(Remarks="news from the store"))
        world.import_files(StepName.WALKIN, file)
        (left,) = world.app.leads()
        assert (left["_id"], left["callStatus"]) == (copy_id, "Busy")
        assert left["remarks"] == "news from the store"

    def test_the_web_apps_upload_of_an_imported_file_makes_copies(
        self, world: World, tmp_path: Path, folder: Path
    ) -> None:
        """It knows no store and puts its rows under "Default Store"."""
        file = write(
            tmp_path / "walkin_sg_calicut.csv",
            *(row(Contact=f"900000000{number}", Status=status) for number, status in enumerate(STATUSES)),
        )
        world.import_files(StepName.WALKIN, file)
        imported = world.app.leads()
        for document in imported:
            world.app.insert(old_lead({**document, "store": "Default Store"}))
        elsewhere = {**imported[0], "store": "Zorucci - Kannur"}
        world.app.insert(old_lead(elsewhere))  # so that one of them may be either store's
        worked_on = next(
            lead
            for lead in world.app.leads()
            if lead["store"] == "Default Store" and lead["phone"] == imported[1]["phone"]
        )
        world.app.edit(worked_on["_id"], callStatus="Busy")

        result = self.clean(world, folder)
        assert (result.deleted, result.remaining.count) == (len(imported) - 1, 0)
        left = world.app.leads()
        assert sorted(lead["store"] for lead in left) == [
            "Default Store",
            "Default Store",
            *["Suitor Guy - Calicut"] * (len(imported) - 1),
            "Zorucci - Kannur",
        ]
        assert records(world.app)[imported[1]["_id"]] == worked_on["_id"]
        again = world.import_files(StepName.WALKIN, file)
        assert again.steps[0].counts.saved == 0
        assert len(world.app.leads()) == len(left)
        assert result.backup is not None
        database = self.database(world)
        restore_backup(database, result.backup)
        database.close()
        assert len(world.app.leads()) == 2 * len(imported) + 1


def test_fields_that_only_the_web_app_knows_come_back_too(mongo_url: str, folder: Path) -> None:
    database, app = open_storage(mongo_url), MongoApp(mongo_url)
    database.prepare()
    try:
        database.store_leads(copies(2), [])
        app.edit(text_id(2), callLog=[{"at": NOW, "by": None, "seconds": 2.0}], rating=4.0)
        app.edit(text_id(1), callStatus="Busy")
        before = stored_leads(database, app)
        assert len(plan_duplicates(database, LOCATIONS, ()).conflicts) == 1
        backup = clean(database, folder, text_id(1)).backup
        assert backup is not None
        restore_backup(database, backup)
        assert stored_leads(database, app) == before
    finally:
        app.close()
        database.close()


def test_a_snapshot_is_one_line(database: Database) -> None:
    """The format of the backup rests on it."""
    database.store_leads([lead(1, remarks='two\nlines, "document": {\u2028}')], [])
    (snapshot,) = database.snapshots([text_id(1)])
    assert isinstance(snapshot, LeadSnapshot)
    assert len(snapshot.document.encode().splitlines()) == 1
