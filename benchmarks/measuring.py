"""Whole commands measured: seconds, CPU seconds, peak memory, the API's calls, the database's round trips."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

LAUNCHER = Path(__file__).with_name("launcher.py")

Count = Callable[[], int]


class Counted(NamedTuple):
    """What is counted beside the command; None: not counted."""

    calls: Count | None = None
    round_trips: Count | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a command."""

    wall_s: float

    cpu_s: float
    """Of the command alone, without a server's."""

    peak_mb: float

    calls: int | None = None
    """None if not counted."""

    round_trips: int | None = None
    """None if not counted."""


class CommandFailedError(Exception):
    """A command that is measured ended with an exit status that it shouldn't have."""


def measure(
    command: Sequence[str],
    folder: Path,
    settings: Mapping[str, str],
    counted: Counted,
    statuses: Container[int],
) -> Measured:
    """Run `python COMMAND…` in `folder`, with little more than the settings in its environment. `statuses`:
    how it may end.

    Raises:
        CommandFailedError: with the command's output.
    """
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **settings}
    calls, round_trips = counted
    calls_before, trips_before = (count() if count else 0 for count in counted)
    launched = subprocess.run(
        [sys.executable, "-S", str(LAUNCHER), sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=True,
    )
    seen = json.loads(launched.stdout)
    if seen["status"] not in statuses:
        said = launched.stderr.decode(errors="replace")
        raise CommandFailedError(f"{' '.join(command)} ended with {seen['status']}: {said}")
    return Measured(
        seen["wall_s"],
        seen["cpu_s"],
        seen["peak_kb"] / 1024,
        calls() - calls_before if calls else None,
        # The count itself is one.
        round_trips() - trips_before - 1 if round_trips else None,
    )


def median(runs: Sequence[Measured]) -> Measured:
    """Median seconds, largest memory, and the counts of the last run."""
    return Measured(
        statistics.median(run.wall_s for run in runs),
        statistics.median(run.cpu_s for run in runs),
        max(run.peak_mb for run in runs),
        runs[-1].calls,
        runs[-1].round_trips,
    )
