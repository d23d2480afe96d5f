"""Whatever bytes a file has, random ones or a good file's with changes, give rows or a FileProblemError."""

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import pytest

from syncctl.errors import FileProblemError
from syncctl.files.reading import open_file
from tests.unit.files import biff
from tests.unit.files.support import ANJU, BINU, HEADER, SAMPLES, csv_text

ROWS = [("Walk-In Report",), HEADER, ANJU, BINU, ("",), HEADER, *[ANJU] * 5]
TEXTS = [
    (SAMPLES / "walkin_sg_mg road.csv").read_bytes(),
    *[
        csv_text(ROWS, delimiter).encode(code)
        for delimiter in ",;\t"
        for code in ("utf-8", "utf-16", "cp1252")
    ],
]
XLSX = [(SAMPLES / name).read_bytes() for name in ("lossofsale_z_edappally.xlsx", "loss of sale 2025.xlsx")]
XLS = biff.xls(
    {"SG.X": biff.table(ROWS), "MG Road": biff.table([HEADER, ("x", "Anju", 9000000001.0, 45678.5)])}
)
TOKENS = (
    b'"',
    b",",
    b"\n",
    b"\0",
    b"<f>",
    b'r="XFD1048576"',
    b"&x;",
    b"9" * 12,
    b"\xff\xff",
    b"-",
    b"/>",
    b"]]>",
)


def mutated(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8))):
        at = random.randrange(len(changed) + 1)
        length = random.choice((0, 1, 1, 4, 40))
        copied = random.randrange(len(content) + 1)
        changed[at : at + length] = random.choice(
            (random.randbytes(length), random.choice(TOKENS), content[copied : copied + 60], b"")
        )
    return bytes(changed)


def a_text(random: Random) -> bytes:
    if random.random() < 0.2:
        return random.randbytes(random.randrange(2000))
    return mutated(random.choice(TEXTS), random)


def a_workbook(random: Random) -> bytes:
    kind = random.random()
    if kind < 0.3:
        return mutated(XLS, random)
    content = random.choice(XLSX)
    if kind < 0.4:
        return mutated(content, random)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = random.choice([name for name in parts if "theme" not in name and "docProps" not in name])
    parts[part] = mutated(parts[part], random)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, its_content in parts.items():
            archive.writestr(name, its_content)
    return written.getvalue()


def outcome(folder: Path, make: Callable[[Random], bytes], seed: int) -> int | str:
    """How many rows the file of this seed has, or the message of what is wrong with it."""
    random = Random(seed)  # noqa: S311
    path = folder / f"{make.__name__}_{seed}.{random.choice(('csv', 'xlsx', 'xls'))}"
    path.write_bytes(make(random))
    try:
        with open_file(path) as sheets:
            rows = [row for sheet in sheets for row in sheet.rows()]
    except FileProblemError as error:
        return str(error)
    finally:
        path.unlink()
    assert all(row.raw and row.number > 0 and {"name", "phone"} <= set(row.cells) for row in rows)
    return len(rows)


def read_many(folder: Path, make: Callable[[Random], bytes], cases: int) -> None:
    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(partial(outcome, folder, make), range(cases)))
    messages = [result for result in outcomes if isinstance(result, str)]
    assert 0 < len(messages) < cases, "the files are all good, or all bad"
    assert all(message.isprintable() and len(message) < 300 for message in messages)
    assert all(message.startswith(f"{make.__name__}_") for message in messages)


def test_dozens_of_files(tmp_path: Path) -> None:
    read_many(tmp_path, a_text, 60)
    read_many(tmp_path, a_workbook, 12)


@pytest.mark.slow
def test_hundreds_of_files(tmp_path: Path) -> None:
    read_many(tmp_path, a_text, 300)
    read_many(tmp_path, a_workbook, 60)


@pytest.mark.slow
def test_ten_thousand_files(tmp_path: Path) -> None:
    read_many(tmp_path, a_text, 6000)
    read_many(tmp_path, a_workbook, 4000)
