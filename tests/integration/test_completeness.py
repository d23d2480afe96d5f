"""`verify source`: proves that everything in the API is in the database, or says what is missing."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from syncctl.domain.identity import fingerprint, source_record
from syncctl.domain.leads import new_lead
from syncctl.domain.records import SyncRecord
from syncctl.domain.sources import REPORT_STEPS as REPORTS
from syncctl.domain.sources import StepName
from syncctl.errors import StorageUnavailableError, UsageError
from syncctl.locations import load_locations
from syncctl.mapping.api_rows import RowDates, report_values
from syncctl.ports.admin import Database
from syncctl.sandbox import Fault, Sandbox
from syncctl.services.reconcile.results import ChangedBy
from tests.support.completeness import (
    assert_nothing_found,
    content,
    look,
    lose_lead,
    numbered,
    repair,
    totals,
)
from tests.support.oracle import source_value
from tests.support.webapp import SHAPES, finish, old_lead
from tests.support.world import World


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=3, bookings=30, today=date(2026, 3, 11)) as sandbox:
        yield sandbox


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database makes no difference."""


def test_a_healthy_database_is_found_so_and_left_alone(world: World, sandbox: Sandbox) -> None:
    world.run()
    before = content(world)
    found = look(world)
    assert_nothing_found(found)
    assert content(world) == before
    counts = totals(found)
    assert counts.rows == sum(len(sandbox.rows(report)) for report in REPORTS)
    assert counts.in_leads == len(world.app.leads())
    assert min(counts.merged, counts.not_due, counts.rejected) > 0


@pytest.mark.slow
@on_sqlite
def test_rows_of_other_kinds_are_neither_missing_nor_invalid(world: World, sandbox: Sandbox) -> None:
    world.run()
    before = totals(look(world))
    sandbox.add_rows(
        sandbox.locations[0],
        [
            {"bookingNo": "4711", "customerName": "Anagha", "phoneNo": "9000000001", "bookingDate": None},
            {"bookingDate": "0001-01-01T00:00:00", "returnDate": "1900-01-01T00:00:00"},
        ],
    )
    found = look(world)
    assert_nothing_found(found)
    assert totals(found).not_due == before.not_due + 4


@on_sqlite
def test_a_price_of_nothing_that_was_stored_as_an_amount_is_no_news(world: World, sandbox: Sandbox) -> None:
    """Versions before took a price of 0 for an amount."""
    location, booking = sandbox.locations[0], (StepName.BOOKING,)
    row = {
        "bookingNo": "4711",
        "customerName": "Anagha",
        "phoneNo": "9000000001",
        "bookingDate": f"{sandbox.today}T10:00:00",
        "price": 0,
    }
    sandbox.add_rows(location, [row])
    values = report_values(StepName.BOOKING, row, load_locations().by_code[location], RowDates(UTC))
    assert values is not None
    record = source_record({**values, "securityAmount": 0})
    stored = SyncRecord(
        record_id=record.lead_id,
        key=record.key,
        lead_id=record.lead_id,
        source="booking",
        location=location,
        values=record.values,
        fingerprint=fingerprint(record.values),
        first_seen_at=world.now,
        first_run_id="run 1",
    )
    with world.storage() as storage:
        storage.store_leads([new_lead(record, world.now)], [stored])
    assert world.run(booking, full=True).steps[0].changed == 0
    (lead,) = [lead for lead in world.app.leads() if lead.get("bookingNo") == "4711"]
    assert lead["securityAmount"] == 0
    assert not any(location.differences for location in look(world).locations)


