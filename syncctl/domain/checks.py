"""What a check found: the lines of `verify`, `status` and `doctor`, each with a hint at what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a check ended; `--json` prints these words, a terminal shows ✓, !, ✗."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a check's report."""

    mark: Mark
    name: str
    """What was checked."""

    found: str
    """What was found."""

    cure: str = ""
    """What to do next; empty only where nothing needs doing."""

    @classmethod
    def good(cls, name: str, found: str) -> Check:
        return cls(Mark.GOOD, name, found)

    @classmethod
    def warning(cls, name: str, found: str, cure: str) -> Check:
        return cls(Mark.WARNING, name, found, cure)

    @classmethod
    def bad(cls, name: str, found: str, cure: str) -> Check:
        return cls(Mark.BAD, name, found, cure)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by some trait, in the order to be shown: "Leads by source"."""

    title: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of a command that checks something."""

    command: str
    checks: tuple[Check, ...]
    tallies: tuple[Tally, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings are allowed."""
        return all(check.mark is not Mark.BAD for check in self.checks)
