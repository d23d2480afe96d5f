"""Which records of a table are rows, and what is in them."""

from datetime import date

import pytest

from syncctl.files.cells import EPOCH_1900, Cell
from syncctl.files.rows import FileRow, file_rows

HEADER: list[Cell] = ["#", "Date", "Customer Name", "Contact", "Competitor", "Remarks"]
ANJU: list[Cell] = [1, "22-10-2025", "Anju", 9000000001, None, None]


def rows_of(*records: list[Cell], header: list[Cell] = HEADER) -> list[FileRow]:
    return list(file_rows(enumerate([header, *records], start=1), EPOCH_1900))


def test_a_row() -> None:
    (row,) = rows_of([1, 45678, "Anju", "9000000001.0", "Elsewhere", True, "beyond"])
    assert row.number == 2
    assert row.cells == {
        **{"date": date(2025, 1, 21), "name": "Anju", "phone": "9000000001", "remarks": True},
        "beyond the header": "G",
    }
    assert row.raw == {
        "#": "1",
        "Date": "45678",
        "Customer Name": "Anju",
        "Contact": "9000000001.0",
        "Competitor": "Elsewhere",
        "Remarks": "TRUE",
        "beyond the header (G)": "beyond",
    }


def test_a_short_row_has_every_column() -> None:
    (row,) = rows_of([None, None, "Anju", "9000000001"])
    assert row.cells == {"date": None, "name": "Anju", "phone": "9000000001", "remarks": None}
    assert row.raw == {"Customer Name": "Anju", "Contact": "9000000001"}


def test_only_date_columns_have_serial_numbers() -> None:
    (row,) = rows_of([1, 45678, 45679, 9000000001, 45680, 45681])
    assert row.cells["name"] == 45679
    assert row.cells["remarks"] == 45681
    (row,) = rows_of([45678, "Anju", 45679], header=["Function Date", "Name", "Phone"])
    assert row.cells == {"function date": date(2025, 1, 21), "name": "Anju", "phone": 45679}


def test_what_stands_above_the_header_is_no_row() -> None:
    records: list[tuple[int, list[Cell]]] = [
        (1, ["Walk-In Report", None, "Anju", 9000000001]),
        (2, [None, None]),
        (3, HEADER),
        (4, ANJU),
    ]
    assert [row.number for row in file_rows(records, EPOCH_1900)] == [4]


@pytest.mark.parametrize(
    "passed_over",
    [
        [],
        [None, None, None],
        [17],
        ["17"],
        ["17.0", None, None, None, 2],
        ["NOVEMBER LOSS OF SALE"],
        [None, None, None, None, "see the next page"],
        [None, None, None, None, None, "SG Trivandrum"],
        [None, "01-11-2025"],
        [None, date(2025, 11, 1)],
        [None, None, "NOVEMBER LOSS  OF SALE"],
        [None, None, "Edappally Walk-In Report"],
        [None, None, "walkin report"],
        [None, None, "November"],
        [None, None, "DECEMBER 2025"],
        [None, None, "Nov-25"],
        [None, None, "Month of May"],
        [None, None, None, "JANUARY '26"],
        HEADER,
        ["DATE ", "CUSTOMER  NAME", "NUMBER", "REASON"],
    ],
)
def test_passed_over(passed_over: list[Cell]) -> None:
    assert [row.number for row in rows_of(ANJU, passed_over)] == [2]


@pytest.mark.parametrize(
    "kept",
    [
        [None, None, "Anju"],
        [None, None, "June Thomas"],
        [None, None, "Mary May"],
        [None, None, None, "call her"],
        [None, None, None, 9000000001],
        [None, None, 17],
        ["17", "22-10-2025"],
        [None, None, None, None, "Elsewhere", "call later"],
        ["no number", None, None, None, "Elsewhere"],
        [True, None, None, None, 3],
        [3, "22-10-2025", "November", "9000000001", "loss of sale"],
        ["Date", "Customer Name", "Contact of", "Anju"],
        ["#", "Date", "Customer Name", "9000000001", "Contact", "Remarks"],
    ],
)
def test_never_passed_over(kept: list[Cell]) -> None:
    assert [row.number for row in rows_of(ANJU, kept)] == [2, 3]


def test_a_different_header_is_in_force_from_there_on() -> None:
    rows = rows_of(
        ANJU,
        ["NAME", "Mobile", "Reason"],
        ["Binu", "9000000002", "colour"],
        HEADER,
        ANJU,
    )
    assert [row.number for row in rows] == [2, 4, 6]
    assert rows[1].cells == {"name": "Binu", "phone": "9000000002", "reason": "colour"}
    assert rows[1].raw == {"NAME": "Binu", "Mobile": "9000000002", "Reason": "colour"}
    assert rows[0].cells == rows[2].cells


