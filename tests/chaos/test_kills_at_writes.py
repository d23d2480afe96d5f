"""Killed, interrupted or refused at any write: done again, it all ends as if nothing had happened."""

import itertools
import math
from pathlib import Path

import pytest

from tests.chaos.fault_injection import ENDS, REFUSALS, End, moments_of, run_with_fault
from tests.chaos.jobs import JOBS, MORE_JOBS, Job
from tests.chaos.prepared import PreparedJob, prepared
from tests.support.failing_storage import Killed, Moment

ROUNDS_FOR_ALL = 100
"""In so many rounds a kill and each signal strikes each write of each job, before, midway and after."""

SECOND_KILL = 0.4
"""How often the next run is killed as well."""


@pytest.mark.parametrize("job", [*JOBS, *MORE_JOBS], ids=lambda job: job.name)
def test_done_again_after_a_kill_it_ends_as_if_undisturbed(
    job: Job, database_url: str, tmp_path: Path, rounds: int
) -> None:
    if rounds == 1:
        with prepared(job, database_url, tmp_path) as ready:
            for error in (Killed, ready.rng.choice(ENDS)):
                run_with_fault_and_redo(ready, *ready.rng.choice(places_of(ready)), error)
        return
    for seed, error in enumerate(ENDS * math.ceil(rounds / ROUNDS_FOR_ALL), start=1):
        with prepared(job, database_url, tmp_path, seed=seed) as ready:
            places = places_of(ready)
            if error in REFUSALS:
                places = [(at, ready.rng.choice(moments_of(ready))) for at in range(1, ready.writes + 1)]
            share = math.ceil(len(places) * min(1.0, rounds / ROUNDS_FOR_ALL))
            for at, moment in ready.rng.sample(places, share):
                run_with_fault_and_redo(ready, at, moment, error)


def places_of(ready: PreparedJob) -> list[tuple[int, Moment]]:
    """Every write of the job, with every moment at which it can be struck."""
    return list(itertools.product(range(1, ready.writes + 1), moments_of(ready)))


def run_with_fault_and_redo(ready: PreparedJob, at: int, moment: Moment, error: End) -> None:
    """Disturb the job at a write, perhaps the next one as well, and let it come to its end."""
    ready.rewind()
    assert run_with_fault(ready, at, moment, error), "there is no such write"
    if ready.rng.random() < SECOND_KILL:
        run_with_fault(ready, ready.rng.randint(1, ready.writes // 2 + 1), moment, Killed)
    ready.assert_redone()
