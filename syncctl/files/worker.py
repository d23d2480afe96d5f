"""The worker process that reads a workbook, so that a broken one can't crash the program.

The workbook library allocates a sheet as one block of memory: stray cells in the last column and the last row
make it abort. Its panics write to the terminal. Here both only affect this process.
"""

from __future__ import annotations

import mmap
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any
from zipfile import ZipFile

import python_calamine

from syncctl.errors import FileProblemError
from syncctl.files.cells import UNREADABLE, clean
from syncctl.files.limits import (
    LONGEST_CELL,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_SHEETS,
    TOO_LONG_A_CELL,
    TOO_MANY_SHEETS,
    first_cell_too_far_right,
    too_wide_problem,
)
from syncctl.files.protocol import (
    DAMAGED,
    NO_WORKBOOK,
    PASSWORD,
    TOO_LARGE,
    TOO_SPREAD,
    ZIP_MAGICS,
    Batch,
    Facts,
    Request,
)
from syncctl.files.xls_parts import counts_from_1904, errors_of_sheets
from syncctl.files.xlsx_parts import Xlsx
from syncctl.files.xlsx_xml import UnreportedCells

MOST_MEMORY = 2 << 30
"""Bytes of address space: a million rows of a dozen columns take a quarter of it."""

MOST_CPU_S = 120
"""CPU seconds; the largest workbook that fits into memory takes ten."""

CPU_S, CPU_S_PER_MIB = 20, 10
"""Seconds of computing for any workbook, and for each MiB of it, up to those: a thousand rows take 0.1."""

BATCH_CHARACTERS = 4_000_000
"""A batch of rows ends after this many characters: one text may fill every cell of a sheet."""

NO_RUNNING_NUMBER = 1_000_000
"""No list counts this far; phone numbers are larger."""

ROWS_OF_A_SHEET, COLUMNS_OF_A_SHEET = 1_048_576, 16_384
"""The limits of an Excel sheet."""


class Workbook:
    """A workbook whose sheets are read on demand and cached."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._parts: dict[str, str] = {}
        self._errors: list[UnreportedCells] = []
        self._date1904 = False
        with open(path, "rb") as file:
            is_archive = file.read(4) in ZIP_MAGICS
            file.seek(0)
            if is_archive:
                self._read_archive()
            else:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    if _is_encrypted(content):
                        raise FileProblemError(PASSWORD)
                    self._date1904 = counts_from_1904(content)
                    self._errors = errors_of_sheets(content)
            # Of a path the library believes the ending, which may be wrong. But only where that is .xls does
            # it say that an old workbook has a password.
            by_path = not is_archive and path.casefold().endswith(".xls")
            try:
                self._book = python_calamine.load_workbook(path if by_path else file)
            except python_calamine.PasswordError as error:
                raise FileProblemError(PASSWORD) from error
        self._sheets: dict[str, tuple[python_calamine.CalamineSheet, UnreportedCells]] = {}
        self._cells = 0
        self._reading: tuple[str, int, Iterator[tuple[int, list[Any]]]] = ("", 0, iter(()))

    def facts(self) -> Facts:
        """Its worksheets in order, including hidden ones; no charts, macros or dialogs."""
        worksheets = [
            (sheet.name, sheet.visible != python_calamine.SheetVisibleEnum.Visible)
            for sheet in self._book.sheets_metadata
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        if not worksheets:
            raise FileProblemError(NO_WORKBOOK)
        if len(worksheets) > MOST_SHEETS:
            raise FileProblemError(TOO_MANY_SHEETS)
        return self._date1904, worksheets

    def rows(self, sheet: str, after: int, count: int) -> tuple[Batch, int]:
        """The next rows of a sheet after the first `after` non-blank ones: `count` of them, or fewer if
        they are long; and how many characters they have."""
        name, position, rows = self._reading
        if (name, position) != (sheet, after):
            rows = islice(self._numbered(sheet), after, None)
        batch: Batch = []
        characters = 0
        for row in islice(rows, count):
            batch.append(row)
            texts = [value for value in row[1] if isinstance(value, str)]
            length = len("".join(texts))
            if length > LONGEST_CELL and max(map(len, texts)) > LONGEST_CELL:
                raise FileProblemError(TOO_LONG_A_CELL)
            characters += length
            if characters > BATCH_CHARACTERS:
                break
        self._reading = (sheet, after + len(batch), rows)
        return batch, characters

    def height(self, sheet: str) -> int:
        """The number of the sheet's last row, as far as the library knows of it."""
        return (self._sheet(sheet)[0].end or (0, 0))[0] + 1

    def _read_archive(self) -> None:
        with ZipFile(self._path) as archive:
            xlsx = Xlsx(archive)
            if xlsx.too_large:
                raise FileProblemError(TOO_LARGE)
            if not xlsx.is_workbook:
                raise FileProblemError(NO_WORKBOOK)
            self._date1904, self._parts = xlsx.facts()

    def _numbered(self, name: str) -> Iterator[tuple[int, list[Any]]]:
        sheet, unreported = self._sheet(name)
        merged = _Merged(sheet.merged_cell_ranges or ())
        left_of_it = (sheet.start or (0, 0))[1]
        last = 0
        for last, values in enumerate(sheet.iter_rows(), start=1):
            if left_of_it:
                values[:0] = [""] * left_of_it
            if last - 1 in unreported:
                _fill_in(values, unreported[last - 1])
            if len(values) > MOST_COLUMNS:
                if (position := first_cell_too_far_right(values)) is not None:
                    raise FileProblemError(too_wide_problem(last, position))
                del values[MOST_COLUMNS:]
            merged.fill(last - 1, values)
            if values.count("") != len(values):
                yield last, values
        for row in sorted(row for row in unreported if row >= last):
            yield row + 1, _fill_in([], unreported[row])

    def _sheet(self, name: str) -> tuple[python_calamine.CalamineSheet, UnreportedCells]:
        if name not in self._sheets:
            unreadable: list[tuple[int, int]] = []
            try:
                sheet = self._book.get_sheet_by_name(name)
            except python_calamine.CalamineError:
                if name not in self._parts:
                    raise
                with ZipFile(self._path) as archive:
                    copy, unreadable = Xlsx(archive).without_unreadable(self._parts[name])
                sheet = python_calamine.load_workbook(copy).get_sheet_by_name(name)
            last_row, last_column = sheet.end or (0, 0)
            if last_row >= ROWS_OF_A_SHEET or last_column >= COLUMNS_OF_A_SHEET:
                raise FileProblemError(DAMAGED)
            self._cells += (last_row + 1) * (last_column + 1)
            if self._cells > MOST_CELLS:
                raise FileProblemError(TOO_SPREAD)
            unreported: UnreportedCells = {}
            if name in self._parts:
                with ZipFile(self._path) as archive:
                    unreported = Xlsx(archive).unreported(self._parts[name])
            elif self._errors:
                position = [sheet.name for sheet in self._book.sheets_metadata].index(name)
                unreported = self._errors[position]
            for row, column in unreadable:
                unreported.setdefault(row, {})[column] = UNREADABLE
            self._sheets[name] = sheet, unreported
        return self._sheets[name]


