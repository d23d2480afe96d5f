"""`status`: OK, LATE or FAILING, and what it says beside."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.run_results import AuditResult, Counts, RunResult, StepResult
from syncctl.domain.shards import shards
from syncctl.domain.sources import API_STEPS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import StorageUnavailableError
from syncctl.locations import load_locations
from syncctl.ports.admin import Database, DuplicateCount
from syncctl.ports.machine import LockState, NextStart, StartedBy
from syncctl.scheduling.expression import next_run
from syncctl.services.checks.attention import waiting_words
from syncctl.services.checks.data_checks import check_data
from syncctl.services.checks.severity import Health
from syncctl.services.checks.status import (
    Status,
    Surroundings,
    collect_status,
    status_without_database,
)
from syncctl.services.checks.status_document import status_document
from syncctl.services.cleanup.duplicates import DuplicateSets
from syncctl.services.run import Clock
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, reject, text_id

NOW = datetime(2026, 3, 10, 20, 3, tzinfo=UTC)
"""In Kolkata it is the 11th."""

FREE = LockState(held=False)
LOST = StorageUnavailableError("MongoDB at h can't be reached.")
CLOCK = Clock(lambda: NOW, lambda: 0.0, partial(next_run, "*/5 * * * *", UTC), ZoneInfo("Asia/Kolkata"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_storage(f"sqlite:///{tmp_path / 'leads.db'}")) as database:
        database.prepare()
        yield database


def log(
    database: Database,
    ago: timedelta,
    *kinds: str,
    status: StepStatus = StepStatus.SUCCESS,
    error: str | None = None,
) -> None:
    for kind in kinds or ("store", "booking", "return"):
        database.add_sync_log(SyncLog(kind, Trigger.AUTO, NOW - ago, 3, status, error))


def reached(database: Database, ago: timedelta, *locations: str, reports: str = "booking return") -> None:
    """How far the locations of the reports are."""
    for report in reports.split():
        for location in locations or ("7", "9", "13"):
            database.save_location_states(StepName(report), [LocationState(location, NOW - ago)])


def ran_automatically(database: Database, *ages: timedelta) -> None:
    for age in ages:
        result = RunResult("api", f"{age.seconds:032x}", Trigger.AUTO, False, NOW - age, 2.0, None, ())
        database.save_run(RunEntry(result.run_id, result.started_at, history_document(result)))


def take(
    database: Database,
    *,
    sync_enabled: bool = True,
    lock: LockState = FREE,
    start: NextStart = NextStart(),  # noqa: B008 - it is frozen
) -> Status:
    return collect_status(database, Surroundings(lock, sync_enabled, start), load_locations(), CLOCK)


def test_it_is_ok_while_every_api_had_a_success_in_time(database: Database) -> None:
    log(database, timedelta(minutes=15))
    reached(database, timedelta(minutes=15))
    status = take(database)
    assert (status.health, status.reasons, status.ok) == (Health.OK, (), True)


def test_the_next_sync_is_what_really_starts_one(database: Database) -> None:
    at = NOW + timedelta(minutes=2)
    for start in (
        NextStart(StartedBy.CRONTAB, at),
        NextStart(StartedBy.CRONTAB, problem="no cron daemon is running"),
        NextStart(),
    ):
        assert take(database, start=start).start == start
    assert take(database, sync_enabled=False, start=NextStart(StartedBy.TIMER, at)).start.at is None
    ran_automatically(database, *(timedelta(minutes=minutes) for minutes in (12, 7)))
    assert take(database).start == NextStart(may_be_hidden=True)  # too few of them to tell
    # Something starts it by itself, as its runs show, though it can't be seen from here.
    ran_automatically(database, timedelta(minutes=2), timedelta(minutes=17))
    assert take(database).start == NextStart(StartedBy.OTHER, at)
    assert take(database, start=NextStart(StartedBy.CRONTAB, problem="x")).start.problem == "x"
    document = status_document(take(database))
    assert document["scheduled"] == {"by": "other", "problem": None}
    assert document["next_sync_at"] == "2026-03-10T20:05:00Z"
    document = status_document(take(database, sync_enabled=False))
    assert (document["scheduled"]["by"], document["next_sync_at"]) == ("other", None)


def test_what_waits_for_a_person_is_said_and_fails_nothing(database: Database) -> None:
    log(database, timedelta(minutes=4))
    reached(database, timedelta(minutes=4))
    log(database, timedelta(hours=2), "walkin", status=StepStatus.PARTIAL, error="2 of 3 files failed")
    log(database, timedelta(days=1), "lossofsale")
    log(database, timedelta(hours=1), "lossofsale", status=StepStatus.SKIPPED)
    database.save_duplicate_count(DuplicateCount(1, 2, NOW - timedelta(days=4), "verify data"))
    database.add_rejects([reject(n)._replace(rejected_at=NOW - timedelta(days=n)) for n in (3, 9)])
    status = take(database)
    assert (status.health, status.ok, status.next_step) == (Health.OK, True, "")
    assert [finding.result.value for finding in status.findings] == ["warning", "warning", "failed"]
    assert status.reasons == (
        "The last import of walk-ins, 2 h ago, failed in part: 2 of 3 files failed",
        "2 rejects, the oldest 9 days old: `syncctl rejects list` says why",
        "1 set of duplicates, 2 copies too many, counted 4 days ago: see `syncctl cleanup duplicates`",
    )
    document = status_document(status)
    assert (document["rejects"], document["oldest_reject_at"]) == (2, "2026-03-01T20:03:00Z")
    assert [(each["kind"], each["status"], each["at"]) for each in document["imports"]] == [
        ("walkin", "partial", "2026-03-10T18:03:00Z"),
        ("lossofsale", "success", "2026-03-09T20:03:00Z"),
    ]
    assert waiting_words(database, NOW) == (
        "Waiting for a person: 2 rejects, the oldest 9 days old; "
        "The last import of walk-ins, 2 h ago, failed in part: 2 of 3 files failed; "
        "1 set of duplicates, 2 copies too many, counted 4 days ago"
    )
    log(database, timedelta(0), "walkin")
    assert "walk-ins" not in " ".join(take(database).reasons)


def test_nothing_waits_for_a_person(database: Database) -> None:
    assert waiting_words(database, NOW) == ("Waiting for a person: nothing (duplicates were never counted)")
    database.save_duplicate_count(DuplicateCount(0, 0, NOW, "verify data"))
    assert waiting_words(database, NOW) == "Waiting for a person: nothing"
    database.add_rejects([reject(1)._replace(rejected_at=NOW - timedelta(hours=3))])
    assert waiting_words(database, NOW) == "Waiting for a person: 1 reject, 3 h old"


def test_it_is_late_after_three_intervals_and_says_which_api(database: Database) -> None:
    log(database, timedelta(minutes=3), "store", "return")
    log(database, timedelta(minutes=16), "booking")
    reached(database, timedelta(minutes=4))
    status = take(database)
    assert status.health is Health.LATE
    assert status.reasons == ("bookings: the last success was 16 min ago",)


def test_a_database_that_was_never_synced_into_is_late(database: Database) -> None:
    status = take(database)
    assert status.health is Health.LATE
    assert len(status.reasons) == 1
    assert "syncctl api" in status.reasons[0]
    assert "doctor" in status.next_step


LISTED = {str(code): "" for code in (1, 3, 5, 6, *range(7, 22), 100, 122)}


def test_a_run_of_one_location_is_no_success_of_all(database: Database) -> None:
    database.save_store_list(LISTED)
    log(database, timedelta(minutes=1))
    reached(database, timedelta(minutes=1), "7")
    reached(database, timedelta(minutes=1), *LISTED, reports="return")
    status = take(database)
    assert status.health is Health.LATE
    assert status.reasons == ("bookings: only some locations or days were synced so far",)
    assert status_document(status)["steps"][1]["last_success_at"] is None
    assert "verify sync" in status.next_step


def test_after_runs_of_the_old_system_only_it_is_not_yet_synced(database: Database) -> None:
    log(database, timedelta(minutes=1))
    status = take(database)
    assert status.health is Health.LATE
    assert status.reasons == (
        "bookings: not yet synced by syncctl",
        "returns: not yet synced by syncctl",
    )


def test_a_backfill_is_a_sync_of_parts_also_after_runs_of_the_old_system(database: Database) -> None:
    log(database, timedelta(minutes=1))
    steps = (StepResult(StepName.BOOKING, StepStatus.SUCCESS),)
    result = RunResult("booking", text_id(1), Trigger.MANUAL, False, NOW, 2.0, None, steps)
    database.save_run(RunEntry(result.run_id, NOW, history_document(result)))
    assert take(database).reasons[0] == "bookings: only some locations or days were synced so far"


def test_an_import_is_no_sync_of_the_api(database: Database) -> None:
    log(database, timedelta(minutes=1))
    steps = (StepResult(StepName.WALKIN, StepStatus.SUCCESS),)
    result = RunResult("import walkin", text_id(1), Trigger.MANUAL, False, NOW, 2.0, None, steps)
    database.save_run(RunEntry(result.run_id, NOW, history_document(result)))
    assert take(database).reasons[0] == "bookings: not yet synced by syncctl"


def test_runs_of_single_locations_do_not_hide_that_the_others_are_late(database: Database) -> None:
    database.save_store_list(LISTED)
    reached(database, timedelta(days=3), *LISTED)
    reached(database, timedelta(minutes=1), *list(LISTED)[:10], reports="booking")
    reached(database, timedelta(minutes=1), *list(LISTED)[:11], reports="return")
    log(database, timedelta(minutes=1))
    status = take(database)
    assert status.health is Health.LATE
    assert status.reasons == ("bookings: the last success was 3 days ago, only some locations or days since",)


def test_where_hosts_share_the_locations_the_late_part_is_named(database: Database) -> None:
    database.save_store_list(LISTED)
    late, *punctual = shards(3)
    for location in LISTED:
        minutes = 40 if late.has(location) else 4
        reached(database, timedelta(minutes=minutes), location)
    log(database, timedelta(minutes=4))
    assert take(database).health is Health.OK  # seen as a whole, most are up to date
    for number, shard in enumerate(punctual):
        at = NOW - timedelta(minutes=4, seconds=number)
        steps = tuple(StepResult(step, StepStatus.SUCCESS) for step in API_STEPS)
        result = RunResult("api", text_id(number), Trigger.AUTO, False, at, 2.0, None, steps, shard=shard)
        database.save_run(RunEntry(result.run_id, at, history_document(result)))
    status = take(database)
    assert status.health is Health.LATE
    assert status.reasons == (
        "bookings: part 1/3 was last synced 40 min ago",
        "returns: part 1/3 was last synced 40 min ago",
    )


def test_a_backfill_that_left_no_location_synced_is_no_success(database: Database) -> None:
    log(database, timedelta(minutes=1))
    status = take(database)
    assert status.health is Health.LATE
    assert [reason.partition(":")[0] for reason in status.reasons] == ["bookings", "returns"]


def test_dormant_locations_and_those_no_longer_asked_for_do_not_make_it_late(database: Database) -> None:
    log(database, timedelta(minutes=1))
    old = NOW - timedelta(days=8)
    for location in ("9", "10"):
        for report in (StepName.BOOKING, StepName.RETURN):
            database.save_location_states(report, [LocationState(location, old, dormant=True)])
    assert take(database).ok  # all are dormant
    reached(database, timedelta(days=8), "4711", "4712", "4713")
    database.save_location_states(StepName.BOOKING, [LocationState("11", None, tried_at=NOW)])
    reached(database, timedelta(minutes=2), "7")
    assert take(database).ok


@pytest.mark.parametrize("status", [StepStatus.SUCCESS, StepStatus.FAILED])
def test_an_entry_dated_in_the_future_says_nothing_about_when(database: Database, status: StepStatus) -> None:
    log(database, timedelta(minutes=3))
    reached(database, timedelta(minutes=4))
    log(database, -timedelta(days=1400), status=status)
    seen = take(database)
    assert seen.health is Health.OK
    assert len(seen.reasons) == 3
    assert all("dated 1,400 days in the future: delete it" in why for why in seen.reasons)
    assert {step["last_run_at"] for step in status_document(seen)["steps"]} == {None}
    reached(database, timedelta(hours=3), reports="booking")
    seen = take(database)
    assert seen.health is Health.LATE
    assert "the last success was 3 h ago" in " ".join(seen.reasons)


def test_a_clock_that_is_a_little_ahead_is_no_matter(database: Database) -> None:
    log(database, -timedelta(minutes=2))
    reached(database, -timedelta(minutes=2))
    assert take(database).reasons == ()


def test_a_failed_last_run_is_failing_at_once_with_its_reason(database: Database) -> None:
    reached(database, timedelta(minutes=6))
    log(database, timedelta(minutes=6))
    log(database, timedelta(minutes=20), "return")
    reached(database, timedelta(minutes=20), reports="return")
    log(database, timedelta(minutes=1), "booking", status=StepStatus.FAILED, error="HTTP 502")
    status = take(database)
    assert status.health is Health.FAILING
    assert status.reasons == (
        "bookings: the last run, 60 s ago, failed: HTTP 502",
        "returns: the last success was 20 min ago",
    )


def test_a_refused_key_is_said_once(database: Database) -> None:
    refusal = "api.example refused the key (401): check API_TOKEN"
    errors = (refusal, *[f"all 21 locations failed: {refusal}"] * 2)
    at = NOW - timedelta(minutes=1)
    steps = tuple(
        StepResult(step, StepStatus.FAILED, error=error, refusal=refusal)
        for step, error in zip(API_STEPS, errors, strict=True)
    )
    result = RunResult("api", text_id(1), Trigger.MANUAL, False, at, 2.0, None, steps)
    database.save_run(RunEntry(result.run_id, at, history_document(result)))
    reached(database, timedelta(minutes=6))
    log(database, timedelta(minutes=6))
    for kind, error in zip(("store", "booking", "return"), errors, strict=True):
        log(database, timedelta(minutes=1), kind, status=StepStatus.FAILED, error=error)
    assert take(database).reasons == (
        f"stores: the last run, 60 s ago, failed: {refusal}",
        "bookings: the last run, 60 s ago, failed for the same reason",
        "returns: the last run, 60 s ago, failed for the same reason",
    )


def test_a_run_that_failed_in_part_is_told_and_is_late_only_if_it_goes_on(database: Database) -> None:
    reached(database, timedelta(minutes=6))
    log(database, timedelta(minutes=6))
    log(database, timedelta(minutes=1), "booking", status=StepStatus.PARTIAL, error="1 of 21 failed")
    status = take(database)
    assert status.health is Health.OK
    assert "1 of 21 failed" in status.reasons[0]
    log(database, timedelta(minutes=1), "return", status=StepStatus.PARTIAL, error="1 of 21 failed")
    later = Clock(lambda: NOW + timedelta(minutes=10), CLOCK.monotonic, CLOCK.next_sync, CLOCK.business_zone)
    log(database, -timedelta(minutes=9), "store")
    status = collect_status(database, Surroundings(FREE), load_locations(), later)
    assert status.health is Health.LATE
    assert all("the last success was 16 min ago" in reason for reason in status.reasons)


def test_it_says_that_automatic_sync_is_off_and_that_the_lock_is_unusable(database: Database) -> None:
    log(database, timedelta(minutes=1))
    reached(database, timedelta(minutes=2))
    status = take(database, sync_enabled=False, lock=LockState(held=False, problem="/x is no regular file"))
    assert (status.health, status.ok) == (Health.PAUSED, False)
    assert "API_SYNC_ENABLED=false" in status.reasons[0]
    assert "/x is no regular file" in status.reasons[1]
    assert "API_SYNC_ENABLED=true" in status.next_step
    # What is late while it is switched off follows from that; what fails is worse.
    log(database, timedelta(0), "booking", status=StepStatus.FAILED)
    assert take(database, sync_enabled=False).health is Health.FAILING


def test_it_is_failing_while_the_web_app_syncs_as_well(database: Database) -> None:
    def run_of_ours(number: int, ago: timedelta) -> None:
        steps = tuple(StepResult(step, StepStatus.SUCCESS) for step in API_STEPS)
        result = RunResult("api", text_id(number), Trigger.AUTO, False, NOW - ago, 60.0, None, steps)
        database.save_run(RunEntry(result.run_id, NOW - ago, history_document(result)))
        log(database, ago)

    run_of_ours(1, timedelta(days=5))
    log(database, timedelta(hours=25), "booking", "return")
    run_of_ours(2, timedelta(minutes=9))
    reached(database, timedelta(minutes=9))
    assert take(database).ok
    log(database, timedelta(minutes=8), "booking", "return")
    status = take(database)
    assert status.health is Health.FAILING
    (reason,) = status.reasons
    assert "The web app still syncs the API by itself, last seen 8 min ago" in reason
    assert "API_SYNC_ENABLED=false (exactly so, lower case) in its environment" in reason
    assert "verify sync" in status.next_step


def ran(database: Database, number: int, started: datetime, saved: int) -> None:
    steps = (StepResult(StepName.BOOKING, StepStatus.SUCCESS, Counts(rows=saved, saved=saved)),)
    result = RunResult("api", text_id(number), Trigger.AUTO, False, started, 60.0, None, steps)
    database.save_run(RunEntry(result.run_id, started, history_document(result)))


def test_counts_are_those_of_the_run_that_left_the_last_entry(database: Database) -> None:
    ran(database, 1, NOW - timedelta(minutes=8), saved=5)
    log(database, timedelta(minutes=7, seconds=10))
    booking = take(database).steps[1]
    assert booking.counts == Counts(rows=5, saved=5)
    # A run that is under way has left its entry, but is not in the history yet: its counts are not known.
    log(database, timedelta(minutes=1), "booking")
    assert take(database).steps[1].counts is None


def test_days_are_those_of_the_businesss_wall_clock(database: Database) -> None:
    dates = [
        datetime(2026, 3, 11, 0, 5, tzinfo=UTC),
        datetime(2026, 3, 10, 23, 59, tzinfo=UTC),
        datetime(2026, 3, 10, 0, 0, tzinfo=UTC),
        datetime(2026, 2, 26, 0, 0, tzinfo=UTC),
        datetime(2026, 2, 25, 23, 59, tzinfo=UTC),
    ]
    database.store_leads([lead(n, createdAt=created) for n, created in enumerate(dates, start=1)], [])
    content = take(database).content
    assert content is not None
    first, *_, last = content.per_day
    assert (first, last, len(content.per_day)) == (date(2026, 2, 26), date(2026, 3, 11), 14)
    assert {day.day: count for day, count in content.per_day.items() if count} == {11: 1, 10: 2, 26: 1}
    assert content.leads == 5


def test_duplicates_are_as_the_last_pass_counted_them_and_rejects_are_counted(database: Database) -> None:
    database.store_leads([lead(1), lead(1, _id=text_id(2)), lead(1, _id=text_id(3))], [])
    database.add_rejects([reject(1)])
    content = take(database).content
    assert content is not None
    assert (content.duplicates, content.duplicate_sets, content.rejects.count) == (None, 0, 1)

    def keep(found: DuplicateSets) -> None:
        count = DuplicateCount(found.count, found.extra_copies, NOW - timedelta(hours=3), "verify data")
        database.save_duplicate_count(count)

    check_data(database, load_locations(), CLOCK, keep)
    status = take(database)
    assert status.content is not None
    assert (status.content.duplicate_sets, status.content.extra_copies) == (1, 2)
    assert status_document(status)["duplicates"] == {
        "sets": 1,
        "extra_copies": 2,
        "counted_at": "2026-03-10T17:03:00Z",
        "counted_by": "verify data",
    }


def test_what_only_audits_brought_and_whose_answers_are_in_doubt(database: Database) -> None:
    assert status_document(take(database))["audits"] == {"days": 7, "saved": {}}
    log(database, timedelta(minutes=2))
    reached(database, timedelta(minutes=3))
    audit = AuditResult(2, Counts(rows=9, saved=2, existing=7), {"9": "it did not answer"})
    steps = tuple(
        StepResult(step, StepStatus.SUCCESS, audit=audit if step is StepName.RETURN else None)
        for step in API_STEPS
    )
    result = RunResult("api", text_id(1), Trigger.AUTO, False, NOW, 60.0, None, steps)
    step_documents = history_document(result)["steps"]
    assert "audit" not in step_documents[0]
    assert (step_documents[1]["audit"], step_documents[2]["audit"]) == (
        None,
        {"locations": 2, "saved": 2, "failed": 1},
    )
    for number, days in enumerate((0, 6, 8)):
        started = NOW - timedelta(days=days, minutes=2)
        database.save_run(RunEntry(text_id(number), started, history_document(result)))
    thin = LocationState("7", NOW, doubted_since=NOW - timedelta(hours=3))
    database.save_location_states(StepName.BOOKING, [thin])
    status = take(database)
    assert status.health is Health.OK
    (reason,) = status.reasons
    assert reason == "bookings: too few rows, or answers cut off at one length, from location 7 for 3 h"
    document = status_document(status)
    assert document["audits"] == {"days": 7, "saved": {"return": 4}}
    assert document["doubts"] == [
        {"report": "booking", "location": "7", "since": "2026-03-10T17:03:00Z"},
    ]


def test_a_database_that_cannot_be_used_is_failing() -> None:
    status = status_without_database(LOST, Surroundings(FREE, False), CLOCK)
    assert status.health is Health.FAILING
    assert status.reasons[0] == "MongoDB at h can't be reached."
    assert "API_SYNC_ENABLED=false" in status.reasons[1]
    document = status_document(status)
    assert "doctor" in status.next_step
    assert (document["steps"], document["leads"], document["duplicates"]) == ([], None, None)


def test_the_documents_keys_stay(database: Database) -> None:
    ran(database, 1, NOW - timedelta(minutes=2), saved=1)
    log(database, timedelta(minutes=1))
    document = status_document(take(database, lock=LockState(True, 4711, "web1", NOW)))
    assert list(document) == [
        "command",
        "ok",
        "health",
        "reasons",
        "checked_at",
        "sync_enabled",
        "next_sync_at",
        "scheduled",
        "steps",
        "leads",
        "leads_per_day",
        "duplicates",
        "rejects",
        "oldest_reject_at",
        "imports",
        "audits",
        "doubts",
        "corrections",
        "lock",
    ]
    assert list(document["steps"][1]) == [
        "name",
        "status",
        "last_run_at",
        "last_success_at",
        "late",
        "new",
        "counts",
        "error",
    ]
    assert document["lock"] == {
        "held": True,
        "pid": 4711,
        "host": "web1",
        "since": "2026-03-10T20:03:00Z",
        "problem": None,
    }
    assert document["duplicates"] == {
        "sets": None,
        "extra_copies": None,
        "counted_at": None,
        "counted_by": None,
    }
