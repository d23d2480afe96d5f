"""The sandbox's dialects in which a location id is not kept to, measured and audited in real runs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncctl.domain.dialects import LocationIds
from syncctl.domain.sources import StepName
from syncctl.sandbox import Sandbox
from tests.integration.conftest import TODAY
from tests.support.completeness import assert_nothing_found, look
from tests.support.oracle import key_of
from tests.support.world import World


@pytest.fixture(params=["id-ignored", "booking-date+id-ignored", "empty-id-only", "own-date+empty-id-only"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(locations=4, bookings=60, today=TODAY, dialect=request.param) as sandbox:
        yield sandbox


def is_known(world: World, known: LocationIds) -> bool:
    with world.storage() as storage:
        dialects = storage.dialects()
    return all(
        dialects[report].ids is known and dialects[report].measured_at is not None
        for report in (StepName.BOOKING, StepName.RETURN)
    )


@pytest.mark.slow
def test_everything_comes_under_its_own_shop_run_after_run(
    world: World, sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    known = LocationIds.EMPTY if "empty" in request.node.callspec.params["sandbox"] else LocationIds.IGNORED
    for number in range(5):
        if number:
            sandbox.add_bookings(4)
        world.now += timedelta(hours=7)
        result = world.run(measures=True, audits=2)
        assert result.ok
        assert all(step.counts.balanced for step in result.steps)
        assert len(world.recorder.warnings) == 1
        expected = world.expected().leads
        leads = world.app.leads()
        assert {key_of(lead) for lead in leads} == set(expected)
        assert len(leads) == len(expected)
        assert all(lead["store"] == expected[key_of(lead)]["store"] for lead in leads)
        assert is_known(world, known)
    assert_nothing_found(look(world))
