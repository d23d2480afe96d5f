"""A few locations of each run asked for everything besides, in turn: what a narrower window never brings, a
dormant id, a row that was entered late, comes within one round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.models import AuditResult, Counts, LocationState, ReportRequest, StepName, Window
from syncctl.ports import Answer
from syncctl.services.rejects import unlisted_words
from syncctl.services.reports import NOT_ALL_STORED, ReportStep, StepTools, told

NOT_ASKED = Window(months=0)


@dataclass(slots=True)
class _Audited:
    counts: Counts = field(default_factory=Counts)
    locations: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Audits:
    """The audits of one run, chosen before its ordinary calls and made after them."""

    def __init__(self, tools: StepTools, steps: Sequence[ReportStep]) -> None:
        self._tools = tools
        self._steps = {step.report: step for step in steps}
        self._audited = {report: _Audited() for report in self._steps}
        planner, measuring, locations = tools.planner, tools.measuring, tools.stores
        whole = [
            {code for code, window in step.plan.windows.items() if planner.is_whole(window)} for step in steps
        ]
        states = [step.states for step in steps]
        in_turn = planner.audits(locations, states, set.intersection(*whole) if whole else set())
        self._asked = {
            report: [
                code
                for code in dict.fromkeys([*in_turn, *measuring.locations_wanted(report, step.states)])
                if code in locations and not planner.is_whole(step.plan.windows.get(code, NOT_ASKED))
            ]
            for report, step in self._steps.items()
        }
        measuring.watched = frozenset(code for codes in self._asked.values() for code in codes)

    def requests(self, deadline: float) -> list[ReportRequest]:
        """The calls, to be given up at `deadline` (the monotonic clock's seconds)."""
        return [
            ReportRequest(report, code, self._tools.planner.window, deadline)
            for report, codes in self._asked.items()
            for code in codes
        ]

    def take(self, answer: Answer) -> None:
        """Store one answer, `ReportStep.sort`ed. What fails is asked again in its turn.

        Raises:
            StorageUnavailableError: the database is gone.
        """
        report, code = answer.request.report, answer.request.location
        audited = self._audited[report]
        if answer.prepared is None:
            audited.failed[code] = told(answer.error)
            return
        try:
            taken = self._tools.intake.take(answer.prepared)
            if taken.is_late:
                audited.counts += taken.counts
                audited.failed[code] = NOT_ALL_STORED
                return
            if taken.unlisted:
                self._tools.listener.warning(f"{report}, location {code}: {unlisted_words(taken.unlisted)}")
            self._tools.measuring.note(answer.request, answer.prepared)
            before = self._tools.storage.location_states(report).get(code, LocationState(code))
            due_again = answer.prepared.rows_from(self._tools.planner.due_again_from)
            self._tools.storage.save_location_states(
                report, [self._tools.planner.audited(before, taken.counts.rows, due_again)]
            )
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            audited.failed[code] = str(refusal)
            return
        audited.locations += 1
        audited.counts += taken.counts

    def results(self) -> dict[StepName, AuditResult]:
        """What they brought, by report."""
        return {
            report: AuditResult(audited.locations, audited.counts, audited.failed)
            for report, audited in self._audited.items()
        }
