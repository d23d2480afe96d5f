"""An API with faults, one kind alone or all mixed: runs end in time, and what they end in is right."""

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from pymongo import MongoClient

from syncctl.domain.run_results import RunResult
from syncctl.sandbox import Fault, Sandbox
from syncctl.sandbox.faults import FAULT_KINDS
from tests.chaos.deadlines import assert_in_time
from tests.chaos.jobs import LATER_SYNC
from tests.chaos.prepared import PreparedJob, prepared
from tests.chaos.states import assert_nothing_is_missing
from tests.chaos.tally import tally
from tests.support.mongod import with_database
from tests.support.world import World, few_locations

DEADLINE_S = 0.6
LONGEST_S = 30.0
HOUR_S = 3600.0
SMALL_ANSWER = 1 << 20
"""What is larger is refused: the sandbox's faults are much larger, its answers smaller."""

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

A_SECOND = 0.1
"""Which share of the 429s that ask to be left alone do so for a second: each makes its run wait that long."""

CYCLES_AT = {0.05: 0.5, 0.1: 0.5, 0.2: 3.0, 0.4: 1.0}
"""Share of the calls that are struck -> cycles for each round."""

LONGEST_SERIES = 40
ALL_KINDS_RATE = 0.3
ALL_KINDS_CYCLES = 2
ALL_KINDS_CYCLES_PER_ROUND = 0.6
MOST_KINDS = 18
DATABASES = ("sqlite", "mongo")


def run(world: World, deadline_s: float) -> RunResult:
    """A whole cycle against faults, which keeps what a run must keep whatever happens."""
    before = world.sandbox.fault_counts.total()
    result = world.run(deadline_s=deadline_s)
    tally.add("faulted cycles", world.sandbox.fault_counts.total() > before)
    assert_in_time(result, deadline_s)
    assert all(step.counts.balanced for step in result.steps)
    return result


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each kind of fault with a kind of database, in turns; in the long form each with each."""
    if "kind" in metafunc.fixturenames:
        all_pairs = metafunc.config.getoption("--rounds") > 1
        pairs = [
            (database, kind)
            for turn, database in enumerate(DATABASES)
            for number, kind in enumerate(FAULT_KINDS)
            if all_pairs or number % len(DATABASES) == turn
        ]
        metafunc.parametrize(("url", "kind"), pairs, indirect=["url"], scope="module")


@pytest.fixture(scope="module")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A DATABASE_URL of an empty database, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('faults') / 'syncctl.db'}"
        return
    server = request.getfixturevalue("mongo_server")
    name = f"syncctl_test_{uuid.uuid4().hex}"
    yield with_database(server, name)
    with MongoClient[dict[str, object]](server) as client:
        client.drop_database(name)
        client.drop_database(f"{name}_mixed")


@pytest.fixture(scope="module")
def ready(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedJob]:
    """A world that was synced, worked on, and has news."""
    with prepared(LATER_SYNC, url, tmp_path_factory.mktemp("faults")) as ready:
        world = ready.workspace.world
        # An answer may take longer than the run: what hangs is ended by the run's deadline alone.
        world.config = world.config._replace(
            timeout_s=30.0, max_tries=2, min_backoff_s=0.0, max_answer_bytes=SMALL_ANSWER
        )
        yield ready


def test_one_fault_at_every_call_for_a_while_and_then_none(
    ready: PreparedJob, kind: str, rounds: int
) -> None:
    """Those that ask to be left alone do so for an hour."""
    world = ready.workspace.world
    healthy_at = world.now
    ready.rewind()
    world.sandbox.set_faults(Fault(kind, seconds=HOUR_S if kind.startswith("429-") else None))
    for _ in range(1 if rounds == 1 else 3 + rounds // 20):
        before = world.sandbox.fault_counts[kind]
        assert run(world, LONGEST_S if kind in HARMLESS else DEADLINE_S).ok == (kind in HARMLESS)
        assert world.sandbox.fault_counts[kind] > before
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


def passing(rate: float) -> Iterator[Fault]:
    """All of PASSING, which together strike about this share of the calls."""
    share = rate / len(PASSING)
    yield Fault("429-seconds", seconds=1, rate=share * A_SECOND)
    yield Fault("429-date", seconds=1, rate=share * A_SECOND)
    yield from (replace(fault, rate=share) for fault in PASSING)


def test_mixed_faults_with_the_default_tries(tmp_path: Path, rounds: int) -> None:
    whole: Counter[float] = Counter()
    tried: Counter[float] = Counter()
    for seed, (rate, cycles) in enumerate(series(rounds), start=1):
        with Sandbox(seed=seed, locations=3, bookings=16) as sandbox, ExitStack() as stack:
            world = World(sandbox, f"sqlite:///{tmp_path / f'{seed}.db'}", few_locations(sandbox))
            stack.callback(world.close)
            world.config = world.config._replace(timeout_s=0.5, max_tries=6)
            for _ in range(cycles):
                sandbox.add_bookings(3)
                sandbox.set_faults(*passing(rate))
                world.now += timedelta(minutes=5)
                tried[rate] += 1
                whole[rate] += run(world, LONGEST_S).ok
            sandbox.set_faults()
            assert world.run().ok
            assert_nothing_is_missing(world)
    for rate in (0.05, 0.1, 0.2):
        assert whole[rate] >= 0.99 * tried[rate] - 1e-9, f"{whole[rate]} of {tried[rate]} at {rate:.0%}"


@pytest.mark.parametrize("url", DATABASES, indirect=True, scope="module")
def test_mixed_faults_of_every_kind(url: str, rounds: int) -> None:
    """Also those that no other try helps against: what they kept out comes in when they are over."""
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    with Sandbox(locations=3, bookings=16) as sandbox, ExitStack() as stack:
        world = World(sandbox, f"{url}_mixed", few_locations(sandbox))
        stack.callback(world.close)
        world.config = world.config._replace(timeout_s=30.0, max_tries=6, max_answer_bytes=SMALL_ANSWER)
        for _ in range(ALL_KINDS_CYCLES + round(rounds * ALL_KINDS_CYCLES_PER_ROUND)):
            sandbox.add_bookings(3)
            kinds = rng.sample(list(FAULT_KINDS), len(FAULT_KINDS))
            sandbox.set_faults(*(Fault(kind, rate=ALL_KINDS_RATE / len(kinds)) for kind in kinds))
            world.now += timedelta(minutes=5)
            run(world, DEADLINE_S)
        assert len(sandbox.fault_counts) >= (MOST_KINDS if rounds >= 100 else 1)
        sandbox.set_faults()
        world.now += UNTIL_BELIEVED
        assert world.run().ok
        assert_nothing_is_missing(world)
