"""What the steps of all reports of a run work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.sources import StepName
from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.answer_intake import AnswerIntake
from syncctl.services.sync.checkpoints import UnclearAnswers
from syncctl.services.sync.planning import Planner
from syncctl.services.sync.step_results import listed
from syncctl.services.windows.answer_classifier import ShopNames
from syncctl.services.windows.measuring import WindowMeasuring


class StepContext(NamedTuple):
    """The tools of a run, the same for each of its reports."""

    storage: Storage
    intake: AnswerIntake
    planner: Planner
    listener: Listener

    stores: Mapping[str, str | None]
    """The store's name by location id; None: it is not known."""

    shops: ShopNames
    """The stores that rows may name."""

    dialects: Mapping[StepName, Dialect]
    """Of the reports of which something is known."""

    measuring: WindowMeasuring

    unclear: UnclearAnswers
    """Takes note of answers that are taken as empty though their text is not understood."""


STATES_TOGETHER = 10
"""Locations whose states are saved in one write. If a kill loses a state, that location is asked again."""


class StateSaving:
    """The states of one report that are still to be saved."""

    def __init__(self, report: StepName, storage: Storage, listener: Listener) -> None:
        self._report = report
        self._storage = storage
        self._listener = listener
        self.waiting: list[LocationState] = []
        """To be saved soon."""
        self.dormant: list[LocationState] = []
        """To be saved by `save_dormant`, once it is known that the report itself is not in doubt."""

    @property
    def is_due(self) -> bool:
        """Whether so many are waiting that they should be saved now."""
        return len(self.waiting) >= STATES_TOGETHER

    def save(self) -> dict[str, str]:
        """Save the states that are waiting. Gives the locations whose states the database refused, and why.
        Raises StorageUnavailableError: the database is gone."""
        if not self.waiting:
            return {}
        refused: dict[str, str] = {}
        if (refusal := self._refusal(self.waiting)) is not None:
            refused = {state.location: str(refusal) for state in self.waiting}
            self._listener.warning(
                f"How far {listed(refused)} got with {self._report} could not be saved; the next run "
                f"asks again: {refusal}"
            )
        self.waiting = []
        return refused

    def save_dormant(self) -> None:
        """Note which locations are dormant from now on. Raises StorageUnavailableError."""
        if self.dormant and (refusal := self._refusal(self.dormant)) is not None:
            self._listener.warning(
                f"Which locations have no {self._report} data could not be saved: {refusal}"
            )

    def _refusal(self, states: list[LocationState]) -> StorageError | None:
        """Save states. Gives what the database refused; raises StorageUnavailableError."""
        try:
            self._storage.save_location_states(self._report, states)
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            return refusal
        return None
