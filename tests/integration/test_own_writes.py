"""What syncctl itself writes into a lead is nobody's edit; what a person did there stays one."""

from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.sources import StepName
from syncctl.services.cleanup.cleaning import plan_duplicates
from syncctl.services.cleanup.finished.cleaning import plan_finished
from syncctl.services.explain.explaining import explain
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.storage.registry import open_storage
from tests.integration.test_corrections import FIRST, SECOND, THIRD, Shop
from tests.integration.test_corrections import row as booked
from tests.support.cleanups import LOCATIONS
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.webapp import Lead, report_of
from tests.support.world import World

WALKIN = StepName.WALKIN
HEADER = "Date,Customer Name,Contact,Staff,Status,Category,Remarks"

Written = Callable[[World, Path], Lead]
"""Lets syncctl change a lead that nobody has touched, and gives it."""


def corrected(world: World, _folder: Path) -> Lead:
    shop = Shop(world)
    shop.sync(booked(FIRST))
    assert shop.sync(booked(SECOND)).updated == 1
    return world.app.leads()[0]


def corrected_twice(world: World, folder: Path) -> Lead:
    corrected(world, folder)
    assert Shop(world).sync(booked(THIRD)).updated == 1
    return world.app.leads()[0]


def visit(world: World, folder: Path, kind: StepName, remarks: str, status: str) -> int:
    file = folder / f"{kind}_sg_calicut.csv"
    file.write_text(f"{HEADER}\n14-11-2025,Anu,{FIRST},RAYAN,{status},,{remarks}\n")
    world.now += timedelta(minutes=1)
    return world.import_files(kind, file).steps[0].counts.updated


def imported(world: World, folder: Path) -> Lead:
    visit(world, folder, WALKIN, "wants blue", "New Walkin")
    assert visit(world, folder, WALKIN, "wants red", "New Walkin") == 1
    assert visit(world, folder, WALKIN, "wants green", "New Walkin") == 1
    return world.app.leads()[0]


def filled_by_the_other_kind_of_file(world: World, folder: Path) -> Lead:
    visit(world, folder, WALKIN, "", "Loss")
    assert visit(world, folder, StepName.LOSS_OF_SALE, "too dear", "") == 1
    (lead,) = world.app.leads()
    assert lead["remarks"] == "too dear"
    return lead


WRITES = [corrected, corrected_twice, imported, filled_by_the_other_kind_of_file]


def seen(world: World, lead: Lead) -> tuple[bool, list[str]]:
    """Whether `explain` calls the lead worked on, and the fields that it calls a telecaller's."""
    with closing(open_storage(world.url)) as storage:
        histories = explain(storage, CustomerQuery.from_text(lead["phone"]), LOCATIONS).histories
    # Killed in the midst of a correction there is one story for each number.
    found = [history.lead for history in histories if history.lead and history.lead.lead_id == lead["_id"]]
    assert found
    theirs = [each.field for now in found for each in now.differs if each.changed_by != "source"]
    return any(now.touched for now in found), theirs


def worked_on(world: World) -> dict[str, bool]:
    """Of the leads that `cleanup finished` finds, whether it calls them worked on."""
    with closing(open_storage(world.url)) as storage:
        plan = plan_finished(storage, LOCATIONS, world.now)
    assert not any(found.worked_on for found in plan.finished)
    return {found.lead_id: found.worked_on for found in (*plan.finished, *plan.listed)}


@pytest.mark.parametrize("write", WRITES)
def test_its_own_writes_are_no_edit(world: World, tmp_path: Path, write: Written) -> None:
    lead = write(world, tmp_path)
    assert lead["updatedAt"] > lead["createdAt"]
    assert seen(world, lead) == (False, [])
    world.app.add_report(report_of(lead, "any lead page", {"callStatus": "Connected"}))
    assert worked_on(world) == {lead["_id"]: False}


