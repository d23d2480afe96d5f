"""Processes ended by signals in the midst of a run: run again, they end as if nothing had happened."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncctl.sandbox import Sandbox
from tests.chaos.jobs import JOBS, Job, Workspace
from tests.chaos.long_jobs import LARGE, SMALL, Size, long_jobs
from tests.chaos.running import running
from tests.chaos.states import (
    Rewind,
    State,
    assert_as_undisturbed,
    assert_nothing_is_missing,
    state_of,
)
from tests.chaos.tally import tally
from tests.support.oracle import Expectation
from tests.support.program import Ended, Program
from tests.support.world import World

ROUNDS_PER_CHAIN = 8
KILLS_IN_A_ROW = 3
TRIES_PER_KILL = 8
WHEN_A_RUN_WROTE_IT = ("updatedAt",)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SYNC_TYPES = {
    "Stores": "store",
    "Booking Confirmations": "booking",
    "Returns": "return",
    "Walk-ins": "walkin",
}
LEAD_TYPES = {"booking": "bookingConfirmation", "return": "return", "walkin": "general"}
HOW = {
    signal.SIGINT: "interrupted before it finished",
    signal.SIGTERM: "terminated by a signal before it finished",
}
"""What the synclog says of the step that a signal ended."""


@dataclass(frozen=True)
class ProcessJob:
    """A job as a command, the states before and after an undisturbed run, and that run's duration."""

    job: Job
    workspace: Workspace
    program: Program
    before: Rewind
    undisturbed: State
    duration_s: float

    def state(self) -> State:
        return _state(self.workspace.world)


@contextmanager
def process_job(job: Job, size: Size, url: str, folder: Path) -> Iterator[ProcessJob]:
    """Prepare a job, and run it once to record its result."""
    folder.mkdir()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(locations=3, bookings=size.bookings, latency_s=size.latency_s))
        world = World(sandbox, url)
        stack.callback(world.close)
        workspace = Workspace(world, folder, Random(1))  # noqa: S311 - chance, not cryptography
        job.prepare(workspace)
        program = Program(folder, API_BASE_URL=sandbox.base_url, DATABASE_URL=url)
        before = Rewind(world.app, url)
        stack.callback(before.close)
        state_before = _state(world)
        with running(program, *job.arguments) as run:
            assert run.wait_until_begun()
            begun = time.monotonic()
            run.wait_until_done()
            duration_s = time.monotonic() - begun
            assert_went_well(run.end())
        undisturbed = _state(world)
        assert undisturbed != state_before
        if job.arguments == ("api",):
            assert_all_of_the_source_is_recorded(world)
        if not state_before.leads:
            assert_nothing_is_missing(world)
        yield ProcessJob(job, workspace, program, before, undisturbed, duration_s)


def _state(world: World) -> State:
    return state_of(world.app, without=WHEN_A_RUN_WROTE_IT)


def assert_went_well(ended: Ended) -> None:
    assert ended.status == 0, ended.output
    for word in ("Traceback", "Unexpected", "Error"):
        assert word not in ended.output, ended.output


def assert_all_of_the_source_is_recorded(world: World) -> None:
    """Each record that the sandbox has now is known, whatever telecallers have made of its lead, or is on the
    rejects list: one that was corrected long after it had been refused is not asked for again."""
    recorded = {_recorded_key(record["key"].split("\x1f")) for record in world.app.all("syncrecords")}
    expectation = Expectation()
    for report in ("booking", "return"):
        for location in world.sandbox.locations:
            rows = [row for row in world.sandbox.rows(report, location) if isinstance(row, dict)]
            expectation.add(report, world.locations.by_code[location], rows)
    wanted = {tuple(part.casefold() for part in key) for key in expectation.leads}
    rejected = {reject["position"].split("\x1f")[0] for reject in world.app.all("syncrejects")}
    assert {key for key in wanted - recorded if key[1] not in rejected} == set()


def _recorded_key(parts: list[str]) -> tuple[str, ...]:
    """A record's key as the oracle has it, in one case."""
    lead_type, phone, number, *rest = (part.casefold() for part in parts)
    return (lead_type, number, phone, *rest)


