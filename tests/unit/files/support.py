"""Files written and read for the tests of the reader."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from syncctl.errors import ExitCode, FileProblemError
from syncctl.files.reading import open_file
from syncctl.files.rows import FileRow

SHEET_1 = "xl/worksheets/sheet1.xml"
SAMPLES = Path(__file__).parent / "samples"

HEADER = ("Date", "Customer Name", "Contact", "Status")
ANJU = ("22-10-2025", "Anju", "9000000001", "Loss")
BINU = ("23-10-2025", "Binu", "9000000002", "Trial")

Rows = Iterable[Sequence[Any]]


def csv_text(rows: Rows, delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def save_csv(path: Path, rows: Rows, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    path.write_bytes(csv_text(rows, delimiter).encode(encoding))
    return path


def save_xlsx(path: Path, sheets: Mapping[str, Rows]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def with_part(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """The archive `path` with one of its parts changed in place."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def read(path: Path, only_sheet: str | None = None) -> list[FileRow]:
    """All rows of all sheets."""
    with open_file(path, only_sheet=only_sheet) as sheets:
        return [row for sheet in sheets for row in sheet.rows()]


def cells(path: Path) -> list[tuple[object, ...]]:
    return [tuple(row.cells.values()) for row in read(path)]


def names(path: Path) -> list[object]:
    return [row.cells["name"] for row in read(path)]


def problem_of(path: Path, only_sheet: str | None = None) -> str:
    """What the reader says is wrong, which is one line that names the file."""
    with pytest.raises(FileProblemError) as caught:
        read(path, only_sheet)
    message = str(caught.value)
    assert caught.value.exit_code is ExitCode.DATA
    assert message.startswith(f"{path.name}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path.name}: ")
