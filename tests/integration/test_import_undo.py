"""An import taken back: all that it did, and nothing that others did since."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store
from syncctl.errors import UsageError
from syncctl.ports.admin import Database
from syncctl.ports.storage import Storage
from syncctl.services.cleanup.cleaning import BackupTarget
from syncctl.services.cleanup.restoring import BackupRestored, restore_backup
from syncctl.services.imports.undo_results import ImportUndone, KeptReason, Outcome, UndoPlan
from syncctl.services.imports.undoing import plan_undo, undo_import
from tests.chaos.states import Rewind, State, assert_as_undisturbed, state_of
from tests.integration.test_corrected_rejects import corrected
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.interleaved_storage import InterleavedStorage
from tests.support.store_files import HEADER, counts, row, snapshot, write
from tests.support.webapp import finish, report_of
from tests.support.world import World

WALKIN, LOSS = StepName.WALKIN, StepName.LOSS_OF_SALE
Wrap = Callable[[Storage], Any]


def customer(number: int, **changes: str) -> list[str]:
    return row(**{"Contact": f"94000{number:05}", "Customer_Name": f"Customer {number}", **changes})


@dataclass
class Office:
    """Head office: imports files and takes imports back."""

    world: World
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "walkin_sg_calicut.csv"

    def imports(self, *rows: list[str], kind: StepName = WALKIN, **choices: Any) -> str:
        """Import a file with these rows a minute later; returns the run's id."""
        self.world.now += timedelta(minutes=1)
        file = write(self.folder / f"{kind}_sg_calicut.csv", *rows)
        return self.world.import_files(kind, file, **choices).run_id

    def corrects(self, phones: dict[str, str]) -> str:
        """Export the rejects, give customers these numbers, and take the sheet back; returns the run's id."""
        self.world.now += timedelta(minutes=1)

        def correct(lines: list[dict[str, str]]) -> None:
            for line in lines:
                line["Contact"] = phones.get(line["Customer Name"], line["Contact"])

        sheet = corrected(self.world, self.folder / "rejects.csv", correct)
        return self.world.import_rejects(sheet).run_id

    def plan(self, run_id: str) -> UndoPlan:
        with self.world.storage() as storage:
            return plan_undo(cast(Database, storage), run_id)

    def undo(self, run_id: str, wrap: Wrap = lambda storage: storage) -> ImportUndone:
        target = BackupTarget(self.folder / "backups", self.world.now, lambda path, leads: None)
        with self.world.storage() as storage:
            return undo_import(cast(Database, wrap(storage)), run_id, target)

    def undo_as_planned(self, run_id: str) -> UndoPlan:
        """Undo it: what was planned is what is done."""
        planned = self.plan(run_id)
        done = self.undo(run_id).plan
        assert done == replace(planned, run=done.run)
        return done

    def restore(self, backup: Path | None) -> BackupRestored:
        assert backup is not None
        with self.world.storage() as storage:
            return restore_backup(cast(Database, storage), backup)

    def lead(self, number: int) -> dict[str, Any]:
        (lead,) = self.world.app.leads(phone=f"94000{number:05}")
        return lead

    def state(self) -> State:
        return replace(state_of(self.world.app), runs=set())

    def rejects(self) -> dict[str, Any]:
        with self.world.storage() as storage:
            return {reject.position: reject for reject in storage.rejects()}


@pytest.fixture
def office(world: World, tmp_path: Path) -> Office:
    return Office(world, tmp_path)


def outcomes(plan: UndoPlan) -> tuple[int, int, int]:
    return len(plan.of(Outcome.UNDONE)), len(plan.of(Outcome.KEPT)), len(plan.of(Outcome.GONE))


