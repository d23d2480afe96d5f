"""Imports the stores' files: all are read first, then each record is saved or merged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import NamedTuple

from syncctl.domain.row_decisions import Reason, RowAction, RowDecision
from syncctl.domain.run_results import Counts, StepResult
from syncctl.domain.sources import FILE_WORDS, StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import FileProblemError, PreviewOutdatedError
from syncctl.locations import Locations
from syncctl.ports.files import FileReader
from syncctl.ports.storage import Storage
from syncctl.services.imports.deciding import file_fields
from syncctl.services.imports.file_intake import FileIntake
from syncctl.services.imports.file_stores import FileStores, content_hash, find_files, misplaced_files
from syncctl.services.imports.noting import noting_changes
from syncctl.services.imports.preview import PreviewHash
from syncctl.services.imports.reading import FileReading, FileToRead
from syncctl.services.imports.staging import StagedRow, Staging
from syncctl.services.imports.tally import FileTally
from syncctl.services.rejects.file_rejects import CellsOf
from syncctl.services.run import Run

MAX_ERRORS_QUOTED = 3

MAPPING_VERSION = "4"
"""The version of `mapping.file_rows`. If it has been raised, files are read again even if unchanged since
their last import. 2: the visitDate of walk-ins that were losses. 3: dates, merged cells and several columns
for one field, which were misread. 4: errors in cells, dates in the phone column, lines below a table."""


class ImportJob(NamedTuple):
    """What to import."""

    kind: StepName
    paths: tuple[Path, ...]
    store: str | None = None
    """The store that the user named."""

    sheet: str | None = None
    """The sheet that the user named."""

    is_import_dir: bool = False
    """Whether the only path is IMPORT_DIR, the permanent folder for these files. It may be empty, and
    files unchanged since their last import are skipped, unless `explicit`."""

    explicit: bool = False
    """Whether the user asked for this import."""

    misplaced: tuple[Path, ...] = ()
    """Other folders that may contain such files by mistake."""

    only_if: str | None = None
    """The hash of a preview: anything else is not imported."""


class FileImport:
    """A stage of a run: the files of one kind.

    All files are read before anything is stored, so that the last of several rows of one record counts,
    wherever they are, and an unchanged import writes nothing.
    """

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        job: ImportJob,
        reader: FileReader,
        cells_of: CellsOf,
        locations: Locations,
        *,
        mapping: str = "",
        preview: PreviewHash | None = None,
        rehearse: Callable[[Storage], Storage] | None = None,
    ) -> None:
        """`mapping`: changes whenever the tables that files are read by do, packaged ones apart. `preview`:
        takes what happens to each row. `rehearse`: gives a storage that writes nothing, on which an import is
        tried that is to go on only if its preview has the job's hash."""
        self._job = job
        self._reader = reader
        self._cells_of = cells_of
        self._locations = locations
        self._mapping = mapping
        self._preview = preview
        self._rehearse = rehearse
        self._tallies: list[FileTally] = []
        self._imported: dict[str, str] = {}
        self._note: str | None = None

    @noting_changes
    def __call__(self, run: Run) -> None:
        """Import the files.

        Raises:
            PreviewOutdatedError: it would not do what was previewed; nothing was written.
            StorageError: the database refused; running the import again completes it.
            UsageError: the store that the user named is unknown.
        """
        run.storage.set_deadline(math.inf)  # the deadline of this run's API part, if any, doesn't apply
        stores = FileStores(self._locations, [store.name for store in run.storage.stores()])
        requested_store = stores.requested_store(self._job.store) if self._job.store else None
        files, problems = self._find()
        self._tallies = [FileTally(path, _printable(path.name), error=problem) for path, problem in problems]
        self._tallies += [FileTally(path, name) for path, name in _with_names(files)]
        run.begin_step(self._job.kind, len(self._tallies), self.result)
        if self._job.is_import_dir and not self._job.explicit:
            self._imported = run.storage.file_hashes(self._job.kind)
        with Staging() as staging:
            readings: list[FileReading] = []
            for number, tally in enumerate(run.stop.between(self._tallies)):
                if tally.error is None:
                    file = FileToRead(number, len(self._tallies), tally, stores, requested_store)
                    readings += self._read(run, file, staging)
                if self._rehearse is None:
                    _keep_rejects(readings)
            if self._rehearse is None:
                self._store(run, staging, self._preview)
                self._require_previewed()
            else:
                self._rehearsed(run, staging, self._rehearse(run.storage))
                self._require_previewed()
                _keep_rejects(readings)
                self._store(run, staging, None)
        run.finish_step(self.result())
        if not files:
            for misplaced in misplaced_files(self._job.kind, self._job.misplaced, self._job.paths[0]):
                run.listener.warning(_printable(misplaced))

    def _store(self, run: Run, staging: Staging, preview: PreviewHash | None) -> None:
        """Store what was read."""
        intake = FileIntake(run, self._job.kind, self._locations, preview=preview)
        stored = 0
        for batch in run.stop.between(staging.batches(partial(_supersede, self._tallies, preview))):
            run.listener.records_stored(self._job.kind, stored, staging.records)
            self._finish_files(run, range(batch[0].file), intake)
            intake.ingest(batch, self._tallies)
            stored += len(batch)
        intake.ingest_undecided(self._tallies)
        self._finish_files(run, range(len(self._tallies)), intake)
        self._finish_preview()

    def _rehearsed(self, run: Run, staging: Staging, storage: Storage) -> None:
        """The same, in a storage that writes nothing, for its preview alone."""
        tallies = deepcopy(self._tallies)
        intake = FileIntake(run, self._job.kind, self._locations, storage, self._preview)
        for batch in run.stop.between(staging.batches(partial(_supersede, tallies, self._preview))):
            intake.ingest(batch, tallies)
        intake.ingest_undecided(tallies)
        self._finish_preview()

    def _finish_preview(self) -> None:
        if self._preview is not None and not self._preview.hash:
            self._preview.finish(
                self._job.kind, ((tally.name, tally.content_hash) for tally in self._tallies)
            )

    def _require_previewed(self) -> None:
        """Raise PreviewOutdatedError if this import is not the one that the user has seen."""
        wanted = self._job.only_if
        if self._preview is not None and wanted not in (None, self._preview.hash):
            raise PreviewOutdatedError(
                f"Nothing was imported: this import would not do what preview {wanted} showed. "
                f"Its preview is now {self._preview.hash}.",
                hint="Look at it with --dry-run, then give the new hash.",
            )

    def _find(self) -> tuple[list[Path], list[tuple[Path, str]]]:
        """The files, and the paths without any, with the reason."""
        job = self._job
        files, problems = find_files(job.kind, job.paths, may_be_empty=job.is_import_dir)
        if job.is_import_dir and not files and not problems:
            folder = job.paths[0]
            nothing = f"no {FILE_WORDS[job.kind]} in {folder} (IMPORT_DIR)" + (
                "" if folder.exists() else ", which does not exist"
            )
            if job.explicit:
                problems = [(folder, f"There is {nothing}.")]
            else:
                self._note = nothing
        return files, problems

    def _finish_files(self, run: Run, numbers: range, intake: FileIntake) -> None:
        """Report these files' results, if all of their rows have been stored: rows come in the files'
        order, except undecided ones."""
        for number in numbers:
            tally = self._tallies[number]
            if tally.is_done or number in intake.undecided_files:
                continue
            tally.is_done = True
            if tally.is_imported and self._job.sheet is None:
                run.storage.save_file_hash(self._job.kind, tally.name, _import_stamp(tally, self._mapping))
            run.listener.location_done(self._job.kind, tally.result())

    def _read(self, run: Run, file: FileToRead, staging: Staging) -> list[FileReading]:
        """Stage one file's rows; a file that can't be read leaves only its error. Gives the reading, unless
        the file is passed over."""
        tally = file.tally
        readings: list[FileReading] = []
        staging.begin_file()
        run.listener.file_read(self._job.kind, file.progress())
        if self._preview is not None:
            self._preview.begin_file()
        try:
            tally.content_hash = content_hash(tally.path)
            tally.skipped = self._imported.get(tally.name) == _import_stamp(tally, self._mapping)
            if not tally.skipped:
                reading = FileReading(run, self._job.kind, file, staging, self._cells_of, self._preview)
                reading.read(self._reader, self._job.sheet)
                readings.append(reading)
        except FileProblemError as problem:
            tally.reset_to_error(str(problem))
            if self._preview is not None:
                self._preview.drop_file()
            return []
        staging.keep_file()
        return readings

    def result(self, aborted_by: str | None = None) -> StepResult:
        """The import's result; `aborted_by`: the error that ended it early."""
        results = tuple(tally.result() for tally in self._tallies)
        failed = [result.error for result in results if result.error]
        if aborted_by:
            status, error = StepStatus.FAILED, aborted_by
        elif failed:
            understood = any(result.error is None or result.counts.rows for result in results)
            status = StepStatus.PARTIAL if understood else StepStatus.FAILED
            more = f" … and {len(failed) - MAX_ERRORS_QUOTED} more" if len(failed) > MAX_ERRORS_QUOTED else ""
            error = " ".join(failed[:MAX_ERRORS_QUOTED]) + more
        else:
            status, error = StepStatus.SUCCESS if results else StepStatus.SKIPPED, None
        return StepResult(
            name=self._job.kind,
            status=status,
            counts=sum((result.counts for result in results), Counts()),
            processed=0 if aborted_by else len(results) - len(failed),
            total=len(results),
            errors=len(failed) or (1 if aborted_by else 0),
            error=error,
            locations=results,
            note=None if aborted_by else self._note,
        )


