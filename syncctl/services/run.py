"""A run: its steps one after the other, each reported, logged and stored, however it ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from syncctl.domain.records import Reject
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.run_results import AuditResult, RunResult, StepResult
from syncctl.domain.shards import Shard
from syncctl.domain.sources import FILE_STEPS, SYNC_TYPES, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import InterruptedRunError, StopRequestedError, StorageError, StorageUnavailableError
from syncctl.ports.listener import Listener
from syncctl.ports.stop import Stop
from syncctl.ports.storage import Storage
from syncctl.services.sync.planning import CLOCK_TOLERANCE
from syncctl.text import and_more

HISTORY_RETENTION = timedelta(days=90)
"""A run every five minutes adds a few kilobytes of history: a gigabyte a year if never purged."""

MAX_RUNS_PURGED = 3
"""Each run adds one entry, so purging three keeps up, and a clock that is ahead for a few runs costs
little history."""


class Clock(NamedTuple):
    """The clocks of a run."""

    now: Callable[[], datetime]
    """The current time, true UTC."""

    monotonic: Callable[[], float]
    """Seconds that never jump."""

    next_sync: Callable[[datetime], datetime]
    """When the scheduler starts next, after a given time."""

    business_zone: tzinfo
    """The time zone of the leads' dates."""


class RunRequest(NamedTuple):
    """What was asked for."""

    command: str
    steps: tuple[StepName, ...]
    """All steps that the run will do, in order."""

    trigger: Trigger
    dry_run: bool = False
    whole: bool = True
    shard: Shard | None = None
    """Both as of its result (RunResult)."""


