"""A phone number corrected at the source is an update: the booking stays one lead."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncctl.domain.checks import CheckResult
from syncctl.domain.records import CorrectionOutcome
from syncctl.domain.run_results import Counts, RunResult
from syncctl.domain.sources import StepName
from syncctl.ports.machine import LockState
from syncctl.ports.storage import RecordEntry
from syncctl.services.checks.data_checks import check_data
from syncctl.services.checks.status import Surroundings, collect_status
from syncctl.services.cleanup.finished.cleaning import plan_finished
from syncctl.services.explain.explaining import explain
from syncctl.services.explain.record_history import RecordState
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.services.run import Clock
from syncctl.storage.registry import open_storage
from tests.integration.test_answers_without_rows import NO_DATA
from tests.support.cleanups import LOCATIONS, InterleavedDatabase
from tests.support.failing_storage import WRITES, FailingStorage, Killed, Moment
from tests.support.scripted_api import answering
from tests.support.webapp import Lead, finish, old_lead
from tests.support.world import World

FIRST, SECOND, THIRD = "9846012301", "9846012302", "9846012303"
TAKEN, LEFT = CorrectionOutcome.TAKEN, CorrectionOutcome.LEFT
STEPS = {"bookingConfirmation": StepName.BOOKING, "return": StepName.RETURN}
OF_LEADS = WRITES & {
    "pair_reports",
    "renew_records",
    "replace_records",
    "store_leads",
    "update_leads",
    "update_records",
}
BEYOND = 99
"""More writes than one run has."""


def row(phone: str, **changes: Any) -> dict[str, Any]:
    booking = {
        "bookingNo": "2026020100100001",
        "customerName": "Made Up One",
        "phoneNo": phone,
        "bookingDate": "2026-03-01T08:59:27",
        "returnDate": "2026-03-05T10:00:00",
    }
    return {**booking, **changes}


class Shop:
    """A world whose one location answers these rows to both reports."""

    def __init__(self, world: World) -> None:
        self.world = world

    def sync(self, *rows: Any, step: StepName = StepName.BOOKING, location: str = "7", **how: Any) -> Counts:
        """Sync; gives what became of the rows. Each run is a minute later."""
        return self.run(*rows, step=step, location=location, **how).steps[0].counts

    def run(self, *rows: Any, step: StepName, location: str = "7", **how: Any) -> RunResult:
        self.world.now += timedelta(minutes=1)
        with answering(self.world, lambda asked: {"data": list(rows)} if asked == location else NO_DATA):
            result = self.world.run((step,), **how)
        assert result.ok
        assert result.steps[0].counts.balanced
        return result

    @property
    def leads(self) -> list[Lead]:
        return self.world.app.leads()

    @property
    def phones(self) -> list[str]:
        return sorted(lead["phone"] for lead in self.leads)

    def corrections(self) -> list[CorrectionOutcome]:
        """What became of all that was corrected, oldest first."""
        found = [made for entry in self.records() for made in entry.record.corrections]
        return [made.outcome for made in sorted(found, key=lambda made: made.at)]

    def records(self) -> list[RecordEntry]:
        with self.world.storage() as storage:
            return storage.records_about((), {row("")["bookingNo"]}, ())


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


@pytest.mark.slow
@pytest.mark.parametrize("step", [StepName.BOOKING, StepName.RETURN])
@pytest.mark.parametrize("assigned", [False, True])
def test_a_lead_that_was_not_called_takes_the_new_number(shop: Shop, step: StepName, assigned: bool) -> None:
    assert shop.sync(row(FIRST), step=step).saved == 1
    (lead,) = shop.leads
    if assigned:
        shop.world.app.edit(lead["_id"], remarks="is to be called")
    assert shop.sync(row(SECOND), step=step) == Counts(rows=1, updated=1)
    (after,) = shop.leads
    assert (after["_id"], after["phone"]) == (lead["_id"], SECOND)
    assert after["remarks"] == ("is to be called" if assigned else "")
    assert shop.corrections() == [TAKEN]
    for again in range(3):
        assert shop.sync(row(SECOND), step=step, full=bool(again)) == Counts(rows=1, existing=1)
    assert shop.leads == [after]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("now", "is_same"),
    [
        ({}, True),
        ({"customerName": "Made Up Two"}, True),
        ({"bookingDate": "2026-03-01T21:00:00"}, True),
        ({"bookingDate": "2026-03-02T08:59:27"}, True),
        ({"bookingDate": "2026-03-02T08:59:27", "customerName": "made  up ONE"}, True),
        ({"bookingDate": "2026-03-02T08:59:27", "customerName": "Made Up Two"}, False),
        ({"bookingNo": "2026020100100002"}, False),
    ],
)
def test_date_or_name_must_agree(shop: Shop, now: dict[str, Any], is_same: bool) -> None:
    shop.sync(row(FIRST))
    counts = shop.sync(row(SECOND, **now))
    assert (counts.updated, counts.saved) == ((1, 0) if is_same else (0, 1))
    assert shop.phones == [SECOND] if is_same else [FIRST, SECOND]


@pytest.mark.slow
@pytest.mark.parametrize(
    "old",
    [
        row(FIRST),
        row(FIRST, customerName=""),
        row(f"+91 {FIRST}", customerName=None),
        row(FIRST, bookingDate=None),
    ],
)
def test_a_number_that_is_still_in_the_answer_was_not_corrected(shop: Shop, old: Any) -> None:
    shop.sync(row(FIRST))
    assert shop.sync(old, row(SECOND)).saved == 1
    assert shop.phones == [FIRST, SECOND]
    assert shop.corrections() == []
    before = shop.leads
    for _ in range(2):
        assert shop.sync(row(SECOND)) == Counts(rows=1, existing=1)
        assert shop.leads == before
        assert shop.corrections() == [CorrectionOutcome.SECOND_LEAD]


@pytest.mark.parametrize("numbers", [(SECOND, THIRD), (THIRD, SECOND)])
def test_of_two_new_numbers_that_agree_alike_the_order_decides_nothing(
    shop: Shop, numbers: tuple[str, ...]
) -> None:
    shop.sync(row(FIRST))
    (lead,) = shop.leads
    assert shop.sync(*map(row, numbers)) == Counts(rows=2, updated=1, saved=1)
    assert {each["_id"]: each["phone"] for each in shop.leads}[lead["_id"]] == SECOND


def second_leads(shop: Shop) -> list[tuple[str, str]]:
    """The two leads of bookings that `status` names."""
    with closing(open_storage(shop.world.url)) as database:
        clock = Clock(lambda: shop.world.now, time.monotonic, lambda after: after, UTC)
        surroundings = Surroundings(LockState(held=False))
        status = collect_status(database, surroundings, LOCATIONS, clock)
        return [(each.lead_id_before, each.lead_id) for each in status.corrections.second_leads]


@pytest.mark.slow
@pytest.mark.parametrize("step", [StepName.BOOKING, StepName.RETURN])
@pytest.mark.parametrize("both_first", [False, True])
def test_two_leads_of_one_booking_stay_and_are_named(shop: Shop, step: StepName, both_first: bool) -> None:
    if not both_first:
        shop.sync(row(FIRST), step=step)
    shop.sync(row(SECOND), row(FIRST), step=step)
    ids = {lead["phone"]: lead["_id"] for lead in shop.leads}
    before = shop.leads
    assert second_leads(shop) == []
    assert shop.sync(row(SECOND), step=step, dry_run=True) == Counts(rows=1, existing=1)
    for now, then in ((SECOND, FIRST), (FIRST, SECOND), (SECOND, FIRST)):
        for _ in range(2):
            assert shop.sync(row(now), step=step) == Counts(rows=1, existing=1)
            assert shop.leads == before
            assert second_leads(shop) == [(ids[then], ids[now])]
        with closing(open_storage(shop.world.url)) as database:
            histories = explain(database, CustomerQuery.from_text(now), LOCATIONS).histories
        assert {history.lead.lead_id for history in histories if history.lead} == {*ids.values()}
    shop.world.app.delete(ids[FIRST])
    assert second_leads(shop) == []
    assert shop.sync(row(SECOND), step=step).existing == 1
    assert shop.sync(row(FIRST), step=step).updated == 1
    assert [(lead["_id"], lead["phone"]) for lead in shop.leads] == [(ids[SECOND], FIRST)]


def test_two_customers_under_one_number_are_no_second_leads(shop: Shop) -> None:
    other = row(FIRST, customerName="Made Up Two", bookingDate="2026-03-02T08:59:27")
    shop.sync(row(SECOND), other)
    shop.sync(row(SECOND))
    assert shop.corrections() == []
    assert shop.phones == [FIRST, SECOND]


@pytest.mark.slow
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("at", [1, 2, 3])
def test_killed_as_it_notes_a_second_lead(shop: Shop, at: int, moment: Moment) -> None:
    shop.sync(row(FIRST), row(SECOND))
    before = shop.leads
    with suppress(Killed):
        shop.sync(
            row(SECOND),
            wrap=lambda storage: FailingStorage(
                storage, at, moment=moment, among={"add_corrections", "replace_records"}
            ),
        )
    for _ in range(2):
        shop.sync(row(SECOND))
    assert (shop.leads, shop.corrections()) == (before, [CorrectionOutcome.SECOND_LEAD])
    assert len(second_leads(shop)) == 1


def test_of_two_new_numbers_one_is_the_corrected_one(shop: Shop) -> None:
    shop.sync(row(FIRST))
    other = row(THIRD, customerName="Made Up Three")
    assert shop.sync(other, row(SECOND)) == Counts(rows=2, updated=1, saved=1)
    assert shop.phones == [SECOND, THIRD]
    (lead,) = (lead for lead in shop.leads if lead["phone"] == SECOND)
    assert lead["name"] == "Made Up One"


@pytest.mark.slow
@pytest.mark.parametrize("called", ["Not Called", "Connected"])
@pytest.mark.parametrize("step", [StepName.BOOKING, StepName.RETURN])
def test_a_lead_that_the_web_app_has_with_the_new_number_is_the_records(
    shop: Shop, step: StepName, called: str
) -> None:
    shop.sync(row(FIRST), step=step)
    (lead,) = shop.leads
    theirs = {**lead, "_id": "f" * 24, "phone": SECOND, "callStatus": called}
    shop.world.app.insert(theirs)
    for _ in range(2):
        assert shop.sync(row(SECOND), step=step) == Counts(rows=1, existing=1)
        assert shop.phones == [FIRST, SECOND]


def test_a_placeholder_number_mixes_no_strangers(shop: Shop) -> None:
    def booked(name: str, phone: str) -> dict[str, Any]:
        return row(phone, bookingNo="1", customerName=name)

    others = [booked("Binu", SECOND), booked("Cee", THIRD)]
    shop.sync(booked("Anu", FIRST), *others)
    assert shop.sync(booked("Dilu", "9000000009"), *others) == Counts(rows=3, saved=1, existing=2)
    assert shop.phones == sorted([FIRST, SECOND, THIRD, "9000000009"])
    assert shop.sync(booked("Dilu", "9000000010"), *others) == Counts(rows=3, updated=1, existing=2)


def test_two_bookings_swap_their_phones(shop: Shop) -> None:
    other = {"bookingNo": "2026020100100002", "customerName": "Made Up Two"}
    shop.sync(row(FIRST), row(SECOND, **other))
    before = {lead["bookingNo"]: lead["_id"] for lead in shop.leads}
    assert shop.sync(row(SECOND), row(FIRST, **other)) == Counts(rows=2, updated=2)
    assert {lead["bookingNo"]: lead["_id"] for lead in shop.leads} == before
    assert {lead["bookingNo"]: lead["phone"] for lead in shop.leads} == {
        row("")["bookingNo"]: SECOND,
        other["bookingNo"]: FIRST,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "numbers",
    [
        (FIRST, SECOND, THIRD),
        (FIRST, SECOND, FIRST),
        (FIRST, SECOND, FIRST, SECOND),
        (FIRST, SECOND, THIRD, FIRST, THIRD, SECOND),
    ],
)
def test_corrected_again_and_again(shop: Shop, numbers: tuple[str, ...]) -> None:
    shop.sync(row(FIRST))
    (lead,) = shop.leads
    for number in numbers[1:]:
        assert shop.sync(row(number)).updated == 1
        assert shop.sync(row(number)).existing == 1
        assert [(each["_id"], each["phone"]) for each in shop.leads] == [(lead["_id"], number)]
    assert shop.corrections() == [TAKEN] * (len(numbers) - 1)


def test_a_lead_that_was_called_is_left_and_listed(shop: Shop) -> None:
    shop.sync(row(FIRST))
    shop.world.app.edit(shop.leads[0]["_id"], callStatus="Connected")
    before = shop.leads
    result = shop.run(row(SECOND), step=StepName.BOOKING)
    assert (result.steps[0].counts, result.steps[0].changed) == (Counts(rows=1, existing=1), 1)
    for _ in range(2):
        assert shop.sync(row(SECOND)).existing == 1
    assert shop.leads == before
    assert shop.corrections() == [LEFT]


def test_a_persons_number_stays(shop: Shop) -> None:
    shop.sync(row(FIRST))
    shop.world.app.edit(shop.leads[0]["_id"], phone=THIRD)
    before = shop.leads
    assert shop.sync(row(SECOND)).existing == 1
    assert shop.leads == before
    assert shop.corrections() == [LEFT]


def test_a_person_was_quicker(shop: Shop) -> None:
    shop.sync(row(FIRST))
    shop.world.app.edit(shop.leads[0]["_id"], phone=f"+91 {SECOND}")
    before = shop.leads
    assert shop.sync(row(SECOND)) == Counts(rows=1, existing=1)
    assert shop.leads == before
    assert shop.corrections() == [TAKEN]


@pytest.mark.parametrize(
    "edit", [{"callStatus": "Connected"}, {"phone": THIRD}, {"remarks": "call on Monday"}]
)
def test_edited_at_the_last_moment(shop: Shop, edit: dict[str, str]) -> None:
    shop.sync(row(FIRST))
    (lead,) = shop.leads
    shop.sync(
        row(SECOND),
        wrap=lambda storage: InterleavedDatabase(
            storage, "update_leads", lambda: shop.world.app.edit(lead["_id"], **edit)
        ),
    )
    (after,) = shop.leads
    assert after["phone"] == (SECOND if "remarks" in edit else edit.get("phone", FIRST))
    assert after.items() >= edit.items()


@pytest.mark.parametrize("gone", ["deleted", "finished"])
def test_gone_at_the_last_moment(shop: Shop, gone: str) -> None:
    shop.sync(row(FIRST))
    (lead,) = shop.leads

    def act() -> None:
        if gone == "deleted":
            shop.world.app.delete(lead["_id"])
        else:
            finish(shop.world.app, lead, "booking page", callStatus="Connected")

    shop.sync(row(SECOND), wrap=lambda storage: InterleavedDatabase(storage, "update_leads", act))
    for _ in range(2):
        shop.sync(row(SECOND))
        assert shop.leads == []
    assert shop.corrections() == [CorrectionOutcome(gone)]


REACHED_NOBODY = (
    "Not Connected",
    "not  connected",
    "Wrong Number",
    "Switched Off",
    "No Answer",
    "Busy",
    "Customer Did Not Pick",
)
SHAPES = ("booking page", "any lead page", "leadSnapshot", "beforeSnapshot")


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("status", [*REACHED_NOBODY, "Connected", "Not Called", "Call Back"])
def test_a_finished_lead_comes_anew_only_if_nobody_was_reached(shop: Shop, shape: str, status: str) -> None:
    shop.sync(row(FIRST))
    (lead,) = shop.leads
    if shape == "leadSnapshot":
        lead["callStatus"] = status
    finish(shop.world.app, lead, shape, callStatus=status)
    counts = shop.sync(row(SECOND))
    if status in REACHED_NOBODY:
        assert counts == Counts(rows=1, saved=1)
        assert shop.phones == [SECOND]
        assert shop.corrections() == [CorrectionOutcome.NEW_LEAD]
    else:
        assert counts == Counts(rows=1, reported=1)
        assert shop.leads == []
        assert shop.corrections() == [CorrectionOutcome.FINISHED]
    before = shop.leads
    again = shop.sync(row(SECOND))
    assert (again.saved, again.existing, again.reported) == ((0, 1, 0) if before else (0, 0, 1))
    assert shop.leads == before


def test_the_new_lead_of_a_finished_one_is_finished_by_its_own_report(shop: Shop) -> None:
    shop.sync(row(FIRST))
    finish(shop.world.app, shop.leads[0], "booking page", callStatus="Wrong Number")
    shop.sync(row(SECOND))
    shop.sync(row(THIRD))
    assert shop.phones == [THIRD]
    finish(shop.world.app, shop.leads[0], "booking page", callStatus="Connected")
    for number in (THIRD, SECOND, FIRST):
        assert shop.sync(row(number)).reported == 1
        assert shop.leads == []


@pytest.mark.slow
@pytest.mark.parametrize("swings", range(1, 6))
def test_the_new_lead_of_a_finished_one_follows_the_source_back(shop: Shop, swings: int) -> None:
    shop.sync(row(FIRST))
    finish(shop.world.app, shop.leads[0], "booking page", callStatus="Wrong Number")
    assert shop.sync(row(SECOND)).saved == 1
    (lead,) = shop.leads
    for number in (FIRST, SECOND, FIRST, SECOND, FIRST)[:swings]:
        assert shop.sync(row(number)) == Counts(rows=1, updated=1)
        assert shop.sync(row(number)) == Counts(rows=1, existing=1)
        assert [(each["_id"], each["phone"]) for each in shop.leads] == [(lead["_id"], number)]
        with closing(open_storage(shop.world.url)) as database:
            plan = plan_finished(database, LOCATIONS, shop.world.now)
            clock = Clock(lambda: shop.world.now, time.monotonic, lambda after: after, UTC)
            (check,) = (
                check
                for check in check_data(database, LOCATIONS, clock).checks
                if check.name == "Finished leads"
            )
            histories = explain(database, CustomerQuery.from_text(number), LOCATIONS).histories
        assert (plan.finished, plan.came_back) == ([], [])
        assert check.result is CheckResult.PASSED
        (history,) = (history for history in histories if history.state is RecordState.LEAD)
        assert not any("cleanup finished" in note for note in history.notes)


def expected_of(state: str, chain: Sequence[str]) -> tuple[str | None, list[CorrectionOutcome]]:
    """The number that the lead of a booking has in the end, None: none, where it came with the first number,
    was left in that state, and the source then gave these numbers; and what became of each correction."""
    if state == "untouched":
        return chain[-1], [TAKEN] * len(chain)
    if state == "called":
        # A lead that has the number that the source goes back to has nothing to take.
        return FIRST, [TAKEN if number == FIRST else LEFT for number in chain]
    if state == "not reached":
        return chain[-1], [CorrectionOutcome.NEW_LEAD, *[TAKEN] * (len(chain) - 1)]
    if state == "finished":
        return None, [CorrectionOutcome.FINISHED]
    return None, [CorrectionOutcome.DELETED] * len(chain)


@pytest.mark.slow
@pytest.mark.parametrize("step", [StepName.BOOKING, StepName.RETURN])
@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("state", ["untouched", "called", "finished", "not reached", "deleted"])
def test_from_one_number_to_the_other_and_back(shop: Shop, state: str, length: int, step: StepName) -> None:
    shop.sync(row(FIRST), step=step)
    (lead,) = shop.leads
    prepare(shop, lead, state)
    chain = (SECOND, FIRST, SECOND)[:length]
    for number in chain:
        for _ in range(2):
            shop.sync(row(number), step=step)
    phone, outcomes = expected_of(state, chain)
    assert shop.phones == ([] if phone is None else [phone])
    assert shop.corrections() == outcomes


@pytest.mark.slow
@pytest.mark.parametrize("then", ["called", "finished", "not reached", "deleted"])
@pytest.mark.parametrize("swings", [0, 1, 2, 3])
def test_what_becomes_of_the_new_lead_of_a_finished_one(shop: Shop, swings: int, then: str) -> None:
    """Whatever its number was in between, and whoever of the two reports is about which lead."""
    shop.sync(row(FIRST))
    finish(shop.world.app, shop.leads[0], "booking page", callStatus="Wrong Number")
    shop.sync(row(SECOND))
    for number in (FIRST, SECOND, FIRST)[:swings]:
        shop.sync(row(number))
    (lead,) = shop.leads
    prepare(shop, lead, then)
    last = (SECOND, FIRST)[swings % 2]
    for number in (last, FIRST, SECOND, FIRST):
        for _ in range(2):
            assert shop.sync(row(number)).saved == 0
            assert [each["_id"] for each in shop.leads] == ([lead["_id"]] if then == "called" else [])
    counts = shop.sync(row(THIRD))
    if then == "called":
        assert [each["phone"] for each in shop.leads] == [last]
    else:
        assert counts.saved == (then == "not reached")
        assert shop.phones == ([THIRD] if then == "not reached" else [])


def test_a_deleted_lead_stays_deleted(shop: Shop) -> None:
    shop.sync(row(FIRST))
    shop.world.app.delete(shop.leads[0]["_id"])
    for number in (SECOND, SECOND, THIRD, FIRST, FIRST):
        assert shop.sync(row(number)) == Counts(rows=1, existing=1)
        assert shop.leads == []
    assert shop.corrections() == [CorrectionOutcome.DELETED] * 3


def test_a_lead_of_the_old_system_that_was_adopted(shop: Shop) -> None:
    shop.sync(row(FIRST))
    (lead,) = shop.leads
    shop.world.app.delete(lead["_id"])
    adopted = shop.world.app.insert(old_lead({**lead, "bookingNo": "2026020100100009"}))
    assert shop.sync(row(FIRST, bookingNo="2026020100100009")).existing == 1
    assert shop.sync(row(SECOND, bookingNo="2026020100100009")).updated == 1
    assert [(each["_id"], each["phone"]) for each in shop.leads] == [(adopted, SECOND)]


@pytest.mark.parametrize("is_same_shop", [True, False])
def test_a_number_edited_to_anothers_gives_no_lead_away(shop: Shop, is_same_shop: bool) -> None:
    """A linked lead of the old system: its record is in the same answer, or another shop's, where no answer
    shows that it is gone."""
    shop.sync(row(FIRST, bookingNo="2"))
    (lead,) = shop.leads
    mine, theirs = row(FIRST, bookingNo="1"), row(SECOND, bookingNo="1", customerName="Made Up Two")
    adopted = shop.world.app.insert({**old_lead(lead), "bookingNo": "1"})
    assert shop.sync(row(FIRST, bookingNo="2"), mine).existing == 2
    shop.world.app.edit(adopted, phone=SECOND)
    if is_same_shop:
        assert shop.sync(row(FIRST, bookingNo="2"), mine, theirs) == Counts(rows=3, saved=1, existing=2)
    else:
        assert shop.sync(theirs, location="144", full=True) == Counts(rows=1, saved=1)
    assert len(shop.leads) == 3


def test_a_thin_answer_shows_nothing(shop: Shop) -> None:
    """Nor is the row lost: the next whole answer tells."""
    others = [row(f"90000004{n:02}", bookingNo=f"20260201001001{n:02}") for n in range(30)]
    shop.sync(row(FIRST), *others)
    assert shop.sync(row(SECOND), *others[:5]).existing == 6
    assert FIRST in shop.phones
    assert SECOND not in shop.phones
    shop.world.now += timedelta(days=3)
    shop.sync(row(SECOND), *others[:5])
    shop.sync(row(SECOND), *others[:5])
    assert SECOND in shop.phones
    assert FIRST not in shop.phones


def test_rows_of_single_days_and_retries_hold_it_back(shop: Shop) -> None:
    shop.sync(row(FIRST))
    day = datetime(2026, 3, 1, tzinfo=UTC).date()
    counts = shop.sync(row(SECOND), date_from=day, date_to=day)
    assert counts.existing + counts.updated == 1
    assert len(shop.leads) == 1


def test_another_id_of_the_shop_that_is_out_of_date_takes_nothing_back(shop: Shop) -> None:
    """Locations 7 and 709 are one shop's; 7 still says what was before."""
    shop.sync(row(FIRST), location="7")

    def answers(location: str) -> Any:
        return {"7": {"data": [row(FIRST)]}, "709": {"data": [row(SECOND)]}}.get(location, NO_DATA)

    for _ in range(3):
        shop.world.now += timedelta(minutes=1)
        with answering(shop.world, answers):
            assert shop.world.run((StepName.BOOKING,), full=True).ok
        assert shop.phones == [SECOND]
        assert shop.corrections() == [TAKEN]


