"""Which entries of `synclogs` another system wrote: those that no run of syncctl can have written.

Each step of a run writes one entry, between the run's start and end. So each run in the history accounts for
one entry per step in that time; the entry's other values don't matter, as one of two simultaneous entries
remains in any case.

A run that was killed, or that lost the database, isn't in the history, but its first steps wrote entries. So
remaining entries are attributed to such a run if it can have written them (`_may_be_a_killed_run`), unless
that happens OFTEN within a day, each time followed by a complete run: killed runs aren't the explanation
then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from syncctl.domain.run_history import SyncLog
from syncctl.domain.sources import API_STEPS, REPORT_STEPS, SYNC_TYPES, StepName
from syncctl.domain.steps import Trigger
from syncctl.ports.admin import RunSpan

LEEWAY = timedelta(minutes=1)
"""If the clock is set during a run, its entries may be dated this much before its start or after its end."""

SAME_RUN_WITHIN = timedelta(minutes=10)
"""Entries of different kinds within this time are from one run, of whichever system."""

NEXT_RUN_WITHIN = timedelta(hours=1)
"""A single entry is attributed to a killed run if the next run follows within this time."""

MIN_OCCURRENCES, OCCURRENCE_PERIOD = 12, timedelta(days=1)
"""The web app's scheduler runs 144 times a day; a machine short of memory kills a run now and then."""

_KINDS: dict[str, str] = {step: SYNC_TYPES[step] for step in API_STEPS}


def _first_kinds(steps: Sequence[StepName]) -> list[set[str]]:
    """The entries that a run of these steps has left by the end of each but the last."""
    return [{SYNC_TYPES[step] for step in steps[:done]} for done in range(1, len(steps))]


_INTERRUPTED_RUN = _first_kinds(API_STEPS)
"""The entries of an `api` run that was killed before the end of its last step."""

_INTERRUPTED_MANUAL_RUN = [*_first_kinds(REPORT_STEPS), set(_KINDS.values())]
"""The same for `verify source --repair`, and for `all`, which imports files after these steps."""


def entries_of_others(logs: Iterable[SyncLog], runs: Sequence[RunSpan]) -> list[SyncLog]:
    """The entries of API steps that another system wrote, oldest first. `logs`: oldest first; `runs`: by
    start."""
    starts = [run.started_at for run in runs]
    theirs: list[list[SyncLog]] = []
    unexplained: list[list[SyncLog]] = []
    for group in _groups(_left_over(logs, runs)):
        (unexplained if _may_be_a_killed_run(group, starts) else theirs).append(group)
    theirs += _too_often(unexplained, starts)
    return sorted((entry for group in theirs for entry in group), key=lambda entry: entry.at)


class _ActiveRun(NamedTuple):
    """A run at the time of the current entry."""

    until: datetime
    """The latest time at which it can have written entries."""

    unmatched: Counter[str]
    """How many entries of each kind it still accounts for."""


def _left_over(logs: Iterable[SyncLog], runs: Iterable[RunSpan]) -> Iterator[SyncLog]:
    """The entries that no run accounts for. If several runs overlap, the one that ended first gets an
    entry, so that as many as possible are accounted for."""
    coming = deque(runs)
    active: list[_ActiveRun] = []
    for entry in logs:
        if entry.sync_type not in _KINDS.values():
            continue
        while coming and coming[0].started_at - LEEWAY <= entry.at:
            run = coming.popleft()
            kinds = Counter(_KINDS[step] for step in run.steps if step in _KINDS)
            active.append(_ActiveRun(run.ended_at + LEEWAY, kinds))
        active = [run for run in active if run.until >= entry.at and run.unmatched.total()]
        matching = [run for run in active if run.unmatched[entry.sync_type]]
        if matching:
            min(matching, key=lambda run: run.until).unmatched[entry.sync_type] -= 1
        else:
            yield entry


def _groups(entries: Iterable[SyncLog]) -> Iterator[list[SyncLog]]:
    """Entries that one run may have written: each kind once, close together."""
    group: list[SyncLog] = []
    for entry in entries:
        follows = group and entry.at - group[-1].at <= SAME_RUN_WITHIN
        if follows and entry.sync_type not in {other.sync_type for other in group}:
            group.append(entry)
            continue
        if group:
            yield group
        group = [entry]
    if group:
        yield group


def _may_be_a_killed_run(group: Sequence[SyncLog], starts: Sequence[datetime]) -> bool:
    """Whether a run that isn't in the history can have written these entries: the first steps of one, or a
    single entry of one that was killed before it was stored, if the next run follows shortly."""
    kinds = {entry.sync_type for entry in group}
    if kinds in _INTERRUPTED_RUN:
        return True
    if kinds in _INTERRUPTED_MANUAL_RUN and all(entry.trigger is Trigger.MANUAL for entry in group):
        return True
    following = bisect_right(starts, group[-1].at)
    return len(group) == 1 and following < len(starts) and starts[following] - group[-1].at <= NEXT_RUN_WITHIN


def _too_often(unexplained: Sequence[list[SyncLog]], starts: Sequence[datetime]) -> Iterator[list[SyncLog]]:
    """The unexplained groups that occur too often to be killed runs. Several without a complete run
    between them count as one: something kills every run then."""
    occasions: dict[int, list[list[SyncLog]]] = {}
    for group in unexplained:
        following = bisect_right(starts, group[-1].at)
        if following < len(starts):
            occasions.setdefault(following, []).append(group)
    in_order = list(occasions.values())
    often: set[int] = set()
    for first in range(len(in_order) - MIN_OCCURRENCES + 1):
        last = first + MIN_OCCURRENCES - 1
        if in_order[last][0][0].at - in_order[first][0][0].at <= OCCURRENCE_PERIOD:
            often.update(range(first, last + 1))
    for number in sorted(often):
        yield from in_order[number]
