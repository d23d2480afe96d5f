"""Leads edited, finished and deleted between any two calls of a run: all of it stays, nothing comes back."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncctl.domain.sources import StepName
from syncctl.ports.storage import Storage
from tests.chaos.jobs import JOBS, Job, Workspace
from tests.chaos.prepared import PreparedJob, prepared
from tests.chaos.records import record_key
from tests.chaos.tally import tally
from tests.chaos.telecaller import Telecaller
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.interleaved_storage import InterleavedStorage
from tests.support.store_files import forget, row, write
from tests.support.webapp import Lead

FEWEST = 2
RISKY_CALLS = ("update_leads", "store_leads", "find_reports", "leads")
"""Calls before which most can go wrong."""

WRITES_BEFORE_LEADS = 3
"""Of a first sync."""

MOVED = {"updatedAt"}
"""What an edit changes beside what was edited."""


def _under_random_ids(workspace: Workspace, leads: list[Lead]) -> None:
    for lead in leads:
        workspace.world.app.insert({**lead, "_id": f"{workspace.rng.getrandbits(96):024x}"})


def _old_leads(workspace: Workspace) -> None:
    """Most of what the source has, imported by the old system."""
    leads = list(workspace.world.expected().leads.values())
    _under_random_ids(workspace, workspace.rng.sample(leads, len(leads) * 2 // 3))


def _old_file_leads(workspace: Workspace) -> None:
    """A file that the old system imported, sent again with news."""
    file, app = workspace.folder / "walkin_sg_calicut.csv", workspace.world.app
    phones = [f"94{number:08}" for number in range(20)]
    write(file, *(_customer(phone, Remarks="old") for phone in phones))
    workspace.world.import_files(StepName.WALKIN, file)
    leads = app.leads()
    for lead in leads:
        app.delete(lead["_id"])
    forget(workspace.world)
    _under_random_ids(workspace, leads)
    write(file, *(_customer(phone, Remarks="new", Status="Trial") for phone in phones[3:]), row())


def _customer(phone: str, **changes: str) -> list[str]:
    """The row of a customer of one's own name, who is known by it where the phone number is edited."""
    return row(Contact=phone, Customer_Name=f"Customer {phone[-2:]}", **changes)


def _killed(workspace: Workspace) -> None:
    """A first sync that was killed between leads and records."""
    with pytest.raises(Killed):
        workspace.world.run(
            wrap=lambda storage: FailingStorage(storage, WRITES_BEFORE_LEADS + 1, Killed, Moment.MIDWAY)
        )
    assert workspace.world.app.leads()
    assert not workspace.world.app.all("syncrecords")


def _sync(workspace: Workspace, wrap: Any) -> object:
    return workspace.world.run(wrap=wrap)


def _import(workspace: Workspace, wrap: Any) -> object:
    return workspace.world.import_files(
        StepName.WALKIN, workspace.folder / "walkin_sg_calicut.csv", wrap=wrap
    )


AFTER_A_KILL = Job("a sync after a kill", _killed, _sync, ("api",))
WITH_CHANGES_OF_LEADS = ("a later sync", "an import", "a retry of rejects")
RUNS = (
    *(job for job in JOBS if job.name in WITH_CHANGES_OF_LEADS),
    Job("a sync of the old system's leads", _old_leads, _sync, ("api",)),
    Job("an import of the old system's leads", _old_file_leads, _import, ("import", "walkin", ".")),
    AFTER_A_KILL,
)


@pytest.mark.parametrize("job", RUNS, ids=lambda job: job.name)
def test_what_a_telecaller_does_during_a_run_stays(
    job: Job, database_url: str, tmp_path: Path, rounds: int
) -> None:
    if job is AFTER_A_KILL and database_url.startswith("sqlite"):
        pytest.skip("SQLite stores a lead and its record in one transaction")
    with prepared(job, database_url, tmp_path) as ready:
        calls, settled = undisturbed(ready)
        for at in call_numbers(calls, ready.rng, rounds):
            ready.rewind()
            work_before(ready, at, calls, settled)


