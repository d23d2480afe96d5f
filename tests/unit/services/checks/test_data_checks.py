"""`verify data`: each thing that can be wrong with a lead is found, counted and told with its cure."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.checks import CheckReport, CheckResult, Finding
from syncctl.domain.stores import Store
from syncctl.locations import load_locations
from syncctl.ports.admin import Database
from syncctl.services.checks.data_checks import check_data
from syncctl.services.run import Clock
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, record, text_id
from tests.support.webapp import MongoApp, SqliteApp, finish, report_of

NOW = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)
"""In Kolkata it is half past one in the night, of the 11th."""

CLOCK = Clock(lambda: NOW, lambda: 0.0, lambda after: after + timedelta(minutes=5), ZoneInfo("Asia/Kolkata"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'leads.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(open_storage(url)) as database:
        database.prepare()
        yield database


@pytest.fixture
def app(url: str, database: Database) -> Iterator[SqliteApp]:
    with closing(SqliteApp(url.removeprefix("sqlite:///"))) as app:
        yield app


def verify(database: Database) -> CheckReport:
    return check_data(database, load_locations(), CLOCK)


def test_how_long_each_look_up_took(database: Database) -> None:
    database.store_leads([lead(1)], [])
    ticks = iter((0.0, 1.0, 3.0, 3.5, 7.5))
    clock = CLOCK._replace(monotonic=lambda: next(ticks))
    took = check_data(database, load_locations(), clock).took
    assert took == {"reports": 1.0, "leads": 2.0, "stores": 0.5, "duplicates": 4.0}


def lines(report: CheckReport, name: str) -> list[Finding]:
    return [check for check in report.checks if check.name == name]


def line(report: CheckReport, name: str) -> Finding:
    (found,) = lines(report, name)
    return found


def tally(report: CheckReport, title: str) -> dict[str, int]:
    return next((dict(found.counts) for found in report.tallies if found.title == title), {})


def test_sound_leads_are_counted_by_what_they_are(database: Database) -> None:
    database.add_stores([Store("Suitor Guy - Calicut", "13", "Suitor Guy", "", True)])
    march = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    database.store_leads(
        [
            lead(1),
            lead(2, createdAt=march),
            lead(3, leadType="return", source="Return", store="Zorucci - Edappally"),
        ],
        [],
    )
    report = verify(database)
    assert [check for check in report.checks if check.result is not CheckResult.PASSED] == []
    assert line(report, "Leads").message == "3, and 0 finished (in reports)"
    assert tally(report, "Leads by type") == {"bookingConfirmation": 2, "return": 1}
    assert tally(report, "Leads by source") == {"Booking": 2, "Return": 1}
    assert tally(report, "Leads by store") == {"Suitor Guy - Calicut": 2, "Zorucci - Edappally": 1}
    assert list(tally(report, "Leads by month").items()) == [("2026-03", 1), ("2025-02", 2)]


def test_an_empty_database_says_only_that(database: Database) -> None:
    report = verify(database)
    assert report.ok
    assert [check.name for check in report.checks] == ["Leads", "Stores"]


def test_phones_must_have_ten_ascii_digits(database: Database) -> None:
    phones = ["12345", "+91 90000 00001", "९०००००००००", "90000000011", "9000000009"]
    database.store_leads([lead(n, phone=phone) for n, phone in enumerate(phones, start=1)], [])
    found = line(verify(database), "Phone numbers")
    assert found.result is CheckResult.FAILED
    assert found.message.startswith("4 without 10 digits")
    assert "in the database" in found.hint  # no page of the web app edits a phone number
    assert text_id(1) in found.message
    assert "…" in found.message


def test_store_names_are_told_with_the_canonical_one(database: Database) -> None:
    stores = [
        *("Zurocci - Edappally",) * 2,
        "Suitor Guy - CALICUT",
        "Default Store",
        "Suitor Guy - Atlantis",
        "Suitor Guy - Newtown",
        "Suitor Guy - Calicut",
    ]
    database.add_stores([Store("Suitor Guy - Newtown", "900", "Suitor Guy", "", True)])
    database.store_leads([lead(n, store=store) for n, store in enumerate(stores, start=1)], [])
    report = verify(database)
    misspelt, unknown = lines(report, "Store names")
    assert misspelt.message.startswith("3 leads with 2 misspelt names")
    assert "cleanup stores" in misspelt.hint
    assert unknown.message.startswith("2 leads of 2 unknown stores")
    assert "import their files again" in unknown.hint
    assert "in the database" in unknown.hint  # no page of the web app edits a store
    assert tally(report, "Leads with a misspelt store") == {
        "Zurocci - Edappally -> Zorucci - Edappally": 2,
        "Suitor Guy - CALICUT -> Suitor Guy - Calicut": 1,
    }
    assert set(tally(report, "Leads of an unknown store")) == {"Default Store", "Suitor Guy - Atlantis"}


@pytest.mark.parametrize(
    ("created_at", "in_future"),
    [
        # Later than now in UTC, but past on the wall clock of the business, which is what is stored.
        (datetime(2026, 3, 11, 1, 29, tzinfo=UTC), False),
        (datetime(2026, 3, 11, 1, 31, tzinfo=UTC), True),
    ],
)
def test_the_future_begins_where_the_businesss_wall_clock_is(
    database: Database, created_at: datetime, in_future: bool
) -> None:
    database.store_leads([lead(1, createdAt=created_at)], [])
    found = line(verify(database), "Dates")
    assert (found.result is CheckResult.WARNING) is in_future
    assert ("1 lead with createdAt in the future" in found.message) is in_future


@pytest.mark.parametrize("shape", ["leadData", "leadSnapshot", "beforeSnapshot"])
def test_a_further_copy_of_a_finished_booking_is_finished_too(
    database: Database, app: SqliteApp, shape: str
) -> None:
    copies = [lead(1), lead(1, _id=text_id(2)), lead(3), lead(1, _id=text_id(4), leadType="return")]
    database.store_leads(copies, [])
    finish(app, lead(1), shape)
    found = line(verify(database), "Finished leads")
    assert found.result is CheckResult.FAILED
    assert f"1 both in leads and in reports (_id {text_id(2)})" in found.message


def walkin(number: int, **changes: Any) -> dict[str, Any]:
    visit = datetime(2026, 10, 10, tzinfo=UTC)
    of_file = {"leadType": "general", "name": "Anagha K", "createdAt": visit, "updatedAt": visit}
    found = lead(number, **of_file, enquiryDate=visit, **changes)
    del found["bookingNo"]
    return found


def test_a_walk_in_whose_report_was_written_is_in_both(database: Database, app: SqliteApp) -> None:
    database.store_leads([walkin(1), walkin(2, phone="9222222222")], [])
    app.add_report(report_of(walkin(1), "general page"))
    found = line(verify(database), "Finished leads")
    assert found.result is CheckResult.FAILED
    assert f"(_id {text_id(1)})" in found.message


def test_two_leads_that_a_report_fits_alike_are_to_be_looked_at(database: Database, app: SqliteApp) -> None:
    database.store_leads([walkin(1), walkin(2, phone="9222222222")], [])
    app.add_report(report_of(walkin(3, phone="9333333333"), "general page"))
    found = line(verify(database), "Finished leads")
    assert found.result is CheckResult.WARNING
    assert found.message.startswith("2 may be finished: a report fits them in part")
    assert "`syncctl cleanup finished`" in found.hint


def test_what_a_report_of_another_record_fits_in_part_is_sound(database: Database, app: SqliteApp) -> None:
    database.store_leads([walkin(1, phone="9222222222")], [record(2)])
    report_id = app.add_report(report_of(walkin(2), "general page"))
    database.pair_reports({text_id(2): report_id})
    assert line(verify(database), "Finished leads").result is CheckResult.PASSED


def test_a_lead_that_is_in_reports_by_its_id_is_wrong(database: Database, app: SqliteApp) -> None:
    database.store_leads([lead(1), lead(2)], [])
    finish(app, lead(1), "flat with id", phone="9111111111")
    database.store_leads([lead(1, phone="9222222222", bookingNo="other")], [])
    report = verify(database)
    found = line(report, "Finished leads")
    assert found.result is CheckResult.FAILED
    assert text_id(1) in found.message
    assert text_id(2) not in found.message
    assert line(report, "Leads").message == "2, and 1 finished (in reports)"


def test_duplicates_break_a_promise(database: Database) -> None:
    database.store_leads([lead(1), lead(1, _id=text_id(2))], [])
    found = line(verify(database), "Duplicates")
    assert found.result is CheckResult.FAILED
    assert "1 set with 1 copy too many" in found.message


def test_samples_are_the_newest_leads_with_masked_numbers(database: Database) -> None:
    day = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    # The oldest first, two of one instant, and one of the future, which is no sample of what came in.
    dates = [
        day,
        day.replace(day=2, hour=0, minute=0),
        day + timedelta(days=2),
        day + timedelta(days=2),
        day.replace(2099),
    ]
    leads = [lead(n, createdAt=date, phone="9012345678") for n, date in enumerate(dates, start=1)]
    database.store_leads(leads, [])
    samples = [check.message for check in lines(verify(database), "Newest lead")]
    assert [sample.partition(",")[0] for sample in samples] == [
        "2026-03-03 10:30",
        "2026-03-03 10:30",
        "2026-03-02",
    ]
    assert "90xxxxxx78" in samples[0]
    assert "9012345678" not in "".join(samples)


def test_what_people_and_other_programs_leave_in_a_database_is_counted(mongo_url: str) -> None:
    sound: dict[str, Any] = {key: value for key, value in lead(1).items() if key != "_id"}
    odd: list[dict[str, Any]] = [
        {**sound, "name": "  "},
        {**sound, "name": None, "createdAt": "yesterday"},
        {key: value for key, value in sound.items() if key != "phone"},
        {**sound, "phone": 9000000001, "leadType": 7},
        {**sound, "store": ["x"], "createdAt": None},
        {},
    ]
    with closing(MongoApp(mongo_url)) as app, closing(open_storage(mongo_url)) as database:
        for document in odd:
            app.insert(document)
        app.add_report({})
        app.add_report({"leadData": "gone", "id": 5})
        report = verify(database)
    found = line(report, "Required fields")
    assert found.result is CheckResult.FAILED
    assert "3 leads without name, 3 leads without phone, 2 leads without store" in found.message
    assert "3 leads without a date in createdAt" in line(report, "Dates").message
    assert tally(report, "Leads by type") == {"bookingConfirmation": 4, "7": 1, "(none)": 1}
    assert line(report, "Leads").message == "6, and 2 finished (in reports)"
