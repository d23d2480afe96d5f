"""One API's failure does not affect the others; a kill at any write, and concurrent runs, end in the same
state."""

import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any, cast

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import (
    ExitCode,
    InterruptedRunError,
    StopRequestedError,
    StorageError,
    StorageUnavailableError,
)
from syncctl.ports.storage import Storage
from syncctl.sandbox import Fault, Sandbox
from tests.integration.conftest import TODAY
from tests.support.failing_storage import FailingStorage, Killed, Moment, interrupted
from tests.support.oracle import key_of
from tests.support.world import Recorder, World


def steps(result: RunResult) -> dict[StepName, StepStatus]:
    return {step.name: step.status for step in result.steps}


def assert_as_undisturbed(world: World) -> None:
    found = sorted(key_of(lead) for lead in world.app.leads())
    assert found == sorted(world.expected().leads)


@pytest.mark.slow
@pytest.mark.parametrize("dead", ["stores", "booking", "return"])
def test_one_dead_api_leaves_the_others_alone(world: World, sandbox: Sandbox, dead: str) -> None:
    sandbox.set_faults(Fault("503", api=dead))
    result = world.run()
    assert not result.ok
    assert all(step.counts.balanced for step in result.steps)
    for step in result.steps:
        if step.name == dead:
            assert step.status is StepStatus.FAILED
            assert "503" in (step.error or "")
        else:
            assert step.status is StepStatus.SUCCESS
    logs = {log["syncType"]: log for log in world.app.all("synclogs")}
    failed = logs["store" if dead == "stores" else dead]
    assert failed["status"] == "failed"
    assert "503" in failed["errorMessage"]
    sandbox.set_faults()
    assert world.run().ok
    assert_as_undisturbed(world)


def test_a_failed_location_leaves_the_others_alone_and_keeps_its_own_watermark(
    world: World, sandbox: Sandbox
) -> None:
    world.run()
    failing = sandbox.locations[1]
    sandbox.set_faults(Fault("500", api="booking", location=failing))
    world.now += timedelta(days=10)
    result = world.run((StepName.BOOKING,))
    assert steps(result) == {StepName.BOOKING: StepStatus.PARTIAL}
    assert result.steps[0].errors == 1
    assert f"location {failing}" in (result.steps[0].error or "")
    with world.storage() as storage:
        states = storage.location_states(StepName.BOOKING)
    for location in sandbox.locations:
        behind = timedelta(days=10) if location == failing else timedelta(0)
        assert states[location].watermark == world.now - behind
    sandbox.set_faults()
    world.now += timedelta(minutes=5)
    world.run((StepName.BOOKING,))
    with world.storage() as storage:
        states = storage.location_states(StepName.BOOKING)
    assert {states[location].watermark for location in sandbox.locations} == {world.now}


def test_a_refused_key_fails_the_step_at_once_and_names_the_setting(world: World, sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("401", api="booking"))
    result = world.run()
    assert steps(result)[StepName.BOOKING] is StepStatus.FAILED
    assert "BOOKING_API_KEY" in (result.steps[1].error or "")
    assert steps(result)[StepName.RETURN] is StepStatus.SUCCESS
    asked = [request for request in sandbox.requests if request.api == "booking"]
    assert len(asked) <= world.config.concurrency


def test_without_the_store_list_the_locations_known_from_before_are_asked(
    world: World, sandbox: Sandbox
) -> None:
    first = world.run((StepName.STORES,))
    assert first.ok
    sandbox.set_faults(Fault("404", api="stores"))
    result = world.run((StepName.BOOKING,))
    assert result.ok
    assert "Store list" in world.recorder.warnings[0]
    assert_booked(world)


def assert_booked(world: World) -> None:
    expected = {key for key in world.expected().leads if key[0] == "bookingConfirmation"}
    assert {key_of(lead) for lead in world.app.leads()} == expected


