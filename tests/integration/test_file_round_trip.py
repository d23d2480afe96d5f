"""Whatever a store writes into a CSV or a workbook becomes the same leads."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.domain.lead_values import LeadValues
from syncctl.domain.sources import StepName
from syncctl.files.reading import open_file
from syncctl.mapping.file_rows import file_record
from tests.unit.files.support import save_csv, save_xlsx

STORE = "Suitor Guy - Calicut"
HEADER = ("Date", "Customer Name", "Contact", "Remarks", "Staff")
LETTERS = st.characters(min_codepoint=32, max_codepoint=0x0D7F, exclude_categories=["Cc", "Cs", "Cn"])
# A first letter of its own keeps a text from meaning "empty", a formula or a title.
TEXT = st.text(LETTERS, max_size=20).map(lambda text: f"x{text}".strip())
ROWS = st.lists(
    st.tuples(
        st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31)),
        TEXT,
        st.integers(7 * 10**9, 10**10 - 1),
        st.just("") | TEXT,
        st.just("") | TEXT,
    ),
    min_size=1,
    max_size=6,
)
Row = tuple[date | None, str, int, str, str]


def lead(row: Row) -> LeadValues:
    """What a row must become (contract/files.md, "Mapping")."""
    day, name, phone, remarks, staff = row
    values = LeadValues(leadType="general", source="Walk-in", name=name, phone=str(phone), store=STORE)
    if day:
        values["enquiryDate"] = values["createdAt"] = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if remarks:
        values["remarks"] = remarks
    if staff:
        values["attendedBy"] = staff
    return values


def leads_of(file: Path) -> list[LeadValues]:
    with open_file(file) as sheets:
        return [
            file_record(StepName.WALKIN, row.cells, STORE, UTC).record.values
            for sheet in sheets
            for row in sheet.rows()
        ]


@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t")])
def test_csv(
    tmp_path_factory: pytest.TempPathFactory, encoding: str, delimiter: str, rows: list[Row]
) -> None:
    written = [(day.strftime("%d-%m-%Y") if day else "-", *rest) for day, *rest in rows]
    file = save_csv(tmp_path_factory.mktemp("csv") / "a.csv", [HEADER, *written], delimiter, encoding)
    assert leads_of(file) == [lead(row) for row in rows]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(rows=ROWS)
def test_xlsx(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    file = save_xlsx(tmp_path_factory.mktemp("book") / "a.xlsx", {"A": [HEADER, *rows]})
    assert leads_of(file) == [lead(row) for row in rows]
