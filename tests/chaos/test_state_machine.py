"""Whatever source, telecallers, runs and imports do in turn, the promises hold: checked after every step."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.concurrency_machine import ConcurrencyMachine
from tests.chaos.source import Row

HISTORIES, STEPS = 8, 40
SHRINKING_S = 60


@pytest.fixture(autouse=True)
def _no_endless_shrinking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis has no setting for it, and takes five minutes where a story can't get much shorter."""
    monkeypatch.setattr("hypothesis.internal.conjecture.engine.MAX_SHRINKING_SECONDS", SHRINKING_S)


def play(make_url: Callable[[Path], str], histories: int) -> None:
    """So many stories, each on a database of its own; the same ones every time where CI is set, which is
    Hypothesis' own rule."""
    machine = type("AnyStory", (ConcurrencyMachine,), {"make_url": staticmethod(make_url)})
    given = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        # Without Phase.explain, which would play a failing story many times more.
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )
    run_state_machine_as_test(machine, settings=given)


def test_any_story_on_sqlite_keeps_the_promises(few_rounds: int) -> None:
    play(lambda folder: f"sqlite:///{folder / 'syncctl.db'}", HISTORIES * few_rounds)


def test_any_story_on_mongodb_keeps_the_promises(few_rounds: int, mongo_server: str) -> None:
    from pymongo import MongoClient

    from tests.support.mongod import with_database

    name = f"syncctl_story_{uuid.uuid4().hex}"
    with MongoClient[Row](mongo_server) as client:

        def empty_database(_folder: Path) -> str:
            client.drop_database(name)
            return with_database(mongo_server, name)

        try:
            play(empty_database, few_rounds)
        finally:
            client.drop_database(name)
