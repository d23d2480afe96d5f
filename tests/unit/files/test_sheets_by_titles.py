"""Sheets for people: written as CSV and workbooks, and read again by their titles alone."""

import sys
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from syncctl.errors import ExitCode, FileProblemError, UsageError
from syncctl.files.sheet_writing import check_workbooks_can_be_written, write_csv, write_workbook
from syncctl.files.titled_lines import titled_lines
from syncctl.ports.files import TitledLine
from syncctl.ports.stop import Stop

TITLE = "rejected: id"


@dataclass(frozen=True)
class Table:
    name: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


TABLE = Table("Walk-ins", ("Name", "Contact", TITLE), (("Anagha", "0987", "R-1"), ("", "", "R-2")))


def read(path: Path) -> list[TitledLine]:
    return titled_lines(path, TITLE, Stop())


@pytest.fixture(params=["sheet.csv", "sheet.xlsx"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    with path.open("wb") as out:
        if path.suffix == ".csv":
            write_csv(TABLE.titles, TABLE.rows, out)
        else:
            write_workbook([TABLE, Table("Empty", TABLE.titles, ())], out)
        assert not out.closed
    return Path(path)


def test_it_is_read_as_it_was_written(written: Path) -> None:
    lines = read(written)
    assert [line.cells for line in lines] == [
        {"Name": "Anagha", "Contact": "0987", TITLE: "R-1"},
        {"Name": None, "Contact": None, TITLE: "R-2"},
    ]
    assert [line.number for line in lines] == [2, 3]
    assert {line.sheet for line in lines} == ({""} if written.suffix == ".csv" else {"Walk-ins"})


def test_a_workbook_takes_what_is_typed_into_it_as_text_and_can_be_filtered(tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    table = Table("Walk-ins", ("Name", TITLE), (("a\x00\x0b\ufffeb", "R-1"), ("=1+1", "x" * 40_000)))
    with path.open("wb") as out:
        write_workbook([table], out)
    sheet = openpyxl.load_workbook(path)["Walk-ins"]
    assert sheet["A2"].value == "ab"
    assert sheet["A3"].value == "=1+1"
    assert sheet["A3"].data_type == "s"
    assert len(sheet["B3"].value) == 32_767
    assert {sheet.column_dimensions[letter].width > 5 for letter in "AB"} == {True}
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet["A2"].number_format) == ("A2", "A1:B3", "@")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_csv_may_come_back_with_semicolons_and_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(f"{TITLE};phoneNo;Cafe\nR-1;1,5;Renée\n;;\nR-2;2;\n", encoding=encoding)
    assert [line.cells for line in read(path)] == [
        {TITLE: "R-1", "phoneNo": "1,5", "Cafe": "Renée"},
        {TITLE: "R-2", "phoneNo": "2", "Cafe": None},
    ]


def test_added_rows_and_columns_and_sheets_do_no_harm(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    notes = book.active
    notes.append(["what I did"])
    sheet = book.create_sheet("Sheet2")
    for row in (
        ["Corrected by me"],
        [],
        ["Rejected - ID", None, "Name"],
        ["R-1", None, "A", None, "no title"],
        [],
        [None, "x"],
        ["Rejected - ID", None, "Name"],
        [None, None, "B"],
    ):
        sheet.append(row)
    book.save(path := tmp_path / "sheet.xlsx")
    lines = read(path)
    assert [(line.sheet, line.number) for line in lines] == [("Sheet2", 4), ("Sheet2", 8)]
    assert lines[1].cells == {"Rejected - ID": None, "Name": "B"}


@pytest.mark.parametrize("text", ["Name,Contact\nA,1\n", "Name,reject id\nA,1\n", "\n"])
def test_without_the_id_column_it_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(text)
    with pytest.raises(FileProblemError, match=r"sheet\.csv.*rejected: id.*rejects export") as refused:
        read(path)
    assert refused.value.exit_code is ExitCode.DATA


def test_without_xlsxwriter_a_person_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    check_workbooks_can_be_written()
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UsageError, match="A workbook needs XlsxWriter"):
        check_workbooks_can_be_written()
