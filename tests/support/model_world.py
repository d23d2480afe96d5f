"""Syncs of a modelled API into an in-memory database with simulated clocks: many per second."""

import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.requests import ReportRequest
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import Trigger
from syncctl.locations import Locations
from syncctl.ports.storage import Storage
from syncctl.services.run import Clock, Run, RunRequest
from syncctl.services.sync.api_sync import ApiSync
from syncctl.services.sync.planning import SyncOptions, WindowSettings
from syncctl.storage.dry_run import DryRunStorage
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.support.api_model import INDIA, ModelApi, Row
from tests.support.world import API, Recorder

TODAY = date(2026, 3, 11)
CODES = ("11", "12", "13", "14", "15")
STORES = {code: f"Zorucci - Place {code}" for code in CODES}
REPORTS = (StepName.BOOKING, StepName.RETURN)
FIVE_MINUTES = timedelta(minutes=5)

_open_worlds: weakref.WeakSet["ModelWorld"] = weakref.WeakSet()


def close_worlds() -> None:
    """Close the databases of all worlds, in the thread that opened them. The garbage collector would close
    those that a test's own hook keeps in a cycle, in whichever thread it happens to run."""
    for world in list(_open_worlds):
        world.storage.close()


class ModelWorld:
    """Five locations, the last of which is empty unless a test books there. `clock_error`: how far
    syncctl's clock is ahead."""

    def __init__(self, *, audits: int = 2) -> None:
        self.now = datetime.combine(TODAY, time(11), INDIA)
        me = weakref.proxy(self)  # no cycle: of thousands in a test each is closed as soon as it is let go of
        self.api = ModelApi(today=lambda: me.today, books={code: [] for code in CODES})
        self.storage = SqliteStorage(None)
        self.storage.prepare()
        weakref.finalize(self, self.storage.close)
        _open_worlds.add(self)
        self.schedule = WindowSettings(12, INDIA, audits=audits)
        self.locations = Locations.from_tables(STORES, {"Zorucci": ["Z"]}, {})
        self.recorder = Recorder()
        self.clock_error = timedelta(0)
        self._booked = 0

    @property
    def today(self) -> date:
        return self.now.astimezone(INDIA).date()

    # The source.

    def book(self, code: str, on: date, *, delivered_after: int = 5, returned: date | None = None) -> Row:
        """A booking of that day, at its own minute."""
        self._booked += 1
        number = self._booked
        moment = datetime.combine(on, time(10)) + timedelta(seconds=number)
        delivered = moment + timedelta(days=delivered_after)
        row: Row = {
            "bookingNo": f"{code}{number:06}",
            "customerName": f"Customer {number}",
            "phoneNo": f"9{number:09}",
            "location": STORES[code],
            "bookingDate": moment.isoformat(),
            "deliveryDate": delivered.isoformat(),
            "expectedReturnDate": (delivered + timedelta(days=3)).isoformat(),
            "returnDate": None,
        }
        self.api.books[code].append(row)
        if returned is not None:
            self.give_back(row, returned)
        return row

    def give_back(self, row: Row, on: date) -> None:
        row["returnDate"] = datetime.combine(on, time(12)).isoformat()

    def fill(self, codes: tuple[str, ...] = CODES[:4]) -> None:
        """Data that reveals every dialect: a booking every other day, each with a return."""
        for number, code in enumerate(codes):
            for ago in range(number % 2, 120, 2):
                booked = self.today - timedelta(days=ago)
                returned = booked + timedelta(days=(12, 31, 59)[ago // 2 % 3])
                self.book(code, booked, returned=returned if returned <= self.today else None)

    # Runs.

    def run(
        self,
        steps: tuple[StepName, ...] = API,
        *,
        after: timedelta = FIVE_MINUTES,
        wrap: Callable[[Storage], Storage] = lambda storage: storage,
        measures: bool = True,
        dry_run: bool = False,
        deadline_s: float = 240.0,
        **options: Any,
    ) -> RunResult:
        """One run, `after` the previous one. Options are SyncOptions' fields."""
        self.now += after
        self.api.asked.clear()
        self.recorder = Recorder()
        port = DryRunStorage(self.storage) if dry_run else wrap(self.storage)
        request = RunRequest("api", steps, Trigger.AUTO, dry_run)
        clock = Clock(lambda: self.now + self.clock_error, lambda: self.api.clock, lambda after: after, INDIA)
        chosen = SyncOptions()._replace(**options)
        sync = ApiSync(self.api, self.locations, steps, self.schedule, deadline_s, chosen, measures)
        return Run(request, port, self.recorder, clock).execute([sync])

    def run_a_round(self) -> None:
        """As many runs as needed to audit each location once."""
        for _ in range(-(-len(CODES) // self.schedule.audits)):
            self.run()

    # Results.

    def dialect(self, report: StepName) -> Dialect:
        return self.storage.dialects().get(report, Dialect(report))

    def mode(self, report: StepName) -> str:
        """The report's mode in a word: "whole", "3 months" or "dates"."""
        known = self.dialect(report)
        return f"{known.months} months" if known.mode.value == "months" else known.mode.value

    def state(self, report: StepName, code: str) -> LocationState:
        return self.storage.location_states(report).get(code, LocationState(code))

    def asked(self, report: StepName) -> list[ReportRequest]:
        return [request for request in self.api.asked if request.report is report]

    def calls(self) -> Counter[str]:
        """The number of calls in the last run, by report and kind of window."""
        kinds = Counter[str]()
        for request in self.api.asked:
            window = request.window
            asked = "days" if window.days else f"{window.months} months"
            kinds[f"{request.report}: {asked}"] += 1
        return kinds

    def numbers(self, report: StepName) -> set[str]:
        """The booking numbers of all records of a report."""
        with self._records(report) as records:
            return {entry.record.values["bookingNo"] for entry in records}

    @contextmanager
    def _records(self, report: StepName) -> Iterator[Any]:
        yield [entry for code in CODES for entry in self.storage.scan_records(report.value, code)]