@pytest.mark.slow
def test_every_fault_at_once_loses_nothing(world: World, sandbox: Sandbox) -> None:
    kinds = ("500", "503", "429", "reset", "drop", "cut", "html", "scalar", "api-error")
    sandbox.set_faults(*(Fault(kind, rate=0.05) for kind in kinds))
    for _ in range(4):
        result = world.run()
        assert all(step.counts.balanced for step in result.steps)
    sandbox.set_faults()
    assert world.run().ok
    assert_as_undisturbed(world)


def test_an_empty_answer_where_there_was_plenty_is_a_warning_and_moves_nothing(
    world: World, sandbox: Sandbox
) -> None:
    world.run((StepName.BOOKING,))
    with world.storage() as storage:
        before = storage.location_states(StepName.BOOKING)
    leads = world.app.leads()
    sandbox.set_faults(Fault("no-data", api="booking"))
    world.now += timedelta(days=1)
    result = world.run((StepName.BOOKING,))
    assert {done.location for _, done in world.recorder.done if done.warning} >= set(sandbox.locations)
    assert result.ok
    assert world.app.leads() == leads
    with world.storage() as storage:
        after = storage.location_states(StepName.BOOKING)
    for location in sandbox.locations:
        assert after[location].doubted_since == world.now
        kept = after[location]._replace(tried_at=before[location].tried_at, doubted_since=None)
        assert kept == before[location]
    world.now += timedelta(days=1, minutes=5)
    assert world.run((StepName.BOOKING,)).ok
    assert not [done for _, done in world.recorder.done if done.warning]  # two days: it is believed
    assert world.app.leads() == leads
    sandbox.set_faults()
    assert world.run((StepName.BOOKING,)).steps[0].dormant >= len(sandbox.locations)
    world.now += timedelta(days=1)
    sandbox.add_bookings(len(sandbox.locations))
    assert world.run((StepName.BOOKING,)).steps[0].counts.saved == len(sandbox.locations)


@pytest.mark.parametrize(("days_ago", "warned"), [(361, False), (300, True)])
def test_an_empty_answer_is_no_warning_where_the_last_booking_has_grown_too_old(
    database_url: str, days_ago: int, warned: bool
) -> None:
    with (
        Sandbox(locations=1, bookings=0, today=TODAY) as sandbox,
        closing(World(sandbox, database_url)) as world,
    ):
        number = sandbox.add_bookings(1)[0]["bookingNo"]
        sandbox.change_booking(number, bookingDate=sandbox.today - timedelta(days=days_ago))
        world.run((StepName.BOOKING,))
        sandbox.remove_booking(number)
        world.now += timedelta(days=1)
        world.run((StepName.BOOKING,))
        assert any(done.warning for _, done in world.recorder.done) is warned
        with world.storage() as storage:
            states = storage.location_states(StepName.BOOKING)
        assert states[sandbox.locations[0]].dormant is not warned


@pytest.mark.slow
def test_the_deadline_ends_the_run_and_what_was_stored_is_kept(world: World, sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("slow", api="booking", seconds=30))
    result = world.run(deadline_s=3.0)  # half of it for the returns, also on a busy machine
    assert result.duration_s < 7
    assert steps(result) == {
        StepName.STORES: StepStatus.SUCCESS,
        StepName.BOOKING: StepStatus.FAILED,
        StepName.RETURN: StepStatus.SUCCESS,
    }
    sandbox.set_faults()
    assert world.run().ok
    assert_as_undisturbed(world)


def kill_at(world: World, write: int, error: Callable[[], BaseException], moment: Moment) -> bool:
    """Whether the run was long enough to be killed there."""
    try:
        world.run(wrap=lambda storage: FailingStorage(storage, write, error, moment))
    except (Killed, StorageUnavailableError, InterruptedRunError):
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_killed_at_any_write_the_next_run_ends_as_an_undisturbed_one(world: World, moment: Moment) -> None:
    write = 1
    while kill_at(world, write, Killed, moment):
        write += 7
    assert write > 20
    assert world.run().ok
    assert_as_undisturbed(world)


