"""Files that cost far more than they hold, or hold more than a list of customers does: one plain error."""

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from syncctl.errors import FileProblemError
from syncctl.files import limits, workbook
from syncctl.files.limits import LimitChecker
from syncctl.files.reading import open_file
from syncctl.services.imports.file_stores import content_hash
from tests.unit.files.support import (
    ANJU,
    BINU,
    HEADER,
    SHEET_1,
    names,
    problem_of,
    read,
    save_csv,
    save_xlsx,
    with_part,
)

pytestmark = pytest.mark.attack("files")
QUICK_S = 20.0


def with_cells(path: Path, *rows: str) -> Path:
    """A workbook of one customer, with more rows as XML."""
    save_xlsx(path, {"A": [HEADER, ANJU]})
    return with_part(path, SHEET_1, lambda xml: xml.replace("</sheetData>", "".join(rows) + "</sheetData>"))


def test_formulas_far_to_the_right(tmp_path: Path) -> None:
    cells = [f'<row r="{n}"><c r="ZZZ{n}"><f>1</f></c></row>' for n in range(3, 20_003)]
    begin = time.monotonic()
    problem = problem_of(with_cells(tmp_path / "a.xlsx", *cells))
    assert time.monotonic() - begin < QUICK_S
    assert problem == (
        "something is written in ZZZ3, and only 256 columns are read; delete what is right of the table "
        "and import it again"
    )


def test_values_far_to_the_right(tmp_path: Path) -> None:
    path = with_cells(tmp_path / "a.xlsx", '<row r="9"><c r="IW9"><v>1</v></c></row>')
    assert "something is written in IW9, and only 256 columns are read" in problem_of(path)
    last = with_cells(
        tmp_path / "b.xlsx", '<row r="3"><c r="B3" t="str"><v>B</v></c><c r="IV3"><v>1</v></c></row>'
    )
    assert names(last) == ["Anju", "B"]


def test_values_far_to_the_right_of_a_csv(tmp_path: Path) -> None:
    path = save_csv(tmp_path / "a.csv", [HEADER, ANJU, (*BINU, *[""] * 252, "x")])
    assert "something is written in IW3, and only 256 columns are read" in problem_of(path)
    save_csv(path, [HEADER, ANJU, (*BINU, *[""] * 5000)])
    assert names(path) == ["Anju", "Binu"]
    assert max(len(row.written) for row in read(path)) <= 256


def test_a_header_without_end(tmp_path: Path) -> None:
    path = save_csv(tmp_path / "a.csv", [(*HEADER, *map(str, range(100_000))), ANJU])
    assert "something is written in IW1" in problem_of(path)


def test_sheets_without_end(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, ANJU]})

    def multiplied(xml: str) -> str:
        before, _, rest = xml.partition("<sheets>")
        sheet, _, after = rest.partition("</sheets>")
        return before + "<sheets>" + sheet * 20_000 + "</sheets>" + after

    begin = time.monotonic()
    problem = problem_of(with_part(path, "xl/workbook.xml", multiplied))
    assert time.monotonic() - begin < QUICK_S
    assert problem == "it has more than 100 sheets; divide it and import the pieces"


@pytest.mark.attack("files", counted=False)
def test_a_hundred_sheets_are_read(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {f"Store {n}": [HEADER, ANJU] for n in range(100)})
    assert len(read(path)) == 100


def test_one_sheet_named_a_hundred_times_is_no_way_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {f"Store {n}": [HEADER, *[ANJU] * 50] for n in range(20)})
    monkeypatch.setattr(limits, "MOST_ROWS", 500)
    assert "rows; divide it and import the pieces" in problem_of(path)


@pytest.mark.parametrize(
    ("limit", "said"),
    [("MOST_ROWS", "rows; divide it"), ("MOST_CELLS", "cells; divide it")],
)
@pytest.mark.parametrize("save", [lambda path, rows: save_xlsx(path, {"A": rows}), save_csv])
def test_rows_and_cells_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[..., Path], limit: str, said: str
) -> None:
    monkeypatch.setattr(limits, limit, 300)
    path = save(tmp_path / "a.bin", [HEADER, *[ANJU] * 400])
    assert said in problem_of(path)


