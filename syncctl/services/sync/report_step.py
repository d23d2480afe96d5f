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
from syncctl.services.sync.answer_rows import AnswerRows, check_date_format
from syncctl.services.sync.checkpoints import (
    AnswerSize,
    Checkpoints,
    capped_answers,
    capped_warning,
    size_of,
    thin_warning,
)
from syncctl.services.sync.planning import Plan
from syncctl.services.sync.step_results import NOT_ALL_STORED, describe_error, step_result
from syncctl.services.sync.step_tools import StateSaving, StepContext
from syncctl.services.windows.answer_classifier import AnswerClassifier
from syncctl.services.windows.location_ids import LocationIdWatch
from syncctl.services.windows.trials import ReportOutcome


class ReportStep:
    """One report, from its plan to its result.

    Answers are stored as they arrive, even before the step's turn: waiting would mean keeping them in memory.
    Only the results are reported in turn.
    """

    def __init__(self, report: StepName, context: StepContext) -> None:
        self.report = report
        self._context = context
        self.states = context.storage.location_states(report)
        self.dialect = context.dialects.get(report, Dialect(report))
        self._classifier = AnswerClassifier(context.shops, self.dialect, context.planner.zone)
        self.ids = LocationIdWatch(self._classifier, context.planner.started_at)
        self._checkpoints = Checkpoints(context.planner)
        ids = context.planner.ids_to_ask(context.stores, self.dialect)
        self.plan: Plan = context.planner.plan(ids, self.states, self.dialect)
        self._asked = len(self.plan.windows)
        self._results: list[LocationResult] = []
        self._unreported: list[LocationResult] | None = []
        self.is_key_refused = False
        """Whether no call of this report is accepted."""
        self._saving = StateSaving(report, context.storage, context.listener)
        self.thin: list[str] = []
        """Locations whose answers were suspiciously thin."""
        self.held_back: list[str] = []
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

    def classify(self, request: ReportRequest, rows: Sequence[Any], look: Look) -> AnswerRows:
        """Classify the rows of a location's answer for `ingest`. Thread-safe. Raises whatever `look` raises,
        and FinalApiError if the API has changed its date format."""
        answer = self._classifier.classify(request.location, rows, self._context.planner.days, look=look)
        check_date_format(answer)
        return answer

    def begin(self) -> None:
        """The step's turn has come: report the results of answers that arrived before."""
        unreported, self._unreported = self._unreported or [], None
        for result in unreported:
            self._context.listener.location_done(self.report, result)

    @property
    def is_answered(self) -> bool:
        """Whether all answers have been stored."""
        return len(self._results) == self._asked

    def empty_id_request(self, deadline: float) -> ReportRequest | None:
        """The call with an empty location id, to be made if all locations answered for their whole windows
        and none has anything. None: not needed, or already made."""
        planner, windows = self._context.planner, self.plan.windows
        if not (windows and planner.asks_all_locations) or "" in windows:
            return None
        if self._is_unclear or any(result.error or result.counts.rows for result in self._results):
            return None
        if not all(map(planner.is_whole, windows.values())):
            return None
        return ReportRequest(self.report, "", planner.whole_window(self.dialect), deadline)

    def ingest_empty_id_answer(self, answer: Answer) -> None:
        """Store the answer for an empty location id, if it has rows. Raises like `ingest`."""
        if isinstance(answer.error, UnclearAnswerError):
            self._context.unclear.note(answer.request, answer.error)
        elif answer.error is not None:
            self._context.listener.warning(
                f"No location has anything in its {self.report} report, and asking with an empty location id "
                f"failed: {describe_error(answer.error)}"
            )
        elif answer.rows:
            self._asked += 1
            self.ingest(answer)

    @property
    def capped(self) -> list[str]:
        """Locations whose answers the API seems to have cut."""
        return capped_answers(self._answered)

    @property
    def is_unanswered(self) -> bool:
        """Whether locations were asked and none was answered."""
        return bool(self._errors) and not self._answered

    @property
    def outcome(self) -> ReportOutcome:
        """How the calls went, once all are answered."""
        return ReportOutcome(
            report=self.report,
            windows=self.plan.windows,
            states=self.states,
            error=self._errors[0] if self.is_unanswered else None,
            is_refused=all(error.is_refusal for error in self._errors),
        )

    def ingest(self, answer: Answer) -> None:
        """Store one location's answer, already classified by `classify`.

        Raises:
            StorageUnavailableError: the database is gone. Any other refusal fails this location, or those
                whose states are saved in the same write.
        """
        location = answer.request.location
        store = self._context.stores.get(location)
        try:
            if (rows := self.rows_to_store(answer)) is None:
                result = self._failed(answer, store)
            else:
                result = self._stored(answer.request, rows)
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            result = LocationResult(location, store or "", error=str(refusal))
        self._results.append(result)
        if self._unreported is None:
            self._context.listener.location_done(self.report, result)
        else:
            self._unreported.append(result)
        if self._saving.is_due:
            self.save_states()

    def rows_to_store(self, answer: Answer) -> AnswerRows | None:
        """An answer's rows as they must be stored, after using it as evidence on location ids; None: the
        call failed. Raises StorageUnavailableError."""
        rows: AnswerRows | None = answer.prepared
        if rows is None:
            return None
        store_from_row = self.ids.assess(rows)
        # Saved at once, so that the next run starts with it even if this one is interrupted.
        self.ids.save(self._context.storage, self._context.listener)
        if store_from_row and not rows.store_from_row:
            return self._classifier.classify(
                answer.request.location, answer.rows or [], self._context.planner.days
            )
        return rows

    def _failed(self, answer: Answer, store: str | None) -> LocationResult:
        if isinstance(answer.error, UnclearAnswerError):
            self._is_unclear = True
            self._context.unclear.note(answer.request, answer.error)
            self._note_attempt(answer.request)
            return LocationResult(answer.request.location, store or "")
        if answer.error is not None:
            self._errors.append(answer.error)
        if is_refused := isinstance(answer.error, KeyRefusedError):
            self.is_key_refused = True
        elif not isinstance(answer.error, DeadlinePassedError) or answer.error.asked:
            self._note_attempt(answer.request)
        error, location = describe_error(answer.error), answer.request.location
        return LocationResult(location, store or "", error=error, is_refused=is_refused)

    def _stored(self, request: ReportRequest, answer: AnswerRows) -> LocationResult:
        location = request.location
        self._answered[location] = size_of(answer)
        before = self.states.get(location, LocationState(location))
        answer_counts = self._checkpoints.answer_counts(before, answer)
        is_thin = self._checkpoints.is_suspicious(before, request.window, answer_counts)
        is_whole = self._context.planner.is_whole(request.window) and not is_thin
        taken = self._context.intake.ingest(answer, is_whole=is_whole and before.doubted_since is None)
        self.ids.note_saved(answer, taken.counts.saved)
        if taken.held_back:
            self.held_back.append(location)
        if taken.is_late:
            self._note_attempt(request)
            changed = tuple(taken.changed)
            return LocationResult(location, answer.store, taken.counts, changed, error=NOT_ALL_STORED)
        after = self._checkpoints.next_state(before, request.window, answer_counts)
        warnings = taken.warnings
        self._context.measuring.note(request, answer, is_thin=is_thin)
        if is_thin:
            self.thin.append(location)
            self._saving.waiting.append(self._checkpoints.doubted(before))
            warnings.append(thin_warning(answer_counts.rows))
        elif after is None or taken.unlisted:  # rows that are not even listed must be asked for again
            self._note_attempt(request)
        elif after.dormant and not before.dormant:
            self._saving.dormant.append(after)
        else:
            self._saving.waiting.append(after)
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
        self.save_location_ids()
        self._doubt_capped_answers()
        answered = any(result.counts.rows for result in self._results)
        if answered or any(state.watermark for state in self.states.values()):
            self._saving.save_dormant()
        elif self._saving.dormant and not any(result.error for result in self._results):
            self._context.listener.warning(
                f"No location has anything in its {self.report} report. If that is not so, the API is at "
                "fault: all are asked again next time."
            )
        return self.result()

    def save_location_ids(self) -> None:
        """Save what the answers so far show about location ids. Raises StorageUnavailableError."""
        self.ids.conclude()
        if self._context.planner.keeps_dialects:
            self.ids.save(self._context.storage, self._context.listener)

    def _doubt_capped_answers(self) -> None:
        """If the API may cut its answers, the watermarks of those locations don't move."""
        capped = self.capped
        before = [self.states.get(location, LocationState(location)) for location in capped]
        doubted = [self._checkpoints.doubted(state) for state in before if self._checkpoints.may_doubt(state)]
        if not doubted:
            return
        for state in doubted:
            self._saving.waiting.append(state)
        self.save_states()
        self._context.listener.warning(capped_warning(self.report, self._answered, capped))

    def _note_attempt(self, request: ReportRequest) -> None:
        """Record that a location was asked, so that the next run starts with the others."""
        if (tried := self._checkpoints.tried(self.states, request.location)) is not None:
            self._saving.waiting.append(tried)

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

    def result(self, aborted_by: str | None = None) -> StepResult:
        """The step's result; `aborted_by`: the error that ended it early."""
        return step_result(
            self.report, self._results, self._asked, error=aborted_by, dormant=self.plan.dormant
        )
