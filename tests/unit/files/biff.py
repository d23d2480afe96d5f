"""A writer of tiny .xls files (BIFF8 in an OLE container), as far as the tests need them."""

import struct
from collections.abc import Sequence
from datetime import date

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
BOF, EOF, FILEPASS, CODEPAGE, BOUNDSHEET, XF = 0x809, 0x0A, 0x2F, 0x42, 0x85, 0xE0
LABEL, NUMBER, DATEMODE, MERGECELLS = 0x204, 0x203, 0x22, 0xE5
MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
SECTOR = 512

BOOLERR, FORMULA = 0x205, 0x06


class Error(int):
    """The code of an error that a cell holds ([MS-XLS] 2.5.10)."""


class FailedFormula(int):
    """The code of the error that a formula gave."""


Value = str | float | date | Error | FailedFormula
Cells = Sequence[tuple[int, int, Value]]


def table(rows: Sequence[Sequence[Value]]) -> Cells:
    return [(row, column, value) for row, values in enumerate(rows) for column, value in enumerate(values)]


def xls(
    sheets: dict[str, Cells],
    *,
    password: bool = False,
    from_1904: bool = False,
    hidden: Sequence[str] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """Sheets of cells (row and column from 0) as a file. With `password` it only says that it has one.
    `merged`: first and last row, first and last column, in every sheet."""
    merges = struct.pack("<H", len(merged)) + b"".join(struct.pack("<4H", *area) for area in merged)
    bodies = [
        _bof(0x10) + b"".join(_cell(*cell) for cell in cells) + _record(MERGECELLS, merges) + _record(EOF)
        for cells in sheets.values()
    ]

    def globals_with(offsets: list[int]) -> bytes:
        parts = [_bof(0x05), _record(FILEPASS, struct.pack("<HHH", 1, 1, 1) + bytes(48)) if password else b""]
        parts += [_record(CODEPAGE, struct.pack("<H", 1200)), _record(DATEMODE, struct.pack("<H", from_1904))]
        parts += [_format(0), _format(14)]
        for offset, name in zip(offsets, sheets, strict=True):
            parts.append(
                _record(BOUNDSHEET, struct.pack("<IHBB", offset, name in hidden, len(name), 1) + _wide(name))
            )
        return b"".join(parts) + _record(EOF)

    offsets = [len(globals_with([0] * len(bodies)))]
    for body in bodies[:-1]:
        offsets.append(offsets[-1] + len(body))
    return ole("Workbook", globals_with(offsets) + b"".join(bodies))


def ole(name: str, stream: bytes) -> bytes:
    """A compound file with one stream ([MS-CFB])."""
    stream = stream.ljust(max(4096, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    sectors = len(stream) // SECTOR
    fat_sectors = -(-(sectors + 2) // 127)
    first = fat_sectors + 1
    fat = [FAT] * fat_sectors + [END] + [first + 1 + number for number in range(sectors - 1)] + [END]
    fat += [FREE] * (fat_sectors * 128 - len(fat))
    header = MAGIC + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, fat_sectors, fat_sectors, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", *range(fat_sectors), *[FREE] * (109 - fat_sectors))
    directory = _entry("Root Entry", 5, END, 0, child=1) + _entry(name, 2, first, len(stream))
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory.ljust(SECTOR, b"\0") + stream


def ole_small(name: str, stream: bytes) -> bytes:
    """A compound file with one stream that is shorter than a sector may be, in pieces within the root's."""
    pieces = -(-len(stream) // 64)
    sectors = -(-pieces * 64 // SECTOR)
    # Sector 0: the FAT, 1: the directory, 2: the pieces' own FAT, then the pieces.
    fat = [FAT, END, END, *range(4, 3 + sectors), END]
    following = [*range(1, pieces), END]
    header = MAGIC + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, 2, 1, END, 0) + struct.pack("<109I", 0, *[FREE] * 108)
    directory = _entry("Root Entry", 5, 3, pieces * 64, child=1) + _entry(name, 2, 0, len(stream))
    numbers = [struct.pack("<128I", *table, *[FREE] * (128 - len(table))) for table in (fat, following)]
    return (
        header
        + numbers[0]
        + directory.ljust(SECTOR, b"\0")
        + numbers[1]
        + stream.ljust(sectors * SECTOR, b"\0")
    )


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _bof(kind: int) -> bytes:
    return _record(BOF, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _format(number: int) -> bytes:
    return _record(XF, struct.pack("<HH16x", 0, number))


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def _cell(row: int, column: int, value: Value) -> bytes:
    if isinstance(value, str):
        return _record(LABEL, struct.pack("<HHHHB", row, column, 0, len(value), 1) + _wide(value))
    if isinstance(value, date):
        return _record(NUMBER, struct.pack("<HHHd", row, column, 1, (value - date(1899, 12, 30)).days))
    if isinstance(value, Error):
        return _record(BOOLERR, struct.pack("<HHHBB", row, column, 0, value, 1))
    if isinstance(value, FailedFormula):
        result = struct.pack("<BBBBBBH", 2, 0, value, 0, 0, 0, 0xFFFF)
        parsed = struct.pack("<HHIHBH", 0, 0, 0, 3, 0x1E, 1)
        return _record(FORMULA, struct.pack("<HHH", row, column, 0) + result + parsed[2:])
    return _record(NUMBER, struct.pack("<HHHd", row, column, 0, value))


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    head = _wide(name).ljust(64, b"\0") + struct.pack("<HBB", len(name) * 2 + 2, kind, 1)
    return head + struct.pack("<III36xIII", FREE, FREE, child, start, size, 0)
