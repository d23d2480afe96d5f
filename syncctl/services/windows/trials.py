"""Asks a report for less than everything, and compares the answers with whole ones of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from heapq import nlargest

from syncctl.domain.dialects import (
    LOCATIONS_MEASURED,
    MIN_ROWS_TO_JUDGE,
    DatedRow,
    Dialect,
    Mode,
    NarrowerWindow,
    Rows,
    Trial,
    TrialWindow,
    Verdict,
    count_rows,
)
from syncctl.domain.requests import BodyForm, Days, ReportRequest, Window
from syncctl.domain.sources import StepName
from syncctl.errors import ApiError, DeadlinePassedError
from syncctl.ports.api import Prepare, RentalApi
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.planning import MAX_NARROW_SPAN, Planner
from syncctl.services.windows.months import widened

RECENT = timedelta(days=8)
"""How far back the window reaches that resembles an ordinary run's. A second window, of earlier days, ends
in the past: it exposes reports that go by another date than the event's."""

MONTHS_TRIED = (1, 2, 3, 6)
DATED_FORMS = (BodyForm.ALL_KEYS, BodyForm.WITHOUT_MONTHS, BodyForm.WITHOUT_EMPTY, BodyForm.DATES_ALONE)


def dated_rows(answer: AnswerRows) -> list[DatedRow]:
    """The records of an answer, for comparing: several rows of one record count once."""
    return [
        DatedRow(key, at.date())
        for key, record in answer.records.items()
        if (at := record.values.get("createdAt")) is not None
    ]


class ReportAsker:
    """Asks one report, with a single try per question. `prepare` classifies rows as for ordinary answers."""

    def __init__(self, api: RentalApi, report: StepName, prepare: Prepare, deadline: float) -> None:
        self.is_out_of_time = False
        self._api = api
        self._report = report
        self._prepare = prepare
        self._deadline = deadline

    def ask(self, asked: Sequence[tuple[str, Window]]) -> list[AnswerRows | ApiError]:
        """Each location's answer for its window, or the error."""
        requests = [
            ReportRequest(self._report, location, window, self._deadline, tries=1)
            for location, window in asked
        ]
        answers: dict[ReportRequest, AnswerRows | ApiError] = {}
        for answer in self._api.reports(requests, self._prepare) if requests else ():
            answers[answer.request] = answer.error or answer.prepared
            self.is_out_of_time |= isinstance(answer.error, DeadlinePassedError)
        return [answers[request] for request in requests]


