"""`verify sync`: whether everything that the sync needs works, one finding per check, each with a hint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.checks import CheckReport, Finding
from syncctl.domain.run_history import RunEntry
from syncctl.domain.sources import PLURALS, SYNC_TYPES, StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import StorageError
from syncctl.locations import Locations
from syncctl.ports.admin import Database, LastLogs
from syncctl.ports.storage import OpenRejects
from syncctl.services.checks.app_scheduler import check_app_scheduler, find_traces
from syncctl.services.checks.attention import reject_words
from syncctl.services.checks.environment_checks import SyncEnvironment, check_environment
from syncctl.services.checks.freshness import (
    RUNS_LOOKED_AT,
    ApiStep,
    ago,
    api_steps,
    is_misdated,
    late_from,
    late_shards,
    misdated_hint,
    misdated_words,
    starts_by_itself,
    success_words,
)
from syncctl.services.checks.lead_tallies import check_duplicates
from syncctl.services.checks.progress import Progress, report_progress, watermark
from syncctl.services.checks.severity import Trouble
from syncctl.services.checks.windows import AUDIT_PERIOD, check_windows
from syncctl.services.cleanup.duplicate_search import find_duplicates
from syncctl.services.cleanup.duplicates import OnCounted, keep_no_count
from syncctl.services.run import Clock
from syncctl.services.sync.planning import CLOCK_TOLERANCE
from syncctl.text import and_more, plural

COMMAND = "verify sync"


def check_sync(
    database: Database,
    environment: SyncEnvironment,
    locations: Locations,
    clock: Clock,
    on_counted: OnCounted = keep_no_count,
) -> CheckReport:
    """All checks. Raises StorageError if the connection is lost; see `verify_without_database`."""
    now = clock.now()
    logs = database.last_sync_logs()
    progress = report_progress(database, locations)
    runs = database.runs(RUNS_LOOKED_AT, until=now + CLOCK_TOLERANCE)
    steps = api_steps(logs, progress, now, clock.next_sync, runs)
    checks = [*_database(database), *_steps(steps, now), *_sync_logs(database, runs, logs, now)]
    checks += check_watermarks(progress, steps, clock)
    saved_by_audits = database.saved_by_audits(now - AUDIT_PERIOD)
    checks += [
        Trouble.STEP_LATE.found("Shared locations", words, "See to the host that syncs that part.")
        for words in late_shards(progress, runs, now, clock.next_sync)
    ]
    local_now = now.astimezone(clock.business_zone)
    checks += check_windows(
        database.dialects(), progress, saved_by_audits, environment.audit_locations, local_now
    )
    checks.append(check_duplicates(find_duplicates(database, locations, on_counted)))
    checks.append(_rejects(database.open_rejects(), now))
    checks += check_app_scheduler(find_traces(database, locations, environment.lock, now), now)
    runs_by_itself = starts_by_itself(runs, now, clock.next_sync)
    checks += check_environment(environment, now, clock.next_sync, runs_by_itself=runs_by_itself)
    return CheckReport(COMMAND, tuple(checks))


def verify_without_database(problem: StorageError, environment: SyncEnvironment, clock: Clock) -> CheckReport:
    """The checks that are possible without the database. `problem`: why it can't be used."""
    lost = Trouble.NO_DATABASE.found(
        "Database",
        str(problem),
        "Nothing is synced until it answers again; `syncctl doctor` checks further.",
    )
    rest = check_environment(environment, clock.now(), clock.next_sync, runs_by_itself=None)
    return CheckReport(COMMAND, (lost, *rest))


def _database(database: Database) -> Iterator[Finding]:
    facts = database.facts()
    yield Finding.passed(
        "Database", f"{facts.kind} {facts.version}, {facts.topology}, {facts.durability}: {facts.place}"
    )
    for caveat in facts.caveats:
        yield Finding.warning("Database", caveat.message, caveat.hint)


def _steps(steps: tuple[ApiStep, ...], now: datetime) -> Iterator[Finding]:
    if all(step.last is None for step in steps):
        yield Trouble.NEVER_SYNCED.found(
            "Last success", "nothing has been synced yet", "`syncctl api` syncs for the first time."
        )
        return
    for step in steps:
        yield _step(step, now)


def _step(step: ApiStep, now: datetime) -> Finding:
    name = f"Last success: {PLURALS[step.step]}"
    seen, problem = success_words(step, now), ""
    if step.misdated:
        seen += f"; {misdated_words(step.misdated, now)}"
    if step.last and step.last.status is not StepStatus.SUCCESS and not step.last_is_misdated:
        how = "failed in part" if step.last.status is StepStatus.PARTIAL else "failed"
        problem = f"; the last run, {ago(step.last.at, now)}, {how}{step.why}"
    if step.trouble is None:
        return Finding.passed(name, seen)
    if step.trouble is Trouble.STEP_LATE and not problem and step.last_success_at:
        seen += "; that is more than three intervals of the schedule"
    return step.trouble.found(name, seen + problem, _hint(step, problem))