def test_what_people_do_to_leads_is_no_loss(world: World) -> None:
    world.run()
    leads = numbered(world)
    finished, leads = leads[: 2 * len(SHAPES)], leads[2 * len(SHAPES) :]
    for number, (lead, shape) in enumerate(zip(finished, [*SHAPES, *SHAPES], strict=True)):
        finish(world.app, lead, shape, **({"phone": "9999999999"} if number >= len(SHAPES) else {}))
    for lead in leads[:3]:
        world.app.delete(lead["_id"])
    world.app.edit(leads[3]["_id"], phone="9999999998", name="Someone Else")
    world.app.edit(leads[4]["_id"], bookingNo="2", store="Zorucci - Edappal")
    world.app.edit(leads[5]["_id"], callStatus="Connected", remarks="comes on Friday")
    world.app.edit(leads[6]["_id"], functionDate=datetime(2030, 1, 1, tzinfo=UTC))
    found = look(world)
    assert_nothing_found(found)
    counts = totals(found)
    assert (counts.in_reports, counts.deleted, counts.edited_away) == (len(finished), 3, 2)


@pytest.mark.slow
def test_leads_of_the_old_system_are_found_before_and_after_the_sync_makes_them_its_own(
    world: World,
) -> None:
    for lead in world.expected().leads.values():
        world.app.insert(old_lead(lead))
    edited = numbered(world)[0]
    world.app.edit(edited["_id"], phone="9999999998")
    found = look(world)
    assert sum(len(location.missing) for location in found.locations) == totals(found).unlisted
    assert totals(found).edited_away == 1
    world.run()
    assert_nothing_found(look(world))


@pytest.mark.slow
@on_sqlite
def test_an_old_lead_is_one_records_only_in_the_check_as_in_the_sync(world: World, sandbox: Sandbox) -> None:
    """Two locations tell a booking number under two phones, and one edited lead of the old system has it."""
    row = {"bookingNo": "4716", "customerName": "Anagha", "bookingDate": f"{sandbox.today}T10:00:00"}
    for location, phone in zip(sandbox.locations, ("9000000005", "9000000006"), strict=False):
        sandbox.add_rows(location, [{**row, "phoneNo": phone}])
    world.run()
    first, second = (lead for lead in world.app.leads() if lead.get("bookingNo") == "4716")
    lose_lead(world, first)
    lose_lead(world, second)
    world.app.insert({**old_lead(first), "phone": "9999999998", "callStatus": "Connected"})
    would = world.run(dry_run=True, full=True)
    assert totals(look(world)).missing == 1 == sum(step.counts.saved for step in would.steps)
    assert repair(world).ok
    assert_nothing_found(look(world))


@pytest.mark.slow
def test_a_lead_that_two_ids_of_a_shop_tell_is_one_lead(world: World, sandbox: Sandbox) -> None:
    row = {
        "bookingNo": "4712",
        "customerName": "Anagha",
        "phoneNo": "9000000001",
        "bookingDate": f"{sandbox.today}T10:00:00",
        "category": "Suit",
    }
    one, other = sandbox.locations[:2]
    sandbox.add_rows(one, [row])
    sandbox.add_rows(other, [{**row, "category": "Sherwani"}])
    world.run()
    assert_nothing_found(look(world))
    (lead,) = [lead for lead in world.app.leads() if lead.get("bookingNo") == "4712"]
    lose_lead(world, lead)
    found = look(world)
    assert [entry.subject.booking_no for location in found.locations for entry in location.missing] == [
        "4712"
    ]


@pytest.mark.slow
def test_a_lost_lead_is_found_and_repaired(world: World, sandbox: Sandbox) -> None:
    world.run()
    states = world.app.all("syncstate")
    before = {lead["_id"]: lead for lead in world.app.leads()}
    lost = numbered(world)[:3]
    for lead in lost:
        lose_lead(world, lead)
    found = look(world)
    assert not found.ok
    missing = [entry for location in found.locations for entry in location.missing]
    assert {(entry.subject.booking_no, entry.subject.phone, entry.subject.store) for entry in missing} == {
        (lead["bookingNo"], lead["phone"], lead["store"]) for lead in lost
    }
    assert totals(found).missing == 3
    repaired = repair(world)
    assert repaired.ok
    assert repaired.run is not None
    assert sum(step.counts.saved for step in repaired.run.steps) == 3
    assert sum(step.counts.existing + step.counts.reported for step in repaired.run.steps) == 0
    assert {lead["_id"]: lead for lead in world.app.leads()} == before
    assert world.app.all("syncstate") == states
    assert_nothing_found(look(world))
    assert len(world.app.all("syncruns")) == 2


