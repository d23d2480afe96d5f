"""`cleanup finished`: who was brought back goes, and nobody else; a restore undoes it to the last byte."""

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncctl.errors import SettingsError
from syncctl.ports.admin import Database
from syncctl.services.cleanup.backups import BackupKind
from syncctl.services.cleanup.finished.cleaning import FinishedCleaned, plan_finished
from syncctl.services.cleanup.finished.plan import MatchReason
from syncctl.services.cleanup.restoring import BackupRestored, restore_backup
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, text_id
from tests.support.brought_back import app_report, brought_back, known
from tests.support.cleanups import LOCATIONS, NOW, InterleavedDatabase, clean_up_finished, stored_leads
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.webapp import SHAPES, Lead, MongoApp, SqliteApp, finish
from tests.support.world import World

FINISHED, DELETED, WORKED_ON_AGAIN = 87, 12, 5

App = MongoApp | SqliteApp


def records(app: App) -> dict[str, dict[str, Any]]:
    """Every record, whole."""
    return {
        str(document["_id"]): {name: value for name, value in document.items() if value is not None}
        for document in app.all("syncrecords")
    }


def reports_of(app: App) -> dict[str, str]:
    """Which report finished which record."""
    return {
        record_id: record["reportId"] for record_id, record in records(app).items() if "reportId" in record
    }


class TestWithTheAppsOwnScheduler:
    """It syncs the same API beside syncctl, and knows neither today's reports nor deletions."""

    @pytest.fixture
    def database(self, world: World) -> Any:
        database = open_storage(world.url)
        database.prepare()
        yield database
        database.close()

    def finished_and_deleted(self, world: World, rng: Random) -> tuple[list[Lead], list[Lead]]:
        """Telecallers at work: most are finished as they are, some after an edit in the database, a few as
        older versions of the app did."""
        leads = sorted(world.app.leads(), key=lambda each: each["_id"])
        rng.shuffle(leads)
        finished, deleted = leads[:FINISHED], leads[FINISHED : FINISHED + DELETED]
        edits: tuple[Lead, ...] = (
            {"phone": "9444444444"},
            {"name": "Somebody Else", "store": "Zorucci - Kottayam"},
            {"bookingNo": "edited-0001"},
            {"phone": "9555555555", "name": "Somebody Else"},
        )
        shapes = [shape for shape in SHAPES if shape != "flat"]
        for number, each in enumerate(finished):
            if number < len(shapes):
                finish(world.app, each, shapes[number])
                continue
            edited = edits[number % len(edits)] if number < 20 else {}
            world.app.add_report(app_report(each, world.now, **edited))
            world.app.delete(each["_id"])
        for each in deleted:
            world.app.delete(each["_id"])
        return finished, deleted

    @pytest.mark.slow
    @pytest.mark.parametrize("synced_between", [True, False])
    def test_who_was_brought_back_goes_and_stays_away(
        self, world: World, database: Database, folder: Path, synced_between: bool
    ) -> None:
        rng = Random(3)  # noqa: S311 - chance, not cryptography
        world.run()
        finished, deleted = self.finished_and_deleted(world, rng)
        if synced_between:
            world.now += timedelta(minutes=5)
            world.run(full=True)
        without = stored_leads(database, world.app)
        world.now += timedelta(hours=1)
        back = [brought_back(each, rng, world.now) for each in (*finished, *deleted)]
        for each in back:
            world.app.insert(each)
        for each in back[-WORKED_ON_AGAIN:]:
            world.app.edit(each["_id"], callStatus="Connected")
        before, records_before = stored_leads(database, world.app), records(world.app)
        gone = {each["_id"] for each in back[:-WORKED_ON_AGAIN]}

        plan = plan_finished(database, LOCATIONS, NOW)
        assert {found.lead_id for found in plan.finished} == {each["_id"] for each in back[:FINISHED]}
        assert {found.lead_id for found in plan.came_back} == gone - {each["_id"] for each in back[:FINISHED]}
        assert plan.listed == []
        assert (stored_leads(database, world.app), records(world.app)) == (before, records_before)
        assert not folder.exists()

        cleaned = clean_up_finished(database, folder)
        assert (cleaned.plan, cleaned.deleted, cleaned.left) == (plan, len(gone), ())
        after = stored_leads(database, world.app)
        assert after.keys() == before.keys() - gone
        assert after.items() <= before.items()
        assert without.items() <= after.items()
        assert len(reports_of(world.app)) == FINISHED
        assert clean_up_finished(database, folder).backup is None

        world.now += timedelta(minutes=10)
        assert [step.counts.saved for step in world.run(full=True).steps[1:]] == [0, 0]
        assert stored_leads(database, world.app) == after

        assert cleaned.backup is not None
        restored = restore_backup(database, cleaned.backup)
        assert restored == BackupRestored(BackupKind.FINISHED, len(gone), 0, [])
        assert (stored_leads(database, world.app), records(world.app)) == (before, records_before)
        assert restore_backup(database, cleaned.backup).same == len(gone)
        assert plan_finished(database, LOCATIONS, NOW).to_delete == len(gone)

    def test_after_a_sync_a_restore_takes_back_only_what_the_cleanup_marked(
        self, world: World, database: Database, folder: Path
    ) -> None:
        rng = Random(4)  # noqa: S311 - chance, not cryptography
        world.run()
        first, second, *_ = sorted(world.app.leads(), key=lambda each: each["_id"])
        marked_before = world.app.add_report(app_report(first, world.now))
        world.app.delete(first["_id"])
        world.run(full=True)
        world.app.add_report(app_report(second, world.now))
        world.app.insert(brought_back(first, rng, world.now))
        cleaned = clean_up_finished(database, folder)
        assert (cleaned.deleted, len(reports_of(world.app))) == (2, 2)
        assert cleaned.backup is not None
        restore_backup(database, cleaned.backup)
        assert list(reports_of(world.app).values()) == [marked_before]


