"""The benchmarks run, in small, and what they print follows from what was measured."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import growth, scale
from benchmarks.goals import MEMORY, SECONDS, Goal, verdicts
from benchmarks.growth import Figure
from benchmarks.measuring import Measured
from benchmarks.scale import Settings
from benchmarks.seeding import seed
from syncctl.services.checks.history import past_runs
from syncctl.storage.registry import open_storage
from tests.support.marked_part import MarkedPart

ROOT = Path(__file__).parents[2]


def test_a_goal_says_whether_it_is_met_or_by_how_much_not() -> None:
    goals = (Goal(0.5, SECONDS), Goal(60, MEMORY), Goal(2, "x the floor"))
    assert verdicts(goals, {SECONDS: 0.5, MEMORY: 71}) == "≤ 0.5 s: met; ≤ 60 MB: missed by 11"


def test_what_is_seeded_is_read_by_the_program(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/seeded.db"
    seed(url, 600, runs=3)
    with closing(open_storage(url)) as storage:
        assert len(storage.rejects()) == 12
        assert len(past_runs(storage, 10)) == 3
        assert list(storage.leads_with_phones([growth.PHONE], ["name"]))


def grown(seconds: dict[int, float]) -> list[Figure]:
    return [
        Figure(name, "sqlite", leads, Measured(seconds[leads], 0.1, 50))
        for leads in seconds
        for name in growth.CASES
    ]


def test_the_table_of_growth_has_ratios_first_and_says_which_goals_are_met() -> None:
    table = growth.markdown(grown({1000: 0.25, 100_000: 0.75}), 3)
    assert "| status | sqlite | 3.0 |  | 0.25 | 0.75 | 50 | ≤ 1.3 x growth: missed by 1.7; " in table
    assert "| verify data | sqlite | 3.0 | 7.5 | 0.25 | 0.75 | 50 | ≤ 5 us a lead: missed by 2.5; " in table
    assert "≤ 1.5 x a full sync: met" in table


def test_the_picture_says_in_words_what_it_shows() -> None:
    drawn = ET.fromstring(growth.picture(grown({1000: 0.25, 100_000: 0.75})))  # noqa: S314 our own
    texts = {"".join(each.itertext()) for each in drawn.iter()}
    assert {"SQLite", "verify data", "1,000", "100,000"} <= texts
    assert any("status on sqlite: 0.25 s at 1,000, 0.75 s at 100,000" in text for text in texts)


def test_what_a_location_costs_is_the_difference_between_two_runs() -> None:
    figures = [
        scale.Figure(
            scale.FULL, locations, Measured(1, 1 + locations / 100, 50, 1 + 2 * locations, 3 * locations)
        )
        for locations in (100, 800)
    ]
    cost = scale.per_location(figures, scale.FULL)
    assert (cost.cpu_s, cost.requests, cost.round_trips) == pytest.approx((0.01, 2, 3))
    # Two calls, each with its pause and its answer, on one of five lanes.
    assert scale.run_s(cost, Settings(5, 0.5, 240), 0.25) == pytest.approx(0.3)
    assert Settings.defaults().deadline_s == 240


@pytest.mark.parametrize(("page", "part"), [("benchmarks", growth.PART), ("scale", scale.PART)])
def test_the_pages_have_a_place_for_the_tables(page: str, part: MarkedPart) -> None:
    part.put_in((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"), "")


@pytest.mark.mongo
@pytest.mark.slow
def test_every_case_of_growth_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = ["--only", "growth", "--leads", "300", "--runs", "5", "--rounds", "1", "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", *command],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    figures = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [each["name"] for each in figures] == [*growth.CASES] * 2
    assert list(tmp_path.iterdir()) == []