def test_what_was_imported_first_is_gone_and_imports_again_as_the_first_time(office: Office) -> None:
    rows = [customer(n) for n in range(5)] + [customer(5, Date="31-02-2025"), customer(3, Remarks="twice")]
    before = office.state()
    run_id = office.imports(*rows)
    first = office.world.recorder.finished[0].counts
    leads = snapshot(office.world)
    plan = office.undo_as_planned(run_id)
    assert outcomes(plan) == (5, 0, 0)
    assert all(lead.is_deleted for lead in plan.leads.values())
    assert (plan.files, plan.unlisted) == (["walkin_sg_calicut.csv"], 1)
    assert_as_undisturbed(office.state(), before)

    office.imports(*rows)
    assert office.world.recorder.finished[0].counts == first
    assert snapshot(office.world) == leads


def test_an_unchanged_file_of_import_dir_is_read_again(office: Office) -> None:
    run_id = office.imports(customer(1))
    office.undo(run_id)
    again = office.world.import_files(WALKIN, office.file, is_import_dir=True)
    assert counts(again)[0] == 1


def test_changed_fields_get_their_values_back(office: Office) -> None:
    office.imports(*(customer(n) for n in range(3)))
    before = office.state()
    run_id = office.imports(
        customer(0, Remarks="new", Status="Trial"), customer(1, Function_Date="01-12-2025"), customer(3)
    )
    changed = office.state()
    plan = office.undo_as_planned(run_id)
    assert outcomes(plan) == (3, 0, 0)
    assert plan.leads[office.lead(0)["_id"]].restored.keys() == {"remarks", "closingStatus", "updatedAt"}
    assert plan.records == 2
    assert_as_undisturbed(office.state(), before)
    office.imports(
        customer(0, Remarks="new", Status="Trial"), customer(1, Function_Date="01-12-2025"), customer(3)
    )
    after = office.state()
    assert after.records == changed.records
    assert after.leads.keys() == changed.leads.keys()


@pytest.mark.parametrize(
    "edit",
    [
        {"callStatus": "Called"},
        {"remarks": "calls back"},
        {"assignedTo": "65f000000000000000000001"},
        {"name": "Somebody Else", "updatedAt": datetime(2025, 10, 9, tzinfo=UTC)},
        {"rating": 4, "updatedAt": datetime(2025, 10, 9, tzinfo=UTC)},
    ],
)
def test_created_and_touched_since_is_kept(office: Office, edit: dict[str, Any]) -> None:
    run_id = office.imports(customer(1), customer(2))
    office.world.app.edit(office.lead(1)["_id"], **edit)
    edited = office.lead(1)
    plan = office.undo_as_planned(run_id)
    assert outcomes(plan) == (1, 1, 0)
    assert plan.leads[edited["_id"]].reasons in ([KeptReason.EDITED], [KeptReason.CHANGED])
    assert list(snapshot(office.world).values()) == [edited]
    again = office.imports(customer(1), customer(2))
    assert office.world.recorder.finished[0].counts.saved == 1
    assert office.lead(1) == edited
    assert outcomes(office.undo_as_planned(again)) == (1, 0, 0)


def test_finished_or_deleted_since_stays_so(office: Office) -> None:
    run_id = office.imports(*(customer(n) for n in range(3)))
    finish(office.world.app, office.lead(0), "flat")
    office.world.app.delete(office.lead(1)["_id"])
    assert outcomes(office.undo_as_planned(run_id)) == (1, 0, 2)
    office.imports(*(customer(n) for n in range(3)))
    done = office.world.recorder.finished[0].counts
    assert (done.saved, done.reported, done.existing) == (1, 1, 1)


