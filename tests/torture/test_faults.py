"""An API with faults, one kind alone or all mixed: runs end in time, and what they end in is right."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncctl.models import RunResult
from syncctl.sandbox import Fault, Sandbox
from syncctl.sandbox.faults import FAULT_KINDS
from tests.support.world import World
from tests.torture.jobs import LATER_SYNC, few_locations
from tests.torture.prepared import Prepared, prepared
from tests.torture.states import assert_nothing_is_missing
from tests.torture.tally import tally

DEADLINE_S = 0.8
NEVER_LONGER_S = 20.0
"""A run that waited for what hangs would take a minute at least."""

UNTIL_BELIEVED = timedelta(days=3)
"""An empty answer puts a location to sleep for a day, and is doubted for two."""

HARMLESS = {"envelopes", "no-data"}
LONG_AGO = "Wed, 21 Oct 2015 07:28:00 GMT"
PASSING = (
    *(Fault(kind) for kind in ("500", "502", "503", "504", "429", "reset", "drop", "cut", "html", "scalar")),
    Fault("429-seconds", seconds=0),
    Fault("429-date", retry_after=LONG_AGO),
    Fault("slow", seconds=5),
    Fault("drip", seconds=0.05),
    Fault("api-error"),
)
"""All that another try may help against."""

CYCLES_AT = {0.05: 0.5, 0.1: 0.5, 0.2: 3.0, 0.4: 1.0}
"""Share of the calls that are struck -> cycles for each round."""

LONGEST_SERIES = 40


def run(world: World) -> RunResult:
    """A whole cycle against faults, which keeps what a run must keep whatever happens."""
    tally.add("faulted cycles")
    result = world.run(deadline_s=DEADLINE_S)
    assert result.duration_s < NEVER_LONGER_S
    assert all(step.counts.balanced for step in result.steps)
    return result


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A world that was synced, worked on, and has news."""
    folder = tmp_path_factory.mktemp("faults")
    with prepared(LATER_SYNC, f"sqlite:///{folder / 'syncctl.db'}", folder) as ready:
        world = ready.place.world
        world.config = replace(
            world.config, timeout_s=0.3, max_tries=2, min_backoff_s=0.0, max_answer_bytes=1 << 20
        )
        yield ready


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_one_fault_at_every_call_and_then_none(ready: Prepared, kind: str, rounds: int) -> None:
    world = ready.place.world
    healthy_at = world.now
    ready.rewind()
    world.sandbox.set_faults(Fault(kind, retry_after=LONG_AGO))
    for _ in range(1 + rounds // 50):
        assert run(world).ok == (kind in HARMLESS)
        world.now += timedelta(minutes=5)
    world.sandbox.set_faults()
    world.now += UNTIL_BELIEVED
    ready.assert_redone()
    world.now = healthy_at


def series(rounds: int) -> list[tuple[float, int]]:
    """Which share of calls is struck for how many cycles on end."""
    return [
        (rate, min(LONGEST_SERIES, cycles - begun))
        for rate, for_each in CYCLES_AT.items()
        for cycles in [max(1, round(rounds * for_each))]
        for begun in range(0, cycles, LONGEST_SERIES)
    ]


def test_mixed_faults_with_the_default_tries(tmp_path: Path, rounds: int) -> None:
    whole: Counter[float] = Counter()
    tried: Counter[float] = Counter()
    for seed, (rate, cycles) in enumerate(series(rounds), start=1):
        with Sandbox(seed=seed, locations=3, bookings=16) as sandbox, ExitStack() as stack:
            world = World(sandbox, f"sqlite:///{tmp_path / f'{seed}.db'}", few_locations(sandbox))
            stack.callback(world.close)
            world.config = replace(world.config, timeout_s=0.5, max_tries=6)
            for _ in range(cycles):
                sandbox.add_bookings(3)
                sandbox.set_faults(*(replace(fault, rate=rate / len(PASSING)) for fault in PASSING))
                world.now += timedelta(minutes=5)
                result = world.run(deadline_s=30.0)
                tally.add("faulted cycles")
                assert all(step.counts.balanced for step in result.steps)
                tried[rate] += 1
                whole[rate] += result.ok
            sandbox.set_faults()
            assert world.run().ok
            assert_nothing_is_missing(world)
    for rate in (0.05, 0.1, 0.2):
        assert whole[rate] >= 0.99 * tried[rate] - 1e-9, f"{whole[rate]} of {tried[rate]} at {rate:.0%}"
