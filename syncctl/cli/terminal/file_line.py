"""The line below the progress bars of an import: how far its file is read, or its records are stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from syncctl.ports.listener import FileProgress
from syncctl.safe_output.printable import printable

SHORTEST_NAME = 12
"""Characters of a file's name that stay whatever the width."""


class _Rate(NamedTuple):
    """Since when something is counted, and what was done by then."""

    at: float
    done: int
    rows: int


class FileLine:
    """Composes the line anew each time that it is shown, so that the time in it moves."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reading: FileProgress | None = None
        self._storing: tuple[str, int, int] | None = None
        self._since = 0.0
        self._rate: _Rate | None = None

    def reading(self, progress: FileProgress) -> None:
        """A file is read on, or begun."""
        before, self._storing = self._reading, None
        if before is None or before.number != progress.number:
            self._since, self._rate = self._clock(), None
        if self._rate is None and progress.rows:
            self._rate = _Rate(self._clock(), progress.bytes_read, progress.rows)
        self._reading = progress

    def storing(self, what: str, stored: int, of: int) -> None:
        """So many records of all files are stored. `what` is done, in one word."""
        if self._storing is None:
            self._rate, self._reading = _Rate(self._clock(), stored, stored), None
        self._storing = what, stored, of

    def clear(self) -> None:
        """Nothing is read or stored now."""
        self._reading = self._storing = self._rate = None

    def text(self, width: int) -> str:
        """The line, of at most `width` characters; "" while there is nothing to say."""
        reading, storing, rate = self._reading, self._storing, self._rate
        if storing is not None:
            what, stored, of = storing
            return ", ".join(
                [f"  {what} {stored:,} of {of:,} records", *self._pace(rate, stored, of, stored)]
            )
        if reading is None:
            return ""
        if not reading.rows:
            parts = [_megabytes(reading.size), "opening", minutes(self._clock() - self._since)]
        else:
            read = _megabytes(reading.bytes_read).removesuffix(" MB")
            parts = [f"{read} of {_megabytes(reading.size)}", f"{reading.rows:,} rows"]
            parts += self._pace(rate, reading.bytes_read, reading.size, reading.rows)
        said = f": {', '.join(parts)}"
        which = f"  {reading.number}/{reading.of} " if reading.of > 1 else "  "
        return which + _shortened(printable(reading.name), width - len(which) - len(said)) + said

    def _pace(self, rate: _Rate | None, done: int, total: int, rows: int) -> list[str]:
        """How many rows a second since `rate`, and how long the rest takes at that pace."""
        if rate is None or rows <= rate.rows or (passed := self._clock() - rate.at) <= 0:
            return []
        pace = [f"{round((rows - rate.rows) / passed):,} rows/s"]
        if done > rate.done:
            pace.append(f"{minutes((total - done) * passed / (done - rate.done))} left")
        return pace


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def minutes(seconds: float) -> str:
    """A span of time: `0:07`, `1:02:03`."""
    whole, rest = divmod(max(0, round(seconds)), 60)
    hours, whole = divmod(whole, 60)
    return f"{hours}:{whole:02}:{rest:02}" if hours else f"{whole}:{rest:02}"


def _shortened(name: str, width: int) -> str:
    """A file's name in that many characters, its end among them: names of stores' files begin alike."""
    most = max(width, SHORTEST_NAME)
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[len(name) - most + most // 2 :]}"
