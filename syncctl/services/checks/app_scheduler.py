"""Looks for traces of the web app's own scheduler, which syncs the same API and inserts finished leads
again (contract/database.md). Covers only the time since syncctl's first known run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import merge
from typing import NamedTuple

from syncctl.domain.checks import Finding
from syncctl.domain.identity import derived_id, id_time
from syncctl.domain.lead_values import Document
from syncctl.domain.sources import API_LEAD_TYPES, API_STEPS
from syncctl.locations import Locations
from syncctl.ports.admin import Database, RunSpan
from syncctl.ports.machine import LockState
from syncctl.services.batching import batched
from syncctl.services.checks.freshness import ago, span
from syncctl.services.checks.log_attribution import entries_of_others
from syncctl.services.checks.severity import Trouble
from syncctl.services.matching.legacy_leads import stored_key, text_of
from syncctl.services.run import HISTORY_RETENTION
from syncctl.services.sync.planning import CLOCK_TOLERANCE
from syncctl.text import quantity

APP_SCHEDULER = "Web app's scheduler"
FRESH_FOR = timedelta(hours=24)
"""A trace younger than this means that it is still running."""

ENTRIES_BACK = timedelta(days=7)
"""`synclogs` has hundreds of entries a day, each of which is held against the runs. Older ones would change
nothing: only leads have to be cleaned up after it is off."""

LONGEST_RUN = timedelta(days=1)
"""A run that began this long before an entry may still have written it."""

_KEY_FIELDS = ("leadType", "phone", "bookingNo", "name", "store")
_TOGETHER = 1000

SWITCH_OFF = "set API_SYNC_ENABLED=false (exactly so, lower case) in its environment"


class AppTraces(NamedTuple):
    """Traces of the web app's scheduler."""

    since: datetime
    """The start of the time searched."""

    entries: int = 0
    """`synclogs` entries written by another system, within ENTRIES_BACK."""

    last_entry: datetime | None = None
    """When the last of them was written."""

    leads: int = 0
    """Bookings and returns in `leads` that another system stored."""

    last_lead: datetime | None = None
    """When the last of them was stored."""

    @property
    def last(self) -> datetime | None:
        """The time of the last trace; None: there is none."""
        return max(filter(None, (self.last_entry, self.last_lead)), default=None)

    def fresh(self, now: datetime) -> bool:
        """Whether it seems to be still running."""
        return self.last is not None and now - self.last < FRESH_FOR


def find_traces(
    database: Database,
    locations: Locations,
    lock: LockState,
    now: datetime,
    back: timedelta = HISTORY_RETENTION,
) -> AppTraces | None:
    """The traces since the first run in syncctl's history, at most `back`; None: there is no history.
    `lock`: the run that holds it has written entries, but isn't in the history yet. Raises StorageError."""
    first_run = database.first_run_at(API_STEPS)
    if first_run is None:
        return None
    since, until = max(first_run, now - back), now + CLOCK_TOLERANCE
    entries_since = max(since, now - ENTRIES_BACK)
    runs: Iterable[RunSpan] = database.run_spans(entries_since - LONGEST_RUN)
    if lock.held and lock.since:
        under_way = RunSpan(lock.since, now, API_STEPS)
        runs = merge(runs, [under_way], key=lambda run: run.started_at)
    entries = entries_of_others(database.sync_logs(entries_since, until), list(runs))
    leads, last_lead = 0, None
    for made_at in _leads_of_others(database, locations, since, until):
        leads += 1
        last_lead = max(last_lead or made_at, made_at)
    return AppTraces(
        since, len(entries), max((entry.at for entry in entries), default=None), leads, last_lead
    )


def _leads_of_others(
    database: Database, locations: Locations, since: datetime, until: datetime
) -> Iterator[datetime]:
    """When each booking or return was stored that syncctl neither stored nor knows.

    A lead of syncctl's has a derived id, whose time means nothing: it has a record, or, if a run was killed
    in between, the id of its own key. A lead without a booking number may be typed by hand.
    """
    found = database.leads_by_age(since, until, API_LEAD_TYPES, _KEY_FIELDS)
    for leads in batched(found, _TOGETHER):
        recorded = database.recorded_leads([lead["_id"] for lead in leads])
        for lead in leads:
            if lead["_id"] not in recorded and _is_synced(lead, locations):
                made_at = id_time(lead["_id"])
                if made_at is not None:
                    yield made_at


def _is_synced(lead: Document, locations: Locations) -> bool:
    """Whether another system's sync stored it."""
    return text_of(lead, "bookingNo") != "" and lead["_id"] != derived_id(stored_key(lead, locations))


def check_app_scheduler(traces: AppTraces | None, now: datetime) -> Iterator[Finding]:
    """Whether it is still running; no finding before syncctl's first run."""
    if traces is None:
        return
    if traces.last is None:
        yield Finding.passed(APP_SCHEDULER, _nothing(now - traces.since))
    elif traces.fresh(now):
        yield Trouble.OTHER_SCHEDULER.found(
            APP_SCHEDULER,
            f"it still syncs the same API, and brings back finished and deleted leads: {_words(traces, now)}",
            f"In the web app, {SWITCH_OFF} (its host's settings), then restart it. Where both read one .env, "
            "syncctl's own API_SYNC_ENABLED belongs in .env.local, which the app does not read.",
        )
    elif traces.leads:
        yield Finding.warning(
            APP_SCHEDULER,
            f"off for the last 24 hours; before: {_words(traces, now)}",
            "`syncctl cleanup finished` and `syncctl cleanup duplicates` show what to remove.",
        )
    else:
        yield Finding.passed(APP_SCHEDULER, f"off for the last 24 hours; before: {_words(traces, now)}")


def scheduler_reason(traces: AppTraces | None, now: datetime) -> str:
    """The reason for `status`; "" unless it is still running."""
    if traces is None or traces.last is None or not traces.fresh(now):
        return ""
    return (
        f"The web app still syncs the API by itself, last seen {ago(traces.last, now)}, and brings finished "
        f"leads back: {SWITCH_OFF} (`syncctl verify sync` says more)."
    )


def _nothing(searched: timedelta) -> str:
    if searched <= ENTRIES_BACK:
        return f"no trace of it in the last {span(searched)}"
    entries = f"no synclogs entry in the last {span(ENTRIES_BACK)}"
    return f"no lead of its own in the last {span(searched)}, {entries}"


def _words(traces: AppTraces, now: datetime) -> str:
    parts = []
    if traces.leads and traces.last_lead:
        parts.append(f"{quantity(traces.leads, 'lead')} of its own, the last {ago(traces.last_lead, now)}")
    if traces.entries and traces.last_entry:
        entries = quantity(
            traces.entries, "synclogs entry that no run wrote", "synclogs entries that no run wrote"
        )
        parts.append(f"{entries}, the last {ago(traces.last_entry, now)}")
    return "; ".join(parts)
