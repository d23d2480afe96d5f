"""A run: its steps one after the other, each told, logged and kept, however it ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from syncctl.domain.records import Reject
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.run_results import AuditResult, RunResult, StepResult
from syncctl.domain.steps import FILE_STEPS, StepName, Trigger
from syncctl.errors import InterruptedRunError, StorageError, StorageUnavailableError
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.planning import CLOCK_TOLERANCE

SYNC_TYPES = {
    StepName.STORES: "store",
    StepName.BOOKING: "booking",
    StepName.RETURN: "return",
    StepName.WALKIN: "walkin",
    StepName.LOSS_OF_SALE: "lossofsale",
}
"""What `synclogs.syncType` calls the steps (contract/database.md)."""


HISTORY_KEPT = timedelta(days=90)
"""A run every five minutes takes some kilobytes of history: without an end to it, a gigabyte a year."""

FORGOTTEN_AT_ONCE = 3
"""Runs; as each adds one, that is enough, and a clock that is ahead for some runs costs little history."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`now`: true UTC. `monotonic`: seconds that never jump. `next_sync`: when the scheduler starts again.
    `business_zone`: whose wall clock the leads' dates show."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    next_sync: Callable[[datetime], datetime]
    business_zone: tzinfo


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What was asked for. `steps`: all that the run will do, in order."""

    command: str
    steps: tuple[StepName, ...]
    trigger: Trigger
    dry_run: bool = False


class Run:
    """One run, from its first step to its result. Everything is written by the calling thread.

    `result`: what it came to, also where it is broken off; None as long as it is at work.
    """

    def __init__(self, request: RunRequest, storage: Storage, listener: Listener, clock: Clock) -> None:
        self.storage = storage
        self.listener = listener
        self.clock = clock
        self.run_id = uuid.uuid4().hex
        self.started_at = clock.now()
        self.started = clock.monotonic()
        # What stands in for the date of a record that has none: as leads' dates, a wall clock marked as UTC.
        self.first_seen_at = self.started_at.astimezone(clock.business_zone).replace(
            microsecond=0, tzinfo=UTC
        )
        self._request = request
        self._results: list[StepResult] = []
        self.result: RunResult | None = None
        self._broken_off: Callable[[str], StepResult] | None = None
        self._settle: Callable[[], None] | None = None
        self._newly_rejected = 0

    def execute(self, stages: Sequence[Callable[[Run], None]]) -> RunResult:
        """Do the stages; each begins and finishes its steps.

        Raises:
            StorageUnavailableError: the database is gone; nothing more can be done.
            InterruptedRunError: Ctrl-C or SIGTERM; what was stored is kept, and the synclogs say so.
            SyncctlError: what a stage can't go on after.
        """
        request = self._request
        self.listener.run_started(request.command, request.trigger, request.dry_run, self.started_at)
        try:
            for stage in stages:
                stage(self)
        except KeyboardInterrupt as stop:
            interruption = InterruptedRunError(stop)
            self.result = self._result(interruption.short)  # logging it may be interrupted in its turn
            self._log_interruption(interruption)
            raise interruption from None
        except StorageError as failure:
            self.result = self._result(str(failure))
            raise
        finally:
            self.tell_newly_rejected()  # broken off too: the next run finds them on the list already
        self.result = self._result()
        self._keep(self.result)
        self.listener.run_finished(self.result)
        return self.result

    def add_rejects(self, rejects: Sequence[Reject]) -> None:
        """Put rows on the rejects list. Raises StorageError."""
        self._newly_rejected += self.storage.add_rejects(rejects)

    def tell_newly_rejected(self) -> None:
        """Tell the listener of the rows that this run put on the rejects list, if any."""
        if self._newly_rejected:
            self.listener.rows_rejected(self._newly_rejected)

    def begin_step(
        self,
        name: StepName,
        total: int,
        broken_off: Callable[[str], StepResult],
        settle: Callable[[], None] | None = None,
    ) -> None:
        """Tell that a step of `total` locations or files begins. `broken_off` gives what it came to when an
        error ends the run in its midst; `settle` notes before what the database is still to know of it."""
        self._broken_off, self._settle = broken_off, settle
        self.listener.step_started(name, len(self._results) + 1, len(self._request.steps), total)

    def finish_step(self, result: StepResult) -> None:
        """Log what a step came to. A database that refuses the entry alone does not end the run."""
        # Stopped from here on, the step still came to this, and is still to be logged.
        self._broken_off, self._settle = lambda error: result, None
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
        self._results.append(result)
        self._broken_off = None
        self.listener.step_finished(result)

    def add_audits(self, results: Mapping[StepName, AuditResult]) -> None:
        """Add what was asked for besides to the steps, which are finished. What failed is a warning: it is
        asked for again in its turn."""
        for number, step in enumerate(self._results):
            audit = results.get(step.name)
            if audit is None or not (audit.locations or audit.failed):
                continue
            self._results[number] = replace(step, counts=step.counts + audit.counts, audit=audit)
            self.listener.audited(step.name, audit)
            if audit.failed:
                location, error = next(iter(audit.failed.items()))
                more = f" and {len(audit.failed) - 1} more" if len(audit.failed) > 1 else ""
                self.listener.warning(
                    f"The audit of location {location}{more} ({step.name}) failed: {error}. It comes again."
                )

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be written."""
        return self._request.dry_run

    def _result(self, error: str | None = None) -> RunResult:
        """What the run has come to; `error`: what breaks it off."""
        steps = list(self._results)
        if error is not None and self._broken_off is not None:
            steps.append(self._broken_off(error))
        return RunResult(
            command=self._request.command,
            run_id=self.run_id,
            trigger=self._request.trigger,
            dry_run=self._request.dry_run,
            started_at=self.started_at,
            duration_s=self.clock.monotonic() - self.started,
            next_sync_at=self.clock.next_sync(self.clock.now()),
            steps=tuple(steps),
        )

    def _keep(self, result: RunResult) -> None:
        try:
            self.storage.save_run(RunEntry(self.run_id, self.started_at, history_document(result)))
            # Where no run began lately by this run's clock, it may be ahead of all the others'.
            lately = (self.started_at - CLOCK_TOLERANCE, self.started_at)
            self.storage.forget_runs(self.started_at - HISTORY_KEPT, lately, FORGOTTEN_AT_ONCE)
        except StorageUnavailableError:
            raise
        except StorageError as error:
            self.listener.warning(f"The run could not be kept in the history: {error}")

    def _log_interruption(self, interruption: InterruptedRunError) -> None:
        """Leave word of it where the database still takes it."""
        try:
            if self._settle is not None:
                self._settle()
            if self._broken_off is not None:
                self.finish_step(self._broken_off(interruption.short))
            self._keep(self._result())
        except StorageError as error:
            self.listener.warning(f"The interruption could not be logged: {error}")
