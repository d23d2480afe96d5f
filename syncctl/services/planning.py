"""Which locations a report is asked for, and for which days; and what an answer means for the next time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from syncctl.errors import UsageError
from syncctl.locations import Locations
from syncctl.models import LocationState, Window

DORMANT_FOR = timedelta(days=1)
"""How long a location without any data is left alone."""

CLOCK_TOLERANCE = timedelta(days=1)
"""A watermark further ahead than this was set by a wrong clock: it says nothing about the data."""

PLENTY = 5
"""Records due again: an answer without any of them is suspicious."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What the user asked for on the command line. `date_from`, `date_to`: a backfill, both or neither."""

    full: bool = False
    date_from: date | None = None
    date_to: date | None = None
    locations: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def is_backfill(self) -> bool:
        return self.date_from is not None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The settings that decide windows. `business_zone`: whose calendar days the reports are asked in."""

    first_months: int
    incremental_days: int
    business_zone: tzinfo


@dataclass(frozen=True, slots=True)
class Plan:
    """What one report will be asked. `dormant`: how many locations are left alone this time."""

    windows: dict[str, Window]
    dormant: int


def location_order(code: str) -> tuple[int, str]:
    """For sorting location ids as numbers, odd ones last."""
    return (int(code), "") if code.isascii() and code.isdigit() and len(code) < 10 else (10**10, code)


def locations_to_ask(
    store_list: Mapping[str, str], locations: Locations, chosen: Iterable[str]
) -> dict[str, str | None]:
    """Location id -> store name (None: nobody names it), by number.

    Both the store list's codes and the ids of locations.toml: nobody knows which of a shop's old and new ids
    a report answers to. `chosen`: only these, where any are given.

    Raises:
        UsageError: a chosen one is unknown.
    """
    codes = sorted({*store_list, *locations.by_code}, key=location_order)
    known = {code: locations.store_of(code, store_list.get(code, "")) for code in codes}
    wanted = list(chosen)
    for code in wanted:
        if code not in known:
            raise UsageError(
                f"Location {code!r} is neither in the store list nor in locations.toml.\n"
                f"Known are: {', '.join(codes)}."
            )
    return {code: known[code] for code in known if not wanted or code in wanted}


class Planner:
    """Decides windows for one run, which began at `started_at`."""

    def __init__(self, schedule: Schedule, options: SyncOptions, started_at: datetime) -> None:
        self._schedule = schedule
        self._options = options
        self._started_at = started_at
        self._today = self._day(started_at)

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self._schedule.business_zone).date()

    def plan(self, codes: Iterable[str], states: Mapping[str, LocationState]) -> Plan:
        """A window for each location that is due. Those that have waited longest come first, so that a run
        which its deadline cuts short is not cut at the same place again."""
        all_states = [states.get(code, LocationState(code)) for code in codes]
        due = [state for state in all_states if not self._sleeps(state)]
        due.sort(key=lambda state: (_waiting_since(state), location_order(state.location)))
        return Plan(
            windows={state.location: self._window(state) for state in due},
            dormant=len(all_states) - len(due),
        )

    def _sleeps(self, state: LocationState) -> bool:
        if not state.dormant or state.asked_at is None:
            return False
        if self._options.full or self._options.is_backfill or self._options.locations:
            return False
        return timedelta(0) <= self._started_at - state.asked_at < DORMANT_FOR

    def _window(self, state: LocationState) -> Window:
        if self._options.date_from is not None:
            return Window(date_from=self._options.date_from, date_to=self._options.date_to or self._today)
        watermark = state.watermark
        if self._options.full or state.dormant or watermark is None:
            return Window(months=self._schedule.first_months)
        if watermark > self._started_at + CLOCK_TOLERANCE:
            return Window(months=self._schedule.first_months)
        day = min(self._day(watermark), self._today)
        return Window(date_from=day - timedelta(days=self._schedule.incremental_days), date_to=self._today)

    def next_state(
        self, state: LocationState, window: Window, rows: int, dates: Iterable[datetime]
    ) -> LocationState | None:
        """How far a location is after an answer that was stored whole; None: as far as before.

        The watermark is the run's start: what is booked while the run goes on is asked for next time. A
        backfill leaves it alone. So does a suspicious answer: it has none of the records that were due again,
        so neither watermark nor dormancy may follow from it.
        """
        if self._options.is_backfill or self.is_suspicious(state, window, rows):
            return None
        since = self._today - timedelta(days=self._schedule.incremental_days)
        return LocationState(
            location=state.location,
            watermark=self._started_at,
            asked_at=self._started_at,
            dormant=rows == 0 and window.date_from is None,
            due_again=sum(since <= at.date() <= self._today for at in dates),
        )

    def is_suspicious(self, state: LocationState, window: Window, rows: int) -> bool:
        """Whether an empty answer contradicts the last one: that had records which this one must have too."""
        if rows or self._options.is_backfill:
            return False
        return state.due_again >= (1 if window.date_from is None else PLENTY)


def _waiting_since(state: LocationState) -> float:
    return state.watermark.timestamp() if state.watermark else 0.0
