"""Which leads `cleanup finished` would delete, which it only lists, and why."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncctl.locations import load_locations
from syncctl.ports.admin import Database
from syncctl.services.cleanup.finished.cleaning import plan_finished
from syncctl.services.cleanup.finished.plan import FinishedPlan, FoundLead, MatchReason, Pairing
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, text_id
from tests.support.brought_back import (
    FINISHED_AT,
    FIRST_SEEN,
    add_telecaller,
    app_report,
    brought_back,
    known,
)
from tests.support.webapp import Lead, SqliteApp

DAY = datetime(2026, 1, 3, tzinfo=UTC)
STORE, OTHER_STORE = "Suitor Guy - Calicut", "Zorucci - Edappally"
OTHER_PHONE = "9444444444"
OTHER_NUMBER = "2025000000777"
BOOKED = datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)
NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
RNG = Random(7)  # noqa: S311 - no secret


def booking(number: int, **changes: Any) -> Lead:
    """A booking that was made in a second of its own."""
    at = changes.get("createdAt", BOOKED + timedelta(minutes=number))
    return lead(number, **{"createdAt": at, "updatedAt": at, **changes})


def visit(number: int, **changes: Any) -> Lead:
    """A walk-in of a file."""
    fields = {
        "leadType": "general",
        "source": "Walk-in",
        "enquiryDate": DAY,
        "createdAt": DAY,
        "updatedAt": DAY,
    }
    made = lead(number, **{**fields, **changes})
    return {field: value for field, value in made.items() if field not in ("bookingNo", "securityAmount")}


def typed(number: int, **changes: Any) -> Lead:
    """A lead that a telecaller typed in by hand."""
    at = BOOKED + timedelta(hours=number)
    return {
        **visit(number, createdAt=at, updatedAt=at, **changes),
        "enquiryDate": None,
    }


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_storage(f"sqlite:///{tmp_path / 'leads.db'}")) as database:
        database.prepare()
        yield database


@pytest.fixture
def app(tmp_path: Path, database: Database) -> Iterator[SqliteApp]:
    with closing(SqliteApp(str(tmp_path / "leads.db"))) as app:
        yield app


def plan(database: Database) -> FinishedPlan:
    return plan_finished(database, load_locations(), NOW)


def ids(leads: list[FoundLead]) -> dict[str, MatchReason]:
    return {found.lead_id: found.why for found in leads}


def outcome(found: FinishedPlan) -> dict[str, dict[str, MatchReason]]:
    """What is not empty of it."""
    groups = {"finished": found.finished, "came back": found.came_back, "listed": found.listed}
    return {name: ids(leads) for name, leads in groups.items() if leads}


@pytest.mark.parametrize(
    ("stored", "report", "why"),
    [
        (booking(1), app_report(booking(1)), MatchReason.BOOKING),
        (
            booking(1),
            app_report(booking(1), name="X", store=OTHER_STORE, createdAt=None),
            MatchReason.BOOKING,
        ),
        (booking(1), app_report(booking(1), phone=OTHER_PHONE), MatchReason.BOOKING),
        (
            booking(1),
            app_report(booking(1), phone=OTHER_PHONE, name="X", store=OTHER_STORE, createdAt=None),
            MatchReason.BOOKING,
        ),
        (booking(1), app_report(booking(1), bookingNo=OTHER_NUMBER), MatchReason.MOMENT),
        (
            booking(1),
            app_report(booking(1), bookingNo=OTHER_NUMBER, name="X", store=OTHER_STORE),
            MatchReason.MOMENT,
        ),
        (booking(1), app_report(booking(1), bookingNo=None), MatchReason.MOMENT),
        (
            booking(1, bookingNo="0"),
            app_report(booking(1, bookingNo="0"), createdAt=None),
            MatchReason.BOOKING,
        ),
        (
            booking(1, bookingNo="0"),
            app_report(booking(1, bookingNo="0"), phone=OTHER_PHONE),
            MatchReason.BOOKING,
        ),
        (
            booking(1),
            {
                "leadData": {
                    "phone": booking(1)["phone"],
                    "bookingNo": booking(1)["bookingNo"],
                    "leadType": "bookingConfirmation",
                }
            },
            MatchReason.BOOKING,
        ),
        (
            booking(1),
            {"leadSnapshot": {k: v for k, v in booking(1).items() if k != "_id"}},
            MatchReason.BOOKING,
        ),
        (booking(1), {"id": text_id(1)}, MatchReason.ID),
        (booking(1), app_report(visit(9)) | {"id": text_id(1)}, MatchReason.ID),
        (booking(1), {"beforeSnapshot": {"_id": text_id(1)}}, MatchReason.ID),
        (typed(2), app_report(typed(2)), MatchReason.MOMENT),
        (typed(2), app_report(typed(2), name="X", store=OTHER_STORE), MatchReason.MOMENT),
        (
            typed(2),
            app_report(typed(2), leadType="lossOfSale")
            | {"lead_type_before": "general", "lead_type_after": "lossOfSale"},
            MatchReason.MOMENT,
        ),
        (booking(3, leadType="return"), app_report(booking(3, leadType="return")), MatchReason.BOOKING),
    ],
)
def test_what_nobody_worked_on_and_a_report_is_certainly_about_goes(
    database: Database, app: SqliteApp, stored: Lead, report: dict[str, Any], why: MatchReason
) -> None:
    database.store_leads([stored, booking(50), visit(51), typed(52)], [])
    app.add_report(report)
    assert outcome(plan(database)) == {"finished": {stored["_id"]: why}}
    app.edit(stored["_id"], callStatus="Busy")
    assert outcome(plan(database)) == {"listed": {stored["_id"]: why}}
    assert plan(database).listed[0].worked_on


@pytest.mark.parametrize(
    ("stored", "report", "why"),
    [
        (
            booking(1, bookingNo="0"),
            app_report(booking(2, bookingNo="0"), createdAt=FINISHED_AT),
            MatchReason.BOOKING,
        ),
        (
            booking(1, bookingNo="NIL"),
            app_report(booking(2, bookingNo="NIL"), createdAt=FINISHED_AT),
            MatchReason.BOOKING,
        ),
        (
            booking(1, bookingNo="0" * 12),
            app_report(booking(2, bookingNo="0" * 12, createdAt=DAY)),
            MatchReason.BOOKING,
        ),
        (
            booking(1),
            {"leadData": {"phone": booking(1)["phone"], "bookingNo": booking(1)["bookingNo"]}},
            MatchReason.BOOKING,
        ),
        (booking(1), app_report(booking(1), bookingNo=OTHER_NUMBER, phone=OTHER_PHONE), MatchReason.MOMENT),
        (booking(1), app_report(booking(1), bookingNo=OTHER_NUMBER, securityAmount=900), MatchReason.MOMENT),
        (booking(1), app_report(booking(1), bookingNo=OTHER_NUMBER, functionDate=DAY), MatchReason.MOMENT),
        (visit(1), app_report(visit(1)), MatchReason.DAY),
        (visit(1, createdAt=DAY - timedelta(hours=5, minutes=30)), app_report(visit(1)), MatchReason.DAY),
        (visit(1), app_report(visit(1), name="X", store=OTHER_STORE), MatchReason.DAY),
        (visit(1), app_report(visit(1), phone=OTHER_PHONE), MatchReason.DAY),
        (typed(1), app_report(typed(1), phone=OTHER_PHONE), MatchReason.MOMENT),
        (
            visit(1),
            {
                "leadData": {
                    "phone": visit(1)["phone"],
                    "name": visit(1)["name"],
                    "store": STORE,
                    "leadType": "general",
                }
            },
            MatchReason.PERSON,
        ),
    ],
)
def test_what_a_report_fits_less_well_is_only_listed(
    database: Database, app: SqliteApp, stored: Lead, report: dict[str, Any], why: MatchReason
) -> None:
    database.store_leads([stored], [])
    app.add_report(report)
    assert outcome(plan(database)) == {"listed": {stored["_id"]: why}}


@pytest.mark.parametrize(
    ("stored", "report"),
    [
        (booking(1, leadType="return"), app_report(booking(1))),
        (booking(1, bookingNo=OTHER_NUMBER, createdAt=BOOKED + timedelta(seconds=1)), app_report(booking(1))),
        (booking(1), app_report(booking(2))),
        (
            visit(1, createdAt=DAY + timedelta(days=1), enquiryDate=DAY + timedelta(days=1)),
            app_report(visit(1)),
        ),
        (typed(1), app_report(visit(1))),
        (visit(1, store=OTHER_STORE, phone=OTHER_PHONE), app_report(visit(1))),
    ],
)
def test_other_visits_and_other_bookings_of_a_customer_are_let_alone(
    database: Database, app: SqliteApp, stored: Lead, report: dict[str, Any]
) -> None:
    database.store_leads([stored], [])
    app.add_report(report)
    assert outcome(plan(database)) == {}


def test_a_booking_number_that_strangers_share_tells_nobody_from_another(
    database: Database, app: SqliteApp
) -> None:
    strangers = [booking(number, bookingNo="TO BE GIVEN") for number in (1, 2)]
    database.store_leads(strangers, [])
    app.add_report(app_report(booking(3, bookingNo="TO BE GIVEN")))
    app.add_report(app_report(booking(1, bookingNo="TO BE GIVEN", createdAt=DAY), phone=OTHER_PHONE))
    assert outcome(plan(database)) == {
        "listed": {text_id(1): MatchReason.BOOKING, text_id(2): MatchReason.BOOKING}
    }


def test_a_number_that_a_record_without_a_lead_has_as_well_tells_nothing_either(
    database: Database, app: SqliteApp
) -> None:
    other = booking(2, bookingNo=booking(1)["bookingNo"])
    database.store_leads([booking(1)], [known(other)])
    app.add_report(app_report(booking(1), phone=OTHER_PHONE))
    assert outcome(plan(database)) == {"listed": {text_id(1): MatchReason.BOOKING}}


def test_of_two_bookings_of_one_second_the_one_with_the_reports_number_goes(
    database: Database, app: SqliteApp
) -> None:
    second = booking(2, phone=booking(1)["phone"], createdAt=booking(1)["createdAt"])
    database.store_leads([booking(1), second], [])
    app.add_report(app_report(booking(1)))
    assert outcome(plan(database)) == {
        "finished": {text_id(1): MatchReason.BOOKING},
        "listed": {text_id(2): MatchReason.MOMENT},
    }


def test_a_report_that_finished_another_record_is_nobody_elses_unless_all_of_the_key_is_the_same(
    database: Database, app: SqliteApp
) -> None:
    report_id = app.add_report(app_report(booking(1), phone=OTHER_PHONE))
    other = known(booking(9), report_id=report_id)
    database.store_leads([booking(1)], [known(booking(1)), other])
    assert outcome(plan(database)) == {}
    database.store_leads([booking(2, phone=OTHER_PHONE, bookingNo=booking(1)["bookingNo"])], [])
    found = plan(database)
    assert outcome(found) == {"finished": {text_id(2): MatchReason.BOOKING}}
    assert found.finished[0].pairing is None


def test_a_report_that_names_another_records_lead_is_about_that_one(
    database: Database, app: SqliteApp
) -> None:
    app.add_report(app_report(booking(1), phone=OTHER_PHONE) | {"id": text_id(9)})
    database.store_leads([booking(1)], [known(booking(1)), known(booking(9))])
    assert outcome(plan(database)) == {"listed": {text_id(1): MatchReason.BOOKING}}


def test_surplus_copies_go_as_well_and_the_record_is_marked_once(database: Database, app: SqliteApp) -> None:
    copy = {**booking(1), "_id": text_id(11)}
    record = known(booking(1))
    report_id = app.add_report(app_report(booking(1)))
    database.store_leads([booking(1), copy], [record])
    found = plan(database)
    assert outcome(found) == {"finished": {text_id(1): MatchReason.BOOKING, text_id(11): MatchReason.BOOKING}}
    assert [each.pairing for each in found.finished] == [
        Pairing(record.record_id, report_id, is_own=True),
        None,
    ]
    database.pair_reports({record.record_id: report_id})
    again = plan(database)
    assert outcome(again) == outcome(found)
    assert [each.pairing for each in again.finished] == [None, None]


def test_two_reports_of_two_records_with_one_key_each(database: Database, app: SqliteApp) -> None:
    """Each record gets the report that fits it best, and none gets two."""
    first, second = known(booking(1)), known(booking(2))
    reports = [app.add_report(app_report(booking(number))) for number in (1, 2, 1)]
    database.store_leads([booking(1), booking(2)], [first, second])
    pairings = {each.lead_id: each.pairing for each in plan(database).finished}
    assert pairings[text_id(2)] == Pairing(second.record_id, reports[1], is_own=True)
    one = pairings[text_id(1)]
    assert one is not None
    assert one.report_id in (reports[0], reports[2])


class TestOfRecords:
    """What another program stored again."""

    def test_a_deleted_lead_goes_again(self, database: Database) -> None:
        back = brought_back(booking(1), RNG)
        record = known(booking(1))
        database.store_leads([back, booking(2)], [record, known(booking(2))])
        found = plan(database)
        assert outcome(found) == {"came back": {back["_id"]: MatchReason.DELETED}}
        (only,) = found.came_back
        assert only.came_back_at == (FIRST_SEEN + timedelta(days=60)).replace(microsecond=0)
        assert (only.report, only.pairing) == (None, None)

    @pytest.mark.parametrize("moved", [timedelta(), timedelta(hours=-5, minutes=-30)])
    def test_and_so_does_a_files(self, database: Database, moved: timedelta) -> None:
        back = brought_back(visit(1, createdAt=DAY + moved, updatedAt=DAY + moved), RNG)
        database.store_leads([back], [known(visit(1), source="walkin")])
        assert outcome(plan(database)) == {"came back": {back["_id"]: MatchReason.DELETED}}

    def test_of_the_very_second_in_which_the_record_was_made(self, database: Database) -> None:
        back = brought_back(booking(1), RNG, FIRST_SEEN)
        database.store_leads([back], [known(booking(1))])
        assert outcome(plan(database)) == {"came back": {back["_id"]: MatchReason.DELETED}}

    @pytest.mark.parametrize(
        "copy_id", ["5f0000000000000000000001", "ff0000000000000000000001", "an id of another kind"]
    )
    def test_a_copy_that_was_there_before_is_only_listed(self, database: Database, copy_id: str) -> None:
        """Of two copies of the old system's somebody may have deleted one, to keep the other."""
        database.store_leads([{**booking(1), "_id": copy_id}], [known(booking(1))])
        assert outcome(plan(database)) == {"listed": {copy_id: MatchReason.DELETED}}

    def test_one_that_somebody_works_on_stays(self, database: Database) -> None:
        back = brought_back(booking(1, callStatus="Busy"), RNG)
        database.store_leads([back], [known(booking(1))])
        assert outcome(plan(database)) == {}

    def test_a_copy_beside_its_records_lead_is_for_another_command(self, database: Database) -> None:
        database.store_leads([booking(1), brought_back(booking(1), RNG)], [known(booking(1))])
        assert outcome(plan(database)) == {}

    def test_what_a_killed_run_stored_stays(self, database: Database) -> None:
        record = known(booking(1))
        stored = {**booking(1), "_id": record.record_id}
        database.store_leads([stored], [record])
        assert outcome(plan(database)) == {}

    def test_a_lead_of_another_record_stays(self, database: Database) -> None:
        """An edit in the database has given it the key of a record whose lead somebody deleted."""
        edited = {**booking(1), "_id": text_id(2)}
        database.store_leads([edited], [known(booking(1)), known(booking(2))])
        assert outcome(plan(database)) == {}

    def test_what_was_typed_in_by_hand_on_the_day_of_a_deleted_visit_stays(self, database: Database) -> None:
        record = known(visit(1), source="walkin")
        at = DAY + timedelta(hours=9)
        database.store_leads([brought_back(visit(1, createdAt=at, updatedAt=at), RNG)], [record])
        assert outcome(plan(database)) == {}

    def test_a_booking_without_a_number_is_told_by_its_time(self, database: Database) -> None:
        unnumbered = {field: value for field, value in booking(1).items() if field != "bookingNo"}
        later = unnumbered | dict.fromkeys(("createdAt", "updatedAt"), BOOKED + timedelta(days=1))
        back = brought_back(unnumbered, RNG)
        database.store_leads([back, brought_back(later, RNG)], [known(unnumbered)])
        assert outcome(plan(database)) == {"came back": {back["_id"]: MatchReason.DELETED}}

    def test_of_a_finished_record_whatever_was_edited_before(
        self, database: Database, app: SqliteApp
    ) -> None:
        """Also a copy that was there before syncctl: its booking is finished."""
        edited = app_report(booking(1), phone=OTHER_PHONE, bookingNo=OTHER_NUMBER, createdAt=DAY)
        report_id = app.add_report(edited)
        back, old = brought_back(booking(1), RNG), {**booking(1), "_id": "5f0000000000000000000001"}
        record = known(booking(1), report_id=report_id)
        database.store_leads([back, old], [record])
        found = plan(database)
        assert outcome(found) == {
            "finished": {back["_id"]: MatchReason.RECORD, old["_id"]: MatchReason.RECORD}
        }
        assert {each.pairing for each in found.finished} == {None}
        app.edit(back["_id"], callStatus="Busy")
        assert outcome(plan(database))["listed"] == {back["_id"]: MatchReason.RECORD}

    def test_a_records_own_lead_goes_once_the_record_is_marked(
        self, database: Database, app: SqliteApp
    ) -> None:
        """A cleanup was killed between the two, or the lead was put back."""
        report_id = app.add_report(
            app_report(booking(1), phone=OTHER_PHONE, bookingNo=OTHER_NUMBER, createdAt=DAY)
        )
        database.store_leads([booking(1)], [known(booking(1), report_id=report_id)])
        assert outcome(plan(database)) == {"finished": {text_id(1): MatchReason.RECORD}}

    def test_a_record_is_marked_as_the_next_sync_would(self, database: Database, app: SqliteApp) -> None:
        """No sync came between finishing and storing again, and the report fits the record in part."""
        report_id = app.add_report(app_report(visit(1), phone=OTHER_PHONE))
        back = brought_back(visit(1), RNG)
        record = known(visit(1), source="walkin")
        database.store_leads([back], [record])
        found = plan(database)
        assert outcome(found) == {"finished": {back["_id"]: MatchReason.RECORD}}
        assert found.finished[0].pairing == Pairing(record.record_id, report_id, is_own=False)

    def test_a_marked_record_whose_report_is_gone(self, database: Database) -> None:
        back = brought_back(booking(1), RNG)
        database.store_leads([back], [known(booking(1), report_id="6b08af2f8ae7a7f93163592f")])
        assert outcome(plan(database)) == {"came back": {back["_id"]: MatchReason.DELETED}}


