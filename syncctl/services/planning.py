"""Which locations a report is asked for, and for which days; and what an answer means for the next time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from syncctl.errors import UsageError
from syncctl.locations import Locations
from syncctl.models import LocationState, Window

DORMANT_FOR = timedelta(days=1)
"""How long a location without any data is left alone."""

CLOCK_TOLERANCE = timedelta(days=1)
"""A watermark further ahead than this was set by a wrong clock: it says nothing about the data."""

SUSPECT_FOR = timedelta(days=2)
"""How long an API may insist on a suspicious answer before it is believed."""

PLENTY = 5
"""Records due again: an answer without any of them is suspicious."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What the user asked for on the command line. `date_from`, `date_to`: a backfill, both or neither."""

    full: bool = False
    date_from: date | None = None
    date_to: date | None = None
    locations: tuple[str, ...] = ()

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
    """Decides windows for one run, which began at `started_at`.

    Raises:
        UsageError: a backfill that ends before it begins.
    """

    def __init__(self, schedule: Schedule, options: SyncOptions, started_at: datetime) -> None:
        self._schedule = schedule
        self._options = options
        self._started_at = started_at
        self._today = self._day(started_at)
        self._first_day = months_before(self._today, schedule.first_months)
        if options.date_from is not None and options.date_from > (options.date_to or self._today):
            raise UsageError(f"--from {options.date_from} is after {options.date_to or 'today'}.")

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self._schedule.business_zone).date()

    def plan(self, codes: Iterable[str], states: Mapping[str, LocationState]) -> Plan:
        """A window for each location that is due. Those that were tried longest ago come first, so that a run
        which its deadline cuts short is not cut at the same place again, and one that hangs can't keep
        the others waiting in every run."""
        all_states = [states.get(code, LocationState(code)) for code in codes]
        due = [state for state in all_states if not self._sleeps(state)]
        due.sort(key=_patience)
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
        whole = Window(months=self._schedule.first_months)
        watermark = state.watermark
        if watermark is None or watermark > self._started_at + CLOCK_TOLERANCE:
            return whole
        since = min(self._day(watermark), self._today) - timedelta(days=self._schedule.incremental_days)
        if (self._options.full or state.dormant) and since > self._first_day:
            return whole
        return Window(date_from=since, date_to=self._today)

    def next_state(
        self, state: LocationState, window: Window, rows: int, dates: Iterable[datetime]
    ) -> LocationState | None:
        """How far a location is after an answer that was stored whole; None: as far as before.

        The watermark is the run's start: what is booked while the run goes on is asked for next time. A
        backfill leaves it alone. So does a suspicious answer: neither watermark nor dormancy may follow from
        it.
        """
        if self._options.is_backfill or self.is_suspicious(state, window, rows):
            return None
        since = self._today - timedelta(days=self._schedule.incremental_days)
        dormant = rows == 0 and self._is_whole(window)
        return LocationState(
            location=state.location,
            watermark=self._started_at,
            asked_at=self._started_at if rows or dormant else state.asked_at,
            tried_at=self._started_at,
            dormant=dormant,
            due_again=sum(since <= at.date() <= self._today for at in dates),
        )

    def tried(self, states: Mapping[str, LocationState], location: str) -> LocationState | None:
        """The state of a location that was asked in vain; None where a backfill asked."""
        if self._options.is_backfill:
            return None
        return replace(states.get(location, LocationState(location)), tried_at=self._started_at)

    def is_suspicious(self, state: LocationState, window: Window, rows: int) -> bool:
        """Whether an empty answer contradicts earlier ones: a location that is not dormant has had records in
        its whole window, and those of the last answer that are due again must be in a dated one.

        An API that insists on it for SUSPECT_FOR is believed: the shop may have got another id.
        """
        if rows or self._options.is_backfill or state.watermark is None or state.dormant:
            return False
        if state.asked_at is None or self._started_at - state.asked_at > SUSPECT_FOR:
            return False
        return self._is_whole(window) or state.due_again >= PLENTY

    def _is_whole(self, window: Window) -> bool:
        return window.date_from is None or window.date_from <= self._first_day


def _patience(state: LocationState) -> tuple[float, bool, tuple[int, str]]:
    """For sorting: those tried longest ago first, and of those tried together the ones that failed last."""
    failed = state.tried_at is not None and state.tried_at != state.watermark
    return (
        state.tried_at.timestamp() if state.tried_at else 0.0,
        failed,
        location_order(state.location),
    )


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the first of the next month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)
