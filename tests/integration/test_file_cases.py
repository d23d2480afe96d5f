"""Files as stores send them, with a flaw: the right leads all the same, and what a person must know."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from syncctl.domain.run_documents import run_envelope
from syncctl.domain.run_results import LocationResult, RunResult
from syncctl.domain.sources import StepName
from tests.support.store_files import HEADER, counts, row, write
from tests.support.world import World

CASES = Path(__file__).parent / "cases"
WALKIN, LOSS = StepName.WALKIN, StepName.LOSS_OF_SALE
FUNCTION = datetime(2025, 3, 10, tzinfo=UTC)


def file_of(result: RunResult) -> LocationResult:
    (location,) = result.steps[0].locations
    return location


def test_phone_and_mobile_remark_and_remarks(world: World) -> None:
    result = world.import_files(WALKIN, CASES / "10-phone-and-mobile-columns" / "walkin_sg_calicut.csv")
    assert counts(result) == (3, 0, 0, 0, 0, 0)
    assert {lead["name"]: (lead["phone"], lead["remarks"]) for lead in world.app.leads()} == {
        "Both A": ("4952345678", "has a landline and a mobile"),
        "Only mobile B": ("9846012346", "only the second is filled"),
        "Dash C": ("9846012347", "a dash in the first"),
    }


@pytest.mark.parametrize(
    ("titles", "cells", "expected"),
    [
        (("Number", "Contact"), ("12", "9846012345"), "9846012345"),
        (("Number", "Contact"), ("9846012345", "Anju's mother"), "9846012345"),
        (("Phone", "Mobile"), ("no phone", "9846012345"), "9846012345"),
        (("Mobile", "Phone"), ("9846012345", "9846012346"), "9846012345"),
        (("Contact", "Contact"), ("12345", "9846012345"), "9846012345"),
    ],
)
def test_the_first_usable_phone_number_counts(
    world: World, tmp_path: Path, titles: tuple[str, str], cells: tuple[str, str], expected: str
) -> None:
    header = ["Date", "Customer Name", *titles, "Remarks"]
    file = write(tmp_path / "walkin_sg_calicut.csv", ["01-02-2025", "Anju", *cells, "x"], header=header)
    assert counts(world.import_files(WALKIN, file)) == (1, 0, 0, 0, 0, 0)
    assert [lead["phone"] for lead in world.app.leads()] == [expected]


def test_customer_name_counts_before_customer_and_dates_that_can_be_read(
    world: World, tmp_path: Path
) -> None:
    header = ["Customer", "Customer Name", "Contact", "Date", "Enquiry Date", "Branch"]
    rows = [
        ["C-17", "Anju", "9846012345", "soon", "01-02-2025", "Calicut"],
        ["Binu", "-", "9846012346", "", "02-02-2025", "Z Edappally"],
    ]
    file = write(tmp_path / "walkin_sg_calicut.csv", *rows, header=header)
    result = world.import_files(WALKIN, file)
    assert counts(result) == (2, 0, 0, 0, 0, 0)
    assert file_of(result).warning == (
        "the store column says Zorucci - Edappally, but Suitor Guy - Calicut counts: row 4"
    )
    assert {lead["store"] for lead in world.app.leads()} == {"Suitor Guy - Calicut"}
    assert {lead["name"]: lead["createdAt"].day for lead in world.app.leads()} == {"Anju": 1, "Binu": 2}


def test_a_reject_with_two_phone_columns_is_tried_again_by_both(world: World, tmp_path: Path) -> None:
    header = ["Date", "Customer Name", "Phone", "Phone", "Store"]
    file = write(
        tmp_path / "walkin.csv", ["01-02-2025", "Anju", "12", "9846012345", "Atlantis"], header=header
    )
    assert counts(world.import_files(WALKIN, file)) == (0, 0, 0, 0, 0, 1)
    document = world.app.all("syncrejects")[0]
    raw = json.loads(document["row"])
    assert (raw["Phone"], raw["Phone (D)"]) == ("12", "9846012345")
    with world.storage() as storage:
        (reject,) = storage.rejects()
    assert reject.reason.startswith("no store")


def test_one_stray_byte(world: World) -> None:
    folder = CASES / "12-one-stray-byte"
    world.import_files(WALKIN, folder / "walkin_sg_calicut.csv")
    before = {lead["name"] for lead in world.app.leads()}
    result = world.import_files(WALKIN, folder / "walkin_sg_calicut_2.csv", store="Suitor Guy - Calicut")
    assert counts(result) == (1, 0, 3, 0, 0, 0)
    leads = {lead["name"]: lead for lead in world.app.leads()}
    assert leads.keys() == before | {"New D"}
    assert leads["New D"]["remarks"] == "bride\ufffds sister"
    assert file_of(result).warning == "a character can't be read and became \ufffd: row 5"


@pytest.mark.parametrize("name", ["lossofsale_sg_calicut.xls", "lossofsale_sg_kannur.xls"])
def test_old_workbooks_of_both_epochs(world: World, name: str) -> None:
    assert counts(world.import_files(LOSS, CASES / "15-xls" / name)) == (3, 0, 0, 0, 0, 0)
    for lead in world.app.leads():
        if lead["name"] != "Xls Formula":  # which no program has evaluated
            assert lead["enquiryDate"] == lead["createdAt"] == datetime(2025, 2, 1, tzinfo=UTC)
            assert lead["functionDate"] == FUNCTION


def test_hidden_sheets_are_passed_over_and_named(world: World) -> None:
    result = world.import_files(LOSS, CASES / "29-hidden-sheet-and-rows" / "lossofsale_sg_calicut.xlsx")
    assert counts(result) == (2, 0, 0, 0, 0, 0)
    assert {lead["name"] for lead in world.app.leads()} == {"Corrected Name", "Visible Two"}
    assert "hidden sheets passed over: CALICUT (2), KANNUR" in (file_of(result).warning or "")
    assert run_envelope(result)["steps"][0]["hidden_sheets"] == [
        {"file": "lossofsale_sg_calicut.xlsx", "sheets": ["CALICUT (2)", "KANNUR"]}
    ]


def test_a_hidden_sheet_that_is_named_is_read(world: World) -> None:
    file = CASES / "29-hidden-sheet-and-rows" / "lossofsale_sg_calicut.xlsx"
    result = world.import_files(LOSS, file, sheet="CALICUT (2)")
    assert {lead["name"] for lead in world.app.leads()} == {"Corected Nam"}
    assert file_of(result).warning is None


def test_text_as_a_formula(world: World) -> None:
    result = world.import_files(WALKIN, CASES / "40-text-as-formula" / "walkin_sg_calicut.csv")
    assert counts(result) == (3, 0, 0, 0, 0, 0)
    leads = {lead["name"]: lead for lead in world.app.leads()}
    assert {name: lead["phone"] for name, lead in leads.items()} == {
        "Anjali": "9846012345",
        "Meera": "9846012346",
        "Latha": "9846012347",
    }
    assert {lead["functionDate"] for lead in leads.values()} == {FUNCTION}
    assert {lead["enquiryDate"].day for lead in leads.values()} == {1}
    assert (leads["Anjali"]["attendedBy"], leads["Anjali"]["closingStatus"]) == ("Staff A", "Loss")
    assert leads["Anjali"]["reason"] == "costly"
    assert (leads["Latha"]["closingStatus"], leads["Latha"]["remarks"]) == ("New Walkin", "")


def test_filled_cells_beyond_the_header_are_a_reject_that_stays_one(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row(), [*row(Customer_Name="B"), "", "9846012345"])
    assert counts(world.import_files(WALKIN, file)) == (1, 0, 0, 0, 0, 1)
    (reject,) = world.app.all("syncrejects")
    assert reject["reason"] == "cells beyond the last column title are filled"
    assert json.loads(reject["row"])["beyond the header (J)"] == "9846012345"
    assert world.retry_rejects().saved == 0
    assert len(world.app.leads()) == 1
    write(file, row(), row(Customer_Name="B"))
    assert counts(world.import_files(WALKIN, file)) == (1, 0, 1, 0, 0, 0)
    assert not world.app.all("syncrejects")


def test_a_cell_that_can_not_be_read_is_a_reject_that_stays_one(world: World, tmp_path: Path) -> None:
    from tests.unit.files.support import SHEET_1, save_xlsx, with_part

    file = save_xlsx(tmp_path / "walkin_sg_calicut.xlsx", {"A": [HEADER, row(), row(Customer_Name="B")]})

    def change(xml: str) -> str:
        start = xml.index('<c r="D3"')
        return xml[:start] + '<c r="D3" t="n"><v>abc</v></c>' + xml[xml.index("</c>", start) + 4 :]

    with_part(file, SHEET_1, change)
    assert counts(world.import_files(WALKIN, file)) == (1, 0, 0, 0, 0, 1)
    (reject,) = world.app.all("syncrejects")
    assert reject["reason"] == "a cell can't be read"
    assert json.loads(reject["row"])["cells that can't be read"] == "D"
    assert world.retry_rejects().saved == 0


def test_a_merged_date_and_printed_lines(world: World, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Customer Name", "Contact", "Date"])
    for number in range(3):
        sheet.append([f"Anju {number}", 9846012345 + number, datetime(2025, 2, 1) if not number else None])  # noqa: DTZ001
    sheet.merge_cells("C2:C4")
    for words in (["Total: 3"], ["Printed on 13-02-2025", None, None], ["Page 1 of 1"], ["Signature"]):
        sheet.append(words)
    book.save(tmp_path / "walkin_sg_calicut.xlsx")
    result = world.import_files(WALKIN, tmp_path / "walkin_sg_calicut.xlsx")
    assert counts(result) == (3, 0, 0, 0, 0, 0)
    assert (result.steps[0].counts.rows, result.steps[0].counts.ignored) == (7, 4)
    assert {lead["createdAt"] for lead in world.app.leads()} == {datetime(2025, 2, 1, tzinfo=UTC)}


def test_errors_and_other_content_in_cells(world: World, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    day = datetime(2025, 2, 1)  # noqa: DTZ001
    contents: list[tuple[str, object]] = [
        *(("A", "#N/A"), ("A", True), ("B", "#REF!"), ("C", "#VALUE!"), ("C", day), ("C", False)),
        *(("C", "=A1"), ("F", "#N/A"), ("D", "#N/A"), ("E", "#REF!"), ("K", "#N/A")),
    ]
    for place, (column, value) in enumerate(contents, start=2):
        sheet.append([day, f"Anju {place}", 9846012300 + place, day, "Staff A", "Booked", "ENQ", "x"])
        sheet[f"{column}{place}"] = value
        if str(value).startswith("#"):
            sheet[f"{column}{place}"].data_type = "e"
    file = tmp_path / "walkin_sg_calicut.xlsx"
    book.save(file)
    result = world.import_files(WALKIN, file)
    assert counts(result) == (3, 0, 0, 0, 0, 8)
    assert file_of(result).warning == (
        "Function Date can't be read, saved without it: sheet Sheet, row 10; "
        "Staff can't be read, saved without it: sheet Sheet, row 11"
    )
    with world.storage() as storage:
        reasons = [reject.reason for reject in storage.rejects()]
    assert sorted(reasons) == [
        "Date can't be read: TRUE is in the cell",
        "Date can't be read: the error #N/A is in the cell",
        "FALSE where the phone number should be",
        "Status can't be read: the error #N/A is in the cell",
        "a date where the phone number should be",
        "the error #REF! where the customer name should be",
        "the error #VALUE! where the phone number should be",
        "the phone number is a formula, or has a fraction",
    ]
    assert world.retry_rejects().saved == 0
    leads = {lead["name"]: lead for lead in world.app.leads()}
    assert "functionDate" not in leads["Anju 10"]
    assert "attendedBy" not in leads["Anju 11"]


def test_a_field_that_has_become_an_error_stays_as_it_was(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row())
    world.import_files(WALKIN, file)
    write(file, row(Staff="#N/A", Function_Date="#REF!", Remarks="news"))
    assert counts(world.import_files(WALKIN, file)) == (0, 1, 0, 0, 0, 0)
    (lead,) = world.app.leads()
    assert (lead["attendedBy"], lead["remarks"]) == ("RAYAN", "news")
    assert lead["functionDate"] == datetime(2025, 11, 28, tzinfo=UTC)
    write(file, row(Staff="BINU", Remarks="news"))
    assert counts(world.import_files(WALKIN, file)) == (0, 1, 0, 0, 0, 0)
    assert [lead["attendedBy"] for lead in world.app.leads()] == ["BINU"]


def test_blank_characters_and_lines_below_the_table(world: World, tmp_path: Path) -> None:
    header = [*HEADER, "\u200b", "\u00a0"]
    file = write(
        tmp_path / "walkin_sg_calicut.csv",
        [*row(), "\u200b", "\u00a0", "\ufeff"],
        ["\u2060", "\u00a0"],
        ["Page", "1", "of", "2"],
        header,
        row(Customer_Name="Total Raj"),
        ["", "Closing balance", "12345.00"],
        ["Printed by admin", "", "01-02-2025"],
        header=header,
    )
    result = world.import_files(WALKIN, file)
    assert counts(result) == (2, 0, 0, 0, 0, 0)
    assert (result.steps[0].counts.rows, result.steps[0].counts.ignored) == (5, 3)
    assert {lead["name"] for lead in world.app.leads()} == {"Anagha S", "Total Raj"}


def test_a_line_that_was_listed_as_a_customer_leaves_the_list(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", ["Loss", "5", "Booked", "three"])
    assert counts(world.import_files(WALKIN, file)) == (0, 0, 0, 0, 0, 1)
    write(file, ["Loss", "5", "Booked", "3"])
    assert counts(world.import_files(WALKIN, file)) == (0, 0, 0, 0, 0, 0)
    assert not world.app.all("syncrejects")


def test_a_dry_run_warns_of_the_same(world: World, tmp_path: Path) -> None:
    file = tmp_path / "walkin_sg_calicut.csv"
    shutil.copy(CASES / "12-one-stray-byte" / "walkin_sg_calicut_2.csv", file)
    dry = file_of(world.import_files(WALKIN, file, dry_run=True))
    assert dry.warning == file_of(world.import_files(WALKIN, file)).warning
    assert dry.warning
