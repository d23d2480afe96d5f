"""Several processes at once, and processes killed in mid-run."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from syncctl.sandbox import Sandbox
from tests.support.oracle import Expectation, key_of
from tests.support.program import Program
from tests.support.webapp import MongoApp, open_app

SEED = 20260311


def expected_keys(sandbox: Sandbox) -> list[tuple[str, ...]]:
    from syncctl.locations import load_locations

    expectation = Expectation()
    for report in ("booking", "return"):
        for location in sandbox.locations:
            expectation.add(report, load_locations().by_code[location], sandbox.rows(report, location))
    return sorted(expectation.leads)


def stored_keys(url: str) -> list[tuple[str, ...]]:
    app = open_app(url)
    try:
        return sorted(key_of(lead) for lead in app.leads())
    finally:
        app.close()


@pytest.mark.slow
def test_six_runs_at_once_with_six_lock_files_make_no_duplicate(
    tmp_path: Path, sandbox: Sandbox, mongo_url: str
) -> None:
    program = Program(tmp_path, API_BASE_URL=sandbox.base_url, DATABASE_URL=mongo_url)
    runs = [program.start("api", SYNC_LOCK_FILE=f"lock-{number}") for number in range(6)]
    for run in runs:
        _, stderr = run.communicate(timeout=60)
        assert run.returncode == 0, stderr
    assert stored_keys(mongo_url) == expected_keys(sandbox)
    app = MongoApp(mongo_url)
    try:
        names = Counter(store["name"] for store in app.all("stores"))
        assert set(names.values()) == {1}
        assert Counter(log["syncType"] for log in app.all("synclogs")) == {
            "store": 6,
            "booking": 6,
            "return": 6,
        }
    finally:
        app.close()


@pytest.mark.slow
def test_six_runs_at_once_with_one_lock_file_are_one_run(program: Program, sandbox: Sandbox) -> None:
    runs = [program.start("api") for _ in range(6)]
    statuses: Counter[int] = Counter()
    for run in runs:
        run.communicate(timeout=60)
        statuses[run.returncode] += 1
    assert set(statuses) <= {0, 75}
    assert statuses[0] >= 1
    assert stored_keys(f"sqlite:///{program.folder}/data/syncctl.db") == expected_keys(sandbox)


@pytest.mark.slow
def test_killed_at_random_and_run_again_it_ends_as_if_undisturbed(
    tmp_path: Path, sandbox: Sandbox, mongo_url: str
) -> None:
    rng = random.Random(SEED)  # noqa: S311 - chance, not cryptography
    program = Program(tmp_path, API_BASE_URL=sandbox.base_url, DATABASE_URL=mongo_url)
    for _ in range(8):
        with program.start("api") as run:
            time.sleep(rng.uniform(0.2, 1.2))
            run.kill()
            run.communicate(timeout=20)
    ended = program.run("api")
    assert ended.status == 0
    assert stored_keys(mongo_url) == expected_keys(sandbox)
