"""What the workbook library doesn't tell of an .xlsx file: its epoch, formulas never evaluated, errors."""

from __future__ import annotations

import posixpath
import re
from io import BytesIO
from typing import IO
from zipfile import ZipFile

from syncctl.files.xlsx_xml import (
    RelationsXml,
    SheetXml,
    UnreportedCells,
    WorkbookXml,
)

MOST_UNPACKED = 500 * 1024 * 1024
"""Bytes of all parts of a workbook together; more is a zip bomb, or no list of customers."""

_WORKBOOK_PART = re.compile(r"xl/workbook\w*\.xml")
_FORMULA_OR_ERROR = re.compile(rb"""[<:]f[\s/>]|\st\s*=\s*["']e["']""")
_ERROR = re.compile(rb">#[A-Z_]+!?<")
_LONGEST_MENTION = 16
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

    def with_known_errors(self, part: str) -> IO[bytes]:
        """A copy of the archive in which errors of a sheet are #N/A: with one that newer programs alone know,
        such as #SPILL!, the library reads nothing of the sheet."""
        copy = BytesIO()
        with ZipFile(copy, "w") as archive:
            for name in self._archive.namelist():
                content = self._archive.read(name)
                own = name == self._parts[part.casefold()]
                archive.writestr(name, _ERROR.sub(rb">#N/A<", content) if own else content)
        copy.seek(0)
        return copy

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
