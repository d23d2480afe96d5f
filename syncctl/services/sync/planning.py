"""Which locations a report is asked for, and how far back; and what an answer means for the next time.

For whole windows of months, until it is measured that a narrower one holds everything recent
(`dialects.Dialect`). Where only some days are wanted, their rows are picked out of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect, LocationIds, Mode
from syncctl.domain.requests import Days, Window
from syncctl.errors import UsageError
from syncctl.locations import Locations
from syncctl.services.windows.months import OLDEST_DAY, certain_from, months_before, months_since, wider

DORMANT_FOR = timedelta(days=1)
"""How long a location without any data is left alone."""

CLOCK_TOLERANCE = timedelta(days=1)
"""A watermark further ahead than this was set by a wrong clock: it says nothing about the data."""

SUSPECT_FOR = timedelta(days=2)
"""How long an API may insist on a suspicious answer before it is believed."""

LONGEST_NARROW = timedelta(days=26)
"""A narrower window than the whole is measured for recent days only: one that must reach back further, after
an outage, is whole."""

BOOKED_BEFORE = timedelta(days=92)
"""How long before its return a garment may have been booked. Should the API's months go by the date of the
booking, a return is only in a window that reaches back so much further."""


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
    """The settings that decide windows. `first_months`: of a whole one. `business_zone`: whose days count.
    `incremental_days`: how far behind its watermark a location is looked at again. `audits`: how many
    locations a run asks for their whole window though it need not."""

    first_months: int
    business_zone: tzinfo
    incremental_days: int = 7
    audits: int = 0


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
    def started_at(self) -> datetime:
        """When the run began."""
        return self._started_at

    @property
    def zone(self) -> tzinfo:
        """The business's."""
        return self._schedule.business_zone

    @property
    def today(self) -> date:
        """The business's day on which the run began."""
        return self._today

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

    @property
    def is_backfill(self) -> bool:
        """Whether certain days are asked for."""
        return self._options.is_backfill

    @property
    def is_ordinary(self) -> bool:
        """Whether it is a run for all locations and for whatever is new."""
        return not (self._options.is_backfill or self._options.locations)

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

    def plan(self, codes: Iterable[str], states: Mapping[str, LocationState], dialect: Dialect) -> Plan:
        """A window for each location that is due. Those that were tried longest ago come first, so that a run
        which its deadline cuts short is not cut at the same place again, and one that hangs can't keep
        the others waiting in every run."""
        all_states = [states.get(code, LocationState(code)) for code in codes]
        due = [state for state in all_states if not self._sleeps(state)]
        due.sort(key=self._due_order)
        return Plan(
            windows={state.location: self._window(state, dialect) for state in due},
            dormant=len(all_states) - len(due),
        )

    def _sleeps(self, state: LocationState) -> bool:
        if not state.dormant or state.asked_at is None:
            return False
        if self._options.full or self._options.is_backfill or self._options.locations:
            return False
        return timedelta(0) <= self._started_at - state.asked_at < DORMANT_FOR

    def whole_window(self, dialect: Dialect) -> Window:
        """The whole window, in the body that the report answers."""
        return replace(self.window, form=dialect.whole_form)

    def _window(self, state: LocationState, dialect: Dialect) -> Window:
        """The narrower one that the dialect allows, else the whole one: after an outage that was longer, as
        far back as the watermark."""
        whole, watermark = self.whole_window(dialect), state.watermark
        if self._options.is_backfill or watermark is None or self._is_ahead(watermark):
            return whole
        since = self.again_from(watermark)
        in_doubt = self._options.full or state.dormant or state.doubted_since is not None
        if in_doubt or dialect.mode is Mode.WHOLE or self._today - since > LONGEST_NARROW:
            return replace(whole, months=max(whole.months, months_since(self._day(watermark), self._today)))
        if dialect.mode is Mode.MONTHS:
            return Window(dialect.months, form=dialect.form)
        return Window(days=wider(Days(since, self._today)), form=dialect.form)

    def _is_ahead(self, moment: datetime) -> bool:
        """Whether a moment of an earlier run was set by a wrong clock."""
        return moment > self._started_at + CLOCK_TOLERANCE

    def again_from(self, watermark: datetime) -> date:
        """The first of the days that are looked at again."""
        synced = max(min(self._day(watermark), self._today), OLDEST_DAY)
        return synced - timedelta(days=self._schedule.incremental_days)

    def is_whole(self, window: Window) -> bool:
        """Whether it is everything that is asked for."""
        return window.days is None and window.months >= self._schedule.first_months

    def audits(
        self,
        codes: Iterable[str],
        states: Sequence[Mapping[str, LocationState]],
        asked: Sequence[Collection[str]],
    ) -> list[str]:
        """The locations to be asked for their whole windows besides, those first that were not for longest,
        dormant ones too; one that failed comes again after the others. `states`: of each report; `asked`:
        those that it asks whole in this run anyway."""
        if not self.is_ordinary:
            return []

        def turns(code: str) -> list[float]:
            reports = zip(states, asked, strict=True)
            return [self._audit_turn(kept.get(code)) for kept, whole in reports if code not in whole]

        last_turns = {code: min(found) for code in codes if (found := turns(code))}
        in_turn = sorted(last_turns, key=lambda code: (last_turns[code], location_order(code)))
        return in_turn[: self._schedule.audits]

    def _audit_turn(self, state: LocationState | None) -> float:
        """When a location had its last turn, as `_last` gives it."""
        return self._last(state.audited_at, state.audit_tried_at) if state is not None else 0.0

    def _due_order(self, state: LocationState) -> tuple[float, bool, tuple[int, str]]:
        """For sorting: those tried longest ago first; of those tried together, the ones that failed last."""
        failed = state.tried_at is not None and state.tried_at != state.watermark
        return self._last(state.tried_at), failed, location_order(state.location)

    def _last(self, *moments: datetime | None) -> float:
        """The last of these moments, in seconds; 0: there is none. One that is still to come was noted by a
        clock that was ahead: however little that was, a location must not wait for it."""
        known = (at.timestamp() for at in moments if at is not None and at <= self._started_at)
        return max(known, default=0.0)


def window_holding(day: date | None, schedule: Schedule, today: date) -> Window:
    """A whole window, or a longer one that has all that is dated that day or later, and the bookings of those
    returns: the API's months may go by their dates."""
    if day is None:
        return Window(schedule.first_months)
    return Window(max(schedule.first_months, months_since(max(day, OLDEST_DAY) - BOOKED_BEFORE, today)))
