"""`python -m benchmarks`: prints the table, or JSON to keep."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks import scenarios, table
from benchmarks.scenarios import Bench, Result
from benchmarks.servers import Mongo, sandbox
from tests.support.marked_part import MarkerError
from tests.support.mongod import mongo_server

LOCATIONS, BOOKINGS = 21, 500
DATABASES = ("mongodb", "sqlite")
GROUPS = ("syncs", "latency", "imports", "cleanup", "start", "growth")


def main() -> int:
    """Measure what is asked for. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; their median is shown")
    parser.add_argument("--only", choices=GROUPS, action="append", help="one group of them; repeatable")
    parser.add_argument("--database", choices=DATABASES, action="append", help="repeatable")
    parser.add_argument("--json", action="store_true", help="JSON, one result a line")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    chosen = parser.parse_args()
    groups = chosen.only or [group for group in GROUPS if group != "growth"]
    if not chosen.json:
        print(table.line(table.HEADINGS))
    results: list[Result] = []
    with (
        tempfile.TemporaryDirectory(prefix="syncctl-bench-") as folder,
        mongo_server() as server,
        closing(Mongo(server, "syncctl_bench")) as mongo,
    ):
        for group in groups:
            for database in (chosen.database or DATABASES) if group != "start" else DATABASES[:1]:
                for result in _measured(group, database, mongo, Path(folder), chosen.rounds):
                    results.append(result)
                    print(
                        table.document(result) if chosen.json else table.line(table.cells(result)), flush=True
                    )
    if chosen.write:
        made = table.markdown(results, chosen.rounds)
        try:
            chosen.write.write_text(table.PART.put_in(chosen.write.read_text(), made))
        except (MarkerError, OSError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
