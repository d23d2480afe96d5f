"""Writes tables of texts for spreadsheets: as CSV, or as a workbook with the optional XlsxWriter."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Protocol

from syncctl.errors import UsageError

if TYPE_CHECKING:
    from xlsxwriter import Workbook

LONGEST_CELL = 32_767
"""Characters that a cell of Excel holds."""

LONGEST_SHEET_NAME = 31

WIDEST_COLUMN = 40
LINES_MEASURED = 200
"""The first lines, by which the widths of the columns are chosen."""

_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class TextTable(Protocol):
    """A table whose cells are safe texts."""

    @property
    def name(self) -> str: ...
    @property
    def titles(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Sequence[Sequence[str]]: ...


def write_csv(
    titles: Sequence[str], rows: Iterable[Iterable[str]], out: BinaryIO, *, encoding: str = "utf-8-sig"
) -> None:
    """Write a table of safe texts as CSV; with a BOM, as spreadsheets need it, and without what no cell
    shows. `out` stays open. Raises OSError."""
    text = TextIOWrapper(out, encoding=encoding, errors="replace", newline="")
    csv.writer(text).writerow(map(_shown, titles))
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(map(_shown, row) for row in rows)
    text.flush()
    text.detach()


def _shown(cell: str) -> str:
    return _NOT_IN_XML.sub("", cell)


def check_workbooks_can_be_written() -> None:
    """Raises UsageError, which says what to install, where XlsxWriter is missing."""
    try:
        import xlsxwriter  # noqa: F401 - only whether it is there
    except ImportError:
        raise UsageError(
            "A workbook needs XlsxWriter, which is not installed.",
            hint=f"Install it with `{sys.executable} -m pip install XlsxWriter`, or name a .csv file.",
        ) from None


@contextmanager
def workbook_in(out: BinaryIO) -> Iterator[Workbook]:
    """A workbook to fill row by row, in files of its own: all rows need not fit into memory. Raises
    OSError."""
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    with TemporaryDirectory(prefix="syncctl-") as folder:
        workbook = Workbook(out, {"constant_memory": True, "tmpdir": folder})
        yield workbook
        try:
            workbook.close()
        except FileCreateError as error:
            raise (error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error))) from None


def write_workbook(tables: Sequence[TextTable], out: BinaryIO) -> None:
    """Write them as the sheets of a workbook. Needs XlsxWriter. Raises OSError.

    All cells are texts and are formatted so: what is typed into them stays as it is typed.
    """
    with workbook_in(out) as workbook:
        as_text = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"num_format": "@", "bold": True})
        for table in tables:
            sheet = workbook.add_worksheet(_NOT_IN_SHEET_NAMES.sub(" ", table.name)[:LONGEST_SHEET_NAME])
            sheet.freeze_panes(1, 0)
            for column, title in enumerate(table.titles):
                longest = max([len(title), *(len(row[column]) for row in table.rows[:LINES_MEASURED])])
                sheet.set_column(column, column, min(WIDEST_COLUMN, longest + 2), as_text)
                sheet.write_string(0, column, in_a_cell(title), bold)
            for number, row in enumerate(table.rows, start=1):
                for column, cell in enumerate(row):
                    if cell:
                        sheet.write_string(number, column, in_a_cell(cell), as_text)
            sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.titles) - 1)


def in_a_cell(written: str) -> str:
    """What of a text a cell can hold: without control characters, and cut to Excel's limit."""
    return _shown(written)[:LONGEST_CELL]
