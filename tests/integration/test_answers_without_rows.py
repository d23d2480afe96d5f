"""An API's error is no empty answer, and an unclear text decides nothing, in whole runs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.run_documents import exit_code
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from tests.support.answers import errors_without_rows, item_rows
from tests.support.program import Program
from tests.support.scripted_api import STORES, answering
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply
from tests.support.world import World

UNCLEAR = {"dataSet": {"data": []}, "status": True, "errorDescription": "Kindly select a location"}
NO_DATA = {"dataSet": None, "status": False, "errorDescription": "No data found"}
BOTH = (StepName.BOOKING, StepName.RETURN)
ROW = {
    "bookingNo": "2026020100100001",
    "customerName": "Made Up One",
    "phoneNo": "9846012301",
    "bookingDate": "2026-03-01T08:59:27",
    "returnDate": "2026-03-09T08:59:27",
}


def states(world: World) -> dict[str, Any]:
    with world.storage() as storage:
        return storage.location_states(StepName.BOOKING)


@pytest.mark.slow
@pytest.mark.parametrize("body", errors_without_rows())
def test_an_error_without_rows_fails_its_locations(world: World, body: Any) -> None:
    with answering(world, lambda location: body):
        result = world.run(audits=2)
    assert exit_code(result) == 1
    assert [step.status for step in result.steps[1:]] == [StepStatus.FAILED] * 2
    assert all(state.watermark is None and not state.dormant for state in states(world).values())


def test_an_unclear_text_is_an_empty_answer_from_which_nothing_follows(world: World) -> None:
    with answering(world, lambda location: {"data": [ROW]} if location == "7" else NO_DATA):
        assert world.run(BOTH).ok
    before = states(world)
    assert before["13"].dormant
    world.now += timedelta(days=2)
    with answering(world, lambda location: UNCLEAR) as server:
        result = world.run(BOTH, audits=2)
        asked = {received.location for received in server.received if received.method == "POST"}
    assert result.ok
    assert "7" in asked
    assert "" not in asked  # nothing follows: not that no location has anything either
    assert [(step.errors, step.counts.rows) for step in result.steps] == [(0, 0)] * 2
    after = states(world)
    for location, state in after.items():
        was = before.get(location)
        assert (state.watermark, state.dormant) == ((was.watermark, was.dormant) if was else (None, False))
    (warning,) = [line for line in world.recorder.warnings if "Kindly" in line]
    assert "“Kindly select a location”" in warning


def test_one_warning_for_all_texts_and_none_where_there_is_none(world: World) -> None:
    with answering(world, lambda location: UNCLEAR | {"errorDescription": f"Ask {location}"}):
        assert world.run().ok
    assert len([line for line in world.recorder.warnings if "“Ask " in line]) == 1
    with answering(world, lambda location: NO_DATA):
        assert world.run().ok
    assert not [line for line in world.recorder.warnings if "“" in line]


def test_an_unclear_store_list_is_no_failure(world: World) -> None:
    with answering(world, lambda location: {"data": [ROW]} if location == "7" else NO_DATA):
        world.run()
    with answering(world, lambda location: NO_DATA, stores=UNCLEAR):
        result = world.run()
    assert result.steps[0].status is StepStatus.SUCCESS
    assert len([line for line in world.recorder.warnings if "“Kindly select a location”" in line]) == 1
    with world.storage() as storage:
        assert "13" in storage.store_list()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["booking", "verify source"])
def test_the_programs_exit_status(tmp_path: Path, command: str) -> None:
    bodies = iter((*errors_without_rows()[:1], UNCLEAR))
    for expected in (1, 0):
        body = next(bodies)

        def script(received: Received, body: Any = body) -> Reply:
            return reply(json.dumps(STORES if received.method == "GET" else body).encode())

        with ScriptedServer(script) as server:
            program = Program(tmp_path, API_BASE_URL=server.url, API_MAX_TRIES=1)
            ended = program.run(*command.split())
        assert ended.status == expected, ended.output
        quoted = [line for line in ended.output.splitlines() if "Kindly select a location" in line]
        assert len(quoted) == (expected == 0), ended.output


def test_item_rows_become_one_whole_lead(world: World) -> None:
    world.now = world.now.replace(year=2025, month=6)
    with answering(world, lambda location: item_rows() if location == "7" else NO_DATA):
        result = world.run((StepName.BOOKING,))
        leads = world.app.leads()
        again = world.run((StepName.BOOKING,))
    assert (result.steps[0].counts.saved, result.steps[0].counts.merged) == (2, 2)
    for lead in leads:
        assert lead["functionDate"] == datetime(2026, 12, 20, tzinfo=UTC)
        assert (lead["securityAmount"], lead["remarks"]) == (9000, "needs fitting")
    assert (again.steps[0].counts.existing, again.steps[0].changed) == (2, 0)
