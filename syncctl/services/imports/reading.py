"""Reads one file of an import: stages valid rows, collects invalid ones for the rejects list."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.records import Reject
from syncctl.domain.row_decisions import RowAction, RowDecision
from syncctl.domain.sources import StepName
from syncctl.errors import FileProblemError, InvalidRowError
from syncctl.mapping.file_rows import Cells, file_record, usable_cells
from syncctl.parsing.values import text
from syncctl.ports.files import FileReader, FileRow, FileSheet, OpenedFile
from syncctl.ports.listener import FileProgress
from syncctl.services.imports.file_stores import FileStores
from syncctl.services.imports.preview import PreviewHash
from syncctl.services.imports.staging import StagedRow, Staging
from syncctl.services.imports.tally import FileTally, Places
from syncctl.services.matching.legacy_leads import text_of
from syncctl.services.rejects.file_rejects import CellsOf, FileRejects
from syncctl.services.rejects.list_updates import RejectQuota
from syncctl.services.rejects.raw_rows import raw_text, reject_id_of
from syncctl.services.run import Run

ROWS_PER_REPORT = 250
"""A few hundredths of a second: often enough for a display, too seldom to be felt."""


class FileToRead(NamedTuple):
    """A file to read, and what determines its store."""

    number: int
    """Its number in the import."""

    of: int
    """How many files there are."""

    tally: FileTally
    stores: FileStores
    requested_store: str | None
    """The store that the user named."""

    def progress(self, bytes_read: int = 0) -> FileProgress:
        """How far it has been read."""
        tally = self.tally
        try:
            size = tally.path.stat().st_size
        except OSError:
            size = 0  # it says so itself when it is opened
        return FileProgress(tally.name, self.number + 1, self.of, size, bytes_read, tally.rows)


class FileReading:
    """Reads one file: valid rows are staged, invalid ones are rejected."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a file is read with
        self,
        run: Run,
        kind: StepName,
        file: FileToRead,
        staging: Staging,
        cells_of: CellsOf,
        preview: PreviewHash | None = None,
    ) -> None:
        self._run = run
        self._kind = kind
        self._file = file
        self._tally = file.tally
        self._staging = staging
        self._preview = preview
        self._rejects: list[Reject] = []
        self._listed = FileRejects(run.storage, kind, self._tally.name, cells_of)
        self._superseded: set[str] = set()
        self._listed_ids = self._listed.ids
        self._new_ids: set[str] = set()
        self._quota = RejectQuota(len(self._listed_ids))

    def read(self, reader: FileReader, only_sheet: str | None) -> None:
        """Read the whole file. What it changes in the rejects list waits for `keep_rejects`. Raises
        FileProblemError: it can't be parsed, or its store can't be determined."""
        stores, requested_store = self._file.stores, self._file.requested_store
        of_file = requested_store or stores.of_file(self._tally.path.name)
        problems: list[str] = []
        unknown: list[str] = []
        with reader(self._tally.path, only_sheet=only_sheet) as opened:
            for sheet in opened:
                try:
                    self._read_sheet(opened, sheet, of_file or stores.named(sheet.name))
                except _NoStoreError:
                    problems.append(f"sheet {sheet.name!r}" if sheet.name else "this file")
                    unknown.append(sheet.name)
            self._tally.hidden_sheets = opened.hidden_sheets
            problems_of_file = [f"{self._tally.name}: {problem}." for problem in opened.problems]
        if problems:
            message = (
                f"{self._tally.name}: can't tell which store {', '.join(problems)} is from: name the file "
                f"{self._kind}_sg_PLACE or {self._kind}_z_PLACE, or give --store NAME."
                f"{stores.line_to_add(self._tally.path.name, unknown)}"
            )
            if not self._tally.rows:
                raise FileProblemError(message)
            problems_of_file.append(message)
        self._tally.unlisted = self._quota.unlisted
        if problems_of_file:
            self._tally.error = " ".join(problems_of_file)

    def _read_sheet(self, opened: OpenedFile, sheet: FileSheet, store: str | None) -> None:
        self._tally.sheets.setdefault(sheet.name, len(self._tally.sheets))
        for row in self._run.stop.between(sheet.rows(partial(self._ignore, sheet))):
            if store is None and "store" not in row.cells:
                raise _NoStoreError
            cells = usable_cells(row.cells) if row.layout.several else row.cells
            in_column = self._file.stores.named(text(cells["store"])) if "store" in cells else None
            of_row = store or in_column
            self._tally.rows += 1
            if self._tally.rows % ROWS_PER_REPORT == 0:
                self._run.listener.file_read(self._kind, self._file.progress(opened.bytes_read))
            if of_row is not None:
                self._tally.stores.add(of_row)
                if in_column not in (None, of_row):
                    self._tally.add_store(in_column, of_row, _place(sheet, row))
            elif line := self._file.stores.unknown(cells["store"]):
                self._tally.add_store(line, None, _place(sheet, row))
            try:
                record = file_record(self._kind, cells, of_row, self._run.clock.business_zone)
            except InvalidRowError as reason:
                self._note_replaced(sheet, row, cells)
                self._reject(sheet, row, of_row or "", str(reason))
                continue
            if not record.is_plain:
                self._note_replaced(sheet, row, cells)
            for column in record.unreadable:
                self._tally.unreadable.setdefault(column, Places()).add(_place(sheet, row))
            self._staging.add(StagedRow(record, self._file.number, sheet.name, row.number))
            if self._listed:
                self._superseded |= self._listed.superseded_by(_position(sheet, row), cells)

    def _note_replaced(self, sheet: FileSheet, row: FileRow, cells: Cells) -> None:
        if any(isinstance(cell, str) and "\ufffd" in cell for cell in cells.values()):
            self._tally.replaced.add(_place(sheet, row))

    def _ignore(self, sheet: FileSheet, row: FileRow) -> None:
        """Count a line that isn't a customer's; it may have been listed as one before."""
        self._tally.ignored += 1
        if self._listed:
            self._superseded |= self._listed.superseded_by(_position(sheet, row), usable_cells(row.cells))

    def _reject(self, sheet: FileSheet, row: FileRow, store: str, reason: str) -> None:
        self._tally.invalid += 1
        file_name, position = self._tally.name, _position(sheet, row)
        raw = raw_text(dict(row.raw), sort_keys=False)
        reject_id = reject_id_of(self._kind, file_name, position, raw)
        self._superseded |= self._listed.superseded_by(position, usable_cells(row.cells)) - {reject_id}
        if reject_id in self._listed.closed:  # a person has corrected or dismissed this very row
            self._tally.rows -= 1
            self._tally.invalid -= 1
            self._tally.ignored += 1
            self._tally.answered += 1
            return
        self._show_reject(sheet, row, store, reason)
        if reject_id in self._listed_ids or reject_id in self._new_ids or not self._quota.admits(raw):
            return
        self._new_ids.add(reject_id)
        self._rejects.append(
            Reject(
                reject_id=reject_id,
                source=self._kind.value,
                location=file_name,
                store=store,
                position=position,
                reason=reason,
                row=raw,
                run_id=self._run.run_id,
                rejected_at=self._run.started_at,
            )
        )

    def _show_reject(self, sheet: FileSheet, row: FileRow, store: str, reason: str) -> None:
        if self._preview is None:
            return
        cells = usable_cells(row.cells)
        written = (text_of(cells, "name"), text_of(cells, "phone"), store)
        self._preview.add(
            self._tally.position(self._file.number, sheet.name, row.number),
            RowDecision(self._tally.name, sheet.name, row.number, RowAction.REJECT, reason, *written, None),
        )

    def keep_rejects(self) -> None:
        """Update the rejects list, after the file was read to its end. Raises StorageError."""
        if self._rejects:
            self._run.add_rejects(self._rejects)
        if self._superseded:
            self._run.storage.clear_rejects(self._superseded)


class _NoStoreError(Exception):
    """A sheet's store can't be determined. Never leaves this module."""


def _place(sheet: FileSheet, row: FileRow) -> str:
    """Where a row is, for a person."""
    return f"sheet {sheet.name}, row {row.number}" if sheet.name else f"row {row.number}"


def _position(sheet: FileSheet, row: FileRow) -> str:
    return f"{sheet.name}{SEPARATOR}{row.number}"
