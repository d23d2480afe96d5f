"""A small test environment for syncs: sandbox, database, web app and a controllable clock."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syncctl.api.client import ApiClientConfig, HttpRentalApi
from syncctl.api.wire import Endpoint
from syncctl.domain.run_results import AuditResult, Counts, LocationResult, RunResult, StepResult
from syncctl.domain.sources import API_STEPS, StepName
from syncctl.domain.steps import Trigger
from syncctl.files.cells import clean_text
from syncctl.files.headers import Titles, cells_of
from syncctl.files.reading import open_file
from syncctl.files.sheet_writing import write_csv, write_workbook
from syncctl.files.titled_lines import titled_lines
from syncctl.locations import Locations, load_locations
from syncctl.ports.listener import FileProgress
from syncctl.ports.stop import Stop
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.imports.importing import FileImport, ImportJob
from syncctl.services.imports.preview import PreviewHash
from syncctl.services.rejects.correcting import SheetCorrection, SheetResult
from syncctl.services.rejects.dismissing import dismiss, rejects_by_id
from syncctl.services.rejects.reject_sheets import ID_TITLE, lines_of, sheet_of_all, sheets_of
from syncctl.services.rejects.retrying import RejectsRetry
from syncctl.services.run import Clock, Run, RunRequest
from syncctl.services.sync.api_sync import ApiSync
from syncctl.services.sync.planning import SyncOptions, WindowSettings
from syncctl.settings.mapping_file import MappingFile
from syncctl.storage.dry_run import DryRunStorage
from syncctl.storage.registry import open_storage
from tests.support.oracle import Expectation
from tests.support.webapp import MongoApp, SqliteApp, open_app

KOLKATA = ZoneInfo("Asia/Kolkata")
API = API_STEPS


class Recorder:
    """A listener that records its events."""

    def __init__(self) -> None:
        self.started: list[StepName] = []
        self.done: list[tuple[StepName, LocationResult]] = []
        self.read: list[FileProgress] = []
        self.stored: list[tuple[int, int]] = []
        self.finished: list[StepResult] = []
        self.audits: list[tuple[StepName, AuditResult]] = []
        self.warnings: list[str] = []
        self.newly_rejected: list[int] = []

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None:
        pass

    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None:
        self.started.append(name)

    def location_done(self, step: StepName, result: LocationResult) -> None:
        self.done.append((step, result))

    def file_read(self, step: StepName, progress: FileProgress) -> None:
        self.read.append(progress)

    def records_stored(self, step: StepName, stored: int, of: int) -> None:
        self.stored.append((stored, of))

    def step_finished(self, result: StepResult) -> None:
        self.finished.append(result)

    def audited(self, step: StepName, result: AuditResult) -> None:
        self.audits.append((step, result))

    def run_finished(self, result: RunResult) -> None:
        pass

    def warning(self, message: str) -> None:
        self.warnings.append(message)

    def rows_rejected(self, new: int) -> None:
        self.newly_rejected.append(new)


def few_locations(sandbox: Sandbox) -> Locations:
    """The sandbox's locations, the one that the tests' files are of and an empty one: to ask for all would
    cost most of a test."""
    known = load_locations()
    few = {*sandbox.locations, "13", "21"}
    return replace(known, by_code={code: name for code, name in known.by_code.items() if code in few})


class World:
    """Runs syncs of a sandbox into a database; `now` is their clock."""

    def __init__(self, sandbox: Sandbox, url: str, locations: Locations | None = None) -> None:
        """`sandbox`: one that was not started will do for imports."""
        self.sandbox = sandbox
        self.url = url
        self.locations = locations or load_locations()
        self.synced = locations or few_locations(sandbox)
        """Those whose reports a run asks for."""
        self.mapping: MappingFile | None = None
        """Whose column titles count; its stores are those of `locations`."""
        with self.storage():
            pass
        self.app: MongoApp | SqliteApp = open_app(url)
        self.now = datetime.combine(sandbox.today, datetime.min.time(), KOLKATA).astimezone(UTC)
        self.config = ApiClientConfig(
            {
                StepName.STORES: Endpoint(
                    f"{sandbox.base_url}/api/Location/LocationList", None, "STORE_API_KEY"
                ),
                StepName.BOOKING: Endpoint(
                    f"{sandbox.base_url}/api/Reports/GetBookingReport", None, "BOOKING_API_KEY"
                ),
                StepName.RETURN: Endpoint(
                    f"{sandbox.base_url}/api/Reports/GetReturnReport", None, "RETURN_API_KEY"
                ),
            },
            call_delay_s=0.0,
            timeout_s=10.0,
            max_tries=3,
            min_backoff_s=0.001,
        )
        self.recorder = Recorder()
        self.stop = Stop()
        """Of each run that begins from now on."""

    @contextmanager
    def storage(self) -> Iterator[Storage]:
        storage = open_storage(self.url)
        try:
            storage.prepare()
            yield storage
        finally:
            storage.close()

    def run(
        self,
        steps: tuple[StepName, ...] = API,
        *,
        wrap: Callable[[Storage], Storage] = lambda storage: storage,
        deadline_s: float = 60.0,
        dry_run: bool = False,
        measures: bool = False,
        audits: int = 0,
        **options: object,
    ) -> RunResult:
        """One run; `wrap` may wrap the database. `measures`: whether it measures how the reports answer.
        `audits`: how many locations are audited. Options are SyncOptions' fields."""
        self.recorder = Recorder()
        chosen = SyncOptions()._replace(**options)  # type: ignore[arg-type]
        request = RunRequest("api", steps, Trigger.AUTO, dry_run)
        schedule = WindowSettings(12, KOLKATA, audits=audits)
        api = HttpRentalApi(self.config, self.stop)
        try:
            with self.storage() as storage:
                port = DryRunStorage(storage) if dry_run else wrap(storage)
                sync = ApiSync(api, self.synced, steps, schedule, deadline_s, chosen, measures)
                return Run(request, port, self.recorder, self._clock(), self.stop).execute([sync])
        finally:
            api.close()

    def import_files(
        self,
        kind: StepName,
        *paths: Path,
        wrap: Callable[[Storage], Storage] = lambda storage: storage,
        dry_run: bool = False,
        preview: PreviewHash | None = None,
        **choices: object,
    ) -> RunResult:
        """One import; options are ImportJob's fields. `preview`: takes what happens to each row."""
        self.recorder = Recorder()
        job = ImportJob(kind, paths)._replace(**choices)  # type: ignore[arg-type]
        request = RunRequest(f"import {kind}", (kind,), Trigger.MANUAL, dry_run)
        with self.storage() as storage:
            port = DryRunStorage(storage) if dry_run else wrap(storage)
            reader = partial(open_file, stop=self.stop, known=self._titles(kind))
            added, rehearse = self.mapping.fingerprint if self.mapping else "", None
            if job.only_if is not None and not dry_run:
                preview, rehearse = PreviewHash(), DryRunStorage
            stage = FileImport(
                job,
                reader,
                self._cells_of,
                self.locations,
                mapping=added,
                preview=preview,
                rehearse=rehearse,
            )
            return Run(request, port, self.recorder, self._clock(), self.stop).execute([stage])

    def retry_rejects(
        self,
        locations: Locations | None = None,
        *,
        wrap: Callable[[Storage], Storage] = lambda storage: storage,
    ) -> Counts:
        """The whole rejects list tried again, perhaps with a better table of locations."""
        self.recorder = Recorder()
        with self.storage() as storage:
            request = RunRequest("rejects retry", (), Trigger.MANUAL)
            retry = RejectsRetry(storage.rejects(), locations or self.locations, self._cells_of)
            Run(request, wrap(storage), self.recorder, self._clock(), self.stop).execute([retry])
            return retry.counts

    def _titles(self, kind: StepName) -> Titles:
        return self.mapping.titles[kind] if self.mapping else Titles(f"columns.{kind}")

    def _cells_of(self, kind: StepName, row: Mapping[str, Any]) -> Mapping[str, object]:
        return cells_of(row, self._titles(kind))

    def export_rejects(self, file: Path) -> Path:
        """The whole rejects list as a sheet."""
        with self.storage() as storage:
            lines = lines_of(storage.rejects())
        with file.open("wb") as out:
            if file.suffix == ".xlsx":
                write_workbook(sheets_of(lines, self._cells_of), out)
            else:
                sheet = sheet_of_all(lines, self._cells_of)
                write_csv(sheet.titles, sheet.rows, out)
        return file

    def import_rejects(
        self,
        file: Path,
        *,
        wrap: Callable[[Storage], Storage] = lambda storage: storage,
        dry_run: bool = False,
    ) -> SheetResult:
        """The sheet taken back, corrected."""
        self.recorder = Recorder()
        correction = SheetCorrection(
            titled_lines(file, ID_TITLE, self.stop), self.locations, self._cells_of, clean_text
        )
        request = RunRequest("rejects import", (), Trigger.MANUAL, dry_run)
        with self.storage() as storage:
            port = DryRunStorage(storage) if dry_run else wrap(storage)
            Run(request, port, self.recorder, self._clock(), self.stop).execute([correction])
        return correction.result

    def dismiss_rejects(self, *ids: str) -> None:
        """Rejects taken off the list unsaved."""
        with self.storage() as storage:
            dismiss(storage, rejects_by_id(storage, ids), self.now)

    def _clock(self) -> Clock:
        return Clock(lambda: self.now, time.monotonic, lambda after: after, KOLKATA)

    def expected(self) -> Expectation:
        """What a first sync of the sandbox's current data must store."""
        expectation = Expectation()
        for report in ("booking", "return"):
            for location in self.sandbox.locations:
                store = self.locations.by_code[location]
                expectation.add(report, store, self.sandbox.rows(report, location))
        return expectation

    def close(self) -> None:
        self.app.close()
