"""Reports that ignore the location id, or answer only an empty one: each row's own location decides."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from syncctl.domain.dialects import LocationIds
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import StorageError
from syncctl.locations import Locations, load_locations
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.checks.progress import report_progress
from syncctl.services.sync.answer_rows import UNKNOWN_SHOP
from syncctl.storage.registry import open_storage
from tests.integration.conftest import TODAY
from tests.support.completeness import assert_nothing_found, look, lose_lead, numbered, repair, totals
from tests.support.failing_storage import FailingStorage
from tests.support.oracle import key_of
from tests.support.shared_reports import SharedReports
from tests.support.world import World

REPORTS = (StepName.BOOKING, StepName.RETURN)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=4, bookings=20, today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture
def reports(world: World, sandbox: Sandbox) -> Iterator[SharedReports]:
    reports = SharedReports(sandbox)
    with reports.served_to(world):
        yield reports


def run(world: World, **options: Any) -> RunResult:
    """The next ordinary run; every row of it is accounted for."""
    world.now += timedelta(minutes=5)
    result = world.run(**options)
    assert all(step.counts.balanced for step in result.steps)
    return result


def ids_known(world: World) -> dict[StepName, LocationIds]:
    with world.storage() as storage:
        return {report: dialect.ids for report, dialect in storage.dialects().items()}


def assert_all_in_their_shops(world: World, reports: SharedReports) -> None:
    expected = reports.expected(world).leads
    leads = world.app.leads()
    assert {key_of(lead) for lead in leads} == set(expected)
    assert len(leads) == len(expected)
    for lead in leads:
        assert lead["store"] == expected[key_of(lead)]["store"]


def id_warning(world: World) -> str:
    (warning,) = world.recorder.warnings
    return warning


def test_where_ids_are_honoured_nothing_is_said(world: World, reports: SharedReports) -> None:
    for _ in range(2):
        assert run(world).ok
        assert world.recorder.warnings == []
        assert_all_in_their_shops(world, reports)
    assert ids_known(world) == {}
    assert "" not in {location for _, location in reports.asked}


@pytest.mark.slow
def test_all_shops_in_every_answer(world: World, reports: SharedReports) -> None:
    reports.answer = reports.of_all
    first = run(world)
    assert first.ok
    assert_all_in_their_shops(world, reports)
    assert first.steps[1].counts.existing > first.steps[1].counts.saved
    assert [step.changed for step in first.steps] == [0, 0, 0]
    warning = id_warning(world)
    assert warning.startswith("The booking and return reports ignore the location id")
    assert "gave rows of several shops" in warning
    assert ids_known(world) == dict.fromkeys(REPORTS, LocationIds.IGNORED)
    again = run(world)
    assert [(step.counts.saved, step.changed) for step in again.steps] == [(0, 0)] * 3
    assert "First seen" not in id_warning(world)
    assert_nothing_found(look(world))


@pytest.mark.slow
def test_what_is_remembered_holds_for_the_first_rows_of_the_next_run(
    world: World, reports: SharedReports
) -> None:
    """Only one booking, so that no answer shows by itself that it is not of its own shop."""
    reports.answer = reports.of_all
    run(world)
    row = replace_number(reports.rows["booking"]["701"][0], "2026031070100099")
    reports.rows = {api: {"701": [row]} for api in reports.rows}
    run(world)
    (lead,) = [lead for lead in world.app.leads() if lead.get("bookingNo") == row["bookingNo"]]
    assert lead["store"] == "Suitor Guy - Kottayam"


def replace_number(row: dict[str, Any], number: str) -> dict[str, Any]:
    return row | {"bookingNo": number, "returnDate": None}


def test_each_report_is_judged_by_itself(world: World, reports: SharedReports) -> None:
    reports.answer = lambda api, location: (
        reports.of_all(api, location) if api == "return" else reports.of_its_own(api, location)
    )
    run(world)
    assert_all_in_their_shops(world, reports)
    assert "booking report" not in id_warning(world)
    assert ids_known(world) == {StepName.RETURN: LocationIds.IGNORED}


@pytest.mark.slow
def test_the_same_bookings_under_ids_of_different_shops(world: World, reports: SharedReports) -> None:
    """Only one shop has any: that its bookings come for other ids as well is seen at the second answer."""
    world.synced = load_locations()
    world.config = world.config._replace(concurrency=1)
    reports.rows = {api: {"701": shops["701"]} for api, shops in reports.rows.items()}
    reports.answer = reports.of_all
    result = run(world, steps=(StepName.BOOKING,))
    warning = id_warning(world)
    assert "First seen in this run (booking: locations 1 and 3, which are different shops" in warning
    before = result.steps[0].locations[0].counts.saved
    assert f"{before} leads were stored under the store of the id before that was noticed" in warning
    misplaced = [lead for lead in numbered(world) if lead["store"] != "Suitor Guy - Kottayam"]
    assert result.steps[0].changed == len(misplaced) > 0
    # Told by the number, each booking is one lead; the check lists those that stand under another store.
    assert len(numbered(world)) == len({key_of(lead) for lead in numbered(world)})
    found = look(world)
    wrong = {
        entry.subject.booking_no
        for place in found.locations
        for entry in place.differences
        if entry.field.field == "store"
    }
    assert wrong == {lead["bookingNo"] for lead in misplaced}
    again = run(world, steps=(StepName.BOOKING,))
    assert (again.steps[0].counts.saved, again.steps[0].changed) == (0, 0)


@pytest.mark.slow
def test_ids_that_are_honoured_again(world: World, reports: SharedReports) -> None:
    reports.answer = reports.of_all
    run(world)
    reports.answer = reports.of_its_own
    run(world)
    assert ids_known(world) == dict.fromkeys(REPORTS, LocationIds.HONOURED)
    assert world.recorder.warnings == []
    assert_all_in_their_shops(world, reports)


def test_a_row_that_names_no_known_shop_is_listed_once(world: World, reports: SharedReports) -> None:
    reports.answer = reports.of_all
    lost = replace_number(reports.rows["booking"]["701"][0], "2026031070100099") | {"location": "Atlantis"}
    for shops in reports.rows.values():
        shops["701"].append(lost)
    run(world)
    with world.storage() as storage:
        listed = [each for each in storage.rejects() if each.reason == UNKNOWN_SHOP]
    assert [(each.location, each.store) for each in listed] == [("all locations", "")]
    assert_nothing_found(look(world, locations=("7",)))
    # As soon as the table knows the place, a retry stores it, under its own shop.
    places = {**world.locations.places, "atlantis": "Calicut"}
    known = Locations(world.locations.by_code, world.locations.brands, places)
    assert world.retry_rejects(known).saved == 1
    (lead,) = [lead for lead in world.app.leads() if lead.get("bookingNo") == lost["bookingNo"]]
    assert lead["store"] == "Suitor Guy - Calicut"


def test_rejects_of_before_it_was_seen_are_replaced(world: World, reports: SharedReports) -> None:
    run(world)
    with world.storage() as storage:
        before = {each.position for each in storage.rejects("booking")}
    assert before
    for answer in (reports.of_all, reports.of_its_own):
        reports.answer = answer
        run(world)
        run(world)
        with world.storage() as storage:
            listed = Counter(each.position for each in storage.rejects("booking"))
        assert listed == Counter(before)


@pytest.mark.slow
def test_a_repair_stores_what_is_missing_under_its_own_shop(world: World, reports: SharedReports) -> None:
    reports.answer = reports.of_all
    run(world)
    lead = next(lead for lead in numbered(world) if lead["store"] == "Zorucci - Edappally")
    lose_lead(world, lead)
    assert totals(look(world)).missing == 1
    assert repair(world).ok
    assert_all_in_their_shops(world, reports)
    assert_nothing_found(look(world))


def test_only_an_empty_id_is_answered(world: World, reports: SharedReports) -> None:
    reports.answer = reports.only_without_id
    first = run(world)
    assert first.ok
    assert_all_in_their_shops(world, reports)
    warning = id_warning(world)
    assert warning.startswith("The booking and return reports have nothing for any location id, only for an")
    assert ids_known(world) == dict.fromkeys(REPORTS, LocationIds.EMPTY)
    for step in first.steps[1:]:
        asked = [location for api, location in reports.asked if api == step.name]
        assert asked.count("") == 1
        assert (step.total, step.locations[-1].location) == (len(asked), "")
    reports.asked.clear()
    row = replace_number(reports.rows["booking"]["701"][0], "2026031070100099")
    for shops in reports.rows.values():
        shops["701"].append(row)
    again = run(world)
    assert sorted(reports.asked) == [("booking", ""), ("return", "")]
    assert [step.counts.saved for step in again.steps] == [0, 1, 0]
    assert [(step.total, step.processed) for step in again.steps[1:]] == [(1, 1)] * 2
    assert "First seen" not in id_warning(world)
    assert_all_in_their_shops(world, reports)
    found = look(world)
    assert_nothing_found(found)
    assert totals(found).rows == sum(step.counts.rows for step in again.steps[1:])


def test_where_only_an_empty_id_is_answered_the_others_are_not_late(
    world: World, reports: SharedReports
) -> None:
    reports.answer = reports.only_without_id
    run(world)
    world.now += timedelta(days=9)
    run(world)
    database = open_storage(world.url, for_reading_only=True)
    progress = report_progress(database, world.locations)
    database.close()
    for report in REPORTS:
        assert [state.location for state in progress[report].active] == [""]
        assert progress[report].reached(world.now) == world.now


def test_a_change_at_the_source_is_seen_whichever_id_told_of_it_first(
    world: World, reports: SharedReports
) -> None:
    run(world)
    reports.answer = lambda api, location: reports.of_all(api, location) if not location else []
    row = next(row for row in reports.rows["booking"]["701"] if row.get("bookingNo"))
    for shops in reports.rows.values():
        for each in shops["701"]:
            if each.get("bookingNo") == row["bookingNo"]:
                each["customerName"] = "Corrected"
    result = run(world, full=True)
    assert result.steps[1].changed == 1
    assert [step.counts.saved for step in result.steps] == [0, 0, 0]


def test_an_id_that_has_rows_again_is_believed(world: World, reports: SharedReports) -> None:
    reports.answer = reports.only_without_id
    run(world)
    reports.answer = reports.of_its_own
    run(world, full=True)
    assert ids_known(world) == dict.fromkeys(REPORTS, LocationIds.HONOURED)
    reports.asked.clear()
    run(world)
    assert ("booking", "701") in reports.asked
    assert_all_in_their_shops(world, reports)


def test_chosen_locations_are_asked_as_they_were_chosen(world: World, reports: SharedReports) -> None:
    reports.answer = reports.only_without_id
    assert run(world, locations=("7",)).ok
    assert {location for _, location in reports.asked} == {"7"}
    run(world)
    reports.asked.clear()
    run(world, locations=("7", "144"))
    assert {location for _, location in reports.asked} == {"7", "144"}


@pytest.mark.slow
@pytest.mark.parametrize("empty", [None, []])
def test_where_an_empty_id_brings_nothing_either(world: World, reports: SharedReports, empty: Any) -> None:
    reports.answer = lambda api, location: [] if location else empty
    for _ in range(2):
        result = run(world)
        assert result.ok
        assert [step.status for step in result.steps] == [StepStatus.SUCCESS] * 3
        assert [location for _, location in reports.asked].count("") == 2
        reports.asked.clear()
        warnings = world.recorder.warnings
        assert sum("asking with an empty location id failed" in each for each in warnings) == (
            2 if empty is None else 0
        )
        assert sum("No location has anything in its booking report" in each for each in warnings) == (
            2 if empty is None else 1
        )
    assert ids_known(world) == {}


def test_where_a_location_failed_an_empty_id_is_not_asked(world: World, reports: SharedReports) -> None:
    reports.answer = lambda api, location: None if location == "7" else []
    assert not run(world).ok
    assert "" not in {location for _, location in reports.asked}


def test_the_call_with_an_empty_id_waits_for_a_lane(world: World, reports: SharedReports) -> None:
    """It is not one call more at the same time: the other report's calls come first."""
    reports.answer = reports.only_without_id
    run(world)
    without = [number for number, (_, location) in enumerate(reports.asked) if not location]
    assert len(reports.asked) == without[-1] + 1 == without[0] + 2


