"""`python -m benchmarks`: prints the table, or JSON to keep."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from benchmarks import scenarios
from benchmarks.scenarios import Bench, Result
from benchmarks.servers import Mongo, sandbox
from tests.support.mongod import mongo_server

LOCATIONS, BOOKINGS = 21, 500
DATABASES = ("mongodb", "sqlite")
GROUPS = ("syncs", "latency", "imports", "cleanup", "start", "growth")
HEADINGS = ("what", "on", "seconds", "of the floor", "rows/s", "peak MB", "calls", "round trips")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; their median is shown")
    parser.add_argument("--only", choices=GROUPS, action="append", help="one group of them; repeatable")
    parser.add_argument("--database", choices=DATABASES, action="append", help="repeatable")
    parser.add_argument("--json", action="store_true", help="JSON, one result a line")
    chosen = parser.parse_args()
    groups = chosen.only or [group for group in GROUPS if group != "growth"]
    if not chosen.json:
        print(_line(HEADINGS))
    with (
        tempfile.TemporaryDirectory(prefix="syncctl-bench-") as folder,
        mongo_server() as server,
        closing(Mongo(server, "syncctl_bench")) as mongo,
    ):
        for group in groups:
            for database in (chosen.database or DATABASES) if group != "start" else DATABASES[:1]:
                for result in _measured(group, database, mongo, Path(folder), chosen.rounds):
                    print(_document(result) if chosen.json else _row(result), flush=True)


def _measured(group: str, database: str, mongo: Mongo, folder: Path, rounds: int) -> Iterator[Result]:
    if group == "syncs":
        with sandbox(locations=LOCATIONS, bookings=BOOKINGS) as api:
            yield from scenarios.syncs(Bench(database, mongo, folder, api, rounds), LOCATIONS * BOOKINGS)
    elif group == "latency":
        with sandbox(locations=LOCATIONS, bookings=BOOKINGS, latency_ms=200) as api:
            yield from scenarios.slow_network(Bench(database, mongo, folder, api, rounds))
    elif group == "growth":
        for locations, bookings in ((LOCATIONS, BOOKINGS * 10), (LOCATIONS * 10, BOOKINGS)):
            with sandbox(locations=locations, bookings=bookings) as api:
                bench = Bench(database, mongo, folder, api, rounds)
                for result in scenarios.syncs(bench, locations * bookings):
                    name = f"{result.name}, {locations} x {bookings}"
                    yield Result(name, result.database, result.measured, result.rows, result.floor_s)
    else:
        bench = Bench(database, mongo, folder, None, rounds)
        if group == "imports":
            yield from scenarios.imports(bench, folder)
        elif group == "cleanup":
            yield from scenarios.cleanup(bench)
        else:
            yield from scenarios.start_up(bench)


def _row(result: Result) -> str:
    seen = result.measured
    floor = f"{result.ratio:.1f} x {result.floor_s:.2f} s" if result.ratio else ""
    return _line(
        (
            result.name,
            result.database,
            f"{seen.wall_s:.2f}",
            floor,
            f"{result.rows / seen.wall_s:,.0f}" if result.rows else "",
            f"{seen.peak_mb:.0f}",
            "" if seen.calls is None else str(seen.calls),
            "" if seen.round_trips is None else str(seen.round_trips),
        )
    )


def _line(cells: tuple[str, ...]) -> str:
    what, database, *numbers = cells
    return f"{what:34} {database:8}" + "".join(f" {cell:>13}" for cell in numbers)


def _document(result: Result) -> str:
    return json.dumps({**asdict(result), "ratio": result.ratio})


if __name__ == "__main__":
    main()
