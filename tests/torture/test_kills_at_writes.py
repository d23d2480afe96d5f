"""Killed, interrupted or refused at any write: done again, it all ends as if nothing had happened."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncctl.errors import StorageError, StorageUnavailableError, SyncctlError, TerminationRequest
from syncctl.ports import Storage
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.torture.jobs import JOBS, Job
from tests.torture.prepared import Prepared, prepared
from tests.torture.tally import tally

KILLS = 2
KILLS_PER_ROUND = 0.7
SECOND_KILL = 0.3

ENDS: dict[Callable[[], BaseException], int] = {
    Killed: 6,
    KeyboardInterrupt: 1,
    TerminationRequest: 1,
    lambda: StorageUnavailableError("gone"): 1,
    lambda: StorageError("refused"): 1,
}
"""What ends a run, and how often."""


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_done_again_after_a_kill_it_ends_as_if_undisturbed(
    job: Job, database_url: str, tmp_path: Path, rounds: int
) -> None:
    wanted = round(KILLS + (rounds - 1) * KILLS_PER_ROUND)
    for seed in itertools.count(1):
        with prepared(job, database_url, tmp_path, seed=seed) as ready:
            wanted -= kill_and_redo(ready, wanted)
        if not wanted:
            return


def kill_and_redo(ready: Prepared, limit: int) -> int:
    """Disturb a job at `limit` of its writes, or at each of them; gives at how many."""
    luck = ready.luck
    moments = list(Moment)
    if ready.place.world.url.startswith("sqlite"):
        moments.remove(Moment.MIDWAY)  # a transaction is whole or not at all
    ends = luck.choices(list(ENDS), list(ENDS.values()), k=limit)
    places = list(itertools.product(range(1, ready.writes + 1), moments))
    luck.shuffle(places)
    for (at, moment), error in zip(places, ends, strict=False):
        ready.rewind()
        disturb(ready, at, moment, error)
        if luck.random() < SECOND_KILL:
            disturb(ready, luck.randint(1, ready.writes), moment, Killed)
        ready.assert_redone()
    return min(limit, len(places))


def disturb(ready: Prepared, at: int, moment: Moment, error: Callable[[], BaseException]) -> None:
    """Do the job, with an error at one of its writes."""
    tally.add("kills at a write")

    def failing(storage: Storage) -> Any:
        return FailingStorage(storage, at, error, moment)

    try:
        ready.job.do(ready.place, failing)
    except (Killed, SyncctlError, KeyboardInterrupt):
        return
