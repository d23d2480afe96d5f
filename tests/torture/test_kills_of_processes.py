"""Processes ended by signals at any instant: run again, they end as if nothing had happened."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from syncctl.sandbox import Sandbox
from tests.support.program import Ended, Program
from tests.support.world import World
from tests.torture.jobs import JOBS, Ground, Job
from tests.torture.states import Rewind, State, assert_as_undisturbed, state_of
from tests.torture.tally import tally

ROUNDS_PER_CHAIN = 6
KILLS_IN_A_ROW = 2
WHEN_A_RUN_WROTE_IT = ("updatedAt",)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Course:
    """A job as a command, the state before it and after an undisturbed run, and how long that takes."""

    job: Job
    place: Ground
    program: Program
    before: Rewind
    undisturbed: State
    takes_s: float


@contextmanager
def course(job: Job, url: str, folder: Path) -> Iterator[Course]:
    """Prepare a job, and do it once to see what it comes to."""
    folder.mkdir()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(locations=3, bookings=16, latency_s=0.002))
        world = World(sandbox, url)
        stack.callback(world.close)
        place = Ground(world, folder, Random(1))  # noqa: S311 - luck, not cryptography
        job.prepare(place)
        program = Program(folder, API_BASE_URL=sandbox.base_url, DATABASE_URL=url)
        before = Rewind(world.app, url)
        stack.callback(before.close)
        began = time.monotonic()
        ended = program.run(*job.arguments)
        takes_s = time.monotonic() - began
        assert "Error" not in ended.output
        yield Course(job, place, program, before, _state(world), takes_s)


def _state(world: World) -> State:
    return state_of(world.app, without=WHEN_A_RUN_WROTE_IT)


@pytest.mark.parametrize("number", range(len(JOBS)), ids=[job.name for job in JOBS])
def test_run_again_after_signals_it_ends_as_if_undisturbed(
    number: int, mongo_url: str, tmp_path: Path, rounds: int
) -> None:
    sqlite_url = f"sqlite:///{tmp_path / 'syncctl.db'}"
    with ExitStack() as stack:
        courses: dict[str, Course] = {}
        for chain in range(1 + rounds // ROUNDS_PER_CHAIN):
            kind = ("sqlite", "mongo")[(number + chain) % 2]
            if kind not in courses:
                url = mongo_url if kind == "mongo" else sqlite_url
                courses[kind] = stack.enter_context(course(JOBS[number], url, tmp_path / kind))
            kills = 1 if rounds == 1 else KILLS_IN_A_ROW
            run_until_undisturbed(courses[kind], kills, Random(f"{number} {chain}"))  # noqa: S311


def run_until_undisturbed(way: Course, kills: int, luck: Random) -> None:
    """End a command some times in its midst, then let it come to its end."""
    way.before()
    for _ in range(kills):
        end_with_signal(way, luck.choice(SIGNALS), luck.uniform(0.15, 1.0) * way.takes_s)
    ended = way.program.run(*way.job.arguments)
    assert ended.status in (0, 1), ended.output  # 1: rows of the files that stay invalid are no failure
    assert_as_undisturbed(_state(way.place.world), way.undisturbed)


def end_with_signal(way: Course, sent: signal.Signals, after_s: float) -> None:
    """Start the command, signal it after so many seconds, and look at how it ends."""
    app = way.place.world.app
    logs_before = len(app.all("synclogs"))
    tally.add("kills")
    with way.program.start(*way.job.arguments) as process:
        time.sleep(after_s)
        process.send_signal(sent)
        stdout, stderr = process.communicate(timeout=30)
    ended = Ended(process.returncode, stdout, stderr)
    if sent is signal.SIGINT and ended.status == -sent and ", in main" not in stderr:
        return  # before the program's first line: whatever Python itself says then, nothing was begun
    if "Traceback" in ended.output:
        tally.add("tracebacks")
    assert "Traceback" not in ended.output, ended.output
    assert "Unexpected" not in ended.output, ended.output
    # Negative: before the program had anything to tidy up, or by SIGKILL. Zero: it was done already.
    assert ended.status in (0, 128 + sent, -sent), ended
    if ended.status == 128 + sent:
        steps_begun = len(re.findall(r"Step \d/\d:", ended.stderr))
        assert len(app.all("synclogs")) - logs_before >= steps_begun, ended.stderr
