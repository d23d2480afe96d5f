"""The sheet for correction: titles, lines and cells."""

import csv
import io
import json
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest

from syncctl.domain.records import Reject
from syncctl.files.sheet_writing import write_csv
from syncctl.services.rejects.reject_sheets import (
    OWN_TITLES,
    ids_in,
    lines_of,
    merged_titles,
    sheet_of_all,
    sheets_of,
)
from tests.support.packaged_titles import cells_of

FORMULA = "HYPERLINK(1)"
BEFORE = ["", " ", "\n", "\r\n", "\t", "\r", "\u00a0", "\u200b", "\ufeff", "\x00", " \n\t \u3000"]
AT = datetime(2026, 3, 11, tzinfo=UTC)


def reject(number: int, row: dict[str, Any], **changes: Any) -> Reject:
    fields: dict[str, Any] = {
        "reject_id": f"{number:024x}",
        "source": "walkin",
        "location": "walkin_sg_calicut.csv",
        "store": "Suitor Guy - Calicut",
        "position": f"\x1f{number}",
        "reason": "no customer name",
        "row": json.dumps(row),
        "run_id": "run",
        "rejected_at": AT,
    }
    return Reject(**{**fields, **changes})


def of_booking(number: int, item: str, **row: Any) -> Reject:
    booking = {"bookingNo": "77", "customerName": "Anagha", "phoneNo": "12", "itemCode": item, **row}
    place = {"source": "booking", "location": "7", "position": f"77\x1f{item}"}
    return reject(number, booking, reason="too few digits", **place)


def exported(values: dict[str, Any]) -> list[str]:
    """The cells that the sheet has for a row's values, as a program reads them."""
    out = io.BytesIO()
    sheet = sheet_of_all(lines_of([of_booking(1, "A", **values)]), cells_of)
    write_csv(sheet.titles, sheet.rows, out)
    titles, cells = csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""))
    return [cells[titles.index(title)] for title in values if title in titles]


@pytest.mark.attack("formulas")
@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
@pytest.mark.parametrize("before", BEFORE)
def test_no_cell_begins_as_a_formula(sign: str, before: str) -> None:
    cell = f"{before}{sign}{FORMULA}"
    assert exported({"remarks": cell}) == [f"'{cell}".replace("\0", "")]  # which no cell shows


@pytest.mark.attack("formulas")
@pytest.mark.parametrize("end", ["\t", "\r", "\n", ";", "\n\u00a0"])
def test_none_begins_where_a_spreadsheet_sees_another_cell(end: str) -> None:
    (value,) = exported({"remarks": f"Anagha{end}={FORMULA}"})
    assert value == f"Anagha{end[0]}'{end[1:]}={FORMULA}"


@pytest.mark.attack("formulas")
def test_titles_and_what_rejected_them_are_cells_too() -> None:
    line = of_booking(1, "A", **{f"\n={FORMULA}": "x"})
    (odd,) = lines_of([Reject(*(*list_of(line)[:3], "=store", line.position, "-reason", *list_of(line)[6:]))])
    sheet = sheet_of_all([odd], cells_of)
    assert f"'\n={FORMULA}" in sheet.titles
    assert {"'-reason", "'=store"} <= set(sheet.rows[0])


def list_of(line: Reject) -> list[Any]:
    return list(line)


def test_what_is_no_formula_is_exported_as_it_is() -> None:
    values = {"a": "Anagha", "b": "a=b", "c": "12-3", "d": "x@y", "e": 5, "f": None, "g": "അനഘ", "h": "a\nb"}
    assert exported(values) == ["Anagha", "a=b", "12-3", "x@y", "5", "", "അനഘ", "a\nb"]


@pytest.mark.attack("formulas")
def test_hidden_characters_take_no_time() -> None:
    begun = process_time()
    exported({"name": "\x0b" * 100_000 + "x", "note": " ;" * 50_000})
    assert process_time() - begun < 5


def test_a_title_that_the_first_rows_lack_stands_where_its_own_row_has_it() -> None:
    rows = [["#", "Date", "Name", "Status"], ["#", "Date", "Name", "Contact", "Status"], ["Sl", "Date"]]
    assert merged_titles(rows) == ["Sl", "#", "Date", "Name", "Contact", "Status"]
    assert merged_titles([]) == []


def test_there_is_a_column_for_what_no_row_has() -> None:
    sheet = sheet_of_all(lines_of([reject(1, {"Date": "13-02-2025", "Status": "Loss"})]), cells_of)
    assert sheet.titles == ("Date", "Status", "Customer Name", "Contact", *OWN_TITLES)
    booking = Reject(*(*list_of(of_booking(1, "A"))[:6], '{"bookingNo": "77"}', "run", AT))
    assert sheet_of_all(lines_of([booking]), cells_of).titles[:3] == ("bookingNo", "customerName", "phoneNo")


def test_of_a_report_what_tells_the_customer_comes_first() -> None:
    sheet = sheet_of_all(lines_of([of_booking(1, "A", area="x", bookingDate="2026-03-01")]), cells_of)
    assert sheet.titles[:6] == ("bookingNo", "customerName", "phoneNo", "bookingDate", "itemCode", "area")


def test_the_item_rows_of_a_booking_are_one_line() -> None:
    items = [of_booking(1, "A", price=5), of_booking(2, "B", price=5), of_booking(3, "C", price=None)]
    other = of_booking(4, "A", bookingNo="78")
    sheet = sheet_of_all(lines_of([*items, other]), cells_of)
    first = dict(zip(sheet.titles, sheet.rows[0], strict=True))
    assert len(sheet.rows) == 2
    assert (first["itemCode"], first["price"], first["phoneNo"]) == ("A | B | C", "5", "12")
    assert ids_in(first["rejected: id"]) == tuple(each.reject_id for each in items)
    assert first["rejected: file"] == "booking, location 7"
    assert first["rejected: reason"] == "too few digits"


def test_lines_stand_as_in_their_files_and_kinds_in_sheets_of_their_own() -> None:
    rejects = [
        of_booking(1, "A"),
        *(reject(n, {"Customer Name": f"N{n}"}, position=f"May\x1f{n}") for n in (12, 3)),
        reject(2, {"Customer Name": "L"}, source="lossofsale", location="lossofsale_z_edappally.csv"),
    ]
    sheets = sheets_of(lines_of(rejects), cells_of)
    assert [sheet.name for sheet in sheets] == ["Booking Confirmations", "Loss of sale", "Walk-ins"]
    at = sheets[2].titles.index("rejected: row")
    assert [row[at] for row in sheets[2].rows] == ["May 3", "May 12"]
    assert sheets_of([], cells_of)[0].titles == OWN_TITLES


def test_ids_are_no_numbers_to_a_spreadsheet_and_may_be_copied_as_they_stand() -> None:
    assert ids_in("R-12e34 R-AB12,".replace(",", "")) == ("12e34", "ab12")
    assert ids_in(" 12e34\n") == ("12e34",)
    assert ids_in(None) == ids_in("") == ()
