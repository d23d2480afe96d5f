"""The README's table of what has been tried."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.marked_part import MarkerError
from tests.torture.table import PART, TableError, table
from tests.torture.tally import OUTCOMES, TRIED, Tally


def report(tmp_path: Path, failed: int = 0) -> dict[str, Any]:
    import json

    counted = Tally()
    counted.add("kills", 1234)
    counted.add("leads lost", 0)
    file = tmp_path / "report.json"
    counted.write(file, {"rounds": 100, "tests": 9, "failed": failed, "seconds": 901})
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_what_was_tried_and_what_came_of_it(tmp_path: Path) -> None:
    made = table(report(tmp_path))
    assert f"| {TRIED['kills']} | 1,234 |" in made
    assert TRIED["failovers"] not in made
    assert all(f"| {title} | **0** |" in made for title in OUTCOMES.values())
    assert made.endswith("`pytest -m torture --rounds 100`: 9 tests, 15 minutes.")


def test_failed_tests_make_no_table(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="2 tests failed"):
        table(report(tmp_path, failed=2))


def test_it_stands_between_two_comments() -> None:
    document = f"# Title\n{PART.begin}\nold\n{PART.end}\nrest\n"
    assert PART.put_in(document, "new") == f"# Title\n{PART.begin}\nnew\n{PART.end}\nrest\n"
    assert PART.put_in(PART.put_in(document, "other"), "new") == PART.put_in(document, "new")
    with pytest.raises(MarkerError, match="lacks the lines"):
        PART.put_in(f"# Title\n{PART.begin}\n", "new")


def test_a_slip_of_the_keyboard_is_not_counted() -> None:
    with pytest.raises(KeyError):
        Tally().add("kils")