class Trials:
    """The trials of one report in one run. `whole`: the records of whole answers, by location."""

    def __init__(
        self, asker: ReportAsker, planner: Planner, dialect: Dialect, whole: Mapping[str, Rows]
    ) -> None:
        self.made: list[Trial] = []
        self.against = "too few recent rows to prove it"
        """The evidence against the window in use."""

        self.is_postponed = False
        """Time ran out, or the window in use was not answered, which doesn't disprove it: the trials are
        inconclusive."""
        self._asker = asker
        self._planner = planner
        self._dialect = dialect
        chosen = nlargest(LOCATIONS_MEASURED, whole, key=lambda location: len(whole[location]))
        self._whole = {location: whole[location] for location in chosen if whole[location]}

    def narrower(self) -> NarrowerWindow | None:
        """The narrowest way to ask that returns everything recent; None: none is proven."""
        return self._dates() or self._months()

    def _dates(self) -> NarrowerWindow | None:
        recent, earlier = _dated_questions(self._planner.today)
        of_each = [self._count(question.inside) for question in (recent, earlier)]
        if sum(of_each) < MIN_ROWS_TO_JUDGE or not all(of_each):
            self._add_inconclusive(of_months=False)
            return None
        known = (self._dialect.form,) if self._dialect.mode is Mode.DATES else ()
        for form in dict.fromkeys((*known, *DATED_FORMS)):
            if self._agree([_in_form(recent, form), _in_form(earlier, form)], in_use=form in known):
                return NarrowerWindow(Mode.DATES, 1, form)
            if self.is_postponed:
                break
        return None

    def _months(self) -> NarrowerWindow | None:
        form = self._dialect.whole_form
        in_use = self._dialect.months if self._dialect.mode is Mode.MONTHS else None
        for months in MONTHS_TRIED:
            question = _months_question(months, form, self._planner.today)
            if self.is_postponed or self._planner.is_whole(question.window):
                break
            # Without older rows, honoured months look the same as ignored ones.
            older = sum(map(len, self._whole.values())) - self._count(question.allowed)
            if self._count(question.inside) < MIN_ROWS_TO_JUDGE or not older:
                self._add_inconclusive(of_months=True)
                break
            before = len(self.made)
            if self._agree([question], in_use=months == in_use):
                return NarrowerWindow(Mode.MONTHS, months, form)
            if any(trial.verdict is Verdict.IGNORED for trial in self.made[before:]):
                break
        return None

    def _agree(self, questions: Sequence[TrialWindow], *, in_use: bool) -> bool:
        """Whether all locations' answers agree. The busiest location is asked the first question first,
        and the rest only if that agrees."""
        by_rows = sorted(self._whole, key=lambda each: -count_rows(self._whole[each], questions[0].inside))
        every = [(location, question) for question in questions for location in by_rows]
        return all(self._try(some, in_use=in_use) for some in (every[:1], every[1:]))

    def _try(self, asked: Sequence[tuple[str, TrialWindow]], *, in_use: bool) -> bool:
        answers = self._asker.ask([(location, question.window) for location, question in asked])
        made: list[Trial] = []
        for (location, question), answer in zip(asked, answers, strict=True):
            whole, at = self._whole[location], self._planner.started_at
            if isinstance(answer, ApiError):
                made.append(question.failed(at, location, whole, str(answer)))
                self.is_postponed |= in_use and not answer.is_refusal
            else:
                made.append(question.trial(at, location, whole, dated_rows(answer)))
        self.is_postponed |= self._asker.is_out_of_time
        against = next((trial for trial in made if trial.verdict is not Verdict.AGREES), None)
        if in_use and against is not None:
            self.against = against.summary
        self.made += made
        return all(trial.verdict is Verdict.AGREES for trial in made)

    def _count(self, days: Days) -> int:
        return sum(count_rows(rows, days) for rows in self._whole.values())

    def _add_inconclusive(self, *, of_months: bool) -> None:
        few, at, asked = Verdict.INCONCLUSIVE, self._planner.started_at, "months" if of_months else "days"
        self.made += [
            Trial(at, location, asked, BodyForm.USUAL, few, len(rows), 0, 0, 0, is_of_months=of_months)
            for location, rows in self._whole.items()
        ]


def _dated_questions(today: date) -> tuple[TrialWindow, TrialWindow]:
    """Windows of days up to today, and of the days before; the form of the body is chosen later."""
    recent = Days(today - RECENT, today)
    earlier = Days(today - MAX_NARROW_SPAN, recent.first - timedelta(days=2))
    asked_recent, asked_earlier = widened(recent), widened(earlier)
    return (
        # Rows dated in the future prove nothing.
        TrialWindow(Window(days=asked_recent), recent, Days(widened(asked_recent).first, date.max)),
        TrialWindow(Window(days=asked_earlier), earlier, widened(asked_earlier)),
    )


def _in_form(question: TrialWindow, form: BodyForm) -> TrialWindow:
    return replace(question, window=replace(question.window, form=form))


def months_inside(today: date) -> Days:
    """The days whose rows a window of months must contain."""
    return Days(today - MAX_NARROW_SPAN, today)


def _months_question(months: int, form: BodyForm, today: date) -> TrialWindow:
    allowed = Days(today - timedelta(days=31 * months + 1), date.max)
    return TrialWindow(Window(months, form=form), months_inside(today), allowed)
