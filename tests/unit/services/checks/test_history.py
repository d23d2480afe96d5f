"""`history`: which runs are quiet, which are whole, and what many of them come to."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry
from syncctl.domain.run_results import Counts, LocationResult, RunResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.admin import Database
from syncctl.services.checks.history import PastRun, grouped, newest_runs, past_run
from syncctl.services.checks.run_statistics import Gap, run_statistics, statistics_document
from syncctl.services.sync.planning import SyncOptions
from syncctl.storage.registry import open_storage

NOW = datetime(2026, 3, 10, 20, 3, tzinfo=UTC)
"""In Kolkata it is the 11th."""

KOLKATA = ZoneInfo("Asia/Kolkata")
SEEN = Counts(rows=10, existing=4, reported=3, merged=2, invalid=1)
"""What each run sees again."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_storage(f"sqlite:///{tmp_path / 'leads.db'}")) as database:
        database.prepare()
        yield database


def step(counts: Counts = SEEN, *, failed: str = "") -> StepResult:
    """The bookings of two locations, of which 9 has failed with this error."""
    places = [LocationResult("7", "Suitor Guy - Perinthalmanna", counts)]
    if failed:
        places.append(LocationResult("9", "Suitor Guy - Kottayam", error=failed))
    status = StepStatus.PARTIAL if failed else StepStatus.SUCCESS
    error = "1 of 2 locations failed" if failed else None
    return StepResult(StepName.BOOKING, status, counts, 1, 2, len(places) - 1, error, locations=tuple(places))


def result(number: int, ago: timedelta, *steps: StepResult, took: float = 2.0) -> RunResult:
    return RunResult("api", f"{number:032x}", Trigger.AUTO, False, NOW - ago, took, None, steps or (step(),))


def past(made: RunResult) -> PastRun:
    return past_run(RunEntry(made.run_id, made.started_at, history_document(made)))


def keep(database: Database, *results: RunResult) -> None:
    for made in results:
        database.save_run(RunEntry(made.run_id, made.started_at, history_document(made)))


@pytest.mark.parametrize(
    ("news", "is_quiet"),
    [
        ({}, True),
        ({"steps": (step(replace(SEEN, rows=11, saved=1)),)}, False),
        ({"steps": (step(replace(SEEN, rows=11, updated=1)),)}, False),
        ({"steps": (step(failed="HTTP 502"),)}, False),
        ({"steps": (replace(step(), locations=(LocationResult("7", "", SEEN, changed=("1",)),)),)}, False),
        ({"steps": (replace(step(), locations=(LocationResult("7", "", SEEN, warning="thin"),)),)}, False),
        ({"newly_rejected": 1}, False),
        ({"steps": ()}, False),
    ],
)
def test_a_run_is_quiet_if_it_brought_nothing_new(news: dict[str, object], is_quiet: bool) -> None:
    """Rows that are finished, merged or rejected come again in each run: they are no news."""
    assert past(result(1, timedelta(0))._replace(**news)).is_quiet is is_quiet  # type: ignore[arg-type]


def test_of_a_run_before_it_was_counted_rejected_rows_are_news() -> None:
    document = history_document(result(1, timedelta(0)))
    del document["newly_rejected"]
    assert not past_run(RunEntry("1", NOW, document)).is_quiet


def test_consecutive_quiet_runs_are_one_line() -> None:
    loud = step(replace(SEEN, rows=11, saved=1))
    runs = [past(result(n, timedelta(minutes=5 * n), *([loud] if n in (2, 6) else []))) for n in range(8)]
    lines = grouped(iter(runs), 20)
    assert [len(line) for line in lines] == [2, 1, 3, 1, 1]
    assert [run for line in lines for run in line] == runs
    assert [len(line) for line in grouped(iter(runs), 3)] == [2, 1, 3]