def test_killed_between_lead_and_record_the_lead_is_known_by_its_id_even_if_edited(world: World) -> None:
    class LeadsOnly:
        """Dies between the two halves of store_leads, as a killed process on MongoDB may."""

        def __init__(self, storage: Storage) -> None:
            self._storage = storage

        def __getattr__(self, name: str) -> Any:
            return getattr(self._storage, name)

        def store_leads(self, leads: Any, records: Any) -> set[str]:
            self._storage.store_leads(leads, [])
            raise Killed

    with pytest.raises(Killed):
        world.run((StepName.BOOKING,), wrap=LeadsOnly)
    edited = world.app.leads()
    assert edited
    for lead in edited:
        world.app.edit(lead["_id"], phone="9999999999", bookingNo="1", name="Other")
    before = {lead["_id"]: lead for lead in world.app.leads()}
    world.run((StepName.BOOKING,))
    after = {lead["_id"]: lead for lead in world.app.leads()}
    assert {lead_id: after[lead_id] for lead_id in before} == before
    assert len(after) == len([key for key in world.expected().leads if key[0] == "bookingConfirmation"])


def test_an_interrupted_run_keeps_what_it_stored_and_says_so(world: World) -> None:
    assert kill_at(world, 12, interrupted, Moment.AFTER)
    logs = world.app.all("synclogs")
    assert logs[-1]["status"] == "failed"
    assert "nterrupted" in logs[-1]["errorMessage"]
    assert world.app.leads()
    assert world.run().ok
    assert_as_undisturbed(world)


def refusing(name: str, error: Callable[[], BaseException], times: int = 10_000) -> Callable[[Storage], Any]:
    """A wrapper around the database in which one method raises a number of times."""

    class Refusing:
        def __init__(self, storage: Storage) -> None:
            self._storage = storage
            self._left = times

        def __getattr__(self, called: str) -> Any:
            if called == name and self._left:
                self._left -= 1
                return self._refuse
            return getattr(self._storage, called)

        def _refuse(self, *given: object) -> None:
            raise error()

    return Refusing


def test_interrupted_while_a_step_is_logged_that_step_is_logged_all_the_same(world: World) -> None:
    with pytest.raises(InterruptedRunError):
        world.run(wrap=refusing("add_sync_log", interrupted, times=1))
    assert [(log["syncType"], log["status"]) for log in world.app.all("synclogs")] == [("store", "success")]


def test_a_step_is_not_begun_once_a_stop_is_requested(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, "step_finished", lambda *of_step: world.stop.request(signal.SIGTERM))
    with pytest.raises(InterruptedRunError):
        world.run()
    assert world.recorder.started == [StepName.STORES]
    assert [(log["syncType"], log["status"]) for log in world.app.all("synclogs")] == [("store", "success")]


def test_a_history_that_takes_nothing_is_a_warning(world: World) -> None:
    result = world.run(wrap=refusing("save_run", lambda: StorageError("full")))
    assert result.ok
    assert world.recorder.warnings == ["The run could not be kept in the history: full"]
    assert_as_undisturbed(world)


def test_states_that_can_not_be_kept_fail_their_locations_and_not_the_other_report(
    world: World, sandbox: Sandbox
) -> None:
    sandbox.set_faults(Fault("404", api="booking", location=sandbox.locations[0]))
    result = world.run(wrap=refusing("save_location_states", lambda: StorageError("refused")))
    assert steps(result) == {
        StepName.STORES: StepStatus.SUCCESS,
        StepName.BOOKING: StepStatus.PARTIAL,
        StepName.RETURN: StepStatus.PARTIAL,
    }
    sandbox.set_faults()
    assert world.run().ok
    assert_as_undisturbed(world)


def test_locations_that_can_not_be_put_to_sleep_are_merely_asked_again(
    world: World, sandbox: Sandbox
) -> None:
    class WithoutDormancy:
        def __init__(self, storage: Storage) -> None:
            self._storage = storage

        def __getattr__(self, name: str) -> Any:
            return getattr(self._storage, name)

        def save_location_states(self, report: StepName, states: Sequence[LocationState]) -> None:
            if any(state.dormant for state in states):
                raise StorageError("refused")
            self._storage.save_location_states(report, states)

    first = world.run(wrap=WithoutDormancy)
    assert first.ok
    assert any("data could not be saved: refused" in warning for warning in world.recorder.warnings)
    assert world.run().steps[1].total == first.steps[1].total
    assert_as_undisturbed(world)