class _Merged:
    """Cells merged over several rows, of a sheet that is read from top to bottom."""

    def __init__(self, ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        over_rows = [
            (first, column, last)
            for (first, column), (last, _) in ranges
            if last > first and column < MOST_COLUMNS
        ]
        self._to_come = sorted(over_rows, reverse=True)
        self._values: dict[int, tuple[int, Any]] = {}

    def fill(self, row: int, values: list[Any]) -> None:
        """Fill a row (from 0) with the values of cells merged into it, if it has other content: a row that
        only has a pre-filled number stays blank."""
        if self._values and _has_content(values):
            for column, (last, value) in self._values.items():
                if row <= last and column < len(values) and values[column] == "":
                    values[column] = value
        while self._to_come and self._to_come[-1][0] <= row:
            first, column, last = self._to_come.pop()
            if first == row and column < len(values):
                self._values[column] = last, values[column]


def _has_content(values: list[Any]) -> bool:
    return any(
        abs(value) >= NO_RUNNING_NUMBER if isinstance(value, int | float) else clean(value) is not None
        for value in values
    )


def _fill_in(values: list[Any], unreported: dict[int, str]) -> list[Any]:
    values.extend([""] * (max(unreported) + 1 - len(values)))
    for column, written in unreported.items():
        values[column] = written
    return values


def _is_encrypted(content: mmap.mmap) -> bool:
    """Whether this OLE file is an .xlsx file that was encrypted ([MS-OFFCRYPTO] 2.3.4.4)."""
    return content.find("EncryptedPackage".encode("utf-16-le")) >= 0


def _limit_resources(path: str) -> None:
    size = os.stat(path).st_size if os.path.exists(path) else 0
    cpu_s = min(MOST_CPU_S, CPU_S + CPU_S_PER_MIB * size // (1 << 20))
    limits = (resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, cpu_s), (resource.RLIMIT_CORE, 0)
    for kind, most in limits:
        hard = resource.getrlimit(kind)[1]
        with suppress(ValueError, OSError):  # macOS has no address space limit
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _requests(connection: Connection) -> Iterator[Request]:
    """The requests from the other side, until it closes the connection."""
    while True:
        try:
            yield connection.recv()
        except EOFError:
            return


def main() -> None:
    """Read the workbook `sys.argv[2]` for the process at the other end of the connection `sys.argv[1]`, a
    file descriptor."""
    _limit_resources(sys.argv[2])
    with Connection(int(sys.argv[1])) as connection:
        connection.send(("ready", None))
        try:
            workbook = Workbook(sys.argv[2])
            connection.send(("facts", workbook.facts()))
            for request in _requests(connection):
                connection.send(("rows", (*workbook.rows(*request), workbook.height(request[0]))))
        except FileProblemError as error:
            connection.send(("problem", str(error)))
        except MemoryError:
            connection.send(("problem", TOO_SPREAD))
        except Exception:  # noqa: BLE001 - whatever three libraries say of a broken file, it means this
            connection.send(("problem", DAMAGED))
