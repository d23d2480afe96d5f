"""`history --stats`: what the whole `api` runs of some days come to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise, takewhile
from typing import NamedTuple, cast

from syncctl.domain.run_documents import instant
from syncctl.domain.sources import REPORT_STEPS
from syncctl.ports.admin import Survey
from syncctl.services.checks.history import USUAL_COMMAND, PastRun, newest_runs
from syncctl.services.checks.history_documents import RunStatisticsDocument, WorstLocationDocument

BATCH = 1000
"""Runs read at once: of 30 days there are thousands."""

TARGET_S = 30
"""Within how many seconds the old system's guide wanted a run to end."""

TARGET_SUCCESS = 0.99
"""The share of runs that this guide wanted to succeed."""


class Gap(NamedTuple):
    """A time in which no run began."""

    begin: datetime
    end: datetime | None
    """When the next run began; None: none has yet."""


class WorstLocation(NamedTuple):
    """The location of a report that failed in most runs."""

    report: str
    location: str
    store: str
    failed: int
    """In how many runs."""

    error: str
    """Why, the last time."""


class RunStatistics(NamedTuple):
    """What the runs come to that began from `since` on: those of `syncctl api` that left nothing out."""

    days: int
    since: datetime
    until: datetime
    runs: int
    succeeded: int
    p50_s: float | None
    """Half of the runs took at most so many seconds; None: there was no run."""

    p95_s: float | None
    p99_s: float | None
    within_target: int
    """How many runs took at most TARGET_S."""

    longest_gap: Gap | None
    """The longest time from the begin of one run to that of the next; None: there was no run."""

    longest_gap_s: float
    worst: WorstLocation | None
    """None: no location failed."""

    rows_per_day: Mapping[str, int]
    """The business's day -> rows of the reports that came in, oldest day first."""

    saved_per_day: Mapping[str, int]
    """The same of new leads."""


def run_statistics(survey: Survey, days: int, now: datetime, zone: tzinfo) -> RunStatistics:
    """The statistics of the last `days` times 24 hours; `zone`: whose days rows are counted by. Reads all
    runs of this time, and no others.

    Raises:
        StorageError: the database refused.
    """
    since = now - timedelta(days=days)
    durations: list[float] = []
    starts: list[datetime] = []
    succeeded = 0
    rows, saved, failures = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    last: dict[tuple[str, str], WorstLocation] = {}
    for run in takewhile(lambda run: run.started_at >= since, newest_runs(survey, batch=BATCH)):
        if run.command != USUAL_COMMAND or not run.whole:
            continue
        starts.append(run.started_at)
        durations.append(run.duration_s)
        succeeded += run.ok
        day = run.started_at.astimezone(zone).date().isoformat()
        counts = [step.counts for step in run.steps if step.name in REPORT_STEPS]
        rows[day] += sum(each.rows for each in counts)
        saved[day] += sum(each.saved for each in counts)
        for failure in _failures(run):
            place = (failure.report, failure.location)
            failures[place] += 1
            last.setdefault(place, failure)
    durations.sort()
    # The history begins with the first run of all: there was no gap before it.
    first = survey.first_run_at(REPORT_STEPS)
    begin = [since] if first is not None and first < since and starts else []
    gap, length = _longest_gap([*begin, *reversed(starts)], now)
    worst = max(failures, key=lambda place: failures[place], default=None)
    return RunStatistics(
        days=days,
        since=since,
        until=now,
        runs=len(starts),
        succeeded=succeeded,
        p50_s=_percentile(durations, 50),
        p95_s=_percentile(durations, 95),
        p99_s=_percentile(durations, 99),
        within_target=sum(duration <= TARGET_S for duration in durations),
        longest_gap=gap,
        longest_gap_s=length.total_seconds(),
        worst=last[worst]._replace(failed=failures[worst]) if worst else None,
        rows_per_day=dict(sorted(rows.items())),
        saved_per_day=dict(sorted(saved.items())),
    )


def _failures(run: PastRun) -> list[WorstLocation]:
    return [
        WorstLocation(step.name, place.location, place.store, 1, place.error)
        for step in run.steps
        for place in step.locations
        if place.error
    ]


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The value that so many percent of them don't exceed: one of them."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _longest_gap(starts: Sequence[datetime], now: datetime) -> tuple[Gap | None, timedelta]:
    """The longest one, and how long it is. `starts`: oldest first."""
    if not starts:
        return None, timedelta(0)
    gaps = [Gap(begin, end) for begin, end in pairwise(starts)]
    gaps.append(Gap(starts[-1], None))

    def length(gap: Gap) -> timedelta:
        return (gap.end or now) - gap.begin

    longest = max(gaps, key=length)
    return longest, length(longest)


def statistics_document(found: RunStatistics) -> RunStatisticsDocument:
    """The statistics as `--json` prints them."""
    gap, runs = found.longest_gap, found.runs
    return {
        "command": "history",
        "ok": True,
        "stats": {
            "days": found.days,
            "since": instant(found.since),
            "until": instant(found.until),
            "runs": runs,
            "succeeded": found.succeeded,
            "success_rate": round(found.succeeded / runs, 4) if runs else None,
            "target_success_rate": TARGET_SUCCESS,
            "target_met": found.succeeded >= TARGET_SUCCESS * runs if runs else None,
            "duration_s": {"p50": found.p50_s, "p95": found.p95_s, "p99": found.p99_s},
            "target_duration_s": TARGET_S,
            "within_target": found.within_target,
            "share_within_target": round(found.within_target / runs, 4) if runs else None,
            "longest_gap": {
                "from": instant(gap.begin),
                "to": instant(gap.end) if gap.end else None,
                "seconds": round(found.longest_gap_s),
            }
            if gap
            else None,
            "worst_location": cast("WorstLocationDocument", found.worst._asdict()) if found.worst else None,
            "rows_per_day": dict(found.rows_per_day),
            "saved_per_day": dict(found.saved_per_day),
        },
    }
