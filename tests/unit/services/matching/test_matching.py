"""Records matched with the database: each lead and each report is one record's, over all that there are."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.identity import derived_id, lead_key, source_record
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.leads import new_lead
from syncctl.domain.records import SourceRecord, SyncRecord
from syncctl.domain.sources import LeadType
from syncctl.locations import load_locations
from syncctl.mapping.file_rows import file_key
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.matching.matching import Matcher
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.support.webapp import SqliteApp

BOOKED = datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)
VISIT = datetime(2026, 10, 10, tzinfo=UTC)
DAY = timedelta(days=1)
STORE, OTHER_STORE = "Suitor Guy - Calicut", "Zorucci - Kottayam"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leads.db"


@pytest.fixture
def storage(path: Path) -> Iterator[SqliteStorage]:
    with closing(SqliteStorage(path)) as storage:
        storage.prepare()
        yield storage


@pytest.fixture
def app(storage: SqliteStorage, path: Path) -> Iterator[SqliteApp]:
    with closing(SqliteApp(str(path))) as app:
        yield app


def booking(number: str = "77", **changes: Any) -> SourceRecord:
    values: dict[str, Any] = {
        "leadType": "bookingConfirmation",
        "source": "Booking",
        "name": "Anagha",
        "phone": "9000000001",
        "store": STORE,
        "bookingNo": number,
        "createdAt": BOOKED,
    }
    return source_record(LeadValues(**{**values, **changes}))  # type: ignore[typeddict-item]


def walkin(**changes: Any) -> SourceRecord:
    values: dict[str, Any] = {
        "leadType": "general",
        "source": "Walk-in",
        "name": "Anagha",
        "phone": "9000000001",
        "store": STORE,
        "createdAt": VISIT,
        "enquiryDate": VISIT,
    } | changes
    key = file_key(
        lead_key(values["leadType"], values["phone"], "", values["name"], values["store"]),
        values["createdAt"].date(),
    )
    return SourceRecord(key, derived_id(key), LeadValues(**values))  # type: ignore[typeddict-item]


def stored(storage: SqliteStorage, record: SourceRecord, lead_id: str | None = None, **changes: Any) -> str:
    """A lead as of that record, under another id and edited."""
    lead: Document = {**new_lead(record, BOOKED), **changes, "_id": lead_id or "a" * 24}
    storage.store_leads([lead], [])
    return str(lead["_id"])


def known(storage: SqliteStorage, record: SourceRecord, report_id: str | None = None) -> None:
    """The sync's own record, whose lead is gone."""
    kept = SyncRecord(
        record.lead_id, record.key, record.lead_id, "walkin", "f", record.values, "", BOOKED, "run", report_id
    )
    storage.store_leads([], [kept])


def finished(app: SqliteApp, record: SourceRecord, **edits: Any) -> str:
    """A report of today's shape of that record's lead, edited before it was finished."""
    values: dict[str, Any] = {**record.values, **edits}
    report = {
        "lead_name": values["name"],
        "phone_number": values["phone"],
        "store": values["store"],
        "lead_type": values["leadType"],
        "booking_number": values.get("bookingNo"),
        "created_at": values["createdAt"],
        "enquiry_date": values.get("enquiryDate"),
        "visit_date": None,
    }
    return app.add_report(report)


def match(storage: SqliteStorage, *records: SourceRecord) -> MatchResult:
    """What an import or an answer of these records comes to: one batch, then what was left undecided."""
    matcher = Matcher(storage, load_locations())
    lead_types = [LeadType(record.values["leadType"]) for record in records[:1]]
    keys = {record.key for record in records}
    result = matcher.match(records, lead_types, keys)
    left = [record for record in records if record.lead_id in result.undecided]
    keep(storage, result, [record for record in records if record not in left])
    if left:
        late = matcher.match(left, lead_types, keys, final_pass=True)
        keep(storage, late, left)
        result.finished |= late.finished
        result.lead_ids |= late.lead_ids
        result.present |= late.present
    return result


def keep(storage: SqliteStorage, result: MatchResult, records: Sequence[SourceRecord]) -> None:
    """Store what was matched, as a run does."""
    for record in records:
        lead_id, report_id = result.lead_id_of(record), result.finished.get(record.lead_id)
        kept = SyncRecord(
            record.lead_id, record.key, lead_id, "walkin", "f", record.values, "", BOOKED, "", report_id
        )
        storage.store_leads([new_lead(record, BOOKED)] if result.is_unmatched(record) else [], [kept])


