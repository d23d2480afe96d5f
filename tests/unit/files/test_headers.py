"""Which columns a header row has."""

import pytest

from syncctl.files.cells import Cell
from syncctl.files.headers import TITLES, Layout, cells_of, column_letters, normalize_title


def columns_of(*titles: Cell) -> dict[str, int] | None:
    layout = Layout.recognise(titles)
    return layout.columns if layout else None


@pytest.mark.parametrize(
    ("column", "title"), [(column, title) for column, titles in TITLES.items() for title in titles]
)
def test_every_title_however_it_is_written(column: str, title: str) -> None:
    for written in (title, title.upper(), f"  {title.replace(' ', '_')}. ", title.replace(" ", "\n  ")):
        known = columns_of("x", "Customer Name", "Contact No.", "Date", "Staff", written)
        assert known is not None
        assert column in known


def test_no_two_columns_share_a_title() -> None:
    folded = [normalize_title(title) for titles in TITLES.values() for title in titles]
    assert len(folded) == len(set(folded))


@pytest.mark.parametrize(
    ("title", "column"),
    [
        *(("Date (DD-MM-YYYY)", "date"), ("Date [dd/mm/yy]", "date"), ("Date* (DD.MM.YYYY) *", "date")),
        *(("Date - DD/MM/YYYY", "date"), ("DATE(DDMMYYYY):", "date"), ("Dt", "date"), ("Dt.", "date")),
        *(
            ("Ph No", "phone"),
            ("Ph. No.", "phone"),
            ("Phone 1", "phone"),
            ("Mob", "phone"),
            ("Mob No", "phone"),
        ),
        *(("Contact No.", "phone"), ("Contact No. (10 digits)", "phone"), ("Mobile (+91)", "phone")),
        *(("Phone No *", "phone"), ("Mob.No:", "phone"), ("Phone (without +91)", "phone")),
        *(("Cust Name", "name"), ("Cust. Name *", "name"), ("Customer Name:", "name")),
        *(("Function Date (DD-MM-YYYY)", "function date"), ("Status (optional)", "status")),
        ("Cus\N{SOFT HYPHEN}tomer Name\N{ZERO WIDTH SPACE}", "name"),
    ],
)
def test_titles_with_a_format_or_shortened(title: str, column: str) -> None:
    others = {"date": "Date", "name": "Customer Name", "phone": "Contact", "staff": "Staff"}
    known = columns_of(title, *(other for name, other in others.items() if name != column))
    assert known is not None
    assert known[column] == 0


@pytest.mark.parametrize(
    "title",
    [
        "Name (Staff)",
        "Date (Function)",
        "Contact (Staff)",
        "Bill No",
        "Cust No",
        "Date (of return)",
        "No (1)",
    ],
)
def test_a_title_with_another_meaning_in_brackets_is_not_known(title: str) -> None:
    assert columns_of("Date", "Name", "Phone", title) == {"date": 0, "name": 1, "phone": 2}


def test_layout_a() -> None:
    assert columns_of(
        *("#", "Date", "Customer Name", "Contact", "Function Date", "Staff", "Status", "Category"),
        *("Sub Category", "Repeat count", "Remarks"),
    ) == {
        **{"date": 1, "name": 2, "phone": 3, "function date": 4, "staff": 5, "status": 6, "category": 7},
        **{"sub category": 8, "remarks": 10},
    }


@pytest.mark.parametrize(
    ("titles", "column", "order"),
    [
        (("Date", "Phone", "Name", "Mobile", "Enquiry Date"), "phone", [1, 3]),
        (("Date", "Phone", "Name", "Mobile", "Enquiry Date"), "date", [0, 4]),
        (("Enquiry Date", "Phone", "Name", "Date"), "date", [3, 0]),
        (("Number", "Contact", "Name", "Date"), "phone", [1, 0]),
        (("Number", "Mobile No.", "Name", "Date"), "phone", [1, 0]),
        (("Customer", "Contact", "Customer Name", "Date"), "name", [2, 0]),
        (("Customer", "Contact", "Name", "Date"), "name", [2, 0]),
        (("Name", "Contact", "CUSTOMER NAME", "Date"), "name", [2, 0]),
        (("Remark", "Contact", "Name", "Remarks"), "remarks", [3, 0]),
        (("Remarks", "Contact", "Name", "Remarks"), "remarks", [0, 3]),
        (("Phone 2", "Phone 1", "Name", "Mobile", "Date"), "phone", [3, 1, 0]),
        (("Date (DD-MM-YYYY)", "Phone", "Name", "Date"), "date", [3, 0]),
        (("Enquiry Date", "Phone", "Name", "Date (DD-MM-YYYY)"), "date", [3, 0]),
        (("Dt", "Phone", "Name", "Date"), "date", [3, 0]),
    ],
)
def test_of_several_columns_exact_titles_come_before_vaguer_ones(
    titles: tuple[str, ...], column: str, order: list[int]
) -> None:
    layout = Layout.recognise(titles)
    assert layout is not None
    assert layout.columns[column] == order[0]
    assert layout.several[column] == order


def test_a_row_that_is_known_by_its_titles_alone() -> None:
    row = {"Phone": "", "Phone (D)": "9000000001", "Number": "12", "Name": "Anju", "Other": "x"}
    assert cells_of(row) == {"phone": ("9000000001", "12"), "name": "Anju"}
    assert cells_of({"Name": "A", "beyond the header (G)": "x", "beyond the header (H)": "y"}) == {
        "name": "A",
        "beyond the header": "y",
    }
    assert cells_of({"cells that can't be read": "D"}) == {"cells that can't be read": "D"}


@pytest.mark.parametrize(
    "cells",
    [
        ("Customer Name", "Contact"),
        ("Customer Name", "Contact", "Competitor"),
        ("Customer Name", "Date", "Status"),
        ("Contact", "Date", "Status"),
        ("#", "Customer Name", "Repeat count", "Date", "S. No."),
        (1, "Anju", 9000000001, "Loss"),
        (),
    ],
)
def test_no_header(cells: tuple[Cell, ...]) -> None:
    assert Layout.recognise(cells) is None


def test_titles_for_people_are_unique() -> None:
    layout = Layout.recognise(("Name", "Phone", None, "Date", "Competitor", "Competitor", 7, None))
    assert layout is not None
    assert layout.titles == (*("Name", "Phone", "column C", "Date", "Competitor", "Competitor (F)", "7"),)


@pytest.mark.parametrize(
    ("position", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_column_letters(position: int, letters: str) -> None:
    assert column_letters(position) == letters
