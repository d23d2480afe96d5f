"""Is everything that the rental API has in the database? Checked answer by answer, record by record."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from syncctl.domain.dialects import Dialect
from syncctl.domain.requests import Days, ReportRequest, Window
from syncctl.domain.run_results import LocationResult, RunResult, StepResult
from syncctl.domain.sources import REPORT_STEPS, StepName
from syncctl.errors import (
    ApiError,
    KeyRefusedError,
    StorageError,
    StorageUnavailableError,
    UnclearAnswerError,
)
from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.ports.api import Answer, RentalApi
from syncctl.services.reconcile.answer_check import AnswerCheck
from syncctl.services.reconcile.repairing import Repairer
from syncctl.services.reconcile.results import Completeness, LocationCheck
from syncctl.services.reconcile.withdrawals import Withdrawals
from syncctl.services.run import Clock, Run
from syncctl.services.sync.answer_rows import check_date_format
from syncctl.services.sync.asked_locations import locations_to_ask
from syncctl.services.sync.checkpoints import UnclearAnswers
from syncctl.services.sync.planning import Planner, SyncOptions, WindowSettings
from syncctl.services.sync.step_results import describe_error, step_result
from syncctl.services.sync.store_list import current_store_names
from syncctl.services.windows.answer_classifier import AnswerClassifier, known_shop_names

OnLocation = Callable[[LocationCheck, int], None]
"""Called with each location as soon as it is checked, and with the total number."""


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """What to check."""

    window_settings: WindowSettings
    deadline_s: float
    """Seconds after which no more calls are made."""

    options: SyncOptions = field(default_factory=SyncOptions)
    """Which days (default: a whole window) and which locations (default: all)."""


def prepare_check(
    database: Database, api: RentalApi, locations: Locations, question: ReconcileRequest, clock: Clock
) -> SourceCheck:
    """Prepare a check: which locations to ask, and for which days.

    Raises:
        UsageError: a window that ends before it begins, or an unknown location.
        StorageError: the database refused.
    """
    started_at, ends = clock.now(), clock.monotonic() + question.deadline_s
    planner = Planner(question.window_settings, question.options, started_at)
    warnings: list[str] = []
    names = current_store_names(api, database, _share(clock, ends, 1, of=3), warnings.append)
    dialects = {report: Dialect(report) for report in REPORT_STEPS} | database.dialects()
    shops = known_shop_names(names, locations, dialects)
    chosen = locations_to_ask(names, locations, question.options.locations)
    return SourceCheck(
        database,
        api,
        locations,
        _Scope(
            stores=locations_to_ask(names, locations, ()),
            asked={report: tuple(planner.ids_to_ask(chosen, dialects[report])) for report in REPORT_STEPS},
            windows={report: planner.whole_window(dialects[report]) for report in REPORT_STEPS},
            classifiers={
                report: AnswerClassifier(shops, dialects[report], planner.zone) for report in REPORT_STEPS
            },
            days=planner.days or planner.whole_days,
            covered_from=planner.covered_from,
            started_at=started_at,
            ends=ends,
            clock=clock,
        ),
        warnings,
    )


def _share(clock: Clock, ends: float, number: int, *, of: int) -> float:
    """When the number-th of the remaining steps must be done, so that one which hangs leaves time for the
    others."""
    now = clock.monotonic()
    return now + max(0.0, ends - now) * number / of


class _Scope(NamedTuple):
    """What is checked, and how."""

    stores: Mapping[str, str | None]
    """Every location id, with its store."""

    asked: Mapping[StepName, Sequence[str]]
    """The location ids that each report is asked for."""

    windows: Mapping[StepName, Window]
    """The window that each report is asked for."""

    classifiers: Mapping[StepName, AnswerClassifier]
    """Classify each report's answers."""

    days: Days
    """The days that are checked."""

    covered_from: date
    """The first day that is certainly in every answer."""

    started_at: datetime
    ends: float
    """When asking ends, in seconds of the monotonic clock."""

    clock: Clock

    def requests(self) -> list[ReportRequest]:
        return [
            ReportRequest(report, location, self.windows[report], deadline)
            for number, report in enumerate(REPORT_STEPS, start=1)
            for deadline in [_share(self.clock, self.ends, number, of=len(REPORT_STEPS))]
            for location in self.asked[report]
        ]


