"""What an import does to each row, kept for a person to look at, and a hash by which it is known again."""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from typing import Any, Self

from syncctl.domain.row_decisions import FieldDecision, RowAction, RowDecision
from syncctl.ports.stop import Stop
from syncctl.services.imports.staging import IN_MEMORY_BYTES, temporary_file

HASH_BYTES = 8


class PreviewHash:
    """Takes the decisions as they are made, and keeps only what the hash is made of."""

    keeps_rows = False
    """Whether the rows can be looked at afterwards."""

    def __init__(self) -> None:
        self.hash = ""
        """Known at the end of the import."""
        self._rows = 0
        # A sum, so that it depends neither on the order nor on rows that were taken back.
        self._digests = 0
        self._file_start = (0, 0)

    def begin_file(self) -> None:
        """A file is being read: `drop_file` takes back what is added from now on."""
        self._file_start = (self._rows, self._digests)

    def drop_file(self) -> None:
        """The file could not be understood: none of its rows count."""
        self._rows, self._digests = self._file_start

    def add(self, position: int, decision: RowDecision) -> None:
        """Add a row. `position`: its place among all rows (`FileTally.position`)."""
        self._rows += 1
        self._digests += int.from_bytes(_digest(decision))

    def finish(self, kind: str, files: Iterable[tuple[str, str]]) -> None:
        """All rows are in. `files`: name and content hash of each, in any order."""
        content = repr((kind, sorted(files), self._rows, self._digests))
        self.hash = blake2b(content.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).hexdigest()


class Preview(PreviewHash):
    """Keeps the rows as well, and gives them in the order of the files.

    In memory it has two numbers a row; the rest is in a temporary file that only this process can read and
    that disappears with it. `add` and iterating raise TemporaryFileError if that can't be written or read.
    """

    keeps_rows = True

    def __init__(self, stop: Stop | None = None) -> None:
        """`stop`: a request to it ends iterating with StopRequestedError."""
        super().__init__()
        self._stop = stop or Stop()
        self.fields: dict[str, None] = {}
        """The fields that the files say anything of."""
        self._spool = SpooledTemporaryFile[bytes](max_size=IN_MEMORY_BYTES, prefix="syncctl-")
        self._positions = array("Q")
        self._offsets = array("Q")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._spool.close()

    def drop_file(self) -> None:
        super().drop_file()
        del self._positions[self._rows :]
        del self._offsets[self._rows :]

    def add(self, position: int, decision: RowDecision) -> None:
        super().add(position, decision)
        self.fields |= dict.fromkeys(each.field for each in decision.fields)
        self._positions.append(position)
        with temporary_file():
            self._offsets.append(self._spool.tell())
            pickle.dump(_packed(decision), self._spool, protocol=pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[RowDecision]:
        """The rows, file by file, as they stand there."""
        order = sorted(range(len(self._offsets)), key=self._positions.__getitem__)
        for number in self._stop.between(order):
            with temporary_file():
                self._spool.seek(self._offsets[number])
                packed = pickle.load(self._spool)  # noqa: S301 - written by this object itself
            file, sheet, row, action, *others, fields = packed
            explained = tuple(FieldDecision(*each) for each in fields)
            yield RowDecision._make((file, sheet, row, RowAction(action), *others, explained))


def _packed(decision: RowDecision) -> tuple[Any, ...]:
    """Plain tuples: pickled three times as fast."""
    file, sheet, row, action, reason, *others, fields = decision
    return (file, sheet, row, action.value, str(reason), *others, [tuple(each) for each in fields])


def _digest(decision: RowDecision) -> bytes:
    """Of what is done and why: what a telecaller does with fields that stay as they are changes nothing."""
    place, changes = decision[:3], decision.changes
    done = (place, decision.action.value, str(decision.reason), decision.lead_id)
    fields = [(each.field, *map(_stable, each[1:4]), each.is_conflict) for each in changes]
    return blake2b(repr((done, fields)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _stable(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)
