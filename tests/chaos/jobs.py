"""Jobs for fault injection, each with a busy database and new data at the source."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from syncctl.domain import import_notes
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store
from syncctl.ports.admin import Database
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.cleanup import cleaning, restoring, store_names
from syncctl.services.cleanup.cleaning import BackupTarget, clean_duplicates
from syncctl.services.cleanup.finished import candidates
from syncctl.services.cleanup.finished import cleaning as cleaning_finished
from syncctl.services.cleanup.finished.cleaning import clean_finished
from syncctl.services.cleanup.restoring import restore_backup
from syncctl.services.cleanup.store_names import rename_stores
from syncctl.services.imports import undo_context, undo_records
from syncctl.services.imports.undoing import undo_import
from syncctl.services.run import HISTORY_RETENTION
from syncctl.services.sync import step_tools
from tests.support.brought_back import app_report, brought_back
from tests.support.store_files import HEADER, row, write
from tests.support.webapp import PAGES, SHAPES, SqliteApp, finish, old_lead, pages_for
from tests.support.world import KOLKATA, World

Wrap = Callable[[Storage], Storage]
NEW_PLACE = "Suitor Guy - Brand New"
DAYS_AWAY = timedelta(days=3)
RENAMED = 6
EDITS: tuple[dict[str, Any], ...] = (
    {"remarks": "calls back on Monday"},
    {"callStatus": "Called", "leadStatus": "Interested"},
    {"phone": "9111111111"},
    {"name": "Somebody Else", "followUpFlag": True},
    {"store": "Zorucci - Kottayam", "reasonCollectedFromStore": "too late"},
)


@dataclass(frozen=True)
class Workspace:
    """The environment of a job."""

    world: World

    folder: Path
    """For its files."""

    rng: Random
    """The test's random generator."""

    @property
    def sandbox(self) -> Sandbox:
        return self.world.sandbox


@dataclass(frozen=True)
class Job:
    name: str

    prepare: Callable[[Workspace], None]
    """Creates the state before the job."""

    do: Callable[[Workspace, Wrap], object]
    """Does the job, with a wrapper around the database."""

    arguments: tuple[str, ...] = ()
    """The command line that does the job in the folder of its files; empty if it only runs within the
    test."""


def telecallers_at_work(workspace: Workspace) -> None:
    """Some leads edited, some finished in each shape of report, one deleted, one typed in by hand."""
    app = workspace.world.app
    leads = sorted(app.leads(), key=lambda lead: lead["_id"])
    workspace.rng.shuffle(leads)
    for changes, lead in zip(EDITS, leads, strict=False):
        app.edit(lead["_id"], **changes)
    left = leads[len(EDITS) :]
    for shape, lead in zip(SHAPES, left, strict=False):
        finish(app, lead, shape, phone="9222222222")
    for page in PAGES:
        if shown := next((lead for lead in left[len(SHAPES) :] if page in pages_for(lead)), None):
            finish(app, shown, page)
            left.remove(shown)
    app.delete(left[len(SHAPES)]["_id"])
    app.insert(
        {
            "name": "By Hand",
            "phone": "9333333333",
            "store": "Zorucci - Kottayam",
            "leadType": "general",
            "followUpFlag": False,
        }
    )


def news_at_the_source(workspace: Workspace) -> None:
    """Bookings added, changed, returned and withdrawn, and invalid rows."""
    sandbox, rng = workspace.sandbox, workspace.rng
    booked = [item["bookingNo"] for item in sandbox.add_bookings(12)]
    known = sorted({item["bookingNo"] for item in sandbox.rows("booking") if item.get("bookingNo")})
    for number in rng.sample(known, RENAMED):
        sandbox.change_booking(number, customerName=f"Renamed {rng.randrange(100)}")
    sandbox.return_booking(booked[0])
    sandbox.remove_booking(rng.choice(known))
    bad = {"bookingNo": "77", "phoneNo": "12", "bookingDate": f"{sandbox.today}T10:00:00"}
    for location in sandbox.locations:
        sandbox.add_rows(location, [bad, {**bad, "bookingDate": None}, None, [1]])


def _nothing(workspace: Workspace) -> None:
    """An empty database."""


