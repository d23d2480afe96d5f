"""What the workbook library doesn't tell of an .xlsx file: its epoch, formulas never evaluated, errors, cells
that it can't read."""

from __future__ import annotations

import posixpath
import re
from io import BytesIO
from typing import IO
from zipfile import ZipFile

from syncctl.files.xlsx_xml import (
    RelationsXml,
    SheetXml,
    StringsXml,
    UnreadableCellsXml,
    UnreportedCells,
    WorkbookXml,
)

MOST_UNPACKED = 500 * 1024 * 1024
"""Bytes of all parts of a workbook together; more is a zip bomb, or no list of customers."""

_WORKBOOK_PART = re.compile(r"xl/workbook\w*\.xml")
_FORMULA_OR_ERROR = re.compile(rb"""[<:]f[\s/>]|\st\s*=\s*["']e["']""")
_LONGEST_MENTION = 16
_STRINGS_PART = "xl/sharedstrings.xml"
_CHUNK = 1 << 20


class Xlsx:
    """An .xlsx archive. Errors of zipfile, zlib and expat leave it: the worker knows what they mean.

    `is_workbook`, `too_large`: whether it is one at all; whether it is more than should be unpacked.
    """

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        # Excel and the library find parts whatever their case, and with the backslashes that .NET once wrote.
        self._parts = {name.replace("\\", "/").casefold(): name for name in archive.namelist()}
        self._workbook = next(filter(_WORKBOOK_PART.fullmatch, self._parts), None)
        self.is_workbook = self._workbook is not None
        self.too_large = sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED

    def facts(self) -> tuple[bool, dict[str, str]]:
        """Whether the workbook counts days from 1904, and the part that each sheet is in, by its name."""
        if self._workbook is None:
            return False, {}
        book = WorkbookXml()
        with self._open(self._workbook) as stream:
            book.parse(stream)
        folder, name = posixpath.split(self._workbook)
        relations = RelationsXml()
        with self._open(f"{folder}/_rels/{name}.rels") as stream:
            relations.parse(stream)
        parts = {
            sheet: posixpath.normpath(posixpath.join("/", folder, relations.targets[relation])).lstrip("/")
            for sheet, relation in book.sheets
            if relation in relations.targets
        }
        return book.date1904, parts

    def unreported(self, part: str) -> UnreportedCells:
        """The errors of a sheet, and its formulas that nothing has evaluated: programs that write workbooks
        leave them so, a remark that begins with `=` among them."""
        sheet = SheetXml()
        with self._open(part) as stream:
            mentioned = _mentions_any(stream)
        if mentioned:
            with self._open(part) as stream:
                sheet.parse(stream)
        return sheet.unreported

    def without_unreadable(self, part: str) -> tuple[IO[bytes], list[tuple[int, int]]]:
        """A copy of the archive in which those cells of a sheet are empty that the library can't read, and
        where these stand (row and column from 0)."""
        strings = StringsXml()
        if _STRINGS_PART in self._parts:
            with self._open(_STRINGS_PART) as stream:
                strings.parse(stream)
        with self._open(part) as stream:
            content = stream.read()
        sheet = UnreadableCellsXml(strings.count, content)
        sheet.parse(BytesIO(content))
        copy = BytesIO()
        with ZipFile(copy, "w") as archive:
            for name in self._archive.namelist():
                own = name == self._parts[part.casefold()]
                archive.writestr(name, sheet.rest() if own else self._archive.read(name))
        copy.seek(0)
        return copy, sheet.cells

    def _open(self, part: str) -> IO[bytes]:
        return self._archive.open(self._parts[part.casefold()])


def _mentions_any(stream: IO[bytes]) -> bool:
    """Whether there may be formulas or errors: twenty times quicker than parsing."""
    before = b""
    while chunk := stream.read(_CHUNK):
        if _FORMULA_OR_ERROR.search(before + chunk):
            return True
        before = (before + chunk)[-_LONGEST_MENTION:]
    return False
