"""Which locations a report is asked for, and how far back; and what an answer means for the next time.

Always for whole windows of months: how the API answers dates is not known (contract/rental-api.md). Where
only some days are wanted, their rows are picked out of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from syncctl.dialects import Dialect, LocationIds
from syncctl.errors import UsageError
from syncctl.locations import Locations
from syncctl.models import Days, LocationState, Window

DORMANT_FOR = timedelta(days=1)
"""How long a location without any data is left alone."""

CLOCK_TOLERANCE = timedelta(days=1)
"""A watermark further ahead than this was set by a wrong clock: it says nothing about the data."""

SUSPECT_FOR = timedelta(days=2)
"""How long an API may insist on a suspicious answer before it is believed."""

OLDEST_DAY = date(2000, 1, 1)
"""No record is older (contract/rental-api.md)."""

BOOKED_BEFORE = timedelta(days=92)
"""How long before its return a garment may have been booked. Should the API's months go by the date of the
booking, a return is only in a window that reaches back so much further."""

FEWEST_DAYS_OF_A_MONTH = 30
"""In a window of several months: how the API counts them is not known."""


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
    """The settings that decide windows. `first_months`: of a whole one. `business_zone`: whose days count."""

    first_months: int
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


def ids_to_ask(stores: Mapping[str, str | None], dialect: Dialect) -> Mapping[str, str | None]:
    """The location ids that a report is asked with, each with its store: these, or an empty one alone."""
    return {"": None} if dialect.ids is LocationIds.EMPTY else stores


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
        if options.date_from is not None and options.date_from > (options.date_to or self._today):
            raise UsageError(f"--from {options.date_from} is after {options.date_to or 'today'}.")

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self._schedule.business_zone).date()

    @property
    def days(self) -> Days | None:
        """The days whose rows are wanted; None: whatever comes."""
        if self._options.date_from is None:
            return None
        return Days(self._options.date_from, self._options.date_to or self._today)

    @property
    def whole_days(self) -> Days:
        """The days of a whole window."""
        return Days(months_before(self._today, self._schedule.first_months), self._today)

    @property
    def window(self) -> Window:
        """What every location is asked for, wherever its watermark is."""
        return window_holding(self._options.date_from, self._schedule, self._today)

    @property
    def certain_from(self) -> date:
        """The first day that is in `window`, however the API counts months."""
        return certain_from(self.window, self._today)

    @property
    def due_again_from(self) -> date:
        """Rows of that day or later will be in every answer for as long as SUSPECT_FOR."""
        return self.certain_from + SUSPECT_FOR

    def ids_to_ask(self, stores: Mapping[str, str | None], dialect: Dialect) -> Mapping[str, str | None]:
        """Those of these location ids that a report is asked with, each with its store. Where only an empty
        one is answered, the others are asked where they were chosen, or in a full run."""
        if self._options.locations:
            return stores
        return {**ids_to_ask(stores, dialect), **(stores if self._options.full else {})}

    @property
    def asks_everywhere(self) -> bool:
        """Whether no locations were chosen."""
        return not self._options.locations

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
        """The whole one, or after an outage that was longer as far back as the watermark."""
        watermark = state.watermark
        if self._options.is_backfill or watermark is None:
            return self.window
        return Window(max(self.window.months, months_since(self._day(watermark), self._today)))

    def next_state(self, state: LocationState, rows: int, due_again: int) -> LocationState | None:
        """How far a location is after an answer that was stored whole; None: as far as before. `rows`: that
        the answer has; `due_again`: those of them that are dated `due_again_from` or later.

        The watermark is the run's start: what is booked while the run goes on is asked for next time. A
        backfill leaves it alone. So does a suspicious answer: neither watermark nor dormancy may follow from
        it.
        """
        if self._options.is_backfill or self.is_suspicious(state, rows):
            return None
        return LocationState(
            location=state.location,
            watermark=self._started_at,
            asked_at=self._started_at,
            tried_at=self._started_at,
            dormant=rows == 0,
            due_again=due_again,
        )

    def tried(self, states: Mapping[str, LocationState], location: str) -> LocationState | None:
        """The state of a location that was asked in vain; None where a backfill asked."""
        if self._options.is_backfill:
            return None
        return replace(states.get(location, LocationState(location)), tried_at=self._started_at)

    def is_suspicious(self, state: LocationState, rows: int) -> bool:
        """Whether an empty answer contradicts an earlier one, some of whose rows are still due.

        An API that insists on it for SUSPECT_FOR is believed: the shop may have got another id.
        """
        if rows or self._options.is_backfill or state.dormant or not state.due_again:
            return False
        return state.asked_at is not None and self._started_at - state.asked_at <= SUSPECT_FOR


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


def months_since(day: date, today: date) -> int:
    """How many months a window must reach back from today to begin no later than that day."""
    if day >= today:
        return 0
    day = max(day, OLDEST_DAY)
    months = (today.year - day.year) * 12 + today.month - day.month
    return months if months_before(today, months) <= day else months + 1


def window_holding(day: date | None, schedule: Schedule, today: date) -> Window:
    """A whole window, or a longer one that has all that is dated that day or later, and the bookings of those
    returns: the API's months may go by their dates."""
    if day is None:
        return Window(schedule.first_months)
    return Window(max(schedule.first_months, months_since(max(day, OLDEST_DAY) - BOOKED_BEFORE, today)))


def certain_from(window: Window, today: date) -> date:
    """The first day that is in such a window, however the API counts its months."""
    fewest_days = timedelta(days=window.months * FEWEST_DAYS_OF_A_MONTH)
    return max(months_before(today, window.months), today - fewest_days) + timedelta(days=1)
