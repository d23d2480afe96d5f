"""One connection to a SQLite file: opened at first use, with SQLite's errors translated."""

import math
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from syncctl.errors import StorageError
from syncctl.ports.waiting import DatabaseWait, waiting
from syncctl.storage.common.clock import seconds_until, utc_now
from syncctl.storage.common.own_documents import OwnDocuments
from syncctl.storage.sqlite.connection import open_connection, transaction, translated
from syncctl.storage.sqlite.rows import own_document
from syncctl.storage.sqlite.schema import check_version, migrate

SLICE, SMALLEST_ROWID = 1000, -(2**63) + 1

_BUSY = "another program to finish writing to the SQLite database"


class SqliteSession:
    """The lead database in the file `path`, or in memory (None) for as long as this object lives.

    Opened at first use; file and folder are made where missing. Other processes' locks are waited for
    `busy_timeout_s` seconds. With `read_only` nothing is made and every write raises StorageError. One in
    memory `stands_for` a file that is not there yet, in what it says of itself. To be used by one thread.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        read_only: bool = False,
        busy_timeout_s: float = 30.0,
        now: Callable[[], datetime] = utc_now,
        stands_for: Path | None = None,
    ) -> None:
        self._path = path
        self._stands_for = stands_for
        self._place = f"The SQLite database {path or stands_for or 'in memory'}"
        self._read_only = read_only
        self._busy_timeout_s = busy_timeout_s
        self._now = now
        self._own = OwnDocuments(own_document)
        self._connection: sqlite3.Connection | None = None
        self._deadline = math.inf
        self._wait_s = busy_timeout_s

    def prepare(self) -> None:
        """Make or upgrade the tables; only look at a file's version with `read_only`."""
        with self._reading() as connection:
            if self._read_only and self._path is not None:
                check_version(connection, self._place)
            else:
                migrate(connection, self._place)

    def is_empty(self) -> bool:
        """Whether there is no such file yet, or none of syncctl's tables in it. Makes neither."""
        with translated(self._place):
            if self._path is not None and self._connection is None:
                try:
                    os.stat(self._path)
                except FileNotFoundError:
                    return True
        with self._reading() as connection:
            return check_version(connection, self._place) == 0

    def set_deadline(self, deadline: float) -> None:
        self._deadline = deadline

    def close(self) -> None:
        if self._connection is not None:
            with translated(self._place):
                self._connection.close()
            self._connection = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with translated(self._place):
            wait_s = min(self._busy_timeout_s, seconds_until(self._deadline))
            if self._connection is None:
                self._connection = open_connection(
                    self._path, read_only=self._read_only, busy_timeout_s=wait_s
                )
            elif wait_s != self._wait_s:
                self._connection.execute(f"PRAGMA busy_timeout = {round(wait_s * 1000)}")
            self._wait_s = wait_s
            yield self._connection

    @contextmanager
    def _found(self, query: str, wanted: Sequence[Any] | Mapping[str, Any] = ()) -> Iterator[sqlite3.Cursor]:
        """What the query finds, to be read bit by bit. A reader that is never read to its end, as its run was
        interrupted, may be let go of after the connection was closed, and its cursor with it."""
        with self._reading() as connection:
            cursor = connection.execute(query, wanted)
            try:
                yield cursor
            finally:
                if self._connection is connection:
                    cursor.close()

    def _slices(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rows behind a rowid, which is the last column. Their texts are read strictly, in half the
        time, up to the first that is not UTF-8."""
        last, strictly = SMALLEST_ROWID - 1, True
        while True:
            with self._found(query, (last,)) as cursor:
                cursor.row_factory = None
                try:
                    while found := self._next_rows(cursor, strictly=strictly):
                        yield found
                        last = found[-1][-1]
                except sqlite3.OperationalError:
                    if not strictly:
                        raise
                    strictly = False
                else:
                    return

    def _next_rows(self, cursor: sqlite3.Cursor, *, strictly: bool) -> list[tuple[Any, ...]]:
        if not strictly:
            return cursor.fetchmany(SLICE)
        with _strict_texts(cursor.connection):
            return cursor.fetchmany(SLICE)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._read_only:
            raise StorageError(f"{self._place} was opened for reading only.")
        with self._reading() as connection, ExitStack() as ends:
            with waiting(DatabaseWait(_BUSY, self._wait_s)):
                ends.enter_context(transaction(connection))
            yield connection


def read_all(connection: sqlite3.Connection, find: Callable[[], sqlite3.Cursor]) -> list[Any]:
    """All rows that `find` finds. Texts are read strictly, which is faster, unless one is not UTF-8."""
    try:
        with _strict_texts(connection):
            return find().fetchall()
    except sqlite3.OperationalError:
        return find().fetchall()


@contextmanager
def _strict_texts(connection: sqlite3.Connection) -> Iterator[None]:
    tolerant, connection.text_factory = connection.text_factory, str
    try:
        yield
    finally:
        connection.text_factory = tolerant