def _synced_and_worked_on(workspace: Workspace) -> None:
    """Of the day's bookings one is corrected and some are renamed."""
    sandbox, world = workspace.sandbox, workspace.world
    of_the_day = sorted({item["bookingNo"] for item in sandbox.add_bookings(6)})
    for number in of_the_day:
        sandbox.change_booking(number, bookingDate=world.now.astimezone(KOLKATA))
    sandbox.change_booking(of_the_day[0], phoneNo="12")
    world.run()
    _run_of_long_ago(workspace)
    telecallers_at_work(workspace)
    news_at_the_source(workspace)
    left = {item.get("bookingNo") for item in sandbox.rows("booking") if isinstance(item, dict)}
    of_the_day = [number for number in of_the_day if number in left]
    sandbox.change_booking(of_the_day[0], phoneNo="9444444444")
    for number in of_the_day[1:4]:
        sandbox.change_booking(number, customerName="Renamed", price=1234.5)
    world.now += timedelta(minutes=10)


def _run_of_long_ago(workspace: Workspace) -> None:
    """An old run in the history, due to be purged."""
    with workspace.world.storage() as storage:
        (run,) = cast(Database, storage).runs(1)
        long_ago = run.started_at - HISTORY_RETENTION - timedelta(days=1)
        storage.save_run(run._replace(run_id="of long ago", started_at=long_ago))


def _sync(workspace: Workspace, wrap: Wrap) -> object:
    return workspace.world.run(wrap=wrap)


def _away_for_days(workspace: Workspace) -> None:
    """News of each of the days since the last sync."""
    workspace.world.now -= DAYS_AWAY
    _synced_and_worked_on(workspace)
    workspace.world.now += DAYS_AWAY
    today = workspace.sandbox.today
    booked = {item["bookingNo"] for item in workspace.sandbox.add_bookings(6)}
    for number, days in zip(sorted(booked), (1, 2, 1, 2, 1, 2), strict=True):
        workspace.sandbox.change_booking(number, bookingDate=today - timedelta(days=days))


def _sync_with_few_at_once(workspace: Workspace, wrap: Wrap) -> object:
    with few_at_once():
        return workspace.world.run(wrap=wrap)


@contextmanager
def few_at_once() -> Iterator[None]:
    """Replaces batch sizes of ten locations or a thousand leads by small ones, so that a small job has
    several batches."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(step_tools, "STATES_TOGETHER", 2)
        for module in (cleaning, store_names, restoring, cleaning_finished, candidates):
            patched.setattr(module, "LEADS_AT_ONCE", 5)
        for module in (import_notes, undo_records):
            patched.setattr(module, "MOST_CHANGES", 7)
        patched.setattr(undo_context, "NOTES_AT_ONCE", 2)
        yield


def phone(number: int) -> str:
    return f"94{number:08}"


def customer(number: int, **changes: str) -> list[str]:
    """A row of a file; each customer has a different name."""
    return row(Contact=phone(number), Customer_Name=f"Customer {number}", **changes)


def _files(workspace: Workspace) -> tuple[Path, Path]:
    return workspace.folder / "walkin_sg_calicut.csv", workspace.folder / "walkin_z_edappally.csv"


def imported_and_worked_on(workspace: Workspace) -> None:
    """Two files, imported and then sent again with rows changed, added, removed and invalid, and lost
    customers."""
    rng = workspace.rng
    files = _files(workspace)
    for number, file in enumerate(files):
        write(file, *(customer(100 * number + n, Remarks="old") for n in range(20)))
    workspace.world.import_files(StepName.WALKIN, *files)
    telecallers_at_work(workspace)
    for number, file in enumerate(files):
        news = [
            customer(
                100 * number + n,
                Remarks=rng.choice(("old", "new")),
                Status=rng.choice(("Booked", "Loss", "New Walkin")),
            )
            for n in range(5, 30)
        ]
        write(file, *news, row(Contact="12"), row(Date="31-02-2025"))
    workspace.world.now += timedelta(minutes=10)


def _import(workspace: Workspace, wrap: Wrap) -> RunResult:
    return workspace.world.import_files(StepName.WALKIN, *_files(workspace), wrap=wrap)


def _import_what_is_new(workspace: Workspace, wrap: Wrap) -> object:
    """As in `syncctl all`: an unchanged imported file is not read again."""
    return workspace.world.import_files(StepName.WALKIN, *_files(workspace), wrap=wrap, is_import_dir=True)


def rejected_till_now(workspace: Workspace, count: int = 15) -> None:
    """A file with `count` rows of a store that has become known since, and one that stays invalid."""
    file = workspace.folder / "walkin.csv"
    rows = [[*row(Contact=phone(n)), NEW_PLACE] for n in range(count)]
    write(file, *rows, [*row(Contact="1"), NEW_PLACE], header=[*HEADER, "Store"])
    workspace.world.run()
    workspace.world.import_files(StepName.WALKIN, file)
    telecallers_at_work(workspace)
    with workspace.world.storage() as storage:
        storage.add_stores([Store(NEW_PLACE, "999", "Suitor Guy", "", True)])
    workspace.world.now += timedelta(minutes=10)


def _retry(workspace: Workspace, wrap: Wrap) -> object:
    return workspace.world.retry_rejects(wrap=wrap)


def _corrected_in_the_sheet(workspace: Workspace) -> None:
    """The same rejects, exported; one of them is corrected."""
    rejected_till_now(workspace)
    sheet = workspace.world.export_rejects(workspace.folder / "rejects.csv")
    exported = sheet.read_text(encoding="utf-8-sig")
    sheet.write_text(exported.replace('"Anagha S","1"', f'"Anagha S","{phone(99)}"'), encoding="utf-8")


def _import_rejects(workspace: Workspace, wrap: Wrap) -> object:
    return workspace.world.import_rejects(workspace.folder / "rejects.csv", wrap=wrap)


def double_some(workspace: Workspace) -> list[str]:
    """Two or three copies of some leads, as left by the old system. Returns the copies' ids."""
    app, rng = workspace.world.app, workspace.rng
    return [
        app.insert(old_lead(lead))
        for lead in sorted(app.leads(), key=lambda lead: lead["_id"])[:12]
        for _ in range(rng.choice((1, 2)))
    ]