def test_a_changed_field_that_was_edited_since_is_kept_the_others_are_not(office: Office) -> None:
    office.imports(customer(1, Remarks="old"))
    run_id = office.imports(customer(1, Remarks="new", Status="Trial"))
    office.world.app.edit(office.lead(1)["_id"], remarks="edited")
    edited_at = office.lead(1)["updatedAt"]
    plan = office.undo_as_planned(run_id)
    (lead,) = plan.of(Outcome.KEPT)
    assert lead.kept == {"remarks": KeptReason.EDITED}
    assert lead.restored == {"closingStatus": ("Trial", "Booked")}
    now = office.lead(1)
    assert (now["remarks"], now["closingStatus"], now["updatedAt"]) == ("edited", "Booked", edited_at)
    office.imports(customer(1, Remarks="old"))
    assert office.lead(1)["remarks"] == "edited"
    assert office.world.recorder.done[0][1].conflicts == ()


def test_what_a_later_import_changed_is_kept_until_that_one_is_taken_back(office: Office) -> None:
    before = office.state()
    first = office.imports(customer(1, Remarks="1"), customer(2))
    after_first = office.state()
    second = office.imports(customer(1, Remarks="2"))
    third = office.imports(customer(1, Remarks="3"))
    plan = office.undo_as_planned(second)
    assert [lead.kept for lead in plan.of(Outcome.KEPT)] == [{"remarks": KeptReason.LATER}]
    plan = office.undo_as_planned(first)
    assert [lead.reasons for lead in plan.of(Outcome.KEPT)] == [[KeptReason.LATER]]
    assert outcomes(plan) == (1, 1, 0)
    office.undo(third)
    assert office.lead(1)["remarks"] == "2"
    assert outcomes(office.undo_as_planned(second)) == (1, 0, 0)
    assert office.lead(1) == after_first.leads[office.lead(1)["_id"]]
    assert outcomes(office.undo_as_planned(first)) == (1, 0, 0)
    assert office.state().leads == before.leads
    assert office.state().records == before.records


def test_leads_that_a_later_import_has_too_stay_until_that_one_is_taken_back(office: Office) -> None:
    before = office.state()
    first = office.imports(customer(1), customer(2))
    second = office.imports(customer(2), customer(3))
    plan = office.undo_as_planned(first)
    assert outcomes(plan) == (1, 1, 0)
    kept = plan.leads[office.lead(2)["_id"]]
    assert (kept.reason, kept.later_run) == (KeptReason.SEEN, second)
    assert plan.needed == {second: 1}
    plan = office.undo_as_planned(second)
    assert (outcomes(plan), plan.seen) == ((1, 0, 0), 1)
    assert outcomes(office.undo_as_planned(first)) == (1, 0, 0)
    assert_as_undisturbed(office.state(), before)


def test_the_same_file_imported_twice_is_taken_back_by_both(office: Office) -> None:
    before = office.state()
    first, second = office.imports(customer(1)), office.imports(customer(1))
    assert outcomes(office.undo_as_planned(first)) == (0, 1, 0)
    assert office.plan(second).has_work
    office.undo_as_planned(second)
    assert not office.plan(second).has_work
    office.undo_as_planned(first)
    assert_as_undisturbed(office.state(), before)


def test_rows_of_the_sync_or_of_long_ago_are_not_noted(office: Office) -> None:
    first = office.imports(customer(1))
    office.world.now += timedelta(days=91)
    second = office.imports(customer(1))
    assert not office.plan(second).seen
    assert outcomes(office.undo(first).plan) == (1, 0, 0)


def test_undone_twice_there_is_nothing_left(office: Office) -> None:
    run_id = office.imports(customer(1), customer(2))
    assert office.undo(run_id).plan.has_work
    again = office.undo(run_id)
    assert again.backup is None
    assert not again.plan.has_work
    assert again.plan.run.undone_at == office.world.now


def test_an_import_after_the_undo_is_not_taken_back_with_it(office: Office) -> None:
    office.imports(customer(1, Remarks="old"), customer(2))
    first = office.imports(customer(1, Remarks="new"), customer(3))
    office.undo(first)
    office.imports(customer(1, Remarks="new"), customer(3))
    after = snapshot(office.world)
    assert not office.undo(first).plan.has_work
    assert snapshot(office.world) == after


