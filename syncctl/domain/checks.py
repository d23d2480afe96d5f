"""What a check found: the lines of `verify`, `status` and `doctor`, each with a hint at what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class CheckResult(StrEnum):
    """How a check ended; `--json` prints these words, a terminal shows ✓, !, ✗."""

    PASSED = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(NamedTuple):
    """One line of a check's report."""

    result: CheckResult
    name: str
    """What was checked."""

    message: str
    """What was found."""

    hint: str = ""
    """What to do next; empty only where nothing needs doing."""

    @classmethod
    def passed(cls, name: str, message: str) -> Finding:
        return cls(CheckResult.PASSED, name, message)

    @classmethod
    def warning(cls, name: str, message: str, hint: str) -> Finding:
        return cls(CheckResult.WARNING, name, message, hint)

    @classmethod
    def failed(cls, name: str, message: str, hint: str) -> Finding:
        return cls(CheckResult.FAILED, name, message, hint)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by some trait, in the order to be shown: "Leads by source"."""

    title: str
    counts: Mapping[str, int]

    words: Mapping[str, str] = field(default_factory=dict)
    """What people call the labels that stand in the database, for those that have another name."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of a command that checks something."""

    command: str
    checks: tuple[Finding, ...]
    tallies: tuple[Tally, ...] = ()

    took: Mapping[str, float] = field(default_factory=dict)
    """What was looked up, and the seconds that it took."""

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings are allowed."""
        return all(check.result is not CheckResult.FAILED for check in self.checks)

    def only_wrong(self) -> CheckReport:
        """It without what is all right, and what is counted beside."""
        wrong = tuple(check for check in self.checks if check.result is not CheckResult.PASSED)
        return CheckReport(self.command, wrong)