@pytest.mark.slow
def test_an_invalid_row_that_is_not_listed_is_missing_until_it_is(world: World, sandbox: Sandbox) -> None:
    world.run()
    rejects = world.app.all("syncrejects")
    bad = {
        "bookingNo": "4711",
        "itemCode": "A",
        "customerName": "Anagha",
        "phoneNo": "1",
        "bookingDate": f"{sandbox.today}T10:00:00",
    }
    sandbox.add_rows(sandbox.locations[0], [bad])
    found = look(world, locations=(sandbox.locations[0],))
    assert [entry.reason for location in found.locations for entry in location.missing] == [
        "too few digits in the phone number"
    ]
    assert not found.ok
    assert repair(world).ok
    assert len(world.app.all("syncrejects")) == len(rejects) + 1
    assert_nothing_found(look(world))


@on_sqlite
def test_a_repair_keeps_what_is_listed_at_the_same_place(world: World, sandbox: Sandbox) -> None:
    """Two item rows of one booking without item codes: one is on the list, the lead of the other is lost."""
    good = {
        "bookingNo": "4713",
        "customerName": "Anagha",
        "phoneNo": "9000000003",
        "bookingDate": f"{sandbox.today}T10:00:00",
    }
    sandbox.add_rows(sandbox.locations[0], [good, {**good, "customerName": " "}])
    world.run()
    rejects = world.app.all("syncrejects")
    lose_lead(world, next(lead for lead in world.app.leads() if lead.get("bookingNo") == "4713"))
    assert repair(world).ok
    assert world.app.all("syncrejects") == rejects


@pytest.mark.slow
@on_sqlite
def test_a_repair_does_not_give_a_record_the_old_lead_of_another(world: World, sandbox: Sandbox) -> None:
    """An old lead that nobody has made the sync's own yet, and edited, is its record's; the one that is
    missing has the same customer and day."""
    when = f"{sandbox.today}T10:00:00"
    row = {"customerName": "Anagha", "phoneNo": "9000000004", "bookingDate": when}
    sandbox.add_rows(sandbox.locations[0], [{**row, "bookingNo": "4714"}, {**row, "bookingNo": "4715"}])
    world.run()
    kept, lost = (
        next(lead for lead in world.app.leads() if lead.get("bookingNo") == number)
        for number in ("4714", "4715")
    )
    lose_lead(world, kept)
    lose_lead(world, lost)
    world.app.insert({**old_lead(kept), "callStatus": "Connected"})
    assert totals(look(world)).missing == 1
    assert repair(world).ok
    assert sorted(lead["bookingNo"] for lead in world.app.leads() if lead["phone"] == "9000000004") == [
        "4714",
        "4715",
    ]
    assert_nothing_found(look(world))


