"""What people did to leads stays: edits, finished leads, deleted leads, the old system's leads."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncctl.domain.sources import StepName
from syncctl.domain.steps import Trigger
from syncctl.mapping.api_rows import RowDates
from syncctl.sandbox import Sandbox
from syncctl.services.rejects.list_updates import update_rejects
from syncctl.services.run import Run, RunRequest
from syncctl.services.sync.answer_rows import AnswerRows
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.oracle import key_of
from tests.support.webapp import SHAPES, Lead, finish, old_lead
from tests.support.world import World

EDITS: list[dict[str, Any]] = [
    {"callStatus": "Connected", "leadStatus": "Confirmed", "remarks": "comes on Friday"},
    {"phone": "9999999999"},
    {"name": "Someone Else"},
    {"bookingNo": "1"},
    {"store": "Zorucci - Edappal"},
    {"phone": "9999999998", "bookingNo": "2", "name": "Other", "store": "Zorucci - Edappal"},
    {"functionDate": datetime(2030, 1, 1, tzinfo=UTC)},
]


def numbered(world: World) -> list[Lead]:
    leads = [lead for lead in world.app.leads() if lead.get("bookingNo")]
    return sorted(leads, key=lambda lead: lead["_id"])


def snapshot(world: World) -> dict[str, Lead]:
    return {lead["_id"]: lead for lead in world.app.leads()}


def run_again_in_every_way(world: World) -> None:
    for options in ({}, {"full": True}, {"date_from": world.sandbox.today - timedelta(days=300)}):
        result = world.run(**options)
        assert result.ok
        assert all(step.counts.balanced for step in result.steps)
        assert sum(step.counts.saved for step in result.steps[1:]) == 0


@pytest.mark.slow
def test_edited_leads_are_never_changed_and_never_doubled(world: World) -> None:
    world.run()
    for lead, changes in zip(numbered(world), EDITS, strict=False):
        world.app.edit(lead["_id"], **changes)
    before = snapshot(world)
    run_again_in_every_way(world)
    assert snapshot(world) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "edits", [{}, {"phone": "9999999999"}, {"name": "Other", "store": "Zorucci - Edappal"}]
)
def test_finished_leads_never_come_back(world: World, edits: dict[str, Any]) -> None:
    world.run()
    finished = numbered(world)[: 2 * len(SHAPES)]
    for lead, shape in zip(finished, [*SHAPES, *SHAPES], strict=True):
        if edits:
            world.app.edit(lead["_id"], **edits)
        finish(world.app, lead, shape, **edits)
    before = snapshot(world)
    run_again_in_every_way(world)
    assert snapshot(world) == before
    again = world.run(full=True)
    assert sum(step.counts.reported for step in again.steps) == len(finished)


@pytest.mark.slow
def test_deleted_leads_never_come_back(world: World) -> None:
    world.run()
    for lead in world.app.leads()[:5]:
        world.app.delete(lead["_id"])
    before = snapshot(world)
    run_again_in_every_way(world)
    assert snapshot(world) == before


def import_as_the_old_system_did(world: World) -> list[Lead]:
    """All of today's leads, under random ids, and nothing of the sync's own."""
    expected = list(world.expected().leads.values())
    for lead in expected:
        world.app.insert(old_lead(lead))
    return sorted(world.app.leads(), key=lambda lead: (lead.get("bookingNo", ""), lead["_id"]))


@pytest.mark.slow
def test_leads_of_the_old_system_are_recognised(world: World) -> None:
    import_as_the_old_system_did(world)
    before = snapshot(world)
    run_again_in_every_way(world)
    assert snapshot(world) == before


@pytest.mark.slow
def test_and_so_are_those_that_a_telecaller_has_edited_finished_or_deleted_since(world: World) -> None:
    leads = [lead for lead in import_as_the_old_system_did(world) if lead.get("bookingNo")]
    for lead, changes in zip(leads, EDITS[:5], strict=False):
        world.app.edit(lead["_id"], **changes)
    for lead, shape in zip(leads[10:15], SHAPES, strict=True):
        finish(world.app, lead, shape)
    finish(world.app, leads[15], "flat", phone="9999999999")
    finish(world.app, leads[16], "beforeSnapshot", phone="9999999999")
    before = snapshot(world)
    run_again_in_every_way(world)
    assert snapshot(world) == before
    for lead in world.app.leads()[:3]:
        world.app.delete(lead["_id"])
    before = snapshot(world)
    run_again_in_every_way(world)
    assert snapshot(world) == before


def test_a_returning_customers_new_booking_is_imported(world: World, sandbox: Sandbox) -> None:
    world.run()
    lead = next(lead for lead in numbered(world) if lead["leadType"] == "bookingConfirmation")
    finish(world.app, lead, "flat")
    location = next(
        location
        for location in sandbox.locations
        if any(row.get("bookingNo") == lead["bookingNo"] for row in sandbox.rows("booking", location))
    )
    row = next(row for row in sandbox.rows("booking", location) if row.get("bookingNo") == lead["bookingNo"])
    sandbox.add_rows(location, [{**row, "bookingNo": "9999", "bookingDate": f"{sandbox.today}T10:00:00"}])
    result = world.run((StepName.BOOKING,))
    assert result.steps[0].counts.saved == 1


def test_a_lead_that_a_killed_run_left_without_a_record_is_taken_for_no_other(world: World) -> None:
    booking = (StepName.BOOKING,)
    with pytest.raises(Killed):
        world.run(booking, wrap=lambda storage: FailingStorage(storage, 1, Killed, Moment.MIDWAY))
    half = numbered(world)[0]
    expected_leads = [lead for key, lead in world.expected().leads.items() if key[0] == "bookingConfirmation"]
    stored = {lead.get("bookingNo") for lead in world.app.leads()}
    other = next(
        lead
        for lead in expected_leads
        if lead["store"] == half["store"] and lead.get("bookingNo") and lead["bookingNo"] not in stored
    )
    world.app.edit(half["_id"], bookingNo=other["bookingNo"], phone=other["phone"])
    assert world.run(booking).ok
    assert len(world.app.leads()) == len(expected_leads)
    assert Counter(key_of(lead) for lead in world.app.leads())[key_of(other)] == 2


def test_hand_typed_leads_are_nobodys_business(world: World) -> None:
    typed = {"name": "Walk In", "phone": "9000000001", "store": "Suitor Guy - Calicut", "leadType": "general"}
    ids = [world.app.insert(dict(typed)) for _ in range(3)]
    world.run()
    assert set(ids) <= set(snapshot(world))


def test_a_lead_is_skipped_but_counted_when_the_source_changes(world: World, sandbox: Sandbox) -> None:
    world.run()
    rows = sandbox.rows("booking", sandbox.locations[0])
    number = next(row["bookingNo"] for row in rows if row.get("bookingNo") and row.get("deliveryDate"))
    before = snapshot(world)
    sandbox.change_booking(number, deliveryDate="2026-12-24T00:00:00")
    result = world.run((StepName.BOOKING,), full=True)
    assert snapshot(world) == before
    assert result.steps[0].changed == 1
    assert [done.changed for _, done in world.recorder.done if done.changed] == [(number,)]
    assert world.run((StepName.BOOKING,), full=True).steps[0].changed == 0


def test_a_phone_corrected_by_the_telecaller_and_then_at_the_source_makes_no_second_lead(
    world: World, sandbox: Sandbox
) -> None:
    world.run((StepName.BOOKING,))
    lead = numbered(world)[0]
    world.app.edit(lead["_id"], phone="9048780099", remarks="corrected")
    before = snapshot(world)
    sandbox.change_booking(lead["bookingNo"], phoneNo="9048780099")
    for _ in range(2):
        result = world.run((StepName.BOOKING,), full=True)
        assert result.ok
        assert result.steps[0].counts.saved == 0
        assert snapshot(world) == before
    finish(world.app, before[lead["_id"]], next(iter(SHAPES)))
    world.run((StepName.BOOKING,), full=True)
    assert len(world.app.leads()) == len(before) - 1


def test_a_booking_withdrawn_at_the_source_stays_a_lead(world: World, sandbox: Sandbox) -> None:
    world.run()
    before = snapshot(world)
    number = sandbox.rows("booking", sandbox.locations[0])[0]["bookingNo"]
    sandbox.remove_booking(number)
    world.run(full=True)
    assert snapshot(world) == before


def test_invalid_rows_are_listed_once_and_leave_the_list_when_put_right(
    world: World, sandbox: Sandbox
) -> None:
    location = sandbox.locations[0]
    row = {"bookingNo": "4711", "itemCode": "A", "bookingDate": f"{sandbox.today}T10:00:00"}
    sandbox.add_rows(location, [{**row, "customerName": "Anagha", "phoneNo": "1"}])
    result = world.run((StepName.BOOKING,))
    rejects = world.app.all("syncrejects")
    assert 0 < len(rejects) <= result.steps[0].counts.invalid
    listed = [reject for reject in rejects if '"4711"' in reject["row"]]
    assert len(listed) == 1
    assert listed[0]["source"] == "booking"
    assert listed[0]["location"] == location
    assert "too few digits" in listed[0]["reason"]
    world.run((StepName.BOOKING,), full=True)
    assert world.app.all("syncrejects") == rejects
    sandbox.add_rows(location, [{**row, "customerName": "A", "phoneNo": "12"}])
    world.run((StepName.BOOKING,), full=True)
    assert len(world.app.all("syncrejects")) == len(rejects) + 1


@pytest.mark.parametrize("booking_no", [{}, {"bookingNo": "4711"}])
def test_a_row_without_a_booking_date_is_ignored_and_leaves_the_rejects_list(
    world: World, sandbox: Sandbox, booking_no: dict[str, str]
) -> None:
    """The booking report holds rows of other kinds too. Versions before listed those without a phone."""
    location, booking = sandbox.locations[0], (StepName.BOOKING,)
    before = world.run(booking, full=True).steps[0].counts
    listed = world.app.all("syncrejects")
    leads = snapshot(world)
    rows = [
        {**booking_no, "customerName": "Anagha", "phoneNo": "1", "remarks": "of another kind", **dated}
        for dated in ({}, {"bookingDate": None}, {"bookingDate": "0001-01-01T00:00:00"})
    ]

    def list_them() -> None:
        with world.storage() as storage:
            run = Run(RunRequest("api", booking, Trigger.AUTO), storage, world.recorder, world._clock())
            answer = AnswerRows(
                StepName.BOOKING, location, rows, RowDates(UTC), invalid=[(row, "no phone") for row in rows]
            )
            update_rejects(run, answer, {}, ())
        assert len(world.app.all("syncrejects")) == len(listed) + 3

    list_them()
    assert world.retry_rejects().ignored == 3
    assert world.app.all("syncrejects") == listed
    list_them()
    sandbox.add_rows(location, [*rows, {**rows[0], **booking_no, "phoneNo": "9000000001"}])
    after = world.run(booking, full=True).steps[0].counts
    assert (after.ignored, after.invalid) == (before.ignored + 4, before.invalid)
    assert after.balanced
    assert snapshot(world) == leads
    assert world.app.all("syncrejects") == listed


def test_rows_of_one_booking_in_two_locations_are_one_lead(world: World, sandbox: Sandbox) -> None:
    one, other = sandbox.locations[:2]
    row = {
        "bookingNo": "4712",
        "customerName": "Anagha",
        "phoneNo": "9000000001",
        "bookingDate": f"{sandbox.today}T10:00:00",
    }
    sandbox.add_rows(one, [row])
    sandbox.add_rows(other, [row])
    result = world.run((StepName.BOOKING,))
    assert result.steps[0].counts.balanced
    found = Counter(key_of(lead) for lead in world.app.leads())
    assert found["bookingConfirmation", "4712", "9000000001"] == 1