def call_numbers(calls: list[str], rng: Random, rounds: int) -> list[int]:
    """Before which calls the telecaller works: each in a hundred rounds, and the tight spots thrice."""
    tight = [at for at, name in enumerate(calls, start=1) if name in RISKY_CALLS]
    every = [*range(1, len(calls) + 1), *tight, *tight]
    times = min(len(every), max(FEWEST - 1, len(every) * rounds // 100))
    return [rng.choice(tight), *rng.sample(every, times)]


def undisturbed(ready: PreparedJob) -> tuple[list[str], dict[str, Lead]]:
    """The job's calls, and the leads after it and a second run."""
    ready.rewind()
    watched: list[InterleavedStorage] = []

    def watch(storage: Storage) -> Any:
        watched.append(InterleavedStorage(storage, at=0))
        return watched[0]

    ready.job.do(ready.workspace, watch)
    settle(ready)
    return watched[0].calls, leads_of(ready)


def settle(ready: PreparedJob) -> None:
    """Run the job once more without faults; a sync asks for everything again."""
    if ready.job.arguments == ("api",):
        assert ready.workspace.world.run(full=True).ok
    else:
        ready.job.do(ready.workspace, lambda storage: storage)


def work_before(ready: PreparedJob, at: int, calls: list[str], settled: dict[str, Lead]) -> None:
    """Run the job with a telecaller's changes just before the `at`-th call; then once more without."""
    telecaller = Telecaller(ready.workspace.world.app, ready.rng)
    watched: list[InterleavedStorage] = []

    def wrap(storage: Storage) -> Any:
        watched.append(InterleavedStorage(storage, at, telecaller.work))
        return watched[0]

    ready.job.do(ready.workspace, wrap)
    assert watched[0].has_acted
    if "import" in ready.job.arguments and "recorded_leads" in calls[: at - 1]:
        telecaller.untraceable.clear()  # one batch: by then the run has met every lead
    after = leads_of(ready)
    assert_nothing_came_back(after, ready, telecaller)
    assert_edits_are_there(after, telecaller)
    settle(ready)
    found = leads_of(ready)
    wanted = after.keys() | (settled.keys() - ready.undisturbed.leads.keys())
    tally.add("leads duplicated", len(found.keys() - wanted))
    assert found.keys() == wanted
    assert_edits_are_there(found, telecaller)
    assert_all_else_is_as_undisturbed(found, settled, telecaller)


def leads_of(ready: PreparedJob) -> dict[str, Lead]:
    return {lead["_id"]: lead for lead in ready.workspace.world.app.leads()}


def assert_nothing_came_back(found: dict[str, Lead], ready: PreparedJob, telecaller: Telecaller) -> None:
    """No removed lead exists under any id, and all others do."""
    extra = [found[lead_id] for lead_id in found.keys() - ready.undisturbed.leads.keys()]
    back = [lead for lead in extra if record_key(lead) not in telecaller.untraceable]
    lost = ready.undisturbed.leads.keys() - found.keys() - telecaller.gone
    tally.add("leads duplicated", len(back))
    tally.add("leads lost", len(lost))
    assert not back
    assert not lost
    assert not {lead_id for lead_id in telecaller.gone & found.keys() if not telecaller.may_return(lead_id)}
    assert set(Counter(map(record_key, extra)).values()) <= {1}


def assert_edits_are_there(found: dict[str, Lead], telecaller: Telecaller) -> None:
    other = {
        lead_id: (changes, found[lead_id])
        for lead_id, changes in telecaller.edits.items()
        if found[lead_id] | changes != found[lead_id]
    }
    tally.add("edits overwritten", len(other))
    assert not other


def assert_all_else_is_as_undisturbed(
    found: dict[str, Lead], settled: dict[str, Lead], telecaller: Telecaller
) -> None:
    """The source's news have reached every unedited field. A lead that the run had not seen before may be
    treated as an edited one, in which only gaps are filled."""
    for lead_id in found.keys() & settled.keys():
        lead, undisturbed = found[lead_id], settled[lead_id]
        edited = telecaller.edits.get(lead_id, {})
        ours = edited.keys() | (MOVED if edited else set())
        as_met = telecaller.unrecorded.get(lead_id, undisturbed) if edited else undisturbed
        for name in (lead.keys() | undisturbed.keys()) - ours:
            assert lead.get(name) in (undisturbed.get(name), as_met.get(name)), name
