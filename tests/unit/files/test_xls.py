"""Old workbooks (.xls)."""

from datetime import date
from pathlib import Path

import pytest

from syncctl.files.reading import open_file
from syncctl.files.xls_parts import counts_from_1904, errors_of_sheets
from tests.unit.files import biff
from tests.unit.files.support import ANJU, BINU, HEADER, cells, problem_of

DAY = date(2025, 1, 21)


def test_sheets_and_values(tmp_path: Path) -> None:
    path = tmp_path / "walkin_sg_calicut.xls"
    rows = [
        ("Walk-In Report",),
        HEADER,
        (DAY, "José", 9000000001.0, "Loss"),
        (45678, "അഞ്ജു", "9000000002", "-"),
    ]
    path.write_bytes(biff.xls({"SG.X": biff.table(rows), "MG Road": biff.table(rows[1:])}))
    with open_file(path) as sheets:
        read = {sheet.name: [(row.number, *row.cells.values()) for row in sheet.rows()] for sheet in sheets}
    assert read == {
        "SG.X": [(3, DAY, "José", 9000000001, "Loss"), (4, DAY, "അഞ്ജു", "9000000002", None)],
        "MG Road": [(2, DAY, "José", 9000000001, "Loss"), (3, DAY, "അഞ്ജു", "9000000002", None)],
    }


def test_a_password(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(biff.xls({"A": biff.table([HEADER])}, password=True))
    assert "protected with a password; save it without one" in problem_of(path)


def test_a_cell_that_no_sheet_has_room_for(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(biff.xls({"A": [*biff.table([HEADER]), (60_000, 60_000, "stray")]}))
    assert "a stray cell" in problem_of(path)


@pytest.mark.parametrize("from_1904", [False, True])
@pytest.mark.parametrize("rows", [1, 400])
def test_serial_numbers_of_both_epochs(tmp_path: Path, from_1904: bool, rows: int) -> None:
    serial = (DAY - (date(1904, 1, 1) if from_1904 else date(1899, 12, 30))).days
    path = tmp_path / "a.xls"
    path.write_bytes(
        biff.xls({"A": biff.table([HEADER, *[(serial, *ANJU[1:])] * rows])}, from_1904=from_1904)
    )
    moved = (1462,) if from_1904 else ()
    assert cells(path) == [(DAY, *ANJU[1:], *moved)] * rows
    text = biff.xls({"A": biff.table([HEADER, (str(serial), *ANJU[1:])])}, from_1904=from_1904)
    path.write_bytes(text)
    assert cells(path) == [(DAY, *ANJU[1:], *moved)]


def test_the_epoch_of_a_workbook_that_is_a_small_stream() -> None:
    for from_1904 in (False, True):
        whole = biff.xls({"A": biff.table([HEADER])}, from_1904=from_1904)
        stream = whole[512 * 3 :][:1000]
        assert counts_from_1904(biff.ole_small("Workbook", stream)) is from_1904


@pytest.mark.parametrize("damage", [0, 30, 44, 48, 60, 68, 76, 512, 1024, 1060, 1140])
def test_no_damage_breaks_the_look_for_the_epoch(damage: int) -> None:
    whole = bytearray(biff.xls({"A": biff.table([HEADER, ANJU])}, from_1904=True))
    for value in (0, 0xFF):
        whole[damage : damage + 4] = bytes([value] * 4)
        assert counts_from_1904(bytes(whole)) in (False, True)
    assert not counts_from_1904(bytes(whole[:40]))


def test_hidden_sheets_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    sheets = {"New": biff.table([HEADER, ANJU]), "Old": biff.table([HEADER, BINU])}
    path.write_bytes(biff.xls(sheets, hidden=["Old"]))
    with open_file(path) as opened:
        assert [sheet.name for sheet in opened] == ["New"]
        assert opened.hidden_sheets == ("Old",)


def test_a_merged_cells_value_holds_for_all_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    rows = biff.table([HEADER, ANJU, BINU, ANJU])
    without = [cell for cell in rows if cell[1] or cell[0] < 2]
    path.write_bytes(biff.xls({"A": without}, merged=[(1, 2, 0, 0)]))
    assert [row[0] for row in cells(path)] == [ANJU[0], ANJU[0], None]


def test_errors_of_cells_and_formulas(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    failed = (DAY, biff.FailedFormula(0x17), "9000000001", biff.Error(0x2A))
    path.write_bytes(
        biff.xls(
            {"A": biff.table([HEADER, (biff.Error(0x0F), *BINU[1:])]), "B": biff.table([HEADER, failed])}
        )
    )
    assert cells(path) == [("#VALUE!", *BINU[1:]), (DAY, "#REF!", "9000000001", "#N/A")]


def test_no_damage_breaks_the_look_for_errors() -> None:
    whole = biff.xls({"A": biff.table([HEADER, (biff.Error(0x2A), *ANJU[1:])])})
    assert errors_of_sheets(whole) == [{1: {0: "#N/A"}}]
    for length in range(40, len(whole), 97):
        assert errors_of_sheets(whole[:length]) in ([], [{}], [{1: {0: "#N/A"}}])
