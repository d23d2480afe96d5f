"""A job made ready once, with what it comes to undisturbed, to be disturbed many times."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from syncctl.ports import Storage
from syncctl.sandbox import Sandbox
from tests.support.failing_storage import FailingStorage
from tests.support.world import World
from tests.torture.jobs import Ground, Job, few_locations
from tests.torture.states import Rewind, State, assert_as_undisturbed, state_of


@dataclass(frozen=True)
class Prepared:
    """`rewind`: back to the state before the job. `writes`: how many writes the job takes undisturbed, and
    `undisturbed`: what it comes to."""

    job: Job
    place: Ground
    rewind: Rewind
    writes: int
    undisturbed: State

    @property
    def luck(self) -> Random:
        return self.place.luck

    def assert_redone(self) -> None:
        """Do the job once more, in peace: it ends as if nothing had disturbed it before."""
        self.job.do(self.place, lambda storage: storage)
        assert_as_undisturbed(state_of(self.place.world.app), self.undisturbed)


@contextmanager
def prepared(job: Job, url: str, folder: Path, *, seed: int = 1) -> Iterator[Prepared]:
    """A small world of a seed, in an empty database, which is left empty again."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(seed=seed, locations=3, bookings=16))
        world = World(sandbox, url, few_locations(sandbox))
        stack.callback(world.close)
        empty = _rewind(stack, world)
        stack.callback(empty)
        place = Ground(world, folder, Random(seed))  # noqa: S311 - luck, not cryptography
        job.prepare(place)
        rewind = _rewind(stack, world)
        writes = _writes_of(job, place)
        yield Prepared(job, place, rewind, writes, state_of(world.app))


def _rewind(stack: ExitStack, world: World) -> Rewind:
    rewind = Rewind(world.app, world.url)
    stack.callback(rewind.close)
    return rewind


def _writes_of(job: Job, place: Ground) -> int:
    watched: list[FailingStorage] = []

    def watch(storage: Storage) -> Any:
        watched.append(FailingStorage(storage, at=0))
        return watched[0]

    job.do(place, watch)
    return watched[0].writes
