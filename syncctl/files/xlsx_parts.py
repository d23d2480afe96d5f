"""What the workbook library doesn't tell of an .xlsx file: its epoch, formulas never evaluated, errors, cells
that it can't read."""

from __future__ import annotations

import posixpath
import re
from io import BytesIO
from typing import IO, TypeAlias
from xml.parsers import expat
from zipfile import ZipFile

from syncctl.errors import FileProblemError
from syncctl.files.limits import (
    LONGEST_CELL,
    MOST_COLUMNS,
    MOST_SHEETS,
    TOO_LONG_A_CELL,
    TOO_MANY_SHEETS,
    too_wide_problem,
)
from syncctl.parsing.values import is_error

MOST_UNPACKED = 500 * 1024 * 1024
"""Bytes of all parts of a workbook together; more is a zip bomb, or no list of customers."""

Untold: TypeAlias = dict[int, dict[int, str]]
"""Row -> column -> the text of a cell that the library gives as an empty one, both from 0."""

_WORKBOOK_PART = re.compile(r"xl/workbook\w*\.xml")
_FORMULA_OR_ERROR = re.compile(rb"""[<:]f[\s/>]|\st\s*=\s*["']e["']""")
_LONGEST_MENTION = 16
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_KNOWN_ERRORS = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
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
        book = _Workbook()
        with self._open(self._workbook) as stream:
            book.parse(stream)
        folder, name = posixpath.split(self._workbook)
        relations = _Relations()
        with self._open(f"{folder}/_rels/{name}.rels") as stream:
            relations.parse(stream)
        parts = {
            sheet: posixpath.normpath(posixpath.join("/", folder, relations.targets[relation])).lstrip("/")
            for sheet, relation in book.sheets
            if relation in relations.targets
        }
        return book.date1904, parts

    def unreported(self, part: str) -> Untold:
        """The errors of a sheet, and its formulas that nothing has evaluated: programs that write workbooks
        leave them so, a remark that begins with `=` among them."""
        sheet = _Sheet()
        with self._open(part) as stream:
            mentioned = _mentions_any(stream)
        if mentioned:
            with self._open(part) as stream:
                sheet.parse(stream)
        return sheet.unreported

    def without_unreadable(self, part: str) -> tuple[IO[bytes], list[tuple[int, int]]]:
        """A copy of the archive in which those cells of a sheet are empty that the library can't read, and
        where these stand (row and column from 0)."""
        strings = _Strings()
        if _STRINGS_PART in self._parts:
            with self._open(_STRINGS_PART) as stream:
                strings.parse(stream)
        with self._open(part) as stream:
            content = stream.read()
        sheet = _Unreadable(strings.count, content)
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


