"""A sync run: stores, booking, return, one after the other, each by itself, all within one deadline."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from syncctl.errors import ApiError, InterruptedRunError, StorageError, StorageUnavailableError
from syncctl.locations import Locations
from syncctl.models import Counts, RunEntry, RunResult, StepName, StepResult, StepStatus, SyncLog, Trigger
from syncctl.ports import Listener, RentalApi, Storage
from syncctl.results import history_document
from syncctl.services.intake import Intake
from syncctl.services.planning import Planner, Schedule, SyncOptions, locations_to_ask
from syncctl.services.reports import AnswersByReport, ReportStep, StepTools
from syncctl.services.stores import listed_names, take_stores

SYNC_TYPES = {StepName.STORES: "store", StepName.BOOKING: "booking", StepName.RETURN: "return"}
"""What `synclogs.syncType` calls the steps (contract/database.md)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`now`: true UTC. `monotonic`: seconds that never jump. `next_sync`: when the scheduler starts again."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    next_sync: Callable[[datetime], datetime]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run. `deadline_s`: seconds after which the run stops by itself."""

    command: str
    steps: tuple[StepName, ...]
    trigger: Trigger
    schedule: Schedule
    deadline_s: float
    options: SyncOptions = field(default_factory=SyncOptions)


@dataclass(frozen=True, slots=True)
class RunPorts:
    """What a run works with."""

    storage: Storage
    api: RentalApi
    locations: Locations
    listener: Listener
    clock: Clock


class SyncRun:
    """One run. Everything is written by the calling thread; only fetching is concurrent."""

    def __init__(self, request: RunRequest, ports: RunPorts) -> None:
        self._request = request
        self._storage = ports.storage
        self._api = ports.api
        self._locations = ports.locations
        self._listener = ports.listener
        self._clock = ports.clock
        self._started_at = ports.clock.now()
        self._started = ports.clock.monotonic()
        self._run_id = uuid.uuid4().hex
        self._results: list[StepResult] = []
        self._under_way: Callable[[InterruptedRunError], StepResult] | None = None

    def run(self) -> RunResult:
        """Do the steps that were asked for.

        Raises:
            StorageUnavailableError: the database is gone; nothing more can be done.
            UsageError: a location was asked for that nobody knows.
            InterruptedRunError: Ctrl-C or SIGTERM; what was stored is kept, and the synclogs say so.
        """
        request = self._request
        self._listener.run_started(
            request.command, request.trigger, request.options.dry_run, self._started_at
        )
        try:
            self._run_steps()
        except KeyboardInterrupt as stop:
            interruption = InterruptedRunError(stop)
            self._log_interruption(interruption)
            raise interruption from None
        result = self._keep_result()
        self._listener.run_finished(result)
        return result

    def _run_steps(self) -> None:
        steps = self._request.steps
        reports = [step for step in steps if step is not StepName.STORES]
        if StepName.STORES in steps:
            self._listener.step_started(StepName.STORES, 1, len(steps), 0)
            self._under_way = lambda interruption: _stores_result(error=str(interruption))
            names = self._sync_stores(self._deadline(1, of=len(steps)))
        else:
            names = self._fetched_store_names()
        if reports:
            self._sync_reports(reports, names)

    def _deadline(self, number: int, *, of: int) -> float:
        """When the number-th of the remaining steps must be done: each gets its share of the time, so that an
        API which hangs can't take the time of the others."""
        now = self._clock.monotonic()
        return now + max(0.0, self._started + self._request.deadline_s - now) * number / of

    def _fetched_store_names(self) -> Mapping[str, str]:
        """Fresh from the API; as last stored where that fails, which is no failure of another report."""
        try:
            return listed_names(self._api.store_list(self._deadline(1, of=2)))
        except ApiError as error:
            self._listener.warning(f"Store list: {error}. Going on with the stores known from before.")
            return self._storage.store_list()

    def _sync_stores(self, deadline: float) -> Mapping[str, str]:
        try:
            rows = self._api.store_list(deadline)
            counts = take_stores(rows, self._storage, self._locations, self._run_id, self._started_at)
            result = _stores_result(counts)
        except StorageUnavailableError:
            raise
        except (ApiError, StorageError) as failure:
            result = _stores_result(error=str(failure))
        self._finish(result)
        return self._storage.store_list()

    def _sync_reports(self, reports: Sequence[StepName], names: Mapping[str, str]) -> None:
        tools = StepTools(
            storage=self._storage,
            intake=Intake(
                self._storage,
                self._locations,
                run_id=self._run_id,
                started_at=self._started_at,
                business_zone=self._request.schedule.business_zone,
            ),
            planner=Planner(self._request.schedule, self._request.options, self._started_at),
            listener=self._listener,
            stores=locations_to_ask(names, self._locations, self._request.options.locations),
        )
        steps = [ReportStep(report, tools) for report in reports]
        requests = [
            request
            for number, step in enumerate(steps, start=1)
            for request in step.requests(self._deadline(number, of=len(steps)))
        ]
        with closing(self._api.reports(requests)) as fetched:
            answers = AnswersByReport(fetched)
            for step in steps:
                self._under_way = step.result
                number, total = len(self._results) + 1, len(step.plan.windows)
                self._listener.step_started(step.report, number, len(self._request.steps), total)
                for answer in answers.of(step.report, total):
                    step.take(answer)
                self._finish(step.result())

    def _finish(self, result: StepResult) -> None:
        self._under_way = None
        self._results.append(result)
        self._storage.add_sync_log(
            SyncLog(
                sync_type=SYNC_TYPES[result.name],
                trigger=self._request.trigger,
                at=self._clock.now(),
                count=result.counts.saved + result.counts.updated,
                status=result.status,
                error_message=result.error,
            )
        )
        self._listener.step_finished(result)

    def _keep_result(self) -> RunResult:
        now = self._clock.now()
        result = RunResult(
            command=self._request.command,
            run_id=self._run_id,
            trigger=self._request.trigger,
            dry_run=self._request.options.dry_run,
            started_at=self._started_at,
            duration_s=self._clock.monotonic() - self._started,
            next_sync_at=self._clock.next_sync(now),
            steps=tuple(self._results),
        )
        self._storage.save_run(RunEntry(self._run_id, self._started_at, history_document(result)))
        return result

    def _log_interruption(self, interruption: InterruptedRunError) -> None:
        """Leave word of it where the database still takes it."""
        try:
            if self._under_way is not None:
                self._finish(self._under_way(interruption))
            self._keep_result()
        except StorageError as error:
            self._listener.warning(f"The interruption could not be logged: {error}")


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
