"""What spreadsheets do to cells by themselves is no correction; what a person does is one."""

import csv
import io
import json
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.files.cells import clean_text
from syncctl.safe_output.printable import formula_safe, without_guard
from syncctl.services.rejects.sheet_cells import exported_text, is_as_exported, typed_text

MANGLED: list[tuple[Any, Any]] = [
    ("9876543210", 9876543210),
    ("09876543210", 9876543210),
    ("9876543210", "9.87654E+09"),
    ("9876543210", "9.9E+09"),
    ("919876543210123456", 9.19876543210123e17),
    ("9876543210", "9876543210.0"),
    ("+91 9876543210", "'+91 9876543210"),
    ("+91 9876543210", "+91 9876543210"),
    ("13-02-2025", date(2025, 2, 13)),
    ("03-02-2025", date(2025, 2, 3)),
    ("03-02-2025", date(2025, 3, 2)),
    ("2025-02-13", "2/13/2025"),
    ("2025-02-13", "13/02/25"),
    ("2025-02-13T10:30:00", datetime.fromisoformat("2025-02-13T10:30")),
    ("13-02-2025", "########"),
    ("13-02-2025", "\0"),
    ("a\r\nb", "a\nb"),
    ("a  b", "a b"),
    ("-", None),
    ('="0987"', "0987"),
    ("x" * 40_000, "x" * 32_767),
    (1500.5, 1500.5),
    (1500.5, "1500.50"),
    (True, True),
    (True, "TRUE"),
    (None, None),
    ({"a": 1}, '{"a": 1}'),
    ("\u200b", None),
]
CORRECTED: list[tuple[Any, Any, str]] = [
    ("98765", 9876543210, "9876543210"),
    ("98765", "'+91 9876543210", "+91 9876543210"),
    ("9876543210", "9.87654E+08", "9.87654E+08"),
    ("", "9.876543210E+09", "9876543210"),
    ("31-02-2025", date(2025, 2, 28), "2025-02-28"),
    ("31-02-2025", datetime.fromisoformat("2025-02-28T09:00"), "2025-02-28 09:00:00"),
    ("13-02-2025", "14-02-2025", "14-02-2025"),
    ("", "=call me", "=call me"),
    ("Anagha", None, ""),
    ("1500", True, "TRUE"),
]


@pytest.mark.parametrize(("value", "cell"), MANGLED)
def test_what_a_spreadsheet_does_by_itself_is_no_correction(value: Any, cell: Any) -> None:
    assert is_as_exported(cell, value, clean_text)


@pytest.mark.parametrize(("value", "cell", "typed"), CORRECTED)
def test_a_correction_is_one(value: Any, cell: Any, typed: str) -> None:
    assert not is_as_exported(cell, value, clean_text)
    assert typed_text(cell) == typed


ODD = "=+-@';\t\r\n 0123456789eE./|\"\u200b\ufeff"
texts = st.text(alphabet=st.one_of(st.sampled_from(ODD), st.characters()))


@given(texts)
def test_the_apostrophe_that_made_a_cell_safe_comes_off(written: str) -> None:
    if written == without_guard(written):
        assert without_guard(formula_safe(written)) == written


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts
)


@given(st.one_of(values, st.lists(values, max_size=3)))
def test_whatever_is_exported_comes_back_as_exported(value: Any) -> None:
    value = json.loads(json.dumps(value))
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([exported_text(value)])
    (record,) = csv.reader(io.StringIO(out.getvalue().replace("\0", ""), newline=""))
    assert is_as_exported(clean_text(record[0]), value, clean_text)
