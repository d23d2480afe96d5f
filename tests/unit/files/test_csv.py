"""CSV files: encodings, delimiters, quotation marks."""

import tracemalloc
from pathlib import Path

import pytest

from syncctl.files import csv_detection
from syncctl.files.reading import open_file
from tests.unit.files.support import ANJU, BINU, HEADER, cells, csv_text, names, problem_of, read, save_csv

JOSE = ("24-10-2025", "José", "9000000003", "Trial")
MALAYALAM = ("24-10-2025", "അഞ്ജു", "9000000004", "Trial")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "walkin_sg_calicut.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf_16_be_bom", "cp1252"]
)
def test_encodings_and_delimiters(path: Path, encoding: str, delimiter: str) -> None:
    rows = [HEADER, ANJU, JOSE]
    if encoding == "utf_16_be_bom":
        path.write_bytes(b"\xfe\xff" + csv_text(rows, delimiter).encode("utf-16-be"))
    else:
        save_csv(path, rows, delimiter, encoding)
    assert cells(path) == [ANJU, JOSE]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_malayalam(path: Path, encoding: str) -> None:
    assert cells(save_csv(path, [HEADER, MALAYALAM], encoding=encoding)) == [MALAYALAM]


def test_utf8_is_told_by_the_whole_file(path: Path) -> None:
    many = [("", f"Anju {number}", "9000000001", "x" * 60) for number in range(15_000)]
    save_csv(path, [HEADER, *many, JOSE], encoding="utf-8")
    assert path.stat().st_size > 1 << 20
    assert names(path)[-1] == "José"
    save_csv(path, [HEADER, *many, JOSE], encoding="cp1252")
    assert names(path)[-1] == "José"


def test_a_letter_across_two_chunks_is_no_mistake(path: Path) -> None:
    path.write_bytes(b"x" * (8192 - 1) + "é".encode())
    with path.open("rb") as file:
        assert csv_detection.encoding_of(file) == "utf-8"


@pytest.mark.parametrize("stray", [b"\x92", b"\xe0\xb4", b"\x81", b"\xff", b"\xc3"])
@pytest.mark.parametrize("marked", [b"", b"\xef\xbb\xbf"])
def test_a_stray_byte_does_not_make_utf8_something_else(path: Path, stray: bytes, marked: bytes) -> None:
    content = csv_text([HEADER, MALAYALAM, JOSE, BINU]).encode().replace(b"Binu", b"Bi" + stray + b"nu")
    path.write_bytes(marked + content)
    assert cells(path) == [MALAYALAM, JOSE, (BINU[0], "Bi\ufffdnu", *BINU[2:])]


def test_one_letter_of_utf8_outweighs_one_stray_byte_but_not_many(path: Path) -> None:
    path.write_bytes(csv_text([HEADER, JOSE, ANJU]).encode().replace(b"Anju", b"Anju\x92s"))
    assert names(path) == ["José", "Anju\ufffds"]
    path.write_bytes(csv_text([HEADER, JOSE, JOSE, JOSE]).encode("cp1252").replace(b"Trial", "é".encode(), 1))
    assert names(path) == ["José"] * 3
    assert read(path)[0].cells["status"] == "\N{LATIN CAPITAL LETTER A WITH TILDE}\N{COPYRIGHT SIGN}"


def test_a_stray_byte_alone_is_windows_1252(path: Path) -> None:
    path.write_bytes(csv_text([HEADER, ANJU]).encode().replace(b"Anju", b"Anju\x92s"))
    assert names(path) == ["Anju\N{RIGHT SINGLE QUOTATION MARK}s"]


def test_a_letter_cut_off_at_the_end_is_a_stray_byte(path: Path) -> None:
    path.write_bytes(csv_text([HEADER, MALAYALAM]).encode().rstrip() + b"\xe0\xb4")
    assert cells(path) == [(*MALAYALAM[:3], "Trial\ufffd")]


def test_bytes_that_windows_1252_does_not_have(path: Path) -> None:
    path.write_bytes(csv_text([HEADER, JOSE]).encode("cp1252").replace(b"Trial", b"\x81\x8d"))
    assert cells(path) == [("24-10-2025", "José", "9000000003", "\ufffd\ufffd")]


def test_a_named_delimiter(path: Path) -> None:
    for delimiter in (";", "\t", "|"):
        path.write_text(f"sep={delimiter}\r\n" + csv_text([HEADER, ANJU], delimiter))
        assert [(row.number, *row.cells.values()) for row in read(path)] == [(2, *ANJU)]
    path.write_text('"sep=;"\n' + csv_text([HEADER, ANJU], ";"), encoding="utf-16")
    assert cells(path) == [ANJU]


def test_the_delimiter_with_which_there_is_a_header_counts(path: Path) -> None:
    path.write_text("a, b, c, d\na, b, c, d\nWalk-In Report, SG, Calicut\n" + csv_text([HEADER, ANJU], ";"))
    assert cells(path) == [ANJU]
    path.write_text("Date,Name,Phone;Date;Customer Name;Contact;Status\n" + "a;b;9000000001;d;e\n" * 3)
    assert {len(row.cells) for row in read(path)} == {4}


