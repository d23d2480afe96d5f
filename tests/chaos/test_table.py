"""The table of what has been tried, in docs/proofs.md."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.reporting import without_report
from tests.chaos.table import PART, TableError, table
from tests.chaos.tally import LONG_RUN, OUTCOMES, TRIED, Tally
from tests.support.marked_part import MarkerError


def report(tmp_path: Path, counts: dict[str, int], **session: object) -> dict[str, Any]:
    counted = Tally()
    for name, count in counts.items():
        counted.add(name, count)
    file = tmp_path / "report.json"
    whole = {
        "arguments": ["-m", "torture"],
        "rounds": 100,
        "tests": 9,
        "skipped": 0,
        "failed": 0,
        "exit_status": 0,
        "seconds": 901,
    }
    counted.write(file, whole | session)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_what_was_tried_and_what_came_of_it(tmp_path: Path) -> None:
    made = table(report(tmp_path, {"kills": 1234, "leads lost": 0}))
    assert f"| {TRIED['kills']} | 1,234 |" in made
    assert f"| {TRIED['failovers']} | 0 |" in made
    assert all(f"| {title} | **0** |" in made for title in OUTCOMES.values())
    assert made.endswith("`pytest -m torture`: 9 tests, 15 minutes.")


def test_what_was_skipped_is_told(tmp_path: Path) -> None:
    assert "9 tests, 3 skipped, 1 minute." in table(report(tmp_path, {}, skipped=3, seconds=9))


@pytest.mark.parametrize("session", [{"failed": 2, "exit_status": 1}, {"exit_status": 2}])
def test_failed_tests_and_those_cut_short_make_no_table(tmp_path: Path, session: dict[str, int]) -> None:
    with pytest.raises(TableError, match=f"pytest ended with {session['exit_status']}"):
        table(report(tmp_path, {}, **session))


def test_parts_are_added_up(tmp_path: Path) -> None:
    parts = [
        report(tmp_path, {"kills": kills}, arguments=["-m", "torture", name], skipped=1)
        for kills, name in ((1000, "a.py"), (234, "b.py"))
    ]
    made = table(*parts)
    assert f"| {TRIED['kills']} | 1,234 |" in made
    assert made.endswith("`pytest -m torture`, in 2 parts: 18 tests, 2 skipped, 30 minutes.")


def test_parts_are_of_one_length(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="different --rounds"):
        table(report(tmp_path, {}), report(tmp_path, {}, rounds=1))


def test_a_long_run_has_tried_a_lot(tmp_path: Path) -> None:
    enough = {names[0]: least for names, least in LONG_RUN}
    assert table(report(tmp_path, enough), of_long_run=True) == table(report(tmp_path, enough))
    for name, least in enough.items():
        with pytest.raises(TableError, match=name):
            table(report(tmp_path, enough | {name: least - 1}), of_long_run=True)


def test_the_arguments_are_told_without_the_reports_own() -> None:
    given = ("-m", "torture", "--torture-report", "a.json", "--rounds=9", "--torture-report=b.json")
    assert without_report(given) == ["-m", "torture", "--rounds=9"]


def test_it_stands_between_two_comments() -> None:
    document = f"# Title\n{PART.begin}\nold\n{PART.end}\nrest\n"
    assert PART.put_in(document, "new") == f"# Title\n{PART.begin}\nnew\n{PART.end}\nrest\n"
    assert PART.put_in(PART.put_in(document, "other"), "new") == PART.put_in(document, "new")
    with pytest.raises(MarkerError, match="lacks the lines"):
        PART.put_in(f"# Title\n{PART.begin}\n", "new")


def test_a_slip_of_the_keyboard_is_not_counted() -> None:
    with pytest.raises(KeyError):
        Tally().add("kils")
