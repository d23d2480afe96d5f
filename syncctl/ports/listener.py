"""Who hears how a run goes."""

from datetime import datetime
from typing import Protocol

from syncctl.domain.run_results import AuditResult, LocationResult, RunResult, StepResult
from syncctl.domain.steps import StepName, Trigger


class Listener(Protocol):
    """Someone who is told how a run goes while it goes."""

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None: ...
    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None: ...
    def location_done(self, step: StepName, result: LocationResult) -> None: ...
    def step_finished(self, result: StepResult) -> None: ...

    def audited(self, step: StepName, result: AuditResult) -> None:
        """After all steps: what asking some locations of a report for everything as well has brought."""

    def run_finished(self, result: RunResult) -> None: ...

    def warning(self, message: str) -> None: ...

    def rows_rejected(self, new: int) -> None:
        """At the end of a run, however it ended: so many rows came onto the rejects list that were not on it
        before. Not called where there are none."""
