"""Compares narrower answers with the whole one of the same location, by each date in the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from syncctl.domain.dialects import MIN_ROWS_TO_JUDGE, Trial, TrialWindow
from syncctl.domain.requests import BodyForm, Days, Window, covered_from, widened
from syncctl.domain.sources import StepName
from syncctl.services.doctor.evidence.shapes import OWN_DATE, RowFacts
from syncctl.services.windows.trials import DATED_FORMS

SPANS = (8, 15)
"""Days back to ask for: the shortest span with enough rows."""

MONTHS_ASKED = (1, 2, 3)
EVERYTHING = "everything"


class Comparison(NamedTuple):
    """What one narrower answer shows."""

    call: int
    """The call's number."""

    report: StepName
    location: str
    asked: str
    form: BodyForm
    is_of_days: bool
    rows: int | None
    error: str | None
    same_as: str | None
    """The wider question whose answer has exactly the same rows, in words; None: there is none."""

    trials: Mapping[str, Trial]
    """By the field whose date is compared."""

    undated: Mapping[str, int]
    """By field, how many of its rows have no such date."""


def narrower_questions(today: date, whole: Sequence[RowFacts], form: BodyForm) -> list[TrialWindow]:
    """Days in each form of the body, and months, alternating: so an API that fails at all questions of one
    kind doesn't fail many times in a row. `whole`: the whole answers, by which the days are chosen;
    `form`: the form of the body that returned them."""
    span = next((span for span in SPANS if _dated_since(whole, today, span) >= MIN_ROWS_TO_JUDGE), SPANS[-1])
    inside = Days(today - timedelta(days=span), today)
    asked = widened(inside)
    of_days = [TrialWindow(Window(days=asked, form=form), inside, widened(asked)) for form in DATED_FORMS]
    of_months = [
        TrialWindow(
            window,
            Days(covered_from(window, today), today),
            Days(today - timedelta(days=31 * window.months + 1), date.max),
        )
        for window in (Window(months, form=form) for months in MONTHS_ASKED)
    ]
    in_turns = [question for pair in zip(of_days, of_months, strict=False) for question in pair]
    return in_turns + of_days[len(of_months) :]


def _dated_since(whole: Sequence[RowFacts], today: date, span: int) -> int:
    first = today - timedelta(days=span)
    return sum(first <= row.day <= today for facts in whole for row in facts.dates[OWN_DATE].rows)


def compare(  # noqa: PLR0913, PLR0917 - the question, and the three answers that are compared
    call: int,
    report: StepName,
    location: str,
    question: TrialWindow,
    at: datetime,
    whole: RowFacts,
    narrow: RowFacts | None,
    one_month: RowFacts | None,
    error: str | None,
) -> Comparison:
    """Compare a narrower answer with the whole one. `narrow`: None if it failed with `error`. `one_month`:
    the answer for a month, which may turn out to be the same."""
    others = {EVERYTHING: whole, "1 month": one_month if question.window.days else None}
    same_as = next(
        (words for words, facts in others.items() if facts and narrow and facts.places == narrow.places), None
    )
    return Comparison(
        call=call,
        report=report,
        location=location,
        asked=question.summary,
        form=question.window.form,
        is_of_days=question.window.days is not None,
        rows=narrow.rows if narrow else None,
        error=error,
        same_as=same_as if narrow and narrow.places else None,
        trials={
            name: question.failed(at, location, found.rows, error or "")
            if narrow is None
            else question.trial(
                at, location, found.rows, narrow.dates[name].rows if name in narrow.dates else []
            )
            for name, found in whole.dates.items()
        },
        undated={name: narrow.undated(name) for name in whole.dates if narrow and name != OWN_DATE},
    )
