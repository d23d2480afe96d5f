"""Holds the records of an import between reading and storing: in memory if few, otherwise on disk."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from tempfile import SpooledTemporaryFile, gettempdir
from typing import NamedTuple, Self

from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import SourceRecord
from syncctl.errors import TemporaryFileError
from syncctl.mapping.file_rows import FileRecord

IN_MEMORY_BYTES = 16 * 1024 * 1024
BATCH = 1000


class StagedRow(NamedTuple):
    """A record and its position."""

    record: FileRecord
    file: int
    """The file's number in the import."""

    sheet: str
    row: int


# Plain tuples: pickled three times as fast.
_Packed = tuple[str, str, LeadValues, tuple[str, ...], date | None, frozenset[str], int, str, int]


def _packed(row: StagedRow) -> _Packed:
    return (*row.record.record, row.record.provided, row.file, row.sheet, row.row)


def _unpacked(packed: _Packed) -> StagedRow:
    key, lead_id, values, former_phones, former_day, provided, file, sheet, row = packed
    record = SourceRecord(key, lead_id, values, former_phones, former_day)
    return StagedRow(FileRecord(record, provided), file, sheet, row)


@contextmanager
def temporary_file() -> Iterator[None]:
    """Name the folder in errors of the temporary file within: Python's own message doesn't."""
    try:
        yield
    except OSError as error:
        try:
            folder = gettempdir()
        except FileNotFoundError:
            folder = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - only named
        raise TemporaryFileError(
            f"The import needs room for a temporary file in {folder} ({error.strerror}): free some, or set "
            "TMPDIR to a folder with more. What was stored is kept; import the files again."
        ) from error


class Staging:
    """Takes rows file by file, and returns each record once, with the values of its last row.

    Only a number per record stays in memory; the rest is in a temporary file that only this process can read
    and that disappears with it. Methods raise TemporaryFileError if that can't be written.
    """

    def __init__(self) -> None:
        self._spool = SpooledTemporaryFile[bytes](max_size=IN_MEMORY_BYTES, prefix="syncctl-")
        self._last: dict[bytes, int] = {}
        self._count = 0
        self._file_last: dict[bytes, int] = {}
        self._file_start = (0, 0)
        self._pending: list[StagedRow] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._spool.close()

    @property
    def records(self) -> int:
        """How many records there are in the files that were kept."""
        return len(self._last)

    def begin_file(self) -> None:
        """Rows added from now on count only if `keep_file` is called."""
        with temporary_file():
            self._spool.seek(self._file_start[0])
            self._spool.truncate()
        self._count = self._file_start[1]
        self._file_last = {}
        self._pending = []

    def add(self, row: StagedRow) -> None:
        """Add a row of the current file; a later row of the same record replaces it."""
        self._file_last[bytes.fromhex(row.record.record.lead_id)] = self._count
        self._count += 1
        self._pending.append(row)
        if len(self._pending) == BATCH:
            self._flush()

    def keep_file(self) -> None:
        """The current file was read to its end."""
        self._flush()
        self._last |= self._file_last
        self._file_last = {}
        with temporary_file():
            self._file_start = (self._spool.tell(), self._count)

    def _flush(self) -> None:
        if self._pending:
            rows = [_packed(row) for row in self._pending]
            with temporary_file():
                pickle.dump(rows, self._spool, protocol=pickle.HIGHEST_PROTOCOL)
            self._pending = []

    def batches(self, superseded: Callable[[StagedRow], None]) -> Iterator[list[StagedRow]]:
        """Each record's last row, in the order of the rows; `superseded` is called with the others."""
        with temporary_file():
            self._spool.seek(0)  # writes what is still in its buffer
        number = 0
        batch: list[StagedRow] = []
        while number < self._file_start[1]:
            rows: list[_Packed] = pickle.load(self._spool)  # noqa: S301 - written by this object itself
            for row in rows:
                if self._last[bytes.fromhex(row[1])] == number:
                    batch.append(_unpacked(row))
                else:
                    superseded(_unpacked(row))
                number += 1
            if len(batch) >= BATCH:
                yield batch[:BATCH]
                batch = batch[BATCH:]
        if batch:
            yield batch
