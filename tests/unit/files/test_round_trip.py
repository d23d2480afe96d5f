"""Any table survives being written and read."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from syncctl.files.cells import Cell, as_text, clean
from tests.unit.files.support import cells, save_csv, save_xlsx

HEADER = ("Date", "Customer Name", "Contact", "Remarks", "Staff")
JOSE = (date(2025, 1, 21), "José", 9000000003, "a, b; c\td", '6" wide')
"""What tells Windows-1252 from UTF-8: an accented letter before an ASCII one."""

LATIN = "".join(bytes([byte]).decode("cp1252", "ignore") for byte in range(32, 256))
INDIAN = st.characters(min_codepoint=32, max_codepoint=0x0D7F, exclude_categories=["Cc", "Cs", "Cn"])
ANYTHING = st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs", "Cn"])

Table = list[tuple[date | None, str, int, str, str]]


def tables(letters: st.SearchStrategy[str]) -> st.SearchStrategy[Table]:
    """Tables of customers; their phones make sure that every row is one."""
    text = st.text(st.one_of(letters, st.sampled_from(",;\t\"\n-#=_' ")), max_size=30)
    dates = st.none() | st.dates(date(1955, 1, 1), date(2118, 12, 31))
    return st.lists(st.tuples(dates, text, st.integers(7 * 10**9, 10**10 - 1), text, text), max_size=8)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_csv(tmp_path: Path, encoding: str, delimiter: str) -> None:
    letters = {
        "cp1252": st.sampled_from(LATIN),
        "utf-16-le": INDIAN,
        "utf-16-be": INDIAN,
    }.get(encoding, ANYTHING)

    @settings(max_examples=15, deadline=None)
    @given(tables(letters))
    def check(table: Table) -> None:
        rows = [JOSE, *table]
        path = save_csv(tmp_path / "a.csv", [HEADER, *rows], delimiter, encoding)
        assume(encoding != "cp1252" or not _could_be_utf_8(path.read_bytes()))
        expected = [tuple(clean(as_text(value)) for value in row) for row in rows]
        assert cells(path) == expected

    check()


def _could_be_utf_8(content: bytes) -> bool:
    """Whether a Windows-1252 text reads as UTF-8 with a few stray bytes, as "Â\xa0Â\xa0" and one "é" do."""
    text = content.decode("utf-8", "surrogateescape")
    strays = re.findall("[\udc80-\udcff]+", text)
    return len(strays) <= len(re.findall("[^\x00-\x7f\ud800-\udfff]", text))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(table=tables(ANYTHING))
def test_xlsx(tmp_path_factory: pytest.TempPathFactory, table: Table) -> None:
    rows: list[tuple[Cell, ...]] = [JOSE, *table]
    path = save_xlsx(tmp_path_factory.mktemp("book") / "a.xlsx", {"A": [HEADER, *rows]})
    assert cells(path) == [tuple(clean(value) for value in row) for row in rows]