# Leads of the old system, edited


@pytest.mark.parametrize(
    "edit",
    [
        {"phone": "9111111111"},
        {"phone": "9111111111", "name": "Other"},
        {"bookingNo": "78"},
        {"bookingNo": None},
        {"bookingNo": "78", "name": "Other"},
        {"bookingNo": "78", "phone": "9111111111"},
    ],
)
@pytest.mark.parametrize("touched", [False, True])
def test_an_edited_booking_is_found(storage: SqliteStorage, edit: dict[str, Any], touched: bool) -> None:
    if touched:
        edit = {**edit, "updatedAt": BOOKED + DAY}
    lead_id = stored(storage, booking(), **edit)
    assert match(storage, booking()).lead_id_of(booking()) == lead_id


@pytest.mark.parametrize("edit", [{"phone": "9111111111"}, {"name": "Other"}, {"store": OTHER_STORE}])
@pytest.mark.parametrize("shift", [timedelta(), timedelta(hours=-5, minutes=-30)])
def test_an_edited_visit_is_found(storage: SqliteStorage, edit: dict[str, Any], shift: timedelta) -> None:
    dates = dict.fromkeys(("createdAt", "updatedAt", "enquiryDate"), VISIT + shift)
    lead_id = stored(storage, walkin(), **{**edit, **dates})
    assert match(storage, walkin()).lead_id_of(walkin()) == lead_id


def test_another_day_or_another_second_is_another_lead(storage: SqliteStorage) -> None:
    stored(storage, walkin(), createdAt=VISIT - DAY, enquiryDate=VISIT - DAY)
    assert match(storage, walkin()).is_unmatched(walkin())
    stored(storage, booking(), "b" * 24, bookingNo="78", createdAt=BOOKED + timedelta(seconds=1))
    assert match(storage, booking()).is_unmatched(booking())


def test_a_lead_whose_own_record_comes_later_is_not_taken(storage: SqliteStorage) -> None:
    lead_id = stored(storage, booking("78"))
    result = match(storage, booking("77"), booking("78"))
    assert result.lead_id_of(booking("78")) == lead_id
    assert result.is_unmatched(booking("77"))


def test_a_lead_whose_own_record_is_known_is_not_taken(storage: SqliteStorage) -> None:
    known(storage, walkin(phone="9222222222"))
    stored(storage, walkin(phone="9222222222"))  # brought back by another program
    assert match(storage, walkin()).is_unmatched(walkin())


def test_a_surplus_copy_is_nobody_elses(storage: SqliteStorage) -> None:
    stored(storage, walkin(), "a" * 24)
    stored(storage, walkin(), "b" * 24)
    other_store = walkin(store=OTHER_STORE)
    assert match(storage, walkin(), other_store).is_unmatched(other_store)


def test_two_records_that_fit_a_lead_alike_are_both_new(storage: SqliteStorage) -> None:
    stored(storage, walkin(), phone="9333333333")
    one, two = walkin(phone="9111111111"), walkin(phone="9222222222")
    result = match(storage, one, two)
    assert result.is_unmatched(one)
    assert result.is_unmatched(two)


def test_a_lead_of_a_killed_run_is_its_own_records_only(storage: SqliteStorage) -> None:
    other = booking("78")
    stored(storage, other, other.lead_id)
    assert match(storage, booking()).is_unmatched(booking())


# Reports


@pytest.mark.parametrize(
    "edit",
    [{"bookingNo": "78"}, {"phone": "9111111111", "name": "Other"}, {"bookingNo": "78", "name": "Other"}, {}],
)
def test_a_finished_booking_stays_away(storage: SqliteStorage, app: SqliteApp, edit: dict[str, Any]) -> None:
    report_id = finished(app, booking(), **edit)
    assert match(storage, booking()).finished == {booking().lead_id: report_id}


@pytest.mark.parametrize(
    "edit", [{"phone": "9111111111"}, {"name": "Other"}, {"store": OTHER_STORE}, {}, {"leadType": "general"}]
)
def test_a_finished_visit_stays_away(storage: SqliteStorage, app: SqliteApp, edit: dict[str, Any]) -> None:
    report_id = finished(app, walkin(), **edit)
    assert match(storage, walkin()).finished == {walkin().lead_id: report_id}


