"""How old each API step's last success is, measured against the schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from syncctl.models import StepName, StepStatus, SyncLog, Trigger
from syncctl.operator_ports import LastLogs
from syncctl.services.planning import CLOCK_TOLERANCE
from syncctl.services.run import SYNC_TYPES
from syncctl.services.sync import API_STEPS

INTERVALS = 3
"""So many intervals of the schedule may pass without a success before a step counts as late."""

NextSync = Callable[[datetime], datetime]
"""When the scheduler starts the sync next after some instant."""


@dataclass(frozen=True, slots=True)
class ApiStep:
    """How one step of the API stands. `last`: its newest entry in synclogs, however it ended. `late`: never
    a success, or none for INTERVALS of the schedule."""

    step: StepName
    last: SyncLog | None
    last_success_at: datetime | None
    late: bool

    @property
    def failed(self) -> bool:
        """Whether its last run failed altogether."""
        return self.last is not None and self.last.status is StepStatus.FAILED


def late_from(success: datetime, next_sync: NextSync) -> datetime:
    """When a step whose last success was then becomes late.

    After INTERVALS of the schedule, and not before so many runs were due: a schedule that rests at night
    makes nothing late by that.
    """
    due = [next_sync(success)]
    for _ in range(INTERVALS):
        due.append(next_sync(due[-1]))
    shortest = min(later - earlier for earlier, later in pairwise(due))
    return max(success + INTERVALS * shortest, due[INTERVALS - 1])


def api_steps(logs: Mapping[str, LastLogs], now: datetime, next_sync: NextSync) -> tuple[ApiStep, ...]:
    """Each step of the API by what `synclogs` tells (by syncType). A success dated in the future, by a clock
    that was wrong, counts as none."""
    steps = []
    for name in API_STEPS:
        told = logs.get(SYNC_TYPES[name])
        success = told.last_success.at if told and told.last_success else None
        late = success is None or success - now > CLOCK_TOLERANCE or now > late_from(success, next_sync)
        steps.append(ApiStep(name, told.last if told else None, success, late))
    return tuple(steps)


def scheduler_is_at_work(steps: tuple[ApiStep, ...], now: datetime, next_sync: NextSync) -> bool:
    """Whether something other than a person has started a sync lately."""
    return any(
        step.last is not None
        and step.last.trigger is Trigger.AUTO
        and now <= late_from(step.last.at, next_sync)
        for step in steps
    )


def span(length: timedelta) -> str:
    """A length of time in its one telling unit, rounded down: "40 s", "3 min", "26 h", "5 d"."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 120 * 60:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago an instant was."""
    return f"{span(now - moment)} ago" if moment <= now else f"in the future, by {span(moment - now)}"
