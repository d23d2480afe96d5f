"""The findings of `verify sync` about how far each report's locations are synced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.checks import Finding
from syncctl.domain.sources import PLURALS, StepName
from syncctl.services.checks.freshness import ApiStep, ago, late_from
from syncctl.services.checks.progress import Progress, watermark
from syncctl.services.run import Clock
from syncctl.text import and_more, plural

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