@pytest.mark.parametrize("change", [{"createdAt": VISIT + 33 * DAY, "enquiryDate": VISIT + 33 * DAY}])
def test_the_next_visit_is_new(storage: SqliteStorage, app: SqliteApp, change: dict[str, Any]) -> None:
    report_id = finished(app, walkin())
    nxt = walkin(**change)
    result = match(storage, walkin(), nxt)
    assert result.finished == {walkin().lead_id: report_id}
    assert result.is_unmatched(nxt)


def test_a_report_finishes_one_record_for_good(storage: SqliteStorage, app: SqliteApp) -> None:
    report_id = finished(app, walkin(), store=OTHER_STORE)
    assert match(storage, walkin()).finished == {walkin().lead_id: report_id}
    other = walkin(store=OTHER_STORE)
    assert match(storage, other).is_unmatched(other)
    assert match(storage, walkin()).finished == {walkin().lead_id: report_id}


def test_a_report_is_the_record_that_it_fits_best(storage: SqliteStorage, app: SqliteApp) -> None:
    report_id = finished(app, walkin())
    namesake, elsewhere = walkin(phone="9222222222"), walkin(store=OTHER_STORE)
    result = match(storage, namesake, elsewhere, walkin())
    assert result.finished == {walkin().lead_id: report_id}
    assert result.is_unmatched(namesake)
    assert result.is_unmatched(elsewhere)


def test_a_known_record_counts_though_it_is_not_in_the_import(storage: SqliteStorage, app: SqliteApp) -> None:
    known(storage, walkin())
    finished(app, walkin())
    elsewhere = walkin(store=OTHER_STORE)
    assert match(storage, elsewhere).is_unmatched(elsewhere)


def test_a_known_record_that_is_there_leaves_an_edited_namesakes_report(
    storage: SqliteStorage, app: SqliteApp
) -> None:
    there, edited = walkin(phone="9111111111"), walkin(phone="9222222222")
    match(storage, there)
    report_id = finished(app, edited, phone="9333333333")
    assert match(storage, edited).finished == {edited.lead_id: report_id}


def test_a_tie_imports(storage: SqliteStorage, app: SqliteApp) -> None:
    finished(app, walkin(), phone="9333333333")
    one, two = walkin(phone="9111111111"), walkin(phone="9222222222")
    result = match(storage, one, two)
    assert result.finished == {}
    assert result.is_unmatched(one)
    assert result.is_unmatched(two)


def test_two_reports_of_one_booking_finish_no_other(storage: SqliteStorage, app: SqliteApp) -> None:
    finished(app, booking())
    finished(app, booking())
    sibling = booking("78", phone="9222222222")
    result = match(storage, booking(), sibling)
    assert result.finished.keys() == {booking().lead_id}
    assert result.is_unmatched(sibling)


def test_a_report_of_a_lead_that_is_still_there_finishes_no_other(
    storage: SqliteStorage, app: SqliteApp
) -> None:
    typed = walkin(name="By Hand")
    stored(storage, typed)
    finished(app, typed)
    assert match(storage, walkin(store=OTHER_STORE)).finished == {}


def test_a_report_that_names_another_records_lead_is_about_that(
    storage: SqliteStorage, app: SqliteApp
) -> None:
    other = walkin(createdAt=VISIT - DAY, enquiryDate=VISIT - DAY)
    known(storage, other)
    app.add_report({"id": other.lead_id, "phone_number": "9000000001", "enquiry_date": VISIT})
    assert match(storage, walkin()).is_unmatched(walkin())


def test_what_was_deleted_on_purpose_is_neither_new_nor_finished(storage: SqliteStorage) -> None:
    known(storage, walkin())
    result = match(storage, walkin())
    assert not result.is_unmatched(walkin())
    assert result.finished == {}


def test_a_known_record_is_noted_as_finished_once(storage: SqliteStorage, app: SqliteApp) -> None:
    known(storage, walkin())
    report_id = finished(app, walkin())
    first = match(storage, walkin())
    assert first.newly_finished == {walkin().lead_id: report_id}
    storage.pair_reports(first.newly_finished)
    again = match(storage, walkin())
    assert again.newly_finished == {}
    assert again.finished == {walkin().lead_id: report_id}


def test_a_matcher_that_writes_nothing_gives_nothing_away_twice(
    storage: SqliteStorage, app: SqliteApp
) -> None:
    finished(app, walkin(), store=OTHER_STORE)
    matcher = Matcher(storage, load_locations())
    first = matcher.match([walkin()], [LeadType.GENERAL], final_pass=True)
    again = matcher.match([walkin(store=OTHER_STORE)], [LeadType.GENERAL], final_pass=True)
    assert len(first.finished) == 1
    assert again.finished == {}
