"""The week: a run every five minutes, business between and during runs, and problems."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from syncctl.domain.sources import StepName
from syncctl.locations import Locations, load_locations
from syncctl.sandbox import Fault, Sandbox
from syncctl.storage.registry import open_storage
from tests.soak.business import Business
from tests.soak.figures import Figures, sizes
from tests.soak.promises import BROKEN, GROWN, PROMISES, UNBALANCED, Promises
from tests.soak.worker import Ended, RunOrder, Worker, WorkerSetup
from tests.support.disks import Disk, NoDiskError, disk
from tests.support.mongod import ReplicaSet, replica_set, with_database
from tests.support.webapp import open_app
from tests.support.world import KOLKATA

BEGIN = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
"""A Monday, ten o'clock at the business."""

EVERY = timedelta(minutes=5)
A_WEEK = 2016
OPEN_HOURS = range(10, 20)
NIGHTLY_FULL = (3, 0)
SHOPS, DORMANT = 6, "100"
"""How many locations the store list has, and an old id that answers nothing."""

EARLIER_BOOKINGS, EARLIER_DAYS = 150, 330
RUNS_TO_AN_IMPORT = 30
RUNS_TO_A_LOOK = 12
STORAGE_CALLS = 25
PLENTY, ALMOST_NOTHING = 512 * 1024**2, 8192

KINDS = {"walkin": StepName.WALKIN, "lossofsale": StepName.LOSS_OF_SALE}

OUTAGES = (
    ("503", 48),
    ("reset", 36),
    ("500@return", 30),
    ("html@booking:144", 30),
    ("no-data@booking:7", 24),
    ("cut=0.3", 24),
    ("429", 12),
)
"""What the API does, and for how many runs of the week."""

OUTAGE = "outage"

CLOCK_STEPS = (
    (timedelta(minutes=-90), 18),
    (timedelta(hours=20), 12),
    (timedelta(days=400), 3),
)
RESTARTS = 7
"""Of the database server between two runs, and as many in the midst of one."""

RUNS_ON_A_FULL_DISK = 12
SETTLED = 0.85
"""After this part of the week no problem begins or continues, so that everything has arrived by its end."""

MEMORY_MAY_GROW, FILES_MAY_GROW, FILES_OF_SQLITE = 1.25, 5, 3
MOST_ITEMS = 4
"""Rows of one booking of the sandbox's."""


@dataclass(frozen=True)
class Database:
    """A database for the week."""

    name: str
    url: str
    folder: Path

    replicas: ReplicaSet | None = None
    """Its servers."""

    disk: Disk | None = None
    """Its small disk."""

    no_disk: str = ""
    """Why it has no disk of its own."""


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """A database file, on a disk of its own where one can be mounted."""
    data = folder / "data"
    data.mkdir()
    with ExitStack() as stack:
        try:
            small = stack.enter_context(disk(data / "disk", PLENTY))
        except NoDiskError as error:
            yield Database("SQLite", f"sqlite:///{data / 'syncctl.db'}", data, no_disk=str(error))
            return
        yield Database("SQLite", f"sqlite:///{small.folder / 'syncctl.db'}", data, disk=small)


@contextmanager
def replicas(folder: Path) -> Iterator[Database]:
    """A replica set of three. Raises NoMongodError where there is no MongoDB."""
    data = folder / "data"
    data.mkdir()
    with replica_set() as servers:
        url = with_database(servers.uri, "syncctl_soak")
        yield Database("replica set", url, data, servers, no_disk="left out")


DATABASES = {"sqlite": sqlite, "replica-set": replicas}


@dataclass
class Trouble:
    """A problem during some runs."""

    name: str
    first: int
    runs: int

    begin: Callable[[], object] = lambda: None
    """Called before the first of them."""

    end: Callable[[], object] = lambda: None
    """Called after the last."""

    midway: Callable[[], object] = lambda: None
    """Called in the middle of the first."""

    @property
    def after(self) -> int:
        return self.first + self.runs


