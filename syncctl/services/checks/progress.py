"""How far the locations of each report are synced, which synclogs don't show for runs of a few locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.sources import REPORT_STEPS, StepName
from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.services.sync.asked_locations import ids_to_ask, location_order, locations_to_ask
from syncctl.services.sync.planning import CLOCK_TOLERANCE


@dataclass(frozen=True, slots=True)
class Progress:
    """The locations of one report that are still asked, in numerical order."""

    active: tuple[LocationState, ...]
    """Those that are not dormant, with an empty state for listed locations that have none."""

    dormant: int
    """How many are dormant."""

    listed: frozenset[str]
    """The locations in the store list."""

    synced: bool
    """Whether there is any state at all."""

    @property
    def all_dormant(self) -> bool:
        """Whether all of its locations are dormant: then their watermarks don't show the last run."""
        return self.synced and not self.active

    def reached(self, now: datetime) -> datetime | None:
        """The time up to which at least half of the locations are synced; None: most were never synced.

        Locations that are only in locations.toml count once they have been synced.
        """
        marks = [
            watermark(state, now) for state in self.active if state.watermark or state.location in self.listed
        ]
        known = sorted(mark for mark in marks if mark)
        place = len(marks) // 2 - (len(marks) - len(known))
        return known[place] if marks and place >= 0 else None


def watermark(state: LocationState, now: datetime) -> datetime | None:
    """A location's watermark; None: never synced, or so far ahead that a wrong clock set it."""
    mark = state.watermark
    return mark if mark and mark - now <= CLOCK_TOLERANCE else None


def report_progress(database: Database, locations: Locations) -> Mapping[StepName, Progress]:
    """The progress of each report. Raises StorageError."""
    store_list = database.store_list()
    stores = locations_to_ask(store_list, locations, ())
    dialects = database.dialects()
    progress = {}
    for report in REPORT_STEPS:
        asked = ids_to_ask(stores, dialects.get(report, Dialect(report)))
        listed = frozenset(store_list.keys() & asked.keys())
        progress[report] = _progress(database.location_states(report), asked, listed)
    return progress


def _progress(
    states: Mapping[str, LocationState], asked: Mapping[str, str | None], listed: frozenset[str]
) -> Progress:
    kept = {code: state for code, state in states.items() if code in asked}
    kept |= {code: LocationState(code) for code in listed if code not in kept}
    active = [state for state in kept.values() if not state.dormant]
    return Progress(
        active=tuple(sorted(active, key=lambda state: location_order(state.location))),
        dormant=len(kept) - len(active),
        listed=listed,
        synced=any(code in asked for code in states),
    )
