"""How far a location is after its answer, and which answers are not trusted yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import StepName
from syncctl.errors import UnclearAnswerError
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.planning import DOUBT_PERIOD, Planner
from syncctl.services.sync.step_results import listed
from syncctl.text import quantity

MIN_DUE_ROWS = 5
"""With fewer rows due, the missing ones may well have been cancelled."""


class AnswerCounts(NamedTuple):
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

    def answer_counts(self, state: LocationState, answer: AnswerRows) -> AnswerCounts:
        """The counts of an answer; `state`: the location's state before it."""
        planner = self._planner
        recheck_from = planner.today if state.watermark is None else planner.recheck_from(state.watermark)
        return AnswerCounts(
            rows=len(answer.rows) + len(answer.outside),
            due_again=answer.rows_from(planner.due_again_from),
            again=answer.records_from(recheck_from),
            recent=answer.records_from(planner.recheck_from(planner.started_at)),
        )

    def next_state(
        self, state: LocationState, window: Window, answer_counts: AnswerCounts
    ) -> LocationState | None:
        """The state of a location after an answer that was stored completely; None: unchanged.

        The watermark is the run's start: what is booked during the run is asked for next time. A backfill
        leaves the watermark alone, and so does a suspicious answer, which must not change dormancy either.
        """
        if self._planner.is_backfill or self.is_suspicious(state, window, answer_counts):
            return None
        whole = self._planner.is_whole(window)
        return LocationState(
            location=state.location,
            watermark=self._now,
            answered_at=self._now,
            tried_at=self._now,
            dormant=whole and answer_counts.rows == 0,
            due_again=answer_counts.due_again if whole else state.due_again,
            recent=answer_counts.recent,
            audited_at=self._now if whole else state.audited_at,
            audit_tried_at=state.audit_tried_at,
        )

    def audited(self, state: LocationState, answer_counts: AnswerCounts) -> LocationState:
        """The state of a location after an audit: its watermark doesn't move, but it is no longer dormant
        if it has rows, and in doubt if it has suspiciously few."""
        state = state._replace(audited_at=self._now, audit_tried_at=self._now)
        if self.is_suspicious(state, self._planner.window, answer_counts):
            return self.doubted(state)._replace(tried_at=state.tried_at)
        return state._replace(
            answered_at=self._now if state.dormant or answer_counts.rows else state.answered_at,
            dormant=state.dormant and answer_counts.rows == 0,
            due_again=answer_counts.due_again,
        )

    def audit_failed(self, state: LocationState) -> LocationState:
        """The state of a location whose audit failed: others are audited first."""
        return state._replace(audit_tried_at=self._now)

    def doubted(self, state: LocationState) -> LocationState:
        """The state of a location whose answer is not trusted yet."""
        since = state.doubted_since
        if since is None or since > self._now:
            since = self._now
        return state._replace(tried_at=self._now, doubted_since=since)

    def may_doubt(self, state: LocationState) -> bool:
        """Whether a suspicious answer is still not trusted. An API that keeps giving it for DOUBT_PERIOD
        after the last trusted answer is believed, as the shop may have a new id."""
        since = state.doubted_since
        if self._planner.is_backfill or since is None:
            return not self._planner.is_backfill
        return self._now - min(since, state.answered_at or since) <= DOUBT_PERIOD

    def tried(self, states: Mapping[str, LocationState], location: str) -> LocationState | None:
        """The state of a location whose call failed; None in a backfill."""
        if self._planner.is_backfill:
            return None
        return states.get(location, LocationState(location))._replace(tried_at=self._now)

    def is_suspicious(self, state: LocationState, window: Window, answer_counts: AnswerCounts) -> bool:
        """Whether an answer has less than half the rows that an earlier one makes us expect."""
        if state.dormant or not self.may_doubt(state):
            return False
        if self._planner.is_whole(window):
            return answer_counts.rows < state.due_again / 2 and (
                state.due_again >= MIN_DUE_ROWS or answer_counts.rows == 0
            )
        return answer_counts.again < state.recent / 2 and state.recent >= MIN_DUE_ROWS


ROUND_NUMBER, MANY_ROWS = 50, 1000
"""Rows of an answer: an API usually cuts at a round number, and hardly ever below a thousand."""


class AnswerSize(NamedTuple):
    """The length of an answer, and a hash of its content: two ids of one shop return the same answer."""

    rows: int
    content: int


def size_of(answer: AnswerRows) -> AnswerSize:
    """The size of an answer, including rows outside the days asked for."""
    return AnswerSize(len(answer.rows) + len(answer.outside), hash(frozenset(answer.keys)))


def capped_answers(answered: Mapping[str, AnswerSize]) -> list[str]:
    """The locations whose answers the API may have cut: several different answers share the greatest
    length."""
    longest = max((size.rows for size in answered.values()), default=0)
    capped = [location for location, size in answered.items() if size.rows == longest]
    different = len({answered[location].content for location in capped})
    shorter = sum(0 < size.rows < longest for size in answered.values())
    # Similar shops may have similar numbers; but the longest answers rarely have equal lengths by chance.
    is_suspicious = longest >= MANY_ROWS and 2 < different <= shorter
    is_round = longest > 0 and longest % ROUND_NUMBER == 0 and different > 1
    return capped if is_round or is_suspicious else []


def capped_warning(report: StepName, answered: Mapping[str, AnswerSize], capped: Collection[str]) -> str:
    """The warning about such answers."""
    rows = max(size.rows for size in answered.values())
    return (
        f"The {report} report answered with exactly {quantity(rows, 'row')} for {listed(capped)}, and no "
        "location with more: the API may cut its answers there. What came is stored, and the next run asks "
        "again. If it stays so, ask the API's provider whether there is a limit."
    )


def thin_warning(rows: int) -> str:
    """The warning about a thin answer."""
    what = (
        f"only {quantity(rows, 'row')}, less than half of those"
        if rows
        else "an empty answer, without any of those"
    )
    return f"{what} that came before and are still due: nothing is deleted, and the next run asks again"


class UnclearAnswers:
    """Collects those of one run or check, for one warning at its end."""

    def __init__(self) -> None:
        self._quote: str | None = None
        self._where: dict[StepName, list[str]] = {}

    def note(self, request: ReportRequest, answer: UnclearAnswerError) -> None:
        """Add one; the text of the first is quoted."""
        self._quote = self._quote or answer.said
        self._where.setdefault(request.report, []).append(request.location)

    def warning(self) -> str:
        """The warning about them; "" if there were none."""
        if self._quote is None:
            return ""
        where = "; ".join(
            report.value if report is StepName.STORES else f"{report}: {listed(set(locations))}"
            for report, locations in self._where.items()
        )
        return (
            f"The API sent no rows and said “{self._quote}” ({where}). That is taken as empty, but no "
            "checkpoint moves: these are asked again. Ask the API's provider what it means."
        )
