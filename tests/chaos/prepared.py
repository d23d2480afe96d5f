"""A job prepared once, with the result of an undisturbed run, to be run with faults many times."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.run_results import Counts, RunResult
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.cleanup.cleaning import DuplicatesCleaned
from syncctl.services.cleanup.finished.cleaning import FinishedCleaned
from syncctl.services.cleanup.restoring import BackupRestored
from syncctl.services.cleanup.store_names import StoresRenamed
from syncctl.services.imports.undo_results import ImportUndone
from syncctl.services.rejects.correcting import LineOutcome, SheetResult
from tests.chaos.jobs import EDITS, RENAMED, Job, Workspace
from tests.chaos.states import Rewind, State, assert_as_undisturbed, state_of
from tests.support.failing_storage import WRITES, FailingStorage
from tests.support.oracle import key_of
from tests.support.webapp import PAGES, SHAPES
from tests.support.world import World, few_locations

DAYS_ASKED_FIRST = timedelta(days=370)
DAYS_ASKED_AGAIN = timedelta(days=7)


@dataclass(frozen=True)
class PreparedJob:
    """A job that is ready to be run repeatedly with faults."""

    job: Job
    workspace: Workspace

    rewind: Rewind
    """Restores `before`."""

    before: State
    """The state before the job."""

    writes: int
    """Number of writes of an undisturbed run."""

    undisturbed: State
    """The state after an undisturbed run `at` that time."""

    at: datetime

    is_logged: bool
    """Whether its steps leave synclogs; a retry of rejects and a cleanup leave none."""

    @property
    def rng(self) -> Random:
        return self.workspace.rng

    def calls(self, among: Collection[str]) -> list[str]:
        """The database calls in `among` made by an undisturbed run, in order."""
        self.rewind()
        return _watched(self.job, self.workspace, among)[1]

    def assert_redone(self) -> None:
        """Redo the job without faults: it succeeds and ends as if it had never been disturbed."""
        assert_good(self.job.do(self.workspace, lambda storage: storage))
        found, wanted = state_of(self.workspace.world.app), self.undisturbed
        if self.workspace.world.now != self.at:
            found, wanted = found.without_times(), wanted.without_times()
        assert_as_undisturbed(found, wanted)


@contextmanager
def prepared(job: Job, url: str, folder: Path, *, seed: int = 1) -> Iterator[PreparedJob]:
    """A small seeded world in an empty database, which is emptied again."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(seed=seed, locations=3, bookings=16))
        world = World(sandbox, url, few_locations(sandbox))
        stack.callback(world.close)
        empty = _rewind(stack, world)
        stack.callback(empty)
        workspace = Workspace(world, folder, Random(seed))  # noqa: S311 - chance, not cryptography
        job.prepare(workspace)
        rewind = _rewind(stack, world)
        before = state_of(world.app)
        result, writes = _watched(job, workspace, WRITES)
        undisturbed = state_of(world.app)
        assert undisturbed != before
        if job.arguments == ("api",):
            assert_taken_in(world, before, undisturbed)
        is_logged = isinstance(result, RunResult)
        yield PreparedJob(job, workspace, rewind, before, len(writes), undisturbed, world.now, is_logged)


def _rewind(stack: ExitStack, world: World) -> Rewind:
    rewind = Rewind(world.app, world.url)
    stack.callback(rewind.close)
    return rewind


def _watched(job: Job, workspace: Workspace, among: Collection[str]) -> tuple[object, list[str]]:
    """Do the job without faults: its result, and the calls it made."""
    watched: list[FailingStorage] = []

    def watch(storage: Storage) -> Any:
        watched.append(FailingStorage(storage, at=0, among=among))
        return watched[0]

    result = job.do(workspace, watch)
    assert_good(result)
    return result, watched[0].calls


def assert_good(result: object) -> None:
    """The job completed and says so."""
    match result:
        case RunResult():
            assert result.ok, result
            assert all(step.counts.balanced for step in result.steps), result
        case Counts():
            assert result.balanced, result
        case DuplicatesCleaned():
            assert result.left == (), result
            assert result.remaining.count == len(result.plan.conflicts), result
        case FinishedCleaned():
            assert result.left == (), result
            assert result.deleted == result.plan.to_delete, result
        case StoresRenamed():
            assert result.left == (), result
        case ImportUndone():
            assert result.plan.left == [], result
        case BackupRestored():
            assert result.different == [], result
        case SheetResult():
            assert result.count(LineOutcome.STILL_INVALID) == 0, result.counts()
            assert result.count(LineOutcome.FIXED) + result.count(LineOutcome.NOT_LISTED), result.counts()
        case _:
            raise AssertionError(result)


def assert_taken_in(world: World, before: State, after: State) -> None:
    """Everything in the source for the requested days is stored once, computed from its raw rows alone.
    Only leads that existed before and that telecallers edited, finished or deleted may be missing."""
    expected_leads = world.expected().leads
    there = Counter(key_of(lead) for lead in after.leads.values())
    assert [key for key in expected_leads if there[key] > 1] == []
    known = {tuple(str(record["key"]).split(SEPARATOR)[:3]) for record in before.records.values()}
    asked_from = world.sandbox.today - (DAYS_ASKED_AGAIN if known else DAYS_ASKED_FIRST)
    missing = [lead for key, lead in expected_leads.items() if not there[key]]
    assert len(missing) <= len(EDITS) + len(SHAPES) + len(PAGES) + 1 + RENAMED
    assert [
        lead
        for lead in missing
        if (lead["leadType"], lead["phone"], lead.get("bookingNo", "")) not in known
        and lead["createdAt"].date() >= asked_from
    ] == []
    for lead_id in after.leads.keys() - before.leads.keys():
        lead = after.leads[lead_id]
        assert {field: value for field, value in lead.items() if field != "_id"} == expected_leads[
            key_of(lead)
        ]