def test_a_walk_in_that_a_loss_file_completed_is_kept(office: Office) -> None:
    walk_in = office.imports(customer(1, Status="Loss", Category=""))
    loss = office.imports(customer(1, Category="Rental"), kind=LOSS)
    assert outcomes(office.undo_as_planned(walk_in)) == (0, 1, 0)
    office.undo(loss)
    assert outcomes(office.undo_as_planned(walk_in)) == (1, 0, 0)
    assert snapshot(office.world) == {}
    assert office.state().records == {}


def test_an_old_lead_is_only_unlinked(office: Office) -> None:
    office.imports(customer(1))
    lead = office.lead(1)
    office.world.app.delete(lead["_id"])
    lead["_id"] = office.world.app.insert({**lead, "_id": "65f0000000000000000000ab"})
    forget_records(office.world)
    before = office.state()
    run_id = office.imports(customer(1, Remarks="news"))
    assert office.lead(1)["remarks"] == "news"
    plan = office.undo_as_planned(run_id)
    assert outcomes(plan) == (1, 0, 0)
    assert office.state().leads == before.leads
    assert office.state().records == before.records


def forget_records(world: World) -> None:
    with world.storage() as storage:
        database = cast(Database, storage)
        lead_ids = {each["leadId"] for each in world.app.all("syncrecords")}
        for entry in database.records_about((), (), lead_ids):
            database.remove_records([entry.record])


def test_a_finished_row_is_forgotten_and_found_again(office: Office) -> None:
    first = office.imports(customer(1))
    lead = office.lead(1)
    office.undo(first)
    office.world.app.add_report(report_of(lead, "flat"))
    before = office.state()
    run_id = office.imports(customer(1))
    assert office.world.recorder.finished[0].counts.reported == 1
    office.undo(run_id)
    assert office.state().records == before.records
    office.imports(customer(1))
    assert office.world.recorder.finished[0].counts.reported == 1


def test_a_pairing_that_the_import_made_is_forgotten(office: Office) -> None:
    office.imports(customer(1))
    finish(office.world.app, office.lead(1), "flat")
    before = office.state()
    run_id = office.imports(customer(1))
    assert office.state().records != before.records
    office.undo(run_id)
    assert office.state().records == before.records


def test_rejects_go_and_come_back_with_the_import(office: Office) -> None:
    office.imports(customer(1), customer(2, Contact="12"))
    before = office.rejects()
    assert len(before) == 1
    run_id = office.imports(customer(1), customer(2), customer(3, Contact="13"))
    assert len(office.rejects()) == 1
    plan = office.undo_as_planned(run_id)
    assert (plan.unlisted, plan.relisted) == (1, 1)
    assert office.rejects() == before


WRONG, RIGHT = "Suitor Guy - MG Road", "Suitor Guy - Calicut"


def test_corrected_rejects_are_taken_back_first_and_then_all_imports_under_the_right_store(
    office: Office,
) -> None:
    rows = [customer(1), customer(2, Contact="12"), customer(3, Contact="13"), customer(4, Contact="14")]
    before = office.state()
    wrong = office.imports(*rows, store=WRONG)
    listed = office.rejects()
    correction = office.corrects({"Customer 2": "9400000002", "Customer 3": "99"})
    (dismissed,) = (each for each in office.rejects().values() if "Customer 4" in each.row)
    office.world.dismiss_rejects(dismissed.reject_id)

    plan = office.plan(wrong)
    assert (plan.corrected, plan.unlisted, plan.forgotten) == ({correction: 1}, 1, 1)
    plan = office.undo_as_planned(correction)
    assert (outcomes(plan), plan.relisted, plan.amended) == ((1, 0, 0), 1, 1)
    assert office.rejects() == {place: each for place, each in listed.items() if "Customer 4" not in each.row}
    plan = office.undo_as_planned(wrong)
    assert (plan.corrected, plan.unlisted, plan.forgotten) == ({}, 2, 1)
    assert_as_undisturbed(office.state(), before)

    office.imports(*rows, store=RIGHT)
    assert {lead["store"] for lead in office.world.app.leads()} == {RIGHT}
    assert len(office.rejects()) == 3


