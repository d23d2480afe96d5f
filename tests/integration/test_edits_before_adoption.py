"""Leads of the old system edited before syncctl was installed: finished ones stay away, the others are
adopted; and its days, which it stored as midnights of India."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from random import Random

import pytest

from syncctl.domain.sources import StepName
from syncctl.ports.admin import Database
from tests.contract.samples import lead, text_id
from tests.support.cleanups import clean
from tests.support.old_system import INDIA, OldSystem
from tests.support.store_files import HEADER, counts, row, write
from tests.support.webapp import Lead, MongoApp, SqliteApp, finish, old_lead, pages_for
from tests.support.world import World

WALKIN = StepName.WALKIN
CALICUT = "Suitor Guy - Calicut"
NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
ZONES = {"UTC": UTC, "India": INDIA}
LEAD_TYPES = ("bookingConfirmation", "return")
OF_FILES = ("phone", "name", "store", "name+store")
OF_API = ("bookingNo", "phone", "name", "store", "phone+name", "bookingNo+phone", "phone+name+store")

Import = Callable[[], tuple[int, int, int, int]]
"""Gives how many leads are new, changed and as they were, and how many rows are in reports."""


def edits(names: str, number: int) -> Lead:
    """What a person makes of these fields."""
    changed = {
        "phone": f"930000000{number}",
        "name": f"Somebody {number}",
        "store": "Zorucci - Kottayam",
        "bookingNo": f"edited-{number}",
    }
    return {name: changed[name] for name in names.split("+")}


@pytest.fixture(params=list(ZONES))
def zone(request: pytest.FixtureRequest) -> tzinfo:
    return ZONES[request.param]


@pytest.fixture
def import_again(world: World, tmp_path: Path, zone: tzinfo) -> Import:
    """A file that the old system imported, in this time zone, to be imported again."""
    visits = [
        row(Date="01-11-2025", Customer_Name=f"Made Up {n}", Contact=f"900000040{n}", Remarks="")
        for n in range(4)
    ]
    file = write(tmp_path / "walkin_sg_calicut.csv", *visits)
    old = OldSystem(world.app, Random(1), {}, zone)  # noqa: S311 - no secret
    old.import_file("walkin", CALICUT, [dict(zip(HEADER, visit, strict=True)) for visit in visits], NOW)
    return lambda: counts(world.import_files(WALKIN, file))[:4]


def edit(world: World, of: Lead, names: str, *, in_the_app: bool, number: int) -> Lead:
    """Edit a lead; by hand in the database, `updatedAt` does not change. Returns the edited lead."""
    changes = {**edits(names, number), "updatedAt": NOW if in_the_app else of["updatedAt"]}
    world.app.edit(of["_id"], **changes)
    return of | changes


@pytest.mark.parametrize("names", OF_FILES)
def test_file_leads_that_were_edited_and_finished_stay_away(
    world: World, import_again: Import, names: str
) -> None:
    """Whichever page they were finished on."""
    for number, page in enumerate(("general page", "loss of sale page", "any lead page")):
        (old,) = world.app.leads(name=f"Made Up {number}")
        finish(world.app, edit(world, old, names, in_the_app=False, number=number), page)
    for _ in range(2):
        saved, updated, existing, reported = import_again()
        assert (saved, updated + existing, reported) == (0, 1, 3)
    assert [each["name"] for each in world.app.leads()] == ["Made Up 3"]


@pytest.mark.parametrize("names", OF_FILES)
def test_file_leads_that_were_edited_are_adopted_and_keep_the_edit(
    world: World, import_again: Import, names: str
) -> None:
    edited = []
    for number in range(2):
        (old,) = world.app.leads(name=f"Made Up {number}")
        edited.append(edit(world, old, names, in_the_app=number == 0, number=number))
    there = {each["_id"] for each in world.app.leads()}
    for _ in range(2):
        saved, updated, existing, reported = import_again()
        assert (saved, updated + existing, reported) == (0, 4, 0)
    leads = {each["_id"]: each for each in world.app.leads()}
    assert leads.keys() == there
    for number, old in enumerate(edited):
        assert leads[old["_id"]].items() >= edits(names, number).items()


@pytest.mark.slow
@pytest.mark.parametrize("names", OF_API)
def test_bookings_and_returns_that_were_edited_and_finished_stay_away(world: World, names: str) -> None:
    for number, old in enumerate(two_of_each_type(world)):
        edited = edit(world, old, names, in_the_app=False, number=number)
        finish(world.app, edited, pages_for(edited)[number % 2])
    there = {each["_id"] for each in world.app.leads()}
    for _ in range(2):
        result = world.run(full=True)
        assert [step.counts.saved for step in result.steps[1:]] == [0, 0]
        assert [step.counts.reported for step in result.steps[1:]] == [2, 2]
        assert {each["_id"] for each in world.app.leads()} == there


@pytest.mark.slow
@pytest.mark.parametrize("names", OF_API)
def test_bookings_and_returns_that_were_edited_are_adopted(world: World, names: str) -> None:
    for number, old in enumerate(two_of_each_type(world)):
        edit(world, old, names, in_the_app=number % 2 == 0, number=number)
    before = {each["_id"]: each for each in world.app.leads()}
    for _ in range(2):
        result = world.run(full=True)
        assert [step.counts.saved for step in result.steps[1:]] == [0, 0]
        assert {each["_id"]: each for each in world.app.leads()} == before


def two_of_each_type(world: World) -> list[Lead]:
    """All that the source has now, imported by the old system; gives four leads of it, with numbers."""
    for expected in world.expected().leads.values():
        world.app.insert(old_lead(expected))
    leads = sorted(
        (each for each in world.app.leads() if each.get("bookingNo")), key=lambda each: each["bookingNo"]
    )
    of_type = ([each for each in leads if each["leadType"] == name] for name in LEAD_TYPES)
    return [each for some in of_type for each in some[:2]]


def test_the_old_systems_midnight_in_india_is_the_next_day(
    world: World, import_again: Import, zone: tzinfo
) -> None:
    hours = {each["createdAt"].hour for each in world.app.leads()}
    assert hours == ({18} if zone is INDIA else {0})
    saved, updated, existing, reported = import_again()
    assert (saved, updated + existing, reported) == (0, 4, 0)


@pytest.mark.parametrize("is_finished", [True, False])
def test_the_day_that_its_date_is_in_utc_is_another_visit(
    world: World, import_again: Import, tmp_path: Path, is_finished: bool
) -> None:
    (first,) = world.app.leads(name="Made Up 1")
    if is_finished:
        finish(world.app, first, "general page")
    visit = row(Date="31-10-2025", Customer_Name="Made Up 1", Contact="9000000401", Remarks="")
    (tmp_path / "day before").mkdir()
    day_before = write(tmp_path / "day before" / "walkin_sg_calicut.csv", visit)
    assert counts(world.import_files(WALKIN, day_before))[:4] == (1, 0, 0, 0)
    saved, _, _, reported = import_again()
    assert (saved, reported) == (0, int(is_finished))


def test_a_midnight_of_indias_and_one_of_utcs_are_duplicates(
    database: Database, app: MongoApp | SqliteApp, folder: Path
) -> None:
    """The old system had imported a file twice, on two machines."""
    midnight = datetime(2025, 11, 1, tzinfo=UTC)
    visit = {"leadType": "general", "source": "Walk-in", "name": "Made Up One", "phone": "9000000401"}
    for number, moment in enumerate((midnight, midnight - timedelta(hours=5, minutes=30)), start=1):
        dates = dict.fromkeys(("createdAt", "updatedAt", "enquiryDate"), moment)
        copy = {**lead(1, **visit, **dates), "_id": text_id(number)}
        del copy["bookingNo"]
        app.insert(copy)
    assert clean(database, folder).deleted == 1
    assert len(app.leads()) == 1
