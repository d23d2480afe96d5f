"""Workbooks as Excel and its users make them, written with openpyxl."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.formula import ArrayFormula

from syncctl.files.reading import open_file
from tests.unit.files.support import (
    ANJU,
    BINU,
    HEADER,
    SHEET_1,
    cells,
    names,
    problem_of,
    read,
    save_xlsx,
    with_part,
)

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "walkin_sg_calicut.xlsx"


def save(path: Path, build: Callable[[Any, Any], None]) -> Path:
    book = openpyxl.Workbook()
    build(book, book.active)
    book.save(path)
    return path


def test_a_merged_title_and_hidden_rows_and_columns(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        sheet["B2"] = "Walk-In Report"
        sheet.merge_cells("B2:E2")
        for column, (title, value) in enumerate(zip(HEADER, ANJU, strict=True), start=2):
            sheet.cell(4, column, title + "  ")
            sheet.cell(6, column, value)
        sheet.row_dimensions[6].hidden = True
        sheet.column_dimensions["C"].hidden = True

    (row,) = read(save(path, build))
    assert (row.number, *row.cells.values()) == (6, *ANJU)
    assert row.raw == dict(zip(HEADER, ANJU, strict=True))


def test_a_title_merged_over_rows_in_mid_data(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        for row in (HEADER, ANJU, ("DECEMBER LOSS OF SALE",), (), HEADER, BINU):
            sheet.append(row)
        sheet.merge_cells("A3:D4")

    assert [(row.number, row.cells["name"]) for row in read(save(path, build))] == [(2, "Anju"), (6, "Binu")]


def test_worksheets_in_order_without_hidden_and_other_sheets(path: Path) -> None:
    def build(book: Any, sheet: Any) -> None:
        sheet.title = "SG.TRIVANDRUM"
        book.create_chartsheet("Chart")
        for title, state in (("MG Road", "hidden"), ("EDAPPALLY", "veryHidden"), ("Blank", "visible")):
            book.create_sheet(title).sheet_state = state
        for name, row in (("SG.TRIVANDRUM", ANJU), ("MG Road", BINU), ("EDAPPALLY", ANJU)):
            book[name].append(HEADER)
            book[name].append(row)

    with open_file(save(path, build)) as sheets:
        assert [sheet.name for sheet in sheets] == ["SG.TRIVANDRUM"]
        assert [[row.cells["name"] for row in sheet.rows()] for sheet in sheets] == [["Anju"]]
        assert sheets.problems == []
        assert sheets.hidden_sheets == ("MG Road", "EDAPPALLY")
    with open_file(path, only_sheet="mg road") as sheets:
        assert [[row.cells["name"] for row in sheet.rows()] for sheet in sheets] == [["Binu"]]
        assert sheets.hidden_sheets == ()


def test_a_workbook_with_nothing_but_hidden_sheets(path: Path) -> None:
    def build(book: Any, sheet: Any) -> None:
        book.create_sheet("Old").sheet_state = "hidden"
        for row in (HEADER, ANJU):
            book["Old"].append(row)

    problem = problem_of(save(path, build))
    assert problem.startswith("only hidden sheets have content; unhide one, or name it with --sheet")
    assert "Old" in problem


def test_one_sheet(path: Path) -> None:
    save_xlsx(
        path, {"SG.TRIVANDRUM": [HEADER, ANJU], "MG Road": [HEADER, BINU], "Notes": [["x"]], "Blank": []}
    )
    for wanted in ("MG Road", "mg-road", " MGROAD "):
        assert [row.cells["name"] for row in read(path, wanted)] == ["Binu"]
    assert "no sheet 'Kochi', only SG.TRIVANDRUM, MG Road, Notes, Blank" in problem_of(path, "Kochi")
    assert "no sheet ''" in problem_of(path, "")
    assert "no row with the column titles" in problem_of(path, "Notes")
    assert "it has no content" in problem_of(path, "Blank")


def test_a_sheet_without_a_header_is_named(path: Path) -> None:
    save_xlsx(path, {"Summary": [["Total", 45]], "MG Road": [HEADER, BINU]})
    with open_file(path) as sheets:
        assert [sheet.name for sheet in sheets] == ["MG Road"]
        (problem,) = sheets.problems
    assert problem.startswith("sheet Summary: no row with the column titles was found")


def test_the_header_is_looked_for_in_fifty_rows_that_are_not_blank(path: Path) -> None:
    above = [row for number in range(49) for row in ((f"title {number}",), ())]
    assert names(save_xlsx(path, {"A": [*above, HEADER, ANJU]})) == ["Anju"]
    assert "first 50 rows: expected Customer Name" in problem_of(
        save_xlsx(path, {"A": [*above, ("one more",), HEADER, ANJU]})
    )


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_dates_in_both_epochs(path: Path, epoch_1904: bool) -> None:
    day = date(2025, 1, 21)
    serial = (day - (date(1904, 1, 1) if epoch_1904 else date(1899, 12, 30))).days

    def build(book: Any, sheet: Any) -> None:
        if epoch_1904:
            book.epoch = CALENDAR_MAC_1904
        sheet.append(("Date", "Name", "Phone", "Function Date", "Remarks"))
        noon = datetime(2025, 1, 21, 12)  # noqa: DTZ001
        for values in ((day, noon), (serial, serial + 0.5), (str(serial), "21-01-2025")):
            sheet.append((values[0], "Anju", "9000000001", values[1], serial))

    moved = (1462,) if epoch_1904 else ()  # of serial numbers only
    assert cells(save(path, build)) == [
        (day, "Anju", "9000000001", datetime(2025, 1, 21, 12), serial),  # noqa: DTZ001
        (day, "Anju", "9000000001", datetime(2025, 1, 21, 12), serial, *moved),  # noqa: DTZ001
        (day, "Anju", "9000000001", "21-01-2025", serial, *moved),
    ]


def test_values_of_every_kind(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        sheet.append(("Date", "Name", "Phone", "Remarks"))
        rich = CellRichText("call ", TextBlock(InlineFont(b=True), "later"), " today")
        for phone, remark in (
            (9000000001.0, 1.5),
            ("9000000001", True),
            ("9000000001.0", time(3, 4)),
            ("'09000000001", timedelta(hours=30)),
            ("9000000001/9000000002", rich),
            (-1, "#N/A"),
            ("  9000000001  ", "-"),
        ):
            sheet.append((None, "Anju", phone, remark))
        sheet["D7"].data_type = "e"

    read_back = [row[2:] for row in cells(save(path, build))]
    assert read_back == [
        (9000000001, 1.5),
        ("9000000001", True),
        ("9000000001", "03:04:00"),
        ("'09000000001", "1 day, 6:00:00"),
        ("9000000001/9000000002", "call later today"),
        (-1, "#N/A"),
        ("9000000001", None),
    ]
    assert isinstance(read_back[0][0], int)


def test_formulas(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        sheet.append(("Name", "Phone", "Date", "Remarks"))
        sheet.append(("Anju", 9000000001, None, "=call later"))
        sheet.append(("Binu", 9000000002, None, '=IF(A1="<&>",1,2)'))
        sheet.append(("Chithra", 9000000003, None, ArrayFormula("D4", "=SUM(A1:A2)")))
        sheet["F9"] = "=beyond all other cells"

    save(path, build)
    assert [row[3] for row in cells(path)[:3]] == ["=call later", '=IF(A1="<&>",1,2)', "=SUM(A1:A2)"]
    assert len(read(path)) == 3, "a single cell outside of name and phone is a title"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="D2"><f>1+1</f><v>2</v></c>', 2),
        ('<c r="D2"><f>1+1</f></c>', "=1+1"),
        ('<c r="D2" t="str"><f>IF(1,"","x")</f><v></v></c>', None),
        ('<c r="D2" t="str"><f>A2</f><v>Anju</v></c>', "Anju"),
        ('<c r="D2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="D2" t="e"><v>#N/A</v></c>', "#N/A"),
        ("<c r='D2' t = 'e'><v>#REF!</v></c>", "#REF!"),
        ('<c r="D2" t="str"><f>A2</f></c>', "=A2"),
        ('<c r="D2" t="b"><v>1</v></c>', True),
        ('<c r="D2"><f t="shared" ref="D2:D3" si="0">later</f><v/></c>', "=later"),
        (f'<x:c xmlns:x="{NAMESPACE}" r="D2"><x:f>late</x:f></x:c>', "=late"),
    ],
)
def test_a_formula_with_its_value_and_without(path: Path, cell: str, expected: object) -> None:
    save_xlsx(path, {"A": [("Name", "Phone", "Date", "Remarks"), ("Anju", 9000000001, "x", "REMARK")]})

    def change(xml: str) -> str:
        start = xml.index('<c r="D2"')
        return xml[:start] + cell + xml[xml.index("</c>", start) + 4 :]

    assert cells(with_part(path, SHEET_1, change)) == [("Anju", 9000000001, "x", expected)]


def test_a_shared_formula_is_every_cells_that_shares_it(path: Path) -> None:
    save_xlsx(path, {"A": [("Name", "Phone", "Date", "Remarks"), *[("Anju", 9000000001, "x", "=late")] * 2]})

    def change(xml: str) -> str:
        return xml.replace("<f>late", '<f t="shared" ref="D2:D3" si="0">late', 1).replace(
            "<f>late</f>", '<f t="shared" si="0"/>'
        )

    assert [row[3] for row in cells(with_part(path, SHEET_1, change))] == ["=late", "=late"]


@pytest.mark.slow
def test_an_error_in_a_large_sheet_is_found_wherever_it_is_mentioned(path: Path) -> None:
    rows = [(None, f"Anju {number}", 9000000000 + number, "x" * 50) for number in range(15_000)]
    save_xlsx(path, {"A": [HEADER, *rows, (*ANJU[:3], "ERROR")]})

    def change(xml: str) -> str:
        start = xml.index('<c r="D15002"')
        return xml[:start] + '<c r="D15002" t="e"><v>#N/A</v></c>' + xml[xml.index("</c>", start) + 4 :]

    assert read(with_part(path, SHEET_1, change))[-1].cells["status"] == "#N/A"


def test_cells_without_references(path: Path) -> None:
    save_xlsx(path, {"A": [("Name", "Phone", "Date", "Remarks"), ("Anju", 9000000001, "x", "=late")]})

    def change(xml: str) -> str:
        for reference in [f' r="{letter}{row}"' for letter in "ABCD" for row in "12"] + [' r="1"', ' r="2"']:
            xml = xml.replace(reference, "")
        return xml

    assert cells(with_part(path, SHEET_1, change)) == [("Anju", 9000000001, "x", "=late")]


def test_parts_named_as_other_programs_name_them(path: Path) -> None:
    save_xlsx(path, {"A": [HEADER, (*ANJU[:3], "=late")]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for usual, other in (("/", "\\"), ("xl/w", "XL/W")):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name.replace(usual, other), content)
        assert cells(path) == [(*ANJU[:3], "=late")]


@pytest.mark.slow
def test_thousands_of_formatted_rows_with_nothing_in_them(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        sheet.append(HEADER)
        for row in range(2, 1500):
            for column in range(1, 5):
                sheet.cell(row, column).fill = PatternFill("solid", fgColor="FFFF00")
                sheet.cell(row, column).font = Font(bold=True)
        for column, value in enumerate(BINU, start=1):
            sheet.cell(1400, column, value)

    assert [(row.number, row.cells["name"]) for row in read(save(path, build))] == [(1400, "Binu")]


def test_rows_numbered_in_advance(path: Path) -> None:
    numbered = [(number,) for number in range(1, 3000)]
    save_xlsx(path, {"A": [("#", *HEADER), *numbered, (3000, *ANJU)]})
    assert [row.number for row in read(path)] == [3001]


def test_a_very_wide_sheet(path: Path) -> None:
    save_xlsx(path, {"A": [(*["x"] * 252, *HEADER), (*["y"] * 252, *ANJU)]})
    (row,) = read(path)
    assert tuple(row.cells.values()) == ANJU
    assert len(row.raw) == 256


@pytest.mark.slow
def test_a_last_row_and_column_far_away(path: Path) -> None:
    save_xlsx(path, {"A": [HEADER, ANJU]})
    far = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    assert names(with_part(path, SHEET_1, lambda xml: xml.replace("</sheetData>", far))) == ["Anju"]


def test_sheets_are_read_in_any_order_and_as_often_as_one_likes(path: Path) -> None:
    people = [("", f"Anju {number}", str(9000000000 + number), "x") for number in range(2500)]
    save_xlsx(path, {"A": [HEADER, *people], "B": [HEADER, BINU]})
    with open_file(path) as sheets:
        a, b = sheets
        rows, again = a.rows(), a.rows()
        assert next(rows).cells["name"] == "Anju 0"
        assert [row.cells["name"] for row in b.rows()] == ["Binu"]
        assert next(again).cells["name"] == "Anju 0"
        assert [row.number for row in rows] == list(range(3, 2502))
        assert [row.number for row in again] == list(range(3, 2502))


def test_names_of_files_and_sheets_with_anything_in_them(tmp_path: Path) -> None:
    name = "SG & <Z> \"Kochi\" 'കൊച്ചി'"
    path = save_xlsx(tmp_path / "-x 'കൊച്ചി' %s {}.xlsx", {name: [HEADER, (*ANJU[:3], "=late")]})
    with open_file(path, only_sheet=name) as sheets:
        (sheet,) = sheets
        assert sheet.name == name
        assert [row.cells["status"] for row in sheet.rows()] == ["=late"]


def test_a_merged_cells_value_holds_for_all_its_rows(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        sheet.append(("#", "Date", "Customer Name", "Contact", "Staff", "Remarks"))
        for number in range(1, 8):
            sheet.append((number, None, f"Anju {number}", 9000000000 + number, None, "-"))
        sheet["B2"], sheet["E3"], sheet["F7"] = "01-02-2025", "Staff A", "both rows and columns"
        for merged in ("B2:B10", "E3:E6", "F7:G8"):
            sheet.merge_cells(merged)
        sheet.append((8, None, None, None, None, None))
        sheet.append((9, "-", None, None, None, None))

    rows = read(save(path, build))
    assert [row.cells["date"] for row in rows] == ["01-02-2025"] * 7
    assert [row.cells["staff"] for row in rows] == [None, *["Staff A"] * 4, None, None]
    assert [row.cells["remarks"] for row in rows][5:] == ["both rows and columns"] * 2
    assert rows[6].raw["Date"] == "01-02-2025"


def test_merged_titles_and_a_customer_over_two_rows(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        for values in (
            (None, *HEADER[:3], None),
            (None, None, None, "Phone", "Mobile"),
            (None, "01-02-2025", "Anju", "9000000001", None),
            (None, None, None, None, None),
            (None, None, "Binu", None, "9000000002"),
        ):
            sheet.append(values)
        for merged in ("B1:B2", "C1:C2", "D1:E1", "B3:B5", "C3:C4", "D3:D4"):
            sheet.merge_cells(merged)

    assert [(row.number, *row.cells.values()) for row in read(save(path, build))] == [
        (3, "01-02-2025", "Anju", "9000000001"),
        (5, "01-02-2025", "Binu", "9000000002"),
    ]


def test_a_formula_where_the_sheet_begins_further_right(path: Path) -> None:
    def build(_: Any, sheet: Any) -> None:
        for row in (HEADER, (*ANJU[:3], "=late")):
            sheet.append((None, None, *row))

    (row,) = read(save(path, build))
    assert tuple(row.cells.values()) == (*ANJU[:3], "=late")


@pytest.mark.parametrize(
    "cell",
    [
        *(
            '<c r="D2" t="n"><v>abc</v></c>',
            '<c r="D2" t="s"><v>9999</v></c>',
            '<c r="D2" t="s"><v>x</v></c>',
        ),
        *(
            '<c r="D2" t="b"><v>maybe</v></c>',
            '<c r="D2" t="e"><v>#FOO!</v></c>',
            '<c r="D2" t="zz"><v>1</v></c>',
        ),
        f'<x:c xmlns:x="{NAMESPACE}" t="n"><x:v>abc</x:v></x:c >',
    ],
)
def test_a_cell_that_can_not_be_read_costs_its_row_alone(path: Path, cell: str) -> None:
    save_xlsx(path, {"A": [HEADER, ANJU, BINU, (*ANJU[:3], "=late")], "B": [HEADER, BINU]})

    def change(xml: str) -> str:
        start = xml.index('<c r="D2"')
        return xml[:start] + cell + xml[xml.index("</c>", start) + 4 :]

    broken, good, formula, other = read(with_part(path, SHEET_1, change))
    assert broken.cells["cells that can't be read"] == "D"
    assert broken.raw == {**dict(zip(HEADER[:3], ANJU[:3], strict=True)), "cells that can't be read": "D"}
    assert tuple(good.cells.values()) == tuple(other.cells.values()) == BINU
    assert formula.cells["status"] == "=late"


def test_an_error_that_only_newer_programs_know(path: Path) -> None:
    save_xlsx(path, {"A": [HEADER, ANJU]})

    def change(xml: str) -> str:
        start = xml.index('<c r="D2"')
        return xml[:start] + '<c r="D2" t="e"><v>#SPILL!</v></c>' + xml[xml.index("</c>", start) + 4 :]

    (row,) = read(with_part(path, SHEET_1, change))
    assert tuple(row.cells.values()) == (*ANJU[:3], "#SPILL!")


def test_raw_rows_show_days_of_the_other_epoch_as_days(path: Path) -> None:
    def build(book: Any, sheet: Any) -> None:
        book.epoch = CALENDAR_MAC_1904
        for row in (HEADER, (45678 - 1462, *ANJU[1:])):
            sheet.append(row)

    assert read(save(path, build))[0].raw["Date"] == "2025-01-21"
