"""`status`: the health of the sync at a glance, and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from syncctl.domain.checks import CheckResult
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import PLURALS, REPORT_STEPS
from syncctl.domain.steps import StepStatus
from syncctl.errors import StorageError
from syncctl.locations import Locations
from syncctl.ports.admin import Database, DuplicateCount
from syncctl.ports.machine import LockState, NextStart, ScheduleState
from syncctl.ports.storage import OpenRejects
from syncctl.services.checks.app_scheduler import FRESH_FOR, find_traces, scheduler_reason
from syncctl.services.checks.attention import (
    Corrections,
    LastImport,
    corrections_since,
    duplicate_words,
    failed_import_words,
    last_imports,
    reject_words,
)
from syncctl.services.checks.environment_checks import check_lock, check_other_lines, check_scheduler
from syncctl.services.checks.freshness import (
    RUNS_LOOKED_AT,
    ApiStep,
    ago,
    api_steps,
    late_shards,
    misdated_words,
    starts_by_itself,
    success_words,
)
from syncctl.services.checks.history import counts_of
from syncctl.services.checks.progress import report_progress
from syncctl.services.checks.severity import Health, Reason, Trouble, health_of
from syncctl.services.checks.windows import AUDIT_PERIOD, Doubt, doubt_words, doubts
from syncctl.services.run import Clock
from syncctl.services.sync.planning import CLOCK_TOLERANCE

DAYS = 14


class StepHealth(NamedTuple):
    """An API step, and its last run's counts."""

    step: ApiStep
    counts: Counts | None
    """None: not in the sync's own history (any more)."""


class DatabaseContent(NamedTuple):
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

    scheduler: ScheduleState | None = None
    """What is installed to start the sync; None: not looked at."""

    run_deadline: timedelta = timedelta(minutes=4)
    """How long a run may take."""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole status."""

    findings: tuple[Reason, ...]
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
    def health(self) -> Health:
        """What the findings come to."""
        return health_of(self.findings)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The findings in words."""
        return tuple(finding.words for finding in self.findings)

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
    now, start = clock.now(), surroundings.start
    progress = report_progress(database, locations)
    runs = database.runs(RUNS_LOOKED_AT, until=now + CLOCK_TOLERANCE)
    logs = database.last_sync_logs()
    steps = api_steps(logs, progress, now, clock.next_sync, runs)
    runs_by_itself = starts_by_itself(runs, now, clock.next_sync)
    start = start.if_seen(runs_by_itself, clock.next_sync(now))
    in_doubt = doubts(progress)
    content = _content(database, now.astimezone(clock.business_zone).date())
    imports = last_imports(logs, now)
    traces = find_traces(database, locations, surroundings.lock, now, FRESH_FOR)
    reasons = [*_step_reasons(steps, now)]
    reasons += [
        Trouble.STEP_LATE.reason(words) for words in late_shards(progress, runs, now, clock.next_sync)
    ]
    if words := scheduler_reason(traces, now):
        reasons.append(Trouble.OTHER_SCHEDULER.reason(words))
    reasons += [
        Trouble.IN_DOUBT.reason(f"{PLURALS[report]}: {words}")
        for report in REPORT_STEPS
        if (words := doubt_words(in_doubt, report, now))
    ]
    reasons += _reasons_around(surroundings, now, runs_by_itself=runs_by_itself)
    reasons += _waiting(content, imports, now)
    return Status(
        findings=tuple(reasons),
        checked_at=now,
        sync_enabled=surroundings.sync_enabled,
        start=start.if_enabled(surroundings.sync_enabled),
        lock=surroundings.lock,
        imports=imports,
        saved_by_audits=database.saved_by_audits(now - AUDIT_PERIOD),
        doubts=in_doubt,
        corrections=corrections_since(database, now - timedelta(days=DAYS)),
        steps=tuple(StepHealth(step, counts_of(step.of_run) if step.of_run else None) for step in steps),
        content=content,
    )


def status_without_database(problem: StorageError, surroundings: Surroundings, clock: Clock) -> Status:
    """The status while the database can't be used. `problem`: why."""
    now = clock.now()
    around = _reasons_around(surroundings, now, runs_by_itself=None)
    return Status(
        findings=(Trouble.NO_DATABASE.reason(str(problem)), *around),
        checked_at=now,
        sync_enabled=surroundings.sync_enabled,
        start=surroundings.start.if_seen(None, clock.next_sync(now)).if_enabled(surroundings.sync_enabled),
        lock=surroundings.lock,
    )


def _waiting(content: DatabaseContent, imports: Iterable[LastImport], now: datetime) -> Iterator[Reason]:
    """What waits for a person."""
    for words in failed_import_words(imports, now):
        yield Trouble.IMPORT_FAILED.reason(words)
    if content.rejects.count:
        words = f"{reject_words(content.rejects, now)}: `syncctl rejects list` says why"
        yield Trouble.REJECTS.reason(words)
    if duplicates := duplicate_words(content.duplicates, now):
        yield Trouble.DUPLICATES.reason(f"{duplicates}: see `syncctl cleanup duplicates`")


def _step_reasons(steps: Iterable[ApiStep], now: datetime) -> Iterator[Reason]:
    """What is wrong with the API steps."""
    steps = tuple(steps)
    if all(step.last is None for step in steps):
        yield Trouble.NEVER_SYNCED.reason("Nothing has been synced yet: run `syncctl api`.")
        return
    for step in steps:
        if step.trouble is not None:
            yield step.trouble.reason(f"{PLURALS[step.step]}: {_reason(step, now)}")


def _reason(step: ApiStep, now: datetime) -> str:
    """What is wrong with a step."""
    found = []
    if step.last and step.last.status is not StepStatus.SUCCESS and not step.last_is_misdated:
        how = "failed" if step.failed else "failed in part"
        found.append(f"the last run, {ago(step.last.at, now)}, {how}{step.why}")
    if step.late:
        success = success_words(step, now)
        found.append(f"the last success was {success}" if step.last_success_at else success)
    if step.misdated:
        found.append(f"{misdated_words(step.misdated, now)}: delete it")
    return "; ".join(found)


def _reasons_around(
    surroundings: Surroundings, now: datetime, *, runs_by_itself: bool | None
) -> Iterator[Reason]:
    """What is wrong around the database, as `verify sync` finds it. `runs_by_itself`: see
    `check_scheduler`."""
    if not surroundings.sync_enabled:
        words = "Switched off (API_SYNC_ENABLED=false): scheduled runs do nothing."
        yield Trouble.SWITCHED_OFF.reason(words)
    found = [check_lock(surroundings.lock, now, surroundings.run_deadline)]
    if surroundings.scheduler is not None:
        start = surroundings.start
        found.append(check_scheduler(surroundings.scheduler, start, runs_by_itself=runs_by_itself))
        found += check_other_lines(surroundings.scheduler)
    for finding in found:
        if finding.result is not CheckResult.PASSED:
            yield Reason(f"{finding.name}: {finding.message}", finding.result, Health.OK)


def _content(database: Database, today: date) -> DatabaseContent:
    days = [today - timedelta(days=age) for age in reversed(range(DAYS))]
    per_day = database.leads_per_day(days[0], today)
    return DatabaseContent(
        leads=database.count_leads(),
        per_day={day: per_day.get(day, 0) for day in days},
        duplicates=database.duplicate_count(),
        rejects=database.open_rejects(),
    )
