"""What looking, passing and an incremental sync cost as the database grows, on one that `benchmarks.seeding`
has filled; `verify source`, which compares everything, against an API that has as much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import chart, table
from benchmarks.chart import Series
from benchmarks.goals import FULL_SYNC, GROWTH, MEMORY, PER_LEAD, SECONDS, Goal, verdicts
from benchmarks.measuring import Measured
from benchmarks.scenarios import Bench
from benchmarks.seeding import seed
from benchmarks.servers import Api, sandbox
from tests.support.marked_part import MarkedPart

PART = MarkedPart(
    begin="<!-- how it grows: made by python -m benchmarks --only growth -->",
    end="<!-- end of how it grows -->",
)
SIZES = (19_000, 100_000, 400_000)
LOCATIONS, BOOKINGS = 21, 50
"""Of the API that is synced beside the seeded leads, the same at every size."""

LEADS_PER_BOOKING = 19_000 / 10_500
"""Bookings and returns that each booking of a sandbox comes to."""

PHONE = "9000000700"
"""A seeded customer's, at every size from a few hundred leads on."""

FULL = "full sync"
NAMES = {"mongodb": "MongoDB", "sqlite": "SQLite"}
WIDTHS = (22, 8, 9, 12, 10)


@dataclass(frozen=True, slots=True)
class Case:
    """A command that is measured."""

    name: str
    command: str
    goals: tuple[Goal, ...]

    passes: bool = False
    """Whether it goes through all leads."""

    statuses: tuple[int, ...] = (0, 1)
    """How it may end: a check that finds something ends with 1, and in seeded data it does."""


def _look(*more: Goal) -> tuple[Goal, ...]:
    return (Goal(1.3, GROWTH), *more, Goal(60, MEMORY))


_PASS = (Goal(100, MEMORY),)
PER_LEAD_GOAL = {"mongodb": Goal(8, PER_LEAD), "sqlite": Goal(5, PER_LEAD)}
"""Of a pass, besides its own."""

SEEDED = (
    Case("status", "status", _look(Goal(0.5, SECONDS))),
    Case("explain", f"explain {PHONE}", _look(Goal(0.4, SECONDS))),
    Case("history", "history", _look()),
    Case("rejects list", "rejects list", _look()),
    Case("api, incremental", "api -q", (Goal(1.3, GROWTH), Goal(80, MEMORY)), statuses=(0,)),
    *(
        Case(command, command, _PASS, passes=True)
        for command in (
            *("verify data", "verify sync"),
            *("cleanup duplicates", "cleanup stores", "cleanup finished"),
        )
    ),
)
SYNCED = (
    Case(FULL, "api -q --full", (), passes=True, statuses=(0,)),
    Case("verify source", "verify source", (Goal(1.5, FULL_SYNC), Goal(150, MEMORY)), passes=True),
)
CASES = {case.name: case for case in (*SEEDED, *SYNCED)}


@dataclass(frozen=True, slots=True)
class Figure:
    """One command at one size."""

    name: str
    """Of a case."""

    database: str
    leads: int
    measured: Measured


@dataclass(frozen=True, slots=True)
class Line:
    """One command at all sizes, the smallest first."""

    case: Case
    database: str
    by_size: Mapping[int, Measured]
    goals: tuple[Goal, ...]

    values: Mapping[str, float]
    """At the largest size, by unit."""


def measure(bench_with: Callable[[Api], Bench], sizes: Sequence[int], runs: int) -> Iterator[Figure]:
    """Each command at each size. `bench_with`: makes the bench that syncs with this API; `runs`: how many the
    seeded history has."""
    for leads in sizes:
        with sandbox(locations=LOCATIONS, bookings=BOOKINGS) as api:
            bench = bench_with(api)
            bench.empty()
            seed(bench.url, leads, runs)
            bench.run("api", "-q")
            yield from _figures(bench, SEEDED, leads)
        bookings = round(leads / LEADS_PER_BOOKING / LOCATIONS)
        with sandbox(locations=LOCATIONS, bookings=bookings) as api:
            bench = bench_with(api)
            bench.empty()
            bench.run("api", "-q", API_RUN_DEADLINE_S="3600")
            yield from _figures(bench, SYNCED, leads)
            bench.empty()


def _figures(bench: Bench, cases: Sequence[Case], leads: int) -> Iterator[Figure]:
    for case in cases:
        once = bench.median(lambda case=case: bench.run(*case.command.split(), ok=case.statuses))  # type: ignore[misc]
        yield Figure(case.name, bench.database, leads, once)


def lines(figures: Sequence[Figure]) -> list[Line]:
    """The figures put together, commands in the order of the cases within each database."""
    found: dict[tuple[str, str], dict[int, Measured]] = {}
    for figure in figures:
        found.setdefault((figure.database, figure.name), {})[figure.leads] = figure.measured
    return [
        _line(CASES[name], database, by_size, found[database, FULL])
        for (database, name), by_size in found.items()
    ]


def _line(case: Case, database: str, by_size: dict[int, Measured], full: dict[int, Measured]) -> Line:
    least, most = min(by_size), max(by_size)
    seconds = by_size[most].wall_s
    values = {
        GROWTH: seconds / by_size[least].wall_s,
        SECONDS: seconds,
        PER_LEAD: seconds / most * 1e6,
        MEMORY: max(measured.peak_mb for measured in by_size.values()),
        FULL_SYNC: seconds / full[most].wall_s,
    }
    goals = (PER_LEAD_GOAL[database], *case.goals) if case.goals is _PASS else case.goals
    return Line(case, database, dict(sorted(by_size.items())), goals, values)


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure as a row on the terminal, below `PROGRESS`."""
    seen = figure.measured
    numbers = (f"{figure.leads:,}", f"{seen.wall_s:.2f}", f"{seen.cpu_s:.2f}")
    return (figure.name, figure.database, *numbers, f"{seen.peak_mb:.0f}")


PROGRESS = ("what", "on", "leads", "seconds", "CPU s", "peak MB")


def markdown(figures: Sequence[Figure], rounds: int) -> str:
    """The table: growth first, the seconds beside it."""
    shown = lines(figures)
    sizes = list(shown[0].by_size)
    headings = (
        *("what", "on", "growth", "us a lead", *(f"s at {size:,}" for size in sizes)),
        *("peak MB", "goals"),
    )
    rows = [
        (
            line.case.name,
            line.database,
            f"{line.values[GROWTH]:.1f}",
            f"{line.values[PER_LEAD]:.1f}" if line.case.passes else "",
            *(f"{measured.wall_s:.2f}" for measured in line.by_size.values()),
            f"{line.values[MEMORY]:.0f}",
            verdicts(line.goals, line.values),
        )
        for line in shown
    ]
    return table.markdown(headings, rows, table.machine(rounds))


def picture(figures: Sequence[Figure]) -> str:
    """The same as an SVG; a full sync, which is only there to compare with, is left out."""
    shown = [line for line in lines(figures) if line.case.name != FULL]
    panels = {
        NAMES[database]: [
            Series(
                line.case.name,
                [(size, measured.wall_s) for size, measured in line.by_size.items()],
                line.case.passes,
            )
            for line in shown
            if line.database == database
        ]
        for database in dict.fromkeys(line.database for line in shown)
    }
    described = "; ".join(
        f"{line.case.name} on {line.database}: "
        + ", ".join(f"{measured.wall_s:.2f} s at {size:,}" for size, measured in line.by_size.items())
        for line in shown
    )
    title = "Seconds that commands take, by the number of leads in the database"
    return chart.picture(list(panels.items()), title, described)