def test_a_dry_run_says_the_same_and_writes_nothing(shop: Shop) -> None:
    shop.sync(row(FIRST))
    before = shop.leads, shop.records()
    assert shop.sync(row(SECOND), dry_run=True) == Counts(rows=1, updated=1)
    assert (shop.leads, shop.records()) == before
    assert shop.sync(row(SECOND)) == Counts(rows=1, updated=1)
    before = shop.leads, shop.records()
    assert shop.sync(row(FIRST), dry_run=True) == Counts(rows=1, updated=1)
    assert (shop.leads, shop.records()) == before


STATES: dict[str, tuple[list[str], CorrectionOutcome]] = {
    "untouched": ([SECOND], TAKEN),
    "called": ([FIRST], LEFT),
    "finished": ([], CorrectionOutcome.FINISHED),
    "not reached": ([SECOND], CorrectionOutcome.NEW_LEAD),
    "deleted": ([], CorrectionOutcome.DELETED),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("state", list(STATES))
def test_killed_at_any_write_the_next_run_ends_the_same(shop: Shop, state: str, moment: Moment) -> None:
    for at in range(1, BEYOND):
        booking = {"bookingNo": f"2026020100200{at:03}"}
        leads = {lead["_id"] for lead in shop.leads}
        shop.sync(row(FIRST, **booking), *earlier_bookings(at))
        (lead,) = (lead for lead in shop.leads if lead["_id"] not in leads)
        prepare(shop, lead, state)
        made: list[FailingStorage] = []

        def wrap(storage: Any, at: int = at, made: list[FailingStorage] = made) -> Any:
            made.append(FailingStorage(storage, at, moment=moment, among=OF_LEADS))
            return made[0]

        with suppress(Killed):
            shop.sync(row(SECOND, **booking), *earlier_bookings(at), wrap=wrap)
        shop.sync(row(SECOND, **booking), *earlier_bookings(at))
        shop.sync(row(SECOND, **booking), *earlier_bookings(at))
        phones, outcome = STATES[state]
        assert [each["phone"] for each in shop.world.app.leads(**booking)] == phones, made[0].struck
        with shop.world.storage() as storage:
            entries = storage.records_about((), set(booking.values()), ())
        assert [c.outcome for each in entries for c in each.record.corrections] == [outcome], made[0].struck
        assert sorted(str(each.record.replaced_by) for each in entries) == sorted(["None", SECOND])
        if not made[0].struck:
            return
    pytest.fail("there is no end to its writes")


@pytest.mark.slow
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("edit", [{}, {"callStatus": "Connected"}, {"phone": THIRD}])
def test_killed_at_any_write_and_then_the_source_goes_back(
    shop: Shop, edit: dict[str, str], moment: Moment
) -> None:
    """The lead has the number that counts, and no mark of the other one stays."""
    for at in range(1, BEYOND):
        booking = {"bookingNo": f"2026020100200{at:03}"}
        shop.sync(row(FIRST, **booking))
        made: list[FailingStorage] = []

        def wrap(storage: Any, at: int = at, made: list[FailingStorage] = made) -> Any:
            made.append(FailingStorage(storage, at, moment=moment, among=OF_LEADS))
            return made[0]

        with suppress(Killed):
            shop.sync(row(SECOND, **booking), wrap=wrap)
        if not made[0].struck:
            return
        (lead,) = shop.world.app.leads(**booking)
        shop.world.app.edit(lead["_id"], **edit)
        for _ in range(2):
            shop.sync(row(FIRST, **booking))
        (after,) = shop.world.app.leads(**booking)
        stays = lead["phone"] if "callStatus" in edit else edit.get("phone", FIRST)
        assert (after["_id"], after["phone"]) == (lead["_id"], stays), made[0].struck
        with shop.world.storage() as storage:
            records = storage.records_about((), set(booking.values()), ())
        current = [each.record.values["phone"] for each in records if each.record.replaced_by is None]
        assert current == [FIRST], made[0].struck
    pytest.fail("there is no end to its writes")


def earlier_bookings(at: int) -> list[Any]:
    """The bookings of earlier rounds, as they are now."""
    return [row(SECOND, bookingNo=f"2026020100200{n:03}") for n in range(1, at)]


def prepare(shop: Shop, lead: Lead, state: str) -> None:
    """Let somebody leave a lead in that state."""
    if state == "called":
        shop.world.app.edit(lead["_id"], callStatus="Connected")
    elif state == "finished":
        finish(shop.world.app, lead, "any lead page", callStatus="Connected")
    elif state == "not reached":
        finish(shop.world.app, lead, "any lead page", callStatus="Not Connected")
    elif state == "deleted":
        shop.world.app.delete(lead["_id"])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["update_leads", "store_leads", "replace_records"])
@pytest.mark.parametrize("state", list(STATES))
def test_two_hosts_at_once(shop: Shop, state: str, method: str) -> None:
    shop.sync(row(FIRST))
    prepare(shop, shop.leads[0], state)
    act: Callable[[], Any] = lambda: shop.sync(row(SECOND))  # noqa: E731
    shop.sync(row(SECOND), wrap=lambda storage: InterleavedDatabase(storage, method, act))
    phones, outcome = STATES[state]
    assert shop.phones == phones
    assert shop.corrections() == [outcome]


@pytest.mark.parametrize("method", ["update_leads", "renew_records", "replace_records"])
def test_two_hosts_at_once_where_the_source_goes_back(shop: Shop, method: str) -> None:
    shop.sync(row(FIRST))
    shop.sync(row(SECOND))
    act: Callable[[], Any] = lambda: shop.sync(row(FIRST))  # noqa: E731
    shop.sync(row(FIRST), wrap=lambda storage: InterleavedDatabase(storage, method, act))
    assert shop.phones == [FIRST]
    assert shop.corrections() == [TAKEN, TAKEN]
