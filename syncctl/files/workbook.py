"""A workbook's sheets, read by a worker process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import syncctl
from syncctl.files.cells import EPOCH_1900, EPOCH_1904, Record, clean_row
from syncctl.files.headers import HEADER_SEARCH_ROWS
from syncctl.files.limits import (
    LONGEST_READING_S,
    MOST_CHARACTERS,
    MOST_CHARACTERS_PER_BYTE,
    TOO_MUCH_TEXT,
    TOO_SLOW,
    Position,
    file_errors,
    problem,
)
from syncctl.files.protocol import DAMAGED, NOT_STARTED, TOO_SPREAD, Batch, Facts, Reply, Request
from syncctl.ports.stop import Stop

BATCH = 1000
"""Rows per request, after a small first one that is enough to find the header."""

_START = "import sys; sys.path.append(sys.argv.pop(1)); from syncctl.files.worker import main; main()"
_OUT_OF_LIMITS = (-signal.SIGABRT, -signal.SIGXCPU, -signal.SIGKILL)


class Place(NamedTuple):
    """A sheet's place in its workbook; sheets count as equally long: lengths are unknown until read."""

    position: Position
    sheet: int
    """Its number, from 0."""

    of: int

    def reach(self, row: int, height: int) -> None:
        """This row of the sheet's rows has been read."""
        self.position.reach((self.sheet + min(row / max(height, 1), 1.0)) / self.of)


@dataclass(frozen=True, slots=True)
class WorkbookTable:
    """One sheet of an open workbook."""

    name: str
    epoch: date
    is_hidden: bool
    _reader: _Reader
    _place: Place

    def records(self, width: int = 0) -> Iterator[Record]:
        """The sheet's rows that aren't blank, from its start. Raises FileProblemError: the workbook turns out
        to be broken here."""
        seen, count = 0, HEADER_SEARCH_ROWS
        while True:
            batch, height = self._reader.rows((self.name, seen, count))
            if not batch:
                return
            self._place.reach(batch[-1][0], height)
            for number, values in batch:
                yield number, clean_row(values)
            seen, count = seen + len(batch), BATCH


class _Reader:
    """This side of the connection to the worker process."""

    def __init__(
        self, path: Path, connection: Connection, process: subprocess.Popen[bytes], stop: Stop
    ) -> None:
        self._path = path
        self._connection = connection
        self._process = process
        self._stop = stop
        self._ready = False
        with file_errors(path):
            self._characters_left = MOST_CHARACTERS + MOST_CHARACTERS_PER_BYTE * path.stat().st_size
        self._until = time.monotonic() + LONGEST_READING_S

    def facts(self) -> Facts:
        """The facts that the worker sends unasked."""
        self._reply()
        self._ready = True
        facts: Facts = self._reply()
        return facts

    def rows(self, request: Request) -> tuple[Batch, int]:
        """The rows asked for, and the number of the sheet's last row."""
        try:
            self._connection.send(request)
        except OSError as error:
            raise problem(self._path, self._exit_reason()) from error
        batch, characters, height = self._reply()
        self._characters_left -= characters
        if self._characters_left < 0:
            raise problem(self._path, TOO_MUCH_TEXT)
        return batch, height

    def _reply(self) -> Any:
        try:
            if not self._connection.poll(max(0.0, self._until - time.monotonic())):
                raise problem(self._path, TOO_SLOW)
            reply: Reply = self._connection.recv()
        except (EOFError, OSError) as error:
            raise problem(self._path, self._exit_reason()) from error
        if reply[0] == "problem":
            raise problem(self._path, reply[1])
        return reply[1]

    def _exit_reason(self) -> str:
        self._stop.raise_if_requested()  # it was killed by us
        status = self._process.wait()
        if status in _OUT_OF_LIMITS:
            return TOO_SPREAD
        return DAMAGED if self._ready else NOT_STARTED


@contextmanager
def open_workbook(path: Path, position: Position, stop: Stop) -> Iterator[list[WorkbookTable]]:
    """The worksheets of an .xlsx or .xls file, in their order, to be read within the context. `position`:
    is updated as they are read.

    Raises:
        FileProblemError: it is damaged, protected with a password, too large or no workbook.
        StopRequestedError: `stop` was requested while the process was waited for.
    """
    ours, process = _start(path)
    with ours, process, stop.waking(process.kill):
        try:
            reader = _Reader(path, ours, process, stop)
            date1904, sheets = reader.facts()
            epoch = EPOCH_1904 if date1904 else EPOCH_1900
            yield [
                WorkbookTable(name, epoch, is_hidden, reader, Place(position, sheet, len(sheets)))
                for sheet, (name, is_hidden) in enumerate(sheets)
            ]
        finally:
            process.kill()


def _start(path: Path) -> tuple[Connection, subprocess.Popen[bytes]]:
    """This end of the connection, and the worker process, which has its own process group: Ctrl-C at the
    terminal is handled by the program alone."""
    package_folder = str(Path(syncctl.__file__).parents[1])
    ours, theirs = Pipe()
    with theirs:
        command = [sys.executable, "-P", "-c", _START, package_folder, str(theirs.fileno()), str(path)]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        except OSError as error:
            ours.close()
            raise problem(path, NOT_STARTED) from error
    return ours, process
