"""Streams the records of a CSV file and detects misplaced quotation marks."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple, TextIO

from syncctl.errors import FileProblemError
from syncctl.files.cells import EPOCH_1900, Record, clean_row
from syncctl.files.limits import Position, file_errors, problem

LONGEST_LINE = 1 << 20
"""Characters; real rows are far shorter, and a file without line ends would be read as a whole."""

LONGEST_RECORD = 100
"""Lines; no remark is this long, but an unclosed quotation mark swallows everything that follows."""

SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?[\r\n]*', re.IGNORECASE)
_PHONE = re.compile(r"[0-9]{7}")


class CsvTable(NamedTuple):
    """A CSV file with a given encoding and delimiter. It is one sheet without a name."""

    path: Path
    encoding: str
    delimiter: str
    position: Position
    name: str = ""
    epoch: date = EPOCH_1900
    is_hidden: bool = False

    def open(self) -> TextIO:
        """The file as text; undecodable bytes become U+FFFD."""
        return self.path.open(encoding=self.encoding, errors="replace", newline="")

    def records(self, width: int = 0) -> Iterator[Record]:
        """The file's records, from its start; a `sep=` line doesn't count. `width`: how many columns it has,
        where that is known. Raises FileProblemError: it can't be read; a quotation mark is opened and not
        closed; a value is longer than csv.field_size_limit(): 131,072 characters, four times what a cell of
        Excel can hold."""
        with file_errors(self.path), self.open() as stream:
            self.position.follow(stream)
            lines = _Lines(self.path, stream)
            reader = csv.reader(lines, delimiter=self.delimiter)
            number = 0
            try:
                for values in reader:
                    number += 1
                    if len(lines.pending) > 1:
                        self._check_quotes(lines, values, width)
                    lines.pending.clear()
                    yield number, clean_row(values)
            except csv.Error as error:
                raise lines.mistake("a value there is far too long") from error

    def _check_quotes(self, lines: _Lines, values: list[str], width: int) -> None:
        """Accept a record of several lines only if its quotation marks are closed properly and no line within
        a value is itself a row with a phone number.

        Records of one line are read leniently: `6" wide` stays as written.
        """
        try:
            for _ in csv.reader(lines.pending, delimiter=self.delimiter, strict=True):
                pass
        except csv.Error as error:
            raise lines.mistake("a quotation mark is opened there and not closed properly") from error
        for value in values:
            for line in value.splitlines()[1:] if width > 2 else ():
                if line.count(self.delimiter) >= width - 1 and _PHONE.search(line):
                    raise lines.mistake("a quotation mark is opened there that takes in the rows below it")


class _Lines:
    """The lines of a text for csv.reader; `pending` are those of the current record."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        self.pending: list[str] = []
        self._path = path
        self._count = 0
        self._lines = self._read(stream)

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def _read(self, stream: TextIO) -> Iterator[str]:
        while line := stream.readline(LONGEST_LINE):
            self._count += 1
            if self._count == 1 and SEPARATOR_LINE.fullmatch(line):
                continue
            if "\0" in line:  # padding of an incomplete copy
                line = line.replace("\0", "")
                if not line:
                    continue
            self.pending.append(line)
            if len(line) == LONGEST_LINE:
                raise self.mistake("that line is far too long for a CSV file")
            if len(self.pending) > LONGEST_RECORD:
                raise self.mistake("a quotation mark is opened there and not closed")
            yield line

    def mistake(self, what: str) -> FileProblemError:
        """An error about the place where the current record begins."""
        first = self._count - len(self.pending) + 1
        return problem(self._path, f"line {first}: {what}; correct that line and import the file again")