def test_consecutive_runs_that_failed_alike_are_one_line() -> None:
    down, refused = step(failed="HTTP 502"), step(failed="status 401")
    turned = replace(down, locations=down.locations[::-1])
    news = step(replace(SEEN, rows=11, saved=1))
    steps = [[down], [turned], [refused], [news, down], [news, down], [down], []]
    runs = [past(result(n, timedelta(minutes=5 * n), *each)) for n, each in enumerate(steps)]
    assert [len(line) for line in grouped(iter(runs), 0)] == [2, 1, 1, 1, 1, 1]


def test_runs_are_read_in_batches_newest_first(database: Database) -> None:
    keep(database, *(result(n, timedelta(minutes=n)) for n in range(7)))
    found = [run.run_id for run in newest_runs(database, batch=3)]
    assert found == [f"{n:032x}" for n in range(7)]


def test_a_run_of_parts_is_not_whole() -> None:
    assert past(result(1, timedelta(0))).whole
    assert not past(result(1, timedelta(0))._replace(whole=False)).whole
    assert SyncOptions(full=True).covers_everything
    assert not SyncOptions(locations=("7",)).covers_everything
    assert not SyncOptions(date_from=NOW.date(), date_to=NOW.date()).covers_everything


def test_what_many_runs_come_to(database: Database) -> None:
    hour = timedelta(hours=1)
    keep(
        database,
        *(result(n, n * hour, took=float(n)) for n in range(1, 99) if n not in (50, 51, 52)),
        result(200, 50 * hour, step(failed="HTTP 502"), took=40.0),
        result(201, 51 * hour, step(failed="HTTP 503"), took=50.0),
        # None of these counts.
        result(300, 2 * hour, step(failed="x"), took=999.0)._replace(command="booking"),
        result(301, 2 * hour, step(failed="x"), took=999.0)._replace(whole=False),
        result(302, 31 * 24 * hour, step(failed="x"), took=999.0),
    )
    found = run_statistics(database, 30, NOW, KOLKATA)
    assert (found.runs, found.succeeded) == (97, 95)
    assert (found.p50_s, found.p95_s, found.p99_s) == (48.0, 94.0, 98.0)
    assert found.within_target == 30
    assert found.longest_gap == Gap(NOW - 30 * 24 * hour, NOW - 98 * hour)
    assert found.worst is not None
    assert (found.worst.report, found.worst.location, found.worst.failed) == ("booking", "9", 2)
    # Days are the business's: in Kolkata the newest run began at 00:33 on the 11th.
    assert found.rows_per_day["2026-03-11"] == 10
    assert sum(found.rows_per_day.values()) == 970


def test_the_document_of_the_statistics(database: Database) -> None:
    empty = statistics_document(run_statistics(database, 7, NOW, KOLKATA))["stats"]
    assert (empty["runs"], empty["success_rate"], empty["duration_s"]["p50"]) == (0, None, None)
    assert (empty["longest_gap"], empty["worst_location"], empty["target_met"]) == (None, None, None)
    keep(database, result(1, timedelta(hours=3), step(failed="HTTP 502")), result(2, timedelta(hours=2)))
    document = statistics_document(run_statistics(database, 7, NOW, KOLKATA))
    assert document["command"] == "history"
    assert document["stats"] == {
        "days": 7,
        "since": "2026-03-03T20:03:00Z",
        "until": "2026-03-10T20:03:00Z",
        "runs": 2,
        "succeeded": 1,
        "success_rate": 0.5,
        "target_success_rate": 0.99,
        "target_met": False,
        "duration_s": {"p50": 2.0, "p95": 2.0, "p99": 2.0},
        "target_duration_s": 30,
        "within_target": 2,
        "share_within_target": 1.0,
        "longest_gap": {"from": "2026-03-10T18:03:00Z", "to": None, "seconds": 7200},
        "worst_location": {
            "report": "booking",
            "location": "9",
            "store": "Suitor Guy - Kottayam",
            "failed": 1,
            "error": "HTTP 502",
        },
        "rows_per_day": {"2026-03-10": 20},
        "saved_per_day": {"2026-03-10": 0},
    }
