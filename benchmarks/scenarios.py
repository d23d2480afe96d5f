"""The benchmarks: what is measured, on which database, and the starting state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import duplicated_leads, fill_sqlite, write_csv, write_xlsx
from benchmarks.measuring import Measured, measure, median
from benchmarks.servers import Api, Mongo

FILE_ROWS = 50_000
LEADS, COPIES = 100_000, 30_000
ROWS_PER_BOOKING = 36_960 / 10_500
"""Rows of both reports for each booking of a sandbox of 21 locations x 500."""


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

    @property
    def ratio(self) -> float | None:
        return self.measured.wall_s / self.floor_s if self.floor_s else None


class Bench:
    """One database, and commands run on it. `folder` is the benchmark's own."""

    def __init__(self, database: str, mongo: Mongo, folder: Path, api: Api | None, rounds: int) -> None:
        self.database = database
        self._mongo = mongo
        self._file = folder / "syncctl.db"
        self._folder = folder
        self._api = api
        self._rounds = rounds
        self._url = mongo.url if database == "mongodb" else f"sqlite:///{self._file}"
        self._settings = {"DATABASE_URL": self._url, "API_CALL_DELAY_MS": "0", "DATA_DIR": str(folder)}
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
            self.run("rejects", "list")
            self.run("rejects", "retry")  # makes the tables
            fill_sqlite(self._file, leads)

    def run(self, *arguments: str, **settings: str) -> Measured:
        """syncctl with these arguments, once."""
        return self._measured(["-m", "syncctl", *arguments], settings)

    def floor(self, work: str) -> Measured:
        """The floor of a first or of a steady sync, once."""
        assert self._api is not None
        return self._measured(["-m", "benchmarks.floor", work, self._api.url, self._url], {})

    def _measured(self, command: Sequence[str], settings: dict[str, str]) -> Measured:
        root = str(Path(__file__).parents[1])
        return measure(
            command,
            self._folder,
            {**self._settings, "PYTHONPATH": root, **settings},
            calls=self._api.calls if self._api else None,
            round_trips=self._mongo.round_trips if self.database == "mongodb" else None,
        )

    def median(self, once: Callable[[], Measured], before: Callable[[], None] | None = None) -> Measured:
        """Run `once` for each round, each time after `before`."""
        runs = []
        for _ in range(self._rounds):
            if before is not None:
                before()
            runs.append(once())
        return median(runs)


def syncs(bench: Bench, bookings: int) -> Iterator[Result]:
    """A first, a full steady and an ordinary sync, each compared with its floor. The ordinary one, as run
    by cron, fetches as much as the full one but asks no dormant location. `bookings`: of all locations."""
    rows = round(bookings * ROWS_PER_BOOKING)
    floor = bench.median(lambda: bench.floor("first"), bench.empty).wall_s
    steady_floor = bench.median(lambda: bench.floor("steady")).wall_s
    first = bench.median(lambda: bench.run("api", "-q"), bench.empty)
    yield Result("first sync", bench.database, first, rows, floor)
    steady = bench.median(lambda: bench.run("api", "-q", "--full"))
    yield Result("full steady sync", bench.database, steady, rows, steady_floor)
    ordinary = bench.median(lambda: bench.run("api", "-q"))
    yield Result("ordinary sync", bench.database, ordinary, rows, steady_floor)
    yield Result("status", bench.database, bench.median(lambda: bench.run("status")))


def slow_network(bench: Bench) -> Iterator[Result]:
    """Syncs of an API with 200 ms latency, with the default pause between calls. The first one also asks
    shops' old ids, which are not asked again that day."""

    def sync() -> Measured:
        return bench.run("api", "-q", API_CALL_DELAY_MS="500")

    yield Result("first sync, 200 ms a call", bench.database, bench.median(sync, bench.empty))
    yield Result("later sync, 200 ms a call", bench.database, bench.median(sync))


def imports(bench: Bench, folder: Path) -> Iterator[Result]:
    """A file imported, and imported again unchanged."""
    for kind, file in (("CSV", write_csv(folder, FILE_ROWS)), ("XLSX", write_xlsx(folder, FILE_ROWS))):
        command = ("import", "walkin", str(file), "-q")
        first = bench.median(lambda command=command: bench.run(*command), bench.empty)  # type: ignore[misc]
        yield Result(f"{kind}, first import", bench.database, first, FILE_ROWS)
        again = bench.median(lambda command=command: bench.run(*command))  # type: ignore[misc]
        yield Result(f"{kind}, unchanged again", bench.database, again, FILE_ROWS)


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
        yield Result(option, "-", Measured(once.wall_s, once.peak_mb))
