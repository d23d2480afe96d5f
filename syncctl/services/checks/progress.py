"""How far the locations of each report have been synced, which synclogs can't tell of a narrow run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.steps import StepName
from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.services.sync.planning import CLOCK_TOLERANCE, ids_to_ask, location_order, locations_to_ask

REPORTS = (StepName.BOOKING, StepName.RETURN)


@dataclass(frozen=True, slots=True)
class Progress:
    """The locations of one report that are still asked for, by number. `awake`: those that aren't dormant,
    with an empty state where the store list names one that has none. `listed`: whom the store list names.
    `synced`: whether there is any state at all."""

    awake: tuple[LocationState, ...]
    dormant: int
    listed: frozenset[str]
    synced: bool

    @property
    def rests(self) -> bool:
        """Whether all of its locations are dormant: then their watermarks say nothing of the last run."""
        return self.synced and not self.awake

    def reached(self, now: datetime) -> datetime | None:
        """How far the better half of the locations is at least; None: most were never synced.

        One that is only in locations.toml counts once it has been synced.
        """
        marks = [
            watermark(state, now) for state in self.awake if state.watermark or state.location in self.listed
        ]
        known = sorted(mark for mark in marks if mark)
        place = len(marks) // 2 - (len(marks) - len(known))
        return known[place] if marks and place >= 0 else None


def watermark(state: LocationState, now: datetime) -> datetime | None:
    """How far a location is; None: never synced, or so far ahead that a wrong clock set it."""
    mark = state.watermark
    return mark if mark and mark - now <= CLOCK_TOLERANCE else None


def report_progress(database: Database, locations: Locations) -> Mapping[StepName, Progress]:
    """For each report. Raises StorageError."""
    store_list = database.store_list()
    stores = locations_to_ask(store_list, locations, ())
    dialects = database.dialects()
    progress = {}
    for report in REPORTS:
        asked = ids_to_ask(stores, dialects.get(report, Dialect(report)))
        listed = frozenset(store_list.keys() & asked.keys())
        progress[report] = _progress(database.location_states(report), asked, listed)
    return progress


def _progress(
    states: Mapping[str, LocationState], asked: Mapping[str, str | None], listed: frozenset[str]
) -> Progress:
    kept = {code: state for code, state in states.items() if code in asked}
    kept |= {code: LocationState(code) for code in listed if code not in kept}
    awake = [state for state in kept.values() if not state.dormant]
    return Progress(
        awake=tuple(sorted(awake, key=lambda state: location_order(state.location))),
        dormant=len(kept) - len(awake),
        listed=listed,
        synced=any(code in asked for code in states),
    )
