"""`verify sync`: what is late, what lags, what was not logged, and what starts the sync."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.checks import CheckReport, CheckResult, Finding
from syncctl.domain.dialects import Dialect, Mode, Trial, Verdict
from syncctl.domain.requests import BodyForm
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.run_results import AuditResult, Counts, RunResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import StorageUnavailableError
from syncctl.locations import load_locations
from syncctl.ports.admin import Database, DuplicateCount
from syncctl.ports.machine import LockState, NextStart, ScheduledImport, ScheduleState, StartedBy
from syncctl.scheduling.expression import next_run
from syncctl.services.checks.environment_checks import SyncEnvironment
from syncctl.services.checks.freshness import late_from, span, starts_by_itself
from syncctl.services.checks.severity import worst_of
from syncctl.services.checks.status import Surroundings, collect_status
from syncctl.services.checks.sync_checks import check_sync, verify_without_database
from syncctl.services.doctor.machine import check_schedule
from syncctl.services.run import Clock
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, reject, text_id

NOW = datetime(2026, 3, 10, 12, 3, tzinfo=UTC)
EVERY_FIVE_MINUTES = partial(next_run, "*/5 * * * *", UTC)
CLOCK = Clock(lambda: NOW, lambda: 0.0, EVERY_FIVE_MINUTES, ZoneInfo("Asia/Kolkata"))
AROUND = SyncEnvironment(
    sync_enabled=True,
    schedule="*/5 * * * * (UTC)",
    endpoints={"BOOKING_API_ENDPOINT": "https://rental.example/api/Reports/GetBookingReport"},
    in_force={"Everything": "the last 12 months"},
    audit_locations=2,
    run_deadline=timedelta(seconds=240),
    lock=LockState(held=False),
    scheduler=ScheduleState(installed=True, in_step=True, found="the line in ops's crontab"),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_storage(f"sqlite:///{tmp_path / 'leads.db'}")) as database:
        database.prepare()
        yield database


def log(
    database: Database, kind: str, ago: timedelta, status: StepStatus = StepStatus.SUCCESS, error: str = ""
) -> None:
    database.add_sync_log(SyncLog(kind, Trigger.AUTO, NOW - ago, 3, status, error or None))


def all_logged(database: Database, ago: timedelta = timedelta(minutes=3)) -> None:
    for kind in ("store", "booking", "return"):
        log(database, kind, ago)


def all_reached(database: Database, ago: timedelta = timedelta(minutes=4)) -> None:
    for report in (StepName.BOOKING, StepName.RETURN):
        for location in ("13", "14", "16"):
            database.save_location_states(report, [LocationState(location, NOW - ago)])


def ran(database: Database, started: datetime, *steps: StepName, number: int = 1) -> None:
    results = tuple(StepResult(step, StepStatus.SUCCESS) for step in steps)
    result = RunResult("api", text_id(number), Trigger.AUTO, False, started, 2.0, None, results)
    database.save_run(RunEntry(result.run_id, started, history_document(result)))


def verify(database: Database, environment: SyncEnvironment = AROUND) -> CheckReport:
    return check_sync(database, environment, load_locations(), CLOCK)


def line(report: CheckReport, name: str) -> Finding:
    (found,) = [check for check in report.checks if check.name == name]
    return found


@pytest.mark.parametrize(
    ("cron", "success", "late"),
    [
        ("*/5 * * * *", "2026-03-10T12:00:20", "2026-03-10T12:15:20"),
        ("*/5 * * * *", "2026-03-10T12:04:59", "2026-03-10T12:19:59"),
        ("30 2 * * *", "2026-03-10T02:31:00", "2026-03-13T02:31:00"),
        # Rests from six to nine: neither the night nor the last run of the day makes it late.
        ("0 9-18 * * *", "2026-03-10T18:00:20", "2026-03-11T11:00:00"),
        ("0 9-18 * * *", "2026-03-10T17:00:20", "2026-03-11T10:00:00"),
        ("0 9-18 * * *", "2026-03-10T10:00:20", "2026-03-10T13:00:20"),
    ],
)
def test_a_step_is_late_after_three_intervals_in_which_runs_were_due(
    cron: str, success: str, late: str
) -> None:
    moment = datetime.fromisoformat(success).replace(tzinfo=UTC)
    assert late_from(moment, partial(next_run, cron, UTC)).replace(tzinfo=None).isoformat() == late


def test_lengths_of_time_are_told_in_one_unit() -> None:
    lengths = [timedelta(seconds=-5), timedelta(seconds=119), timedelta(minutes=119), timedelta(hours=47)]
    assert [span(length) for length in lengths] == ["0 s", "119 s", "119 min", "47 h"]
    assert span(timedelta(hours=48)) == "2 days"


def test_all_is_well_right_after_a_run(database: Database) -> None:
    all_logged(database)
    ran(database, NOW - timedelta(minutes=3, seconds=2), StepName.STORES, StepName.BOOKING, StepName.RETURN)
    all_reached(database)
    report = verify(database)
    assert [check for check in report.checks if check.result is not CheckResult.PASSED] == []
    assert report.ok
    assert "4 min ago" in line(report, "Last success: bookings").message
    assert "SQLite" in line(report, "Database").message
    assert line(report, "Everything").message == "the last 12 months"


def test_an_empty_database_is_told_once_and_claims_nothing(database: Database) -> None:
    report = verify(database)
    assert not report.ok
    assert line(report, "Last success").result is CheckResult.FAILED
    assert line(report, "Duplicates").message == "none: there are no leads yet"
    assert line(report, "Audits").message.endswith("no location has been asked for everything yet")
    assert "syncctl api" in line(report, "Last success").hint


@pytest.mark.parametrize(
    ("ago", "status", "mark"),
    [
        (timedelta(minutes=1), StepStatus.SUCCESS, CheckResult.PASSED),
        (timedelta(minutes=1), StepStatus.PARTIAL, CheckResult.WARNING),
        (timedelta(minutes=1), StepStatus.FAILED, CheckResult.FAILED),
    ],
)
def test_how_the_last_run_ended_decides_while_the_last_success_is_fresh(
    database: Database, ago: timedelta, status: StepStatus, mark: CheckResult
) -> None:
    all_logged(database, timedelta(minutes=6))
    all_reached(database, timedelta(minutes=7))
    log(database, "booking", ago, status, "1 of 21 locations failed: no answer")
    found = line(verify(database), "Last success: bookings")
    assert found.result is mark
    assert ("no answer" in found.message) is (mark is not CheckResult.PASSED)


def test_a_success_of_long_ago_is_wrong_however_the_last_run_ended(database: Database) -> None:
    all_logged(database, timedelta(minutes=16))
    all_reached(database, timedelta(minutes=17))
    log(database, "booking", timedelta(minutes=1), StepStatus.PARTIAL, "1 of 21 locations failed")
    report = verify(database)
    partly, not_run = line(report, "Last success: bookings"), line(report, "Last success: returns")
    assert (partly.result, not_run.result) == (CheckResult.FAILED, CheckResult.FAILED)
    assert "history --failed" in partly.hint
    assert "cron" in not_run.hint
    assert not report.ok


def test_a_step_that_alone_never_succeeded_is_wrong(database: Database) -> None:
    log(database, "booking", timedelta(minutes=3))
    log(database, "store", timedelta(minutes=3))
    found = line(verify(database), "Last success: returns")
    assert found.result is CheckResult.FAILED
    assert found.message == "never synced"
    all_reached(database)
    log(database, "return", timedelta(minutes=2), StepStatus.PARTIAL, "1 of 4 locations failed")
    assert "only some locations or days were synced so far" in line(verify(database), found.name).message


def test_entries_dated_in_the_future_leave_it_to_the_watermarks(database: Database) -> None:
    all_logged(database, -timedelta(days=1400))
    all_reached(database)
    ran(database, NOW - timedelta(minutes=4), StepName.STORES, StepName.BOOKING, StepName.RETURN)
    report = verify(database, replace(AROUND, scheduler=ABSENT))
    assert report.ok
    for name in ("stores", "bookings", "returns"):
        found = line(report, f"Last success: {name}")
        assert found.result is CheckResult.WARNING
        assert "dated 1,400 days in the future" in found.message
        assert "Delete that entry" in found.hint
    assert "4 min ago" in line(report, "Last success: bookings").message
    assert line(report, "Watermarks: bookings").result is CheckResult.PASSED
    assert line(report, "synclogs").result is CheckResult.WARNING
    assert line(report, "Scheduler").result is CheckResult.WARNING
    all_reached(database, timedelta(hours=1))
    found = line(verify(database), "Last success: bookings")
    assert found.result is CheckResult.FAILED
    assert "60 min ago" in found.message
    assert "cron" in found.hint


def test_a_report_of_which_only_parts_were_synced_is_told_in_its_watermarks(database: Database) -> None:
    database.save_store_list({str(code): "" for code in range(7, 22)})
    all_logged(database)
    database.save_location_states(StepName.BOOKING, [LocationState("7", NOW - timedelta(minutes=4))])
    ran(database, NOW - timedelta(minutes=4), StepName.RETURN)  # of a few days
    report = verify(database)
    assert line(report, "Last success: bookings").result is CheckResult.FAILED
    assert "--location" in line(report, "Last success: bookings").hint
    booking, returned = line(report, "Watermarks: bookings"), line(report, "Watermarks: returns")
    assert (booking.result, returned.result) == (CheckResult.WARNING, CheckResult.WARNING)
    assert booking.message == "1 of 15 locations, the oldest from 4 min ago; most were never synced"
    assert "`syncctl booking`" in booking.hint
    assert "no location has been synced yet" in returned.message


def test_after_runs_of_the_old_system_only_a_report_is_not_yet_synced(database: Database) -> None:
    all_logged(database)
    report = verify(database)
    found = line(report, "Last success: bookings")
    assert (found.result, found.message) == (CheckResult.FAILED, "not yet synced by syncctl")
    assert found.hint.startswith("`syncctl api` syncs for the first time")
    assert not [check for check in report.checks if check.name.startswith("Watermarks")]


def test_a_listed_location_that_was_never_synced_is_behind_the_others(database: Database) -> None:
    database.save_store_list({"13": "Z- Calicut", "17": "Z- Kottakkal"})
    all_logged(database)
    all_reached(database)
    found = line(verify(database), "Watermarks: returns")
    assert (
        found.message == "3 of 4 locations, the oldest from 4 min ago; 1 behind the others: 17 (never synced)"
    )


def test_a_run_that_left_no_entry_in_synclogs_is_wrong(database: Database) -> None:
    all_logged(database, timedelta(minutes=9))
    log(database, "booking", timedelta(minutes=3))
    ran(database, NOW - timedelta(minutes=4), StepName.BOOKING, StepName.RETURN)
    found = line(verify(database), "synclogs")
    assert found.result is CheckResult.FAILED
    assert "return" in found.message
    assert "booking" not in found.message


def test_only_locations_that_are_asked_and_have_data_can_lag(database: Database) -> None:
    all_logged(database)
    all_reached(database)
    old = NOW - timedelta(days=8)
    for state in (
        LocationState("7", NOW - timedelta(minutes=3)),
        LocationState("9", old),
        LocationState("10", old, dormant=True),
        LocationState("11", None, tried_at=NOW),
        LocationState("4711", old),  # in no list any more
        LocationState("12", NOW - timedelta(minutes=17)),
    ):
        database.save_location_states(StepName.BOOKING, [state])
    found = line(verify(database), "Watermarks: bookings")
    assert found.result is CheckResult.WARNING
    assert "2 behind the others: 9 (8 days ago), 11 (never synced)" in found.message
    assert "6 of 7 locations, the oldest from 8 days ago" in found.message
    assert "1 dormant" in found.message
    assert "--location 9 " in found.hint


def test_nobody_lags_while_all_are_late_together(database: Database) -> None:
    all_logged(database, timedelta(days=3))
    all_reached(database, timedelta(days=3))
    assert line(verify(database), "Watermarks: returns").result is CheckResult.PASSED


def test_how_much_is_asked_what_audits_brought_and_what_is_in_doubt(database: Database) -> None:
    all_logged(database)
    all_reached(database)
    trial = Trial(NOW, "7", "1 month", BodyForm.USUAL, Verdict.AGREES, 90, 30, 30, 0, is_of_months=True)
    database.save_dialect(Dialect(StepName.RETURN, Mode.MONTHS, since=NOW, measured_at=NOW, trials=(trial,)))
    audit = AuditResult(2, Counts(rows=9, saved=2, existing=7))
    names = (StepName.STORES, StepName.BOOKING)
    steps = (*(StepResult(name, StepStatus.SUCCESS) for name in names),)
    steps += (StepResult(StepName.RETURN, StepStatus.SUCCESS, audit=audit),)
    result = RunResult("api", text_id(1), Trigger.AUTO, False, NOW, 2.0, None, steps)
    for number, age in enumerate((timedelta(minutes=3), timedelta(days=7), timedelta(days=7, seconds=1))):
        database.save_run(RunEntry(text_id(number), NOW - age, history_document(result)))
    thin = LocationState("13", NOW, doubted_since=NOW - timedelta(minutes=40))
    database.save_location_states(StepName.BOOKING, [thin])
    report = verify(database)
    assert line(report, "Windows: bookings").message == "everything in each run; not measured yet"
    assert line(report, "Windows: returns").message.startswith("the last month since 10 Mar 2026 IST; 1 of 1")
    assert "only audits found 4 leads in the last 7 days (returns 4)" in line(report, "Audits").message
    assert "location 13 for 40 min" in line(report, "In doubt: bookings").message
    assert report.ok
    off = line(verify(database, replace(AROUND, audit_locations=0)), "Audits")
    assert "API_AUDIT_LOCATIONS=0" in off.message


def test_rejects_are_to_be_looked_at(database: Database) -> None:
    all_logged(database)
    all_reached(database)
    database.add_rejects([reject(1), reject(2)])
    report = verify(database)
    assert report.ok
    assert line(report, "Rejects").message.startswith("2 ")
    assert line(report, "Duplicates").result is CheckResult.PASSED


def test_a_set_of_duplicates_is_a_failure(database: Database) -> None:
    all_logged(database)
    all_reached(database)
    copies = [lead(1), lead(1, _id=text_id(2)), lead(1, _id=text_id(3)), lead(4)]
    database.store_leads(copies, [])
    report = verify(database)
    assert not report.ok
    found = line(report, "Duplicates")
    assert found.result is CheckResult.FAILED
    assert "1 set with 2 copies too many (bookings 1)" in found.message
    assert "cleanup duplicates" in found.hint


@pytest.mark.parametrize(
    ("lock", "mark"),
    [
        (LockState(held=True, pid=4711, host="web1", since=NOW - timedelta(minutes=4)), CheckResult.PASSED),
        (LockState(held=True, pid=4711, host="web1", since=NOW - timedelta(minutes=6)), CheckResult.WARNING),
        (LockState(held=True), CheckResult.PASSED),
        (LockState(held=False, problem="/x isn't a regular file"), CheckResult.FAILED),
    ],
)
def test_a_lock_is_too_long_held_after_a_runs_deadline(
    database: Database, lock: LockState, mark: CheckResult
) -> None:
    found = line(verify(database, replace(AROUND, lock=lock)), "Lock")
    assert found.result is mark
    assert ("4711" in found.message) is (lock.pid is not None)


ABSENT = ScheduleState(installed=False, in_step=False, found="no line in ops's crontab")


@pytest.mark.parametrize(
    ("scheduler", "runs", "mark", "cure"),
    [
        (ABSENT, 0, CheckResult.WARNING, "`syncctl cron install` adds the line"),
        (ABSENT, 1, CheckResult.WARNING, "or a container does"),
        (ABSENT, 4, CheckResult.PASSED, ""),
        (ScheduleState(False, False, "", problem="no crontab(1) here"), 4, CheckResult.PASSED, ""),
        (ScheduleState(True, False, "it runs at 0 * * * *"), 4, CheckResult.FAILED, "cron install"),
        (ScheduleState(True, False, "a timer", by_systemd=True), 4, CheckResult.FAILED, "--systemd"),
        (
            ScheduleState(False, False, "", problem="no crontab(1) here"),
            1,
            CheckResult.WARNING,
            "syncctl api",
        ),
    ],
)
def test_what_starts_the_sync(
    database: Database, scheduler: ScheduleState, runs: int, mark: CheckResult, cure: str
) -> None:
    for number in range(runs):
        ran(database, NOW - timedelta(minutes=3 + 5 * number), number=number)
    found = line(verify(database, replace(AROUND, scheduler=scheduler)), "Scheduler")
    assert found.result is mark
    assert cure in found.hint


def test_a_line_is_not_enough_where_no_daemon_runs_it(database: Database) -> None:
    all_logged(database)
    start = NextStart(StartedBy.CRONTAB, problem="no cron daemon is running", hint="Start it.")
    found = line(verify(database, replace(AROUND, start=start)), "Scheduler")
    assert (found.result, found.hint) == (CheckResult.FAILED, "Start it.")
    assert (
        found.message == "the line in ops's crontab, but no cron daemon is running: nothing starts the sync"
    )


def test_what_imports_files_by_itself_is_wrong_with_and_without_a_database(database: Database) -> None:
    imports = (ScheduledImport("ops's crontab", "0 2 * * * syncctl all", "syncctl all", "crontab -e"),)
    environment = replace(AROUND, scheduler=AROUND.scheduler._replace(imports=imports))
    for report in (
        verify(database, environment),
        verify_without_database(StorageUnavailableError("gone"), environment, CLOCK),
    ):
        found = line(report, "Scheduled import")
        assert (found.result, report.ok) == (CheckResult.FAILED, False)
        assert "0 2 * * * syncctl all" in found.message
        assert "`crontab -e`" in found.hint


def test_the_old_systems_sync_is_wrong_beside_a_line_that_is_right(database: Database) -> None:
    old = AROUND.scheduler._replace(old_syncs=("*/10 * * * * npm run sync:api",))
    report = verify(database, replace(AROUND, scheduler=old))
    assert line(report, "Scheduler").result is CheckResult.PASSED
    assert line(report, "Old system's sync").result is CheckResult.FAILED
    assert "npm run sync:api" in line(report, "Old system's sync").message


@pytest.mark.parametrize(
    ("trigger", "ages", "sign"),
    [
        (Trigger.AUTO, [178, 479, 777, 1079], True),
        (Trigger.AUTO, [178, 250, 479, 777, 900, 1079], True),  # others between them are no matter
        (Trigger.AUTO, [478, 779, 1077, 1379], True),  # the next one is just due
        (Trigger.AUTO, [178, 479, 777], None),
        (Trigger.AUTO, [178, 479, 1079, 1379], None),
        (Trigger.AUTO, [100, 310, 700, 990], None),  # redirected by hand, now and then
        (Trigger.AUTO, [20], None),
        (Trigger.AUTO, [1078, 1379, 1677, 1979], False),
        (Trigger.MANUAL, [178, 479, 777, 1079], False),
        (Trigger.AUTO, [], False),
    ],
)
def test_what_is_a_sign_of_a_scheduler(trigger: Trigger, ages: list[int], sign: bool | None) -> None:
    """A person who redirects the output has no terminal either, but keeps to no schedule."""
    runs = [RunEntry(text_id(age), NOW - timedelta(seconds=age), {"trigger": trigger.value}) for age in ages]
    assert starts_by_itself(runs, NOW, EVERY_FIVE_MINUTES) is sign


def test_status_and_verify_and_doctor_judge_alike(database: Database) -> None:
    all_logged(database)
    all_reached(database)
    log(database, "return", timedelta(minutes=1), StepStatus.PARTIAL, "1 of 21 failed")
    database.store_leads([lead(1), lead(1, _id=text_id(2))], [])
    database.save_duplicate_count(DuplicateCount(1, 1, NOW, "verify data"))
    database.add_rejects([reject(1)])
    lock = LockState(held=False, problem="it can't be read")
    for scheduler in (ABSENT, ABSENT._replace(installed=True), AROUND.scheduler._replace(old_syncs=("x",))):
        environment = replace(AROUND, scheduler=scheduler, lock=lock, sync_enabled=False)
        report = verify(database, environment)
        found = {check.result for check in report.checks if check.name != "Database"}
        around = Surroundings(lock, False, NextStart(), scheduler)
        status = collect_status(database, around, load_locations(), CLOCK)
        troubles = Counter(check.result for check in report.checks) - Counter({CheckResult.PASSED: 99})
        assert Counter(finding.result for finding in status.findings) == troubles
        assert worst_of(status.findings) is max(found, key=list(CheckResult).index)
        doctors = check_schedule(scheduler, {"cron"}, (), enabled=False, runs_by_itself=False)
        of_doctor = {
            (check.result, check.message) for check in doctors if check.result is not CheckResult.PASSED
        }
        assert of_doctor <= {(check.result, check.message) for check in report.checks}


@pytest.mark.parametrize("path", ["/api/GetRentoutList", "/api/Rent%4Fut-List", "/api/x?kind=RENT_OUT"])
def test_a_rentout_address_in_force_is_wrong_however_it_is_spelt(database: Database, path: str) -> None:
    environment = replace(AROUND, endpoints={"BOOKING_API_ENDPOINT": f"https://rental.example{path}"})
    found = line(verify(database, environment), "No rent-out API")
    assert found.result is CheckResult.FAILED
    assert "BOOKING_API_ENDPOINT" in found.message


def test_automatic_sync_that_is_off_is_said(database: Database) -> None:
    found = line(verify(database, replace(AROUND, sync_enabled=False)), "Automatic sync")
    assert found.result is CheckResult.WARNING
    assert "API_SYNC_ENABLED=true" in found.hint


def test_without_a_database_the_rest_is_still_checked() -> None:
    environment = replace(AROUND, scheduler=ABSENT)
    report = verify_without_database(StorageUnavailableError("MongoDB is gone."), environment, CLOCK)
    assert line(report, "Database").result is CheckResult.FAILED
    # Whether something other than this crontab starts the sync only the database could tell.
    assert line(report, "Scheduler").result is CheckResult.WARNING
    assert line(report, "Lock").result is CheckResult.PASSED
    assert not report.ok