@pytest.mark.parametrize(
    "phone", ["98765 43210", "9876543210/9123456780", "+91 9876543210", "-1", "nil", 1.5]
)
def test_a_phone_however_written_makes_a_row(phone: Cell) -> None:
    (row,) = rows_of([None, None, None, phone, None, "call later"])
    assert row.cells["phone"] == phone


@pytest.mark.parametrize(
    "printed",
    [
        *(
            ["Total", None, 45],
            [None, None, "Total", 45],
            [None, None, "Total: 45", None],
            ["Grand Total", 45, 3],
        ),
        *(
            [None, None, "TOTAL CUSTOMERS", "45"],
            ["Sub-total", None, None, "12"],
            [None, "Net total", "x", 3],
        ),
        [None, None, "Printed on 13-02-2025 10:30:00"],
        ["Printed on", "13-02-2025", "10:30"],
        ["Printed By : Staff A", None, "Page 1 of 2", "1"],
        *([None, None, "Page 1 of 2"], [None, None, "Page No. 3"], ["Page 2", "of", "3"]),
        *([None, None, "Generated by RentalPro 4.2"], ["Report generated on", None, "13/02/2025", None]),
        *(
            [None, None, "Exported from POS"],
            [None, None, "End of report"],
            [None, None, "*** End of List ***"],
        ),
        *([None, None, "Authorised Signature"], ["Prepared by", None, "Checked by", "Approved by"]),
        *(["Manager:", None, None, "Signature: ______"], [None, None, "Store Manager's signature"]),
        *([None, None, "--------", "--------"], [None, None, "_______"], [None, None, "No. of records: 45"]),
        *([None, None, "45 customers"], [None, None, "This is a computer generated report"]),
        [None, None, "Copyright RentalPro"],
    ],
)
def test_lines_printed_below_the_table_are_no_customers(printed: list[Cell]) -> None:
    assert [row.number for row in rows_of(ANJU, printed)] == [2]


@pytest.mark.parametrize(
    "customer",
    [
        *([None, None, "Total Fernandes", "98460 12345"], [None, None, "Page 3", 9846012345]),
        *(
            [None, "22-10-2025", "Paget", None],
            [None, "22-10-2025", "Totally Rao", None],
            [1, None, "Anju", 45],
        ),
        *([None, "22-10-2025", "Anju", None, None, "did not sign"], [None, "--", "Anju", None, None, "x"]),
        *([None, "22-10-2025", "Printha", None], [None, "22-10-2025", "Anju", "12", None, "total 3 suits"]),
        [None, "22-10-2025", "Anju", None, None, "asked for the signature collection"],
    ],
)
def test_a_customer_is_none_of_these_lines(customer: list[Cell]) -> None:
    assert [row.number for row in rows_of(ANJU, customer)] == [2, 3]


SHORT: list[Cell] = ["Date", "Customer Name", "Contact", "Status"]


@pytest.mark.parametrize("header", [SHORT, HEADER, ["Customer Name", "Contact", "Date", "Staff"]])
@pytest.mark.parametrize(
    "line",
    [
        *(["Page", "1", "of", "2"], ["Count", "2"], [None, "Closing balance", "12345.00"]),
        *(["Printed by admin", None, "01-02-2025"], ["Loss", "5", "Booked", "3"], ["Loss", 5, "Booked", 3]),
        *([None, "Walk-In Register - November"], [None, "LOSS OF SALE", "NOVEMBER 2025"]),
        *([None, "Suitor Guy Calicut"], [None, "NOVEMBER", "2025"], ["Count:", 2], ["Opening Balance", 500]),
        *(["Total", "45", "Loss", "12"], ["Sub Total", 5, 12, 3], ["Total Loss: 5", "Total Booked: 3"]),
        *([None, "Customer Name", "Contact"], ["Date", "Customer Name"], ["Closing balance", None, 123456]),
        *(
            ["Printed on", "13-02-2025 10.30"],
            ["To\N{SOFT HYPHEN}tal", "2"],
            ["E. & O.E.", None, "Thank you"],
        ),
        *(["Page 1", "13-02-2025"], ["Booked", "20%", "Loss", "80%"], ["Amount", "1,23,456"]),
    ],
)
def test_lines_of_several_cells_that_are_no_customers(line: list[Cell], header: list[Cell]) -> None:
    ignored: list[FileRow] = []
    rows = list(file_rows(enumerate([header, line], start=1), EPOCH_1900, ignored.append))
    assert (rows, [row.number for row in ignored]) == ([], [2])


