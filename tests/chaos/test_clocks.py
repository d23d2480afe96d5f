"""Clocks that are set back or forth, between runs and in their midst: once they are right, so is all."""

import json
import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncctl.ports.storage import Storage
from syncctl.sandbox import Fault, Sandbox
from tests.chaos.running import running
from tests.chaos.states import assert_nothing_is_missing
from tests.chaos.tally import tally
from tests.support.program import Program
from tests.support.shifted_clock import NoClockError, ShiftedClock
from tests.support.world import World, few_locations

JUMPS = 2
JUMPS_PER_ROUND = 0.5
ROUNDS_PER_SET_CLOCK = 15
TRIES = 5
A_DAY_S = 86_400
BACK_S = (60, 3600, A_DAY_S, 10 * A_DAY_S, 400 * A_DAY_S)


@pytest.fixture
def clock(tmp_path: Path) -> ShiftedClock:
    try:
        return ShiftedClock(tmp_path)
    except NoClockError as error:
        pytest.skip(f"no clock can be set: {error}")


class JumpAt:
    """Passes everything on, but at the `at`-th call the clock jumps first."""

    def __init__(self, storage: Storage, at: int, world: World, jump: timedelta) -> None:
        self._storage = storage
        self._left = at
        self._world = world
        self._jump = jump

    def __getattr__(self, name: str) -> Any:
        self._left -= 1
        if self._left == 0:
            self._world.now += self._jump
        return getattr(self._storage, name)


def test_a_clock_that_jumps(database_url: str, sandbox: Sandbox, rounds: int) -> None:
    """By minutes, days and years, back and forth, before a run or in its midst."""
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    with closing(World(sandbox, database_url, few_locations(sandbox))) as world:
        right = world.now
        for number in range(JUMPS + round(rounds * JUMPS_PER_ROUND)):
            jump = rng.choice((timedelta(minutes=1), timedelta(days=1), timedelta(days=400)))
            jump *= rng.uniform(0.5, 3) * (-1 if number % 3 else 1)
            if jump < timedelta(0):
                tally.add("lock troubles")
            sandbox.add_bookings(2)
            if rng.random() < 0.5:
                world.now = right + jump
                assert world.run().ok
            else:
                world.now = right
                at = rng.randint(1, 12)
                assert world.run(wrap=lambda storage: JumpAt(storage, at, world, jump)).ok  # noqa: B023 - called at once
                assert world.now == right + jump
            if rng.random() < 0.4:
                world.now = right
                assert world.run().ok
                assert_nothing_is_missing(world)
        world.now = right
        assert world.run().ok
        assert_nothing_is_missing(world)


def test_the_systems_clock_set_back(
    mongo_url: str, sandbox: Sandbox, clock: ShiftedClock, tmp_path: Path, rounds: int
) -> None:
    """Between runs, and in the midst of one, which is held still for it."""
    urls = [f"sqlite:///{tmp_path / 'syncctl.db'}", mongo_url]
    for url in urls[: 1 if rounds == 1 else 2]:
        set_back_and_right_again(url, sandbox, clock, tmp_path, rounds)


def set_back_and_right_again(
    url: str, sandbox: Sandbox, clock: ShiftedClock, tmp_path: Path, rounds: int
) -> None:
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    program = Program(tmp_path, API_BASE_URL=sandbox.base_url, DATABASE_URL=url)
    program.environment |= clock.environment
    with closing(World(sandbox, url)) as world:
        for _ in range(1 + rounds // ROUNDS_PER_SET_CLOCK):
            sandbox.add_bookings(2)
            back_s = rng.choice(BACK_S)
            # A busy system may let it end before it is held still.
            assert any(set_back_in_mid_run(program, sandbox, clock, back_s) for _ in range(TRIES))
            tally.add("lock troubles")
            sandbox.add_bookings(2)
            run_well(program)  # with a clock that is behind what the last run has noted
            clock.ahead(0)
            run_well(program)
            assert_nothing_is_missing(world)


def run_well(program: Program) -> None:
    result = json.loads(program.run("api", "--json").stdout)
    assert result["ok"]
    assert 0 <= result["duration_s"] < 60


def set_back_in_mid_run(program: Program, sandbox: Sandbox, clock: ShiftedClock, back_s: int) -> bool:
    """Set the clock back while a run is held still; nobody else begins one, and it ends as it should. False:
    it had ended before."""
    clock.ahead(0)
    sandbox.set_faults(Fault("slow", api="return", seconds=0.5, times=1))
    with running(program, "api") as run:
        run.wait_until_begun()
        run.hold_still()
        if not run.is_at_work:
            return False
        clock.ahead(-back_s)
        second = program.run("api")
        assert second.status == 75
        # Since a moment that is still to come, which tells nobody anything.
        assert re.search(r"Another syncctl run \(pid \d+\) holds \S+\.\n", second.stderr)
        ended = run.end()
    assert ended.status == 0, ended.output
    duration = re.search(r"Duration: (\S+) s", ended.stderr)
    assert duration is not None
    assert 0 <= float(duration[1]) < 60
    for command in ("status", "history", "verify sync"):
        assert "Unexpected" not in program.run(*command.split()).output
    return True