def _doubled(workspace: Workspace) -> None:
    """Copies, some worked on, so that they stay, and the sync's records with them."""
    workspace.world.run()
    for lead_id in double_some(workspace)[::3]:
        workspace.world.app.edit(lead_id, callStatus="Busy")
    telecallers_at_work(workspace)
    workspace.world.now += timedelta(minutes=10)


def _misspelt(workspace: Workspace) -> None:
    """Store names as misspelled in files and by hand."""
    workspace.world.run()
    for lead in sorted(workspace.world.app.leads(), key=lambda lead: lead["_id"])[:20]:
        workspace.world.app.edit(lead["_id"], store=lead["store"].upper())
    workspace.world.now += timedelta(minutes=10)


def bring_some_back(workspace: Workspace, finished: int, deleted: int) -> None:
    """Finished and deleted leads that the app's own scheduler has stored again, some twice; and some for
    which the app wrote the report without deleting the lead."""
    app, rng = workspace.world.app, workspace.rng
    leads = sorted(app.leads(), key=lambda lead: lead["_id"])[: finished + deleted]
    for number, lead in enumerate(leads):
        if number < finished:
            app.add_report(app_report(lead, workspace.world.now))
            if number % 3 == 0:
                continue
        app.delete(lead["_id"])
        for _ in range(rng.choice((1, 1, 2))):
            app.insert(brought_back(lead, rng, workspace.world.now))


def _brought_back(workspace: Workspace) -> None:
    """Among the leads of a telecaller at work."""
    workspace.world.run()
    bring_some_back(workspace, finished=10, deleted=4)
    telecallers_at_work(workspace)
    workspace.world.now += timedelta(minutes=10)


def backup_folder(workspace: Workspace) -> Path:
    """Where cleanups leave their backups."""
    return workspace.folder / "backups"


def _backups(workspace: Workspace) -> BackupTarget:
    return BackupTarget(
        backup_folder(workspace), workspace.world.now, lambda path, leads: None, workspace.world.stop
    )


def _clean(workspace: Workspace, wrap: Wrap) -> object:
    with workspace.world.storage() as storage, few_at_once():
        database = cast(Database, wrap(storage))
        return clean_duplicates(database, workspace.world.locations, (), _backups(workspace))


def _rename(workspace: Workspace, wrap: Wrap) -> object:
    with workspace.world.storage() as storage, few_at_once():
        database = cast(Database, wrap(storage))
        return rename_stores(database, workspace.world.locations, _backups(workspace))


