"""How old each API step's last success is, compared with the schedule; where several hosts share the
locations, which of their parts is late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple, cast

from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.shards import Shard, shards
from syncctl.domain.sources import API_STEPS, PLURALS, SYNC_TYPES, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.admin import LastLogs
from syncctl.services.checks.progress import Progress
from syncctl.services.checks.severity import Trouble
from syncctl.services.sync.planning import CLOCK_TOLERANCE
from syncctl.text import duration, time_ago

LATE_AFTER_INTERVALS = 3
"""A step is late after this many intervals of the schedule without a success."""

INTERVALS_IN_A_ROW = 3
"""In so many intervals of the schedule, one after the other, a scheduler must have been seen at work."""

START_LEEWAY = timedelta(seconds=10)
"""By so much a scheduler's runs may begin later in one interval than in another."""

RUNS_LOOKED_AT = 20
"""The newest runs, searched for the last one of each API step and for what starts them."""

_LOG_LEEWAY = timedelta(seconds=2)
"""A step's entry in synclogs may be this much later than its run's end, as two clocks are involved."""

NextSync = Callable[[datetime], datetime]
"""When the scheduler starts the next sync after a given time."""


class ApiStep(NamedTuple):
    """The status of one API step."""

    step: StepName
    last: SyncLog | None
    """Its newest entry in synclogs, however it ended."""

    last_success_at: datetime | None
    """When all of it, or at least most of a report's locations, was last synced; None: never, or unknown."""

    late: bool
    """Never a success, or none for LATE_AFTER_INTERVALS of the schedule."""

    only_parts: bool = False
    """Later successes in synclogs were of some locations only, or all runs have failed for some."""

    only_by_others: bool = False
    """Successes in synclogs were another program's, such as the old system's: syncctl has not synced
    anything yet."""

    misdated: SyncLog | None = None
    """An entry dated in the future, which is meaningless."""

    of_run: Mapping[str, Any] | None = None
    """What the history has of the run that wrote its newest entry; None: nothing (any more)."""

    same_refusal: bool = False
    """Whether its last run failed for the refusal that a step before it gives."""

    @property
    def last_is_misdated(self) -> bool:
        """Whether the newest entry is dated in the future, which hides later entries."""
        return self.last is not None and self.last is self.misdated

    @property
    def failed(self) -> bool:
        """Whether its last run failed completely."""
        return self.last is not None and self.last.status is StepStatus.FAILED and not self.last_is_misdated

    @property
    def trouble(self) -> Trouble | None:
        """The worst of what is wrong with it."""
        if self.failed:
            return Trouble.STEP_FAILED
        if self.late:
            return Trouble.STEP_LATE
        if self.misdated:
            return Trouble.MISDATED_LOG
        if self.last and self.last.status is not StepStatus.SUCCESS:
            return Trouble.STEP_FAILED_IN_PART
        return None

    @property
    def why(self) -> str:
        """Why its last run failed, to be put behind that; "" if that isn't known."""
        if self.same_refusal:
            return " for the same reason"
        return f": {self.last.error_message}" if self.last and self.last.error_message else ""


def late_from(success: datetime, next_sync: NextSync) -> datetime:
    """When a step becomes late after a success at that time.

    After LATE_AFTER_INTERVALS of the schedule, and not before that many runs were due: a nightly pause in the
    schedule alone makes nothing late.
    """
    due = [next_sync(success)]
    for _ in range(LATE_AFTER_INTERVALS):
        due.append(next_sync(due[-1]))
    shortest = min(later - earlier for earlier, later in pairwise(due))
    return max(success + LATE_AFTER_INTERVALS * shortest, due[LATE_AFTER_INTERVALS - 1])


def is_misdated(log: SyncLog, now: datetime) -> bool:
    """Whether an entry is dated in the future, by a wrong clock or by hand."""
    return log.at - now > CLOCK_TOLERANCE


def _synced_reports(progress: Mapping[StepName, Progress], runs: Iterable[RunEntry]) -> frozenset[str]:
    """The reports of which syncctl has synced anything, if only a few days. `runs`: the newest ones."""
    in_runs = (
        step["name"]
        for run in runs
        for step in run.document.get("steps", ())
        if step["status"] in (StepStatus.SUCCESS, StepStatus.PARTIAL)
    )
    return frozenset((*in_runs, *(report for report, of_report in progress.items() if of_report.synced)))


def api_steps(
    logs: Mapping[str, LastLogs],
    progress: Mapping[StepName, Progress],
    now: datetime,
    next_sync: NextSync,
    runs: Sequence[RunEntry],
) -> tuple[ApiStep, ...]:
    """Each API step, by `synclogs` (by syncType) and its locations' progress; `runs`: the newest ones.

    Neither is enough: in synclogs, a run of one location is a success like any other, and watermarks move
    even if the run fails for other locations. So the earlier of the two counts.
    """
    synced_before, refusals = _synced_reports(progress, runs), set[str]()
    steps = []
    for name in API_STEPS:
        step = _api_step(name, logs.get(SYNC_TYPES[name]), progress.get(name), now, next_sync)
        if step.only_parts and name not in synced_before:
            step = step._replace(only_parts=False, only_by_others=True)
        of_run = _of_run(step, runs)
        refusal = of_run.get("refusal") if of_run else None
        steps.append(step._replace(of_run=of_run, same_refusal=refusal in refusals))
        refusals.update(filter(None, [refusal]))
    return tuple(steps)


