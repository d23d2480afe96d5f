"""What a run reports while it goes."""

from datetime import datetime
from typing import NamedTuple, Protocol

from syncctl.domain.run_results import AuditResult, LocationResult, RunResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import Trigger


class FileProgress(NamedTuple):
    """How far an import has read one of its files."""

    name: str

    number: int
    """Which of them it is, from 1."""

    of: int

    size: int
    """Bytes."""

    bytes_read: int = 0
    """So far; of a workbook, in proportion to its rows."""

    rows: int = 0
    """Customers' rows read so far; 0 while it is being opened."""


class Listener(Protocol):
    """Follows a run: on a terminal, in the log."""

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None: ...
    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None: ...
    def location_done(self, step: StepName, result: LocationResult) -> None: ...
    def file_read(self, step: StepName, progress: FileProgress) -> None:
        """An import has read on in a file; called for each as soon as it is opened, then every few hundred
        rows."""

    def records_stored(self, step: StepName, stored: int, of: int) -> None:
        """So many of an import's records have been stored, or in a dry run, compared."""

    def step_finished(self, result: StepResult) -> None: ...

    def audited(self, step: StepName, result: AuditResult) -> None:
        """After all steps: what asking some locations of a report for everything as well has brought."""

    def run_finished(self, result: RunResult) -> None: ...

    def warning(self, message: str) -> None: ...

    def rows_rejected(self, new: int) -> None:
        """At the end of a run, however it ended: so many rows came onto the rejects list that were not on it
        before. Not called where there are none."""