class _Elements:
    """A parser's events by local names: prefixes differ between programs. expat bounds what entities do."""

    def parse(self, stream: IO[bytes]) -> None:
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: self.start(name.rpartition(":")[2], attributes)
        parser.EndElementHandler = lambda name: self.end(name.rpartition(":")[2])
        parser.CharacterDataHandler = self.text
        parser.ParseFile(stream)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text within the element that began last, or after one that ended."""


class _Workbook(_Elements):
    """xl/workbook.xml (ECMA-376 part 1, 18.2)."""

    def __init__(self) -> None:
        self.date1904 = False
        self.sheets: list[tuple[str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self.date1904 = attributes.get("date1904", "0") in ("1", "true", "on")
        elif name == "sheet":
            if len(self.sheets) == MOST_SHEETS:
                raise FileProblemError(TOO_MANY_SHEETS)
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.sheets.append((attributes.get("name", ""), relation))


class _Relations(_Elements):
    """xl/_rels/workbook.xml.rels (ECMA-376 part 2, 9.3)."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _Sheet(_Elements):
    """A sheet's cells (ECMA-376 part 1, 18.3.1): errors, and those with a formula that has no value. One that
    gave "" has the type `str` and a `v` element, empty as that may be.

    A cell that shares another's formula has the text of that one: which cells it refers to is not worked out.
    """

    def __init__(self) -> None:
        self.unreported: Untold = {}
        self._shared: dict[str, str] = {}
        self._row = self._column = -1
        self._type = "n"
        self._share = ""
        self._text: dict[str, str] = {}
        self._within = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._within = name
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif name == "c":
            self._column += 1
            if cell := _CELL.fullmatch(attributes.get("r", "")):
                self._row, self._column = int(cell[2]) - 1, _position(cell[1])
            self._type = attributes.get("t", "n")
            self._text = {}
        elif name == "f":
            self._share = attributes.get("si", "") if attributes.get("t") == "shared" else ""
            self._text["f"] = ""
        elif name == "v":
            self._text["v"] = ""

    def text(self, text: str) -> None:
        if self._within in ("f", "v"):
            self._text[self._within] = self._text.get(self._within, "") + text
            if len(self._text[self._within]) > LONGEST_CELL:
                raise FileProblemError(TOO_LONG_A_CELL)

    def end(self, name: str) -> None:
        self._within = ""
        if name == "f" and self._share:
            own = self._text.get("f") or self._shared.get(self._share, "")
            self._text["f"] = self._shared[self._share] = own
        if name == "c" and (found := self._found()):
            if self._column >= MOST_COLUMNS:
                raise FileProblemError(too_wide_problem(self._row + 1, self._column))
            self.unreported.setdefault(self._row, {})[self._column] = found

    def _found(self) -> str | None:
        """What the cell that ends here has and the library gives as nothing."""
        value = self._text.get("v")
        if value and self._type == "e":
            return value
        has_value = value is not None and (value or self._type == "str")
        return None if has_value or not self._text.get("f") else "=" + self._text["f"]


class _Strings(_Elements):
    """xl/sharedStrings.xml (ECMA-376 part 1, 18.4): how many there are."""

    def __init__(self) -> None:
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += name == "si"


class _Unreadable(_Elements):
    """A sheet's cells whose value isn't of the type that they say (ECMA-376 part 1, 18.18.11): `cells`, but
    for the errors of formulas, which can be shown as they are."""

    def __init__(self, strings: int, content: bytes) -> None:
        self.cells: list[tuple[int, int]] = []
        self._strings = strings
        self._content = content
        self._emptied: list[tuple[int, int, bytes]] = []
        self._row = self._column = -1
        self._type = self._value = self._within = self._reference = ""
        self._begin = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._within = name
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif name == "c":
            self._column += 1
            self._reference = attributes.get("r", "")
            if cell := _CELL.fullmatch(self._reference):
                self._row, self._column = int(cell[2]) - 1, _position(cell[1])
            self._type, self._value = attributes.get("t", ""), ""
            self._begin = self.parser.CurrentByteIndex

    def text(self, text: str) -> None:
        if self._within == "v":
            self._value += text

    def end(self, name: str) -> None:
        self._within = ""
        if name == "c" and self._value and not self._is_readable():
            end_tag = self.parser.CurrentByteIndex
            end = self._content.index(b">", end_tag) + 1
            # It stays in its place: the cells that follow may not tell theirs.
            emptied = b"<" + self._content[end_tag + 2 : end - 1].strip()
            if self._reference:
                emptied += f' r="{self._reference}"'.encode()
            self._emptied.append((self._begin, end, emptied + b"/>"))
            if not (self._type == "e" and is_error(self._value)):
                self.cells.append((self._row, self._column))

    def _is_readable(self) -> bool:
        match self._type:
            case "s":
                return self._value.isdecimal() and int(self._value) < self._strings
            case "b":
                return self._value in ("0", "1")
            case "e":
                return self._value in _KNOWN_ERRORS
            case "n":
                return _NUMBER.fullmatch(self._value) is not None
            case other:
                return other in ("", "str", "inlineStr", "d")

    def rest(self) -> bytes:
        """The sheet with these cells emptied."""
        pieces, at = [], 0
        for begin, end, emptied in self._emptied:
            pieces += [self._content[at:begin], emptied]
            at = end
        return b"".join([*pieces, self._content[at:]])


def _position(letters: str) -> int:
    """A column's position, from 0, by its letters."""
    position = 0
    for letter in letters.upper():
        position = position * 26 + ord(letter) - ord("A") + 1
    return position - 1
