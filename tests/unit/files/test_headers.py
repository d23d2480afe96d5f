"""Which columns a header row has."""

import pytest

from syncctl.files.cells import Cell
from syncctl.files.headers import TITLES, Layout, column_letters, fold


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


def test_the_first_of_two_columns_counts() -> None:
    assert columns_of("Date", "Phone", "Name", "Mobile", "Enquiry Date") == {"date": 0, "phone": 1, "name": 2}


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
