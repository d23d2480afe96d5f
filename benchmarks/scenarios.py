"""The benchmarks: what is measured, on which database, and the starting state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.data import duplicated_leads, fill_sqlite, write_csv, write_xlsx
from benchmarks.goals import FLOOR, MEMORY, Goal, verdicts
from benchmarks.measuring import Counted, Measured, measure, median
from benchmarks.servers import Api, Mongo
from syncctl.storage.registry import open_storage

FILE_ROWS = 50_000
LEADS, COPIES = 100_000, 30_000
ROWS_PER_BOOKING = 36_960 / 10_500
"""Rows of both reports for each booking of a sandbox of 21 locations x 500."""

LIBRARIES = "import requests, pymongo"
"""The floor of an incremental sync, which has hardly a row to move: what it can't do without is loaded."""

MOST_MB, MOST_MB_TENFOLD = 80, 120
_FIRST, _STEADY = "first sync", "full steady sync"
_INCREMENTAL, _AUDITED = "incremental sync, no audits", "incremental sync, 2 audits"
_GOALS = {
    _FIRST: Goal(2.5, FLOOR),
    _STEADY: Goal(2.0, FLOOR),
    _INCREMENTAL: Goal(2.2, FLOOR),
    _AUDITED: Goal(3.0, FLOOR),
}
FILE_FIRST, FILE_AGAIN = Goal(3.0, FLOOR), Goal(2.0, FLOOR)


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the table."""

    name: str
    database: str
    measured: Measured

    rows: int = 0
    """Rows processed by the command."""

    floor_s: float | None = None
    """The floor of the same run."""

    goals: tuple[Goal, ...] = (Goal(MOST_MB, MEMORY),)

    @property
    def ratio(self) -> float | None:
        return self.measured.wall_s / self.floor_s if self.floor_s else None

    @property
    def verdicts(self) -> str:
        """Which goals are met."""
        of_floor = {} if self.ratio is None else {FLOOR: self.ratio}
        return verdicts(self.goals, {**of_floor, MEMORY: self.measured.peak_mb})


class Bench:
    """One database, and commands run on it. `folder` is the benchmark's own."""

    def __init__(self, database: str, mongo: Mongo, folder: Path, api: Api | None, rounds: int) -> None:
        self.database = database
        self._mongo = mongo
        self._file = folder / "syncctl.db"
        self._folder = folder
        self._api = api
        self.rounds = rounds
        self.url = mongo.url if database == "mongodb" else f"sqlite:///{self._file}"
        self._settings = {"DATABASE_URL": self.url, "API_CALL_DELAY_MS": "0", "DATA_DIR": str(folder)}
        if api is not None:
            self._settings["API_BASE_URL"] = api.url

    def empty(self) -> None:
        """Start with an empty database."""
        self._mongo.empty()
        for file in self._folder.glob("syncctl.db*"):
            file.unlink()

    def fill_with_duplicates(self) -> None:
        """Start with a database of the old system."""
        self.empty()
        leads = duplicated_leads(LEADS, COPIES)
        if self.database == "mongodb":
            self._mongo.leads().insert_many(leads, ordered=False)
        else:
            with closing(open_storage(self.url)) as storage:
                storage.prepare()
            fill_sqlite(self._file, leads)

    def run(self, *arguments: str, ok: Container[int] = (0,), **settings: str) -> Measured:
        """syncctl with these arguments, once. `ok`: the exit statuses that it may end with."""
        return self._measured(["-m", "syncctl", *arguments], settings, ok)

    def floor(self, work: str) -> Measured:
        """The floor of a first or of a steady sync, once."""
        assert self._api is not None
        return self._measured(["-m", "benchmarks.floor", work, self._api.url, self.url])

    def file_floor(self, work: str, file: Path) -> Measured:
        """The floor of an import of a new file or of one that is imported again, once."""
        return self._measured(["-m", "benchmarks.file_floor", work, str(file), self.url])

    def libraries(self) -> Measured:
        """What a sync can't do without, loaded, once."""
        return self._measured(["-c", LIBRARIES])

    def _measured(
        self, command: Sequence[str], settings: dict[str, str] | None = None, ok: Container[int] = (0,)
    ) -> Measured:
        root = str(Path(__file__).parents[1])
        return measure(
            command,
            self._folder,
            {**self._settings, "PYTHONPATH": root, **(settings or {})},
            Counted(
                self._api.calls if self._api else None,
                self._mongo.round_trips if self.database == "mongodb" else None,
            ),
            ok,
        )

    def median(self, once: Callable[[], Measured], before: Callable[[], None] | None = None) -> Measured:
        """Run `once` for each round, each time after `before`."""
        runs = []
        for _ in range(self.rounds):
            if before is not None:
                before()
            runs.append(once())
        return median(runs)


