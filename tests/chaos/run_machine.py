"""The state machine with runs and imports, each checked right after it ends."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.run_results import LocationResult, RunResult
from syncctl.domain.sources import API_STEPS, StepName
from syncctl.errors import StorageError, StorageUnavailableError, SyncctlError
from syncctl.ports.storage import Storage
from syncctl.sandbox import Fault
from syncctl.services.sync.planning import DOUBT_PERIOD
from tests.chaos import store_file_model
from tests.chaos.corrections import Run
from tests.chaos.lead_model import Stored
from tests.chaos.people_machine import STORES, PeopleMachine
from tests.chaos.records import outcomes
from tests.chaos.source import REPORTS, Answer, Days, Place, Row
from tests.chaos.store_file_model import StoreFile
from tests.support.failing_storage import FailingStorage, Killed, Moment, interrupted

OWN = ("leads", "stores", "synclogs", "syncrecords", "syncrejects", "syncruns", "syncstate", "syncimports")


@dataclass(frozen=True)
class InjectedFault:
    """The error of a run, and the write at which it occurs."""

    at: int
    error: Callable[[], BaseException]
    moment: Moment

    def __call__(self, storage: Storage) -> Storage:
        return FailingStorage(storage, self.at, self.error, self.moment)


def _doubted(*states: dict[Place, LocationState]) -> frozenset[Place]:
    return frozenset(
        place for each in states for place, state in each.items() if state.doubted_since is not None
    )


def undisturbed(storage: Storage) -> Storage:
    return storage


faults = st.builds(
    Fault,
    st.sampled_from(["500", "reset", "cut", "html", "api-error", "401", "envelopes"]),
    rate=st.sampled_from([1.0, 0.5]),
    api=st.sampled_from(["stores", *REPORTS]),
    location=st.sampled_from([None, *STORES]),
)
injected_faults = st.builds(
    InjectedFault,
    st.integers(1, 12),
    st.sampled_from(
        [Killed, interrupted, lambda: StorageError("refused"), lambda: StorageUnavailableError("gone")]
    ),
    st.sampled_from(Moment),
)
files = st.builds(
    StoreFile,
    st.sampled_from(list(store_file_model.KINDS)),
    st.sampled_from(list(store_file_model.PLACES)),
    st.lists(store_file_model.rows, min_size=1, max_size=3),
)


class RunMachine(PeopleMachine):
    """Adds runs and imports. `sent`: each store's current file of each kind."""

    sent: dict[tuple[str, str], StoreFile]

    def __init__(self) -> None:
        super().__init__()
        self.sent = {}

    @initialize(file=files)
    def a_store_has_sent_its_file(self, file: StoreFile) -> None:
        assert self._import(self._sent(file, instead=True))

    @rule(
        options=st.one_of(
            st.sampled_from([{}, {"full": True}]),
            st.sampled_from(list(STORES)).map(lambda where: {"locations": (where,)}),
        ),
        steps=st.sampled_from([API_STEPS, API_STEPS, (StepName.BOOKING,), (StepName.RETURN,)]),
    )
    def sync(self, options: Row, steps: tuple[StepName, ...]) -> None:
        assert self._sync(steps, **options)

    @rule(first=st.integers(0, 30), last=st.integers(0, 30))
    def backfill(self, first: int, last: int) -> None:
        begin = self.today - timedelta(days=max(first, last))
        assert self._sync(days=(begin, self.today - timedelta(days=min(first, last))))

    @rule(faults=st.lists(faults, min_size=1, max_size=2))
    def sync_with_a_part_down(self, faults: list[Fault]) -> None:
        self.sandbox.set_faults(*faults)
        self._sync()
        self.sandbox.set_faults()

    @rule(injected_fault=injected_faults)
    def sync_killed_at_a_write(self, injected_fault: InjectedFault) -> None:
        self._sync(wrap=injected_fault)

    @rule()
    def try_out_and_retry_rejects(self) -> None:
        before = [self.world.app.all(name) for name in OWN]
        self.world.run(dry_run=True)
        self.source.answered()
        assert [self.world.app.all(name) for name in OWN] == before
        assert self.world.retry_rejects().balanced

    @rule(file=files, instead=st.booleans())
    def store_sends_a_file(self, file: StoreFile, instead: bool) -> None:
        assert self._import(self._sent(file, instead))

    @rule(file=files, instead=st.booleans(), injected_fault=injected_faults)
    def import_killed_at_a_write(self, file: StoreFile, instead: bool, injected_fault: InjectedFault) -> None:
        self._import(self._sent(file, instead), injected_fault)

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 3))
    def import_the_same_again(self, pick: int) -> None:
        file = self.sent[sorted(self.sent)[pick % len(self.sent)]]
        self._import(file)
        self.world.now += timedelta(minutes=1)
        assert self._import(file) == (0, 0)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self._ends_well()
        finally:
            super().teardown()

    def _ends_well(self) -> None:
        """Two days later, without faults, everything in the source is stored. What may be a correction waits
        until the answers are believed again."""
        self.world.now += timedelta(days=2)
        before = self._states()
        assert self._sync(full=True)
        if _doubted(before, self._states()) or self.world.now < self.model.latest_run:
            self.world.now = self.model.latest_run + DOUBT_PERIOD + timedelta(minutes=1)
            for _ in range(2):
                assert self._sync(full=True)
        for report in REPORTS:
            for where in STORES:
                answer = Answer(report, where, self.source.rows(report, where))
                self.model.after_sync([answer], [answer], STORES, Run(self.world.now))

    def _sync(
        self,
        steps: tuple[StepName, ...] = API_STEPS,
        *,
        wrap: Callable[[Storage], Storage] = undisturbed,
        days: Days | None = None,
        is_ordinary: bool = True,
        **options: Any,
    ) -> bool:
        """One checked run. Returns whether it succeeded. `days`: of a backfill. `is_ordinary`: as `Run` of
        corrections.py."""
        if days is not None:
            options |= {"date_from": days[0], "date_to": days[1]}
        before = self._states()
        result: RunResult | None = None
        try:
            result = self.world.run(steps, wrap=wrap, **options)
        except (SyncctlError, Killed):
            result = None
        done = {
            (step.value, location.location): location
            for step, location in self.world.recorder.done
            if location.error is None
        }
        shown, moved = self.source.answered(days=days), self._moved_watermarks(before)
        taken = [answer for answer in shown if answer.place in {*done, *moved}]
        ok = result is not None and result.ok
        doubted = _doubted(before, self._states())
        went = Run(self.world.now, is_whole=ok, is_ordinary=is_ordinary and days is None, doubted=doubted)
        stored = self.model.after_sync(shown, taken, STORES, went)
        self._check_counts(taken, done, result, stored)
        self._check_rejects(taken)
        assert not moved or days is None
        assert moved <= {answer.place for answer in taken}
        return ok

    def _check_counts(
        self, taken: list[Answer], done: dict[Place, LocationResult], result: RunResult | None, stored: Stored
    ) -> None:
        saved = updated = 0
        for answer in taken:
            if answer.place not in done:
                continue  # killed before it could say so
            counts = done[answer.place].counts
            assert counts.balanced
            assert counts.rows == len(answer.rows) + len(answer.others)
            assert counts.invalid == len(outcomes(answer, "invalid"))
            assert counts.ignored == len(outcomes(answer, "ignored")) + len(answer.others)
            saved, updated = saved + counts.saved, updated + counts.updated
        assert saved <= stored.saved
        assert updated <= stored.updated
        if result is not None:
            assert all(step.counts.balanced for step in result.steps)
            assert (saved, updated) == stored or not result.ok

    def _check_rejects(self, taken: list[Answer]) -> None:
        with self.world.storage() as storage:
            rejects = storage.rejects()
        for answer in taken:
            listed = [
                json.loads(entry.row) for entry in rejects if (entry.source, entry.location) == answer.place
            ]
            assert all(row in listed for row in outcomes(answer, "invalid"))

    def _states(self) -> dict[Place, LocationState]:
        with self.world.storage() as storage:
            return {
                (report, where): state
                for report in REPORTS
                for where, state in storage.location_states(StepName(report)).items()
            }

    def _moved_watermarks(self, before: dict[Place, LocationState]) -> set[Place]:
        """The locations whose watermark has moved: always to the run's start."""
        after, none = self._states(), LocationState("")
        moved = {p for p, state in after.items() if state.watermark != before.get(p, none).watermark}
        assert all(after[place].watermark == self.world.now for place in moved)
        return moved

    def _sent(self, file: StoreFile, instead: bool) -> StoreFile:
        """The next version of a store's file: with more rows, or with these instead."""
        before = self.sent.get((file.kind, file.place))
        if before and not instead:
            file = StoreFile(file.kind, file.place, [*before.lines, *file.lines])
        self.sent[file.kind, file.place] = file
        return file

    def _import(
        self, file: StoreFile, wrap: Callable[[Storage], Storage] = undisturbed
    ) -> tuple[int, int] | None:
        """One checked import. Returns how many leads it created and changed; None: it was killed."""
        path = file.write_in(Path(self.folder.name))
        result: RunResult | None = None
        try:
            result = self.world.import_files(file.step, path, wrap=wrap)
        except (SyncctlError, Killed):
            result = None
        outcome = self.imports.after_import(file, self.world.now, whole=result is not None)
        if result is None:
            return None
        assert result.ok
        counts = result.steps[0].counts
        assert counts.balanced
        assert (counts.rows, counts.invalid) == (len(file.lines), file.invalid)
        assert (counts.saved, counts.updated) == outcome
        return outcome