def test_what_was_corrected_stays_answered_until_that_is_taken_back(office: Office) -> None:
    before = office.state()
    wrong = office.imports(customer(1), customer(2, Contact="12"))
    correction = office.corrects({"Customer 2": "9400000002"})
    plan = office.undo_as_planned(wrong)
    assert (outcomes(plan), plan.corrected) == ((1, 0, 0), {correction: 1})
    assert (office.rejects(), office.lead(2)["name"]) == ({}, "Customer 2")
    plan = office.undo_as_planned(correction)
    assert (outcomes(plan), plan.relisted, plan.forgotten) == ((1, 0, 0), 0, 1)
    assert_as_undisturbed(office.state(), before)


def test_a_retry_is_taken_back_too_and_before_the_import_of_its_rows(office: Office) -> None:
    place = "Suitor Guy - Atlantis"
    file = write(office.folder / "walkin.csv", [*customer(1), place], header=[*HEADER, "Store"])
    wrong = office.world.import_files(WALKIN, file).run_id
    with office.world.storage() as storage:
        storage.add_stores([Store(place, "999", "Suitor Guy", "", True)])
    before = office.state()
    office.world.now += timedelta(minutes=1)
    assert office.world.retry_rejects().saved == 1
    with office.world.storage() as storage:
        (retry,) = cast(Database, storage).runs(1)
    assert retry.document["corrected_lines"] == {"fixed": 1, "still_invalid": 0}
    assert office.plan(wrong).corrected == {retry.run_id: 1}
    plan = office.undo_as_planned(retry.run_id)
    assert (outcomes(plan), plan.relisted) == ((1, 0, 0), 1)
    assert_as_undisturbed(office.state(), before)
    assert (office.plan(wrong).corrected, office.plan(wrong).unlisted) == ({}, 1)


def test_a_corrected_reject_that_was_edited_since_is_kept(office: Office) -> None:
    office.imports(customer(2, Contact="12"))
    correction = office.corrects({"Customer 2": "9400000002"})
    office.world.app.edit(office.lead(2)["_id"], remarks="calls back")
    assert outcomes(office.undo_as_planned(correction)) == (0, 1, 0)
    assert office.lead(2)["remarks"] == "calls back"


def test_rejects_that_a_later_file_has_as_well_stay(office: Office) -> None:
    bad = customer(2, Contact="12")
    first = office.imports(customer(1), bad)
    office.imports(customer(4), bad)
    assert office.undo_as_planned(first).unlisted == 0
    assert len(office.rejects()) == 1


def test_a_file_is_not_taken_for_imported_whose_import_was_taken_back_first(office: Office) -> None:
    rows = [customer(1)]
    first = office.imports(*rows)
    second = office.imports(customer(2))
    third = office.imports(customer(3))
    for run_id in (second, first, third):
        office.undo(run_id)
    write(office.file, *rows)
    again = office.world.import_files(WALKIN, office.file, is_import_dir=True)
    assert counts(again)[0] == 1


def test_an_import_without_notes_loses_the_leads_that_it_created(office: Office) -> None:
    office.imports(customer(1, Remarks="old"))
    run_id = office.imports(customer(1, Remarks="new"), *(customer(n) for n in range(2, 5)))
    delete_notes(office.world)
    office.world.app.edit(office.lead(2)["_id"], callStatus="Called")
    office.world.app.delete(office.lead(3)["_id"])
    plan = office.undo_as_planned(run_id)
    assert plan.run.created_only
    assert outcomes(plan) == (1, 1, 1)
    assert {lead["phone"][-1] for lead in office.world.app.leads()} == {"1", "2"}
    assert office.lead(1)["remarks"] == "new"
    assert not office.undo(run_id).plan.has_work


