"""`status`: the health of the sync at a glance, and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from syncctl.domain.run_history import RunEntry
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import PLURALS, REPORT_STEPS
from syncctl.domain.steps import StepStatus
from syncctl.locations import Locations
from syncctl.ports.admin import Database, DuplicateCount
from syncctl.ports.machine import LockState, NextStart, StartedBy
from syncctl.ports.storage import OpenRejects
from syncctl.services.checks.app_scheduler import FRESH_FOR, find_traces, scheduler_reason
from syncctl.services.checks.attention import (
    LastImport,
    duplicate_words,
    failed_import_words,
    last_imports,
    reject_words,
)
from syncctl.services.checks.corrected_numbers import Corrections, corrections_since
from syncctl.services.checks.freshness import (
    ApiStep,
    ago,
    api_steps,
    is_scheduler_active,
    misdated_words,
    success_words,
    synced_reports,
)
from syncctl.services.checks.history import counts_of
from syncctl.services.checks.progress import report_progress
from syncctl.services.checks.shard_progress import late_shards
from syncctl.services.checks.windows import AUDIT_PERIOD, Doubt, doubt_words, doubts
from syncctl.services.run import Clock
from syncctl.services.sync.planning import CLOCK_TOLERANCE

DAYS = 14
RUNS_LOOKED_AT = 20
"""The newest runs that are searched for the last one of each API step, for its counts."""

_LOG_LEEWAY = timedelta(seconds=2)
"""A step's entry in synclogs may be this much later than its run's end, as two clocks are involved."""


class Health(StrEnum):
    """The health of the sync, the first of these that holds from the last one upwards.

    FAILING: the database can't be used, an API step's last run failed, or the web app's own scheduler is
    running, which inserts finished leads again. PAUSED: switched off, so that cron's runs do nothing. LATE:
    an API step, or of several hosts one's part of it, has had no success for three intervals of the schedule,
    or never; a success of a few locations doesn't count. A partly failed run doesn't count as failing, as the
    next one usually repairs it; otherwise the step becomes late. What waits for a person makes it no worse
    than OK with reasons.
    """

    OK = "OK"
    LATE = "LATE"
    PAUSED = "PAUSED"
    FAILING = "FAILING"


@dataclass(frozen=True, slots=True)
class StepHealth:
    """An API step, and its last run's counts."""

    step: ApiStep
    counts: Counts | None
    """None: not in the sync's own history (any more)."""


@dataclass(frozen=True, slots=True)
class DatabaseContent:
    """What the database contains."""

    leads: int
    per_day: Mapping[date, int]
    """New leads of the last DAYS days, by the business's wall clock, oldest first."""

    duplicates: DuplicateCount | None
    """As the last pass over all leads counted them; None: there was none yet."""

    rejects: OpenRejects

    @property
    def duplicate_sets(self) -> int:
        """As far as they were counted."""
        return self.duplicates.sets if self.duplicates else 0

    @property
    def extra_copies(self) -> int:
        """Leads beyond one per set of duplicates, as far as they were counted."""
        return self.duplicates.extra_copies if self.duplicates else 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is in force around the database."""

    lock: LockState

    sync_enabled: bool = True
    """API_SYNC_ENABLED."""

    start: NextStart = field(default_factory=NextStart)
    """What this machine's schedulers start next."""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole status."""

    health: Health
    reasons: tuple[str, ...]
    """Why the health is not OK, and what else should be known; none: there is nothing to do."""

    checked_at: datetime
    sync_enabled: bool
    start: NextStart
    """What starts the next sync; nothing does while it is switched off."""

    lock: LockState
    steps: tuple[StepHealth, ...] = ()
    content: DatabaseContent | None = None
    """None: the database can't be used."""

    imports: tuple[LastImport, ...] = ()
    """The last import of each kind of file."""

    saved_by_audits: Mapping[str, int] = field(default_factory=dict)
    """Leads that only audits found within AUDIT_PERIOD, by step."""

    doubts: tuple[Doubt, ...] = ()
    """Locations whose answers are not trusted yet."""

    corrections: Corrections = field(default_factory=Corrections)
    """Corrected phone numbers."""

    @property
    def ok(self) -> bool:
        return self.health is Health.OK

    @property
    def next_step(self) -> str:
        """What a person should do now; "" if the sync is healthy."""
        match self.health:
            case Health.OK:
                return ""
            case Health.PAUSED:
                return "Set API_SYNC_ENABLED=true when it should sync again"
            case _ if self.content is None:
                return "`syncctl doctor` checks the database and everything else"
            case _ if all(step_health.step.last is None for step_health in self.steps):
                return "`syncctl doctor` checks whether everything is set up"
            case _:
                return "`syncctl verify sync` says why, and what to do"


