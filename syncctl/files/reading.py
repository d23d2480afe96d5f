"""Opens a file of any supported type and finds the sheets with customers."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from syncctl.files.cells import Record
from syncctl.files.headers import (
    HEADER_SEARCH_ROWS,
    NAME,
    PACKAGED,
    PHONE,
    Layout,
    Titles,
    find_header,
    likely_title,
    nearest_header,
    normalize_title,
)
from syncctl.files.limits import LimitChecker, Position, file_errors, one_line, problem
from syncctl.files.protocol import OLE_MAGIC, ZIP_MAGICS
from syncctl.files.rows import FileRow, file_rows, not_blank
from syncctl.filesystem.ordinary_files import open_ordinary
from syncctl.ports.stop import Stop
from syncctl.text import mapping_line

if TYPE_CHECKING:
    from syncctl.files.csv_detection import ColumnsIn

NO_HEADER = (
    f"no row with the column titles was found in the first {HEADER_SEARCH_ROWS} rows: "
    "expected Customer Name, Contact or NUMBER, Date"
)


class Table(Protocol):
    """A sheet of any file type. `epoch`: day 0 of its date serials. `is_hidden`: hidden in Excel."""

    @property
    def name(self) -> str: ...
    @property
    def epoch(self) -> date: ...
    @property
    def is_hidden(self) -> bool: ...
    def records(self, width: int = 0) -> Iterator[Record]:
        """Its records from the start; `width`: how many columns it is known to have."""


@dataclass(frozen=True, slots=True)
class SheetRows:
    """A sheet with a header."""

    name: str
    """As on the sheet's tab; "" in a CSV file."""

    header_row: int
    """The row of its first header."""

    header: Layout
    """Its first header; with `nearest`, the row that is most like one."""

    _table: Table
    _limit_checker: LimitChecker
    _is_header: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns recognized in its first header, by the names in `headers`."""
        return tuple(self.header.columns)

    def rows(self, ignore: Callable[[FileRow], None] = lambda _: None) -> Iterator[FileRow]:
        """The sheet's rows, from its start with each call, as they are read; below what is only most like a
        header, without a meaning. `ignore`: as in `file_rows`. Raises FileProblemError: the file can't be
        read on, is not well formed from here on, or over a limit."""
        records = self._limit_checker.records(self._table.records(len(self.header.titles)))
        if not self._is_header:
            below = ((number, cells) for number, cells in not_blank(records) if number > self.header_row)
            return (FileRow(number, {}, cells, self.header) for number, cells in below)
        return file_rows(records, self._table.epoch, ignore, self.header.known)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file."""

    sheets: tuple[SheetRows, ...]

    problems: list[str] = field(default_factory=list)
    """Sheets that were skipped although they have content, and why."""

    hidden_sheets: tuple[str, ...] = ()
    """Names of sheets skipped because they are hidden."""

    position: Position | None = None
    """How far it has been read."""

    @property
    def bytes_read(self) -> int:
        """So far; of a workbook, in proportion to its rows."""
        return self.position.bytes_read if self.position else 0

    def __iter__(self) -> Iterator[SheetRows]:
        return iter(self.sheets)


@contextmanager
def open_file(
    path: Path,
    *,
    only_sheet: str | None = None,
    stop: Stop | None = None,
    known: Titles = PACKAGED,
    nearest: bool = False,
) -> Iterator[OpenFile]:
    """A CSV file or workbook (.xlsx, .xls), recognised by its content, whatever its name ends in.

    Its sheets are in their order; blank and hidden ones are left out. `only_sheet`: the name of the one sheet
    that is wanted, hidden or not, compared by letters and digits. `known`: what titles are recognized by.
    `nearest`: where no row is a header, the one most like it counts, to be looked at. Rows are read within
    the context.

    Raises:
        FileProblemError: it can't be read or understood; the message is one line that names the file.
        StopRequestedError: `stop` was requested while it was waited for.
    """
    from syncctl.files.csv_detection import columns_by

    position = Position(path)
    with open_tables(path, columns_by(known), stop or Stop(), position) as tables:
        hidden: tuple[str, ...] = ()
        if only_sheet is not None:
            wanted = _only(path, tables, only_sheet)
        else:
            wanted = [table for table in tables if not table.is_hidden]
            hidden = tuple(one_line(table.name) for table in tables if table.is_hidden)
        opened = _with_headers(path, wanted, hidden, known, nearest=nearest)
        yield replace(opened, position=position)


