"""All at once on one database: with one lock file the commands take turns, with several they collide."""

import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

import pytest

from syncctl.domain.sources import StepName
from syncctl.locations import load_locations
from syncctl.sandbox import Sandbox
from tests.chaos.jobs import (
    JOBS,
    Workspace,
    double_some,
    imported_and_worked_on,
    news_at_the_source,
)
from tests.chaos.states import Rewind, State, assert_as_undisturbed, state_of
from tests.chaos.tally import tally
from tests.support.program import LIMIT_S, Program
from tests.support.world import World

COMMANDS = (
    ("api",),
    ("api", "--full"),
    ("import", "walkin", "."),
    ("import", "walkin", "."),
    ("cleanup", "duplicates", "--apply"),
    ("rejects", "retry"),
)
ROUNDS_PER_START = 20
WHEN_A_RUN_WROTE_IT = ("updatedAt",)


def busy_workspace(world: World, folder: Path) -> Workspace:
    """News for every command of the crowd."""
    workspace = Workspace(world, folder, Random(1))  # noqa: S311 - chance, not cryptography
    world.run()
    imported_and_worked_on(workspace)
    double_some(workspace)
    news_at_the_source(workspace)
    return workspace


def one_after_the_other(workspace: Workspace) -> State:
    """What the crowd comes to when it queues."""
    clean = next(job for job in JOBS if job.name == "a cleanup of duplicates")
    workspace.world.run(full=True)
    workspace.world.import_files(StepName.WALKIN, workspace.folder)
    clean.do(workspace, lambda storage: storage)
    return state_of(workspace.world.app, without=WHEN_A_RUN_WROTE_IT)


@pytest.mark.parametrize("locks", ["one lock file", "many lock files"])
def test_all_commands_at_once(database_url: str, tmp_path: Path, locks: str, rounds: int) -> None:
    if rounds == 1 and (database_url.startswith("sqlite") or locks == "one lock file"):
        pytest.skip("the short form tries the hardest of the four, which is MongoDB with many lock files")
    folder = tmp_path / "work"
    folder.mkdir()
    with Sandbox(locations=3, bookings=16) as sandbox, ExitStack() as stack:
        world = stack.enter_context(closing(World(sandbox, database_url, load_locations())))
        workspace = busy_workspace(world, folder)
        before = stack.enter_context(closing(Rewind(world.app, database_url)))
        wanted = one_after_the_other(workspace)
        program = Program(folder, API_BASE_URL=sandbox.base_url, DATABASE_URL=database_url)
        for _ in range(1 + rounds // ROUNDS_PER_START):
            before()
            all_at_once(program, one_lock=locks == "one lock file")
            assert_as_undisturbed(state_of(world.app, without=WHEN_A_RUN_WROTE_IT), wanted)


def all_at_once(program: Program, *, one_lock: bool) -> None:
    """Start the crowd and wait for all of it."""
    tally.add("overlapping runs", len(COMMANDS))
    started: list[subprocess.Popen[str]] = []
    try:
        for number, arguments in enumerate(COMMANDS):
            lock = "lock" if one_lock else f"lock-{number}"
            started.append(program.start(*arguments, "--wait", str(LIMIT_S), SYNC_LOCK_FILE=lock))
        for arguments, process in zip(COMMANDS, started, strict=True):
            stdout, stderr = process.communicate(timeout=LIMIT_S)
            if "Traceback" in stdout + stderr:
                tally.add("tracebacks")
            assert process.returncode == 0, f"{arguments}: {stdout}{stderr}"
            assert "Traceback" not in stdout + stderr
    finally:
        for process in started:
            process.kill()
            process.communicate()