@pytest.mark.slow
def test_a_dry_run_keeps_nothing_and_tells_the_same(world: World, reports: SharedReports) -> None:
    for answer in (reports.of_all, reports.only_without_id):
        reports.answer = answer
        assert run(world, dry_run=True).ok
        assert id_warning(world)
        assert ids_known(world) == {}
        assert world.app.leads() == []


@pytest.mark.slow
def test_a_database_that_refuses_to_remember_is_a_warning(world: World, reports: SharedReports) -> None:
    reports.answer = reports.of_all

    def refusing_once(storage: Storage) -> Any:
        return FailingStorage(storage, 1, lambda: StorageError("full"), among=("save_dialect",))

    assert run(world, wrap=refusing_once).ok
    assert_all_in_their_shops(world, reports)
    assert sum("could not be saved" in each for each in world.recorder.warnings) == 1
    assert list(ids_known(world).values()) == [LocationIds.IGNORED]


def test_how_rows_name_another_store_than_the_table_is_kept(world: World, reports: SharedReports) -> None:
    for rows in reports.rows["booking"].values():
        for row in rows:
            row["location"] = row["location"].replace("Z- Edapally", "Z.Kollam")
    run(world)
    with world.storage() as storage:
        assert storage.dialects()[StepName.BOOKING].spellings == (("144", "Z.Kollam"),)
        assert StepName.RETURN not in storage.dialects()
    assert {lead["store"] for lead in world.app.leads()} >= {"Zorucci - Edappally"}
