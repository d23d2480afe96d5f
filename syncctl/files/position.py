"""How far a file has been read."""

from __future__ import annotations

import weakref
from functools import cached_property
from pathlib import Path
from typing import TextIO


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
