"""A sheet that comes back as it was exported has no changed line, whatever a source has sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncctl.domain.records import Reject
from syncctl.files.cells import clean_text
from syncctl.files.sheet_writing import write_csv, write_workbook
from syncctl.files.titled_lines import titled_lines
from syncctl.locations import load_locations
from syncctl.ports.stop import Stop
from syncctl.services.imports.file_stores import FileStores
from syncctl.services.rejects.correcting import LineOutcome, SheetLines
from syncctl.services.rejects.reject_sheets import ID_TITLE, lines_of, sheet_of_all, sheets_of
from tests.support.packaged_titles import cells_of
from tests.unit.services.rejects.test_reject_sheets import reject

SPECIAL = "=+-@';,\t\r\n 0123456789eE./|\"\u200b\ufeff\x00\x0b"
texts = st.text(st.one_of(st.sampled_from(SPECIAL), st.characters()), max_size=30)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.sampled_from(["13-02-2025", "2025-02-13T00:00:00", "9876543210", "-", '="1"', "#N/A", "a\n" * 40]),
    st.lists(texts, max_size=2),
)
titles = st.one_of(
    st.sampled_from(["phoneNo", "customerName", "Contact", "rejected: id", "Rejected-ID", "", "a (B)"]), texts
)
rows = st.dictionaries(titles, values, max_size=6)


def rejects_of(drawn: list[tuple[str, dict[str, Any]]]) -> list[Reject]:
    place = {"walkin": "\x1f3", "booking": "77\x1fA"}
    return [
        reject(number, {**row, "bookingNo": "77"} if number % 2 else row, source=kind, position=place[kind])
        for number, (kind, row) in enumerate(drawn)
    ]


def assert_unchanged(path: Path, rejects: list[Reject]) -> None:
    listed = {each.reject_id: each for each in rejects}
    sheet = SheetLines(listed, FileStores(load_locations(), []), cells_of, clean_text)
    lines = [sheet.add(line) for line in titled_lines(path, ID_TITLE, Stop())]
    assert {line.outcome for line in lines} == {LineOutcome.UNCHANGED}
    assert sheet.corrected == listed
    assert sheet.changed == set()
    assert sheet.problems == {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sheets")


ITEM_ROWS: list[tuple[str, dict[str, Any]]] = [
    ("walkin", {}),
    ("booking", {"Contact": "one | two"}),
    ("walkin", {}),
    ("booking", {"Contact": "a\x15b"}),
]
"""Two rows of one booking, which share a line: a value that looks joined, and one that no cell can hold."""

LONE_LINE_END = [("walkin", {"phoneNo": "\r"})]

drawn_rows = st.lists(st.tuples(st.sampled_from(["walkin", "booking"]), rows), min_size=1, max_size=6)


@given(drawn_rows)
@example(ITEM_ROWS)
@example(LONE_LINE_END)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_as_csv(folder: Path, drawn: list[tuple[str, dict[str, Any]]]) -> None:
    rejects = rejects_of(json.loads(json.dumps(drawn)))
    path = folder / "sheet.csv"
    with path.open("wb") as out:
        sheet = sheet_of_all(lines_of(rejects), cells_of)
        write_csv(sheet.titles, sheet.rows, out)
    assert_unchanged(path, rejects)


@pytest.mark.slow
@given(drawn_rows)
@example(ITEM_ROWS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=10)
def test_as_a_workbook(folder: Path, drawn: list[tuple[str, dict[str, Any]]]) -> None:
    rejects = rejects_of(json.loads(json.dumps(drawn)))
    path = folder / "sheet.xlsx"
    with path.open("wb") as out:
        write_workbook(sheets_of(lines_of(rejects), cells_of), out)
    assert_unchanged(path, rejects)
