"""Measures how each report answers questions narrower than "everything", and keeps checking it.

A narrower mode (`dialects.Mode`) is proven by answers from three locations that contain all rows of a whole
answer which are dated in their windows, and lost at the first missing row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from heapq import nlargest
from typing import NamedTuple

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import (
    LOCATIONS_MEASURED,
    MEASURED_FIELDS,
    Dialect,
    Mode,
    Rows,
    TrialWindow,
    Verdict,
    missing_rows,
)
from syncctl.domain.requests import Days, ReportRequest, Window
from syncctl.domain.sources import StepName
from syncctl.errors import ApiError, KeyRefusedError, StorageError, StorageUnavailableError
from syncctl.ports.api import Prepare, RentalApi
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.planning import Planner
from syncctl.services.windows.trials import (
    ReportAsker,
    ReportOutcome,
    Trials,
    after_no_answers,
    after_refused_audits,
    dated_rows,
    months_inside,
)
from syncctl.text import quantity

MEASURING_INTERVAL = timedelta(days=1)

TIME_LIMIT_S = 60.0
"""Seconds for measuring one report: an API that hangs at narrower questions is asked again a day later."""


class MeasuringContext(NamedTuple):
    """What measuring needs to ask the API."""

    api: RentalApi
    prepare: Prepare
    """Classifies rows as for ordinary answers."""

    clock: Callable[[], float]
    """The monotonic clock, in seconds."""

    ends: float
    """When the run must end, by that clock."""


class WindowMeasuring:
    """The measurements of one run. `watched`: the locations that are audited. `is_on`: whether anything is
    measured: only in an ordinary run, and only if `is_wanted`, which a dry run doesn't want."""

    def __init__(
        self, planner: Planner, dialects: Mapping[StepName, Dialect], *, is_wanted: bool = True
    ) -> None:
        self.watched: frozenset[str] = frozenset()
        self._planner = planner
        self._dialects = dialects
        self.is_on = is_wanted and planner.is_ordinary
        self._whole: dict[StepName, dict[str, Rows]] = {}
        self._narrow: dict[StepName, dict[str, tuple[Window, Rows]]] = {}
        self._refused: set[StepName] = set()
        """Reports of which an audit was refused."""

    def _dialect(self, report: StepName) -> Dialect:
        return self._dialects.get(report, Dialect(report))

    def is_due(self, report: StepName) -> bool:
        """Whether to measure the report in this run."""
        measured_at = self._dialect(report).measured_at
        if not self.is_on:
            return False
        return (
            measured_at is None
            or not timedelta(0) <= self._planner.started_at - measured_at < MEASURING_INTERVAL
        )

    def locations_wanted(self, report: StepName, states: Mapping[str, LocationState]) -> list[str]:
        """The locations with the most rows, whose whole answers are needed for a measurement that is due
        although the run asks for less."""
        if not self.is_due(report) or self._dialect(report).mode is Mode.WHOLE:
            return []
        busiest = nlargest(LOCATIONS_MEASURED, states.values(), key=lambda state: state.due_again)
        return [state.location for state in busiest if state.due_again]

    def note(self, request: ReportRequest, answer: AnswerRows, *, is_thin: bool = False) -> None:
        """Keep what is needed of an answer: the three longest whole ones, and both answers of a watched
        location, or of one whose narrower answer `is_thin`."""
        report, location = request.report, request.location
        if not self.is_on:
            return
        if not self._planner.is_whole(request.window):
            if location in self.watched or is_thin:
                self._narrow.setdefault(report, {})[location] = (request.window, dated_rows(answer))
            return
        kept = self._whole.setdefault(report, {})
        if location in self.watched or location in self._narrow.get(report, ()):
            kept[location] = dated_rows(answer)
        elif self.is_due(report):
            kept[location] = dated_rows(answer)
            if len(kept) > LOCATIONS_MEASURED:
                del kept[min(kept, key=lambda each: len(kept[each]))]

    def note_error(self, request: ReportRequest, error: ApiError | None) -> None:
        """Keep that an audit was refused: the body of whole windows may be the reason."""
        if error is not None and error.is_refusal and not isinstance(error, KeyRefusedError):
            self._refused.add(request.report)

    def finish(
        self,
        context: MeasuringContext,
        outcomes: Sequence[ReportOutcome],
        storage: Storage,
        listener: Listener,
    ) -> None:
        """Look for contradictions, measure what is due, and save the results.

        Raises:
            StorageUnavailableError: the database is gone. Any other refusal is a warning.
        """
        if not self.is_on:
            return
        for outcome in outcomes:
            before = self._dialect(outcome.report)
            after = self._found(context, outcome, before)
            if after == before:
                continue
            if warning := _warning(before, after):
                listener.warning(warning)
            try:
                kept = storage.dialects().get(
                    outcome.report, before
                )  # others store their findings there, too
                changes = {name: getattr(after, name) for name in MEASURED_FIELDS}
                storage.save_dialect(kept._replace(**changes))
            except StorageUnavailableError:
                raise
            except StorageError as error:
                listener.warning(
                    f"What was learned about the {outcome.report} report could not be noted; the next run "
                    f"learns it again: {error}"
                )

    def _found(self, context: MeasuringContext, outcome: ReportOutcome, dialect: Dialect) -> Dialect:
        """What is known about a report after this run."""
        deadline = min(context.ends, context.clock() + TIME_LIMIT_S)
        asker = ReportAsker(context.api, outcome.report, context.prepare, deadline)
        if outcome.error is not None:
            return after_no_answers(asker, self._planner, dialect, outcome)
        if outcome.report in self._refused and not self._whole.get(outcome.report):
            return after_refused_audits(asker, self._planner, dialect, outcome)
        if (lost := self._contradiction(asker, dialect)) is not None:
            return lost
        if not (self.is_due(outcome.report) and self._is_enough(outcome)):
            return dialect
        return self._measured(asker, dialect, has_run_time=deadline < context.ends)

    def _measured(self, asker: ReportAsker, dialect: Dialect, *, has_run_time: bool) -> Dialect:
        """`has_run_time`: whether the run may go on for longer than measuring may."""
        trials = Trials(asker, self._planner, dialect, self._whole[dialect.report])
        narrower, now = trials.narrower(), self._planner.started_at
        if not trials.is_postponed:
            return dialect.measured(now, narrower, trials.made, trials.against)
        if asker.is_out_of_time and has_run_time:
            return dialect._replace(measured_at=now, trials=tuple(trials.made))
        return dialect

    def _is_enough(self, outcome: ReportOutcome) -> bool:
        """Whether enough locations answered for everything: three, or all that have any rows."""
        answered = {location for location, rows in self._whole.get(outcome.report, {}).items() if rows}
        known = {location for location, state in outcome.states.items() if state.due_again}
        return 0 < min(LOCATIONS_MEASURED, len(known | answered)) <= len(answered)

    def _contradiction(self, asker: ReportAsker, dialect: Dialect) -> Dialect | None:
        """The dialect without its narrower mode, if a whole answer has rows that are missing in the
        narrower one of the same run. The narrower window is asked once more first, as the rows may have
        been entered in between."""
        if dialect.mode is Mode.WHOLE:
            return None
        at = self._planner.started_at
        for location, (window, narrow) in self._narrow.get(dialect.report, {}).items():
            whole = self._whole.get(dialect.report, {}).get(location, ())
            question = TrialWindow(window, self._inside(window), Days(date.min, date.max))
            if not missing_rows(whole, narrow, question.inside):
                continue
            (again,) = asker.ask([(location, window)])
            if isinstance(again, ApiError):
                continue
            trial = question.trial(at, location, whole, dated_rows(again))
            if trial.verdict is Verdict.MISSING:
                return dialect.measured(at, None, [trial], trial.summary)
        return None

    def _inside(self, window: Window) -> Days:
        """The days whose rows must all be in such an answer."""
        today = self._planner.today
        if window.days is None:
            return months_inside(today)
        return Days(window.days.first + timedelta(days=1), min(window.days.last - timedelta(days=1), today))


def _warning(before: Dialect, after: Dialect) -> str:
    """The warning about a change; "" if none is needed."""
    report = after.report
    if after.whole_form is not before.whole_form:
        return (
            f"The {report} report refuses the request body used so far, and answers another one "
            f"({after.whole_form}): from the next run on it is asked with that."
        )
    modes = list(Mode)
    if modes.index(after.mode) >= modes.index(before.mode):
        return ""
    asked = "everything"
    if after.mode is Mode.MONTHS:
        asked = quantity(after.months, "month")
    return (
        f"The {report} report can no longer be asked for as little as before ({after.lost_by}): from the "
        f"next run on it is asked for {asked}."
    )
