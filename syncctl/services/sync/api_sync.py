"""The rental API's part of a run: stores, then each report by itself, all within one deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.run_results import Counts, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import (
    ApiError,
    KeyRefusedError,
    StorageError,
    StorageUnavailableError,
    UnclearAnswerError,
)
from syncctl.locations import Locations
from syncctl.ports.api import Look, RentalApi
from syncctl.ports.waiting import CheckWait, waiting
from syncctl.services.run import Run
from syncctl.services.sync.answer_intake import AnswerIntake
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.asked_locations import locations_to_ask
from syncctl.services.sync.auditing import Audits
from syncctl.services.sync.checkpoints import UnclearAnswers
from syncctl.services.sync.planning import Planner, SyncOptions, WindowSettings
from syncctl.services.sync.report_step import ReportStep
from syncctl.services.sync.step_tools import StepContext
from syncctl.services.sync.store_list import current_store_names, fetch_store_list, ingest_stores
from syncctl.services.windows.answer_classifier import known_shop_names
from syncctl.services.windows.location_ids import ids_warning
from syncctl.services.windows.measuring import MeasuringContext, WindowMeasuring


@dataclass(frozen=True, slots=True)
class ApiSync:
    """A stage of a run: steps of the rental API.

    Raises:
        StorageUnavailableError, when called: the database is gone; nothing more can be done.
        UsageError, when called: an unknown location was asked for.
    """

    api: RentalApi
    locations: Locations
    steps: tuple[StepName, ...]
    window_settings: WindowSettings
    deadline_s: float
    """Seconds after the run's start at which it stops by itself."""

    options: SyncOptions = field(default_factory=SyncOptions)
    measures: bool = False
    """Whether it measures, once a day, how the reports answer narrower windows."""

    def __call__(self, run: Run) -> None:
        run.storage.set_deadline(run.started + self.deadline_s)
        unclear = UnclearAnswers()
        try:
            self._sync(run, unclear)
        finally:
            if warning := unclear.warning():
                run.listener.warning(warning)

    def _sync(self, run: Run, unclear: UnclearAnswers) -> None:
        reports = [step for step in self.steps if step is not StepName.STORES]
        if StepName.STORES in self.steps:
            run.begin_step(StepName.STORES, 0, lambda error: _stores_result(error=error))
            names = self._sync_stores(run, unclear)
        else:
            names = current_store_names(
                self.api, run.storage, self._deadline(run, 1, of=2), run.listener.warning
            )
        if reports:
            self._sync_reports(run, reports, names, unclear)

    def _deadline(self, run: Run, number: int, *, of: int) -> float:
        """When the number-th of the remaining steps must be done: each gets its share of the time, so that
        an API which hangs can't use up the others'."""
        now = run.clock.monotonic()
        return now + max(0.0, run.started + self.deadline_s - now) * number / of

    def _sync_stores(self, run: Run, unclear: UnclearAnswers) -> Mapping[str, str]:
        deadline = self._deadline(run, 1, of=len(self.steps))
        try:
            rows = fetch_store_list(self.api, deadline)
            counts = ingest_stores(rows, run, self.locations)
            result = _stores_result(counts)
        except StorageUnavailableError:
            raise
        except UnclearAnswerError as answer:
            unclear.note(ReportRequest(StepName.STORES, "", Window(), deadline), answer)
            result = _stores_result()
        except (ApiError, StorageError) as failure:
            result = _stores_result(error=str(failure))
            if isinstance(failure, KeyRefusedError):
                result = replace(result, refusal=str(failure))
        run.finish_step(result)
        return run.storage.store_list()

    def _sync_reports(
        self, run: Run, reports: Sequence[StepName], names: Mapping[str, str], unclear: UnclearAnswers
    ) -> None:
        planner = Planner(self.window_settings, self.options, run.started_at)
        dialects = run.storage.dialects()
        is_measuring = self.measures and planner.keeps_dialects and not run.dry_run
        measuring = WindowMeasuring(planner, dialects, is_wanted=is_measuring)
        chosen = locations_to_ask(names, self.locations, self.options.locations)
        context = StepContext(
            storage=run.storage,
            intake=AnswerIntake(run, self.locations, self._deadline(run, 1, of=1)),
            planner=planner,
            listener=run.listener,
            stores={location: store for location, store in chosen.items() if planner.has(location)},
            shops=known_shop_names(names, self.locations, dialects),
            dialects=dialects,
            measuring=measuring,
            unclear=unclear,
        )
        steps = [ReportStep(report, context) for report in reports]
        audits = Audits(context, steps)
        requests = [
            request
            for number, step in enumerate(steps, start=1)
            for request in step.requests(self._deadline(run, number, of=len(steps)))
        ]
        by_report = {step.report: step for step in steps}

        def classify(request: ReportRequest, rows: list[Any], look: Look) -> AnswerRows:
            return by_report[request.report].classify(request, rows, look)

        with closing(self.api.reports(requests, classify)) as fetched:
            for step in steps:
                run.begin_step(step.report, len(step.plan.windows), step.result, step.save_states)
                step.begin()
                while not step.is_answered:
                    answer = next(fetched)
                    by_report[answer.request.report].ingest(answer)
                    del answer  # frees its rows while waiting for the next one
                if (request := step.empty_id_request(self._deadline(run, 1, of=1))) is not None:
                    for answer in fetched:  # first finish the others: their lane is needed
                        by_report[answer.request.report].ingest(answer)
                    with closing(self.api.reports([request], classify)) as last:
                        step.ingest_empty_id_answer(next(last))
                run.finish_step(step.finish())
        # Audits come last, so that they are the first to be dropped when time runs out.
        ends = self._deadline(run, 1, of=1)
        try:
            asked = audits.requests(ends)
            with waiting(CheckWait(len(asked))), closing(self.api.reports(asked, classify)) as besides:
                for answer in besides:
                    audits.ingest(answer)
        finally:
            run.add_audits(audits.finish())
        for step in steps:
            step.save_location_ids()
        if warning := ids_warning(step.ids for step in steps):
            run.listener.warning(warning)
        measuring_context = MeasuringContext(self.api, classify, run.clock.monotonic, ends)
        with waiting(CheckWait(0)):
            measuring.finish(measuring_context, [step.outcome for step in steps], run.storage, run.listener)


def _stores_result(counts: Counts | None = None, error: str | None = None) -> StepResult:
    """The stores' step: it has one answer, so its "locations" are the stores themselves."""
    counts = counts or Counts()
    return StepResult(
        name=StepName.STORES,
        status=StepStatus.FAILED if error else StepStatus.SUCCESS,
        counts=counts,
        processed=counts.rows,
        total=counts.rows,
        errors=1 if error else 0,
        error=error,
    )