def _clean_finished(workspace: Workspace, wrap: Wrap) -> object:
    with workspace.world.storage() as storage, few_at_once():
        database = cast(Database, wrap(storage))
        return clean_finished(database, workspace.world.locations, _backups(workspace))


def _cleaned(workspace: Workspace) -> None:
    """One backup, of copies."""
    shutil.rmtree(backup_folder(workspace), ignore_errors=True)
    _doubled(workspace)
    _clean(workspace, lambda storage: storage)


def _renamed(workspace: Workspace) -> None:
    """One backup, of stores' names."""
    shutil.rmtree(backup_folder(workspace), ignore_errors=True)
    _misspelt(workspace)
    _rename(workspace, lambda storage: storage)


def _cleaned_of_finished(workspace: Workspace) -> None:
    """One backup, of finished leads."""
    shutil.rmtree(backup_folder(workspace), ignore_errors=True)
    _brought_back(workspace)
    _clean_finished(workspace, lambda storage: storage)


def _restore(workspace: Workspace, wrap: Wrap) -> object:
    (backup,) = backup_folder(workspace).iterdir()
    with workspace.world.storage() as storage, few_at_once():
        return restore_backup(cast(Database, wrap(storage)), backup, workspace.world.stop)


def _imported(workspace: Workspace) -> None:
    """The later files imported, and worked on since: some of their leads, new and changed ones, edited,
    finished or deleted."""
    shutil.rmtree(backup_folder(workspace), ignore_errors=True)
    imported_and_worked_on(workspace)
    with few_at_once():
        (workspace.folder / "run").write_text(_import(workspace, lambda storage: storage).run_id)
    app = workspace.world.app
    leads = sorted(app.leads(), key=lambda lead: lead["_id"])
    workspace.rng.shuffle(leads)
    app.edit(leads[0]["_id"], remarks="edited since")
    app.edit(leads[1]["_id"], callStatus="Called")
    finish(app, leads[2], "flat")
    app.delete(leads[3]["_id"])
    workspace.world.now += timedelta(minutes=10)


def _undo(workspace: Workspace, wrap: Wrap) -> object:
    run_id = (workspace.folder / "run").read_text()
    with workspace.world.storage() as storage, few_at_once():
        return undo_import(cast(Database, wrap(storage)), run_id, _backups(workspace))


def _undone(workspace: Workspace) -> None:
    """One backup, of an import that was taken back."""
    _imported(workspace)
    _undo(workspace, lambda storage: storage)


def _imported_without_notes(workspace: Workspace) -> None:
    """As an earlier version left it."""
    _imported(workspace)
    app = workspace.world.app
    if isinstance(app, SqliteApp):
        app._database.execute("DELETE FROM syncimports")
    else:
        app._database.syncimports.delete_many({})


LATER_SYNC = Job("a later sync", _synced_and_worked_on, _sync, ("api",))
CLEANUPS = (
    Job("a cleanup of finished leads", _brought_back, _clean_finished, ("cleanup", "finished", "--apply")),
    Job("a cleanup of duplicates", _doubled, _clean, ("cleanup", "duplicates", "--apply")),
    Job("a cleanup of stores", _misspelt, _rename, ("cleanup", "stores", "--apply")),
)
JOBS = (
    Job("the first sync", _nothing, _sync, ("api",)),
    LATER_SYNC,
    Job("an import", imported_and_worked_on, _import, ("import", "walkin", ".")),
    Job("a retry of rejects", rejected_till_now, _retry, ("rejects", "retry")),
    *CLEANUPS,
)
MORE_JOBS = (
    Job("a sync after some days", _away_for_days, _sync_with_few_at_once),
    Job("an import of what is new", imported_and_worked_on, _import_what_is_new),
    Job("an import of corrected rejects", _corrected_in_the_sheet, _import_rejects),
    Job("a restore of copies", _cleaned, _restore),
    Job("a restore of stores", _renamed, _restore),
    Job("a restore of finished leads", _cleaned_of_finished, _restore),
    Job("an undo of an import", _imported, _undo),
    Job("an undo of an import without notes", _imported_without_notes, _undo),
    Job("a restore of an import", _undone, _restore),
)
"""Jobs that are only done within the test."""
