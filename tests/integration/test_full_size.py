"""The business as it is: 21 locations of 200 bookings each, about 7,400 item rows a report."""

from collections.abc import Iterator

import pytest

from syncctl.sandbox import Sandbox
from tests.integration.conftest import TODAY
from tests.support.oracle import key_of
from tests.support.world import World


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(today=TODAY) as sandbox:
        yield sandbox


@pytest.mark.slow
def test_each_lead_once_field_by_field_and_nothing_the_second_time(world: World) -> None:
    first = world.run()
    assert first.ok
    assert [step.counts.rows for step in first.steps[1:]] == [7392, 7392]
    assert all(step.counts.balanced for step in first.steps)
    expected = world.expected().leads
    leads = world.app.leads()
    assert len(leads) == len(expected)
    for lead in leads:
        lead.pop("_id")
        assert lead == expected[key_of(lead)]
    again = world.run(full=True)
    assert again.ok
    assert [(step.counts.saved, step.changed) for step in again.steps] == [(0, 0)] * 3
    assert len(world.app.leads()) == len(leads)