@pytest.mark.slow
def test_what_the_source_says_now_is_held_against_the_lead(world: World, sandbox: Sandbox) -> None:
    world.run()
    bookings = [lead for lead in numbered(world) if lead["leadType"] == "bookingConfirmation"]
    untouched, called, moved, edited = bookings[:4]
    world.app.edit(called["_id"], callStatus="Connected", remarks="comes on Friday")
    world.app.edit(moved["_id"], functionDate=datetime(2030, 1, 1, tzinfo=UTC))
    world.app.edit(edited["_id"], remarks="comes on Friday")
    for lead in (untouched, called, moved):
        sandbox.change_booking(lead["bookingNo"], deliveryDate="2026-12-24T00:00:00")

    def source_value() -> dict[tuple[str, str], tuple[Any, ChangedBy]]:
        found = look(world)
        assert found.ok
        return {
            (entry.lead_id, entry.field.field): (entry.field.source, entry.field.changed_by)
            for location in found.locations
            for entry in location.differences
            if location.report is StepName.BOOKING
        }

    then = datetime(2026, 12, 24, tzinfo=UTC)
    assert source_value() == {
        (lead["_id"], "functionDate"): (then, ChangedBy.SOURCE) for lead in (untouched, called, moved)
    }
    world.run(full=True)  # takes note of the change, and leaves the leads as they are
    assert source_value() == {
        (untouched["_id"], "functionDate"): (then, ChangedBy.SOURCE),
        (called["_id"], "functionDate"): (then, ChangedBy.EITHER),
        (moved["_id"], "functionDate"): (then, ChangedBy.EITHER),
    }


def test_what_the_source_took_back_is_told_and_stays(world: World, sandbox: Sandbox) -> None:
    world.run()
    inside = [
        lead
        for lead in numbered(world)
        if lead["leadType"] == "bookingConfirmation"
        and timedelta(2) < datetime.combine(sandbox.today, datetime.min.time(), UTC) - lead["createdAt"]
        and lead["createdAt"] > datetime.combine(sandbox.today, datetime.min.time(), UTC) - timedelta(300)
    ]
    cancelled, finished = inside[:2]
    finish(world.app, finished, "flat")
    for lead in (cancelled, finished):
        sandbox.remove_booking(lead["bookingNo"])
    before = content(world)
    found = look(world)
    assert found.ok
    assert cancelled["_id"] in {entry.lead_id for entry in found.withdrawn}
    assert {entry.subject.booking_no for entry in found.withdrawn} == {cancelled["bookingNo"]} | {
        lead["bookingNo"]
        for lead in numbered(world)
        if lead["bookingNo"] == finished["bookingNo"]  # whose return is still a lead
    }
    assert content(world) == before


@on_sqlite
def test_what_was_taken_back_of_a_single_day_is_told_too(world: World, sandbox: Sandbox) -> None:
    (number,) = {row["bookingNo"] for row in sandbox.add_bookings(1)}
    world.run()
    sandbox.remove_booking(number)
    today, yesterday = sandbox.today, sandbox.today - timedelta(days=1)
    (withdrawn,) = look(world, date_from=today, date_to=today).withdrawn
    assert withdrawn.subject.booking_no == number
    assert look(world, date_from=yesterday, date_to=yesterday).withdrawn == ()


@pytest.mark.slow
@on_sqlite
def test_what_is_dated_otherwise_by_now_has_not_been_taken_back(world: World, sandbox: Sandbox) -> None:
    (number,) = {row["bookingNo"] for row in sandbox.add_bookings(1)}
    world.run()
    sandbox.change_booking(number, bookingDate=sandbox.today - timedelta(days=60))
    found = look(world, date_from=sandbox.today - timedelta(days=7))
    assert (found.withdrawn, found.warnings) == ((), ())
    assert totals(found).rows == totals(look(world)).rows - rows_before(sandbox, timedelta(days=7))


def rows_before(sandbox: Sandbox, ago: timedelta) -> int:
    """How many rows are of bookings and returns longer ago."""
    first = str(sandbox.today - ago)
    dates = [
        str(source_value(row, f"{report}Date") or first)
        for report in REPORTS
        for row in sandbox.rows(report.value)
    ]
    return sum(at < first for at in dates)


@on_sqlite
def test_what_grows_too_old_for_the_answer_has_not_been_taken_back(database_url: str) -> None:
    """Where the API's months go by the date of the booking, a return leaves with it, long before its time."""
    today = date(2026, 3, 11)
    with (
        Sandbox(locations=1, bookings=0, today=today, dialect="booking-date") as sandbox,
        closing(World(sandbox, database_url)) as world,
    ):
        old, new = (row["bookingNo"] for row in (sandbox.add_bookings(1)[0], sandbox.add_bookings(1)[0]))
        sandbox.change_booking(old, bookingDate=today - timedelta(days=360))
        for number, days in ((old, 280), (new, 0)):
            sandbox.return_booking(number, datetime.combine(today, time(11)) - timedelta(days=days))
        world.run()
        assert len(world.app.leads()) == 4
        sandbox.change_booking(old, bookingDate=today - timedelta(days=367))  # as if a week had passed
        assert_nothing_found(look(world))


