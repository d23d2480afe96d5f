"""Runs that share the locations: together they do what one does, and none asks what another one asks."""

from collections import Counter
from datetime import timedelta

from syncctl.domain.dialects import LocationIds
from syncctl.domain.shards import shards
from syncctl.sandbox import Sandbox
from tests.support.shared_reports import SharedReports
from tests.support.world import World


def asked(world: World, since: int = 0) -> Counter[tuple[str, str | None]]:
    """How often each report was asked for each location."""
    calls = world.sandbox.requests[since:]
    return Counter((call.api, call.location) for call in calls if call.api != "stores")


def test_all_parts_do_what_one_run_does(world: World) -> None:
    for shard in shards(3):
        result = world.run(shard=shard, full=True)
        assert result.ok
        assert all(shard.has(each.location) for step in result.steps[1:] for each in step.locations)
    by_parts, leads = asked(world), len(world.app.leads())
    whole = world.run(full=True)
    assert leads > 0
    assert [step.counts.saved for step in whole.steps[1:]] == [0, 0]
    assert asked(world, by_parts.total() + len(shards(3))) == by_parts


def test_audits_stay_within_the_part(world: World) -> None:
    for shard in shards(2):
        world.run(shard=shard)
    since = len(world.sandbox.requests)
    first, _ = shards(2)
    world.run(shard=first, audits=50)
    calls = asked(world, since)
    assert all(first.has(str(location)) for _, location in calls)


def test_only_the_first_part_asks_without_an_id_and_keeps_what_it_learns(
    world: World, sandbox: Sandbox
) -> None:
    reports = SharedReports(sandbox)
    reports.answer = reports.only_without_id
    first, second = shards(2)
    with reports.served_to(world):
        for shard, is_known in ((second, False), (first, True), (second, True)):
            reports.asked.clear()
            world.now += timedelta(minutes=5)
            assert world.run(shard=shard).ok
            assert ("" in {location for _, location in reports.asked}) == (shard == first)
            with world.storage() as storage:
                found = {dialect.ids for dialect in storage.dialects().values()}
            assert found == ({LocationIds.EMPTY} if is_known else set())
    expected = reports.expected(world).leads
    assert len(world.app.leads()) == len(expected) > 0
