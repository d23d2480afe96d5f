"""How far locations are is saved for some of them at once: it never runs ahead of what is stored of them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import (
    InterruptedRunError,
    StorageError,
    StorageUnavailableError,
    SyncctlError,
)
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.sync.step_tools import STATES_TOGETHER
from tests.chaos.states import Rewind, assert_nothing_is_missing
from tests.chaos.tally import tally
from tests.support.failing_storage import Killed, interrupted, terminated
from tests.support.oracle import Expectation, key_of
from tests.support.world import World, few_locations

LOCATIONS = 12
"""More than are saved at once."""

States = dict[StepName, dict[str, LocationState]]

ENDS: tuple[Callable[[], BaseException], ...] = (
    Killed,
    interrupted,
    terminated,
    lambda: StorageUnavailableError("gone"),
)
REPORTS = (StepName.BOOKING, StepName.RETURN)
STRIKES = 2
ROUNDS_PER_STRIKE = 4


class InterruptedAt:
    """Forwards every call, but ends the run at the `at`-th call of one of `methods`; `done`: after it."""

    def __init__(
        self, storage: Storage, at: int, end: Callable[[], BaseException], *methods: str, done: bool
    ) -> None:
        self.calls = 0
        self._storage = storage
        self._at = at
        self._end = end
        self._methods = methods
        self._done = done

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        if name not in self._methods:
            return method

        def struck(*given: Any) -> Any:
            self.calls += 1
            if self.calls != self._at:
                return method(*given)
            if self._done:
                method(*given)
            raise self._end()

        return struck


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with (
        Sandbox(locations=LOCATIONS, bookings=4) as sandbox,
        closing(World(sandbox, database_url, few_locations(sandbox))) as world,
    ):
        yield world


def test_struck_between_two_locations_nothing_runs_ahead(world: World, rounds: int) -> None:
    """At the writes of leads and of states, before and after them, in a first sync and in a later one."""
    assert STATES_TOGETHER < LOCATIONS
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    with closing(Rewind(world.app, world.url)) as empty:
        for number in range(STRIKES + rounds // ROUNDS_PER_STRIKE):
            empty()
            right = world.now
            if number % 2:
                assert world.run().ok
                world.now += timedelta(minutes=10)
                world.sandbox.add_bookings(LOCATIONS)
            end = rng.choice(ENDS)
            run_interrupted(world, rng.randint(1, 2 * LOCATIONS + 6), end, done=rng.random() < 0.5)
            assert_no_state_runs_ahead(world)
            assert world.run().ok
            assert_nothing_is_missing(world)
            assert {report: len(states(world, report)) for report in REPORTS} == dict.fromkeys(
                REPORTS, len(world.locations.by_code)
            )
            world.now = right


def run_interrupted(world: World, at: int, end: Callable[[], BaseException], *, done: bool) -> None:
    def struck(storage: Storage) -> Any:
        return InterruptedAt(storage, at, end, "store_leads", "save_location_states", done=done)

    before = {report: states(world, report) for report in REPORTS}
    world.recorder.started.clear()
    try:
        world.run(wrap=struck)
    except Killed:
        tally.add("kills at a write")
    except InterruptedRunError:
        tally.add("interrupts")
        assert_stored_states_match_leads(world, before)
    except SyncctlError:
        tally.add("database troubles")


def assert_stored_states_match_leads(world: World, before: States) -> None:
    """A run that is stopped saves the states it still holds."""
    for report in REPORTS:
        taken = {
            result.location for step, result in world.recorder.done if step is report and result.counts.rows
        }
        now = states(world, report)
        assert {location for location in taken if now.get(location) == before[report].get(location)} == set()


def assert_no_state_runs_ahead(world: World) -> None:
    """If a location has a watermark, everything in its report up to it is stored."""
    stored = {key_of(lead) for lead in world.app.leads()}
    for report in REPORTS:
        for location, state in states(world, report).items():
            if state.watermark is None or location not in world.sandbox.locations:
                continue
            if state.watermark < world.now:  # not this run's: what is new since is still to come
                continue
            wanted = Expectation()
            wanted.add(report, world.locations.by_code[location], world.sandbox.rows(report, location))
            assert wanted.leads.keys() <= stored, location


def states(world: World, report: StepName) -> dict[str, LocationState]:
    with world.storage() as storage:
        return dict(storage.location_states(report))


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_states_that_are_refused_fail_their_locations_alone(world: World, at: int) -> None:
    """The leads stay, the run says which locations, and those are asked again."""
    tally.add("database troubles")

    def refuse() -> BaseException:
        return StorageError("refused")

    result = world.run(
        wrap=lambda storage: InterruptedAt(storage, at, refuse, "save_location_states", done=False)
    )
    steps = {step.name: step for step in result.steps}
    failed = [step for step in (steps[report] for report in REPORTS) if step.errors]
    assert all(step.counts.balanced for step in result.steps)
    assert_nothing_is_missing(world)
    # The third is about those that have nothing, and may rest: they are merely asked again.
    assert bool(failed) is (at != 3)
    assert any("could not be saved" in warning for warning in world.recorder.warnings)
    for step in failed:
        known = states(world, step.name)
        for location in step.locations:
            assert (location.error == "refused") == (location.location not in known), location
        assert step.status is (
            StepStatus.FAILED if step.errors == len(step.locations) else StepStatus.PARTIAL
        )
    assert world.run().ok
    assert_nothing_is_missing(world)
