"""Each run asks a few locations in turn for their whole window: what a narrower window never returns, a
dormant location's new rows, or rows entered late are found within one round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import LocationIds
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.run_results import AuditResult, Counts
from syncctl.domain.sources import StepName
from syncctl.errors import DeadlinePassedError, StorageError, StorageUnavailableError, UnclearAnswerError
from syncctl.ports.api import Answer
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.checkpoints import (
    AnswerSize,
    Checkpoints,
    capped_answers,
    capped_warning,
    size_of,
    thin_warning,
)
from syncctl.services.sync.report_step import ReportStep
from syncctl.services.sync.step_results import NOT_ALL_STORED, describe_error
from syncctl.services.sync.step_tools import StepContext

NOT_ASKED = Window(months=0)


@dataclass(slots=True)
class _ReportAudit:
    counts: Counts = field(default_factory=Counts)
    sizes: dict[str, AnswerSize] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


class Audits:
    """The audits of one run, chosen before its ordinary calls and made after them."""

    def __init__(self, context: StepContext, steps: Sequence[ReportStep]) -> None:
        self._context = context
        self._checkpoints = Checkpoints(context.planner)
        self._steps = {step.report: step for step in steps}
        self._audited = {report: _ReportAudit() for report in self._steps}
        self._states: dict[StepName, Mapping[str, LocationState]] = {}
        planner, measuring = context.planner, context.measuring
        # The empty id, if only that returns rows; and all others, which may work again.
        empty = {step.report for step in steps if step.dialect.ids is LocationIds.EMPTY}
        locations = [*([""] if empty and planner.has("") else []), *context.stores]
        whole = [
            {code for code, window in step.plan.windows.items() if planner.is_whole(window)} for step in steps
        ]
        in_turn = planner.audits(locations, [step.states for step in steps], whole)
        self._asked = {
            report: [
                code
                for code in dict.fromkeys([*in_turn, *measuring.locations_wanted(report, step.states)])
                if code in locations
                and (code or report in empty)
                and not planner.is_whole(step.plan.windows.get(code, NOT_ASKED))
            ]
            for report, step in self._steps.items()
        }
        measuring.watched = frozenset(code for codes in self._asked.values() for code in codes)

    def requests(self, deadline: float) -> list[ReportRequest]:
        """The calls, to be given up at `deadline` (seconds of the monotonic clock). None for a report whose
        key was refused, and a single try each for a report that isn't answering.

        Also asked: one location whose answer was thin, as its window may leave rows out; locations with rows
        that were held back; and, for the last month, those whose whole answers seem to be cut, as the newest
        rows may be missing.
        """
        return [
            ReportRequest(step.report, code, window, deadline, tries=1 if step.is_unanswered else None)
            for step in self._steps.values()
            if not step.is_key_refused
            for code, window in self._windows(step)
        ]

    def _windows(self, step: ReportStep) -> Iterator[tuple[str, Window]]:
        planner = self._context.planner
        for code in self._locations_to_audit(step):
            yield code, planner.whole_window(step.dialect)
        if planner.is_ordinary:
            for code in step.capped:
                if code and not self._is_narrow(step, code):
                    yield code, Window(1, form=step.dialect.whole_form)

    def _locations_to_audit(self, step: ReportStep) -> list[str]:
        planner, asked = self._context.planner, self._asked[step.report]
        if planner.is_backfill:
            return asked
        narrow = [
            code for code in dict.fromkeys([*step.thin, *step.held_back]) if self._is_narrow(step, code)
        ]
        held_back = [code for code in narrow if code in step.held_back]
        thin = [code for code in narrow if code in step.thin][: self._context.measuring.is_on]
        return list(dict.fromkeys([*asked, *thin, *held_back]))

    def _is_narrow(self, step: ReportStep, code: str) -> bool:
        return not self._context.planner.is_whole(step.plan.windows.get(code, NOT_ASKED))

    def ingest(self, answer: Answer) -> None:
        """Store one answer, classified by `ReportStep.classify`. What fails is audited again in its turn.
        Raises StorageUnavailableError: the database is gone."""
        audited, code = self._audited[answer.request.report], answer.request.location
        try:
            if (rows := self._steps[answer.request.report].rows_to_store(answer)) is not None:
                audited.counts += self._stored(answer.request, rows)
                if self._context.planner.is_whole(answer.request.window):
                    audited.sizes[code] = size_of(rows)
                return
            if isinstance(answer.error, UnclearAnswerError):
                self._context.unclear.note(answer.request, answer.error)
            else:
                audited.failed[code] = describe_error(answer.error)
                self._context.measuring.note_error(answer.request, answer.error)
            if not isinstance(answer.error, DeadlinePassedError) or answer.error.asked:
                state = self._checkpoints.audit_failed(self._state(answer.request))
                self._context.storage.save_location_states(answer.request.report, [state])
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            audited.failed[code] = str(refusal)

    def _stored(self, request: ReportRequest, answer: AnswerRows) -> Counts:
        before = self._state(request)
        answer_counts = self._checkpoints.answer_counts(before, answer)
        is_thin = self._checkpoints.is_suspicious(before, request.window, answer_counts)
        is_whole = not is_thin and before.doubted_since is None
        taken = self._context.intake.ingest(answer, is_whole=is_whole)
        if taken.is_late:
            self._audited[request.report].failed[request.location] = NOT_ALL_STORED
            return taken.counts
        for warning in taken.warnings:
            self._context.listener.warning(f"{request.report}, location {request.location}: {warning}")
        if not self._context.planner.is_whole(request.window):
            return taken.counts
        self._context.measuring.note(request, answer)
        if is_thin:
            audit = f"The audit of location {request.location} ({request.report})"
            self._context.listener.warning(f"{audit} brought {thin_warning(answer_counts.rows)}.")
        after = self._checkpoints.audited(before, answer_counts)
        self._context.storage.save_location_states(request.report, [after])
        return taken.counts

    def _state(self, request: ReportRequest) -> LocationState:
        """The location's state after the ordinary calls."""
        report, code = request.report, request.location
        if report not in self._states:
            self._states[report] = self._context.storage.location_states(report)
        return self._states[report].get(code, LocationState(code))

    def finish(self) -> dict[StepName, AuditResult]:
        """The results by report. Warns where answers may have been cut."""
        for report, audited in self._audited.items():
            if capped := capped_answers(audited.sizes):
                self._context.listener.warning(capped_warning(report, audited.sizes, capped))
        return {
            report: AuditResult(len(audited.sizes), audited.counts, audited.failed)
            for report, audited in self._audited.items()
        }