def _of_run(step: ApiStep, runs: Iterable[RunEntry]) -> Mapping[str, Any] | None:
    """What the run has of the step that wrote its last entry in synclogs."""
    if step.last is None:
        return None
    for run in runs:
        length = timedelta(seconds=run.document["duration_s"]) + _LOG_LEEWAY
        if run.started_at - _LOG_LEEWAY <= step.last.at <= run.started_at + length:
            for found in run.document["steps"]:
                if found["name"] == step.step:
                    return cast("Mapping[str, Any]", found)
    return None


def _api_step(
    name: StepName, last_logs: LastLogs | None, progress: Progress | None, now: datetime, next_sync: NextSync
) -> ApiStep:
    if last_logs is None:
        return ApiStep(name, None, None, late=True)
    logged = last_logs.last_success
    misdated = next((log for log in (last_logs.last, logged) if log and is_misdated(log, now)), None)
    if logged is None:
        only_parts = progress is not None and any(state.watermark for state in progress.active)
        return ApiStep(name, last_logs.last, None, late=True, only_parts=only_parts, misdated=misdated)
    undated = is_misdated(logged, now)
    if progress is None or progress.all_dormant:
        success, late = (None, False) if undated else (logged.at, now > late_from(logged.at, next_sync))
        return ApiStep(name, last_logs.last, success, late, misdated=misdated)
    reached = progress.reached(now)
    if reached is None:
        return ApiStep(name, last_logs.last, None, late=True, only_parts=True, misdated=misdated)
    success = reached if undated else min(logged.at, reached)
    return ApiStep(
        name,
        last_logs.last,
        success,
        late=now > late_from(success, next_sync),
        only_parts=not undated and late_from(success, next_sync) < logged.at,
        misdated=misdated,
    )


def success_words(step: ApiStep, now: datetime) -> str:
    """When a step was last synced, in words."""
    if step.last_success_at is None:
        if step.only_by_others:
            return "not yet synced by syncctl"
        if step.only_parts:
            return "only some locations or days were synced so far"
        return "never synced" if step.late else "not known when"
    seen = ago(step.last_success_at, now)
    return f"{seen}, only some locations or days since" if step.only_parts else seen


def misdated_words(log: SyncLog, now: datetime) -> str:
    """What is wrong with an entry dated in the future."""
    return f"an entry of synclogs is dated {span(log.at - now)} in the future"


def misdated_hint(log: SyncLog) -> str:
    """What to do about it."""
    return f"Delete that entry (syncType {log.sync_type}) from synclogs: its date is wrong."


def starts_by_itself(runs: Iterable[RunEntry], now: datetime, next_sync: NextSync) -> bool | None:
    """Whether something that can't be seen from here starts the sync, judged by when runs began. `runs`: the
    newest ones.

    A single run without a terminal proves nothing: a person may have redirected it. A scheduler comes in each
    interval, equally late. None: there was such a run lately, but no such pattern yet.
    """
    starts = [run.started_at for run in runs if run.document.get("trigger") == Trigger.AUTO]
    if not starts or now > late_from(max(starts), next_sync):
        return False
    intervals: dict[datetime, list[datetime]] = {}
    for start in starts:
        intervals.setdefault(next_sync(start), []).append(start)
    ends = sorted(intervals, reverse=True)[: INTERVALS_IN_A_ROW + 1]
    if len(ends) <= INTERVALS_IN_A_ROW or any(next_sync(begun) != end for end, begun in pairwise(ends)):
        return None
    newest, *before = ([start - begun for start in intervals[end]] for end, begun in pairwise(ends))
    for delay in newest:
        if all(any(abs(delay - other) <= START_LEEWAY for other in others) for others in before):
            return True
    return None


def span(length: timedelta) -> str:
    """A duration in words: "40 s", "95 min", "26 h", "5 days"."""
    return duration(length.total_seconds())


def ago(moment: datetime, now: datetime) -> str:
    """How long ago a time was: "just now", "3 min ago"."""
    return time_ago((now - moment).total_seconds())


def late_shards(
    progress: Mapping[StepName, Progress], runs: Iterable[RunEntry], now: datetime, next_sync: NextSync
) -> Iterator[str]:
    """What is late, in words: most locations of a part are behind, by the rule for all of them. `runs`: the
    newest first; the latest one that synced a part says how many parts there are."""
    written = next((shard for run in runs if (shard := run.document.get("shard"))), None)
    if written is None:
        return
    for shard in shards(Shard.parse(written).of):
        for report, whole in progress.items():
            part = _part(whole, shard)
            if not part.active:
                continue
            reached = part.reached(now)
            if reached is None:
                yield f"{PLURALS[report]}: part {shard} was never synced"
            elif now > late_from(reached, next_sync):
                yield f"{PLURALS[report]}: part {shard} was last synced {ago(reached, now)}"


def _part(progress: Progress, shard: Shard) -> Progress:
    active = tuple(state for state in progress.active if shard.has(state.location))
    return replace(progress, active=active)
