"""What a location costs, from how many on one host does not suffice, and what MongoDB then carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import table
from benchmarks.measuring import Measured
from benchmarks.scenarios import Bench
from benchmarks.seeding import seed
from benchmarks.servers import Api, Mongo, sandbox
from syncctl.settings.specs import SPECS
from tests.support.marked_part import MarkedPart

PART = MarkedPart(
    begin="<!-- what a location costs: made by python -m benchmarks --only scale -->",
    end="<!-- end of what a location costs -->",
)
LOCATIONS = (100, 800)
"""The difference between these runs is what a location costs."""

BOOKINGS = 100
"""Of each location."""

LEADS = 400_000
ANSWERS_S = (0.05, 0.1, 0.25, 0.5, 1.0)
"""How long the API may take for an answer."""

Collections = dict[str, dict[str, float]]
Command = tuple[str, tuple[str, ...]]
"""A run's name and options."""

INCREMENTAL, FULL = "incremental", "full"
POLITE = "incremental, with the pause"
RUNS_OF_EACH: tuple[Command, ...] = ((FULL, ("--full",)), (INCREMENTAL, ()))
RUNS_OF_MOST: tuple[Command, ...] = (("incremental, --shard 1/2", ("--shard", "1/2")),)
NO_DEADLINE = "3600"
WIDTHS = (28, 10, 9, 8, 10, 12)


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults that limit a run."""

    lanes: int
    pause_s: float
    deadline_s: float

    @classmethod
    def defaults(cls) -> Settings:
        """Those of the program."""
        wanted = {
            "API_CONCURRENCY": "lanes",
            "API_CALL_DELAY_MS": "pause_s",
            "API_RUN_DEADLINE_S": "deadline_s",
        }
        specs = {wanted[spec.name]: spec for spec in SPECS if spec.name in wanted}
        return cls(**{field: spec.parse(spec.default or "", Path()) for field, spec in specs.items()})


@dataclass(frozen=True, slots=True)
class Figure:
    """A run over so many locations."""

    name: str
    locations: int
    measured: Measured


@dataclass(frozen=True, slots=True)
class PerLocation:
    """What each further location adds to a run."""

    cpu_s: float
    requests: float
    round_trips: float


def measure(
    bench_with: Callable[[Api], Bench], counts: Sequence[int], bookings: int = BOOKINGS
) -> Iterator[Figure]:
    """An incremental and a full run over each number of locations; over the most of them, also half of the
    locations, and, once, all with the pause of the defaults. `bench_with`: makes the bench for this API."""
    for locations in counts:
        with sandbox(locations=locations, bookings=bookings) as api:
            bench = bench_with(api)
            bench.empty()
            _run(bench)
            is_last = locations == max(counts)
            for name, options in RUNS_OF_EACH + (RUNS_OF_MOST if is_last else ()):
                once = bench.median(partial(_run, bench, *options))
                yield Figure(name, locations, once)
            if is_last:
                pause_ms = Settings.defaults().pause_s * 1000
                yield Figure(POLITE, locations, _run(bench, pause_ms=pause_ms))
            bench.empty()


def _run(bench: Bench, *options: str, pause_ms: float = 0) -> Measured:
    return bench.run(
        *("api", "-q", *options), API_RUN_DEADLINE_S=NO_DEADLINE, API_CALL_DELAY_MS=f"{pause_ms:g}"
    )


def collections(mongo: Mongo, leads: int, runs: int) -> Collections:
    """What each collection of a database with so many seeded leads takes: documents, and bytes uncompressed,
    on disk and of its indexes."""
    mongo.empty()
    seed(mongo.url, leads, runs)
    try:
        return {name: _size(mongo.stats(name)) for name in ("leads", "syncrecords", "reports", "syncruns")}
    finally:
        mongo.empty()


def _size(stats: dict[str, Any]) -> dict[str, float]:
    return {
        "documents": stats["count"],
        "bytes": stats["size"],
        "on disk": stats["storageSize"],
        "indexes": stats["totalIndexSize"],
    }


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure under the `HEADINGS`."""
    seen = figure.measured
    return (
        figure.name,
        f"{figure.locations}",
        f"{seen.wall_s:.1f}",
        f"{seen.cpu_s:.2f}",
        f"{seen.calls}",
        f"{seen.round_trips:,}",
        f"{seen.peak_mb:.0f}",
    )


