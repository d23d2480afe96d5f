"""First syncs killed on a replica set: no lead is left without its record, so what people delete stays so."""

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from signal import SIGKILL

import pytest

from syncctl.sandbox import Sandbox
from tests.chaos.running import running
from tests.chaos.tally import tally
from tests.support import mongod
from tests.support.mongod import with_database
from tests.support.program import Ended, Program
from tests.support.world import World

pytestmark = pytest.mark.mongo

KILLS, KILLS_PER_ROUND = 2, 2
KILLS_IN_A_ROW = 5
DELETED_PER_KILL = 5
LIFETIME_S = 1
"""How long the server keeps a killed run's transaction, which is a minute by default."""

SETTLING_S = 30.0


@pytest.fixture(params=[1, 3], ids=["one member", "three members"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    lifetime = f"transactionLifetimeLimitSeconds={LIFETIME_S}"
    try:
        with mongod.replica_set(request.param, "--setParameter", lifetime) as replicas:
            yield replicas.uri
    except mongod.NoMongodError as error:
        pytest.skip(f"no MongoDB: {error}")


def test_a_first_sync_that_is_killed_again_and_again(server: str, tmp_path: Path, rounds: int) -> None:
    """Killed some times in a row, and people delete leads after each kill; then run until all is there."""
    rng = Random(rounds)  # noqa: S311 - chance, not cryptography
    wanted = KILLS if rounds == 1 else KILLS_PER_ROUND * rounds
    kills = 0
    with Sandbox(locations=3, bookings=60 if rounds == 1 else 200) as sandbox:
        program = Program(tmp_path)
        work_s = None
        for number in itertools.count():
            url = with_database(server, f"first_{number}")
            program.write_env(
                API_BASE_URL=sandbox.base_url, DATABASE_URL=url, API_CALL_DELAY_MS=0, API_MIN_BACKOFF_S=0.01
            )
            work_s = work_s or work_of_a_first_sync(program)
            with closing(World(sandbox, url)) as world:
                deleted = set[str]()
                for _ in range(min(KILLS_IN_A_ROW, wanted - kills)):
                    if not killed(program, rng.uniform(0, work_s)):
                        break
                    kills += 1
                    tally.add("kills")
                    leads = {lead["_id"] for lead in world.app.leads()}
                    assert leads - {record["leadId"] for record in world.app.all("syncrecords")} == set()
                    for lead_id in rng.sample(sorted(leads), min(DELETED_PER_KILL, len(leads))):
                        world.app.delete(lead_id)
                        deleted.add(lead_id)
                run_until_whole(program)
                leads = {lead["_id"] for lead in world.app.leads()}
                assert leads & deleted == set()
                assert len(leads | deleted) == len(world.expected().leads)
            if kills == wanted:
                return


def work_of_a_first_sync(program: Program) -> float:
    """How long an undisturbed one is at work, in seconds."""
    with running(program, "api") as run:
        assert run.wait_until_begun()
        begun = time.monotonic()
        run.wait_until_done()
        took_s = time.monotonic() - begun
        assert run.end().status == 0
    return took_s


def killed(program: Program, after_s: float) -> bool:
    """Start a sync and kill it so many seconds after it has begun. False: it was done before."""
    with running(program, "api") as run:
        run.wait_until_begun()
        time.sleep(after_s)
        return run.end(SIGKILL).status == -SIGKILL


def run_until_whole(program: Program) -> Ended:
    """What the killed run's transaction holds fails its location, until the server has ended it."""
    limit = time.monotonic() + SETTLING_S
    while True:
        ended = program.run("api")
        if ended.status == 0:
            return ended
        assert ended.status == 1, ended.output
        assert "a transaction that holds some of these" in ended.output, ended.output
        assert time.monotonic() < limit, ended.output
