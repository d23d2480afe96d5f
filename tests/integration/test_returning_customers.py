"""Returning customers: a finished lead suppresses its own row, and no other visit, booking or customer."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncctl.domain.sources import StepName
from tests.support.old_system import INDIA, OldSystem
from tests.support.report_links import linked_reports
from tests.support.store_files import HEADER, counts, row, write
from tests.support.webapp import Lead, finish
from tests.support.world import World

WALKIN, LOSS = StepName.WALKIN, StepName.LOSS_OF_SALE
CALICUT, EDAPPALLY = "Suitor Guy - Calicut", "Zorucci - Edappally"
PLACES = {CALICUT: "sg_calicut", EDAPPALLY: "z_edappally"}
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
GENERAL_PAGES = ("general page", "any lead page", "loss of sale page")
WHO = {"Customer_Name": "Made Up One", "Contact": "9000000401"}

Import = Callable[..., tuple[int, int]]
Bring = Callable[..., list[Lead]]


@pytest.fixture
def imported(world: World, tmp_path: Path) -> Import:
    """Imports rows of a shop's file. Gives how many leads are new and how many rows are in reports."""
    world.now = NOW

    def do(*rows: list[str], kind: StepName = WALKIN, store: str = CALICUT) -> tuple[int, int]:
        file = write(tmp_path / f"{kind}_{PLACES[store]}.csv", *rows)
        saved, updated, existing, reported, merged, invalid = counts(world.import_files(kind, file))
        assert (merged, invalid) == (0, 0)
        assert saved + updated + existing + reported == len(rows)
        return saved, reported

    return do


def old_system_leads(world: World, zone: tzinfo, visits: Sequence[list[str]], kind: StepName) -> list[Lead]:
    """The leads that the old system makes of these visits."""
    old = OldSystem(world.app, Random(1), {}, zone)  # noqa: S311 - no secret
    leads = old.import_file(kind, CALICUT, [dict(zip(HEADER, visit, strict=True)) for visit in visits], NOW)
    return [lead for lead in leads if lead is not None]


@pytest.fixture(params=[UTC, INDIA], ids=["old system in UTC", "old system in India"])
def bring_by_old_system(request: pytest.FixtureRequest, world: World) -> Bring:
    """Lets the old system import the first visits; gives their leads."""
    return lambda *visits, kind=WALKIN: old_system_leads(world, request.param, visits, kind)


@pytest.fixture(params=[None, UTC, INDIA], ids=["syncctl", "old system in UTC", "old system in India"])
def bring(request: pytest.FixtureRequest, world: World, imported: Import) -> Bring:
    """Lets the first visits come into the database in every way that there is; gives their leads."""

    def do(*visits: list[str], kind: StepName = WALKIN) -> list[Lead]:
        if request.param is not None:
            return old_system_leads(world, request.param, visits, kind)
        assert imported(*visits, kind=kind) == (len(visits), 0)
        leads = {(lead["name"], lead["phone"]): lead for lead in world.app.leads()}
        return [leads[visit[1], visit[2]] for visit in visits]

    return do


def customer(number: int) -> dict[str, str]:
    return {"Customer_Name": f"Made Up {number}", "Contact": f"91{number:08}"}


def days(world: World) -> set[str]:
    """Of whom there are leads: names and days, those of India's midnight as their own."""
    return {f"{lead['name']} {_day(lead['enquiryDate'])}" for lead in world.app.leads()}


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(INDIA) if moment.hour == 18 else moment:%d-%m-%Y}"


def test_the_next_visit_after_a_finished_one_is_a_new_lead(
    world: World, bring: Bring, imported: Import
) -> None:
    """Whichever page it was finished on."""
    people = [customer(number) for number in range(len(GENERAL_PAGES))]
    first, again = ([row(Date=date, **who) for who in people] for date in ("10-10-2026", "12-11-2026"))
    for lead, page in zip(bring(*first), GENERAL_PAGES, strict=True):
        finish(world.app, lead, page)
    assert imported(*again) == (len(people), 0)
    assert imported(*first, *again) == (0, len(people))
    assert days(world) == {f"{who['Customer_Name']} 12-11-2026" for who in people}


def test_of_three_losses_the_finished_one_stays_away_and_the_others_come(
    world: World, bring: Bring, imported: Import
) -> None:
    first, *others = (row(Date=f"0{day}-11-2026", Status="Loss", **WHO) for day in (1, 5, 9))
    finish(world.app, bring(first, kind=LOSS)[0], "loss of sale page")
    assert imported(first, *others, kind=LOSS) == (2, 1)
    assert imported(first, *others, kind=LOSS) == (0, 1)
    assert days(world) == {"Made Up One 05-11-2026", "Made Up One 09-11-2026"}


def test_the_finished_one_is_known_by_its_day_wherever_it_stands_in_the_file(
    world: World, bring: Bring, imported: Import
) -> None:
    losses = [row(Date=f"0{day}-11-2026", Status="Loss", **WHO) for day in (1, 5, 9)]
    finish(world.app, bring(losses[1], kind=LOSS)[0], "any lead page")
    assert imported(*losses, kind=LOSS) == (2, 1)
    assert days(world) == {"Made Up One 01-11-2026", "Made Up One 09-11-2026"}


def test_a_visit_to_another_store_is_a_new_lead(world: World, bring: Bring, imported: Import) -> None:
    finish(world.app, bring(row(Date="10-10-2026", **WHO))[0], "general page")
    assert imported(row(Date="11-10-2026", **WHO), store=EDAPPALLY) == (1, 0)
    assert {lead["store"] for lead in world.app.leads()} == {EDAPPALLY}


