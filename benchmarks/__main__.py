"""`python -m benchmarks`: prints tables, or JSON to keep."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import growth, scale, scenarios, table
from benchmarks.scenarios import Bench, Result
from benchmarks.seeding import RUNS
from benchmarks.servers import Api, Mongo, sandbox
from tests.support.marked_part import MarkedPart, MarkerError
from tests.support.mongod import mongo_server

LOCATIONS, BOOKINGS = 21, 500
DATABASES = ("mongodb", "sqlite")
ONCE = " (10 x bookings: one)"
COSTS = ("syncs", "latency", "tenfold", "imports", "cleanup", "start")
PARTS = {**dict.fromkeys(COSTS, table.PART), "growth": growth.PART, "scale": scale.PART}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and with what."""

    chosen: argparse.Namespace
    mongo: Mongo
    folder: Path

    def costs(self, groups: Iterable[str]) -> str:
        """The table of what commands cost."""
        self._say(table.line(table.HEADINGS))
        results = []
        for group in groups:
            for database in self.chosen.database if group != "start" else DATABASES[:1]:
                for result in self._results(group, database):
                    results.append(result)
                    self._say(table.line(table.cells(result)), result)
        return table.markdown(
            table.HEADINGS, map(table.cells, results), table.machine(self.chosen.rounds, ONCE)
        )

    def _results(self, group: str, database: str) -> Iterator[Result]:
        if group in {"syncs", "latency", "tenfold"}:
            # A round number of rows, or one that several locations share, looks like a limit of the API.
            bookings = BOOKINGS * 10 + 40 if group == "tenfold" else BOOKINGS
            with sandbox(
                locations=LOCATIONS, bookings=bookings, latency_ms=200 if group == "latency" else 0
            ) as api:
                bench = self._bench(database, api, once=group == "tenfold")
                if group == "latency":
                    yield from scenarios.slow_network(bench)
                else:
                    measured = scenarios.syncs if group == "syncs" else scenarios.tenfold
                    yield from measured(bench, LOCATIONS * bookings)
            return
        bench = self._bench(database)
        if group == "imports":
            yield from scenarios.imports(bench, self.folder)
        elif group == "cleanup":
            yield from scenarios.cleanup(bench)
        else:
            yield from scenarios.start_up(bench)

    def growth(self) -> str:
        """The table of how commands grow; its picture is written beside the page."""
        sizes, rounds = sorted(self.chosen.leads or growth.SIZES), self.chosen.rounds
        self._say(table.line(growth.PROGRESS, growth.WIDTHS))
        figures = []
        for database in self.chosen.database:
            for figure in growth.measure(partial(self._bench, database), sizes, self.chosen.runs):
                figures.append(figure)
                self._say(table.line(growth.cells(figure), growth.WIDTHS), figure)
        if self.chosen.write and len(sizes) > 1:
            image = self.chosen.write.parent / "images" / "growth.svg"
            image.write_text(growth.picture(figures), encoding="utf-8")
        return growth.markdown(figures, rounds)

    def scale(self) -> str:
        """The tables of what a location costs and what MongoDB carries."""
        counts = sorted(self.chosen.locations or scale.LOCATIONS)
        self._say(table.line(scale.HEADINGS, scale.WIDTHS))
        figures = []
        for figure in scale.measure(partial(self._bench, "mongodb"), counts):
            figures.append(figure)
            self._say(table.line(scale.cells(figure), scale.WIDTHS), figure)
        sizes = scale.collections(self.mongo, max(self.chosen.leads or (scale.LEADS,)), self.chosen.runs)
        made = scale.markdown(figures, sizes, self.chosen.rounds)
        self._say(f"\n{made}")
        return made

    def _bench(self, database: str, api: Api | None = None, *, once: bool = False) -> Bench:
        return Bench(database, self.mongo, self.folder, api, 1 if once else self.chosen.rounds)

    def _say(self, text: str, figure: Any = None) -> None:
        """Print the text, or if JSON is asked for, the figure."""
        if not self.chosen.json:
            print(text, flush=True)
        elif figure is not None:
            also = {"verdicts": figure.verdicts, "ratio": figure.ratio} if isinstance(figure, Result) else {}
            print(json.dumps({**asdict(figure), **also}), flush=True)


def main() -> int:
    """Measure what is asked for. Gives the exit status."""
    chosen = _chosen()
    groups = chosen.only or list(COSTS)
    costs = [group for group in groups if group in COSTS]
    parts: list[MarkedPart] = list({id(PARTS[group]): PARTS[group] for group in groups}.values())
    # Both servers and the folder are cleared away then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if chosen.write:
            for part in parts:
                part.put_in(chosen.write.read_text(encoding="utf-8"), "")
        with (
            tempfile.TemporaryDirectory(prefix="syncctl-bench-") as folder,
            mongo_server() as server,
            closing(Mongo(server, f"syncctl_bench_{Path(folder).name[-8:]}")) as mongo,
        ):
            plan = Plan(chosen, mongo, Path(folder))
            for part in parts:
                made = (
                    plan.growth()
                    if part is growth.PART
                    else plan.scale()
                    if part is scale.PART
                    else plan.costs(costs)
                )
                if chosen.write:
                    page = chosen.write.read_text(encoding="utf-8")
                    chosen.write.write_text(part.put_in(page, made), encoding="utf-8")
    except (MarkerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="runs of each, but of tenfold; their median is shown"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="one group of them; repeatable")
    parser.add_argument("--database", choices=DATABASES, action="append", help="repeatable; not for scale")
    parser.add_argument("--leads", type=int, action="append", help="a size for growth and scale; repeatable")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs in the history of growth and scale")
    parser.add_argument("--locations", type=int, action="append", help="a number for scale; repeatable")
    parser.add_argument("--json", action="store_true", help="JSON, one result a line")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    chosen = parser.parse_args()
    costs = set(COSTS) & set(chosen.only or ())
    if chosen.write and (chosen.database or (costs and costs != set(COSTS))):
        parser.error(
            "--write replaces a whole table: leave --database out, and groups only growth and scale."
        )
    counts = set(chosen.locations or scale.LOCATIONS)
    if len(counts) < 2 or min(counts) <= LOCATIONS:
        parser.error(
            f"--locations: two numbers above {LOCATIONS}, whose difference is measured; the packaged table's "
            "locations are asked besides."
        )
    chosen.database = chosen.database or list(DATABASES)
    return chosen


if __name__ == "__main__":
    sys.exit(main())
