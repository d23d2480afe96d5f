"""Asks a report in other ways: for less than everything, or, where nothing is answered, in another form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from heapq import nlargest
from typing import NamedTuple

from syncctl.domain.checkpoints import LocationState
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
from syncctl.domain.identity import derived_id
from syncctl.domain.requests import BodyForm, Days, ReportRequest, Window, widened
from syncctl.domain.sources import StepName
from syncctl.errors import ApiError, DeadlinePassedError, KeyRefusedError
from syncctl.ports.api import Prepare, RentalApi
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.planning import MAX_NARROW_SPAN, Planner

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
    return question._replace(window=question.window._replace(form=form))


def months_inside(today: date) -> Days:
    """The days whose rows a window of months must contain."""
    return Days(today - MAX_NARROW_SPAN, today)


def _months_question(months: int, form: BodyForm, today: date) -> TrialWindow:
    allowed = Days(today - timedelta(days=31 * months + 1), date.max)
    return TrialWindow(Window(months, form=form), months_inside(today), allowed)


WHOLE_FORMS = (BodyForm.USUAL, BodyForm.ALL_KEYS, BodyForm.WITHOUT_EMPTY, BodyForm.WITHOUT_MONTHS)


class ReportOutcome(NamedTuple):
    """How a report's ordinary calls went."""

    report: StepName
    windows: Mapping[str, Window]
    """The window that each location was asked for."""

    states: Mapping[str, LocationState]
    """The states of the locations before."""

    error: ApiError | None
    """The error of one location, if none was answered."""

    is_refused: bool
    """Whether the API understood every call but refused to answer."""


def after_no_answers(
    asker: ReportAsker, planner: Planner, dialect: Dialect, outcome: ReportOutcome
) -> Dialect:
    """The dialect after no location of a report was answered.

    If one location still isn't answered for its narrower window, but is for the whole one, the narrower mode
    is lost. If everything is refused, the other forms of the body are tried with one location.
    """
    if isinstance(outcome.error, KeyRefusedError):
        return dialect
    narrow = [code for code, window in outcome.windows.items() if not planner.is_whole(window)]
    location = _pick_location(narrow or list(outcome.windows), planner, outcome)
    if narrow:
        (again,) = asker.ask([(location, outcome.windows[location])])
        if not isinstance(again, ApiError):
            return dialect
    elif not outcome.is_refused:
        return dialect
    form = _working_form(asker, location, planner.whole_window(dialect), outcome)
    if form is None:
        return dialect
    if narrow:
        why = f"no location was answered: {outcome.error}"
        dialect = dialect.measured(planner.started_at, None, dialect.trials, why)
    return dialect._replace(whole_form=form)


def after_refused_audits(
    asker: ReportAsker, planner: Planner, dialect: Dialect, outcome: ReportOutcome
) -> Dialect:
    """The dialect after a report was answered for its narrower windows, but refused for every whole one: the
    other forms of the body are tried with one location."""
    location = _pick_location(list(outcome.windows), planner, outcome)
    form = _working_form(asker, location, planner.whole_window(dialect), outcome)
    return dialect._replace(whole_form=form or dialect.whole_form)


def _pick_location(locations: list[str], planner: Planner, outcome: ReportOutcome) -> str:
    """The location with the most rows; if none is known to have any, a random one in each run."""
    due = {code: outcome.states.get(code, LocationState(code)).due_again for code in sorted(locations)}
    if any(due.values()):
        return max(due, key=due.__getitem__)
    return list(due)[int(derived_id(planner.started_at.isoformat()), 16) % len(due)]


def _working_form(
    asker: ReportAsker, location: str, window: Window, outcome: ReportOutcome
) -> BodyForm | None:
    """The form of the body that is answered for a location's whole window: the one in use if it is no
    longer refused; None if no form returns rows, or at least half of those due. An outage proves nothing
    about forms."""
    due = outcome.states.get(location, LocationState(location)).due_again
    for form in dict.fromkeys((window.form, *WHOLE_FORMS)):
        (answer,) = asker.ask([(location, window._replace(form=form))])
        if isinstance(answer, ApiError):
            if not answer.is_refusal:
                return None
        elif form is window.form or (answer.rows and len(answer.rows) >= due / 2):
            return form
    return None
