"""A whole run in the middle of another one, before any of its calls: still one lead per record."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.sources import StepName
from tests.support.interleaved_storage import InterleavedStorage
from tests.support.store_files import forget, row, write
from tests.support.webapp import Lead, old_lead
from tests.support.world import World


def make_old(world: World, lead: Lead) -> None:
    """Turn a lead into one that the old system imported and no run has seen."""
    world.app.delete(lead["_id"])
    world.app.insert(old_lead(lead))
    forget(world)


def before_each_call(world: World, run: Callable[..., Any], its_leads: Callable[[], list[Lead]]) -> int:
    """Run a legacy lead's run with the same run before its first call, its second, and so on: it stays one
    lead. Returns the number of calls."""
    at = 0
    while True:
        at += 1
        make_old(world, its_leads()[0])
        count = len(its_leads())
        storages: list[InterleavedStorage] = []

        def wrap(storage: Any, at: int = at, storages: list[InterleavedStorage] = storages) -> Any:
            storages.append(InterleavedStorage(storage, at, run))
            return storages[0]

        run(wrap=wrap)
        if not storages[0].has_acted:
            return at - 1
        assert len(its_leads()) == count, f"before call {at}: {storages[0].calls[at - 1]}"


@pytest.mark.slow
def test_both_adopt_the_same_leads_of_a_report(world: World) -> None:
    location = world.sandbox.locations[0]

    def run(**wrap: Any) -> None:
        assert world.run((StepName.BOOKING,), full=True, locations=(location,), **wrap).ok

    run()
    assert before_each_call(world, run, world.app.leads) > 5


def test_both_adopt_the_same_leads_of_a_file(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row())

    def run(**wrap: Any) -> None:
        assert world.import_files(StepName.WALKIN, file, **wrap).ok

    run()
    assert before_each_call(world, run, world.app.leads) > 5