def collect_status(
    database: Database, surroundings: Surroundings, locations: Locations, clock: Clock
) -> Status:
    """Check everything, without a pass over the leads. Raises StorageError: see `status_without_database`."""
    now, lock, start = clock.now(), surroundings.lock, surroundings.start
    sync_enabled = surroundings.sync_enabled
    progress = report_progress(database, locations)
    runs = database.runs(RUNS_LOOKED_AT, until=now + CLOCK_TOLERANCE)
    logs = database.last_sync_logs()
    steps = api_steps(logs, progress, now, clock.next_sync, synced_before=synced_reports(progress, runs))
    health, reasons = health_of_steps(steps, now)
    if late := list(late_shards(progress, runs, now, clock.next_sync)):
        health = Health.LATE if health is Health.OK else health
        reasons += late
    if reason := scheduler_reason(find_traces(database, locations, lock, now, FRESH_FOR), now):
        health = Health.FAILING
        reasons.append(reason)
    if not sync_enabled and health is not Health.FAILING:
        health = Health.PAUSED
    if start.by is None and is_scheduler_active(steps, now, clock.next_sync):
        start = NextStart(StartedBy.OTHER, clock.next_sync(now))
    in_doubt = doubts(progress)
    reasons += [
        f"{PLURALS[report]}: {words}"
        for report in REPORT_STEPS
        if (words := doubt_words(in_doubt, report, now))
    ]
    content = _content(database, now.astimezone(clock.business_zone).date())
    imports = last_imports(logs, now)
    reasons += [*_other_reasons(lock, sync_enabled), *_waiting(content, imports, now)]
    return Status(
        health=health,
        reasons=tuple(reasons),
        checked_at=now,
        sync_enabled=sync_enabled,
        start=_in_force(start, sync_enabled),
        lock=lock,
        imports=imports,
        saved_by_audits=database.saved_by_audits(now - AUDIT_PERIOD),
        doubts=in_doubt,
        corrections=corrections_since(database, now - timedelta(days=DAYS)),
        steps=tuple(StepHealth(step, _counts(step, runs)) for step in steps),
        content=content,
    )


def status_without_database(problem: str, surroundings: Surroundings, clock: Clock) -> Status:
    """The status while the database can't be used. `problem`: why, in words."""
    lock, sync_enabled = surroundings.lock, surroundings.sync_enabled
    return Status(
        health=Health.FAILING,
        reasons=(problem, *_other_reasons(lock, sync_enabled)),
        checked_at=clock.now(),
        sync_enabled=sync_enabled,
        start=_in_force(surroundings.start, sync_enabled),
        lock=lock,
    )


def _in_force(start: NextStart, sync_enabled: bool) -> NextStart:
    return start if sync_enabled else replace(start, at=None)


def _waiting(content: DatabaseContent, imports: Iterable[LastImport], now: datetime) -> Iterator[str]:
    """What waits for a person."""
    yield from failed_import_words(imports, now)
    if content.rejects.count:
        yield f"{reject_words(content.rejects, now)}: `syncctl rejects list` says why"
    if duplicates := duplicate_words(content.duplicates, now):
        yield f"{duplicates}: see `syncctl cleanup duplicates`"


def health_of_steps(steps: Iterable[ApiStep], now: datetime) -> tuple[Health, list[str]]:
    """The health that follows from the API steps, and the reasons."""
    steps = tuple(steps)
    if all(step.last is None for step in steps):
        return Health.LATE, ["Nothing has been synced yet: run `syncctl api`."]
    health, reasons = Health.OK, []
    for step in steps:
        if reason := _reason(step, now):
            reasons.append(f"{PLURALS[step.step]}: {reason}")
        if step.failed:
            health = Health.FAILING
        elif step.late and health is Health.OK:
            health = Health.LATE
    return health, reasons


def _reason(step: ApiStep, now: datetime) -> str:
    """What is wrong with a step; "" if nothing is."""
    found = []
    if step.last and step.last.status is not StepStatus.SUCCESS and not step.last_is_misdated:
        how = "failed" if step.failed else "failed in part"
        why = f": {step.last.error_message}" if step.last.error_message else ""
        found.append(f"the last run, {ago(step.last.at, now)}, {how}{why}")
    if step.late:
        success = success_words(step, now)
        found.append(f"the last success was {success}" if step.last_success_at else success)
    if step.misdated:
        found.append(f"{misdated_words(step.misdated)[0]}: delete it")
    return "; ".join(found)


def _other_reasons(lock: LockState, sync_enabled: bool) -> list[str]:
    found = []
    if not sync_enabled:
        found.append("Switched off (API_SYNC_ENABLED=false): scheduled runs do nothing.")
    if lock.problem:
        found.append(f"Lock: {lock.problem}.")
    return found


def _counts(step: ApiStep, runs: Iterable[RunEntry]) -> Counts | None:
    """The counts of the run that wrote the step's last entry in synclogs."""
    if step.last is None:
        return None
    for run in runs:
        length = timedelta(seconds=run.document["duration_s"]) + _LOG_LEEWAY
        if run.started_at - _LOG_LEEWAY <= step.last.at <= run.started_at + length:
            for found in run.document["steps"]:
                if found["name"] == step.step:
                    return counts_of(found)
    return None


def _content(database: Database, today: date) -> DatabaseContent:
    days = [today - timedelta(days=age) for age in reversed(range(DAYS))]
    per_day = database.leads_per_day(days[0], today)
    return DatabaseContent(
        leads=database.count_leads(),
        per_day={day: per_day.get(day, 0) for day in days},
        duplicates=database.duplicate_count(),
        rejects=database.open_rejects(),
    )