def _hint(step: ApiStep, problem: str) -> str:
    """What to do about a step's trouble. `problem`: how its last run ended, if not well."""
    match step.trouble:
        case Trouble.STEP_FAILED:
            return "`syncctl doctor` asks the API; the next run tries again."
        case Trouble.STEP_LATE if problem:
            return "`syncctl history --failed` shows which locations keep failing."
        case Trouble.STEP_LATE:
            return _hint_if_late(step)
        case Trouble.MISDATED_LOG if step.misdated:
            return misdated_hint(step.misdated)
        case _:
            return "The next run tries what failed again."


def _hint_if_late(step: ApiStep) -> str:
    hint = "`syncctl doctor` checks whether cron runs and has the line; `syncctl api` syncs now."
    if step.only_parts:
        hint = "`syncctl api` syncs everything, without --location and --from. `syncctl doctor` checks cron."
    if step.only_by_others:
        hint = "`syncctl api` syncs for the first time; `syncctl doctor` checks whether everything is set up."
    return f"{hint} {misdated_hint(step.misdated)}" if step.misdated else hint


def _sync_logs(
    database: Database, runs: Iterable[RunEntry], logs: Mapping[str, LastLogs], now: datetime
) -> Iterator[Finding]:
    """Whether the newest run has written its entries; no finding before the first run. If there are none,
    but an entry of that kind is dated in the future, this can't be known."""
    name = "synclogs"
    for run in runs:
        done = [
            step["name"] for step in run.document.get("steps", ()) if step["status"] != StepStatus.SKIPPED
        ]
        if not done:
            continue
        kinds = [SYNC_TYPES[StepName(step)] for step in done]
        # Not simply the last entries: a run with a wrong clock may have followed.
        since = database.sync_logs(run.started_at, now + CLOCK_TOLERANCE)
        dates = {log.sync_type: log.at for log in since if log.sync_type in kinds}
        misdated = [kind for kind in kinds if kind in logs and is_misdated(logs[kind].last, now)]
        missing = [kind for kind in kinds if kind not in dates and kind not in misdated]
        if missing:
            yield Finding.failed(
                name,
                f"the run that began {ago(run.started_at, now)} left no entry for {', '.join(missing)}",
                "The web app reads them: see the log for why the database refused, and `syncctl doctor`.",
            )
        elif dates:
            yield Finding.passed(name, f"written, the last entry {ago(max(dates.values()), now)}")
        else:
            log = logs[misdated[0]].last
            yield Finding.warning(name, misdated_words(log, now), misdated_hint(log))
        return


def _rejects(rejects: OpenRejects, now: datetime) -> Finding:
    name = "Rejects"
    if not rejects.count:
        return Finding.passed(name, "none")
    return Trouble.REJECTS.found(name, reject_words(rejects, now), "`syncctl rejects list` says why.")


MAX_LOCATIONS_NAMED = 10


def check_watermarks(
    progress: Mapping[StepName, Progress], steps: Iterable[ApiStep], clock: Clock
) -> Iterator[Finding]:
    """A finding for each report, except those that were never synced at all, which the step's finding
    says."""
    for step in steps:
        report = progress.get(step.step)
        if report and (report.synced or step.only_parts):
            yield _watermark(step.step, report, clock)


def _watermark(report: StepName, progress: Progress, clock: Clock) -> Finding:
    name, now = f"Watermarks: {PLURALS[report]}", clock.now()
    if not progress.synced:
        return Finding.warning(
            name,
            "no location has been synced yet, only single days, or none has any data",
            f"`syncctl {report}` syncs all of them, and says so if the API has nothing.",
        )
    found = _found(progress, now)
    reached = progress.reached(now)
    if progress.active and reached is None:
        rest = "; most were never synced" if any(watermark(state, now) for state in progress.active) else ""
        return Finding.warning(name, found + rest, f"`syncctl {report}` syncs all of them.")
    lagging = [state for state in progress.active if _lags(state, reached, clock)]
    if not lagging:
        return Finding.passed(name, found)
    shown = ", ".join(
        f"{state.location} ({ago(state.watermark, now) if state.watermark else 'never synced'})"
        for state in lagging[:MAX_LOCATIONS_NAMED]
    )
    more = and_more(len(lagging) - MAX_LOCATIONS_NAMED)
    return Finding.warning(
        name,
        f"{found}; {len(lagging)} behind the others: {shown}{more}",
        f"`syncctl {report} --location {lagging[0].location} -v` shows what is wrong with it.",
    )


def _found(progress: Progress, now: datetime) -> str:
    marks = [mark for state in progress.active if (mark := watermark(state, now))]
    of_all = f" of {len(progress.active)}" if len(marks) < len(progress.active) else ""
    found = f"{len(marks) or 'none'}{of_all} {plural(len(progress.active), 'location')}"
    if marks:
        found += f", the oldest from {ago(min(marks), now)}"
    if progress.dormant:
        found += f" ({progress.dormant} dormant, without any data)"
    return found


def _lags(state: LocationState, reached: datetime | None, clock: Clock) -> bool:
    """Whether its watermark was already late when most of the others reached theirs."""
    mark = watermark(state, clock.now())
    return mark is None or (reached is not None and late_from(mark, clock.next_sync) < reached)