def _keep_rejects(readings: list[FileReading]) -> None:
    """Update the rejects list by what was read, once."""
    while readings:
        readings.pop(0).keep_rejects()


def _supersede(tallies: Sequence[FileTally], preview: PreviewHash | None, staged: StagedRow) -> None:
    """Count a row in whose place a later one counts."""
    tally, values = tallies[staged.file], staged.record.record.values
    tally.actions[RowAction.MERGE] += 1
    if preview is not None:
        customer = (values["name"], values["phone"], values["store"])
        decision = RowDecision(
            tally.name,
            staged.sheet,
            staged.row,
            RowAction.MERGE,
            Reason.LATER_ROW,
            *customer,
            None,
            tuple(file_fields(staged)),
        )
        preview.add(tally.position(staged.file, staged.sheet, staged.row), decision)


def _import_stamp(tally: FileTally, mapping: str) -> str:
    """What is stored about an imported file, to recognize it next time."""
    return ":".join(filter(None, (MAPPING_VERSION, tally.content_hash, mapping)))


def _printable(name: str) -> str:
    """A file's name fit for databases and terminals: names are bytes, and may not be valid text."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _with_names(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each file with its name, prefixed with its folder's if several files have the same name."""
    alike = Counter(file.name for file in files)
    names = (
        file.name if alike[file.name] == 1 else f"{file.absolute().parent.name}/{file.name}" for file in files
    )
    return [(file, _printable(name)) for file, name in zip(files, names, strict=True)]