def test_one_text_in_all_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed, the file is a hundredth of it or less."""
    monkeypatch.setattr(workbook, "MOST_CHARACTERS", 0)
    text = "x" * 100_000
    cells = [f'<row r="{n}"><c r="E{n}" t="inlineStr"><is><t>{text}</t></is></c></row>' for n in range(3, 60)]
    path = with_cells(tmp_path / "a.xlsx", *cells)
    assert path.stat().st_size < 200_000
    begin = time.monotonic()
    assert "far more text than a file of its size should" in problem_of(path)
    assert time.monotonic() - begin < QUICK_S


def test_a_shared_formula_in_all_cells(tmp_path: Path) -> None:
    first = f'<row r="3"><c r="E3"><f t="shared" si="0">{"x" * 100_000}</f></c></row>'
    others = [f'<row r="{n}"><c r="E{n}"><f t="shared" si="0"/></c></row>' for n in range(4, 2000)]
    begin = time.monotonic()
    problem = problem_of(with_cells(tmp_path / "a.xlsx", first, *others))
    assert time.monotonic() - begin < QUICK_S
    assert "far more text than a file of its size should" in problem


@pytest.mark.parametrize(
    "cell", ['<c r="E3" t="inlineStr"><is><t>{}</t></is></c>', '<c r="E3"><f>{}</f></c>']
)
def test_a_cell_without_end(tmp_path: Path, cell: str) -> None:
    path = with_cells(tmp_path / "a.xlsx", f'<row r="3">{cell.format("x" * 200_000)}</row>')
    assert "a cell holds more than 131,072 characters; shorten it" in problem_of(path)


def test_reading_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LONGEST_READING_S", 0)
    path = save_csv(tmp_path / "a.csv", [HEADER, *[ANJU] * 1500])
    assert "takes longer than 30 minutes; divide it" in problem_of(path)


def test_a_reading_process_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LONGEST_READING_S", 0.3)
    monkeypatch.setattr(workbook, "_START", "import time; time.sleep(60)")
    begin = time.monotonic()
    assert "takes longer than 30 minutes; divide it" in problem_of(
        save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER]})
    )
    assert time.monotonic() - begin < QUICK_S


@pytest.mark.attack("files", counted=False)
def test_the_clock_is_looked_at_while_rows_are_read(tmp_path: Path) -> None:
    path = save_csv(tmp_path / "a.csv", [HEADER, ANJU])
    now = iter([0.0, 1.0, 1801.0])
    meter = LimitChecker(path, lambda: next(now))
    records = meter.records((number, ["x"]) for number in range(5000))
    assert len(list(islice(records, 1999))) == 1999
    with pytest.raises(FileProblemError, match="longer than 30 minutes"):
        next(records)


def test_a_sparse_file_of_a_terabyte(tmp_path: Path) -> None:
    path = tmp_path / "walkin_sg_calicut.csv"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    begin = time.monotonic()
    with pytest.raises(FileProblemError, match=r"walkin_sg_calicut.csv is larger than 500 MB: divide it"):
        content_hash(path)
    assert time.monotonic() - begin < 1.0


def test_a_csv_of_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"Date,Customer Name,Contact," + b"x," * (10 << 20))
    begin = time.monotonic()
    assert "line 1: that line is far too long" in problem_of(path)
    assert time.monotonic() - begin < QUICK_S


@pytest.mark.attack("files", counted=False)
@pytest.mark.slow
def test_a_workbook_of_a_hundred_thousand_rows_is_read(tmp_path: Path) -> None:
    cells = [
        f'<row r="{n}">' + "".join(f'<c r="{column}{n}"><v>{n}</v></c>' for column in "ABCD") + "</row>"
        for n in range(3, 100_003)
    ]
    with open_file(with_cells(tmp_path / "a.xlsx", *cells)) as sheets:
        assert sum(1 for sheet in sheets for _ in sheet.rows()) == 100_001