@pytest.mark.parametrize("number", range(len(JOBS)), ids=[job.name for job in JOBS])
def test_run_again_after_signals_it_ends_as_if_undisturbed(
    number: int, mongo_url: str, tmp_path: Path, rounds: int
) -> None:
    size = SMALL if rounds == 1 else LARGE
    kills = 1 if rounds == 1 else KILLS_IN_A_ROW
    sqlite_url = f"sqlite:///{tmp_path / 'syncctl.db'}"
    with ExitStack() as stack:
        process_jobs: dict[str, ProcessJob] = {}
        for chain in range(1 + rounds // ROUNDS_PER_CHAIN):
            kind = ("sqlite", "mongo")[(number + chain) % 2]
            if kind not in process_jobs:
                url = mongo_url if kind == "mongo" else sqlite_url
                job = long_jobs(size)[number]
                process_jobs[kind] = stack.enter_context(process_job(job, size, url, tmp_path / kind))
            rng = Random(f"{number} {chain}")  # noqa: S311 - chance, not cryptography
            run_until_undisturbed(process_jobs[kind], [SIGNALS[(number + n) % 3] for n in range(kills)], rng)


def run_until_undisturbed(prepared_job: ProcessJob, signals: list[signal.Signals], rng: Random) -> None:
    """Interrupt a command with one signal after another, then let it finish."""
    prepared_job.before()
    rest_s, left = prepared_job.duration_s, signals
    for _ in range(TRIES_PER_KILL * len(signals)):
        if interrupted_at_work(prepared_job, left[0], rng.uniform(0, rest_s)):
            left = left[1:]
            if not left:
                break
            continue
        # It was done before: there is nothing left for another one to strike.
        assert_as_undisturbed(prepared_job.state(), prepared_job.undisturbed)
        prepared_job.before()
        rest_s *= 0.7
    assert left == []
    assert_went_well(prepared_job.program.run(*prepared_job.job.arguments))
    assert_as_undisturbed(prepared_job.state(), prepared_job.undisturbed)


def interrupted_at_work(prepared_job: ProcessJob, sent: signal.Signals, after_s: float) -> bool:
    """Start the command, signal it `after_s` seconds after it started its work, and check how it ends.
    Returns whether the signal ended it."""
    logs_before = {str(log["_id"]) for log in prepared_job.workspace.world.app.all("synclogs")}
    with running(prepared_job.program, *prepared_job.job.arguments) as run:
        run.wait_until_begun()
        time.sleep(after_s)
        run.hold_still()
        was_at_work = run.is_at_work
        ended = run.end(sent if was_at_work else None)
        run.assert_lock_is_free()
    if ended.status == 0:
        assert_went_well(ended)
        return False
    assert was_at_work, ended
    tally.add("kills")
    assert "Traceback" not in ended.output, ended.output
    assert "Unexpected" not in ended.output, ended.output
    if sent is signal.SIGKILL:
        assert ended.status == -sent, ended
    else:
        assert ended.status == 128 + sent, ended
        new = [
            log
            for log in prepared_job.workspace.world.app.all("synclogs")
            if str(log["_id"]) not in logs_before
        ]
        assert_logged(prepared_job, ended, new, HOW[sent])
    return True


def assert_logged(prepared_job: ProcessJob, ended: Ended, logs: list[dict[str, Any]], how: str) -> None:
    """Each step that was begun has its synclog: those before the last one as a success, and the last one as
    failed, unless it was done but for the telling. A retry and a cleanup leave none: `syncType` has no word
    for them."""
    begun = [SYNC_TYPES[title] for title in re.findall(r"Step \d/\d: \w+ (.+)…", ended.stderr)]
    by_type = {log["syncType"]: log for log in logs}
    assert list(by_type) == begun, ended.stderr
    if not begun:
        return
    for step in begun[:-1]:
        assert by_type[step]["status"] == "success"
    last = by_type[begun[-1]]
    if last["status"] == "success":
        assert_step_is_done(prepared_job, begun[-1])
    else:
        assert (last["status"], last["errorMessage"]) == ("failed", how)


def assert_step_is_done(prepared_job: ProcessJob, step: str) -> None:
    """All that an undisturbed step leaves is there."""
    found = prepared_job.state()
    if step == "store":
        assert found.stores == prepared_job.undisturbed.stores
        return
    wanted = {
        lead_id
        for lead_id, lead in prepared_job.undisturbed.leads.items()
        if lead["leadType"] == LEAD_TYPES[step]
    }
    assert wanted <= found.leads.keys()