def open_tables(
    path: Path, columns_in: ColumnsIn, stop: Stop, position: Position | None = None
) -> AbstractContextManager[Sequence[Table]]:
    """All tables of a file, hidden ones too. `columns_in`: how the header of a CSV file is known; `position`:
    is updated as it is read. Raises as `open_file` does."""
    head, position = _head(path), position or Position(path)
    if head.startswith((*ZIP_MAGICS, OLE_MAGIC)):
        from syncctl.files.workbook import open_workbook

        return open_workbook(path, position, stop)
    from syncctl.files.csv_detection import detect

    return nullcontext([detect(path, columns_in, position)])


def _head(path: Path) -> bytes:
    if "\0" in str(path):
        raise problem(path, "that can't be a file's name")
    with file_errors(path):
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise problem(path, "it is a folder; name a file in it")
        if not stat.S_ISREG(kind.st_mode):
            raise problem(path, "it isn't a regular file; copy its content into one and import that")
        if not kind.st_size:
            raise problem(path, "it is empty; ask for it again")
        with open_ordinary(path) as file:
            return file.read(len(OLE_MAGIC))


def _only(path: Path, tables: Sequence[Table], wanted: str) -> list[Table]:
    named = [table for table in tables if table.name == wanted] or [
        table for table in tables if table.name and normalize_title(table.name) == normalize_title(wanted)
    ]
    if named:
        return named
    names = ", ".join(table.name for table in tables if table.name)
    raise problem(
        path, f"it has no sheet {wanted!r}, only {names}" if names else "it is CSV text, without sheets"
    )


def _with_headers(
    path: Path, tables: Sequence[Table], hidden: tuple[str, ...], known: Titles, *, nearest: bool
) -> OpenFile:
    with file_errors(path):
        limit_checker = LimitChecker(path)
    sheets: list[SheetRows] = []
    without: list[tuple[Table, str]] = []
    for table in tables:
        head = list(islice(not_blank(limit_checker.records(table.records())), HEADER_SEARCH_ROWS))
        alike = None
        if not (found := find_header(head, known)):
            alike = nearest_header(head, known)
            found = alike if nearest else None
        if found:
            sheets.append(SheetRows(table.name, *found, table, limit_checker, alike is None))
        elif head:
            correct = (alike and _lacking(*alike)) or "; correct the titles and import it again"
            without.append((table, NO_HEADER + correct))
    if sheets:
        problems = [one_line(f"sheet {table.name}: {why}") for table, why in without]
        return OpenFile(tuple(sheets), problems, hidden)
    passed_over = f" (hidden sheets passed over: {', '.join(hidden)})" if hidden else ""
    if without:
        raise problem(path, without[0][1] + passed_over)
    if hidden:
        raise problem(
            path, f"only hidden sheets have content; unhide one, or name it with --sheet{passed_over}"
        )
    raise problem(path, "it has no content; ask for it again")


def _lacking(row: int, layout: Layout) -> str:
    """The line that would make a header of the row that is most like one; "" if titles are not what it
    lacks."""
    column = next((column for column in (NAME, PHONE) if column not in layout.columns), None)
    likely = likely_title(layout.titles[at] for at in layout.left_over())
    if column is None or likely is None:
        return ""
    table = layout.known.table or "columns.KIND"
    return f"; is {likely!r} in row {row} the {column}? Then {mapping_line(table, likely, column)}"
