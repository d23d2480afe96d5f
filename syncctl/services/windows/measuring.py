"""Finds out how each report answers a narrower question than for everything, and goes on proving it.

A narrower mode (`dialects.Mode`) is earned by answers that hold all rows of a whole answer which are dated in
their windows, at three locations, and lost at the first row that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from heapq import nlargest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import (
    LOCATIONS_MEASURED,
    MEASURED,
    Dialect,
    Mode,
    Question,
    Rows,
    Verdict,
    missing_rows,
)
from syncctl.domain.requests import Days, ReportRequest, Window
from syncctl.domain.steps import StepName
from syncctl.errors import ApiError, StorageError, StorageUnavailableError
from syncctl.ports.api import Prepare, RentalApi
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.answer_rows import SortedRows
from syncctl.services.sync.planning import Planner
from syncctl.services.sync.unanswered import Outcome, after_no_answers
from syncctl.services.windows.trials import Asker, Trials, dated_rows, months_inside

MEASURED_EVERY = timedelta(days=1)

LONGEST_S = 60.0
"""Seconds for measuring one report: an API that hangs at narrower questions is asked again a day later."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What measuring asks with. `ends`: the monotonic `clock`'s seconds at which the run is over. `prepare`
    sorts rows as for ordinary answers."""

    api: RentalApi
    prepare: Prepare
    clock: Callable[[], float]
    ends: float


class Measuring:
    """What one run finds out. `watched`: the locations that are asked for everything besides. `is_on`:
    whether anything is to be found out: only in an ordinary run, and where it `is_wanted`: not in a dry run.
    """

    def __init__(
        self, planner: Planner, dialects: Mapping[StepName, Dialect], *, is_wanted: bool = True
    ) -> None:
        self.watched: frozenset[str] = frozenset()
        self._planner = planner
        self._dialects = dialects
        self.is_on = is_wanted and planner.is_ordinary
        self._whole: dict[StepName, dict[str, Rows]] = {}
        self._narrow: dict[StepName, dict[str, tuple[Window, Rows]]] = {}

    def _dialect(self, report: StepName) -> Dialect:
        return self._dialects.get(report, Dialect(report))

    def is_due(self, report: StepName) -> bool:
        """Whether the report is to be measured in this run."""
        measured_at = self._dialect(report).measured_at
        if not self.is_on:
            return False
        return (
            measured_at is None or not timedelta(0) <= self._planner.started_at - measured_at < MEASURED_EVERY
        )

    def locations_wanted(self, report: StepName, states: Mapping[str, LocationState]) -> list[str]:
        """The locations whose whole answers a measurement needs that is due though the run asks for less:
        those with the most rows."""
        if not self.is_due(report) or self._dialect(report).mode is Mode.WHOLE:
            return []
        busiest = nlargest(LOCATIONS_MEASURED, states.values(), key=lambda state: state.due_again)
        return [state.location for state in busiest if state.due_again]

    def note(self, request: ReportRequest, answer: SortedRows, *, is_thin: bool = False) -> None:
        """Keep what is needed of an answer: of the whole ones the three longest, and both of a watched
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

    def finish(
        self, asking: Asking, outcomes: Sequence[Outcome], storage: Storage, listener: Listener
    ) -> None:
        """Look for contradictions, measure what is due, and keep what is found.

        Raises:
            StorageUnavailableError: the database is gone. What it refuses otherwise is a warning.
        """
        if not self.is_on:
            return
        for outcome in outcomes:
            before = self._dialect(outcome.report)
            after = self._found(asking, outcome, before)
            if after == before:
                continue
            if warning := _warning(before, after):
                listener.warning(warning)
            try:
                kept = storage.dialects().get(outcome.report, before)  # others note what they find there, too
                changes = {name: getattr(after, name) for name in MEASURED}
                storage.save_dialect(replace(kept, **changes))
            except StorageUnavailableError:
                raise
            except StorageError as error:
                listener.warning(
                    f"What was found out about the {outcome.report} report could not be noted; the next run "
                    f"finds it out again: {error}"
                )

    def _found(self, asking: Asking, outcome: Outcome, dialect: Dialect) -> Dialect:
        """What is known of a report after this run."""
        deadline = min(asking.ends, asking.clock() + LONGEST_S)
        asker = Asker(asking.api, outcome.report, asking.prepare, deadline)
        if outcome.error is not None:
            return after_no_answers(asker, self._planner, dialect, outcome)
        if (lost := self._contradiction(asker, dialect)) is not None:
            return lost
        if not (self.is_due(outcome.report) and self._is_enough(outcome)):
            return dialect
        trials = Trials(asker, self._planner, dialect, self._whole[outcome.report])
        narrower, now = trials.narrower(), self._planner.started_at
        if not trials.is_put_off:
            return dialect.measured(now, narrower, trials.made, trials.against)
        if asker.is_out_of_time and deadline < asking.ends:
            return replace(dialect, measured_at=now, trials=tuple(trials.made))
        return dialect

    def _is_enough(self, outcome: Outcome) -> bool:
        """Whether as many locations answered for everything as a measurement needs: three, or all that have
        anything."""
        answered = {location for location, rows in self._whole.get(outcome.report, {}).items() if rows}
        known = {location for location, state in outcome.states.items() if state.due_again}
        return 0 < min(LOCATIONS_MEASURED, len(known | answered)) <= len(answered)

    def _contradiction(self, asker: Asker, dialect: Dialect) -> Dialect | None:
        """The dialect without its narrower mode, where a whole answer has rows that the narrower one of the
        same run should have had: asked once more, as they may have been entered in between."""
        if dialect.mode is Mode.WHOLE:
            return None
        at = self._planner.started_at
        for location, (window, narrow) in self._narrow.get(dialect.report, {}).items():
            whole = self._whole.get(dialect.report, {}).get(location, ())
            question = Question(window, self._inside(window), Days(date.min, date.max))
            if not missing_rows(whole, narrow, question.inside):
                continue
            (again,) = asker.ask([(location, window)])
            if isinstance(again, ApiError):
                continue
            trial = question.trial(at, location, whole, dated_rows(again))
            if trial.verdict is Verdict.MISSING:
                return dialect.measured(at, None, [trial], trial.words)
        return None

    def _inside(self, window: Window) -> Days:
        """The days of which no row may be missing in such an answer."""
        today = self._planner.today
        if window.days is None:
            return months_inside(today)
        return Days(window.days.first + timedelta(days=1), min(window.days.last - timedelta(days=1), today))


def _warning(before: Dialect, after: Dialect) -> str:
    """What a person should know of a change."""
    report = after.report
    if after.whole_form is not before.whole_form:
        return (
            f"The {report} report refuses the body that it is asked with, and answers another one "
            f"({after.whole_form}): from the next run on it is asked with that."
        )
    modes = list(Mode)
    if modes.index(after.mode) >= modes.index(before.mode):
        return ""
    asked = "everything"
    if after.mode is Mode.MONTHS:
        asked = f"{after.months} month{'' if after.months == 1 else 's'}"
    return (
        f"The {report} report can't be asked for as little as before any more ({after.lost_by}): from the "
        f"next run on it is asked for {asked}."
    )
