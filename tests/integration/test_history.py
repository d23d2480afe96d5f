"""What a run leaves in the history, and for how long."""

from contextlib import closing
from datetime import timedelta

import pytest

from syncctl.services.run import HISTORY_RETENTION
from syncctl.storage.registry import open_storage
from tests.support.world import World


def run_ids(world: World) -> list[str]:
    with closing(open_storage(world.url, for_reading_only=True)) as database:
        return [run.run_id for run in database.runs(0)]


@pytest.mark.slow
def test_a_run_forgets_those_of_long_ago(world: World) -> None:
    first = world.run()
    world.now += HISTORY_RETENTION
    second = world.run()
    assert run_ids(world) == [second.run_id, first.run_id]
    world.now += timedelta(seconds=1)
    third = world.run()
    assert run_ids(world) == [third.run_id, second.run_id]
