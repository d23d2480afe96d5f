"""Cleanups killed at any write: all that they did by then stands in backups, and these bring it all back."""

import itertools
import math
import shutil
from pathlib import Path
from typing import cast

import pytest

from syncctl.ports.admin import Database
from syncctl.services.cleanup.backups import read_backup
from syncctl.services.cleanup.restoring import restore_backup
from tests.chaos.fault_injection import moments_of, run_with_fault
from tests.chaos.jobs import CLEANUPS, Job, backup_folder, few_at_once
from tests.chaos.prepared import PreparedJob, prepared
from tests.chaos.states import state_of
from tests.support.cleanups import stored_leads
from tests.support.failing_storage import Killed

ROUNDS_FOR_ALL = 100
"""In so many rounds each write is struck before, midway and after."""


@pytest.mark.parametrize("job", CLEANUPS, ids=lambda job: job.name)
def test_killed_twice_its_backups_bring_all_back(
    job: Job, database_url: str, tmp_path: Path, rounds: int
) -> None:
    with prepared(job, database_url, tmp_path) as ready:
        ready.rewind()
        before = leads_of(ready)
        places = list(itertools.product(range(1, ready.writes + 1), moments_of(ready)))
        for at, moment in ready.rng.sample(
            places, math.ceil(len(places) * min(1.0, rounds / ROUNDS_FOR_ALL))
        ):
            ready.rewind()
            shutil.rmtree(backup_folder(ready.workspace), ignore_errors=True)
            run_with_fault(ready, at, moment, Killed)
            assert_backed_up(ready, before)
            run_with_fault(
                ready, ready.rng.randint(1, ready.writes), ready.rng.choice(moments_of(ready)), Killed
            )
            assert_backed_up(ready, before)
            restore_all(ready)
            assert leads_of(ready) == before
            assert state_of(ready.workspace.world.app) == ready.before
            ready.assert_redone()
            assert_backed_up(ready, before)


def leads_of(ready: PreparedJob) -> dict[str, str]:
    """Every lead that there is, to the last byte."""
    with ready.workspace.world.storage() as storage:
        return stored_leads(cast(Database, storage), ready.workspace.world.app)


def assert_backed_up(ready: PreparedJob, before: dict[str, str]) -> None:
    """Each lead that is no longer what it was `before` stands in a whole backup as it was."""
    now = leads_of(ready)
    assert now.keys() <= before.keys()
    touched = {(lead_id, lead) for lead_id, lead in before.items() if now.get(lead_id) != lead}
    backups = [read_backup(path) for path in backup_folder(ready.workspace).iterdir()]
    saved = {(entry.snapshot.lead_id, entry.snapshot.document) for b in backups for entry in b.entries()}
    assert touched - saved == set()


def restore_all(ready: PreparedJob) -> None:
    """Put the backups back, the newest first."""
    newest_first = sorted(backup_folder(ready.workspace).iterdir(), key=lambda path: -path.stat().st_mtime_ns)
    with ready.workspace.world.storage() as storage, few_at_once():
        for backup in newest_first:
            assert restore_backup(cast(Database, storage), backup).different == []
