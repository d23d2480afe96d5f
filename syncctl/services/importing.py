"""The stores' files taken into the database: all read first, then each record saved or merged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syncctl.errors import FileProblemError, InterruptedRunError, InvalidRowError
from syncctl.file_mapping import file_record
from syncctl.identity import SEPARATOR, derived_id
from syncctl.locations import Locations
from syncctl.models import Counts, Reject, StepName, StepResult, StepStatus
from syncctl.ports import FileReader, FileRow, FileSheet
from syncctl.services.file_finding import content_hash, find_files
from syncctl.services.file_intake import FileIntake, FileTally
from syncctl.services.file_stores import FileStores
from syncctl.services.run import Run
from syncctl.services.staging import StagedRow, Staging
from syncctl.values import text

REJECTS_AT_ONCE = 1000
ERRORS_TOLD = 3


@dataclass(frozen=True, slots=True)
class ImportJob:
    """What to import. `store`, `sheet`: what the user named. `standing`: the paths are the folder that files
    are always put into: it may hold none, and those unchanged since their last import are passed over."""

    kind: StepName
    paths: tuple[Path, ...]
    store: str | None = None
    sheet: str | None = None
    standing: bool = False


class FileImport:
    """A stage of a run: one kind of files.

    All files are read before anything is stored, so that of two rows of one record the last one counts,
    wherever they stand, and an unchanged import writes nothing.
    """

    def __init__(self, job: ImportJob, reader: FileReader, locations: Locations) -> None:
        self._job = job
        self._reader = reader
        self._locations = locations
        self._tallies: list[FileTally] = []

    def __call__(self, run: Run) -> None:
        """Import the files.

        Raises:
            StorageError: the database refused; the import run again ends as if undisturbed.
            UsageError: the store that the user named is unknown.
        """
        stores = FileStores(self._locations, [store.name for store in run.storage.stores()])
        given = stores.given(self._job.store) if self._job.store else None
        files, problems = find_files(self._job.kind, self._job.paths, may_be_empty=self._job.standing)
        self._tallies = [FileTally(path, error=problem) for path, problem in problems]
        self._tallies += [FileTally(path) for path in files]
        run.begin_step(self._job.kind, len(self._tallies), self.result)
        with Staging() as staging:
            for number, tally in enumerate(self._tallies):
                if tally.error is None:
                    self._read(run, _Reading(number, tally, stores, given), staging)
            intake = FileIntake(run, self._job.kind, self._locations)
            for batch in staging.batches():
                intake.take(batch, self._tallies)
        for tally in self._tallies:
            if tally.content_hash and tally.error is None and not tally.skipped:
                run.storage.save_file_hash(self._job.kind, tally.path.name, tally.content_hash)
            run.listener.location_done(self._job.kind, tally.result())
        run.finish_step(self.result())

    def _read(self, run: Run, reading: _Reading, staging: Staging) -> None:
        """Stage one file's rows; one that can't be understood leaves nothing but its problem."""
        tally = reading.tally
        staging.begin_file()
        try:
            tally.content_hash = content_hash(tally.path)
            if self._job.standing:
                known = run.storage.file_hashes(self._job.kind)
                tally.skipped = known.get(tally.path.name) == tally.content_hash
            if not tally.skipped:
                _FileReading(run, self._job, reading, staging).read(self._reader)
        except FileProblemError as problem:
            tally.rows = tally.valid = tally.invalid = 0
            tally.error = str(problem)
            return
        staging.keep_file()

    def result(self, interruption: InterruptedRunError | None = None) -> StepResult:
        """What the import came to; `interruption`: what ended it before its time."""
        results = tuple(tally.result() for tally in self._tallies)
        failed = [result.error for result in results if result.error]
        if interruption:
            status, error = StepStatus.FAILED, interruption.short
        elif failed:
            status = StepStatus.FAILED if len(failed) == len(results) else StepStatus.PARTIAL
            more = f" … and {len(failed) - ERRORS_TOLD} more" if len(failed) > ERRORS_TOLD else ""
            error = " ".join(failed[:ERRORS_TOLD]) + more
        else:
            status, error = StepStatus.SUCCESS if results else StepStatus.SKIPPED, None
        return StepResult(
            name=self._job.kind,
            status=status,
            counts=sum((result.counts for result in results), Counts()),
            processed=len(results) - len(failed),
            total=len(results),
            errors=len(failed) or (1 if interruption else 0),
            error=error,
            locations=results,
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """A file to read: its number in the import, its tally, and what tells its store."""

    number: int
    tally: FileTally
    stores: FileStores
    given: str | None


class _FileReading:
    """Reads one file: valid rows are staged, invalid ones go on the rejects list."""

    def __init__(self, run: Run, job: ImportJob, reading: _Reading, staging: Staging) -> None:
        self._run = run
        self._job = job
        self._reading = reading
        self._tally = reading.tally
        self._staging = staging
        self._rejects: list[Reject] = []
        self._listed = run.storage.reject_positions(job.kind, self._tally.path.name)
        self._cured: list[str] = []

    def read(self, reader: FileReader) -> None:
        """Read the whole file.

        Raises:
            FileProblemError: it can't be understood, or nothing tells its store.
        """
        stores, given = self._reading.stores, self._reading.given
        of_file = given or stores.of_file(self._tally.path.name)
        problems: list[str] = []
        with reader(self._tally.path, only_sheet=self._job.sheet) as opened:
            for sheet in opened:
                try:
                    self._read_sheet(sheet, of_file or stores.named(sheet.name))
                except _NoStoreError:
                    problems.append(f"sheet {sheet.name!r}" if sheet.name else "it")
            problems_of_file = list(opened.problems)
        self._flush_rejects()
        if self._cured:
            self._run.storage.clear_rejects(self._cured)
        if problems:
            message = (
                f"{self._tally.path}: nothing tells the store of {', '.join(problems)}: name the file "
                f"{self._job.kind}_sg_PLACE or {self._job.kind}_z_PLACE, or give --store NAME."
            )
            if not self._tally.rows:
                raise FileProblemError(message)
            problems_of_file.append(message)
        if problems_of_file:
            self._tally.error = " ".join(problems_of_file)

    def _read_sheet(self, sheet: FileSheet, store: str | None) -> None:
        for row in sheet.rows():
            if store is None and "store" not in row.cells:
                raise _NoStoreError
            of_row = store or self._reading.stores.named(text(row.cells["store"]))
            self._tally.rows += 1
            if of_row is not None:
                self._tally.stores.add(of_row)
            try:
                record = file_record(self._job.kind, row.cells, of_row)
            except InvalidRowError as reason:
                self._reject(sheet, row, of_row or "", str(reason))
                continue
            self._tally.valid += 1
            self._staging.add(StagedRow(record, self._reading.number, sheet.name, row.number))
            if self._listed:
                self._cured += self._listed.get(_position(sheet, row), ())

    def _reject(self, sheet: FileSheet, row: FileRow, store: str, reason: str) -> None:
        self._tally.invalid += 1
        file_name, position = self._tally.path.name, _position(sheet, row)
        raw = json.dumps(dict(row.raw))
        reject_id = derived_id(SEPARATOR.join(("reject", self._job.kind, file_name, position, raw)))
        outdated = set(self._listed.get(position, ())) - {reject_id}
        self._cured += outdated
        self._rejects.append(
            Reject(
                reject_id=reject_id,
                source=self._job.kind.value,
                location=file_name,
                store=store,
                position=position,
                reason=reason,
                row=raw,
                run_id=self._run.run_id,
                rejected_at=self._run.started_at,
            )
        )
        if len(self._rejects) == REJECTS_AT_ONCE:
            self._flush_rejects()

    def _flush_rejects(self) -> None:
        listed = {reject_id for ids in self._listed.values() for reject_id in ids}
        new = [reject for reject in self._rejects if reject.reject_id not in listed]
        if new:
            self._run.storage.add_rejects(new)
        self._rejects = []


class _NoStoreError(Exception):
    """Nothing tells the store of a sheet. Never leaves this module."""


def _position(sheet: FileSheet, row: FileRow) -> str:
    return f"{sheet.name}{SEPARATOR}{row.number}"


def import_steps(jobs: Sequence[ImportJob]) -> tuple[StepName, ...]:
    """The steps that these jobs are."""
    return tuple(job.kind for job in jobs)
