"""Files that can't be understood: one line that names the file and says what to do, and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from syncctl.errors import FileProblemError
from syncctl.files.limits import file_errors
from syncctl.files.reading import open_file
from tests.unit.files import biff
from tests.unit.files.support import (
    ANJU,
    HEADER,
    SHEET_1,
    csv_text,
    names,
    problem_of,
    read,
    save_csv,
    save_xlsx,
    with_part,
)

GOOD = csv_text([HEADER, ANJU])


def children() -> set[str]:
    """The processes that this one has started and that are there."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("there is no /proc to look for processes in")
    return {child for task in tasks.iterdir() for child in (task / "children").read_text().split()}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty; ask for it again"),
        (b" \n\n,,\n", "it has no content"),
        (b"\xef\xbb\xbf", "it has no content"),
        (bytes(5000), "it has no content"),
        (b"hello\n", "no row with the column titles was found in the first 50 rows: expected Customer Name"),
        (b"<html><table><tr><td>Date", "web page or XML with a spreadsheet's name; open it in Excel, save"),
        ("\n <!DOCTYPE html>".encode("utf-16"), "web page"),
        (b'<?xml version="1.0"?><Workbook/>', "web page or XML"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(1, 256)) * 9, "neither a workbook nor CSV text"),
        (b"%PDF-1.7\n" + bytes(range(255, 0, -1)) * 9, "neither a workbook nor CSV text"),
        (b"PK\x03\x04" + bytes(100), "damaged or incomplete; open it in Excel"),
        (b"PK\x05\x06" + bytes(18), "it isn't an Excel workbook"),
        (biff.MAGIC + bytes(1000), "damaged or incomplete"),
        (biff.ole("Workbook", b""), "it isn't an Excel workbook"),
        (biff.ole("WordDocument", b"x"), "damaged or incomplete"),
        (biff.ole("EncryptedPackage", b"x"), "protected with a password; save it without one"),
    ],
)
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_content(tmp_path: Path, content: bytes, what: str, ending: str) -> None:
    path = tmp_path / f"walkin_sg_calicut.{ending}"
    path.write_bytes(content)
    assert what in problem_of(path)


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, ANJU]})
    for ending in ("xls", "csv", "bin"):
        assert names(path.rename(tmp_path / f"b.{ending}")) == ["Anju"]
        path = tmp_path / f"b.{ending}"
    old = tmp_path / "old.xlsx"
    old.write_bytes(biff.xls({"A": biff.table([HEADER, ANJU])}))
    assert names(old) == names(old.rename(tmp_path / "old.csv")) == ["Anju"]
    for ending in ("xls", "xlsx", "txt"):
        assert names(save_csv(tmp_path / f"c.{ending}", [HEADER, ANJU])) == ["Anju"]
    assert names(save_csv(tmp_path / "PK.csv", [("PK SHOWROOM",), HEADER, ANJU])) == ["Anju"]


def test_no_file(tmp_path: Path) -> None:
    assert "no such file" in problem_of(tmp_path / "none.xlsx")
    assert "it is a folder" in problem_of(tmp_path)
    assert "can't be read" in problem_of(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe.csv")
    assert "isn't a regular file" in problem_of(tmp_path / "pipe.csv")
    with pytest.raises(FileProblemError, match="can't be a file's name"):
        read(tmp_path / "a\0b.csv")
    with pytest.raises(FileProblemError, match="no such file"):
        read(Path("none\n\udc80.csv"))


def test_permissions() -> None:
    said = r"^a\.csv: this user isn't allowed to read it; change its permissions"
    with pytest.raises(FileProblemError, match=said), file_errors(Path("folder/a.csv")):
        raise PermissionError


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = save_csv(tmp_path / "a.csv", [HEADER, ANJU])
    path.chmod(0)
    assert "permissions" in problem_of(path)


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = save_csv(tmp_path / "a.csv", [HEADER, ANJU])
    with open_file(path) as sheets:
        (sheet,) = sheets
        path.unlink()
        with pytest.raises(FileProblemError, match="no such file"):
            next(sheet.rows())


def test_csv_has_no_sheets(tmp_path: Path) -> None:
    assert "CSV text, without sheets" in problem_of(save_csv(tmp_path / "a.csv", [HEADER]), "MG Road")


def test_archives_that_are_no_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    for part in ("word/document.xml", "xl/workbook.bin", "content.xml"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(part, "x")
        assert "an Excel workbook; open it in the program that made it" in problem_of(path)


def test_a_workbook_cut_off(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, ANJU]})
    content = path.read_bytes()
    for size in (10, 1000, len(content) - 1):
        path.write_bytes(content[:size])
        assert "damaged or incomplete" in problem_of(path)


def test_a_workbook_of_nothing_but_a_chart(tmp_path: Path) -> None:
    path = with_part(
        save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, ANJU]}),
        "xl/_rels/workbook.xml.rels",
        lambda xml: xml.replace("relationships/worksheet", "relationships/chartsheet"),
    )
    assert "isn't an Excel workbook" in problem_of(path)


@pytest.mark.attack("files")
def test_a_bomb(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, ANJU]})
    content = path.read_bytes()
    size = content.index(b"PK\x01\x02") + 24  # in the central directory (APPNOTE 4.3.12)
    path.write_bytes(content[:size] + (600 << 20).to_bytes(4, "little") + content[size + 4 :])
    assert "unpacks to more than 500 MB; divide it" in problem_of(path)


@pytest.mark.attack("files")
def test_entities_that_grow(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    laughs = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>'
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, (*ANJU[:3], "=late")]})
    with_part(path, SHEET_1, lambda xml: laughs + xml.replace("<f>late", "<f>&e11;"))
    assert "a cell holds more than 131,072 characters" in problem_of(path)


@pytest.mark.attack("files")
def test_a_stray_cell_that_makes_a_sheet_immense(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, ANJU]})
    stray = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    with_part(path, SHEET_1, lambda xml: xml.replace("</sheetData>", stray))
    assert "a stray cell is far below or right of the table" in problem_of(path)
    assert capfd.readouterr() == ("", "")


def test_a_row_that_no_sheet_has(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER]})
    with_part(path, SHEET_1, lambda xml: xml.replace('r="A1"', 'r="A99999999999"'))
    assert problem_of(path)


def test_the_reading_process_ends_with_the_file(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, *[ANJU] * 3000]})
    before = children()
    with open_file(path) as sheets:
        (sheet,) = sheets
        next(sheet.rows())
        assert len(children() - before) == 1
    assert children() == before
    with pytest.raises(KeyboardInterrupt), open_file(path) as sheets:
        raise KeyboardInterrupt
    assert children() == before


def test_the_reading_process_is_killed(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, *[ANJU] * 3000]})
    before = children()
    with open_file(path) as sheets:
        (sheet,) = sheets
        rows = sheet.rows()
        next(rows)
        (child,) = children() - before
        os.kill(int(child), 9)
        with pytest.raises(FileProblemError, match="too much memory or time"):
            list(rows)


@pytest.mark.parametrize("interpreter", ["/bin/false", "/no/such/python"])
def test_the_reading_process_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    path = save_xlsx(tmp_path / "a.xlsx", {"A": [HEADER, ANJU]})
    monkeypatch.setattr(sys, "executable", interpreter)
    assert "does not start; reinstall syncctl" in problem_of(path)


def test_the_workbook_library_is_left_to_the_reading_process() -> None:
    program = (
        "import sys, syncctl.files.workbook, syncctl.files.csv_detection, syncctl.files.reading\n"
        "sys.exit(any('calamine' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
