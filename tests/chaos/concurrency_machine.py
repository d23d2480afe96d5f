"""The state machine with concurrency: telecallers and other runs in the middle of a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from syncctl.domain.run_results import RunResult
from syncctl.ports.storage import Storage
from tests.chaos.correction_machine import CorrectionMachine
from tests.chaos.corrections import Run
from tests.chaos.people_machine import STORES, telecaller_actions
from tests.chaos.run_machine import files
from tests.chaos.store_file_model import StoreFile
from tests.support.interleaved_storage import InterleavedStorage

call_numbers = st.integers(1, 40)
"""The call of a run before which something happens."""


class ConcurrencyMachine(CorrectionMachine):
    """Source, people and runs, with other changes in the middle of a run."""

    @precondition(lambda self: self.model.leads)
    @rule(at=call_numbers, work=telecaller_actions, full=st.booleans())
    def sync_while_a_telecaller_works(self, at: int, work: tuple[Any, ...], full: bool) -> None:
        telecaller = self._interleaved_telecaller(at, work, self.model.note_changes_meanwhile)
        assert self._sync(wrap=telecaller, is_ordinary=False, full=full)

    @precondition(lambda self: self.model.leads)
    @rule(at=call_numbers, work=telecaller_actions, file=files)
    def import_while_a_telecaller_works(self, at: int, work: tuple[Any, ...], file: StoreFile) -> None:
        file = self._sent(file, instead=False)
        path = file.write_in(Path(self.folder.name))
        self._check_imports(
            file, [self.world.import_files(file.step, path, wrap=self._interleaved_telecaller(at, work))]
        )

    @rule(at=call_numbers, full=st.booleans())
    def sync_while_another_runs(self, at: int, full: bool) -> None:
        results: list[RunResult] = []

        def another() -> None:
            results.append(self.world.run(full=full))

        results.append(self.world.run(wrap=lambda storage: _before(storage, at, another)))
        shown = self.source.answered(every=True)
        stored = self.model.after_sync(shown, shown, STORES, Run(self.world.now, is_ordinary=False))
        steps = [step for result in results for step in result.steps]
        assert all(result.ok for result in results)
        assert all(step.counts.balanced for step in steps)
        reported = [step.counts for step in steps if step.name != "stores"]
        assert sum(counts.saved for counts in reported) == stored.saved
        updated = sum(counts.updated for counts in reported)
        # A correction that the other run makes between this one's look-up and its write stands there already,
        # as after a killed run: both count it.
        assert stored.updated <= updated <= len(results) * stored.updated

    @rule(at=call_numbers, file=files)
    def import_while_another_runs(self, at: int, file: StoreFile) -> None:
        file = self._sent(file, instead=False)
        path = file.write_in(Path(self.folder.name))
        results: list[RunResult] = []

        def another() -> None:
            results.append(self.world.import_files(file.step, path))

        results.append(
            self.world.import_files(file.step, path, wrap=lambda storage: _before(storage, at, another))
        )
        self._check_imports(file, results)

    def _check_imports(self, file: StoreFile, results: list[RunResult]) -> None:
        """Check one or two imports of a file. A lead may have been changed by both, or by one and then by
        a telecaller."""
        saved, changed = self.imports.after_import(file, self.world.now, whole=True)
        counts = [result.steps[0].counts for result in results]
        assert all(result.ok for result in results)
        assert all(each.balanced for each in counts)
        assert sum(each.saved for each in counts) == saved
        assert sum(each.updated for each in counts) >= changed

    def _interleaved_telecaller(
        self, at: int, work: tuple[Any, ...], before: Callable[[], None] = lambda: None
    ) -> Callable[[Storage], Any]:
        """A telecaller at work in the middle of a run; `before`: is called just before."""
        name, pick, *given = work

        def act() -> None:
            before()
            lead_id = self._lead(pick)["_id"]
            getattr(self, name)(pick, *given)
            self.imports.interfered.add(lead_id)
            if lead_id not in self.model.leads:
                self.model.removed_meanwhile.add(lead_id)

        return lambda storage: _before(storage, at, act)


def _before(storage: Storage, at: int, act: Callable[[], None]) -> Any:
    return InterleavedStorage(storage, at, act)
