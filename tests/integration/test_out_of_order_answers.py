"""Answers of the next report that arrive before the last one of the current report."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from syncctl.api.client import HttpRentalApi
from syncctl.domain.requests import ReportRequest
from syncctl.domain.sources import StepName
from syncctl.domain.steps import Trigger
from syncctl.ports.api import Answer, Prepare
from syncctl.services.run import Run, RunRequest
from syncctl.services.sync.api_sync import ApiSync
from syncctl.services.sync.planning import SyncOptions, WindowSettings
from tests.support.world import API, KOLKATA, World


@dataclass
class LastReportFirst:
    """The sandbox's API, its answers given out in the opposite order. `found`: how many leads there were each
    time that the next answer was asked for."""

    api: HttpRentalApi
    world: World
    found: list[int] = field(default_factory=list)

    def store_list(self, deadline: float) -> list[Any]:
        return self.api.store_list(deadline)

    def reports(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        answers = list(self.api.reports(requests, prepare))
        for answer in sorted(answers, key=lambda answer: answer.request.report is StepName.BOOKING):
            self.found.append(len(self.world.app.leads()))
            yield answer

    def close(self) -> None:
        self.api.close()


@pytest.mark.slow
def test_they_are_stored_at_once_and_told_in_turn(world: World) -> None:
    """What waited in memory for its report's turn would be all of that report's rows, where one location of
    the report before hangs."""
    with closing(LastReportFirst(HttpRentalApi(world.config), world)) as api, world.storage() as storage:
        sync = ApiSync(api, world.locations, API, WindowSettings(12, KOLKATA), 60.0, SyncOptions())
        run = Run(RunRequest("api", API, Trigger.AUTO), storage, world.recorder, world._clock())
        result = run.execute([sync])
    assert result.ok
    returns = sum(lead["leadType"] == "return" for lead in world.app.leads())
    assert api.found[len(api.found) // 2] == returns > 0
    assert world.recorder.started == list(API)
    steps_reported = [step for step, _ in world.recorder.done]
    assert steps_reported == sorted(steps_reported, key=list(API).index)
    assert len(steps_reported) == sum(step.total for step in result.steps[1:])
