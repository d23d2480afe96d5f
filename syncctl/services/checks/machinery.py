"""`verify sync`: whether the machinery of the sync works, line by line, each with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from syncctl.checks import Check, CheckReport
from syncctl.locations import Locations
from syncctl.models import LocationState, StepName, StepStatus
from syncctl.operator_ports import Database, LastLogs
from syncctl.services.checks.freshness import ApiStep, ago, api_steps, late_from, scheduler_is_at_work
from syncctl.services.checks.lead_tallies import duplicate_words
from syncctl.services.checks.surroundings import Surroundings, check_surroundings
from syncctl.services.cleanup.duplicates import DuplicateSets, find_duplicates
from syncctl.services.planning import location_order, locations_to_ask
from syncctl.services.run import SYNC_TYPES, Clock

COMMAND = "verify sync"
LOCATIONS_TOLD = 10
RUNS_LOOKED_AT = 20
"""Among so many newest runs there is one with steps: a retry of rejects has none."""

REPORTS = (StepName.BOOKING, StepName.RETURN)


def verify_machinery(
    database: Database, around: Surroundings, locations: Locations, clock: Clock
) -> CheckReport:
    """Every check. Raises StorageError: the database went away; see `verify_without_database`."""
    now = clock.now()
    logs = database.last_sync_logs()
    steps = api_steps(logs, now, clock.next_sync)
    checks = [*_database(database), *_steps(steps, now), *_sync_logs(database, logs, now)]
    checks += _watermarks(database, steps, locations, clock)
    checks.append(_duplicates(find_duplicates(database, locations)))
    checks.append(_rejects(database.totals().rejects))
    runs_by_itself = scheduler_is_at_work(steps, now, clock.next_sync)
    checks += check_surroundings(around, now, clock.next_sync, runs_by_itself=runs_by_itself)
    return CheckReport(COMMAND, tuple(checks))


def verify_without_database(problem: str, around: Surroundings, clock: Clock) -> CheckReport:
    """What can still be checked when the database can't be used. `problem`: why, in words."""
    lost = Check.bad(
        "Database", problem, "Nothing is synced until it answers again; `syncctl doctor` looks further."
    )
    rest = check_surroundings(around, clock.now(), clock.next_sync, runs_by_itself=None)
    return CheckReport(COMMAND, (lost, *rest))


def _database(database: Database) -> Iterator[Check]:
    facts = database.facts()
    yield Check.good(
        "Database", f"{facts.kind} {facts.version}, {facts.topology}, {facts.durability}: {facts.place}"
    )
    for caveat in facts.caveats:
        found, _, cure = caveat.rpartition(": ")
        yield Check.warning("Database", found or caveat, cure or "`syncctl doctor` looks further.")


def _steps(steps: tuple[ApiStep, ...], now: datetime) -> Iterator[Check]:
    if all(step.last is None for step in steps):
        yield Check.warning(
            "Last success", "nothing was synced yet", "`syncctl api` syncs for the first time."
        )
        return
    for step in steps:
        yield _step(step, now)


def _step(step: ApiStep, now: datetime) -> Check:
    name = f"Last success: {step.step}"
    seen = ago(step.last_success_at, now) if step.last_success_at else "never"
    problem = ""
    if step.last and step.last.status is not StepStatus.SUCCESS:
        problem = f"; the last run, {ago(step.last.at, now)}, {_how(step.last.status)}"
        problem += f": {step.last.error_message}" if step.last.error_message else ""
    if step.failed:
        return Check.bad(name, seen + problem, "`syncctl doctor` asks the API; the next run tries again.")
    if step.late and problem:
        return Check.bad(
            name, seen + problem, "`syncctl history --failed` tells which locations keep failing."
        )
    if step.late:
        return Check.bad(
            name,
            f"{seen}, more than three intervals of the schedule",
            "Is cron running, and the line in the crontab? `syncctl doctor` looks; `syncctl api` syncs now.",
        )
    if problem:
        return Check.warning(name, seen + problem, "The next run tries again what failed.")
    return Check.good(name, seen)


def _how(status: StepStatus) -> str:
    return "failed in part" if status is StepStatus.PARTIAL else "failed"


def _sync_logs(database: Database, logs: Mapping[str, LastLogs], now: datetime) -> Iterator[Check]:
    """Whether the newest run has left its entries; before the first run there is nothing to be missed."""
    name = "synclogs"
    for run in database.runs(RUNS_LOOKED_AT):
        done = [
            step["name"] for step in run.document.get("steps", ()) if step["status"] != StepStatus.SKIPPED
        ]
        if not done:
            continue
        kinds = [SYNC_TYPES[StepName(step)] for step in done]
        missing = [kind for kind in kinds if kind not in logs or logs[kind].last.at < run.started_at]
        if missing:
            yield Check.bad(
                name,
                f"the run of {ago(run.started_at, now)} left no entry for {', '.join(missing)}",
                "The web app reads them: see the log for why the database refused, and `syncctl doctor`.",
            )
        else:
            newest = max(logs[kind].last.at for kind in kinds)
            yield Check.good(name, f"written, the last entry {ago(newest, now)}")
        return


def _watermarks(
    database: Database, steps: tuple[ApiStep, ...], locations: Locations, clock: Clock
) -> Iterator[Check]:
    """How far each report's locations are, those left out that are dormant or no longer asked for."""
    asked = locations_to_ask(database.store_list(), locations, ())
    success = {step.step: step.last_success_at for step in steps}
    for report in REPORTS:
        states = [state for state in database.location_states(report).values() if state.location in asked]
        if states:
            yield _watermark(report, states, success[report], clock)


def _watermark(
    report: StepName, states: list[LocationState], success: datetime | None, clock: Clock
) -> Check:
    name, now = f"Watermarks: {report}", clock.now()
    awake = [state for state in states if not state.dormant]
    marks = [state.watermark for state in awake if state.watermark]
    found = f"{len(marks)} locations"
    if marks:
        found += f", the oldest from {ago(min(marks), now)}"
    if len(awake) < len(states):
        found += f" ({len(states) - len(awake)} dormant, without any data)"
    lagging = [state for state in awake if _lags(state, success, clock)]
    lagging.sort(key=lambda state: location_order(state.location))
    if not lagging:
        return Check.good(name, found)
    told = ", ".join(
        f"{state.location} ({ago(state.watermark, now) if state.watermark else 'never synced'})"
        for state in lagging[:LOCATIONS_TOLD]
    )
    more = f" and {len(lagging) - LOCATIONS_TOLD} more" if len(lagging) > LOCATIONS_TOLD else ""
    return Check.warning(
        name,
        f"{found}; {len(lagging)} behind the others: {told}{more}",
        f"`syncctl {report} --location {lagging[0].location} -v` shows what is the matter with it.",
    )


def _lags(state: LocationState, success: datetime | None, clock: Clock) -> bool:
    """Whether the others' success came when this one's watermark was late already."""
    if state.watermark is None:
        return True
    return success is not None and late_from(state.watermark, clock.next_sync) < success


def _duplicates(duplicates: DuplicateSets) -> Check:
    name = "Duplicates"
    if not duplicates.count:
        return Check.good(name, "none")
    return Check.warning(
        name, duplicate_words(duplicates), "`syncctl cleanup duplicates` shows what it would remove."
    )


def _rejects(count: int) -> Check:
    name = "Rejects"
    if not count:
        return Check.good(name, "none waiting")
    return Check.warning(
        name, f"{count:,} waiting for a correction", "`syncctl rejects list` tells why each one is invalid."
    )
