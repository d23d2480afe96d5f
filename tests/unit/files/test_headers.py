"""Which columns a header row has."""

import pytest

from syncctl.files.cells import Cell
from syncctl.files.headers import TITLES, Layout, cells_of, column_letters, fold


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
    folded = [fold(title) for titles in TITLES.values() for title in titles]
    assert len(folded) == len(set(folded))


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
