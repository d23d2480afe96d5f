"""One report's step: stores its locations' answers one by one; a failed one doesn't affect the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.requests import ReportRequest
from syncctl.domain.run_results import LocationResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.errors import (
    ApiError,
    DeadlinePassedError,
    KeyRefusedError,
    StorageError,
    StorageUnavailableError,
    UnclearAnswerError,
)
from syncctl.ports.api import Answer, Look
from syncctl.services.sync.answer_rows import SortedRows, check_form
from syncctl.services.sync.checkpoints import Checkpoints
from syncctl.services.sync.planning import Plan
from syncctl.services.sync.state_saving import StateSaving
from syncctl.services.sync.step_results import NOT_ALL_STORED, step_result, told
from syncctl.services.sync.step_tools import StepTools
from syncctl.services.sync.thin_answers import (
    AnswerSize,
    capped_answers,
    capped_warning,
    size_of,
    thin_warning,
)
from syncctl.services.sync.unanswered import Outcome
from syncctl.services.windows.location_ids import IdWatch
from syncctl.services.windows.row_stores import RowStores


class ReportStep:
    """One report, from its plan to its result.

    Answers are stored as they arrive, even before the step's turn: waiting would mean keeping them in memory.
    Only the results are reported in turn.
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
        self._saving = StateSaving(report, tools.storage, tools.listener)
        self.thin: list[str] = []
        """Locations whose answers were suspiciously thin."""
        self.held: list[str] = []
        """Locations with rows that are held back until a whole answer comes."""
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
        """Classify the rows of a location's answer for `take`. Thread-safe. Raises whatever `look` raises,
        and FinalApiError if the API has changed its date format."""
        answer = self._row_stores.sort(request.location, rows, self._tools.planner.days, look=look)
        check_form(answer)
        return answer

    def begin(self) -> None:
        """The step's turn has come: report the results of answers that arrived before."""
        untold, self._untold = self._untold or [], None
        for result in untold:
            self._tools.listener.location_done(self.report, result)

    @property
    def is_answered(self) -> bool:
        """Whether all answers have been stored."""
        return len(self._results) == self._asked

    def last_resort(self, deadline: float) -> ReportRequest | None:
        """The call with an empty location id, to be made if all locations answered for their whole windows
        and none has anything. None: not needed, or already made."""
        planner, windows = self._tools.planner, self.plan.windows
        if not (windows and planner.asks_everywhere) or "" in windows:
            return None
        if self._is_unclear or any(result.error or result.counts.rows for result in self._results):
            return None
        if not all(map(planner.is_whole, windows.values())):
            return None
        return ReportRequest(self.report, "", planner.whole_window(self.dialect), deadline)

    def take_last_resort(self, answer: Answer) -> None:
        """Store the answer for an empty location id, if it has rows. Raises like `take`."""
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
        """Whether locations were asked and none was answered."""
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
        """Store one location's answer, already classified by `sort`.

        Raises:
            StorageUnavailableError: the database is gone. Any other refusal fails this location, or those
                whose states are saved in the same write.
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
        if self._saving.is_due:
            self.save_states()

    def judged(self, answer: Answer) -> SortedRows | None:
        """An answer's rows as they must be stored, after using it as evidence on location ids; None: the
        call failed. Raises StorageUnavailableError."""
        rows: SortedRows | None = answer.prepared
        if rows is None:
            return None
        by_row = self.ids.judge(rows)
        # Saved at once, so that the next run starts with it even if this one is interrupted.
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
            self._saving.add(self._checkpoints.doubted(before))
            warnings.append(thin_warning(tally.rows))
        elif after is None or taken.unlisted:  # rows that are not even listed must be asked for again
            self._keep_tried(request)
        elif after.dormant and not before.dormant:
            self._saving.add_dormant(after)
        else:
            self._saving.add(after)
        warning = "; ".join(warnings) or None
        return LocationResult(location, answer.store, taken.counts, tuple(taken.changed), warning=warning)

    def finish(self) -> StepResult:
        """Save how far the locations are, and which are dormant from now on; returns the step's result.

        If no location of a report has ever had any rows, the report itself is doubtful, and all are asked
        again.

        Raises:
            StorageUnavailableError: the database is gone. Any other refusal is a warning: those locations are
                simply asked again.
        """
        self.save_states()
        self.settle_ids()
        self._doubt_capped_answers()
        answered = any(result.counts.rows for result in self._results)
        if answered or any(state.watermark for state in self.states.values()):
            self._saving.save_dormant()
        elif self._saving.has_dormant and not any(result.error for result in self._results):
            self._tools.listener.warning(
                f"No location has anything in its {self.report} report. If that is not so, the API is at "
                "fault: all are asked again next time."
            )
        return self.result()

    def settle_ids(self) -> None:
        """Save what the answers so far show about location ids. Raises StorageUnavailableError."""
        self.ids.conclude()
        self.ids.remember(self._tools.storage, self._tools.listener)

    def _doubt_capped_answers(self) -> None:
        """If the API may cut its answers, the watermarks of those locations don't move."""
        capped = self.capped
        before = [self.states.get(location, LocationState(location)) for location in capped]
        doubted = [self._checkpoints.doubted(state) for state in before if self._checkpoints.may_doubt(state)]
        if not doubted:
            return
        for state in doubted:
            self._saving.add(state)
        self.save_states()
        self._tools.listener.warning(capped_warning(self.report, self._answered, capped))

    def _keep_tried(self, request: ReportRequest) -> None:
        """Record that a location was asked, so that the next run starts with the others."""
        if (tried := self._checkpoints.tried(self.states, request.location)) is not None:
            self._saving.add(tried)

    def save_states(self) -> None:
        """Save how far the answered locations are.

        Raises:
            StorageUnavailableError: the database is gone. Any other refusal fails these locations.
        """
        if refused := self._saving.save():
            self._results = [
                replace(result, error=refused[result.location])
                if result.location in refused and not result.error
                else result
                for result in self._results
            ]

    def result(self, broken_off: str | None = None) -> StepResult:
        """The step's result; `broken_off`: the error that ended it early."""
        return step_result(
            self.report,
            self._results,
            self._asked,
            error=broken_off or self._refused,
            dormant=self.plan.dormant,
        )
