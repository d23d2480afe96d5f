"""Whole commands measured: wall-clock seconds, peak memory, calls of the API, round trips to the database."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Count = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a command. `calls`, `round_trips`: None where nobody counts them."""

    wall_s: float
    peak_mb: float
    calls: int | None = None
    round_trips: int | None = None


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
    """Run `python COMMAND…` in `folder`, with next to no environment but the settings.

    Raises:
        CommandFailedError: with what it said.
    """
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **settings}
    calls_before, trips_before = (count() if count else 0 for count in (calls, round_trips))
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandFailedError(
            f"{' '.join(command)} ended with {process.returncode}: {said.decode(errors='replace')}"
        )
    return Measured(
        wall_s,
        usage.ru_maxrss / 1024,
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
