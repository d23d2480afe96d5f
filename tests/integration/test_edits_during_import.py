"""A telecaller edits, finishes or deletes a legacy lead while an import links it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.sources import StepName
from tests.support.cleanups import InterleavedDatabase
from tests.support.failing_storage import Killed
from tests.support.store_files import forget, row, snapshot, write
from tests.support.webapp import Lead, finish, old_lead
from tests.support.world import World

WALKIN = StepName.WALKIN
OTHER = ("Somebody Else", "Zorucci - Kottayam")
EDIT = {
    "phone": "9111111111",
    "name": OTHER[0],
    "store": OTHER[1],
    "updatedAt": datetime(2031, 1, 1, tzinfo=UTC),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "walkin_sg_calicut.csv", row(Remarks="old"))


@pytest.fixture
def old(world: World, file: Path) -> Lead:
    """A legacy lead from the file, whose row has changed since."""
    world.import_files(WALKIN, file)
    lead = world.app.leads()[0]
    world.app.delete(lead["_id"])
    forget(world)
    write(file, row(Remarks="new", Status="Trial"))
    return {**lead, "_id": world.app.insert(old_lead(lead))}


def import_while(world: World, file: Path, method: str, act: Callable[[], Any]) -> None:
    """Import, calling `act` before the first call of a method; then import again undisturbed."""
    storages: list[InterleavedDatabase] = []

    def wrap(storage: Any) -> Any:
        storages.append(InterleavedDatabase(storage, method, act))
        return storages[0]

    assert world.import_files(WALKIN, file, wrap=wrap).ok
    assert storages[0].has_acted
    assert world.import_files(WALKIN, file).ok


@pytest.mark.parametrize("method", ["leads", "update_leads"])
def test_a_lead_that_is_deleted_or_finished_meanwhile_never_comes_back(
    world: World, file: Path, old: Lead, method: str
) -> None:
    import_while(world, file, method, lambda: world.app.delete(old["_id"]))
    assert world.app.leads() == []
    old["_id"] = world.app.insert(old_lead(old))
    forget(world)

    def edit_and_finish() -> None:
        world.app.edit(old["_id"], **EDIT)
        finish(world.app, {**old, **EDIT}, "leadSnapshot")

    import_while(world, file, method, edit_and_finish)
    assert world.app.leads() == []


def test_a_lead_that_is_edited_after_an_import_was_killed_is_found_again(
    world: World, file: Path, old: Lead
) -> None:
    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        import_while(world, file, "update_records", kill)
    world.app.edit(old["_id"], **EDIT)
    assert world.import_files(WALKIN, file).ok
    assert [lead["name"] for lead in world.app.leads()] == [EDIT["name"]]


@pytest.mark.parametrize("touched", [False, True])
def test_a_lead_that_is_edited_meanwhile_is_kept_and_gets_the_news(
    world: World, file: Path, old: Lead, touched: bool
) -> None:
    if touched:
        world.app.edit(old["_id"], callStatus="Connected", closingStatus="Mine", remarks="")
    import_while(world, file, "update_leads", lambda: world.app.edit(old["_id"], **EDIT))
    lead = snapshot(world).pop(old["_id"])
    assert len(world.app.leads()) == 1
    assert [lead[field] for field in ("phone", "name", "store")] == [EDIT["phone"], *OTHER]
    assert lead["remarks"] == "new"
    assert lead["closingStatus"] == ("Mine" if touched else "Trial")