def syncs(bench: Bench, bookings: int, most_mb: int = MOST_MB) -> Iterator[Result]:
    """A first, a full steady and an incremental sync, each beside its floor, and the last one also with the
    audits of two locations. `bookings`: of all locations.

    Each round has all of them and their floors: a machine's speed changes from minute to minute.
    """
    rows = round(bookings * ROWS_PER_BOOKING)
    memory = Goal(most_mb, MEMORY)
    runs, floors = defaultdict[str, list[Measured]](list), defaultdict[str, list[Measured]](list)
    for _ in range(bench.rounds):
        bench.empty()
        for name, work in ((_FIRST, "first"), (_STEADY, "steady")):
            floors[name].append(bench.floor(work))
        bench.empty()
        for name, options in ((_FIRST, ()), (_STEADY, ("--full",))):
            runs[name].append(bench.run("api", "-q", *options))
        for name, audits in ((_INCREMENTAL, 0), (_AUDITED, 2)):
            if audits:  # the old ids, which have no rows, come first: this is their turn
                bench.run("api", "-q", API_AUDIT_LOCATIONS="30")
            floors[name].append(bench.libraries())
            runs[name].append(bench.run("api", "-q", API_AUDIT_LOCATIONS=f"{audits}"))
        runs["status"].append(bench.run("status"))
    for name, goal in _GOALS.items():
        moved = rows if name in {_FIRST, _STEADY} else 0
        floor_s = median(floors[name]).wall_s
        yield Result(name, bench.database, median(runs[name]), moved, floor_s, (goal, memory))
    yield Result("status", bench.database, median(runs["status"]))


def tenfold(bench: Bench, bookings: int) -> Iterator[Result]:
    """The same of ten times the bookings."""
    for result in syncs(bench, bookings, MOST_MB_TENFOLD):
        yield replace(result, name=f"{result.name}, 10 x bookings")


def slow_network(bench: Bench) -> Iterator[Result]:
    """Syncs of an API with 200 ms latency, with the default pause between calls. The first one also asks
    shops' old ids, which are not asked again that day."""

    def sync() -> Measured:
        return bench.run("api", "-q", API_CALL_DELAY_MS="500")

    yield Result("first sync, 200 ms a call", bench.database, bench.median(sync, bench.empty))
    yield Result("later sync, 200 ms a call", bench.database, bench.median(sync))


def imports(bench: Bench, folder: Path) -> Iterator[Result]:
    """A file imported, and imported again unchanged, each beside its floor."""
    for kind, file in (("CSV", write_csv(folder, FILE_ROWS)), ("XLSX", write_xlsx(folder, FILE_ROWS))):
        command = ("import", "walkin", str(file), "-q")

        def floor(work: str, file: Path = file) -> float:
            return median([bench.file_floor(work, file) for _ in range(bench.rounds)]).wall_s

        bench.empty()
        first_floor, again_floor = floor("first"), floor("again")
        first = bench.median(lambda command=command: bench.run(*command), bench.empty)  # type: ignore[misc]
        name, goals = f"{kind}, first import", (FILE_FIRST, Goal(MOST_MB, MEMORY))
        yield Result(name, bench.database, first, FILE_ROWS, first_floor, goals)
        again = bench.median(lambda command=command: bench.run(*command))  # type: ignore[misc]
        name, goals = f"{kind}, unchanged again", (FILE_AGAIN, Goal(MOST_MB, MEMORY))
        yield Result(name, bench.database, again, FILE_ROWS, again_floor, goals)


def cleanup(bench: Bench) -> Iterator[Result]:
    """The plan, and its application."""
    bench.fill_with_duplicates()
    plan = bench.median(lambda: bench.run("cleanup", "duplicates", "-q"))
    yield Result("cleanup, the plan", bench.database, plan, LEADS + COPIES)
    apply = bench.median(
        lambda: bench.run("cleanup", "duplicates", "--apply", "-q"), bench.fill_with_duplicates
    )
    yield Result("cleanup, applied", bench.database, apply, LEADS + COPIES)
    bench.empty()


def start_up(bench: Bench) -> Iterator[Result]:
    """What every command costs before it does anything."""
    for option in ("--version", "--help"):
        once = bench.median(lambda option=option: bench.run(option))  # type: ignore[misc]
        yield Result(option, "-", Measured(once.wall_s, once.cpu_s, once.peak_mb))
