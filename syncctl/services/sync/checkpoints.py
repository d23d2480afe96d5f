"""How far a location is after what it answered, and which answers are not to be believed yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.requests import Window
from syncctl.services.sync.answer_rows import SortedRows
from syncctl.services.sync.planning import SUSPECT_FOR, Planner

PLENTY = 5
"""Rows due again: of fewer, what is missing may well have been cancelled."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows an answer has, and of them: `due_again`: those that every whole answer of the next days
    must have as well. How many records it has of the days that the answer before was to have, too: `again`;
    and of those that the next one must have: `recent`."""

    rows: int
    due_again: int
    again: int
    recent: int


class Checkpoints:
    """The states of locations in one run."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._now = planner.started_at

    def tally(self, state: LocationState, answer: SortedRows) -> Tally:
        """What decides of a location's answer how far it is, after it was in that state."""
        planner = self._planner
        again_from = planner.today if state.watermark is None else planner.again_from(state.watermark)
        return Tally(
            rows=len(answer.rows) + len(answer.outside),
            due_again=answer.rows_from(planner.due_again_from),
            again=answer.records_from(again_from),
            recent=answer.records_from(planner.again_from(planner.started_at)),
        )

    def next_state(self, state: LocationState, window: Window, tally: Tally) -> LocationState | None:
        """How far a location is after an answer that was stored whole; None: as far as before.

        The watermark is the run's start: what is booked while the run goes on is asked for next time. A
        backfill leaves it alone. So does a suspicious answer: neither watermark nor dormancy may follow from
        it.
        """
        if self._planner.is_backfill or self.is_suspicious(state, window, tally):
            return None
        whole = self._planner.is_whole(window)
        return LocationState(
            location=state.location,
            watermark=self._now,
            asked_at=self._now,
            tried_at=self._now,
            dormant=whole and tally.rows == 0,
            due_again=tally.due_again if whole else state.due_again,
            recent=tally.recent,
            audited_at=self._now if whole else state.audited_at,
            audit_tried_at=state.audit_tried_at,
        )

    def audited(self, state: LocationState, tally: Tally) -> LocationState:
        """The state of a location after its whole window was asked for besides: not further than before, but
        awake if it has something, and in doubt if it has suspiciously little."""
        state = replace(state, audited_at=self._now, audit_tried_at=self._now)
        if self.is_suspicious(state, self._planner.window, tally):
            return replace(self.doubted(state), tried_at=state.tried_at)
        return replace(
            state,
            asked_at=self._now if state.dormant or tally.rows else state.asked_at,
            dormant=state.dormant and tally.rows == 0,
            due_again=tally.due_again,
        )

    def audit_failed(self, state: LocationState) -> LocationState:
        """The state of a location that an audit asked in vain: the others come first."""
        return replace(state, audit_tried_at=self._now)

    def doubted(self, state: LocationState) -> LocationState:
        """The state of a location whose answer is not to be believed yet."""
        since = state.doubted_since
        if since is None or since > self._now:
            since = self._now
        return replace(state, tried_at=self._now, doubted_since=since)

    def may_doubt(self, state: LocationState) -> bool:
        """Whether a suspicious answer is still not to be believed: an API that insists on it, for SUSPECT_FOR
        after the last answer that was believed, is, as the shop may have got another id."""
        since = state.doubted_since
        if self._planner.is_backfill or since is None:
            return not self._planner.is_backfill
        return self._now - min(since, state.asked_at or since) <= SUSPECT_FOR

    def tried(self, states: Mapping[str, LocationState], location: str) -> LocationState | None:
        """The state of a location that was asked in vain; None where a backfill asked."""
        if self._planner.is_backfill:
            return None
        return replace(states.get(location, LocationState(location)), tried_at=self._now)

    def is_suspicious(self, state: LocationState, window: Window, tally: Tally) -> bool:
        """Whether an answer has less than half of the rows of an earlier one that are still due."""
        if state.dormant or not self.may_doubt(state):
            return False
        if self._planner.is_whole(window):
            return tally.rows < state.due_again / 2 and (state.due_again >= PLENTY or tally.rows == 0)
        return tally.again < state.recent / 2 and state.recent >= PLENTY
