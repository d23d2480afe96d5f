"""How far a location is after its answer, and which answers are not trusted yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.requests import Window
from syncctl.services.sync.answer_rows import SortedRows
from syncctl.services.sync.planning import SUSPECT_FOR, Planner

PLENTY = 5
"""With fewer rows due, the missing ones may well have been cancelled."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of an answer that decide how far its location is."""

    rows: int
    due_again: int
    """Rows that every whole answer of the next days must contain too."""

    again: int
    """Records of the days that the previous answer covered too."""

    recent: int
    """Records of the days that the next answer must cover too."""


class Checkpoints:
    """Computes the states of locations in one run."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._now = planner.started_at

    def tally(self, state: LocationState, answer: SortedRows) -> Tally:
        """The counts of an answer; `state`: the location's state before it."""
        planner = self._planner
        again_from = planner.today if state.watermark is None else planner.again_from(state.watermark)
        return Tally(
            rows=len(answer.rows) + len(answer.outside),
            due_again=answer.rows_from(planner.due_again_from),
            again=answer.records_from(again_from),
            recent=answer.records_from(planner.again_from(planner.started_at)),
        )

    def next_state(self, state: LocationState, window: Window, tally: Tally) -> LocationState | None:
        """The state of a location after an answer that was stored completely; None: unchanged.

        The watermark is the run's start: what is booked during the run is asked for next time. A backfill
        leaves the watermark alone, and so does a suspicious answer, which must not change dormancy either.
        """
        if self._planner.is_backfill or self.is_suspicious(state, window, tally):
            return None
        whole = self._planner.is_whole(window)
        return LocationState(
            location=state.location,
            watermark=self._now,
            answered_at=self._now,
            tried_at=self._now,
            dormant=whole and tally.rows == 0,
            due_again=tally.due_again if whole else state.due_again,
            recent=tally.recent,
            audited_at=self._now if whole else state.audited_at,
            audit_tried_at=state.audit_tried_at,
        )

    def audited(self, state: LocationState, tally: Tally) -> LocationState:
        """The state of a location after an audit: its watermark doesn't move, but it is no longer dormant
        if it has rows, and in doubt if it has suspiciously few."""
        state = replace(state, audited_at=self._now, audit_tried_at=self._now)
        if self.is_suspicious(state, self._planner.window, tally):
            return replace(self.doubted(state), tried_at=state.tried_at)
        return replace(
            state,
            answered_at=self._now if state.dormant or tally.rows else state.answered_at,
            dormant=state.dormant and tally.rows == 0,
            due_again=tally.due_again,
        )

    def audit_failed(self, state: LocationState) -> LocationState:
        """The state of a location whose audit failed: others are audited first."""
        return replace(state, audit_tried_at=self._now)

    def doubted(self, state: LocationState) -> LocationState:
        """The state of a location whose answer is not trusted yet."""
        since = state.doubted_since
        if since is None or since > self._now:
            since = self._now
        return replace(state, tried_at=self._now, doubted_since=since)

    def may_doubt(self, state: LocationState) -> bool:
        """Whether a suspicious answer is still not trusted. An API that keeps giving it for SUSPECT_FOR
        after the last trusted answer is believed, as the shop may have a new id."""
        since = state.doubted_since
        if self._planner.is_backfill or since is None:
            return not self._planner.is_backfill
        return self._now - min(since, state.answered_at or since) <= SUSPECT_FOR

    def tried(self, states: Mapping[str, LocationState], location: str) -> LocationState | None:
        """The state of a location whose call failed; None in a backfill."""
        if self._planner.is_backfill:
            return None
        return replace(states.get(location, LocationState(location)), tried_at=self._now)

    def is_suspicious(self, state: LocationState, window: Window, tally: Tally) -> bool:
        """Whether an answer has less than half the rows that an earlier one makes us expect."""
        if state.dormant or not self.may_doubt(state):
            return False
        if self._planner.is_whole(window):
            return tally.rows < state.due_again / 2 and (state.due_again >= PLENTY or tally.rows == 0)
        return tally.again < state.recent / 2 and state.recent >= PLENTY
