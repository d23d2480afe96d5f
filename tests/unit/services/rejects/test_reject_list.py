"""The rejects list as it is shown: whatever a source has sent, readable, and without anybody's number."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from syncctl.domain.records import Reject
from syncctl.filesystem.protected_files import OwnFiles
from syncctl.services.rejects.reject_list import OWN_COLUMNS, export_rejects, masked_document

NUMBER = "9400000001"


def reject(row: str) -> Reject:
    at = datetime(2026, 3, 11, tzinfo=UTC)
    return Reject("a" * 24, "booking", "7", "", "1", "no customer name", row, "run", at)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("904878001", "90xxxxx01"),
        ("904878 001", "90xxxxx01"),
        ("90487800111", "04xxxxxx11"),
        ("\u0d6f\u0d66\u0d6a\u0d6e\u0d6d\u0d6e\u0d66\u0d66\u0d67\u0d67", "90xxxxxx11"),
    ],
)
def test_a_mistyped_number_is_masked_too(value: str, masked: str) -> None:
    shown = json.dumps(masked_document(reject(json.dumps({"phone": value, value: 1}))), ensure_ascii=False)
    assert value not in shown
    assert shown.count(masked) == 2


FORMULA = "HYPERLINK(1)"
BEFORE = ["", " ", "\n", "\r\n", "\t", "\r", "\u00a0", "\u200b", "\ufeff", "\x00", " \n\t \u3000"]


@pytest.mark.attack("formulas")
@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
@pytest.mark.parametrize("before", BEFORE)
def test_no_cell_begins_as_a_formula(tmp_path: Path, sign: str, before: str) -> None:
    cell = f"{before}{sign}{FORMULA}"
    (value,) = exported(tmp_path, {"name": cell})
    assert value == f"'{cell}"


@pytest.mark.attack("formulas")
@pytest.mark.parametrize("end", ["\t", "\r", "\n", ";", "\n\u00a0"])
def test_none_begins_where_a_spreadsheet_sees_another_cell(tmp_path: Path, end: str) -> None:
    (value,) = exported(tmp_path, {"name": f"Anagha{end}={FORMULA}"})
    assert value == f"Anagha{end[0]}'{end[1:]}={FORMULA}"


@pytest.mark.attack("formulas")
def test_titles_are_cells_too(tmp_path: Path) -> None:
    exported(tmp_path, {f"\n={FORMULA}": "x"})
    assert f"'\n={FORMULA}" in (tmp_path / "bad.csv").read_text(encoding="utf-8-sig")


def test_what_is_no_formula_is_exported_as_it_is(tmp_path: Path) -> None:
    values = {"a": "Anagha", "b": "a=b", "c": "12-3", "d": "x@y", "e": 5, "f": None, "g": "അനഘ", "h": "a\nb"}
    assert exported(tmp_path, values) == ["Anagha", "a=b", "12-3", "x@y", "5", "", "അനഘ", "a\nb"]


@pytest.mark.attack("formulas")
def test_hidden_characters_take_no_time(tmp_path: Path) -> None:
    begun = process_time()
    exported(tmp_path, {"name": "\x0b" * 100_000 + "x", "note": " ;" * 50_000})
    assert process_time() - begun < 5


def exported(folder: Path, values: dict[str, Any]) -> list[str]:
    """The cells that an export of one reject has for its values."""
    export_rejects([reject(json.dumps(values))], folder / "bad.csv", overwrite=False, own=OwnFiles())
    with (folder / "bad.csv").open(encoding="utf-8-sig", newline="") as opened:
        _, cells = csv.reader(opened)
    return cells[len(OWN_COLUMNS) :]