class Run:
    """One run, from its first step to its result. All writing is done by the calling thread.

    `result`: the outcome, even if interrupted; None while the run is in progress.
    """

    def __init__(
        self,
        request: RunRequest,
        storage: Storage,
        listener: Listener,
        clock: Clock,
        stop: Stop | None = None,
    ) -> None:
        self.stop = stop or Stop()
        self.storage = storage
        self.listener = listener
        self.clock = clock
        self.run_id = uuid.uuid4().hex
        self.started_at = clock.now()
        self.started = clock.monotonic()
        # The date of records that have none: wall clock marked as UTC, like all dates of leads.
        self.first_seen_at = self.started_at.astimezone(clock.business_zone).replace(
            microsecond=0, tzinfo=UTC
        )
        self._request = request
        self.command, self.dry_run = request.command, request.dry_run
        self._step_results: list[StepResult] = []
        self.result: RunResult | None = None
        self._partial_result: Callable[[str], StepResult] | None = None
        self._save_progress: Callable[[], None] | None = None
        self._newly_rejected = 0
        self.corrected_lines: Mapping[str, int] | None = None
        """What became of the lines of a corrected sheet, if this run takes one in."""

    def execute(self, stages: Sequence[Callable[[Run], None]]) -> RunResult:
        """Run the stages; each begins and finishes its own steps.

        Raises:
            StorageUnavailableError: the database is gone; nothing more can be done.
            InterruptedRunError: Ctrl-C or SIGTERM; what was stored is kept, and the synclogs say so.
            SyncctlError: a stage can't continue.
        """
        request = self._request
        self.listener.run_started(request.command, request.trigger, request.dry_run, self.started_at)
        try:
            for stage in self.stop.between(stages):
                stage(self)
        except StopRequestedError as request_to_stop:
            interruption = InterruptedRunError(request_to_stop)
            self.result = self._result(interruption.short)
            self._log_interruption(interruption)
            raise interruption from None
        except StorageError as failure:
            self.result = self._result(str(failure))
            raise
        finally:
            self.report_newly_rejected()  # even if interrupted: for the next run they are old rejects
        self.result = self._result()
        self._save_history(self.result)
        self.listener.run_finished(self.result)
        return self.result

    def add_rejects(self, rejects: Sequence[Reject]) -> None:
        """Put rows on the rejects list. Raises StorageError."""
        self._newly_rejected += self.storage.add_rejects(rejects)

    def report_newly_rejected(self) -> None:
        """Tell the listener how many rows this run put on the rejects list, if any."""
        if self._newly_rejected:
            self.listener.rows_rejected(self._newly_rejected)

    def begin_step(
        self,
        name: StepName,
        total: int,
        partial_result: Callable[[str], StepResult],
        save_progress: Callable[[], None] | None = None,
    ) -> None:
        """Announce a step of `total` locations or files. `partial_result` returns the step's result so
        far, given the error that interrupts it; `save_progress` first saves what the database must still
        know of the step. Raises StopRequestedError: a step that asks for nothing has no other safe point."""
        self.stop.raise_if_requested()
        self._partial_result, self._save_progress = partial_result, save_progress
        self.listener.step_started(name, len(self._step_results) + 1, len(self._request.steps), total)

    def finish_step(self, result: StepResult) -> None:
        """Log a step's result. A failure to write this entry alone doesn't end the run."""
        # If stopped from here on, the step still has this result and must still be logged.
        self._partial_result, self._save_progress = lambda error: result, None
        entry = SyncLog(
            sync_type=SYNC_TYPES[result.name],
            # Files are imported by hand, whoever started the run.
            trigger=Trigger.MANUAL if result.name in FILE_STEPS else self._request.trigger,
            at=self.clock.now(),
            count=result.counts.saved + result.counts.updated,
            status=result.status,
            error_message=result.error,
        )
        try:
            self.storage.add_sync_log(entry)
        except StorageUnavailableError:
            raise
        except StorageError as error:
            self.listener.warning(f"The step could not be logged in synclogs: {error}")
        self._step_results.append(result)
        self._partial_result = None
        self.listener.step_finished(result)

    def add_audits(self, results: Mapping[StepName, AuditResult]) -> None:
        """Add the results of audits to their steps, which are finished. A failed audit is only a warning:
        it is repeated in its turn."""
        for number, step in enumerate(self._step_results):
            audit = results.get(step.name)
            if audit is None or not (audit.locations or audit.failed):
                continue
            self._step_results[number] = replace(step, counts=step.counts + audit.counts, audit=audit)
            self.listener.audited(step.name, audit)
            if audit.failed and step.status is not StepStatus.FAILED:  # which says as much of all locations
                location, error = next(iter(audit.failed.items()))
                more = and_more(len(audit.failed) - 1)
                self.listener.warning(
                    f"The audit of location {location}{more} ({step.name}) failed: {error}. It will be "
                    "repeated."
                )

    @property
    def steps_done(self) -> int:
        """How many of its steps are finished."""
        return len(self._step_results)

    def _result(self, error: str | None = None) -> RunResult:
        """The run's result so far; `error`: what interrupts it."""
        steps = list(self._step_results)
        if error is not None and self._partial_result is not None:
            steps.append(self._partial_result(error))
        return RunResult(
            command=self._request.command,
            run_id=self.run_id,
            trigger=self._request.trigger,
            dry_run=self._request.dry_run,
            started_at=self.started_at,
            duration_s=self.clock.monotonic() - self.started,
            next_sync_at=self.clock.next_sync(self.clock.now()),
            steps=tuple(steps),
            corrected_lines=self.corrected_lines,
            newly_rejected=self._newly_rejected,
            whole=self._request.whole,
            shard=self._request.shard,
        )

    def _save_history(self, result: RunResult) -> None:
        try:
            self.storage.save_run(RunEntry(self.run_id, self.started_at, history_document(result)))
            # If no run started recently by this run's clock, that clock may be ahead of all others.
            lately = (self.started_at - CLOCK_TOLERANCE, self.started_at)
            self.storage.forget_runs(self.started_at - HISTORY_RETENTION, lately, MAX_RUNS_PURGED)
        except StorageUnavailableError:
            raise
        except StorageError as error:
            self.listener.warning(f"The run could not be kept in the history: {error}")

    def _log_interruption(self, interruption: InterruptedRunError) -> None:
        """Record the interruption, if the database still accepts it."""
        try:
            if self._save_progress is not None:
                self._save_progress()
            if self._partial_result is not None:
                self.finish_step(self._partial_result(interruption.short))
            self._save_history(self._result())
        except StorageError as error:
            self.listener.warning(f"The interruption could not be logged: {error}")
