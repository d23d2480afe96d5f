"""Which entries of `synclogs` are another system's: those that no run of syncctl can have written.

Each step of a run leaves one entry, between the run's start and its end. So a run of the history explains one
entry of each of its steps in that time; what else is in the entry doesn't matter, as one of two that come
together is left over in any case.

A run that was killed, or that lost the database, is not in the history, but its first steps left entries.
So entries that are left over are still taken for such a run's where it can have left them (`_may_be_ours`),
unless that happens OFTEN within a day, each time with a whole run after it: the machine is then not to blame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from syncctl.domain.run_history import SyncLog
from syncctl.domain.steps import Trigger
from syncctl.ports.admin import RunSpan
from syncctl.services.run import SYNC_TYPES
from syncctl.services.sync.api_sync import API_STEPS

LEEWAY = timedelta(minutes=1)
"""A clock that is set during a run dates its entries so much before its start or after its end."""

TOGETHER = timedelta(minutes=10)
"""Entries of different kinds that are no further apart than this are of one run, whoever's."""

SHORTLY = timedelta(hours=1)
"""A single entry is taken for a killed run's where the next run follows within this time."""

OFTEN, WITHIN = 12, timedelta(days=1)
"""The web app's scheduler runs 144 times a day; a machine short of memory kills a run now and then."""

_KINDS: dict[str, str] = {step: SYNC_TYPES[step] for step in API_STEPS}
STORE, BOOKING, RETURN = _KINDS.values()

_BROKEN_OFF = ({STORE}, {STORE, BOOKING})
"""What `api` leaves when it is killed before its last step has ended."""

_BROKEN_OFF_BY_HAND = ({BOOKING}, {STORE, BOOKING, RETURN})
"""The same of `verify source --repair`, and of `all`, which imports files after these steps."""


def entries_of_others(logs: Iterable[SyncLog], runs: Sequence[RunSpan]) -> list[SyncLog]:
    """The entries of API steps that another system wrote, the oldest first. `logs`: the oldest first; `runs`:
    by their start."""
    starts = [run.started_at for run in runs]
    theirs: list[list[SyncLog]] = []
    doubtful: list[list[SyncLog]] = []
    for group in _groups(_left_over(logs, runs)):
        (doubtful if _may_be_ours(group, starts) else theirs).append(group)
    theirs += _too_often(doubtful, starts)
    return sorted((entry for group in theirs for entry in group), key=lambda entry: entry.at)


class _AtWork(NamedTuple):
    """A run around the entry that is looked at."""

    until: datetime
    """When it had ended at the latest."""

    explains: Counter[str]
    """Kinds of the entries that it wrote and that were not met yet."""


def _left_over(logs: Iterable[SyncLog], runs: Iterable[RunSpan]) -> Iterator[SyncLog]:
    """The entries that no run explains. Where several were at work, the one that ended first explains an
    entry: so as many as possible are explained."""
    coming = deque(runs)
    at_work: list[_AtWork] = []
    for entry in logs:
        if entry.sync_type not in _KINDS.values():
            continue
        while coming and coming[0].started_at - LEEWAY <= entry.at:
            run = coming.popleft()
            kinds = Counter(_KINDS[step] for step in run.steps if step in _KINDS)
            at_work.append(_AtWork(run.ended_at + LEEWAY, kinds))
        at_work = [run for run in at_work if run.until >= entry.at and run.explains.total()]
        explaining = [run for run in at_work if run.explains[entry.sync_type]]
        if explaining:
            min(explaining, key=lambda run: run.until).explains[entry.sync_type] -= 1
        else:
            yield entry


def _groups(entries: Iterable[SyncLog]) -> Iterator[list[SyncLog]]:
    """Entries that one run may have left: each kind once, close together."""
    group: list[SyncLog] = []
    for entry in entries:
        follows = group and entry.at - group[-1].at <= TOGETHER
        if follows and entry.sync_type not in {other.sync_type for other in group}:
            group.append(entry)
            continue
        if group:
            yield group
        group = [entry]
    if group:
        yield group


def _may_be_ours(group: Sequence[SyncLog], starts: Sequence[datetime]) -> bool:
    """Whether a run that is not in the history can have left these entries: the first steps of one, or a
    single entry of one that was killed before it was noted, with the next run shortly after."""
    kinds = {entry.sync_type for entry in group}
    if kinds in _BROKEN_OFF:
        return True
    if kinds in _BROKEN_OFF_BY_HAND and all(entry.trigger is Trigger.MANUAL for entry in group):
        return True
    following = bisect_right(starts, group[-1].at)
    return len(group) == 1 and following < len(starts) and starts[following] - group[-1].at <= SHORTLY


def _too_often(doubtful: Sequence[list[SyncLog]], starts: Sequence[datetime]) -> Iterator[list[SyncLog]]:
    """Those of the doubtful groups that come too often to be killed runs. Several with no whole run between
    them count as one: something kills each run then."""
    occasions: dict[int, list[list[SyncLog]]] = {}
    for group in doubtful:
        following = bisect_right(starts, group[-1].at)
        if following < len(starts):
            occasions.setdefault(following, []).append(group)
    in_order = list(occasions.values())
    often: set[int] = set()
    for first in range(len(in_order) - OFTEN + 1):
        last = first + OFTEN - 1
        if in_order[last][0][0].at - in_order[first][0][0].at <= WITHIN:
            often.update(range(first, last + 1))
    for number in sorted(often):
        yield from in_order[number]
