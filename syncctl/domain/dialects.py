"""How a report answers a question narrower than "everything": measured against whole answers, never assumed.

contract/rental-api.md, "What nobody knows: how a window is answered".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from syncctl.domain.requests import BodyForm, Days, Window
from syncctl.domain.sources import StepName
from syncctl.text import quantity

MIN_ROWS_TO_JUDGE = 20
"""A narrower mode needs at least this many rows, over all locations, as evidence."""

LOCATIONS_MEASURED = 3


class Mode(StrEnum):
    """How much a report is asked for in an ordinary run; each mode is narrower than the one before."""

    WHOLE = "whole"
    """Everything: the safe default."""

    MONTHS = "months"
    """The fewest months that contain every recent event."""

    DATES = "dates"
    """The days since the watermark, which the report honours by the date of the event itself."""


class LocationIds(StrEnum):
    """What a report returns for a location id."""

    HONOURED = "honoured"
    """That location's rows."""

    IGNORED = "ignored"
    """Rows of several shops."""

    EMPTY = "empty"
    """Nothing; only an empty id returns rows, those of all shops."""


class Verdict(StrEnum):
    """What one narrower answer shows about a mode."""

    AGREES = "agrees"
    MISSING = "rows missing"
    """A row dated inside the window was not in the answer."""

    IGNORED = "window ignored"
    """Rows dated outside came as well, so the window was ignored."""

    FAILED = "no answer"
    INCONCLUSIVE = "too few rows"


class Trial(NamedTuple):
    """One narrower question compared with the whole answer of the same location."""

    at: datetime
    location: str
    asked: str
    """The window in words: "2026-11-18 to 2026-11-27", "1 month"."""

    form: BodyForm
    verdict: Verdict
    whole: int
    """Rows of the whole answer that have an event date."""

    inside: int
    """Those dated well inside the window, which must be in the narrower answer."""

    found: int
    """How many of `inside` were in it."""

    outside: int
    """Rows in it that are dated well outside the window."""

    error: str | None = None
    is_of_months: bool = False
    """Whether the window was in months instead of days."""

    @property
    def summary(self) -> str:
        """What was asked and what came back, in one line."""
        asked = f"location {self.location}, asked for {self.asked}"
        match self.verdict:
            case Verdict.MISSING:
                return f"{asked}, left out {self.inside - self.found} of {self.inside} rows"
            case Verdict.IGNORED:
                return f"{asked}, gave {self.outside} rows of other days"
            case Verdict.FAILED:
                return f"{asked}: {self.error}"
        return f"{asked}, gave all {self.inside} rows"


class Dialect(NamedTuple):
    """How one report is asked, and on what evidence."""

    report: StepName
    mode: Mode = Mode.WHOLE
    months: int = 1
    """How many months, in mode MONTHS."""

    form: BodyForm = BodyForm.USUAL
    """Which keys the body of a narrower question has."""

    whole_form: BodyForm = BodyForm.USUAL
    """Which keys the body of a whole question has: differs from the usual form where that was refused."""

    since: datetime | None = None
    """When the mode was proven or lost; None: never measured."""

    measured_at: datetime | None = None
    trials: tuple[Trial, ...] = ()
    lost_by: str | None = None
    """Why a narrower mode was lost, in words; None: none was lost, or it was proven again."""

    ids: LocationIds = LocationIds.HONOURED
    ids_since: datetime | None = None
    """When `ids` was found; None: it has always been HONOURED."""

    ids_seen: str | None = None
    """The evidence for `ids`, in words."""

    spellings: tuple[tuple[str, str], ...] = ()
    """Location ids whose rows name another store than locations.toml does, each with that `location`."""

    @property
    def store_from_row(self) -> bool:
        """Whether each row's own location decides its store, instead of the location id asked for."""
        return self.ids is not LocationIds.HONOURED

    def measured(
        self, at: datetime, narrower: NarrowerWindow | None, trials: Sequence[Trial], against: str
    ) -> Dialect:
        """The dialect after a measurement. `narrower`: what the measurement proved, if anything.
        `against`: the evidence against the mode in use, if that is lost."""
        mode, months, form = narrower or NarrowerWindow(Mode.WHOLE, 1, BodyForm.USUAL)
        is_as_before = (mode, months, form) == (self.mode, self.months, self.form)
        order = list(Mode)
        is_lost, is_earned = order.index(mode) < order.index(self.mode), mode is not Mode.WHOLE
        return self._replace(
            mode=mode,
            months=months,
            form=form,
            since=self.since if is_as_before and self.since is not None else at,
            measured_at=at,
            trials=tuple(trials),
            lost_by=against if is_lost else None if is_earned else self.lost_by,
        )


class NarrowerWindow(NamedTuple):
    """A narrower way to ask that was proven."""

    mode: Mode
    months: int
    form: BodyForm


MEASURED_FIELDS = ("mode", "months", "form", "whole_form", "since", "measured_at", "trials", "lost_by")
"""The fields of a Dialect that measuring sets."""


class DatedRow(NamedTuple):
    """A row of an answer, for comparing: the key of its record, and the day of its event."""

    key: str
    day: date


Rows = Sequence[DatedRow]


def missing_rows(whole: Rows, narrow: Iterable[DatedRow], inside: Days) -> list[DatedRow]:
    """The rows dated inside those days that are not in the narrower answer."""
    there = {row.key for row in narrow}
    return [row for row in whole if _lies_in(row, inside) and row.key not in there]


def count_rows(rows: Rows, days: Days) -> int:
    """How many are dated in those days."""
    return sum(_lies_in(row, days) for row in rows)


def _lies_in(row: DatedRow, days: Days) -> bool:
    return days.first <= row.day <= days.last


class TrialWindow(NamedTuple):
    """A narrower window to try."""

    window: Window
    inside: Days
    """Days whose rows must be in the answer."""

    allowed: Days
    """Rows dated outside these days show that the window was ignored."""

    @property
    def summary(self) -> str:
        """The window in words."""
        days, months = self.window.days, self.window.months
        return f"{days.first} to {days.last}" if days else quantity(months, "month")

    def trial(self, at: datetime, location: str, whole: Rows, narrow: Rows) -> Trial:
        """The result of comparing an answer with the whole one of the same location.

        With a window of days, any row outside shows that it was ignored. Months may be counted by another
        date than the event's: they count as ignored only if all older rows came as well.
        """
        inside = count_rows(whole, self.inside)
        missing = len(missing_rows(whole, narrow, self.inside))
        outside = len(narrow) - count_rows(narrow, self.allowed)
        older = len(whole) - count_rows(whole, self.allowed)
        verdict = Verdict.AGREES
        if missing:
            verdict = Verdict.MISSING
        elif outside and (self.window.days is not None or outside >= older):
            verdict = Verdict.IGNORED
        found = inside - missing
        return Trial(
            at,
            location,
            self.summary,
            self.window.form,
            verdict,
            len(whole),
            inside,
            found,
            outside,
            is_of_months=self.window.days is None,
        )

    def failed(self, at: datetime, location: str, whole: Rows, error: str) -> Trial:
        """The result of a question that got no answer."""
        inside = count_rows(whole, self.inside)
        form, failed = self.window.form, Verdict.FAILED
        of_months = self.window.days is None
        return Trial(at, location, self.summary, form, failed, len(whole), inside, 0, 0, error, of_months)