def delete_notes(world: World) -> None:
    if world.url.startswith("sqlite"):
        world.app._database.execute("DELETE FROM syncimports")
    else:
        world.app._database.syncimports.delete_many({})  # type: ignore[union-attr]


def test_only_imports_can_be_taken_back(office: Office) -> None:
    api = office.world.run().run_id
    with pytest.raises(UsageError, match="nothing from a file"):
        office.undo(api)
    with pytest.raises(UsageError, match="No run has an id"):
        office.undo("ffffffff")
    with pytest.raises(UsageError, match="is too short"):
        office.undo(" ")


def test_a_backup_brings_all_leads_back(office: Office) -> None:
    office.imports(customer(1, Remarks="old"))
    run_id = office.imports(customer(1, Remarks="new"), customer(2), customer(3))
    imported = office.state()
    undone = office.undo(run_id)
    result = office.restore(undone.backup)
    assert (result.restored, result.same, result.different) == (3, 0, [])
    assert office.state().leads == imported.leads
    assert office.state().records.keys() == imported.records.keys()
    assert office.restore(undone.backup).same == 3


def test_what_a_backup_has_brought_back_can_be_taken_back_again(office: Office) -> None:
    office.imports(customer(1, Remarks="old"))
    before = office.state()
    run_id = office.imports(customer(1, Remarks="new"), customer(2), customer(3))
    for _ in range(2):
        undone = office.undo(run_id)
        assert office.state().leads == before.leads
        assert office.plan(run_id).run.undone_at is not None
        office.restore(undone.backup)
        plan = office.plan(run_id)
        assert (outcomes(plan), plan.run.undone_at) == ((3, 0, 0), None)
    office.world.app.edit(office.lead(2)["_id"], remarks="calls back")
    assert outcomes(office.undo_as_planned(run_id)) == (2, 1, 0)
    assert office.lead(1)["remarks"] == "old"


def test_a_run_of_both_kinds_is_taken_back_whole(office: Office) -> None:
    """As `all`: the second kind changes leads that the first has created."""
    before = office.state()
    run_id = imported_at_once(office)
    plan = office.undo_as_planned(run_id)
    assert outcomes(plan) == (2, 0, 0)
    assert_as_undisturbed(office.state(), before)


def imported_at_once(office: Office) -> str:
    from syncctl.domain.steps import Trigger
    from syncctl.files.reading import open_file
    from syncctl.services.imports.importing import FileImport, ImportJob
    from syncctl.services.run import Run, RunRequest
    from tests.support.packaged_titles import cells_of

    world = office.world
    write(office.file, customer(1, Status="Loss", Category=""), customer(2))
    write(office.folder / "lossofsale_sg_calicut.csv", customer(1, Category="Rental"))
    with world.storage() as storage:
        request = RunRequest("all", (WALKIN, LOSS), Trigger.MANUAL)
        run = Run(request, storage, world.recorder, world._clock(), world.stop)
        stages = [
            FileImport(
                ImportJob(kind, (office.folder,)),
                partial(open_file, stop=world.stop),
                cells_of,
                world.locations,
            )
            for kind in (WALKIN, LOSS)
        ]
        assert run.execute(stages).ok
    return run.run_id


