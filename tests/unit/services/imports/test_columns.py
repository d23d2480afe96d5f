"""Which column of a file is taken for what."""

import csv
from datetime import datetime
from functools import partial
from pathlib import Path

import openpyxl
import pytest

from syncctl.domain.lead_fields import SOURCE_FIELDS, columns_of
from syncctl.domain.sources import StepName
from syncctl.errors import FileProblemError
from syncctl.files.headers import Titles
from syncctl.files.reading import open_file
from syncctl.ports.stop import Stop
from syncctl.services.imports.columns import ColumnReport, HeaderColumns, column_report

WALKIN, LOSS = StepName.WALKIN, StepName.LOSS_OF_SALE


def look(file: Path, kind: StepName = WALKIN, **added: str) -> ColumnReport:
    titles = Titles(f"columns.{kind}", added)
    return column_report(file, kind, partial(open_file, known=titles, nearest=True), Stop())


def write(folder: Path, *rows: tuple[object, ...]) -> Path:
    file = folder / "walkin_sg_calicut.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return file


def only_header(report: ColumnReport) -> HeaderColumns:
    (sheet,) = report.sheets
    (header,) = sheet.headers
    return header


def test_what_is_taken_left_over_and_missing(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        ("Walk-In Report",),
        ("#", "Date", "Customer Name", "Mobile", "Contact", "Reason", "Size", "Status"),
        ("1", "10-10-2026", "Anju", "", "90000 00001", "price", "40", "Loss"),
        ("2", "10-10-2026", "Manu", "9000000002", "9000000003", "price", "42, 9000000009", "Booked"),
        ("3", "11-10-2026", "Sonu", "", "9000000005 / 9000000006", "colour", "44", "Trial"),
    )
    report = look(file)
    header = only_header(report)
    assert report.is_understood
    assert (report.file, report.kind, header.row) == (file.name, WALKIN, 2)
    found = {
        each.title: (each.position, each.column, each.rank, each.fields, each.samples)
        for each in header.taken
    }
    assert found["Date"] == (
        1,
        "date",
        1,
        ("enquiryDate", "visitDate", "createdAt"),
        ("10-10-2026", "11-10-2026"),
    )
    assert found["Mobile"] == (3, "phone", 1, ("phone",), ("90xxxxxx02",))
    assert found["Contact"] == (4, "phone", 2, ("phone",), ("90xxxxxx01", "90xxxxxx03"))
    assert found["Reason"] == (5, "reason", 1, (), ("price", "colour"))
    left = {each.title: (each.position, each.samples, each.line) for each in header.left_over}
    assert left["Size"] == (
        6,
        ("40", "42, 90xxxxxx09"),
        'add to MAPPING_FILE: [columns.walkin] "Size" = "COLUMN"',
    )
    assert set(left) == {"#", "Size"}
    missing = {each.field: each.columns for each in header.missing}
    assert missing["functionDate"] == ("function date",)
    assert missing["remarks"] == ("remarks", "notes", "comments")
    assert "name" not in missing and "phone" not in missing  # noqa: PT018


@pytest.mark.parametrize("kind", [WALKIN, LOSS])
def test_every_field_is_taken_or_missing(tmp_path: Path, kind: StepName) -> None:
    file = write(
        tmp_path,
        ("Date", "Name", "Contact", "Reason", "Remarks"),
        ("10-10-2026", "A", "9000000001", "x", "y"),
    )
    header = only_header(look(file, kind))
    taken = {field for each in header.taken for field in each.fields}
    missing = {each.field for each in header.missing}
    assert not taken & missing
    assert taken | missing == {each.name for each in SOURCE_FIELDS if columns_of(kind, each)} | {"phone"}


def test_titles_of_the_mapping_file(tmp_path: Path) -> None:
    file = write(
        tmp_path, ("Date", "Name", "Contact", "What she said"), ("10-10-2026", "A", "9000000001", "x")
    )
    header = only_header(look(file, whatshesaid="remarks"))
    assert [each.column for each in header.taken] == ["date", "name", "phone", "remarks"]
    assert not header.left_over


def test_titles_that_change_further_down_and_several_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "CALICUT"
    second = book.create_sheet("KANNUR")
    hidden = book.create_sheet("Old")
    hidden.sheet_state = "hidden"
    book.create_sheet("Notes").append(("nothing", "of", "interest"))
    titles = ("DATE", "CUSTOMER NAME", "NUMBER", "REASON")
    for sheet in (first, second, hidden):
        sheet.append(titles)
        sheet.append(("10-10-2026", "Anju", 9000000001, "price"))
    for row in (("NOVEMBER LOSS OF SALE",), titles, ("1-11-2026", "B", 9000000002, "size")):
        first.append(row)
    second.append(("CUSTOMER NAME", "NUMBER", "DATE", "COMMENTS"))
    second.append(("Manu", 9000000003, "2-11-2026", "later"))
    book.save(tmp_path / "lossofsale.xlsx")
    report = look(tmp_path / "lossofsale.xlsx", LOSS)
    assert [(sheet.name, len(sheet.headers)) for sheet in report.sheets] == [("CALICUT", 1), ("KANNUR", 2)]
    assert report.sheets[0].headers[0].taken[3].samples == ("price", "size")
    changed = report.sheets[1].headers[1]
    assert [each.column for each in changed.taken] == ["name", "phone", "date", "comments"]
    assert (changed.row, changed.taken[0].samples) == (4, ("Manu",))
    assert report.hidden_sheets == ("Old",)
    assert "sheet Notes" in report.problems[0]
    assert not report.is_understood


def test_where_no_row_is_a_header_the_nearest_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "walkin.csv"
    file.write_text("Client;Cell no;Dt;Status\nAnju;9000000001;10-10-2026;Loss\n", encoding="utf-8")
    header = only_header(look(file))
    assert not header.is_header
    assert [each.column for each in header.taken] == ["phone", "date", "status"]
    assert [(each.title, each.samples) for each in header.left_over] == [("Client", ("Anju",))]
    assert [each.samples for each in header.taken] == [("90xxxxxx01",), ("10-10-2026",), ("Loss",)]
    assert header.missing[0].field == "name"
    with pytest.raises(FileProblemError) as refused, open_file(file, known=Titles("columns.walkin")):
        pass
    assert (
        'is \'Client\' in row 1 the name? Then add to MAPPING_FILE: [columns.walkin] "Client" = "name"'
        in str(refused.value)
    )


def test_a_real_date_is_a_sample_too(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Date", "Customer Name", "Contact", "Reason"])
    sheet.append([datetime(2026, 10, 10), "Anju", 9000000001, "price"])  # noqa: DTZ001 - as in a cell
    book.save(file := tmp_path / "lossofsale_sg_calicut.xlsx")
    samples = {each.title: each.samples for each in only_header(look(file, LOSS)).taken}
    assert samples["Date"] == ("2026-10-10",)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match="no row with the column titles"):
        look(write(tmp_path, ("just", "a", "few"), ("words", "in", "it")))
