"""One report's step: its locations' answers taken in one by one, a failed one leaving the others alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.requests import ReportRequest
from syncctl.domain.run_results import LocationResult, StepResult
from syncctl.domain.steps import StepName
from syncctl.errors import (
    ApiError,
    DeadlinePassedError,
    KeyRefusedError,
    StorageError,
    StorageUnavailableError,
    UnclearAnswerError,
)
from syncctl.ports.api import Answer, Look
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.answer_intake import Intake
from syncctl.services.sync.answer_rows import SortedRows, check_form
from syncctl.services.sync.checkpoints import Checkpoints
from syncctl.services.sync.planning import Plan, Planner
from syncctl.services.sync.step_results import NOT_ALL_STORED, listed, step_result, told
from syncctl.services.sync.thin_answers import (
    AnswerSize,
    capped_answers,
    capped_warning,
    size_of,
    thin_warning,
)
from syncctl.services.sync.unanswered import Outcome
from syncctl.services.sync.unclear_answers import UnclearAnswers
from syncctl.services.windows.location_ids import IdWatch
from syncctl.services.windows.measuring import Measuring
from syncctl.services.windows.row_stores import RowStores, Shops

STATES_TOGETHER = 10
"""Locations whose states are saved in one write. One that a kill takes the state of is asked again."""


@dataclass(frozen=True, slots=True)
class StepTools:
    """What every report's step works with. `stores`: location id -> store name, or None. `shops`: the stores
    that rows may name. `dialects`: of the reports of which something is known. `unclear`: takes note of
    answers that are taken as empty though their text is not understood."""

    storage: Storage
    intake: Intake
    planner: Planner
    listener: Listener
    stores: Mapping[str, str | None]
    shops: Shops
    dialects: Mapping[StepName, Dialect]
    measuring: Measuring
    unclear: UnclearAnswers


class ReportStep:
    """One report, from its plan to its result.

    Answers are stored as soon as they are there, also before the step's turn has come: to wait for that, they
    would have to be kept. Only what came of them is told in turn.
    """

    def __init__(self, report: StepName, tools: StepTools) -> None:
        self.report = report
        self._tools = tools
        self.states = tools.storage.location_states(report)
        self.dialect = tools.dialects.get(report, Dialect(report))
        self._row_stores = RowStores(tools.shops, self.dialect, tools.planner.zone)
        self.ids = IdWatch(self._row_stores, tools.planner.started_at)
        self._checkpoints = Checkpoints(tools.planner)
        ids = tools.planner.ids_to_ask(tools.stores, self.dialect)
        self.plan: Plan = tools.planner.plan(ids, self.states, self.dialect)
        self._asked = len(self.plan.windows)
        self._results: list[LocationResult] = []
        self._untold: list[LocationResult] | None = []
        self._refused: str | None = None
        self._unsaved: list[LocationState] = []
        self._falling_asleep: list[LocationState] = []
        self.thin: list[str] = []
        """Locations whose answers were suspiciously thin."""
        self.held: list[str] = []
        """Locations of whose answers something was held back until a whole one comes."""
        self._errors: list[ApiError] = []
        self._is_unclear = False
        self._answered: dict[str, AnswerSize] = {}

    def requests(self, deadline: float) -> list[ReportRequest]:
        """A call for each location that is due, to be given up at `deadline` (monotonic seconds)."""
        return [
            ReportRequest(self.report, location, window, deadline)
            for location, window in self.plan.windows.items()
        ]

    def sort(self, request: ReportRequest, rows: Sequence[Any], look: Look) -> SortedRows:
        """The rows of a location's answer as `take` wants them. May be called by any thread. Raises what
        `look` raises, and FinalApiError where the API has changed its form."""
        answer = self._row_stores.sort(request.location, rows, self._tools.planner.days, look=look)
        check_form(answer)
        return answer

    def begin(self) -> None:
        """The step's turn has come: tell what came of answers that were there before."""
        untold, self._untold = self._untold or [], None
        for result in untold:
            self._tools.listener.location_done(self.report, result)

    @property
    def is_answered(self) -> bool:
        """Whether each location's answer has been taken."""
        return len(self._results) == self._asked

    def last_resort(self, deadline: float) -> ReportRequest | None:
        """The call with an empty location id that is left to be made where no location has anything: all have
        answered, for their whole windows. None: it is not that bad, or it was made."""
        planner, windows = self._tools.planner, self.plan.windows
        if not (windows and planner.asks_everywhere) or "" in windows:
            return None
        if self._is_unclear or any(result.error or result.counts.rows for result in self._results):
            return None
        if not all(map(planner.is_whole, windows.values())):
            return None
        return ReportRequest(self.report, "", planner.whole_window(self.dialect), deadline)

    def take_last_resort(self, answer: Answer) -> None:
        """Store what an empty location id brought, if anything. Raises as `take`."""
        if isinstance(answer.error, UnclearAnswerError):
            self._tools.unclear.note(answer.request, answer.error)
        elif answer.error is not None:
            self._tools.listener.warning(
                f"No location has anything in its {self.report} report, and asking with an empty location id "
                f"failed: {told(answer.error)}"
            )
        elif answer.rows:
            self._asked += 1
            self.take(answer)

    @property
    def capped(self) -> list[str]:
        """Locations whose answers the API seems to have cut."""
        return capped_answers(self._answered)

    @property
    def is_unanswered(self) -> bool:
        """Whether locations were asked, and the API answered none of them."""
        return bool(self._errors) and not self._answered

    @property
    def is_key_refused(self) -> bool:
        """Whether no call of this report is accepted."""
        return self._refused is not None

    @property
    def outcome(self) -> Outcome:
        """How the calls went, once all are answered."""
        return Outcome(
            report=self.report,
            windows=self.plan.windows,
            states=self.states,
            error=self._errors[0] if self.is_unanswered else None,
            is_refused=all(error.is_refusal for error in self._errors),
        )

    def take(self, answer: Answer) -> None:
        """Store one location's answer, `sort`ed.

        Raises:
            StorageUnavailableError: the database is gone. What it refuses otherwise fails this location, or
                those whose states it refuses together.
        """
        location = answer.request.location
        store = self._tools.stores.get(location)
        try:
            if (rows := self.judged(answer)) is None:
                result = self._failed(answer, store)
            else:
                result = self._stored(answer.request, rows)
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            result = LocationResult(location, store or "", error=str(refusal))
        self._results.append(result)
        if self._untold is None:
            self._tools.listener.location_done(self.report, result)
        else:
            self._untold.append(result)
        if len(self._unsaved) >= STATES_TOGETHER:
            self.save_states()

    def judged(self, answer: Answer) -> SortedRows | None:
        """An answer's rows as they are to be stored, after what they show of location ids is taken into
        account; None: it failed. Raises StorageUnavailableError."""
        rows: SortedRows | None = answer.prepared
        if rows is None:
            return None
        by_row = self.ids.judge(rows)
        # At once: whatever breaks this run off, the next one is to begin with it.
        self.ids.remember(self._tools.storage, self._tools.listener)
        if by_row and not rows.by_row:
            return self._row_stores.sort(answer.request.location, answer.rows or [], self._tools.planner.days)
        return rows

    def _failed(self, answer: Answer, store: str | None) -> LocationResult:
        if isinstance(answer.error, UnclearAnswerError):
            self._is_unclear = True
            self._tools.unclear.note(answer.request, answer.error)
            self._keep_tried(answer.request)
            return LocationResult(answer.request.location, store or "")
        if answer.error is not None:
            self._errors.append(answer.error)
        if isinstance(answer.error, KeyRefusedError):
            self._refused = str(answer.error)
        elif not isinstance(answer.error, DeadlinePassedError) or answer.error.asked:
            self._keep_tried(answer.request)
        return LocationResult(answer.request.location, store or "", error=told(answer.error))

    def _stored(self, request: ReportRequest, answer: SortedRows) -> LocationResult:
        location = request.location
        self._answered[location] = size_of(answer)
        before = self.states.get(location, LocationState(location))
        tally = self._checkpoints.tally(before, answer)
        is_thin = self._checkpoints.is_suspicious(before, request.window, tally)
        is_whole = self._tools.planner.is_whole(request.window) and not is_thin
        taken = self._tools.intake.take(answer, is_whole=is_whole and before.doubted_since is None)
        self.ids.note_saved(answer, taken.counts.saved)
        if taken.held:
            self.held.append(location)
        if taken.is_late:
            self._keep_tried(request)
            changed = tuple(taken.changed)
            return LocationResult(location, answer.store, taken.counts, changed, error=NOT_ALL_STORED)
        after = self._checkpoints.next_state(before, request.window, tally)
        warnings = taken.warnings
        self._tools.measuring.note(request, answer, is_thin=is_thin)
        if is_thin:
            self.thin.append(location)
            self._unsaved.append(self._checkpoints.doubted(before))
            warnings.append(thin_warning(tally.rows))
        elif after is None or taken.unlisted:  # what is listed nowhere has to be asked for again
            self._keep_tried(request)
        elif after.dormant and not before.dormant:
            self._falling_asleep.append(after)
        else:
            self._unsaved.append(after)
        warning = "; ".join(warnings) or None
        return LocationResult(location, answer.store, taken.counts, tuple(taken.changed), warning=warning)

    def finish(self) -> StepResult:
        """Settle how far the locations are, and which are dormant from now on; give the step's result.

        Where not one location of a report has ever had anything, it is the report that is in doubt, and all
        of them are asked again.

        Raises:
            StorageUnavailableError: the database is gone. What it refuses otherwise is a warning: those
                locations are merely asked again.
        """
        self.save_states()
        self.settle_ids()
        self._doubt_capped_answers()
        answered = any(result.counts.rows for result in self._results)
        if answered or any(state.watermark for state in self.states.values()):
            self._put_to_sleep()
        elif self._falling_asleep and not any(result.error for result in self._results):
            self._tools.listener.warning(
                f"No location has anything in its {self.report} report. If that is not so, the API is at "
                "fault: all are asked again next time."
            )
        return self.result()

    def settle_ids(self) -> None:
        """Keep what the answers up to now show of location ids. Raises StorageUnavailableError."""
        self.ids.conclude()
        self.ids.remember(self._tools.storage, self._tools.listener)

    def _doubt_capped_answers(self) -> None:
        """Where the API may cut its answers, those locations are as far as before."""
        capped = self.capped
        before = [self.states.get(location, LocationState(location)) for location in capped]
        doubted = [self._checkpoints.doubted(state) for state in before if self._checkpoints.may_doubt(state)]
        if not doubted:
            return
        self._unsaved += doubted
        self.save_states()
        self._tools.listener.warning(capped_warning(self.report, self._answered, capped))

    def _put_to_sleep(self) -> None:
        if not self._falling_asleep:
            return
        try:
            self._tools.storage.save_location_states(self.report, self._falling_asleep)
        except StorageUnavailableError:
            raise
        except StorageError as error:
            self._tools.listener.warning(
                f"That locations without any {self.report} can rest could not be noted: {error}"
            )

    def _keep_tried(self, request: ReportRequest) -> None:
        """Note that a location was asked, so that the next run begins with the others."""
        if (tried := self._checkpoints.tried(self.states, request.location)) is not None:
            self._unsaved.append(tried)

    def save_states(self) -> None:
        """Note how far the locations are that have been answered.

        Raises:
            StorageUnavailableError: the database is gone. What it refuses otherwise fails these locations.
        """
        if not self._unsaved:
            return
        try:
            self._tools.storage.save_location_states(self.report, self._unsaved)
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            self._fail({state.location for state in self._unsaved}, str(refusal))
        self._unsaved = []

    def _fail(self, locations: Collection[str], refusal: str) -> None:
        """What was stored of these is counted, but how far they are could not be noted."""
        self._results = [
            replace(result, error=refusal) if result.location in locations and not result.error else result
            for result in self._results
        ]
        self._tools.listener.warning(
            f"How far the {self.report} of {listed(locations)} is synced could not be noted; the next run "
            f"asks again: {refusal}"
        )

    def result(self, broken_off: str | None = None) -> StepResult:
        """What the step came to; `broken_off`: the error that ended it before its time."""
        return step_result(
            self.report,
            self._results,
            self._asked,
            error=broken_off or self._refused,
            dormant=self.plan.dormant,
        )
