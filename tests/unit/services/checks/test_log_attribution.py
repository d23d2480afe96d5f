"""Which entries of `synclogs` are another system's."""

from datetime import UTC, datetime, timedelta

import pytest

from syncctl.domain.run_history import SyncLog
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.admin import RunSpan
from syncctl.services.checks.log_attribution import entries_of_others

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
API = ("stores", "booking", "return")
LOGS = ("store", "booking", "return")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def run(minutes: float, *steps: str, seconds: float = 30) -> RunSpan:
    return RunSpan(at(minutes), at(minutes) + timedelta(seconds=seconds), steps or API)


def logs(minutes: float, *kinds: str, trigger: Trigger = Trigger.AUTO) -> list[SyncLog]:
    """Entries ten seconds apart, as one run leaves them."""
    return [
        SyncLog(kind, trigger, at(minutes) + timedelta(seconds=10 * n), 3, StepStatus.SUCCESS, None)
        for n, kind in enumerate(kinds or LOGS)
    ]


def others(entries: list[list[SyncLog]], *runs: RunSpan) -> list[tuple[str, datetime]]:
    ordered = sorted((entry for group in entries for entry in group), key=lambda entry: entry.at)
    found = entries_of_others(ordered, sorted(runs, key=lambda run: run.started_at))
    return [(entry.sync_type, entry.at) for entry in found]


def test_each_entry_of_a_run_is_explained() -> None:
    days = [5 * n for n in range(12)]
    assert others([logs(n) for n in days], *(run(n) for n in days)) == []
    assert others([logs(0, "booking")], run(0, "booking")) == []
    assert others([logs(0, "walkin", "lossofsale")]) == []
    assert others([]) == []


def test_a_run_of_another_system_between_two_of_ours() -> None:
    theirs = logs(3, "booking", "return")
    found = others([logs(0), theirs, logs(5)], run(0), run(5))
    assert found == [(entry.sync_type, entry.at) for entry in theirs]


@pytest.mark.parametrize("minutes", [-0.1, 0, 0.2, 0.4])
def test_one_that_comes_together_with_ours(minutes: float) -> None:
    assert len(others([logs(0), logs(minutes)], run(0))) == 3
    assert len(others([logs(0), logs(minutes, "booking", "return")], run(0))) == 2


def test_entries_beside_a_run_that_has_no_such_step() -> None:
    assert len(others([logs(0, "booking"), logs(0, "return")], run(0, "booking", "walkin"))) == 1


@pytest.mark.parametrize("seconds", [-59, 59])
def test_a_clock_that_was_set_during_the_run(seconds: float) -> None:
    assert others([logs(seconds / 60, "booking", "return")], run(0, seconds=10)) == []


def test_several_hosts_at_once() -> None:
    spans = (run(0, seconds=200), run(1, seconds=20), run(2, seconds=100))
    assert others([logs(1), logs(1), logs(2.5)], *spans) == []
    assert len(others([logs(1), logs(1), logs(2.5), logs(2)], *spans)) == 3


@pytest.mark.parametrize("left", [("store",), ("store", "booking")])
def test_a_run_that_was_killed_leaves_its_first_steps(left: tuple[str, ...]) -> None:
    killed = logs(5, *left)
    assert others([logs(0), killed, logs(10)], run(0), run(10)) == []
    # The machine was down for a night, or still is.
    assert others([logs(0), killed, logs(900)], run(0), run(900)) == []
    assert others([logs(0), killed], run(0)) == []


def test_runs_that_are_killed_each_time() -> None:
    killed = [logs(5 * n, "store", "booking") for n in range(1, 40)]
    assert others([logs(0), *killed], run(0)) == []
    assert others([logs(0), *killed, logs(200)], run(0), run(200)) == []


def test_a_single_entry_shortly_before_another_run() -> None:
    for kind in LOGS:
        assert others([logs(0), logs(3, kind), logs(5)], run(0), run(5)) == []
    assert len(others([logs(0), logs(3, "booking"), logs(90)], run(0), run(90))) == 1
    assert len(others([logs(0), logs(3, "return")], run(0))) == 1


def test_an_import_after_the_api_or_a_repair_by_hand_that_was_killed() -> None:
    for left in (LOGS, ("booking",)):
        assert others([logs(0), logs(5, *left, trigger=Trigger.MANUAL)], run(0)) == []
        assert len(others([logs(0), logs(5, *left)], run(0))) == len(left)


@pytest.mark.parametrize("kinds", [("booking",), ("return",), ("store", "booking")])
def test_what_comes_again_between_whole_runs_is_no_killed_run(kinds: tuple[str, ...]) -> None:
    ours = [5 * n for n in range(40)]
    theirs = [logs(10 * n + 2, *kinds) for n in range(12)]
    found = others([*map(logs, ours), *theirs], *map(run, ours))
    assert len(found) == len(kinds) * 12
    assert others([*map(logs, ours), *theirs[1:]], *map(run, ours)) == []


def test_runs_that_are_killed_now_and_then() -> None:
    ours = [60 * n for n in range(24 * 5)]
    killed = [logs(n + 20, "store", "booking") for n in ours[::3]]
    assert others([*map(logs, ours), *killed], *map(run, ours)) == []
