"""How often the API is called in each mode, as docs/benchmarks.md says."""

from pathlib import Path

import pytest

from syncctl.domain.dialects import Mode
from tests.support.calls import (
    AUDITS,
    LOCATIONS,
    PART,
    RUNS_A_DAY,
    Cost,
    busy_world,
    calls_of_a_run,
    cost_of,
    table,
)

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@pytest.fixture(scope="module")
def costs() -> list[Cost]:
    return [cost_of(mode) for mode in Mode]


@pytest.mark.slow
def test_a_run_costs_what_an_incremental_one_always_did_and_its_audits_as_the_page_says(
    costs: list[Cost],
) -> None:
    incremental = 1 + 2 * LOCATIONS
    for cost in costs:
        assert cost.usual == incremental
        assert cost.run == incremental + 2 * AUDITS
        assert cost.measuring <= 1.5 * cost.run
        assert cost.day <= 1.01 * RUNS_A_DAY * cost.run
    page = PAGE.read_text(encoding="utf-8")
    assert PART.put_in(page, table(costs)) == page


@pytest.mark.slow
@pytest.mark.parametrize("mode", Mode)
def test_a_day_of_runs_costs_as_much_as_reckoned(costs: list[Cost], mode: Mode) -> None:
    with busy_world(mode) as world:
        calls_of_a_run(world)
        made = sum(calls_of_a_run(world) for _ in range(RUNS_A_DAY))
    (cost,) = [cost for cost in costs if cost.mode is mode]
    assert made == cost.day
