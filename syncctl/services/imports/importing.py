"""Imports the stores' files: all are read first, then each record is saved or merged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syncctl.domain.run_results import Counts, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import FileProblemError
from syncctl.locations import Locations
from syncctl.ports.files import FileReader
from syncctl.services.imports.file_intake import FileIntake
from syncctl.services.imports.file_search import content_hash, find_files, misplaced_files
from syncctl.services.imports.file_stores import FileStores
from syncctl.services.imports.noting import noting_changes
from syncctl.services.imports.reading import FileReading, FileToRead
from syncctl.services.imports.staging import Staging
from syncctl.services.imports.tally import FileTally
from syncctl.services.rejects.file_rejects import CellsOf
from syncctl.services.run import Run

MAX_ERRORS_QUOTED = 3

MAPPING_VERSION = "4"
"""The version of `mapping.file_rows`. If it has been raised, files are read again even if unchanged since
their last import. 2: the visitDate of walk-ins that were losses. 3: dates, merged cells and several columns
for one field, which were misread. 4: errors in cells, dates in the phone column, lines below a table."""


@dataclass(frozen=True, slots=True)
class ImportJob:
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


class FileImport:
    """A stage of a run: the files of one kind.

    All files are read before anything is stored, so that the last of several rows of one record counts,
    wherever they are, and an unchanged import writes nothing.
    """

    def __init__(self, job: ImportJob, reader: FileReader, cells_of: CellsOf, locations: Locations) -> None:
        self._job = job
        self._reader = reader
        self._cells_of = cells_of
        self._locations = locations
        self._tallies: list[FileTally] = []
        self._imported: dict[str, str] = {}
        self._note: str | None = None

    @noting_changes
    def __call__(self, run: Run) -> None:
        """Import the files.

        Raises:
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
            for number, tally in enumerate(run.stop.between(self._tallies)):
                if tally.error is None:
                    self._read(run, FileToRead(number, tally, stores, requested_store), staging)
            intake = FileIntake(run, self._job.kind, self._locations)
            for batch in run.stop.between(staging.batches()):
                self._finish_files(run, range(batch[0].file), intake)
                intake.ingest(batch, self._tallies)
            intake.ingest_undecided(self._tallies)
        self._finish_files(run, range(len(self._tallies)), intake)
        run.finish_step(self.result())
        if not files:
            for misplaced in misplaced_files(self._job.kind, self._job.misplaced, self._job.paths[0]):
                run.listener.warning(_printable(misplaced))

    def _find(self) -> tuple[list[Path], list[tuple[Path, str]]]:
        """The files, and the paths without any, with the reason."""
        job = self._job
        files, problems = find_files(job.kind, job.paths, may_be_empty=job.is_import_dir)
        if job.is_import_dir and not files and not problems:
            folder = job.paths[0]
            nothing = f"no {job.kind} file in {folder} (IMPORT_DIR)" + (
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
                run.storage.save_file_hash(self._job.kind, tally.name, _import_stamp(tally))
            run.listener.location_done(self._job.kind, tally.result())

    def _read(self, run: Run, file: FileToRead, staging: Staging) -> None:
        """Stage one file's rows; a file that can't be read leaves only its error."""
        tally = file.tally
        staging.begin_file()
        try:
            tally.content_hash = content_hash(tally.path)
            tally.skipped = self._imported.get(tally.name) == _import_stamp(tally)
            if not tally.skipped:
                reading = FileReading(run, self._job.kind, file, staging, self._cells_of)
                reading.read(self._reader, self._job.sheet)
        except FileProblemError as problem:
            tally.reset_to_error(str(problem))
            return
        staging.keep_file()

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


def _import_stamp(tally: FileTally) -> str:
    """What is stored about an imported file, to recognize it next time."""
    return f"{MAPPING_VERSION}:{tally.content_hash}"


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