def stored(database: Database, app: App) -> dict[str, str]:
    """A finished lead of a record, a copy of it, one that was deleted and came back, and a bystander; gives
    all leads to the last byte."""
    rng = Random(5)  # noqa: S311 - chance, not cryptography
    leads = [lead(number, bookingNo=f"202600000000{number}") for number in (1, 2, 3)]
    copy, back = brought_back(leads[0], rng), brought_back(leads[1], rng)
    database.store_leads([leads[0], copy, back, leads[2]], [known(each) for each in leads])
    app.add_report(app_report(leads[0]))
    return stored_leads(database, app)


@pytest.mark.parametrize("when", ["leads", "find_reports", "pair_reports", "delete_unchanged"])
def test_a_lead_that_is_edited_meanwhile_stays_and_so_does_its_record(
    database: Database, app: App, folder: Path, when: str
) -> None:
    before = stored(database, app)
    records_before = records(app)
    interfering: Any = InterleavedDatabase(
        database, when, lambda: app.edit(text_id(1), callStatus="Busy", updatedAt=NOW)
    )
    cleaned = clean_up_finished(interfering, folder)
    assert interfering.has_acted
    assert cleaned.left == (() if when == "leads" else (text_id(1),))
    assert len(stored_leads(database, app)) == len(before) - 2
    assert {each["_id"]: each["callStatus"] for each in app.leads()}[text_id(1)] == "Busy"
    assert records(app) == records_before


def test_killed_at_any_write_it_finishes_the_next_time(database: Database, app: App, folder: Path) -> None:
    before = stored(database, app)
    undisturbed: FinishedCleaned = clean_up_finished(database, folder)
    assert {found.why for found in undisturbed.plan.finished} == {MatchReason.BOOKING}
    after, records_after = stored_leads(database, app), records(app)
    assert (len(after), len(reports_of(app))) == (1, 1)
    assert undisturbed.backup is not None
    restore_backup(database, undisturbed.backup)
    undisturbed.backup.unlink()
    records_before = records(app)
    struck = set()
    for moment in Moment:
        for at in (1, 2):
            failing: Any = FailingStorage(database, at, moment=moment)
            with pytest.raises(Killed):
                clean_up_finished(failing, folder)
            struck.add(failing.struck)
            saved = "".join(backup.read_text(encoding="utf-8") for backup in folder.glob("*.jsonl"))
            for lead_id in before.keys() - stored_leads(database, app).keys():
                assert f'"document": {before[lead_id]}}}\n' in saved
            clean_up_finished(database, folder)
            assert (stored_leads(database, app), records(app)) == (after, records_after)
            for backup in sorted(folder.glob("*.jsonl")):
                restore_backup(database, backup)
                backup.unlink()
            assert (stored_leads(database, app), records(app)) == (before, records_before)
    assert struck == {"pair_reports", "delete_unchanged"}


def test_without_a_backup_nothing_is_deleted_or_marked(database: Database, app: App, folder: Path) -> None:
    before = stored(database, app)
    records_before = records(app)
    folder.parent.mkdir(parents=True)
    folder.write_text("a file in the place of the folder", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"nothing was changed.*DATA_DIR"):
        clean_up_finished(database, folder)
    assert (stored_leads(database, app), records(app)) == (before, records_before)


def test_what_is_something_else_now_stays_marked(database: Database, app: App, folder: Path) -> None:
    stored(database, app)
    backup = clean_up_finished(database, folder).backup
    assert backup is not None
    database.store_leads([lead(1, remarks="typed in again")], [])
    result = restore_backup(database, backup)
    assert (result.restored, result.different) == (2, [text_id(1)])
    assert len(reports_of(app)) == 1
