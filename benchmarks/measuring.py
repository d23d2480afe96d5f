"""Whole commands measured: wall-clock seconds, peak memory, calls of the API, round trips to the database."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")

Count = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a command."""

    wall_s: float
    peak_mb: float

    calls: int | None = None
    """None if not counted."""

    round_trips: int | None = None
    """None if not counted."""


class CommandFailedError(Exception):
    """A command that is measured ended with an exit status other than 0."""


def measure(
    command: Sequence[str],
    folder: Path,
    settings: Mapping[str, str],
    *,
    calls: Count | None = None,
    round_trips: Count | None = None,
) -> Measured:
    """Run `python COMMAND…` in `folder`, with little more than the settings in its environment.

    Raises:
        CommandFailedError: with the command's output.
    """
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **settings}
    calls_before, trips_before = (count() if count else 0 for count in (calls, round_trips))
    launched = subprocess.run(
        [sys.executable, "-S", str(LAUNCHER), sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=True,
    )
    seen = json.loads(launched.stdout)
    if seen["status"]:
        said = launched.stderr.decode(errors="replace")
        raise CommandFailedError(f"{' '.join(command)} ended with {seen['status']}: {said}")
    return Measured(
        seen["wall_s"],
        seen["peak_kb"] / 1024,
        calls() - calls_before if calls else None,
        # The count itself is one.
        round_trips() - trips_before - 1 if round_trips else None,
    )


def median(runs: Sequence[Measured]) -> Measured:
    """Median seconds, largest memory, and the counts of the last run."""
    return Measured(
        statistics.median(run.wall_s for run in runs),
        max(run.peak_mb for run in runs),
        runs[-1].calls,
        runs[-1].round_trips,
    )