HEADINGS = ("a run", "locations", "seconds", "CPU s", "requests", "round trips", "peak MB")


def per_location(figures: Sequence[Figure], name: str) -> PerLocation:
    """From the runs over the fewest and over the most locations."""
    fewest, *_, most = sorted(
        (figure for figure in figures if figure.name == name), key=lambda figure: figure.locations
    )
    more = most.locations - fewest.locations
    return PerLocation(
        (most.measured.cpu_s - fewest.measured.cpu_s) / more,
        ((most.measured.calls or 0) - (fewest.measured.calls or 0)) / more,
        ((most.measured.round_trips or 0) - (fewest.measured.round_trips or 0)) / more,
    )


def run_s(cost: PerLocation, settings: Settings, answer_s: float) -> float:
    """What a location adds to a run's seconds: its calls' share of a lane, pause and answer, or where that is
    less, its CPU time, of which Python uses one core's."""
    return max(cost.cpu_s, cost.requests * (settings.pause_s + answer_s) / settings.lanes)


def markdown(figures: Sequence[Figure], sizes: Collections, rounds: int, bookings: int = BOOKINGS) -> str:
    """The tables of docs/scale.md."""
    settings = Settings.defaults()
    costs = {name: per_location(figures, name) for name in (INCREMENTAL, FULL)}
    ms = settings.pause_s * 1000
    added = table.markdown(
        (
            "each location adds to a run",
            "CPU ms",
            "requests",
            "round trips",
            f"seconds, with {ms:g} ms pause",
        ),
        [
            (
                name,
                f"{cost.cpu_s * 1000:.1f}",
                f"{cost.requests:.2f}",
                f"{cost.round_trips:.1f}",
                f"{run_s(cost, settings, 0):.2f}",
            )
            for name, cost in costs.items()
        ],
        f"From the runs below: {bookings} bookings a location, on MongoDB, answers at once.",
        words=1,
    )
    enough = table.markdown(
        ("the API answers in", *(f"{name}: locations" for name in costs)),
        [
            (
                f"{answer_s * 1000:g} ms",
                *(f"{settings.deadline_s / run_s(cost, settings, answer_s):,.0f}" for cost in costs.values()),
            )
            for answer_s in ANSWERS_S
        ],
        f"API_RUN_DEADLINE_S ({settings.deadline_s:g} s) divided by what a location adds: requests x (pause "
        f"+ answer) / {settings.lanes} lanes, or its CPU time where that is more.",
        words=1,
    )
    runs = table.markdown(HEADINGS, map(cells, figures), table.machine(rounds), words=1)
    return "\n\n".join((added, enough, runs, _sizes(sizes)))


def _sizes(sizes: Collections) -> str:
    leads = sizes["leads"]["documents"]
    rows = [
        (
            f"`{name}`",
            f"{size['documents']:,}",
            *(f"{size[part] / size['documents']:,.0f}" for part in ("bytes", "on disk", "indexes")),
            f"{(size['on disk'] + size['indexes']) / 1e6:,.0f}",
        )
        for name, size in sizes.items()
        if size["documents"]
    ]
    per_lead = sum(sizes[name][part] for name in ("leads", "syncrecords") for part in ("on disk", "indexes"))
    return table.markdown(
        ("collection", "documents", "bytes each", "on disk", "indexes", "MB in all"),
        rows,
        f"A lead with its record takes {per_lead / leads:,.0f} bytes of disk, indexes included; the history "
        "of 90 days is as large whatever the number of leads.",
        words=1,
    )