@pytest.mark.slow
def test_an_import_killed_at_any_write_is_taken_back(office: Office) -> None:
    """Whatever had happened by then; the run is not in the history, but its notes name it."""
    office.imports(customer(0, Remarks="old"), customer(1, Remarks="old"), customer(6, Contact="12"))
    finish(office.world.app, office.lead(1), "flat")
    before, rewind = office.state(), Rewind(office.world.app, office.world.url)
    rows = [customer(0, Remarks="new"), customer(1, Remarks="new"), customer(2), customer(7, Contact="13")]
    watched: list[FailingStorage] = []

    def watch(storage: Storage) -> Any:
        watched.append(FailingStorage(storage, at=0))
        return watched[0]

    office.imports(*rows, wrap=watch)
    moments = [m for m in Moment if m is not Moment.MIDWAY or not office.world.url.startswith("sqlite")]
    ends_at = watched[0].calls.index("add_sync_log")
    for at, moment in itertools.product(range(1, ends_at + 1), moments):
        rewind()
        with pytest.raises(Killed):
            office.imports(*rows, wrap=lambda s, at=at, moment=moment: FailingStorage(s, at, moment=moment))
        with office.world.storage() as storage:
            begun = cast(Database, storage).noted_imports("")
        if len(begun) == 2:  # newest first
            assert office.plan(begun[0].run_id).left == []
            office.undo(begun[0].run_id)
        assert_as_undisturbed(office.state(), before)
    rewind.close()


@pytest.mark.slow
def test_edited_while_it_is_taken_back(office: Office) -> None:
    """Between the look and the write: what was edited stays, and the exit status will tell."""
    office.imports(customer(0, Remarks="old"))
    run_id = office.imports(customer(0, Remarks="new"), customer(1))
    rewind = Rewind(office.world.app, office.world.url)
    calls = watch_calls(office, run_id)
    seen: set[tuple[int, int]] = set()
    for at in range(1, calls + 1):
        rewind()

        def edit() -> None:
            for lead in office.world.app.leads():
                office.world.app.edit(lead["_id"], remarks="edited", callStatus="Called")

        done = office.undo(run_id, partial(InterleavedStorage, at=at, act=edit)).plan
        for lead in office.world.app.leads():  # what is still there, and was edited, is as edited
            if lead["callStatus"] == "Called":
                assert lead["remarks"] == "edited"
        recorded = {str(record["leadId"]) for record in office.world.app.all("syncrecords")}
        assert recorded == snapshot(office.world).keys()
        seen.add((len(done.left), len(office.world.app.leads())))
    assert seen == {(0, 1), (0, 2), (1, 2)}
    rewind.close()


def test_edited_between_a_killed_undo_and_the_next(office: Office) -> None:
    """Its record, gone by then, comes back: without it the next import might make a second lead."""
    run_id = office.imports(customer(1), customer(2))
    before = office.state().records
    with pytest.raises(Killed):
        office.undo(run_id, partial(FailingStorage, at=1, among={"delete_unchanged"}))
    assert office.state().records == {}
    office.world.app.edit(office.lead(1)["_id"], name="Somebody Else")
    edited = office.lead(1)
    assert outcomes(office.undo_as_planned(run_id)) == (1, 1, 0)
    assert snapshot(office.world) == {edited["_id"]: edited}
    assert office.state().records == {edited["_id"]: before[edited["_id"]]}


@pytest.mark.slow
@given(
    st.lists(st.dictionaries(st.integers(0, 2), st.integers(0, 2), min_size=1), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_in_any_order_all_imports_taken_back_leave_nothing(
    office: Office, files: list[dict[int, int]], rng: Random
) -> None:
    """Each file gives some customers a remark; imports are taken back until none has anything left."""
    before = office.state()
    left = [
        office.imports(*(customer(who, Remarks=f"remark {what}") for who, what in file.items()))
        for file in files
    ]
    for _ in range(len(left) ** 2):
        run_id = rng.choice(left)
        office.undo_as_planned(run_id)
    while any(office.undo(run_id).plan.has_work for run_id in reversed(left)):
        pass
    assert_as_undisturbed(office.state(), before)


def watch_calls(office: Office, run_id: str) -> int:
    rewind = Rewind(office.world.app, office.world.url)
    watched: list[InterleavedStorage] = []

    def watch(storage: Storage) -> Any:
        watched.append(InterleavedStorage(storage, 0))
        return watched[0]

    office.undo(run_id, watch)
    rewind()
    rewind.close()
    return len(watched[0].calls)
