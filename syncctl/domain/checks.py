"""What a check found: the lines of `verify`, `status` and `doctor`, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a check came out; `--json` gives these words, a terminal shows ✓, !, ✗."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `name`: what was looked at; `found`: what was seen there; `cure`: what to do next, which only
    a line that is all right may leave out."""

    mark: Mark
    name: str
    found: str
    cure: str = ""

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
    """How many of something there are, by some trait, in the order to be shown: "Leads by source"."""

    title: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a command that checks something comes to."""

    command: str
    checks: tuple[Check, ...]
    tallies: tuple[Tally, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; a warning is not."""
        return all(check.mark is not Mark.BAD for check in self.checks)
