"""What a figure should be at most, and whether it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FLOOR = "x the floor"
GROWTH = "x growth"
FULL_SYNC = "x a full sync"
SECONDS = "s"
PER_LEAD = "us a lead"
MEMORY = "MB"


@dataclass(frozen=True, slots=True)
class Goal:
    """At most so much of a unit."""

    most: float

    unit: str
    """One of those above."""

    def verdict(self, value: float) -> str:
        """ "≤ 0.5 s: met", or by how much it was missed."""
        over = value - self.most
        by = f"{over:,.0f}" if over >= 10 else f"{over:.2g}"
        return f"≤ {self.most:g} {self.unit}: " + ("met" if over <= 0 else f"missed by {by}")


def verdicts(goals: Sequence[Goal], values: Mapping[str, float]) -> str:
    """All verdicts in a line. `values`: by unit; a goal without one is left out."""
    return "; ".join(goal.verdict(values[goal.unit]) for goal in goals if goal.unit in values)