def test_a_database_that_goes_away_ends_the_run(world: World) -> None:
    assert kill_at(world, 9, lambda: StorageUnavailableError("gone"), Moment.BEFORE)
    assert world.run().ok
    assert_as_undisturbed(world)


def test_what_the_database_refuses_fails_its_location_only(world: World) -> None:
    result = world.run(wrap=lambda storage: FailingStorage(storage, 6, lambda: StorageError("refused")))
    assert not result.ok
    assert sum(step.errors for step in result.steps) == 1
    assert "refused" in "".join(step.error or "" for step in result.steps)
    assert world.run().ok
    assert_as_undisturbed(world)


@pytest.mark.slow
def test_runs_at_once_make_no_duplicate(world: World) -> None:
    worlds = [World(world.sandbox, world.url) for _ in range(4)]
    results: list[RunResult] = []
    threads = [threading.Thread(target=lambda one=one: results.append(one.run())) for one in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in worlds:
        one.close()
    assert len(results) == 4
    assert all(step.counts.balanced for result in results for step in result.steps)
    saved = sum(step.counts.saved for result in results for step in result.steps[1:])
    assert saved == len(world.app.leads())
    assert_as_undisturbed(world)


def test_sigterm_is_a_request_to_stop() -> None:
    for number, status in ((signal.SIGTERM, ExitCode.TERMINATED), (signal.SIGINT, ExitCode.INTERRUPTED)):
        request = StopRequestedError(number)
        assert InterruptedRunError(request).exit_code == request.exit_code == status == 128 + number


def test_a_report_that_is_empty_everywhere_puts_no_location_to_sleep(world: World, sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("no-data", api="booking"))
    first = world.run((StepName.BOOKING,))
    assert first.ok
    assert any("No location has anything" in warning for warning in world.recorder.warnings)
    sandbox.set_faults()
    assert world.run((StepName.BOOKING,)).steps[0].total == first.steps[0].total
    assert_booked(world)


def test_a_location_that_failed_is_asked_last_next_time(world: World, sandbox: Sandbox) -> None:
    world.config = world.config._replace(concurrency=1)
    failing = sandbox.locations[0]
    for faults in ((), (Fault("500", api="booking", location=failing),), ()):
        sandbox.set_faults(*faults)
        world.run((StepName.BOOKING,))
        world.now += timedelta(minutes=5)
    asked = [request.location for request in sandbox.requests if request.api == "booking"]
    assert asked[-1] == failing


def test_an_empty_store_list_does_not_wipe_the_last_good_one(world: World, sandbox: Sandbox) -> None:
    world.run((StepName.STORES,))
    with world.storage() as storage:
        before = storage.store_list()
    assert before
    sandbox.set_faults(Fault("no-data", api="stores"))
    assert world.run((StepName.STORES,)).ok
    assert any("without any store" in warning for warning in world.recorder.warnings)
    with world.storage() as storage:
        assert storage.store_list() == before


def test_a_database_that_takes_no_lead_does_not_make_the_api_one_without_any(world: World) -> None:
    result = world.run(wrap=refusing("store_leads", lambda: StorageError("refused")))
    assert not result.ok
    assert [warning for warning in world.recorder.warnings if "No location has anything" in warning] == []


def test_a_look_at_answered_rejects_that_fails_costs_one_location(world: World) -> None:
    world.run((StepName.RETURN,))
    with world.storage() as storage:
        assert storage.rejects("return")

    def refusing(storage: Storage) -> Storage:
        return cast(
            "Storage", FailingStorage(storage, 1, lambda: StorageError("no"), among=["closed_rejects"])
        )

    (step,) = world.run((StepName.RETURN,), wrap=refusing).steps
    assert (step.status, step.errors) == (StepStatus.PARTIAL, 1)
    assert step.counts.balanced
