"""Decides which locations a report is asked for, and how far back.

Windows are whole months, until a narrower window is proven to return everything recent (`dialects.Dialect`).
Where only certain days are wanted, their rows are picked from the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect, Mode
from syncctl.domain.requests import (
    OLDEST_DAY,
    Days,
    Window,
    covered_from,
    months_before,
    months_since,
    widened,
)
from syncctl.domain.shards import Shard
from syncctl.domain.sources import MAX_BOOKING_ADVANCE
from syncctl.errors import UsageError
from syncctl.services.sync.asked_locations import ids_to_ask, location_order

DORMANT_PERIOD = timedelta(days=1)
"""How long a location without any data is not asked."""

CLOCK_TOLERANCE = timedelta(days=1)
"""A watermark further ahead than this was set by a wrong clock and says nothing about the data."""

DOUBT_PERIOD = timedelta(days=2)
"""How long an API must repeat a suspicious answer before it is believed."""

MAX_NARROW_SPAN = timedelta(days=26)
"""Narrower windows are measured for recent days only: a window that must reach back further, after an
outage, is whole."""


class SyncOptions(NamedTuple):
    """Options from the command line."""

    full: bool = False
    date_from: date | None = None
    """With `date_to`, a backfill: both or neither."""

    date_to: date | None = None
    locations: tuple[str, ...] = ()
    shard: Shard | None = None
    """Only the locations of this part."""

    @property
    def is_backfill(self) -> bool:
        return self.date_from is not None

    @property
    def covers_everything(self) -> bool:
        """Whether nothing is left out: neither locations nor days. A part of the locations is all that is
        asked of its host."""
        return not self.locations and not self.is_backfill


class WindowSettings(NamedTuple):
    """The settings that decide windows."""

    first_months: int
    """Months of a whole window."""

    business_zone: tzinfo
    """The time zone whose days count."""

    incremental_days: int = 7
    """How far before its watermark a location is asked again."""

    audits: int = 0
    """How many locations a run asks for their whole window in addition."""


class Plan(NamedTuple):
    """What one report will be asked."""

    windows: dict[str, Window]
    """By location, in the order of the calls."""

    dormant: int
    """How many dormant locations are skipped this time."""


class Planner:
    """Decides the windows of one run, which began at `started_at`. Raises UsageError: a backfill that ends
    before it begins."""

    def __init__(self, window_settings: WindowSettings, options: SyncOptions, started_at: datetime) -> None:
        self._window_settings = window_settings
        self._options = options
        self.started_at = started_at
        self.zone = window_settings.business_zone
        self.today = self._day(started_at)
        """The business's date when the run began."""
        self.is_backfill = options.is_backfill
        """Whether certain days are asked for."""
        self.is_ordinary = options.covers_everything
        """Whether the run asks all locations for whatever is new."""
        if options.date_from is not None and options.date_from > (options.date_to or self.today):
            raise UsageError(f"--from {options.date_from} is after {options.date_to or 'today'}.")

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    @property
    def days(self) -> Days | None:
        """The days whose rows are wanted; None: all."""
        if self._options.date_from is None:
            return None
        return Days(self._options.date_from, self._options.date_to or self.today)

    @property
    def whole_days(self) -> Days:
        """The days of a whole window."""
        return Days(months_before(self.today, self._window_settings.first_months), self.today)

    @property
    def window(self) -> Window:
        """The window that covers everything, wherever the watermark is."""
        return window_reaching(self._options.date_from, self._window_settings, self.today)

    @property
    def covered_from(self) -> date:
        """The first day that is certainly in `window`, however the API counts months."""
        return covered_from(self.window, self.today)

    @property
    def due_again_from(self) -> date:
        """Rows of that day or later will be in every answer for the next DOUBT_PERIOD."""
        return self.covered_from + DOUBT_PERIOD

    def ids_to_ask(self, stores: Mapping[str, str | None], dialect: Dialect) -> Mapping[str, str | None]:
        """The location ids to ask a report for, each with its store. If only an empty id is answered, the
        others are asked only if chosen, or in a full run."""
        if self._options.locations:
            return stores
        asked = {**ids_to_ask(stores, dialect), **(stores if self._options.full else {})}
        return {location: store for location, store in asked.items() if self.has(location)}

    def has(self, location: str) -> bool:
        """Whether a location belongs to the part that this run syncs."""
        return self._options.shard is None or self._options.shard.has(location)

    @property
    def keeps_dialects(self) -> bool:
        """Whether this run writes how the reports answer: of runs that share the locations only one does, as
        each would overwrite what another has found out."""
        return self._options.shard is None or self._options.shard.number == 1

    @property
    def asks_all_locations(self) -> bool:
        """Whether no locations were chosen, and the empty id falls to this run."""
        return not self._options.locations and self.has("")

    def plan(self, codes: Iterable[str], states: Mapping[str, LocationState], dialect: Dialect) -> Plan:
        """A window for each location that is due. Those tried longest ago come first, so that runs cut
        short by their deadline don't always miss the same locations, and one that hangs can't delay the
        others every time."""
        all_states = [states.get(code, LocationState(code)) for code in codes]
        due = [state for state in all_states if not self._is_skipped(state)]
        due.sort(key=self._due_order)
        return Plan(
            windows={state.location: self._window(state, dialect) for state in due},
            dormant=len(all_states) - len(due),
        )

    def _is_skipped(self, state: LocationState) -> bool:
        if not state.dormant or state.answered_at is None:
            return False
        lately = timedelta(0) <= self.started_at - state.answered_at < DORMANT_PERIOD
        return lately and self.is_ordinary and not self._options.full

    def whole_window(self, dialect: Dialect) -> Window:
        """The whole window, in the body that the report accepts."""
        return self.window._replace(form=dialect.whole_form)

    def _window(self, state: LocationState, dialect: Dialect) -> Window:
        """The narrower window that the dialect allows, otherwise the whole one, extended to the watermark
        after a longer outage."""
        whole, watermark = self.whole_window(dialect), state.watermark
        if self.is_backfill or watermark is None or self._is_ahead(watermark):
            return whole
        since = self.recheck_from(watermark)
        in_doubt = self._options.full or state.dormant or state.doubted_since is not None
        if in_doubt or dialect.mode is Mode.WHOLE or self.today - since > MAX_NARROW_SPAN:
            return whole._replace(months=max(whole.months, months_since(self._day(watermark), self.today)))
        if dialect.mode is Mode.MONTHS:
            return Window(dialect.months, form=dialect.form)
        return Window(days=widened(Days(since, self.today)), form=dialect.form)

    def _is_ahead(self, moment: datetime) -> bool:
        """Whether a time from an earlier run was set by a wrong clock."""
        return moment > self.started_at + CLOCK_TOLERANCE

    def recheck_from(self, watermark: datetime) -> date:
        """The first of the days that are asked for again."""
        synced = max(min(self._day(watermark), self.today), OLDEST_DAY)
        return synced - timedelta(days=self._window_settings.incremental_days)

    def is_whole(self, window: Window) -> bool:
        """Whether the window asks for everything."""
        return window.days is None and window.months >= self._window_settings.first_months

    def audits(
        self,
        codes: Iterable[str],
        states: Sequence[Mapping[str, LocationState]],
        asked: Sequence[Collection[str]],
    ) -> list[str]:
        """The locations to audit: those whose last audit is longest ago first, dormant ones too; after a
        failure, others come first. `states`: of each report; `asked`: the locations that each report asks
        for everything in this run anyway."""
        if not self.is_ordinary:
            return []

        def last_audits(code: str) -> list[float]:
            reports = zip(states, asked, strict=True)
            return [self._last_audit(kept.get(code)) for kept, whole in reports if code not in whole]

        last_turns = {code: min(found) for code in codes if (found := last_audits(code))}
        in_turn = sorted(last_turns, key=lambda code: (last_turns[code], location_order(code)))
        return in_turn[: self._window_settings.audits]

    def _last_audit(self, state: LocationState | None) -> float:
        """When a location was last audited, as `_latest` returns it."""
        return self._latest(state.audited_at, state.audit_tried_at) if state is not None else 0.0

    def _due_order(self, state: LocationState) -> tuple[float, bool, tuple[int, str]]:
        """Sort key: those tried longest ago first; among those tried together, failed ones last."""
        failed = state.tried_at is not None and state.tried_at != state.watermark
        return self._latest(state.tried_at), failed, location_order(state.location)

    def _latest(self, *moments: datetime | None) -> float:
        """The latest of these times, in seconds; 0: none. A time in the future was set by a clock that was
        ahead and is ignored, so that no location has to wait for it."""
        known = (at.timestamp() for at in moments if at is not None and at <= self.started_at)
        return max(known, default=0.0)


def window_reaching(day: date | None, window_settings: WindowSettings, today: date) -> Window:
    """A whole window, or a longer one that contains everything dated that day or later, and the bookings
    of those returns, as the API may count months by their dates."""
    if day is None:
        return Window(window_settings.first_months)
    return Window(
        max(window_settings.first_months, months_since(max(day, OLDEST_DAY) - MAX_BOOKING_ADVANCE, today))
    )
