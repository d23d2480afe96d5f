"""The floor of an import: a file read by `csv` or calamine, nothing mapped, and each row stored or hashed.

`python -m benchmarks.file_floor first|again FILE DATABASE_URL` does that work.
`python -m benchmarks.file_floor compare DATABASE_URL FILE… [--rounds N]` runs it in turn with `syncctl import
walkin`, at first on an empty database, and prints the CPU seconds of the client, not of a server, and its
peak memory; a workbook's second process counts as well. There DATABASE_URL is `sqlite`, or that of a MongoDB
database that may be dropped.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import statistics
import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

AT_ONCE = 1000
HEADER_ROWS = 2
"""The title and the column titles of `benchmarks.data`."""

ROUNDS = 3
Row = list[Any]


def rows_of(file: Path) -> Iterator[Row]:
    """The rows below the column titles."""
    if file.suffix == ".xlsx":
        import python_calamine

        sheet = python_calamine.load_workbook(str(file)).get_sheet_by_index(0)
        yield from islice(sheet.iter_rows(), HEADER_ROWS, None)
        return
    with file.open(encoding="utf-8", newline="") as text:
        yield from islice(csv.reader(text), HEADER_ROWS, None)


def first(file: Path, url: str) -> None:
    """Store every row as it is."""
    rows = rows_of(file)
    batches = iter(lambda: list(islice(rows, AT_ONCE)), [])
    (_store_in_mongo if url.startswith("mongodb") else _store_in_sqlite)(url, batches)


def again(file: Path) -> None:
    """Hash every row."""
    seen = {blake2b(repr(row).encode(), digest_size=8).digest() for row in rows_of(file)}
    print(len(seen), "rows")


def _store_in_mongo(url: str, batches: Iterable[list[Row]]) -> None:
    from pymongo import MongoClient

    from benchmarks.data import TITLES

    with MongoClient[dict[str, Any]](url) as client:
        for batch in batches:
            client.get_default_database()["floor"].insert_many(
                [dict(zip(TITLES, row, strict=True)) for row in batch], ordered=False
            )


def _store_in_sqlite(url: str, batches: Iterable[list[Row]]) -> None:
    from benchmarks.data import TITLES

    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    database.execute("PRAGMA journal_mode = WAL")
    names = ", ".join(f'"{title}"' for title in TITLES)
    database.execute(f"CREATE TABLE IF NOT EXISTS floor (_id INTEGER PRIMARY KEY, {names})")
    insert = f"INSERT INTO floor ({names}) VALUES ({', '.join('?' * len(TITLES))})"  # noqa: S608 own titles
    for batch in batches:
        with database:
            database.executemany(insert, batch)
    database.close()


class Cost(NamedTuple):
    """Of one process and those that it started."""

    cpu_s: float
    peak_mb: float


def cost_of(command: list[str], folder: Path, **settings: str) -> Cost:
    """Run `python COMMAND…` in `folder`. Raises SystemExit with the command, where that fails."""
    root = str(Path(__file__).parents[1])
    environment = {"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": root, **settings}
    silent = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    run = [sys.executable, *command]
    process = os.posix_spawn(sys.executable, run, environment, file_actions=[silent])
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(url: str, file: Path, rounds: int) -> None:
    """Print what a first import and one of the same file cost, beside their floors."""
    costs: dict[str, list[Cost]] = {name: [] for name in ("first", "first floor", "again", "again floor")}
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = {"DATABASE_URL": url or f"sqlite:///{folder}/syncctl.db", "DATA_DIR": name}
        floor_url = url or f"sqlite:///{folder}/floor.db"
        for _ in range(rounds):
            _empty(url, folder)
            for work in ("first", "again"):
                floor = ["-m", "benchmarks.file_floor", work, str(file), floor_url]
                costs[f"{work} floor"].append(cost_of(floor, folder))
                command = ["-m", "syncctl", "import", "walkin", str(file), "-q"]
                costs[work].append(cost_of(command, folder, **settings))
    for work in ("first", "again"):
        ours, floors = costs[work], costs[f"{work} floor"]
        cpu_s, floor_s = (statistics.median(cost.cpu_s for cost in runs) for runs in (ours, floors))
        peak = max(cost.peak_mb for cost in ours)
        print(
            f"{url.partition(':')[0] or 'sqlite'} {file.suffix} {work}: {cpu_s:.2f} s, "
            f"floor {floor_s:.2f} s, {cpu_s / floor_s:.2f} x, {peak:.0f} MB",
            flush=True,
        )


def _empty(url: str, folder: Path) -> None:
    for file in folder.glob("*.db*"):
        file.unlink()
    if url:
        client = "import sys, pymongo; client = pymongo.MongoClient(sys.argv[1]);"
        cost_of(["-c", f"{client} client.drop_database(client.get_default_database())", url], folder)


def main(work: str, *rest: str) -> None:
    """See the module."""
    if work == "first":
        first(Path(rest[0]), rest[1])
    elif work == "again":
        again(Path(rest[0]))
    else:
        words = list(rest)
        rounds = int(words.pop(words.index("--rounds") + 1)) if "--rounds" in words else ROUNDS
        url, *files = [word for word in words if word != "--rounds"]
        for file in files:
            compare(url if url.startswith("mongodb") else "", Path(file), rounds)


if __name__ == "__main__":
    main(*sys.argv[1:])
