"""Killed, interrupted or refused at any read: done again, it all ends as if nothing had happened."""

import itertools
import math
from pathlib import Path

import pytest

from tests.chaos.fault_injection import ENDS, run_with_fault
from tests.chaos.jobs import JOBS, Job
from tests.chaos.prepared import prepared
from tests.support.failing_storage import READS, Killed, Moment

ROUNDS_FOR_ALL = 100
"""In so many rounds each read of each job is struck by a kill, by a signal and by a refusal."""


@pytest.mark.parametrize("number", range(len(JOBS)), ids=[job.name for job in JOBS])
def test_done_again_it_ends_as_if_undisturbed(
    number: int, mongo_url: str, tmp_path: Path, rounds: int
) -> None:
    urls = [f"sqlite:///{tmp_path / 'syncctl.db'}", mongo_url]
    if rounds == 1:
        urls = [urls[number % 2]]
    for url in urls:
        run_with_faults_at_reads(JOBS[number], url, tmp_path, rounds)


def run_with_faults_at_reads(job: Job, url: str, folder: Path, rounds: int) -> None:
    with prepared(job, url, folder) as ready:
        reads = len(ready.calls(READS))
        strikes = list(itertools.product(range(1, reads + 1), ENDS))
        share = math.ceil(len(strikes) * min(1.0, rounds / ROUNDS_FOR_ALL))
        for at, error in [(reads, Killed), *ready.rng.sample(strikes, share if rounds > 1 else 1)]:
            ready.rewind()
            assert run_with_fault(ready, at, Moment.MIDWAY, error, among=READS), "there is no such read"
            ready.assert_redone()
