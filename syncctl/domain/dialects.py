"""How a report answers a narrower question than for everything: measured against whole answers, not assumed.

contract/rental-api.md, "What nobody knows: how a window is answered".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from syncctl.domain.requests import BodyForm, Days, Window
from syncctl.domain.steps import StepName

FEWEST_ROWS = 20
"""A mode is earned by no fewer rows than these, of all locations together."""

LOCATIONS_MEASURED = 3


class Mode(StrEnum):
    """What a report is asked for in an ordinary run. WHOLE: everything, the safe default. MONTHS: the fewest
    months that hold every recent event. DATES: the days since the watermark, which it honours by the date of
    the event itself."""

    WHOLE = "whole"
    MONTHS = "months"
    DATES = "dates"  # each is narrower than those before it


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

    is_of_months: bool = False
    """Whether months were asked for instead of days."""

    @property
    def words(self) -> str:
        """What was asked and what came, in a line."""
        asked = f"location {self.location}, asked for {self.asked}"
        match self.verdict:
            case Verdict.MISSING:
                return f"{asked}, left out {self.inside - self.found} of {self.inside} rows"
            case Verdict.IGNORED:
                return f"{asked}, gave {self.outside} rows of other days"
            case Verdict.FAILED:
                return f"{asked}: {self.error}"
        return f"{asked}, gave all {self.inside} rows"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one report is asked, and on what evidence."""

    report: StepName
    mode: Mode = Mode.WHOLE

    months: int = 1
    """In mode MONTHS: how many."""

    form: BodyForm = BodyForm.USUAL
    """Which keys the body of a narrower question has."""

    whole_form: BodyForm = BodyForm.USUAL
    """Which keys the body of a whole question has: another than the usual one where that was refused."""

    since: datetime | None = None
    """When the mode was found, or lost; None: never measured."""

    measured_at: datetime | None = None
    trials: tuple[Trial, ...] = ()

    lost_by: str | None = None
    """What a narrower mode was lost by, in words; None where none was, or it was earned again."""

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

    def measured(
        self, at: datetime, narrower: Narrower | None, trials: Sequence[Trial], against: str
    ) -> Dialect:
        """What is known after a measurement. `narrower`: what it proved. `against`: what spoke against the
        mode in use, if that is lost."""
        mode, months, form = narrower or Narrower(Mode.WHOLE, 1, BodyForm.USUAL)
        is_as_before = (mode, months, form) == (self.mode, self.months, self.form)
        order = list(Mode)
        is_lost, is_earned = order.index(mode) < order.index(self.mode), mode is not Mode.WHOLE
        return replace(
            self,
            mode=mode,
            months=months,
            form=form,
            since=self.since if is_as_before and self.since is not None else at,
            measured_at=at,
            trials=tuple(trials),
            lost_by=against if is_lost else None if is_earned else self.lost_by,
        )


class Narrower(NamedTuple):
    """A way to ask for less that was proven."""

    mode: Mode
    months: int
    form: BodyForm


MEASURED = ("mode", "months", "form", "whole_form", "since", "measured_at", "trials", "lost_by")
"""Fields of a Dialect that are found out by measuring."""


class DatedRow(NamedTuple):
    """A row of an answer, for comparing: the record that it is of, and the day of its event."""

    key: str
    day: date


Rows = Sequence[DatedRow]


def missing_rows(whole: Rows, narrow: Iterable[DatedRow], inside: Days) -> list[DatedRow]:
    """The rows dated inside those days that the narrower answer lacks."""
    there = {row.key for row in narrow}
    return [row for row in whole if _lies_in(row, inside) and row.key not in there]


def count_rows(rows: Rows, days: Days) -> int:
    """How many are dated in those days."""
    return sum(_lies_in(row, days) for row in rows)


def _lies_in(row: DatedRow, days: Days) -> bool:
    return days.first <= row.day <= days.last


@dataclass(frozen=True, slots=True)
class Question:
    """A narrower window to be tried."""

    window: Window

    inside: Days
    """Days whose rows the answer must hold."""

    around: Days
    """Rows dated outside of these show that it was not the window that was answered."""

    @property
    def words(self) -> str:
        """The window in words."""
        days, months = self.window.days, self.window.months
        return f"{days.first} to {days.last}" if days else f"{months} month{'' if months == 1 else 's'}"

    def trial(self, at: datetime, location: str, whole: Rows, narrow: Rows) -> Trial:
        """An answer held against the whole one of the same location.

        Of days, any row outside shows that they are ignored. Months may go by another date than the event's:
        they are ignored where all older rows came as well.
        """
        inside = count_rows(whole, self.inside)
        missing = len(missing_rows(whole, narrow, self.inside))
        outside = len(narrow) - count_rows(narrow, self.around)
        older = len(whole) - count_rows(whole, self.around)
        verdict = Verdict.AGREES
        if missing:
            verdict = Verdict.MISSING
        elif outside and (self.window.days is not None or outside >= older):
            verdict = Verdict.IGNORED
        found = inside - missing
        return Trial(
            at,
            location,
            self.words,
            self.window.form,
            verdict,
            len(whole),
            inside,
            found,
            outside,
            is_of_months=self.window.days is None,
        )

    def failed(self, at: datetime, location: str, whole: Rows, error: str) -> Trial:
        """The trial of a question that was not answered."""
        inside = count_rows(whole, self.inside)
        form, failed = self.window.form, Verdict.FAILED
        of_months = self.window.days is None
        return Trial(at, location, self.words, form, failed, len(whole), inside, 0, 0, error, of_months)
