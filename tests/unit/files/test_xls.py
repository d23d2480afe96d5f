"""Old workbooks (.xls)."""

from datetime import date
from pathlib import Path

from syncctl.files.reading import open_file
from tests.unit.files import biff
from tests.unit.files.support import HEADER, problem_of

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