@pytest.mark.slow
@pytest.mark.parametrize("edit", [{"remarks": "mine"}, {"leadStatus": "Confirmed"}, {"assignedTo": "anu"}])
@pytest.mark.parametrize("write", WRITES)
def test_what_a_person_did_afterwards_is(
    world: World, tmp_path: Path, write: Written, edit: dict[str, str]
) -> None:
    lead = write(world, tmp_path)
    world.app.edit(lead["_id"], **edit, updatedAt=world.now + timedelta(minutes=1))
    assert seen(world, lead)[0]
    world.app.add_report(report_of(lead, "any lead page", {"callStatus": "Connected"}))
    assert worked_on(world) == {lead["_id"]: True}


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_person_did_before_a_correction_is(shop: Shop, times: int) -> None:
    """`updatedAt` has moved by their edit first, by the correction then."""
    shop.sync(booked(FIRST))
    world = shop.world
    world.app.edit(shop.leads[0]["_id"], remarks="mine", updatedAt=world.now + timedelta(seconds=1))
    for number in (SECOND, THIRD)[:times]:
        assert shop.sync(booked(number)).updated == 1
    assert seen(world, shop.leads[0])[0]


def test_what_a_person_did_between_two_corrections_is(shop: Shop) -> None:
    lead = corrected(shop.world, Path())
    shop.world.app.edit(lead["_id"], remarks="mine", updatedAt=shop.world.now + timedelta(seconds=1))
    assert shop.sync(booked(THIRD)).updated == 1
    assert seen(shop.world, shop.leads[0])[0]


def test_what_a_person_did_before_an_import_is(world: World, tmp_path: Path) -> None:
    lead = imported(world, tmp_path)
    world.app.edit(lead["_id"], rating=None, attendedBy="mine", updatedAt=world.now + timedelta(seconds=1))
    assert visit(world, tmp_path, WALKIN, "wants white", "New Walkin") == 1
    assert seen(world, lead)[0]


@pytest.mark.slow
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("write_number", range(1, 6))
def test_killed_at_any_write_of_a_second_correction(shop: Shop, write_number: int, moment: Moment) -> None:
    corrected(shop.world, Path())

    def wrap(storage: Any) -> Any:
        return FailingStorage(storage, write_number, moment=moment)

    with suppress(Killed):
        shop.sync(booked(THIRD), wrap=wrap)
    assert not seen(shop.world, shop.leads[0])[0]
    shop.sync(booked(THIRD))
    (lead,) = shop.leads
    assert lead["phone"] == THIRD
    assert not seen(shop.world, lead)[0]


@pytest.mark.slow
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("write_number", range(1, 6))
def test_killed_at_any_write_of_a_second_import(
    world: World, tmp_path: Path, write_number: int, moment: Moment
) -> None:
    lead = imported(world, tmp_path)
    file = tmp_path / "walkin_sg_calicut.csv"
    file.write_text(f"{HEADER}\n14-11-2025,Anu,{FIRST},RAYAN,New Walkin,,wants white\n")
    world.now += timedelta(minutes=1)
    with suppress(Killed):
        world.import_files(
            WALKIN, file, wrap=lambda storage: FailingStorage(storage, write_number, moment=moment)
        )
    assert not seen(world, lead)[0]
    visit(world, tmp_path, WALKIN, "wants white", "New Walkin")
    (lead,) = world.app.leads()
    assert lead["remarks"] == "wants white"
    assert not seen(world, lead)[0]


def test_a_copy_that_only_syncctl_changed_goes_for_one_that_a_person_edited(shop: Shop) -> None:
    lead = corrected(shop.world, Path())
    copy = shop.world.app.insert({**lead, "_id": "f" * 24, "remarks": "mine", "updatedAt": shop.world.now})
    shop.world.app.edit(copy, remarks="mine", updatedAt=shop.world.now + timedelta(minutes=1))
    with closing(open_storage(shop.world.url)) as storage:
        plan = plan_duplicates(storage, LOCATIONS, ())
    (decision,) = plan.decisions
    assert (decision.kept, decision.removed, decision.why) == (copy, (lead["_id"],), "worked on")


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)
