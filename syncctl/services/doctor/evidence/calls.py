"""Which calls are made to find out how the API answers: the most informative first, in case time runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import LOCATIONS_MEASURED
from syncctl.domain.requests import BodyForm, ReportRequest, Window
from syncctl.domain.sources import REPORT_STEPS, StepName
from syncctl.errors import ApiError, DeadlinePassedError, KeyRefusedError
from syncctl.locations import Locations
from syncctl.ports.api import Answer, RentalApi, WireFacts
from syncctl.services.doctor.evidence.comparing import Comparison, compare, narrower_questions
from syncctl.services.doctor.evidence.scrubbing import Scrubber
from syncctl.services.doctor.evidence.shapes import OWN_DATE, RowFacts, RowReader, row_facts
from syncctl.services.sync.asked_locations import location_order
from syncctl.services.sync.store_list import names_by_code

MAX_CANDIDATES = 8
"""How many locations are asked for everything, at most, to find three with rows."""

FAILURES_IN_A_ROW = 3
"""After that many calls without an answer no more are made, to spare the API."""

EMPTY_ID = ""
ONE_MONTH = Window(1)


class Call(NamedTuple):
    """One call as it was made."""

    number: int
    why: str
    """Its purpose, in words."""

    request: ReportRequest
    wire: WireFacts | None
    """None: nothing was sent."""

    rows: RowFacts | None
    """None: it failed."""

    error: str | None


class EvidenceContext(NamedTuple):
    """What the calls need."""

    api: RentalApi
    wire: Mapping[ReportRequest, WireFacts]
    """What the API's client records of each call."""

    locations: Locations
    states: Mapping[StepName, Mapping[str, LocationState]]
    """The known states by report and location."""

    months: int
    """Months of a whole window."""

    zone: tzinfo
    started_at: datetime
    deadline: float
    """Seconds of the monotonic clock."""

    asks: Callable[[int], None]
    """Called before each call with its number."""


@dataclass(slots=True)
class EvidenceResults:
    """The results of the calls."""

    calls: list[Call] = field(default_factory=list)
    listed: tuple[str, ...] = ()
    """The ids in the store list."""

    chosen: tuple[str, ...] = ()
    """The locations that were also asked for less."""

    dormant: str | None = None
    """The location that was asked although it seems to have no rows."""

    comparisons: list[Comparison] = field(default_factory=list)
    stopped: str | None = None
    """Why not all calls were made, or None."""

    def whole(self, report: StepName) -> dict[str, RowFacts]:
        """The chosen locations' whole answers."""
        return {
            call.request.location: call.rows
            for call in self.calls
            if call.why == WHOLE and call.request.report is report and call.rows is not None
            if call.request.location in self.chosen
        }


STORE_LIST, WHOLE, NARROWER, DORMANT, EMPTY = (
    "the store list",
    "everything",
    "less than everything",
    "a location without any data",
    "an empty location id, for one month",
)


def ask_the_api(context: EvidenceContext, scrubber: Scrubber) -> EvidenceResults:
    """Make the calls. `scrubber` sees all rows."""
    return _CallSeries(context, scrubber).findings()