class SourceCheck:
    """One check, to be used once: by `check_only`, or as the stage of a run that repairs (by calling it).

    Both raise StorageUnavailableError if the database is gone; any other refusal, and an API error, fails one
    location only.
    """

    def __init__(
        self,
        database: Database,
        api: RentalApi,
        locations: Locations,
        scope: _Scope,
        warnings: list[str],
    ) -> None:
        self._database = database
        self._api = api
        self._locations = locations
        self._scope = scope
        self._warnings = warnings
        self._answer_check = AnswerCheck(database, locations)
        self._withdrawals = Withdrawals(database, scope.days, scope.covered_from, scope.started_at)
        self._unclear = UnclearAnswers()
        self._done: list[LocationCheck] = []

    def check_only(self, on_location: OnLocation = lambda check, total: None) -> Completeness:
        """Check without changing anything."""
        total = sum(map(len, self._scope.asked.values()))
        with closing(self._api.reports(self._scope.requests())) as answers:
            for answer in answers:
                self._done.append(self._checked(answer, None))
                on_location(self._done[-1], total)
        return self.result()

    def __call__(self, run: Run) -> None:
        """Check, and sync what is missing; then see `result`."""
        repairer = Repairer(run, self._locations, self._scope.classifiers)
        with closing(self._api.reports(self._scope.requests())) as fetched:
            answers = _AnswersByReport(fetched)
            for report in REPORT_STEPS:
                self._repair_report(report, answers.of(report, len(self._scope.asked[report])), repairer, run)

    def _repair_report(
        self, report: StepName, answers: Iterator[Answer], repairer: Repairer, run: Run
    ) -> None:
        results: list[LocationResult] = []

        def step(aborted_by: str | None = None) -> StepResult:
            return step_result(report, results, asked, error=aborted_by)

        asked = len(self._scope.asked[report])
        run.begin_step(report, asked, step)
        for answer in answers:
            checked = self._checked(answer, repairer)
            self._done.append(checked)
            results.append(checked.repair or checked.failed)
            run.listener.location_done(report, results[-1])
        run.finish_step(step())

    def _checked(self, answer: Answer, repairer: Repairer | None) -> LocationCheck:
        request = answer.request
        failed = LocationCheck(request.report, request.location, self._store(request))
        if isinstance(answer.error, UnclearAnswerError):
            self._unclear.note(request, answer.error)
            return failed
        if answer.rows is None:
            is_refused = isinstance(answer.error, KeyRefusedError)
            return replace(failed, error=describe_error(answer.error), is_refused=is_refused)
        try:
            return self._compared(request, answer.rows, repairer)
        except ApiError as changed:
            return replace(failed, error=describe_error(changed))
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            return replace(failed, error=str(refusal))

    def _store(self, request: ReportRequest) -> str:
        return self._scope.stores.get(request.location) or ""

    def _compared(
        self, request: ReportRequest, rows: list[object], repairer: Repairer | None
    ) -> LocationCheck:
        classifiers = self._scope.classifiers[request.report]
        answer = classifiers.classify(request.location, rows, self._scope.days)
        check_date_format(answer)
        changed = self._withdrawals.note(answer)
        checked = self._answer_check.check(answer, changed)
        result = LocationCheck(
            request.report,
            request.location,
            self._store(request),
            checked.counts,
            checked.findings(),
            tuple(checked.differences),
        )
        if repairer is None:
            return result
        repair = repairer.repair(checked)
        again = AnswerCheck(self._database, self._locations)
        left = again.check(answer).findings() if result.missing else ()
        return replace(result, repair=repair, left=left)

    def result(self, run: RunResult | None = None) -> Completeness:
        """The result of the check; `run`: the run that it was a stage of."""
        withdrawn, unjudged = self._withdrawals.found(self._scope.stores)
        days, unclear = self._scope.days, filter(None, [self._unclear.warning()])
        warnings = (*self._warnings, *unclear, *unjudged)
        return Completeness(days.first, days.last, tuple(self._done), tuple(withdrawn), warnings, run)


class _AnswersByReport:
    """Answers come as they are fetched: those of the next report that arrive early wait here, in memory."""

    def __init__(self, answers: Iterator[Answer]) -> None:
        self._answers = answers
        self._waiting: dict[StepName, deque[Answer]] = defaultdict(deque)

    def of(self, report: StepName, count: int) -> Iterator[Answer]:
        """The `count` answers of one report."""
        for _ in range(count):
            while not self._waiting[report]:
                answer = next(self._answers)
                self._waiting[answer.request.report].append(answer)
            yield self._waiting[report].popleft()
