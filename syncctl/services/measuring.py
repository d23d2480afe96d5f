"""Finds out how each report answers a narrower question than for everything, and goes on proving it.

A narrower mode (`dialects.Mode`) is earned by answers that hold all rows of a whole answer which are dated in
their windows, at three locations, and lost at the first row that is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest

from syncctl.dialects import (
    FEWEST_ROWS,
    LOCATIONS_MEASURED,
    DatedRow,
    Dialect,
    Mode,
    Trial,
    Verdict,
    missing_rows,
)
from syncctl.errors import DeadlinePassedError
from syncctl.models import BodyForm, Days, LocationState, ReportRequest, StepName, Window
from syncctl.ports import Listener, RentalApi, Storage
from syncctl.services.planning import LONGEST_NARROW, Planner
from syncctl.services.sorting import SortedRows, sort_rows

MEASURED_EVERY = timedelta(days=1)

SPANS = (8, 15)
"""Days back that a window of days is tried with: the shortest that has rows enough."""

MONTHS_TRIED = (1, 2, 3, 6)
DATED_FORMS = (BodyForm.ALL_KEYS, BodyForm.WITHOUT_MONTHS, BodyForm.WITHOUT_EMPTY, BodyForm.DATES_ALONE)
ONE_DAY = timedelta(days=1)

Rows = Sequence[DatedRow]


def dated_rows(answer: SortedRows) -> list[DatedRow]:
    """The records of an answer, for comparing: item rows count once."""
    return [
        DatedRow(key, at.date())
        for key, record in answer.records.items()
        if (at := record.values.get("createdAt")) is not None
    ]


@dataclass(frozen=True, slots=True)
class Question:
    """A narrower window to be tried. `inside`: the days whose rows it must hold."""

    window: Window
    inside: Days

    @property
    def words(self) -> str:
        days, months = self.window.days, self.window.months
        return f"{days.first} to {days.last}" if days else f"{months} month{'' if months == 1 else 's'}"

    def trial(
        self, at: datetime, location: str, whole: Rows, narrow: Rows | None, error: str | None = None
    ) -> Trial:
        """A narrower answer held against the whole one of the same location."""
        inside = _count({location: whole}, self.inside)
        days, form = self.window.days, self.window.form
        of_months = days is None
        if narrow is None:
            failed = Verdict.FAILED
            return Trial(at, location, self.words, form, failed, len(whole), inside, 0, 0, error, of_months)
        missing = len(missing_rows(whole, narrow, self.inside))
        if days is not None:
            outside = sum(not days.first - ONE_DAY <= row.day <= days.last + ONE_DAY for row in narrow)
        else:
            # Months reach back further than what is looked at; all of them ignored is what can be seen.
            old = timedelta(days=31 * self.window.months + 1)
            outside = sum(row.day < self.inside.last - old for row in narrow)
        verdict = Verdict.MISSING if missing else Verdict.IGNORED if outside else Verdict.AGREES
        return Trial(
            at,
            location,
            self.words,
            form,
            verdict,
            len(whole),
            inside,
            inside - missing,
            outside,
            is_of_months=of_months,
        )


class Measuring:
    """What one run finds out. `watched`: the locations that are asked for everything besides."""

    def __init__(
        self,
        storage: Storage,
        planner: Planner,
        dialects: Mapping[StepName, Dialect],
        started_at: datetime,
        listener: Listener,
    ) -> None:
        self.watched: frozenset[str] = frozenset()
        self._storage = storage
        self._planner = planner
        self._dialects = dict(dialects)
        self._started_at = started_at
        self._listener = listener
        self._whole: dict[StepName, dict[str, Rows]] = {}
        self._narrow: dict[StepName, dict[str, tuple[ReportRequest, Rows]]] = {}

    def is_due(self, report: StepName) -> bool:
        """Whether the report is to be measured in this run."""
        measured_at = self._dialects.get(report, Dialect(report)).measured_at
        if not self._planner.is_ordinary:
            return False
        return measured_at is None or not timedelta(0) <= self._started_at - measured_at < MEASURED_EVERY

    def locations_wanted(self, report: StepName, states: Mapping[str, LocationState]) -> list[str]:
        """The locations whose whole answers a measurement needs that is due though the run asks for less:
        those with the most rows."""
        if not self.is_due(report) or self._dialects.get(report, Dialect(report)).mode is Mode.WHOLE:
            return []
        busiest = nlargest(LOCATIONS_MEASURED, states.values(), key=lambda state: state.due_again)
        return [state.location for state in busiest if state.due_again]

    def note(self, request: ReportRequest, answer: SortedRows) -> None:
        """Keep what is needed of an answer: of the whole ones the three longest, and both of a watched
        location."""
        report, location = request.report, request.location
        if not self._planner.is_ordinary:
            return
        if not self._planner.is_whole(request.window):
            if location in self.watched:
                self._narrow.setdefault(report, {})[location] = (request, dated_rows(answer))
            return
        kept = self._whole.setdefault(report, {})
        if location in self.watched:
            kept[location] = dated_rows(answer)
        elif self.is_due(report):
            shortest = min(kept, key=lambda each: len(kept[each]), default="")
            if len(kept) < LOCATIONS_MEASURED:
                kept[location] = dated_rows(answer)
            elif len(answer.records) > len(kept[shortest]):
                del kept[shortest]
                kept[location] = dated_rows(answer)

    def finish(self, api: RentalApi, reports: Collection[StepName], deadline: float) -> None:
        """Look for contradictions, and measure what is due. `deadline`: the monotonic clock's seconds.

        Raises:
            StorageError: the database refused.
        """
        for report in reports:
            asker = _Asker(api, report, deadline)
            dialect = self._dialects.get(report, Dialect(report))
            if (lost := self._contradiction(asker, dialect)) is not None:
                self._save(lost)
                self._listener.warning(
                    f"The {report} report left out rows that it was asked for ({lost.lost_by}): from now "
                    "on it is asked for everything again. What was missing is stored."
                )
            elif self.is_due(report) and self._whole.get(report):
                measured = self._measured(asker, dialect)
                if measured is not None:
                    self._save(measured)

    def _save(self, dialect: Dialect) -> None:
        self._dialects[dialect.report] = dialect
        self._storage.save_dialect(dialect)

    def _contradiction(self, asker: _Asker, dialect: Dialect) -> Dialect | None:
        """The dialect without its narrower mode, where a whole answer has rows that the narrower one of the
        same run should have had: asked once more, as they may have been entered in between."""
        if dialect.mode is Mode.WHOLE:
            return None
        for location, (request, narrow) in self._narrow.get(dialect.report, {}).items():
            whole = self._whole.get(dialect.report, {}).get(location)
            inside = self._inside(request.window)
            if whole is None or not missing_rows(whole, narrow, inside):
                continue
            again, _ = asker.ask({location: request.window}).get(location, (None, None))
            if again is not None and (missing := missing_rows(whole, again, inside)):
                trial = Question(request.window, inside).trial(self._started_at, location, whole, again)
                days = sorted({row.day.isoformat() for row in missing})
                return replace(
                    dialect,
                    mode=Mode.WHOLE,
                    form=BodyForm.USUAL,
                    since=self._started_at,
                    measured_at=self._started_at,
                    trials=(trial,),
                    lost_by=f"location {location}: {len(missing)} of {', '.join(days[:3])}",
                )
        return None

    def _inside(self, window: Window) -> Days:
        today = self._planner.today
        if window.days is None:
            return Days(today - LONGEST_NARROW - ONE_DAY, today)
        return Days(window.days.first + ONE_DAY, min(window.days.last - ONE_DAY, today))

    def _measured(self, asker: _Asker, dialect: Dialect) -> Dialect | None:
        """What the report's dialect is found to be; None where the API gave no answer to go by."""
        whole = self._whole[dialect.report]
        trials: list[Trial] = []
        found = self._tried_dates(asker, whole, trials) or self._tried_months(asker, whole, trials)
        if any(trial.verdict is Verdict.FAILED for trial in trials) and found is None:
            answered = [trial for trial in trials if trial.verdict is not Verdict.FAILED]
            if not answered and asker.is_out_of_time:
                return None  # the next run tries
        mode, months, form = found or (Mode.WHOLE, 1, BodyForm.USUAL)
        is_as_before = (mode, months, form) == (dialect.mode, dialect.months, dialect.form)
        return Dialect(
            report=dialect.report,
            mode=mode,
            months=months,
            form=form,
            since=dialect.since if is_as_before and dialect.since else self._started_at,
            measured_at=self._started_at,
            trials=tuple(trials),
            lost_by=dialect.lost_by if mode is Mode.WHOLE else None,
        )

    def _tried_dates(
        self, asker: _Asker, whole: Mapping[str, Rows], trials: list[Trial]
    ) -> tuple[Mode, int, BodyForm] | None:
        today = self._planner.today
        for span in SPANS:
            inside = Days(today - timedelta(days=span), today)
            if _count(whole, inside) < FEWEST_ROWS:
                continue
            days = Days(inside.first - ONE_DAY, today + ONE_DAY)
            if not any(row.day < days.first - ONE_DAY for rows in whole.values() for row in rows):
                break  # without a row outside of it, a window that is ignored looks like one that is not
            for form in DATED_FORMS:
                if self._agree(asker, whole, Question(Window(days=days, form=form), inside), trials):
                    return Mode.DATES, 1, form
            return None
        trials += self._inconclusive(whole, of_months=False)
        return None

    def _tried_months(
        self, asker: _Asker, whole: Mapping[str, Rows], trials: list[Trial]
    ) -> tuple[Mode, int, BodyForm] | None:
        today = self._planner.today
        inside = Days(today - LONGEST_NARROW - ONE_DAY, today)
        if _count(whole, inside) < FEWEST_ROWS:
            trials += self._inconclusive(whole, of_months=True)
            return None
        for months in MONTHS_TRIED:
            window = Window(months)
            if self._planner.is_whole(window):
                break
            if self._agree(asker, whole, Question(window, inside), trials):
                return Mode.MONTHS, months, BodyForm.USUAL
            if trials[-1].verdict is Verdict.IGNORED:
                break
        return None

    def _inconclusive(self, whole: Mapping[str, Rows], *, of_months: bool) -> list[Trial]:
        few, asked = Verdict.INCONCLUSIVE, "months" if of_months else "days"
        return [
            Trial(
                self._started_at,
                location,
                asked,
                BodyForm.USUAL,
                few,
                len(rows),
                0,
                0,
                0,
                is_of_months=of_months,
            )
            for location, rows in whole.items()
        ]

    def _agree(
        self, asker: _Asker, whole: Mapping[str, Rows], question: Question, trials: list[Trial]
    ) -> bool:
        """Whether all locations' answers agree; the busiest is asked first, the others only if it does."""
        busiest = sorted(whole, key=lambda each: -_count({each: whole[each]}, question.inside))
        with_rows = [each for each in busiest if _count({each: whole[each]}, question.inside)]
        for some in (with_rows[:1], with_rows[1:LOCATIONS_MEASURED]):
            answers = asker.ask(dict.fromkeys(some, question.window))
            for location in some:
                rows, error = answers.get(location, (None, "not asked: the run's time was over"))
                trial = question.trial(self._started_at, location, whole[location], rows, error)
                trials.append(trial)
                if trial.verdict is not Verdict.AGREES:
                    return False
        return True


def _count(whole: Mapping[str, Rows], days: Days) -> int:
    return sum(days.first <= row.day <= days.last for rows in whole.values() for row in rows)


class _Asker:
    """Asks one report for narrower windows of some locations."""

    def __init__(self, api: RentalApi, report: StepName, deadline: float) -> None:
        self.is_out_of_time = False
        self._api = api
        self._report = report
        self._deadline = deadline

    def ask(self, windows: Mapping[str, Window]) -> dict[str, tuple[Rows | None, str | None]]:
        """Each location's rows, or why there are none."""
        return dict(self._answers(windows))

    def _answers(self, windows: Mapping[str, Window]) -> Iterator[tuple[str, tuple[Rows | None, str | None]]]:
        requests = [
            ReportRequest(self._report, location, window, self._deadline)
            for location, window in windows.items()
        ]
        for answer in self._api.reports(requests) if requests else ():
            location = answer.request.location
            if answer.rows is None:
                self.is_out_of_time |= isinstance(answer.error, DeadlinePassedError)
                yield location, (None, str(answer.error))
            else:
                # Which store they are of makes no difference to what is compared.
                yield location, (dated_rows(sort_rows(self._report, location, "any", answer.rows)), None)