def test_the_same_header_both_ways_is_decided_by_the_rows(path: Path) -> None:
    path.write_text("x,Date,Name,Phone,x;Date;Name;Phone;x\n" + "x;1;Anju;9000000001;x\n" * 3)
    with open_file(path) as sheets:
        (sheet,) = sheets
        assert [row.cells["name"] for row in sheet.rows()] == ["Anju"] * 3


def test_record_numbers_are_those_of_a_spreadsheet(path: Path) -> None:
    path.write_text(
        "Walk-In Report\n\nDate,Customer Name,Contact,Status\n"
        '1,Anju,9000000001,"two\nlines"\n\n,,,\n2,Binu,9000000002,x\n'
    )
    assert [(row.number, row.cells["name"]) for row in read(path)] == [(4, "Anju"), (7, "Binu")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(path: Path, end: str) -> None:
    remark = f'"two{end}lines, ""quoted"""'
    path.write_bytes(f"Date,Name,Phone,Remarks{end}1,Anju,9000000001,{remark}{end}2,Binu,2,x".encode())
    assert cells(path) == [
        ("1", "Anju", "9000000001", f'two{end}lines, "quoted"'),
        ("2", "Binu", "2", "x"),
    ]


def test_values(path: Path) -> None:
    save_csv(path, [HEADER, ("45678", " Anju ", "9000000001.0", "-"), ("-", "#N/A", "1", "x\0y")])
    assert [tuple(map(str, row)) for row in cells(path)] == [
        ("2025-01-21", "Anju", "9000000001", "None"),
        ("None", "#N/A", "1", "xy"),
    ]
    assert read(path)[0].raw == {"Date": "45678", "Customer Name": "Anju", "Contact": "9000000001.0"}


def test_what_a_broken_copy_is_padded_with_is_nothing(path: Path) -> None:
    path.write_bytes(csv_text([HEADER, ANJU]).encode() + bytes(3 << 20))
    assert cells(path) == [ANJU]


def test_a_quotation_mark_within_a_line_is_taken_as_it_is(path: Path) -> None:
    path.write_text('Date,Name,Phone,Remarks\n1,Anju,9000000001,6" wide\n2,"Binu" B,9000000002,"6" wide"\n')
    assert cells(path) == [("1", "Anju", "9000000001", '6" wide'), ("2", "Binu B", "9000000002", '6 wide"')]


def test_a_quotation_mark_not_closed_in_the_last_line_loses_nothing(path: Path) -> None:
    path.write_text('Date,Name,Phone,Remarks\n1,Anju,9000000001,"late')
    assert cells(path) == [("1", "Anju", "9000000001", "late")]


@pytest.mark.parametrize(
    ("mistaken", "what"),
    [
        ('1,"Anju,9000000001,x\n' + "2,Binu,9000000002,y\n" * 3, "not closed"),
        ('1,"Anju,9000000001,x\n' + "2,Binu,9000000002,y\n" * 300, "not closed"),
        ('1,"Anju,9000000001,x\n2,Binu,9000000002,"y z"\n', "not closed"),
        ('1,"Anju,9000000001,x\n2,Binu,9000000002,y\n3,C,9000000003,6"\n', "takes in the rows below"),
        ('1,Anju,9000000001,"x' + "y" * 140_000 + '"\n', "far too long"),
        ("1,Anju,9000000001," + "y" * (1 << 20) + "\n", "far too long"),
    ],
)
def test_mistaken_quotation_marks_do_not_swallow_rows(path: Path, mistaken: str, what: str) -> None:
    good = "0,Zoya,9000000009,x\n" * 60
    path.write_text("Date,Name,Phone,Remarks\n" + good + mistaken + good)
    problem = problem_of(path)
    assert problem.startswith("line 62: ")
    assert what in problem


def test_a_mistake_above_the_header_is_said_too(path: Path) -> None:
    path.write_text('"Walk-In Report\n' + csv_text([HEADER, ANJU]))
    assert problem_of(path).startswith("line 1: a quotation mark")


def test_a_long_remark_is_no_mistake(path: Path) -> None:
    remark = "\n".join(["call 9000000001, then 9000000002"] * 99)
    save_csv(path, [HEADER, ("1", "Anju", "9000000001", remark), BINU])
    assert cells(path) == [("1", "Anju", "9000000001", remark), BINU]


def test_sheets_are_read_as_often_as_one_likes(path: Path) -> None:
    save_csv(path, [HEADER, ANJU, BINU])
    with open_file(path) as sheets:
        (sheet,) = sheets
        assert sheet.name == ""
        assert sheet.columns == ("date", "name", "phone", "status")
        first, second = sheet.rows(), sheet.rows()
        assert next(first) == next(second)
        assert len(list(sheet.rows())) == 2
        assert [row.cells["name"] for row in first] == ["Binu"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(path: Path) -> None:
    save_csv(path, [HEADER, *[(str(n), f"Anju {n}", str(9000000000 + n), "x" * 200) for n in range(15_000)]])
    tracemalloc.start()
    try:
        with open_file(path) as sheets:
            assert sum(1 for sheet in sheets for _ in sheet.rows()) == 15_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 2
