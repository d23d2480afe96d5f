"""A preview's file: every row, for a spreadsheet, and nothing that it would run."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.row_decisions import TITLES, FieldDecision, Reason, RowAction, RowDecision
from syncctl.errors import FileProblemError
from syncctl.files import preview_files
from syncctl.files.preview_files import write_csv, write_workbook
from syncctl.files.reading import open_file

DAY = datetime(2025, 10, 9, tzinfo=UTC)
NEW = RowDecision(
    *("walkin_sg_calicut.csv", "", 3, RowAction.CREATE, Reason.NEW, "Made Up", "9000000401"),
    *("Suitor Guy - Calicut", "ab" * 12, (FieldDecision("enquiryDate", None, DAY, DAY),)),
)
UPDATE = NEW._replace(
    row=4,
    action=RowAction.UPDATE,
    reason=Reason.NEWS,
    fields=(
        FieldDecision("remarks", "old", "=1+1", "=1+1"),
        FieldDecision("closingStatus", "mine", "Booked", "mine", is_conflict=True),
    ),
)
REJECT = RowDecision("walkin_sg_calicut.csv", "", 5, RowAction.REJECT, "no customer name", "", "", "", None)


@dataclass
class Rows:
    """A preview's rows."""

    rows: Sequence[RowDecision]

    @property
    def fields(self) -> list[str]:
        return [field.field for row in self.rows for field in row.fields]

    def __iter__(self) -> Iterator[RowDecision]:
        return iter(self.rows)


def as_csv(*rows: RowDecision) -> list[dict[str, str]]:
    out = io.BytesIO()
    write_csv(Rows(rows), out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))


def as_workbook(path: Path, *rows: RowDecision) -> openpyxl.Workbook:
    with path.open("wb") as out:
        write_workbook(Rows(rows), [("File", "rows"), ("walkin_sg_calicut.csv", len(rows))], out)
    return openpyxl.load_workbook(path)


def read_all(file: Path) -> None:
    with open_file(file) as opened:
        for sheet in opened:
            list(sheet.rows())


def test_every_row_has_each_field_as_it_is_as_the_file_says_and_as_it_becomes() -> None:
    new, update, reject = as_csv(NEW, UPDATE, REJECT)
    assert tuple(new)[: len(TITLES)] == TITLES
    assert (new["row number"], new["action"], new["reason"]) == ("3", "create", "new")
    assert (new["enquiryDate: now"], new["enquiryDate: file"]) == ("", "2025-10-09")
    assert new["enquiryDate: becomes"] == "2025-10-09"
    assert (update["closingStatus: now"], update["closingStatus: becomes"]) == ("mine", "mine")
    assert update["remarks: becomes"] == "'=1+1"
    assert (reject["action"], reject["reason"], reject["lead id"]) == ("reject", "no customer name", "")


def test_a_workbook_has_colours_a_filter_a_frozen_header_and_a_summary(tmp_path: Path) -> None:
    book = as_workbook(tmp_path / "preview.xlsx", NEW, UPDATE, REJECT)
    summary, rows = book.worksheets
    assert [cell.value for cell in summary[2]][:2] == ["walkin_sg_calicut.csv", 3]
    assert rows.freeze_panes == "A2"
    assert rows.auto_filter.ref.startswith("A1:")
    assert rows.auto_filter.ref.endswith("4")
    titles = [cell.value for cell in rows[1]]
    assert titles[: len(TITLES)] == [*TITLES]
    colours = [rows.cell(number, 1).fill.fgColor.rgb for number in (2, 3, 4)]
    assert len({*colours}) == 3
    changed, conflict = (
        rows.cell(3, titles.index(f"{name}: becomes") + 1) for name in ("remarks", "closingStatus")
    )
    assert len({changed.fill.fgColor.rgb, conflict.fill.fgColor.rgb, colours[1]}) == 3


def test_no_cell_of_a_workbook_is_a_formula_not_even_once_it_is_edited(tmp_path: Path) -> None:
    rows = as_workbook(tmp_path / "preview.xlsx", UPDATE._replace(name="=cmd()", phone="+1")).worksheets[1]
    risky = [cell for cell in rows[2] if str(cell.value or "").startswith(("=", "+"))]
    assert [cell.value for cell in risky] == ["=cmd()", "+1", "=1+1", "=1+1"]
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in risky)
    with ZipFile(tmp_path / "preview.xlsx") as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet2.xml")


@pytest.mark.slow
@given(st.text(), st.text())
def test_any_text_can_be_written(name: str, reason: str) -> None:
    (row,) = as_csv(REJECT._replace(name=name, reason=reason))
    assert row["action"] == "reject"
    out = io.BytesIO()
    write_workbook(Rows([REJECT._replace(name=name, reason=reason)]), [(name,)], out)
    assert openpyxl.load_workbook(io.BytesIO(out.getvalue())).worksheets[1].cell(2, 4).value == "reject"


def test_more_rows_than_a_sheet_has_go_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_files, "ROWS_OF_A_SHEET", 2)
    book = as_workbook(tmp_path / "preview.xlsx", NEW, UPDATE, REJECT)
    assert book.sheetnames == ["Summary", "Rows", "Rows 2"]
    assert [sheet.max_row for sheet in book.worksheets[1:]] == [3, 2]
    assert {sheet.cell(1, 1).value for sheet in book.worksheets[1:]} == {"file"}


@pytest.mark.parametrize("name", ["walkin_sg_calicut.csv", "walkin_sg_calicut.xlsx"])
def test_a_preview_is_not_taken_for_a_stores_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith(".csv"):
        with file.open("wb") as out:
            write_csv(Rows([NEW, REJECT]), out)
    else:
        as_workbook(file, NEW, REJECT)
    with pytest.raises(FileProblemError, match="no row with the column titles"):
        read_all(file)
