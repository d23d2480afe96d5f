"""`python -m tests.support.calls [--write docs/benchmarks.md]`: how often the API is called, mode by mode."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from syncctl.domain.dialects import Mode
from syncctl.domain.sources import REPORT_STEPS
from syncctl.locations import load_locations
from syncctl.sandbox import Sandbox
from tests.support.marked_part import MarkedPart, MarkerError
from tests.support.world import World

PART = MarkedPart(
    begin="<!-- how often it calls: made by python -m tests.support.calls -->",
    end="<!-- end of how often it calls -->",
)
TODAY = date(2026, 3, 11)
LOCATIONS, AUDITS = 21, 2
RUNS_A_DAY = 288
EVERY = timedelta(days=1) / RUNS_A_DAY
ALL = 1000
"""Enough audits to ask each id once, as two hours of runs do; after that no dormant one is due."""

DIALECT_OF_MODE = {Mode.WHOLE: "all-ignored", Mode.MONTHS: "dates-empty", Mode.DATES: "own-date"}
"""A dialect for which each mode is the right one."""

WINDOW_TEXT = {Mode.WHOLE: "12 months", Mode.MONTHS: "the last month", Mode.DATES: "10 days"}
"""The window of a usual call; by dates, 7 days before the last success plus a day at both ends."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls in one mode."""

    mode: Mode

    first: int
    """Of the first run, which measures."""

    usual: int
    """Of a run without audits."""

    run: int
    """Of a run with audits."""

    measuring: int
    """Of the one daily run that also measures."""

    @property
    def day(self) -> int:
        """A run every five minutes."""
        return (RUNS_A_DAY - 1) * self.run + self.measuring


@contextmanager
def busy_world(mode: Mode) -> Iterator[World]:
    """Locations with recent, two-week-old and old data, before the first run."""
    with (
        Sandbox(locations=LOCATIONS, bookings=0, today=TODAY, dialect=DIALECT_OF_MODE[mode]) as sandbox,
        TemporaryDirectory(prefix="syncctl-calls-") as folder,
    ):
        for number, row in enumerate(
            {row["bookingNo"]: row for row in sandbox.add_bookings(12 * LOCATIONS)}.values()
        ):
            day = TODAY - timedelta(days=100 if number < LOCATIONS else 15 * (number % 2))
            sandbox.change_booking(row["bookingNo"], bookingDate=day)
            sandbox.return_booking(row["bookingNo"], datetime.combine(day, time(11)))
        world = World(sandbox, f"sqlite:///{folder}/calls.db", load_locations())
        yield world
        world.close()


def calls_of_a_run(world: World, *, audits: int = AUDITS) -> int:
    """Calls of the next run."""
    before = len(world.sandbox.requests)
    result = world.run(measures=True, audits=audits)
    if not result.ok:
        raise AssertionError(result)
    world.now += EVERY
    return len(world.sandbox.requests) - before


def cost_of(mode: Mode) -> Cost:
    """Count the calls in a world whose dialect leads to this mode."""
    with busy_world(mode) as world:
        first = calls_of_a_run(world)
        with world.storage() as storage:
            found = {report: storage.dialects()[report].mode for report in REPORT_STEPS}
        if set(found.values()) != {mode}:
            raise AssertionError(found)
        usual, run = calls_of_a_run(world, audits=0), calls_of_a_run(world)
        world.now += timedelta(hours=20)
        calls_of_a_run(world, audits=ALL)
        world.now += timedelta(hours=4)
        return Cost(mode, first, usual, run, calls_of_a_run(world))


def table(costs: list[Cost]) -> str:
    """As Markdown."""
    rows = [
        (
            "both reports are asked for",
            "each call asks for",
            "calls of a run",
            "and of audits",
            "calls a day",
        ),
        ("---", "---", "---:", "---:", "---:"),
        *(
            (
                {Mode.WHOLE: "everything"}.get(cost.mode, f"less, by {cost.mode}"),
                WINDOW_TEXT[cost.mode],
                f"{cost.usual}",
                f"{cost.run - cost.usual}",
                f"{cost.day:,}",
            )
            for cost in costs
        ),
    ]
    measured = ", ".join(f"{cost.measuring - cost.run} ({cost.mode})" for cost in costs)
    return "\n".join(
        (
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            f"{LOCATIONS} locations that the store list names, besides the old ids of `locations.toml`; a "
            f"run every five minutes. Each day holds one measurement: {measured} calls.",
        )
    )


def main() -> int:
    """Print the table, or write it into a file. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.calls")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    given = parser.parse_args()
    try:
        PART.publish(table([cost_of(mode) for mode in Mode]), given.write)
    except (MarkerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
