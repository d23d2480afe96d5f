"""What the workbook library doesn't tell of an .xls file: that its days count from 1904, and errors."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from mmap import mmap

_STREAMS = ("Workbook", "Book")
_BOFS = (0x809, 0x409, 0x209, 0x009)
_EOF, _DATEMODE, _BOUNDSHEET, _FORMULA, _BOOLERR = 0x0A, 0x22, 0x85, 0x06, 0x205
_ERRORS = {
    **{0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!"},
    **{0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A", 0x2B: "#GETTING_DATA"},
}
"""[MS-XLS] 2.5.10."""

_LAST_SECTOR = 0xFFFFFFF9
"""Higher numbers have special meanings ([MS-CFB] 2.1)."""

_IN_HEADER, _ENTRY = 109, 128


def counts_from_1904(content: bytes | mmap) -> bool:
    """Whether an OLE file's workbook has a DateMode record for 1904 ([MS-XLS] 2.4.78). False for a damaged
    file: the library reports the damage."""
    try:
        records = _records(_CompoundFile(content).stream(_STREAMS), 0)
        mode = next((body for kind, body in records if kind == _DATEMODE), b"\0\0")
        return bool(struct.unpack_from("<H", mode)[0] == 1)
    except (struct.error, IndexError, ValueError):
        return False


def errors_of_sheets(content: bytes | mmap) -> list[dict[int, dict[int, str]]]:
    """For each sheet of an OLE file's workbook, in their order: row -> column -> error, both from 0. Empty
    where the file is damaged: the library says what is wrong with it."""
    try:
        stream = _CompoundFile(content).stream(_STREAMS)
        sheets = [body for kind, body in _records(stream, 0) if kind == _BOUNDSHEET]
        return [_errors(stream, struct.unpack_from("<I", body)[0]) for body in sheets]
    except (struct.error, IndexError, ValueError):
        return []


class _CompoundFile:
    """The streams of an OLE file ([MS-CFB])."""

    def __init__(self, content: bytes | mmap) -> None:
        self._content = content
        self._size = 1 << self._number(30, "H")
        self._mini_size = 1 << self._number(32, "H")
        self._cutoff = self._number(56)
        fat_sectors = list(struct.unpack_from(f"<{_IN_HEADER}I", content, 76))
        more = self._number(68)
        while more <= _LAST_SECTOR and len(fat_sectors) * self._size < len(content):
            *further, more = self._numbers(self._sector(more))
            fat_sectors += further
        used = [number for number in fat_sectors if number <= _LAST_SECTOR]
        self._fat = [number for sector in used for number in self._numbers(self._sector(sector))]

    def stream(self, names: Sequence[str]) -> bytes:
        """The first stream with one of these names. Raises ValueError if there is none."""
        directory = b"".join(self._chain(self._number(48)))
        entries = {
            entry[: max(0, struct.unpack_from("<H", entry, 64)[0] - 2)].decode("utf-16-le"): (
                *struct.unpack_from("<II", entry, 116),
                entry[66],
            )
            for entry in (directory[at : at + _ENTRY] for at in range(0, len(directory), _ENTRY))
        }
        for name in names:
            if name in entries:
                start, size, _ = entries[name]
                if size >= self._cutoff:
                    return b"".join(self._chain(start))[:size]
                root = next(start for start, _, kind in entries.values() if kind == 5)
                return self._small(start, b"".join(self._chain(root)))[:size]
        raise ValueError("no workbook")

    def _small(self, start: int, container: bytes) -> bytes:
        """A small stream, stored in pieces within another stream."""
        following = self._numbers(b"".join(self._chain(self._number(60))))
        pieces: list[bytes] = []
        while start <= _LAST_SECTOR and len(pieces) <= len(following):
            pieces.append(container[start * self._mini_size : (start + 1) * self._mini_size])
            start = following[start]
        return b"".join(pieces)

    def _chain(self, sector: int) -> Iterator[bytes]:
        for _ in range(len(self._fat)):
            if sector > _LAST_SECTOR:
                return
            yield self._sector(sector)
            sector = self._fat[sector]

    def _sector(self, number: int) -> bytes:
        return self._content[(number + 1) * self._size : (number + 2) * self._size]

    def _number(self, offset: int, form: str = "I") -> int:
        number: int = struct.unpack_from(f"<{form}", self._content, offset)[0]
        return number

    @staticmethod
    def _numbers(sectors: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(sectors) // 4}I", sectors[: len(sectors) // 4 * 4])


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of the workbook's own part or of a sheet, which begins there, without those of the charts
    within it."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind in _BOFS) - (kind == _EOF)
        if depth <= 0:
            break
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _errors(stream: bytes, start: int) -> dict[int, dict[int, str]]:
    """The errors that cells hold or formulas gave ([MS-XLS] 2.4.24, 2.5.133)."""
    errors: dict[int, dict[int, str]] = {}
    for kind, body in _records(stream, start):
        if kind == _BOOLERR and body[7] == 1:
            code = body[6]
        elif kind == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == 2:
            code = body[8]
        else:
            continue
        row, column = struct.unpack_from("<HH", body)
        errors.setdefault(row, {})[column] = _ERRORS.get(code, "#N/A")
    return errors
