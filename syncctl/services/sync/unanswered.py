"""What follows for a report of which not one location was answered: it may be how it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.identity import derived_id
from syncctl.domain.requests import BodyForm, Window
from syncctl.domain.steps import StepName
from syncctl.errors import ApiError, KeyRefusedError
from syncctl.services.sync.planning import Planner
from syncctl.services.windows.trials import Asker

WHOLE_FORMS = (BodyForm.USUAL, BodyForm.ALL_KEYS, BodyForm.WITHOUT_EMPTY, BodyForm.WITHOUT_MONTHS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a report's ordinary calls went.

    `windows`: what each location was asked for. `states`: how far they were before. `error`: of one location,
    where none was answered. `is_refused`: whether the API understood each of the calls, but would not answer.
    """

    report: StepName
    windows: Mapping[str, Window]
    states: Mapping[str, LocationState]
    error: ApiError | None
    is_refused: bool


def after_no_answers(asker: Asker, planner: Planner, dialect: Dialect, outcome: Outcome) -> Dialect:
    """What is known after none of a report's locations was answered.

    A narrower window that one location is not answered again, while everything is, is lost. Where everything
    is refused, the other forms of the body are tried with one location.
    """
    if isinstance(outcome.error, KeyRefusedError):
        return dialect
    narrow = [code for code, window in outcome.windows.items() if not planner.is_whole(window)]
    location = _one_of(narrow or list(outcome.windows), planner, outcome)
    if narrow:
        (again,) = asker.ask([(location, outcome.windows[location])])
        if not isinstance(again, ApiError):
            return dialect
    elif not outcome.is_refused:
        return dialect
    due = outcome.states.get(location, LocationState(location)).due_again
    form = _working_form(asker, location, planner.whole_window(dialect), due)
    if form is None:
        return dialect
    if narrow:
        why = f"no location was answered: {outcome.error}"
        dialect = dialect.measured(planner.started_at, None, dialect.trials, why)
    return replace(dialect, whole_form=form)


def _one_of(locations: list[str], planner: Planner, outcome: Outcome) -> str:
    """The location with the most rows; where none is known to have any, by chance another one in each run."""
    due = {code: outcome.states.get(code, LocationState(code)).due_again for code in sorted(locations)}
    if any(due.values()):
        return max(due, key=due.__getitem__)
    return list(due)[int(derived_id(planner.started_at.isoformat()), 16) % len(due)]


def _working_form(asker: Asker, location: str, window: Window, due: int) -> BodyForm | None:
    """The form of the body in which a location's whole window is answered: the one in use where it is not
    refused any more; None where none brings rows, or not half of those that are due. An outage says nothing
    of forms."""
    for form in dict.fromkeys((window.form, *WHOLE_FORMS)):
        (answer,) = asker.ask([(location, replace(window, form=form))])
        if isinstance(answer, ApiError):
            if not answer.is_refusal:
                return None
        elif form is window.form or (answer.rows and len(answer.rows) >= due / 2):
            return form
    return None
