"""What to do about a report that answered for no location: the way it was asked may be the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.identity import derived_id
from syncctl.domain.requests import BodyForm, Window
from syncctl.domain.sources import StepName
from syncctl.errors import ApiError, KeyRefusedError
from syncctl.services.sync.planning import Planner
from syncctl.services.windows.trials import ReportAsker

WHOLE_FORMS = (BodyForm.USUAL, BodyForm.ALL_KEYS, BodyForm.WITHOUT_EMPTY, BodyForm.WITHOUT_MONTHS)


@dataclass(frozen=True, slots=True)
class ReportOutcome:
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
    due = outcome.states.get(location, LocationState(location)).due_again
    form = _working_form(asker, location, planner.whole_window(dialect), due)
    if form is None:
        return dialect
    if narrow:
        why = f"no location was answered: {outcome.error}"
        dialect = dialect.measured(planner.started_at, None, dialect.trials, why)
    return replace(dialect, whole_form=form)


def _pick_location(locations: list[str], planner: Planner, outcome: ReportOutcome) -> str:
    """The location with the most rows; if none is known to have any, a random one in each run."""
    due = {code: outcome.states.get(code, LocationState(code)).due_again for code in sorted(locations)}
    if any(due.values()):
        return max(due, key=due.__getitem__)
    return list(due)[int(derived_id(planner.started_at.isoformat()), 16) % len(due)]


def _working_form(asker: ReportAsker, location: str, window: Window, due: int) -> BodyForm | None:
    """The form of the body that is answered for a location's whole window: the one in use if it is no
    longer refused; None if no form returns rows, or at least half of those due. An outage proves nothing
    about forms."""
    for form in dict.fromkeys((window.form, *WHOLE_FORMS)):
        (answer,) = asker.ask([(location, replace(window, form=form))])
        if isinstance(answer, ApiError):
            if not answer.is_refusal:
                return None
        elif form is window.form or (answer.rows and len(answer.rows) >= due / 2):
            return form
    return None