@on_sqlite
def test_an_empty_answer_is_no_cancellation(world: World, sandbox: Sandbox) -> None:
    world.run()
    sandbox.set_faults(Fault("no-data", api="booking", location=sandbox.locations[0]))
    found = look(world)
    assert found.ok
    assert found.withdrawn == ()
    (warning,) = found.warnings
    assert f"booking report of location {sandbox.locations[0]} is empty" in warning


@pytest.mark.slow
def test_a_location_that_fails_is_told_and_the_others_are_checked(world: World, sandbox: Sandbox) -> None:
    world.run()
    lose_lead(world, next(lead for lead in numbered(world) if lead["leadType"] == "return"))
    dead = sandbox.locations[0]
    sandbox.set_faults(Fault("503", api="booking", location=dead))
    found = look(world)
    assert not found.ok
    failed = [(location.report, location.location) for location in found.locations if location.error]
    assert failed == [(StepName.BOOKING, dead)]
    assert totals(found).missing == 1
    repaired = repair(world)
    assert not repaired.ok
    assert repaired.run is not None
    assert [step.status.value for step in repaired.run.steps] == ["partial", "success"]
    sandbox.set_faults()
    assert_nothing_found(look(world))


@on_sqlite
def test_only_the_days_and_locations_that_were_asked_for(world: World, sandbox: Sandbox) -> None:
    world.run()
    for lead in numbered(world):
        lose_lead(world, lead)
    first, last = sandbox.today - timedelta(days=60), sandbox.today - timedelta(days=30)
    chosen = sandbox.locations[1]
    found = look(world, date_from=first, date_to=last, locations=(chosen,))
    assert (found.first, found.last) == (first, last)
    assert {location.location for location in found.locations} == {chosen}
    dates = [entry.subject.dated_at for location in found.locations for entry in location.missing]
    assert dates
    assert all(at is not None and first <= at.date() <= last for at in dates)
    with pytest.raises(UsageError, match="is after"):
        look(world, date_from=last, date_to=first)
    with pytest.raises(UsageError, match="4242"):
        look(world, locations=("4242",))


@pytest.mark.slow
@on_sqlite
@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_that_there_are(world: World, day: date) -> None:
    world.run()
    assert look(world, date_from=day, date_to=day).withdrawn == ()


@pytest.mark.slow
def test_a_repair_that_is_killed_is_done_by_the_next(world: World) -> None:
    class FailingDatabase:
        """A database that becomes unreachable after a number of lead writes."""

        def __init__(self, database: Database, writes: int) -> None:
            self._database, self._left = database, writes

        def __getattr__(self, name: str) -> Any:
            if name == "store_leads":
                if self._left == 0:
                    raise StorageUnavailableError("The database is gone.")
                self._left -= 1
            return getattr(self._database, name)

    world.run()
    before = {lead["_id"] for lead in world.app.leads()}
    for lead in world.app.leads():
        lose_lead(world, lead)
    with pytest.raises(StorageUnavailableError):
        repair(world, wrap=lambda database: FailingDatabase(database, 2))
    assert 0 < len(world.app.leads()) < len(before)
    assert repair(world).ok
    assert {lead["_id"] for lead in world.app.leads()} == before


@on_sqlite
def test_the_time_is_over(world: World) -> None:
    found = look(world, deadline_s=0.0)
    assert not found.ok
    assert all(location.error and "API_RUN_DEADLINE_S" in location.error for location in found.locations)
