"""The reader's clock: moments as people read them on a screen. JSON, logs and cron lines stay UTC."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import NamedTuple

from syncctl.text import time_ago


class Clock(NamedTuple):
    """Shows moments in one time zone, as seen from one moment."""

    zone: tzinfo
    """The business's (API_BUSINESS_TIMEZONE)."""

    now: datetime
    """When the screen is made; aware."""

    @property
    def zone_name(self) -> str:
        """`IST`: for a title over moments that `short` shows."""
        return self.now.astimezone(self.zone).tzname() or "UTC"

    @property
    def today(self) -> date:
        """The day there."""
        return self.now.astimezone(self.zone).date()

    def moment(self, moment: datetime) -> str:
        """`today 03:20 IST`, `yesterday 21:05 IST`, `tomorrow 00:10 IST`, `26 Nov 03:20 IST`, and with the
        year where that is another one."""
        there = moment.astimezone(self.zone)
        return f"{self._day(there)} {there:%H:%M} {there.tzname()}"

    def short(self, moment: datetime) -> str:
        """Like `moment`, without the zone: for a column whose title names it."""
        there = moment.astimezone(self.zone)
        return f"{self._day(there)} {there:%H:%M}"

    def time(self, moment: datetime) -> str:
        """`03:20 IST` where that is today's; else like `moment`."""
        there = moment.astimezone(self.zone)
        if there.date() != self.now.astimezone(self.zone).date():
            return self.moment(moment)
        return f"{there:%H:%M} {there.tzname()}"

    def ago(self, moment: datetime) -> str:
        """`just now`, `5 min ago`, `3 h ago`, `2 days ago`; `in 5 min` for what is to come."""
        return time_ago((self.now - moment).total_seconds())

    def _day(self, there: datetime) -> str:
        today = self.now.astimezone(self.zone).date()
        near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((there.date() - today).days)
        if near:
            return near
        return f"{there.day} {there:%b}" + ("" if there.year == today.year else f" {there.year}")