def test_two_stores_on_one_day_are_two_visits(world: World, imported: Import) -> None:
    """A report is that of one record: it is the first store's, which the sync has seen finished."""
    visit = row(Date="10-10-2026", **WHO)
    imported(visit)
    finish(world.app, world.app.leads()[0], "general page")
    assert imported(visit) == (0, 1)
    assert imported(visit, store=EDAPPALLY) == (1, 0)


@pytest.mark.parametrize("day", ["10-10-2026", "12-11-2026"])
@pytest.mark.parametrize("lead_type", ["general", "justDial"])
def test_a_lead_typed_in_by_hand_and_finished_keeps_no_visit_out(
    world: World, imported: Import, lead_type: str, day: str
) -> None:
    typed: dict[str, Any] = {
        "leadType": lead_type,
        "name": WHO["Customer_Name"],
        "phone": WHO["Contact"],
        "store": CALICUT,
        "source": "Walk-in",
        "followUpFlag": False,
        "assignedTo": None,
        "createdAt": datetime(2026, 10, 10, 11, 22, 33, 444000, tzinfo=UTC),
        "updatedAt": datetime(2026, 10, 10, 11, 22, 33, 444000, tzinfo=UTC),
    }
    world.app.insert(typed)
    finish(world.app, world.app.leads()[0], "any lead page")
    assert imported(row(Date=day, **WHO)) == (1, 0)
    assert imported(row(Date=day, **WHO)) == (0, 0)


def test_each_report_finishes_one_record_and_is_kept_in_it(
    world: World, bring: Bring, imported: Import
) -> None:
    """Two visits finished, the second one first; the third comes: it finds no report that is free."""
    visits = [row(Date=f"{day}-10-2026", **WHO) for day in (10, 11)]
    (first,) = bring(visits[0])
    imported(visits[1])
    second = next(lead for lead in world.app.leads() if lead["_id"] != first["_id"])
    reports = {
        finish(world.app, second, "general page"): "11-10-2026",
        finish(world.app, first, "loss of sale page"): "10-10-2026",
    }
    third = row(Date="12-10-2026", **WHO)
    for expected in ((1, 2), (0, 2)):
        assert imported(third, *visits) == expected
        kept = {
            report_id: [_day(values["enquiryDate"]) for values in records]
            for report_id, records in linked_reports(world.app).items()
        }
        assert kept == {report_id: [day] for report_id, day in reports.items()}


def test_a_report_that_one_record_keeps_is_no_other_rows(
    world: World, bring: Bring, imported: Import
) -> None:
    """Somebody of the family comes with the same number, on the same day, in a later file."""
    visit = row(Date="10-10-2026", **WHO)
    finish(world.app, bring(visit)[0], "general page")
    assert imported(visit) == (0, 1)
    assert imported(row(Date="10-10-2026", Contact=WHO["Contact"], Customer_Name="Made Up Two")) == (1, 0)


def test_of_a_family_with_one_number_the_one_who_agrees_most_is_finished(
    world: World, bring: Bring, imported: Import
) -> None:
    one = row(Date="10-10-2026", **WHO)
    other = row(Date="10-10-2026", Contact=WHO["Contact"], Customer_Name="Made Up Two")
    finish(world.app, bring(one)[0], "general page")
    assert imported(other, one) == (1, 1)
    assert days(world) == {"Made Up Two 10-10-2026"}


def test_where_nothing_tells_which_of_two_was_finished_both_are_imported(
    world: World, bring_by_old_system: Bring, imported: Import
) -> None:
    """Two of one name at one store on one day; the number of the one who was finished had been edited."""
    one, other = (
        row(Date="10-10-2026", Customer_Name="Made Up One", Contact=f"900000040{n}") for n in (1, 2)
    )
    (lead,) = bring_by_old_system(one)
    world.app.edit(lead["_id"], phone="9300000000")
    finish(world.app, lead | {"phone": "9300000000"}, "general page")
    assert imported(one, other) == (2, 0)
    assert imported(one, other) == (0, 0)


def test_a_store_and_a_day_are_nobody(world: World, bring: Bring, imported: Import) -> None:
    people = [customer(number) for number in range(2 * len(GENERAL_PAGES))]
    finished, others = ([row(Date="10-10-2026", **who) for who in people[some::2]] for some in (0, 1))
    for lead, page in zip(bring(*finished), GENERAL_PAGES, strict=True):
        finish(world.app, lead, page)
    assert imported(*others) == (len(others), 0)


def test_what_was_edited_beyond_recognition_is_imported_again(
    world: World, bring_by_old_system: Bring, imported: Import
) -> None:
    visit = row(Date="10-10-2026", **WHO)
    (lead,) = bring_by_old_system(visit)
    edits = {"phone": "9300000000", "name": "Somebody Else"}
    world.app.edit(lead["_id"], **edits)
    finish(world.app, lead | edits, "general page")
    assert imported(visit) == (1, 0)


def test_another_kind_of_lead_is_not_finished_by_it(world: World, bring: Bring, imported: Import) -> None:
    finish(world.app, bring(row(Date="10-10-2026", Status="Booked", **WHO))[0], "general page")
    assert imported(row(Date="10-10-2026", Status="Loss", **WHO)) == (1, 0)


def test_the_loss_of_sale_page_finishes_a_general_lead_and_its_row_stays_away(
    world: World, bring: Bring, imported: Import
) -> None:
    visit = row(Date="10-10-2026", Status="New Walkin", **WHO)
    finish(world.app, bring(visit)[0], "loss of sale page")
    (report,) = world.app.reports()
    assert (report["lead_type"], report["lead_type_before"]) == ("lossOfSale", "general")
    for _ in range(2):
        assert imported(visit) == (0, 1)
    assert world.app.leads() == []
