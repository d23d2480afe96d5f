"""Detects a CSV file's encoding and delimiter."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from syncctl.errors import FileProblemError
from syncctl.files.cells import Cell
from syncctl.files.csv_records import SEPARATOR_LINE, CsvTable
from syncctl.files.headers import HEADER_SEARCH_ROWS, Layout, Titles
from syncctl.files.limits import Position, file_errors, problem
from syncctl.files.rows import not_blank

_FIRST_BYTES = 8192
"""Bytes inspected for a byte order mark, and for UTF-16 without one."""

_CHUNK = 1 << 16
_LETTER = re.compile("[^\x00-\x7f\ud800-\udfff]")
_STRAY = re.compile("[\udc80-\udcff]+")


def encoding_of(file: IO[bytes]) -> str:
    """The encoding of a text file: UTF-8 or UTF-16 (with or without a byte order mark), else Windows-1252,
    which accepts any bytes. UTF-8 with a few stray bytes counts as UTF-8.

    The whole file is read, in bounded memory: the first telling character may be anywhere.
    """
    head = file.read(_FIRST_BYTES)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if wide := _wide(head):
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    letters = strays = 0
    while head:
        text = decoder.decode(head)
        head = file.read(_CHUNK)
        if text.isascii():
            continue
        letters, strays = letters + len(_LETTER.findall(text)), strays + len(_STRAY.findall(text))
    strays += len(_STRAY.findall(decoder.decode(b"", final=True)))
    # By chance, bytes of Windows-1252 are hardly ever a letter of UTF-8, let alone as often as they are not.
    return "cp1252" if strays > letters else "utf-8"


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: every other byte of its digits, delimiters and Latin letters is 0."""
    pairs = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if pairs and odd * 3 >= pairs and even * 10 < odd:
        return "utf-16-le"
    if pairs and even * 3 >= pairs and odd * 10 < even:
        return "utf-16-be"
    return None


DELIMITERS = (",", ";", "\t")
"""contract/files.md"""

HEAD = 4096
"""Characters inspected to detect the kind of text."""

_MARKUP = re.compile(r"\s*<(?:!doctype|!--|\?xml|html|head|body|meta|style|table|div)\b", re.IGNORECASE)
_NOT_IN_TEXT = re.compile("[\x01-\x08\x0e-\x19\x1b-\x1f]")
_MOST_CONTROLS = 0.02
_NO_HEADER = (0, 0)


ColumnsIn = Callable[[Sequence[Cell]], tuple[int, int]]
"""How many columns a row has as the header of a table, and otherwise how many known titles it has."""


def columns_by(known: Titles) -> ColumnsIn:
    """As the header of a store's file with these titles."""

    def columns_in(cells: Sequence[Cell]) -> tuple[int, int]:
        layout = Layout.recognise(cells, known)
        return (len(layout.columns), 0) if layout else (0, len(known.columns_of(cells)))

    return columns_in


def detect(path: Path, columns_in: ColumnsIn, position: Position) -> CsvTable:
    """The CSV table in this file. `position`: is updated as it is read.

    A first line `sep=;` names the delimiter, as in Excel. Otherwise it is the delimiter that recognizes the
    most header columns, then the one with the most rows of that width. Raises FileProblemError: it can't be
    read, is not text, is a web page, or has an error before its header.
    """
    with file_errors(path):
        with path.open("rb") as file:
            table = CsvTable(path, encoding_of(file), DELIMITERS[0], position)
        with table.open() as text:
            head = text.read(HEAD)
    if _MARKUP.match(head):
        what = "it is a web page or XML with a spreadsheet's name"
        raise problem(path, f"{what}; open it in Excel, save it as .xlsx and import that")
    if len(_NOT_IN_TEXT.findall(head)) > _MOST_CONTROLS * len(head):
        raise problem(path, "it is neither a workbook nor CSV text; save it as .xlsx or .csv and import that")
    if named := SEPARATOR_LINE.fullmatch(head.partition("\n")[0]):
        return table._replace(delimiter=named[1])
    return _best([table._replace(delimiter=delimiter) for delimiter in DELIMITERS], columns_in)


def _best(tables: list[CsvTable], columns_in: ColumnsIn) -> CsvTable:
    mistakes: list[FileProblemError] = []
    scores = [_score(table, columns_in, mistakes) for table in tables]
    best = max(scores)
    if best[:2] == _NO_HEADER and mistakes:
        raise mistakes[0]
    return tables[scores.index(best)]


def _score(table: CsvTable, columns_in: ColumnsIn, mistakes: list[FileProblemError]) -> tuple[int, int, int]:
    """How many header columns are recognized, how many of the first rows have the same width, and if there is
    no header, how many titles in the row with the most; errors of this reading are added to `mistakes`."""
    columns = width = same = nearest = 0
    records = islice(not_blank(table.records()), HEADER_SEARCH_ROWS)
    try:
        for _, cells in records:
            if columns:
                same += len(cells) == width
            else:
                columns, titles = columns_in(cells)
                width, nearest = len(cells), max(nearest, titles)
    except FileProblemError as mistake:
        mistakes.append(mistake)
    return columns, same, nearest
