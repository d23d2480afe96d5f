"""The XML of a workbook's parts, parsed for what the workbook library doesn't report."""

from __future__ import annotations

import re
from typing import IO, TypeAlias
from xml.parsers import expat

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

UnreportedCells: TypeAlias = dict[int, dict[int, str]]
"""Row -> column -> the text of a cell that the library gives as an empty one, both from 0."""

_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_KNOWN_ERRORS = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))


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


class WorkbookXml(_Elements):
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


class RelationsXml(_Elements):
    """xl/_rels/workbook.xml.rels (ECMA-376 part 2, 9.3)."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _Cells(_Elements):
    """A sheet's elements (ECMA-376 part 1, 18.3.1), and the cell that they are in, from 0."""

    def __init__(self) -> None:
        self._row = self._column = -1
        self._reference = self._within = ""

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


class SheetXml(_Cells):
    """A sheet's cells (ECMA-376 part 1, 18.3.1): errors, and those with a formula that has no value. One that
    gave "" has the type `str` and a `v` element, empty as that may be.

    A cell that shares another's formula has the text of that one: which cells it refers to is not worked out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unreported: UnreportedCells = {}
        self._shared: dict[str, str] = {}
        self._type = "n"
        self._share = ""
        self._text: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "c":
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


class StringsXml(_Elements):
    """xl/sharedStrings.xml (ECMA-376 part 1, 18.4): how many there are."""

    def __init__(self) -> None:
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += name == "si"


class UnreadableCellsXml(_Cells):
    """A sheet's cells whose value isn't of the type that they say (ECMA-376 part 1, 18.18.11): `cells`, but
    for the errors of formulas, which can be shown as they are."""

    def __init__(self, strings: int, content: bytes) -> None:
        super().__init__()
        self.cells: list[tuple[int, int]] = []
        self._strings = strings
        self._content = content
        self._emptied: list[tuple[int, int, bytes]] = []
        self._type = self._value = ""
        self._begin = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "c":
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
            # It stays in its place: the cells that follow may not say theirs.
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
