"""The figures of a week, and the table that shows them."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from pymongo import MongoClient

from tests.soak.promises import PROMISES
from tests.support.marked_part import MarkedPart

PART = MarkedPart(begin="<!-- the week: made by python -m tests.soak -->", end="<!-- end of the week -->")

OWN = "sync"
"""How the names of syncctl's own tables and collections begin; the web app has synclogs as well."""


@dataclass
class Quarter:
    """The maxima of the runs in a quarter of the week."""

    peak_kb: int = 0
    open_files: int = 0


@dataclass
class Figures:
    """What happened in a week, and its cost."""

    database: str

    no_disk: str = ""
    """Why no disk was filled."""

    counts: Counter[str] = field(default_factory=Counter)
    quarters: list[Quarter] = field(default_factory=lambda: [Quarter() for _ in range(4)])

    seconds: list[float] = field(default_factory=list)
    """Of each undisturbed run."""

    tables: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Rows and bytes of each table or collection."""

    files: int = 0
    """How many exist at the end."""

    wrong: dict[str, int] = field(default_factory=dict)
    """How often each promise was broken."""

    def percentile(self, of_100: int) -> float:
        """In seconds, of the undisturbed runs."""
        return quantiles(self.seconds, n=100)[of_100 - 1]


def sizes(url: str) -> dict[str, tuple[int, int]]:
    """Rows and bytes on disk, indexes too, of each table or collection of a DATABASE_URL's database."""
    if url.startswith("sqlite"):
        return _of_sqlite(url.removeprefix("sqlite:///"))
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        database.client.admin.command("fsync")
        stats = {name: database.command("collStats", name) for name in database.list_collection_names()}
        # The count among these stays wrong once a server was killed: they are counted one by one.
        return {
            name: (database[name].count_documents({}), each["storageSize"] + each["totalIndexSize"])
            for name, each in stats.items()
        }


def _of_sqlite(path: str) -> dict[str, tuple[int, int]]:
    pages = (
        "SELECT tbl_name, SUM(pgsize) FROM dbstat JOIN sqlite_schema USING (name)"
        " WHERE tbl_name NOT LIKE 'sqlite%' GROUP BY tbl_name"
    )
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(pages).fetchall()
        count = "SELECT count(*) FROM {}"
        return {name: (database.execute(count.format(name)).fetchone()[0], size) for name, size in found}


COUNTED = {
    "runs": "Runs of `api`",
    "failed as expected": "of which failed in a trouble",
    "imports": "Imports of the shops' files",
    "bookings": "Bookings",
    "invalid bookings": "of which without a valid phone number at first",
    "returns": "Returns",
    "corrected phones": "Phone numbers corrected at the source",
    "corrected names": "Names corrected",
    "corrected dates": "Dates corrected",
    "cancellations": "Cancellations",
    "file rows": "Rows of files",
    "invalid file rows": "of which without a valid phone number",
    "corrected file rows": "Rows of files corrected",
    "finished": "Leads finished by telecallers",
    "edited": "Leads edited",
    "deleted": "Leads deleted",
    "typed in": "Leads typed in by hand",
    "outage minutes": "Hours of trouble with the API",
    "restarts between runs": "Database server killed and started again between two runs",
    "restarts in a run": "the same in the midst of a run",
    "clock steps": "Steps of the clock",
    "full disks": "Full disks",
}
"""What is counted -> how the table calls it."""


def table(weeks: Sequence[Figures]) -> str:
    """The figures of some weeks, side by side, as Markdown."""
    own = sorted({name for week in weeks for name in week.tables if name.startswith(OWN)})
    lines = [
        _line("", [week.database for week in weeks]),
        _line("---", ["---:"] * len(weeks)),
        *(_line(title, [_counted(week, name) for week in weeks]) for name, title in COUNTED.items()),
        _line("**Result**", [""] * len(weeks)),
        *(_line(name.capitalize(), [f"**{week.wrong[name]}**" for week in weeks]) for name in PROMISES),
        _line("**What it took**", [""] * len(weeks)),
        _measured("Memory of a run at most, first quarter, MB", weeks, lambda week: _mb(week, 0)),
        _measured("the same, last quarter", weeks, lambda week: _mb(week, -1)),
        _measured("Open files after a run, first and last quarter", weeks, _open_files),
        _measured("Files in `DATA_DIR`", weeks, lambda week: f"{week.files}"),
        _measured("Seconds of an undisturbed run, median", weeks, lambda week: f"{week.percentile(50):.2f}"),
        _measured("the same, 95 of 100 took less than", weeks, lambda week: f"{week.percentile(95):.2f}"),
        _measured("Database, kB for 1,000 bookings", weeks, lambda week: _kb(week, week.tables)),
        *(_measured(f"`{name}`: rows; kB for 1,000 bookings", weeks, _size_of(name)) for name in own),
    ]
    return "\n".join(lines)


def _line(title: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([title, *cells])} |"


def _measured(title: str, weeks: Sequence[Figures], value: Callable[[Figures], str]) -> str:
    return _line(title, [value(week) for week in weeks])


def _counted(week: Figures, name: str) -> str:
    if name == "full disks" and week.no_disk:
        return week.no_disk
    if name == "outage minutes":
        return f"{week.counts[name] / 60:.1f}"
    return f"{week.counts[name]:,}"


def _mb(week: Figures, quarter: int) -> str:
    return f"{week.quarters[quarter].peak_kb / 1024:.0f}"


def _open_files(week: Figures) -> str:
    return f"{week.quarters[0].open_files}, {week.quarters[-1].open_files}"


def _kb(week: Figures, names: Mapping[str, object] | Sequence[str]) -> str:
    size = sum(week.tables[name][1] for name in names)
    return f"{size / 1024 / week.counts['bookings'] * 1000:,.0f}"


def _size_of(name: str) -> Callable[[Figures], str]:
    def cell(week: Figures) -> str:
        if name not in week.tables:
            return ""
        return f"{week.tables[name][0]:,}; {_kb(week, [name])}"

    return cell
