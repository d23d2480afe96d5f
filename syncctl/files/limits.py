"""What is wrong with a file, limits on its size and cost by its content, and how far it has been read."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TextIO

from syncctl.errors import FileProblemError
from syncctl.files.cells import Record
from syncctl.files.headers import column_letters


def problem(path: Path, what: str) -> FileProblemError:
    """The error for a file; `what` says what is wrong and what to do."""
    return FileProblemError(one_line(f"{path.name or path}: {what}"))


def one_line(text: str) -> str:
    """The text on one line, whatever file and sheet names it contains."""
    return "".join(char if char.isprintable() else "?" for char in text)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turns OS errors about a file into FileProblemError."""
    try:
        yield
    except FileNotFoundError as error:
        raise problem(path, "there is no such file; check its name") from error
    except PermissionError as error:
        raise problem(path, "this user isn't allowed to read it; change its permissions (chmod)") from error
    except OSError as error:
        raise problem(path, f"it can't be read: {error.strerror or error}") from error


MOST_SHEETS = 100
MOST_COLUMNS = 256
MOST_ROWS = 1_048_576
"""For all sheets of a file; one Excel sheet can have as many."""

MOST_CELLS = 32 * MOST_ROWS
"""For all sheets of a file, including blank cells."""

LONGEST_CELL = 131_072
"""Characters: four times what a cell of Excel can hold."""

MOST_CHARACTERS, MOST_CHARACTERS_PER_BYTE = 16 << 20, 100
"""Of all cells: the allowance for any file, and per byte of it, as a workbook is compressed and stores
each text once."""

LONGEST_READING_S = 30 * 60
"""Wall-clock seconds for one file; the largest take two minutes."""

CHECK_EVERY_ROWS = 1000

TOO_MANY_SHEETS = f"it has more than {MOST_SHEETS} sheets; divide it and import the pieces"
TOO_MANY_ROWS = f"it has more than {MOST_ROWS:,} rows; divide it and import the pieces"
TOO_MANY_CELLS = f"it has more than {MOST_CELLS:,} cells; divide it and import the pieces"
TOO_LONG_A_CELL = f"a cell holds more than {LONGEST_CELL:,} characters; shorten it and import the file again"
TOO_MUCH_TEXT = "it holds far more text than a file of its size should; divide it and import the pieces"
TOO_SLOW = f"reading it takes longer than {LONGEST_READING_S // 60} minutes; divide it and import the pieces"


def too_wide_problem(row: int, column: int) -> str:
    """The problem of a cell right of the columns that are read; `row` from 1, `column` from 0."""
    return (
        f"something is written in {column_letters(column)}{row}, and only {MOST_COLUMNS} columns are read; "
        "delete what is right of the table and import it again"
    )


def first_cell_too_far_right(cells: Sequence[object]) -> int | None:
    """The index (from 0) of the first non-empty cell right of the columns that are read."""
    right = range(MOST_COLUMNS, len(cells))
    return next((position for position in right if cells[position] not in (None, "")), None)


class LimitChecker:
    """Counts what is read of one file, over all its sheets."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._until = clock() + LONGEST_READING_S
        self._rows = self._cells = 0

    def records(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, without blank cells right of the columns that are read. Raises FileProblemError: the
        file exceeds a limit."""
        for number, cells in records:
            if len(cells) > MOST_COLUMNS:
                if (position := first_cell_too_far_right(cells)) is not None:
                    raise problem(self._path, too_wide_problem(number, position))
                del cells[MOST_COLUMNS:]
            self._rows += 1
            self._cells += len(cells)
            is_checked = self._rows % CHECK_EVERY_ROWS == 0
            if is_checked or self._cells > MOST_CELLS or self._rows > MOST_ROWS:
                self._check()
            yield number, cells

    def _check(self) -> None:
        if self._rows > MOST_ROWS:
            raise problem(self._path, TOO_MANY_ROWS)
        if self._cells > MOST_CELLS:
            raise problem(self._path, TOO_MANY_CELLS)
        if self._clock() > self._until:
            raise problem(self._path, TOO_SLOW)


class Position:
    """Bytes read of a file, looked up only when somebody asks; of a workbook, in proportion to its rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: weakref.ref[TextIO] | None = None  # whoever reads it closes it
        self._share = 0.0

    @cached_property
    def _size(self) -> int:
        return self._path.stat().st_size

    def follow(self, stream: TextIO) -> None:
        """From now on as far as this stream has been read."""
        self._stream = weakref.ref(stream)

    def reach(self, share: float) -> None:
        """This share of the file has been read, from 0 to 1."""
        self._share = share

    @property
    def bytes_read(self) -> int:
        """So far."""
        if self._stream is None:
            return int(self._share * self._size)
        stream = self._stream()
        return self._size if stream is None or stream.closed else min(stream.buffer.tell(), self._size)