def test_a_lead_stands_beside_its_report(database: Database, app: SqliteApp) -> None:
    add_telecaller(app, "Made Up Telecaller")
    stored = visit(1)
    app.add_report(app_report(stored, phone=OTHER_PHONE, name="Customer  1"))
    database.store_leads([stored], [])
    (found,) = plan(database).listed
    assert found.lead.phone == stored["phone"]
    assert found.report_summary == found.lead._replace(phone=OTHER_PHONE, name="Customer  1")
    assert (found.same, found.other) == (("name", "store", "day"), ("phone",))
    assert found.report is not None
    assert (found.report.finished_at, found.report.finished_by) == (FINISHED_AT, "Made Up Telecaller")


def test_hundreds_in_several_batches(
    database: Database, app: SqliteApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncctl.services.cleanup.finished.cleaning.LEADS_AT_ONCE", 7)
    monkeypatch.setattr("syncctl.services.cleanup.finished.candidates.LEADS_AT_ONCE", 11)
    leads = [booking(number) for number in range(120)]
    database.store_leads(leads, [known(each) for each in leads])
    app._database.execute("BEGIN")
    reports = {each["_id"]: app.add_report(app_report(each)) for each in leads[::2]}
    app._database.execute("COMMIT")
    found = plan(database)
    assert ids(found.finished) == dict.fromkeys(reports, MatchReason.BOOKING)
    pairings = {each.lead_id: each.pairing.report_id for each in found.finished if each.pairing}
    assert pairings == reports