@pytest.mark.parametrize(
    "total",
    [
        ["01-02-2025", "Total", "2"],
        [date(2025, 2, 1), "Grand Total", 2],
        [45678, "Count: 2", None],
        ["13 Feb 2025", "Total Booked", "2"],
    ],
)
def test_a_days_total_is_no_customer(total: list[Cell]) -> None:
    assert rows_of(total, header=SHORT) == []


@pytest.mark.parametrize(
    "customer",
    [
        *(
            ["01-02-2025", "Total Raj", "9846012345"],
            [None, "Total", 9846012345],
            ["Page", "1", "98460 12345"],
        ),
        *(
            ["01-02-2025", "Total Raj", "98460"],
            ["01-02-2025", "Total Raj", 9846012],
            ["Anju", 9846012345, "x"],
        ),
        *(["01-02-2025", None, None, "Loss"], ["01-02-2025", "June", None], ["01-02-2025", "April", "12"]),
        *(["01-02-2025", "Anju", None, "Loss"], [None, "Anju", "5", "Booked"], ["01-02-2025", "#N/A", None]),
        *([None, "#N/A", None, "Loss"], ["#N/A", None, "#N/A"], ["01-02-2025", "Printha", None, "Total: 2"]),
        *(["01-02-2025", None, None, "Note: call later"], ["01-02-2025", "Anju", None, "Customer signature"]),
        *(["Loss", "98460123", "Booked", "3"], ["Total", "Anju", "98460123"], [None, "Suitor Guy Raj", "12"]),
        *(["Printed by", "Anju", "0484 2345678"], ["Anju", "98460"], ["Anju", 98460]),
    ],
)
def test_a_customers_row_is_never_ignored(customer: list[Cell]) -> None:
    assert [row.number for row in rows_of(customer, header=SHORT)] == [2]


def test_formulas_filled_down_below_the_table_are_no_customers() -> None:
    header: list[Cell] = ["#", *SHORT, "Staff"]
    assert rows_of([7, "#N/A", None, None, "#N/A", "#N/A"], header=header) == []
    assert len(rows_of([7, "#N/A", "Anju", None, None, "#N/A"], header=header)) == 1


def test_only_lines_that_are_none_of_the_layouts_are_ignored() -> None:
    ignored: list[FileRow] = []
    table: list[list[Cell]] = [["Walk-In Report"], HEADER, ANJU, [], [17], ["NOVEMBER"], HEADER, ANJU]
    table += [["Total: 2"], ["see the next page"], [None, "NOVEMBER"]]
    rows = file_rows(enumerate(table, start=1), EPOCH_1900, ignored.append)
    assert [row.number for row in rows] == [3, 8]
    assert [row.number for row in ignored] == [9, 10, 11]


def test_an_error_beyond_the_header_is_no_filled_cell() -> None:
    (row,) = rows_of([*ANJU, "#N/A"])
    assert "beyond the header" not in row.cells


def test_filled_cells_beyond_the_header_are_told() -> None:
    header = [*HEADER, None, None]
    whole, beyond = rows_of([*ANJU, None, None], [*ANJU, None, "x", None, "y"], header=header)
    assert "beyond the header" not in whole.cells
    assert beyond.cells["beyond the header"] == "H, J"
    assert beyond.raw["beyond the header (H)"] == "x"
    assert beyond.raw["beyond the header (J)"] == "y"


def test_what_stands_under_no_title_within_the_header_is_not_beyond_it() -> None:
    (row,) = rows_of(
        ["22-10-2025", "x", "Anju", 9000000001, "y"], header=["Date", None, "Name", "Phone", "Staff"]
    )
    assert "beyond the header" not in row.cells


def test_all_filled_cells_of_several_columns() -> None:
    header: list[Cell] = ["Enquiry Date", "Date", "Name", "Phone", "Mobile", "Remark", "Remarks"]
    both, one, none = rows_of(
        [45678, 45679, "Anju", "9000000001.0", "9000000002.0", "x", "y"],
        [None, 45679, "Anju", None, "9000000002.0", "x", None],
        [None, None, "Anju", None, None, None, None],
        header=header,
    )
    assert both.cells == {
        "date": (date(2025, 1, 22), date(2025, 1, 21)),
        "name": "Anju",
        "phone": ("9000000001", "9000000002"),
        "remarks": ("y", "x"),
    }
    assert one.cells == {"date": date(2025, 1, 22), "name": "Anju", "phone": "9000000002", "remarks": "x"}
    assert none.cells == {"date": None, "name": "Anju", "phone": None, "remarks": None}