class _CallSeries:
    def __init__(self, context: EvidenceContext, scrubber: Scrubber) -> None:
        self._context = context
        self._scrubber = scrubber
        self._found = EvidenceResults()
        self._failures = 0
        self._refused: set[StepName] = set()
        self._forms = dict.fromkeys(REPORT_STEPS, BodyForm.USUAL)
        local = context.started_at.astimezone(context.zone)
        self._today = local.date()
        self._reader = RowReader(context.locations, scrubber.key, local.replace(tzinfo=UTC), context.zone)

    def findings(self) -> EvidenceResults:
        found = self._found
        found.listed = self._store_list()
        candidates = self._candidates()
        for location in candidates[:MAX_CANDIDATES]:
            if len(found.chosen) == LOCATIONS_MEASURED or found.stopped:
                break
            calls = self._ask_for_everything(location)
            if any(call.rows and call.rows.dates[OWN_DATE].rows for call in calls):
                found.chosen = (*found.chosen, location)
        is_answered = any(call.why == WHOLE and call.rows is not None for call in found.calls)
        if is_answered and not found.chosen and not found.stopped:
            # Perhaps only an empty id is answered, with the rows of all locations.
            calls = self._ask_for_everything(EMPTY_ID)
            if any(call.rows and call.rows.dates[OWN_DATE].rows for call in calls):
                found.chosen = (EMPTY_ID,)
        first, others = found.chosen[:1], found.chosen[1:]
        for location in first:
            self._compare(location)
        found.dormant = next((code for code in candidates[::-1] if code not in found.chosen), None)
        if found.dormant is not None:
            self._ask(DORMANT, [(report, found.dormant, self._everything(report)) for report in REPORT_STEPS])
        if found.chosen:
            one_month = [ONE_MONTH._replace(form=self._forms[report]) for report in REPORT_STEPS]
            empty = zip(REPORT_STEPS, one_month, strict=True)
            self._ask(EMPTY, [(report, EMPTY_ID, window) for report, window in empty])
        for location in others:
            self._compare(location)
        return found

    def _everything(self, report: StepName) -> Window:
        return Window(self._context.months, form=self._forms[report])

    def _ask_for_everything(self, location: str) -> list[Call]:
        """Both reports; if the usual body fails, once more without its empty keys, which are then left out
        from now on if that works."""
        calls = self._ask(WHOLE, [(report, location, self._everything(report)) for report in REPORT_STEPS])
        for call in list(calls):
            report = call.request.report
            if call.error is not None and self._forms[report] is BodyForm.USUAL:
                window = Window(self._context.months, form=BodyForm.WITHOUT_EMPTY)
                again = self._ask(WHOLE, [(report, location, window)])
                if any(each.rows is not None for each in again):
                    self._forms[report] = BodyForm.WITHOUT_EMPTY
                calls += again
        return calls

    def _store_list(self) -> tuple[str, ...]:
        self._context.asks(1)
        try:
            rows = self._context.api.store_list(self._context.deadline)
        except ApiError as error:
            self._note(STORE_LIST, Answer(_request_of_stores(self._context), None, error))
            return ()
        self._note(STORE_LIST, Answer(_request_of_stores(self._context), rows, None))
        return tuple(filter(self._scrubber.is_location_id, names_by_code(rows)))

    def _candidates(self) -> list[str]:
        """Known locations: those with the most rows first, those without any last."""
        states = self._context.states.values()

        def rows(code: str) -> int:
            return sum(of_report[code].due_again for of_report in states if code in of_report)

        def is_dormant(code: str) -> bool:
            known = [of_report[code] for of_report in states if code in of_report]
            return bool(known) and all(state.dormant for state in known)

        listed = self._found.listed
        codes = {*listed, *self._context.locations.by_code}
        return sorted(
            codes, key=lambda code: (is_dormant(code), -rows(code), code not in listed, location_order(code))
        )

    def _compare(self, location: str) -> None:
        """Ask a location for less in every way, and compare with its whole answers."""
        for report in REPORT_STEPS:
            whole = self._found.whole(report)
            if location not in whole or not whole[location].dates[OWN_DATE].rows:
                continue
            form = self._forms[report]
            questions = narrower_questions(self._today, list(whole.values()), form)
            calls = self._ask(NARROWER, [(report, location, question.window) for question in questions])
            by_window = {call.request.window: call for call in calls}
            month = by_window.get(ONE_MONTH._replace(form=form))
            for question in questions:
                if (call := by_window.get(question.window)) is not None and call.wire is not None:
                    self._found.comparisons.append(
                        compare(
                            call.number,
                            report,
                            location,
                            question,
                            self._context.started_at,
                            whole[location],
                            call.rows,
                            month.rows if month else None,
                            call.error,
                        )
                    )

    def _ask(self, why: str, questions: Iterable[tuple[StepName, str, Window]]) -> list[Call]:
        """Make these calls one by one, unless too many have failed."""
        context = self._context
        made: list[Call] = []
        requests = [
            ReportRequest(*question, context.deadline)
            for question in questions
            if question[0] not in self._refused
        ]
        if self._found.stopped:
            return made
        context.asks(len(self._found.calls) + 1)
        with closing(context.api.reports(requests)) as answers:
            for answer in answers:
                made.append(self._note(why, answer))
                context.asks(len(self._found.calls) + 1)
                if self._found.stopped:
                    break
        return made

    def _note(self, why: str, answer: Answer) -> Call:
        request, wire = answer.request, self._wire(answer.request)
        facts = None
        if answer.rows is not None:
            self._scrubber.learn(answer.rows)
            facts = row_facts(
                request.report, request.location, answer.rows, self._reader, with_shapes=why == WHOLE
            )
        error = str(answer.error) if answer.error is not None else None
        call = Call(len(self._found.calls) + 1, why, request, wire, facts, error)
        self._found.calls.append(call)
        self._check_whether_to_stop(answer, wire)
        return call

    def _wire(self, request: ReportRequest) -> WireFacts | None:
        if request.report is StepName.STORES:
            return next(
                (facts for each, facts in self._context.wire.items() if each.report is request.report), None
            )
        return self._context.wire.get(request)

    def _check_whether_to_stop(self, answer: Answer, wire: WireFacts | None) -> None:
        """Whether to stop. An answer that the API itself calls an error is an answer, too."""
        if isinstance(answer.error, KeyRefusedError):  # each report may have a key of its own
            self._refused.add(answer.request.report)
            if self._refused.issuperset(REPORT_STEPS):
                self._found.stopped = "the API refused the key"
            return
        if isinstance(answer.error, DeadlinePassedError):
            self._found.stopped = "time ran out (API_RUN_DEADLINE_S)"
        is_answered = wire is not None and wire.status == 200
        self._failures = 0 if is_answered else self._failures + 1
        if self._failures >= FAILURES_IN_A_ROW:
            self._found.stopped = self._found.stopped or f"{self._failures} calls in a row had no answer"


def _request_of_stores(context: EvidenceContext) -> ReportRequest:
    return ReportRequest(StepName.STORES, "", Window(), context.deadline)
