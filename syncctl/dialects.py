"""How a report answers a narrower question than for everything: measured against whole answers, not assumed.

contract/rental-api.md, "What nobody knows: how a window is answered".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from syncctl.models import BodyForm, Days, StepName

FEWEST_ROWS = 20
"""A mode is earned by no fewer rows than these, of all locations together."""

LOCATIONS_MEASURED = 3


class Mode(StrEnum):
    """What a report is asked for in an ordinary run. WHOLE: everything, the safe default. MONTHS: the fewest
    months that hold every recent event. DATES: the days since the watermark, which it honours by the date of
    the event itself."""

    WHOLE = "whole"
    MONTHS = "months"
    DATES = "dates"


class LocationIds(StrEnum):
    """What the location id that a report is asked for leads to. HONOURED: to that location's rows. IGNORED:
    to rows of several shops. EMPTY: to none; only an empty id brings rows, those of all shops."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    EMPTY = "empty"


class Verdict(StrEnum):
    """What one narrower answer says of a mode. MISSING: a row dated inside the window was not in it. IGNORED:
    rows dated outside came as well, so that it was not the window that was answered."""

    AGREES = "agrees"
    MISSING = "rows missing"
    IGNORED = "window ignored"
    FAILED = "no answer"
    INCONCLUSIVE = "too few rows"


@dataclass(frozen=True, slots=True)
class Trial:
    """One narrower question held against the whole answer of the same location."""

    at: datetime
    location: str

    asked: str
    """The window in words: "2026-11-18 to 2026-11-27", "1 month"."""

    form: BodyForm
    verdict: Verdict

    whole: int
    """Rows of the whole answer that have a date of the event."""

    inside: int
    """Those of them that are dated well inside the window, and so must come."""

    found: int
    """Those of `inside` that came."""

    outside: int
    """Rows that came though they are dated well outside the window."""

    error: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one report is asked, and on what evidence."""

    report: StepName
    mode: Mode = Mode.WHOLE

    months: int = 1
    """In mode MONTHS: how many."""

    form: BodyForm = BodyForm.USUAL
    """Which keys the body of a narrower question has; of a whole one where the usual body failed."""

    since: datetime | None = None
    """When the mode was found, or lost; None: never measured."""

    measured_at: datetime | None = None
    trials: tuple[Trial, ...] = ()

    lost_by: str | None = None
    """The contradiction by which a narrower mode was lost, in words; None where none was."""

    ids: LocationIds = LocationIds.HONOURED

    ids_since: datetime | None = None
    """When `ids` was found; None: it was never anything but HONOURED."""

    ids_seen: str | None = None
    """On what evidence, in words."""

    spellings: tuple[tuple[str, str], ...] = ()
    """Location ids whose rows name another store than locations.toml, each with its rows' `location`."""

    @property
    def by_row(self) -> bool:
        """Whether each row's own location decides its store, instead of the id that was asked for."""
        return self.ids is not LocationIds.HONOURED


class DatedRow(NamedTuple):
    """A row of an answer, for comparing: which one it is, and the day of its event."""

    place: str
    day: date


def missing_rows(whole: Sequence[DatedRow], narrow: Iterable[DatedRow], inside: Days) -> list[DatedRow]:
    """The rows dated inside those days that the narrower answer lacks."""
    there = Counter(row.place for row in narrow)
    return [row for row in whole if inside.first <= row.day <= inside.last and not there[row.place]]
