"""`explain`: one record's history, whichever identifier one starts from."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from syncctl.api.client import HttpRentalApi
from syncctl.domain.sources import StepName
from syncctl.errors import UsageError
from syncctl.locations import load_locations
from syncctl.sandbox import Fault, Sandbox
from syncctl.services.explain.explaining import Explanation, explain
from syncctl.services.explain.record_history import RecordHistory, RecordState
from syncctl.services.explain.source_now import SourceQuery, ask_source
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.services.reconcile.results import ChangedBy
from syncctl.services.sync.planning import WindowSettings
from syncctl.storage.registry import open_storage
from tests.support.webapp import SHAPES, Lead, finish, old_lead
from tests.support.world import KOLKATA, World

PHONE = "9000000077"


def asked(world: World, what: str, *, fetch: bool = False) -> Explanation:
    wanted = CustomerQuery.from_text(what)
    with closing(open_storage(world.url, for_reading_only=True)) as database:
        database.prepare()
        found = explain(database, wanted, load_locations())
        if not fetch:
            return found
        with closing(HttpRentalApi(world.config)) as api:
            query = SourceQuery(api, WindowSettings(12, KOLKATA), world._clock(), 60.0)
            return ask_source(found, wanted, query, database, load_locations())


def only(found: Explanation) -> RecordHistory:
    (history,) = found.histories
    return history


def book(sandbox: Sandbox, number: str = "4711", **fields: Any) -> dict[str, Any]:
    row = {
        "bookingNo": number,
        "customerName": "Anagha",
        "phoneNo": PHONE,
        "bookingDate": f"{sandbox.today}T10:00:00",
        "deliveryDate": f"{sandbox.today + timedelta(days=9)}T00:00:00",
        **fields,
    }
    sandbox.add_rows(sandbox.locations[0], [row])
    return row


def lead_of(world: World, number: str = "4711") -> Lead:
    return next(lead for lead in world.app.leads() if lead.get("bookingNo") == number)


def said(history: RecordHistory) -> str:
    return "\n".join(event.what for event in history.events)


@pytest.mark.slow
@pytest.mark.parametrize("written", [PHONE, "+91 90000 00077", "0091-9000000077", "090000 00077", "4711"])
def test_a_record_is_found_however_it_is_asked_for(world: World, sandbox: Sandbox, written: str) -> None:
    book(sandbox)
    run = world.run((StepName.BOOKING,))
    history = only(asked(world, written))
    assert (history.booking_no, history.phone, history.name) == ("4711", PHONE, "Anagha")
    assert history.state is RecordState.LEAD
    assert f"booking report of location {sandbox.locations[0]}, by run {run.run_id[:8]} (api, auto)" in said(
        history
    )
    assert history.lead is not None
    assert history.lead.lead_id == lead_of(world)["_id"]
    assert f"added as lead {history.lead.lead_id}" in said(history)
    assert (history.lead.touched, history.lead.differs) == (False, ())


@pytest.mark.slow
@pytest.mark.parametrize(
    "written", [f"{PHONE} / 9123456780", f"+91 {PHONE}, 9123456780", f"{PHONE} after 6 pm", f"1) {PHONE} (2)"]
)
def test_a_number_is_read_as_imports_do(world: World, sandbox: Sandbox, written: str) -> None:
    book(sandbox, phoneNo=written)
    world.run((StepName.BOOKING,))
    for question in (PHONE, written):
        assert only(asked(world, question)).phone == PHONE
    assert asked(world, "9123456780").histories == ()


@pytest.mark.parametrize("question", ["+971 50 123 4567", "+971501234567", "971-50-1234567"])
def test_a_number_that_imports_reject_finds_the_reject(world: World, sandbox: Sandbox, question: str) -> None:
    book(sandbox, phoneNo="+971 50 123 4567")
    world.run((StepName.BOOKING,))
    assert only(asked(world, question)).state is RecordState.REJECTED
    assert asked(world, "0501234567").histories == ()


def test_a_booking_numbers_last_digits_are_no_phone(world: World) -> None:
    assert CustomerQuery.from_text("2025020100100001").phone is None
    with pytest.raises(UsageError, match="phone number"):
        CustomerQuery.from_text(" - ")


def test_an_edit_is_told_field_by_field_and_both_numbers_find_it(world: World, sandbox: Sandbox) -> None:
    book(sandbox)
    world.run((StepName.BOOKING,))
    world.app.edit(lead_of(world)["_id"], phone="9999999998", callStatus="Connected", remarks="Friday")
    for number in (PHONE, "99999 99998"):
        history = only(asked(world, number))
        assert history.lead is not None
        assert history.lead.touched
        assert history.lead.call_status == "Connected"
        assert [
            (field.field, field.lead, field.source, field.changed_by) for field in history.lead.differs
        ] == [
            ("phone", "9999999998", PHONE, ChangedBy.TELECALLER),
            ("remarks", "Friday", None, ChangedBy.TELECALLER),
        ]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_finished_lead_is_found_in_its_report(world: World, sandbox: Sandbox, shape: str) -> None:
    book(sandbox)
    world.run((StepName.BOOKING,))
    world.app.edit(lead_of(world)["_id"], phone="9999999998")
    finish(world.app, lead_of(world) | {"phone": PHONE}, shape, phone="9999999998")
    history = only(asked(world, PHONE))
    assert history.state is RecordState.FINISHED
    assert [shape.removesuffix(" with id") in report.shape for report in history.reports] == [True]


def test_a_returning_customers_report_is_not_that_of_another_booking(world: World, sandbox: Sandbox) -> None:
    book(sandbox, "4711")
    book(sandbox, "4712")
    world.run((StepName.BOOKING,))
    finish(world.app, lead_of(world, "4711"), "leadData")
    world.app.delete(lead_of(world, "4712")["_id"])
    found = {history.booking_no: history.state for history in asked(world, PHONE).histories}
    assert found == {"4711": RecordState.FINISHED, "4712": RecordState.DELETED}


def test_a_lead_of_the_old_system_tells_that_it_was_there_before(world: World, sandbox: Sandbox) -> None:
    book(sandbox)
    world.run((StepName.BOOKING,))
    lead = lead_of(world)
    world.app.delete(lead["_id"])
    database: Any = world.app._database
    if world.url.startswith("sqlite"):
        database.execute("DELETE FROM syncrecords WHERE leadId = ?", (lead["_id"],))
    else:
        database.syncrecords.delete_one({"leadId": lead["_id"]})
    old = old_lead(lead)
    world.app.insert(old)
    assert "no record of it" in only(asked(world, PHONE)).notes[0]
    world.run((StepName.BOOKING,), full=True)
    history = only(asked(world, PHONE))
    assert f"linked to lead {old['_id']}, already there" in said(history)


@pytest.mark.parametrize("end", ["finished", "deleted"])
def test_a_lead_that_another_program_brought_back_says_so_and_what_to_do(
    world: World, sandbox: Sandbox, end: str
) -> None:
    book(sandbox)
    run = world.run((StepName.BOOKING,))
    lead = lead_of(world)
    if end == "finished":
        finish(world.app, lead, "leadData")
    else:
        world.app.delete(lead["_id"])
    again = str(ObjectId.from_datetime(run.started_at + timedelta(days=1)))
    world.app.insert({**lead, "_id": again})
    first, back = asked(world, PHONE).histories
    assert first.state is (RecordState.FINISHED if end == "finished" else RecordState.DELETED)
    assert (back.state, back.lead and back.lead.lead_id) == (RecordState.LEAD, again)
    (event,) = back.events
    assert event.at == (run.started_at + timedelta(days=1)).replace(microsecond=0)
    assert event.what.startswith("inserted by a program other than syncctl")
    (note,) = back.notes
    assert note.startswith(f"The lead that was there before was {end}; another program")
    assert "API_SYNC_ENABLED=false in the web app's environment" in note
    assert "`syncctl cleanup finished`" in note


def test_a_copy_from_before_the_first_sync_was_not_brought_back(world: World, sandbox: Sandbox) -> None:
    book(sandbox)
    run = world.run((StepName.BOOKING,))
    lead = lead_of(world)
    world.app.delete(lead["_id"])
    copy = str(ObjectId.from_datetime(run.started_at - timedelta(days=1)))
    world.app.insert({**lead, "_id": copy})
    _, before = asked(world, PHONE).histories
    assert before.events == ()
    assert "inserted" not in before.notes[0]


def test_another_booking_of_the_customer_was_not_brought_back(world: World, sandbox: Sandbox) -> None:
    book(sandbox)
    run = world.run((StepName.BOOKING,))
    lead = lead_of(world)
    world.app.delete(lead["_id"])
    later = str(ObjectId.from_datetime(run.started_at + timedelta(days=1)))
    world.app.insert({**lead, "_id": later, "bookingNo": "4712"})
    assert [history.events for history in asked(world, PHONE).histories if history.booking_no == "4712"] == [
        ()
    ]


def test_leads_without_a_record_are_found_whatever_their_type_and_writing(world: World) -> None:
    for lead_type, phone in (("general", PHONE), ("justDial", "90000 00077"), ("lossOfSale", PHONE)):
        world.app.insert(
            {"name": "W", "phone": phone, "store": "Suitor Guy - Calicut", "leadType": lead_type}
        )
    found = asked(world, PHONE)
    assert {history.lead_type for history in found.histories} == {"general", "justDial", "lossOfSale"}
    assert found.found


def test_what_telecallers_did_is_in_the_timeline_newest_last(world: World, sandbox: Sandbox) -> None:
    book(sandbox)
    run = world.run((StepName.BOOKING,))
    hour = timedelta(hours=1)
    began = run.started_at.replace(microsecond=0)
    world.app.add("users", {"_id": "u1", "name": "Made Up"})
    world.app.edit(
        lead_of(world)["_id"],
        assignedTo="u1",
        assignedAt=began + hour,
        callStatus="Connected",
        updatedAt=began + 2 * hour,
    )
    history = only(asked(world, PHONE))
    assert [(event.at - began, event.what) for event in history.events[2:]] == [
        (hour, "assigned to Made Up"),
        (2 * hour, "last changed in the web app: Connected"),
    ]


def test_a_lead_that_was_typed_in_says_when(world: World) -> None:
    at = world.now.replace(microsecond=0)
    typed_in = {"_id": str(ObjectId.from_datetime(at)), "createdAt": at, "updatedAt": at}
    world.app.insert(
        {**typed_in, "name": "W", "phone": PHONE, "store": "Suitor Guy - Calicut", "leadType": "general"}
    )
    history = only(asked(world, PHONE))
    assert [(event.at, event.what) for event in history.events] == [(at, "typed in by hand")]
    assert (history.origin.dated_at, history.notes[0][-11:]) == (None, "in by hand.")


def test_a_row_of_a_file_tells_its_file(world: World, tmp_path: Path) -> None:
    path = tmp_path / "walkin_sg_calicut.csv"
    path.write_text(
        f"Date,Customer Name,Contact,Status\n01-03-2026,Anagha,{PHONE},Loss\n01-03-2026,B,12,Loss\n",
        encoding="utf-8",
    )
    world.import_files(StepName.WALKIN, path)
    history = only(asked(world, PHONE))
    assert "first seen in the walk-in file walkin_sg_calicut.csv, by run" in said(history)
    assert "(import walkin, manual)" in said(history)
    rejected = only(asked(world, "12"))
    assert rejected.state is RecordState.REJECTED
    assert "row 3" in said(rejected)


def test_a_reject_tells_reason_place_and_run(world: World, sandbox: Sandbox) -> None:
    book(sandbox, customerName=" ", itemCode="A")
    book(sandbox, customerName=" ", itemCode="B")
    run = world.run((StepName.BOOKING,))
    history = only(asked(world, PHONE))
    assert history.state is RecordState.REJECTED
    assert history.booking_no == "4711"
    assert said(history).startswith("rejected (2 rows): no customer name; the booking report of location ")
    assert f"by run {run.run_id[:8]}" in said(history)
    fetched = only(asked(world, PHONE, fetch=True)).source_now
    assert fetched is not None
    assert "rejected: no customer name" in fetched.state


def test_a_row_that_can_not_become_a_lead_is_found_at_the_source_with_the_reason(
    world: World, sandbox: Sandbox
) -> None:
    world.run((StepName.BOOKING,))
    book(sandbox, customerName=" ", itemCode="A")
    book(sandbox, customerName=" ", itemCode="B")
    found = asked(world, PHONE, fetch=True)
    history = only(found)
    assert (found.found, history.state, history.booking_no) == (False, RecordState.REFUSED, "4711")
    assert history.source_now is not None
    assert history.source_now.state.endswith(
        f"location {sandbox.locations[0]}, but rejected: no customer name"
    )
    assert "the next sync adds it" in history.notes[0]


def test_a_dismissed_reject_is_told_by_its_booking_number_and_by_what_the_source_has(
    world: World, sandbox: Sandbox
) -> None:
    book(sandbox, customerName=" ")
    world.run((StepName.BOOKING,))
    with world.storage() as storage:
        listed = [reject.reject_id for reject in storage.rejects() if "4711" in reject.row]
    world.dismiss_rejects(*listed)
    history = only(asked(world, "4711"))
    assert (history.state, history.booking_no) == (RecordState.ANSWERED, "4711")
    assert not asked(world, PHONE).found  # a dismissed row keeps no customer's data
    history = only(asked(world, PHONE, fetch=True))
    assert history.state is RecordState.REFUSED
    assert "dismissed" in history.notes[0]


def test_what_the_source_says_now(world: World, sandbox: Sandbox) -> None:
    number = next(
        row["bookingNo"] for row in sandbox.rows("booking", sandbox.locations[1]) if row.get("bookingNo")
    )
    world.run((StepName.BOOKING,))

    def now() -> Any:
        history = next(
            history for history in asked(world, number, fetch=True).histories if history.lead is not None
        )
        assert history.source_now is not None
        return history.source_now

    assert now().state.endswith(", unchanged")
    sandbox.change_booking(number, deliveryDate=date(2030, 1, 1), trialDate=None)
    said_now = now()
    assert said_now.state.endswith(", changed")
    assert [(field.field, field.source) for field in said_now.differs] == [
        ("functionDate", datetime(2030, 1, 1, tzinfo=UTC))
    ]
    asked_for = {request.location for request in sandbox.requests[-3:] if request.location}
    assert asked_for == {sandbox.locations[1]}
    sandbox.set_faults(Fault("404", api="booking"))
    assert "not known" in now().state
    sandbox.set_faults()
    sandbox.remove_booking(number)
    assert now().state.startswith("no longer there (the booking report of location ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        ({"bookingDate": None}, "in {}, but no booking date, so not a booking"),
        ({"bookingDate": "1900-01-01T00:00:00"}, "in {}, but no booking date, so not a booking"),
        ({"phoneNo": "9000000078"}, "in {}, but under another phone number"),
    ],
)
def test_a_booking_that_its_row_does_not_make_any_more(
    world: World, sandbox: Sandbox, change: dict[str, Any], said_of_it: str
) -> None:
    row = book(sandbox)
    world.run((StepName.BOOKING,))
    row.update(change)
    sandbox.add_rows(sandbox.locations[0], [])  # what it has answered before counts no more
    now = next(
        history for history in asked(world, PHONE, fetch=True).histories if history.lead is not None
    ).source_now
    assert now is not None
    assert now.state == said_of_it.format(f"the booking report of location {sandbox.locations[0]}")


def test_what_the_database_does_not_have_is_found_at_the_source(world: World, sandbox: Sandbox) -> None:
    nothing = asked(world, PHONE)
    assert (nothing.found, nothing.histories, nothing.asked) == (False, (), "90xxxxxx77")
    world.run((StepName.BOOKING,))
    book(sandbox)
    found = asked(world, PHONE, fetch=True)
    assert not found.found
    history = only(found)
    assert history.state is RecordState.MISSING
    assert history.booking_no == "4711"
    assert f"--location {sandbox.locations[0]}" in history.notes[0]
