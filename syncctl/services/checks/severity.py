"""How bad each thing is that can be wrong: decided here, for `status`, `verify sync` and `doctor` alike.

`status` has the colour of the worst, and an exit status that follows from Health alone; the checks fail for
what is FAILED (docs/decisions/0024-what-status-fails-for.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, StrEnum
from typing import NamedTuple, Self

from syncctl.domain.checks import CheckResult, Finding


class Health(StrEnum):
    """The health of the sync, from the best to the worst; the worst that holds."""

    OK = "OK"
    LATE = "LATE"
    PAUSED = "PAUSED"
    FAILING = "FAILING"


_FAILED, _WARNING = CheckResult.FAILED, CheckResult.WARNING


class Trouble(Enum):
    """What can be wrong: how a check that finds it ends, and the health of a sync that has it."""

    NO_DATABASE = _FAILED, Health.FAILING

    OTHER_SCHEDULER = _FAILED, Health.FAILING
    """The web app's own is running, which inserts finished leads again."""

    STEP_FAILED = _FAILED, Health.FAILING
    """An API step's last run."""

    NEVER_SYNCED = _FAILED, Health.LATE

    STEP_LATE = _FAILED, Health.LATE
    """An API step, or of several hosts one's part of it, has had no success for three intervals of the
    schedule, or never; a success of a few locations doesn't count."""

    SWITCHED_OFF = _WARNING, Health.PAUSED
    """On purpose, so no check fails; but cron's runs do nothing."""

    STEP_FAILED_IN_PART = _WARNING, Health.OK
    """The next run usually repairs it; otherwise the step becomes late."""

    MISDATED_LOG = _WARNING, Health.OK

    IN_DOUBT = _WARNING, Health.OK
    """Locations whose answers are not trusted yet."""

    NOT_SCHEDULED = _WARNING, Health.OK
    """Nothing seen starts the sync, or that can't be known. A person may; otherwise it becomes late."""

    SCHEDULE_BROKEN = _FAILED, Health.OK
    """What is installed doesn't do what the settings say, or something else runs that must not."""

    LOCK_UNUSABLE = _FAILED, Health.OK
    """No run can start; what follows from that is late soon."""

    LOCK_HELD_LONG = _WARNING, Health.OK

    DUPLICATES = _FAILED, Health.OK
    """Another program's: the sync itself is in order."""

    REJECTS = _WARNING, Health.OK

    IMPORT_FAILED = _WARNING, Health.OK
    """A person was there."""

    def __new__(cls, *_: object) -> Self:
        """Each is one of its own, though others have the same values."""
        member = object.__new__(cls)
        member._value_ = len(cls.__members__)
        return member

    def __init__(self, result: CheckResult, health: Health) -> None:
        self.result = result
        self.health = health

    def found(self, name: str, message: str, hint: str) -> Finding:
        """It as a check's finding."""
        return Finding(self.result, name, message, hint)

    def reason(self, words: str) -> Reason:
        """It as a reason of `status`."""
        return Reason(words, self.result, self.health)


class Reason(NamedTuple):
    """Something that `status` says beside its figures."""

    words: str
    result: CheckResult
    health: Health


def health_of(reasons: Iterable[Reason]) -> Health:
    """The worst health that follows from any of them."""
    return max((reason.health for reason in reasons), key=list(Health).index, default=Health.OK)


def worst_of(reasons: Iterable[Reason]) -> CheckResult:
    """The worst of their results: the colour of the whole."""
    return max((reason.result for reason in reasons), key=list(CheckResult).index, default=CheckResult.PASSED)