class Week:
    """Plays a week of `runs` runs on its own database; must be closed."""

    def __init__(self, database: Database, folder: Path, *, runs: int = A_WEEK, seed: int = 1) -> None:
        self.database = database
        self.runs = runs
        self.figures = Figures(database.name, database.no_disk)
        self._folder = folder
        self._chance = Random(seed)  # noqa: S311 - no secret
        today = (BEGIN + EVERY * runs).astimezone(KOLKATA).date()
        tables = load_locations()
        with ExitStack() as stack:
            self._sandbox = stack.enter_context(Sandbox(seed=seed, locations=SHOPS, bookings=0, today=today))
            codes = [*self._sandbox.locations, DORMANT]
            stores = {code: tables.by_code[code] for code in codes}
            with_tables = open_storage(database.url)
            with_tables.prepare()
            with_tables.close()
            app = open_app(database.url)
            stack.callback(app.close)
            shops = {code: stores[code] for code in self._sandbox.locations}
            self.business = Business(self._sandbox, app, shops, self._chance)
            locations = Locations(stores, tables.brands, tables.places)
            port = int(self._sandbox.base_url.rpartition(":")[2])
            self._worker = Worker(WorkerSetup(database.url, port, today, locations, database.folder))
            stack.callback(self._worker.end)
            self._open = stack.pop_all()
        self.promises = Promises(self.business)
        self._faults: list[Fault] = []
        self._clock_step = timedelta()
        self._disk_is_full = False
        self._troubles = self._planned()

    def close(self) -> None:
        self._open.close()

    def play(self) -> None:
        """From Monday to Sunday, and a full run at the end."""
        self._earlier()
        for number in range(self.runs):
            self._play_one(number)
            if number % (A_WEEK // 7) == 0:
                sys.stderr.write(
                    f"{self.database.name}: run {number}, {self.promises.wrong or 'all right'}\n"
                )
        self._end()

    # Before it.

    def _earlier(self) -> None:
        """Bookings of nearly a year, half of them returned, which the first run finds."""
        for number in range(EARLIER_BOOKINGS):
            self.business.book(BEGIN, self._chance.randrange(1, EARLIER_DAYS))
            if number % 2:
                self.business.give_back(BEGIN)

    def _planned(self) -> list[Trouble]:
        """The problems, each at its own time; they may overlap."""
        planned = [self._outage(written, runs) for written, runs in OUTAGES]
        planned += [self._step(step, runs) for step, runs in CLOCK_STEPS]
        if self.database.replicas is not None:
            for _ in range(max(1, self._scaled(RESTARTS))):
                planned += [self._restart(), self._restart(in_midst=True)]
        if self.database.disk is not None:
            planned.append(self._full_disk(self.database.disk))
        return planned

    def _scaled(self, of_a_week: int) -> int:
        return round(of_a_week * self.runs / A_WEEK)

    def _at_some_time(self, name: str, runs: int) -> Trouble:
        length = max(1, self._scaled(runs))
        latest = int(self.runs * SETTLED) - length
        return Trouble(name, self._chance.randrange(3, max(4, latest)), length)

    def _outage(self, written: str, runs: int) -> Trouble:
        trouble, fault = self._at_some_time(OUTAGE, runs), Fault.parse(written)
        trouble.begin = lambda: self._set_faults([*self._faults, fault])
        trouble.end = lambda: self._set_faults([each for each in self._faults if each is not fault])
        return trouble

    def _set_faults(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._sandbox.set_faults(*faults)

    def _step(self, step: timedelta, runs: int) -> Trouble:
        trouble = self._at_some_time("clock step", runs)

        def move(by: timedelta) -> None:
            self._clock_step += by
            self.figures.counts["clock steps"] += 1

        trouble.begin, trouble.end = lambda: move(step), lambda: move(-step)
        return trouble

    def _restart(self, *, in_midst: bool = False) -> Trouble:
        servers = self.database.replicas
        assert servers is not None

        def kill() -> None:
            servers.primary().kill()
            self.figures.counts[f"restarts {'in a run' if in_midst else 'between runs'}"] += 1

        def restart() -> None:
            kill()
            servers.restart_dead()

        trouble = self._at_some_time("restart", 1)
        if in_midst:
            trouble.midway, trouble.end = kill, servers.restart_dead
        else:
            trouble.begin = restart
        return trouble

    def _full_disk(self, small: Disk) -> Trouble:
        trouble = self._at_some_time("full disk", RUNS_ON_A_FULL_DISK)

        def fill() -> None:
            small.resize(small.used + ALMOST_NOTHING)
            self._disk_is_full = True
            self.figures.counts["full disks"] += 1

        def empty() -> None:
            small.resize(PLENTY)
            self._disk_is_full = False

        trouble.begin, trouble.end = fill, empty
        return trouble

    # In it.

    def _play_one(self, number: int) -> None:
        true_now = BEGIN + EVERY * number
        at_business = true_now.astimezone(KOLKATA)
        is_open = at_business.hour in OPEN_HOURS
        active = [each for each in self._troubles if each.first <= number < each.after]
        for trouble in active:
            if trouble.first == number:
                trouble.begin()
        if is_open:
            self._go_on(true_now)
        restarts = [each.midway for each in active if each.first == number]
        goes_on = is_open and self._chance.random() < 0.3

        def midway() -> None:
            if goes_on:
                self._go_on(true_now)
            for restart in restarts:
                restart()

        order = RunOrder(
            true_now + self._clock_step,
            stop_at=self._chance.randint(1, STORAGE_CALLS),
            full=(at_business.hour, at_business.minute) == NIGHTLY_FULL,
        )
        self._run(number, order, midway, active)
        for trouble in active:
            if trouble.after == number + 1:
                trouble.end()
        if is_open and number % RUNS_TO_AN_IMPORT == 0 and not self._disk_is_full:
            self.business.visit(true_now)
            self._import(number, order)
        if not self._disk_is_full and (active or number % RUNS_TO_A_LOOK == 0):
            self.promises.check(f"run {number}")

    def _run(self, number: int, order: RunOrder, midway: Callable[[], None], active: list[Trouble]) -> None:
        self.business.in_run = True
        ended = self._worker.run(order, midway)
        self.business.in_run = False
        counts = self.figures.counts
        counts["runs"] += 1
        if any(each.name == OUTAGE for each in active):
            counts["outage minutes"] += EVERY // timedelta(minutes=1)
        self._keep(number, ended)
        if active:
            counts["failed as expected"] += bool(ended.error)
            return
        self.figures.seconds.append(ended.seconds)
        if ended.error:
            self.promises.note(BROKEN, number, f"run {number}: {ended.error}")
        else:
            self.business.runs += 1

    def _keep(self, number: int, ended: Ended) -> None:
        quarter = self.figures.quarters[min(number * 4 // self.runs, 3)]
        quarter.peak_kb = max(quarter.peak_kb, ended.peak_kb)
        quarter.open_files = max(quarter.open_files, ended.open_files)
        if not ended.balanced:
            self.promises.note(UNBALANCED, number, f"run {number}")

    def _import(self, number: int, order: RunOrder) -> None:
        for kind, files in self.business.write_files(self._folder).items():
            ended = self._worker.run(RunOrder(order.now, kind=KINDS[kind], files=tuple(files)))
            self._keep(number, ended)
            self.figures.counts["imports"] += 1
            if ended.error:
                self.promises.note(BROKEN, (number, kind), f"import after run {number}: {ended.error}")
        for file in self.business.files:
            self.business.imported(file)

    def _go_on(self, at: datetime) -> None:
        """Five minutes of business."""
        business, rng = self.business, self._chance
        for happens, often in (
            (lambda: business.book(at), 0.5),
            (lambda: business.book(at, rng.randrange(8, 40)), 0.03),
            (lambda: business.book(at, is_valid=False), 0.02),
            (lambda: business.give_back(at), 0.35),
            (business.correct, 0.25),
            (business.cancel, 0.04),
        ):
            if rng.random() < often:
                happens()
        if not self._disk_is_full:
            business.work(at)

    # At its end.

    def _end(self) -> None:
        """All files once more, a full run, and a final check."""
        order = RunOrder(BEGIN + EVERY * self.runs, full=True)
        self._run(self.runs, order, lambda: None, [])
        self.business.visit(order.now)
        self._import(self.runs, order)
        self.promises.check("at the end", is_last=True)
        self.promises.check_reports("at the end")
        self.figures.counts += self.business.counts
        self._measure()
        self.figures.wrong = {promise: len(self.promises.wrong[promise]) for promise in PROMISES}

    def _measure(self) -> None:
        """Take the figures, and note what has grown beyond what the week explains."""
        figures, note = self.figures, self.promises.note
        figures.files = sum(path.is_file() for path in self.database.folder.rglob("*"))
        figures.tables = sizes(self.database.url)
        first, last = figures.quarters[0], figures.quarters[-1]
        most = self._most_rows() | {
            "kB of memory": round(first.peak_kb * MEMORY_MAY_GROW),
            "open files": first.open_files + FILES_MAY_GROW,
            "files": FILES_OF_SQLITE,
        }
        found = {name: rows for name, (rows, _) in figures.tables.items()}
        found |= {"kB of memory": last.peak_kb, "open files": last.open_files, "files": figures.files}
        for name, limit in most.items():
            if found.get(name, 0) > limit:
                note(GROWN, name, f"{name}: {found[name]}, at most {limit} were to be expected")

    def _most_rows(self) -> dict[str, int]:
        """How many rows or documents syncctl's own tables and collections may have."""
        business, counts = self.business, self.figures.counts
        places = 2 * (len(self._sandbox.locations) + 2)  # the dormant one and the empty id, in two reports
        return {
            "syncrecords": sum(len({said["phone"] for said in record.said}) for record in business.records),
            "syncrejects": counts["invalid bookings"] * MOST_ITEMS + counts["invalid file rows"],
            "syncstate": places + len(business.files) + 3,  # the store list, and how each report answers
            "syncruns": counts["runs"] + counts["imports"],
        }


def play(database: str, runs: int, seed: int) -> Figures:
    """A week on one of DATABASES. What went wrong is said on stderr. Raises NoMongodError."""
    with tempfile.TemporaryDirectory(prefix="syncctl-soak-") as name:
        folder = Path(name)
        with (
            DATABASES[database](folder) as opened,
            closing(Week(opened, folder, runs=runs, seed=seed)) as week,
        ):
            week.play()
        for promise, breaches in week.promises.wrong.items():
            sys.stderr.writelines(f"{promise}: {breach}\n" for breach in breaches)
        return week.figures
