"""What a person calls to look costs what it shows, and an ordinary run what it brings: neither goes through a
whole collection."""

import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from pymongo import MongoClient

from syncctl.domain.lead_values import Document
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.run_results import RunResult, StepResult
from syncctl.domain.sources import SYNC_TYPES, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.files.headers import Titles, cells_of
from syncctl.files.reading import open_file
from syncctl.locations import load_locations
from syncctl.ports.admin import Database
from syncctl.ports.machine import LockState
from syncctl.ports.stop import Stop
from syncctl.scheduling.expression import next_run
from syncctl.services.checks.history import find_run, past_runs
from syncctl.services.checks.status import Surroundings, collect_status
from syncctl.services.explain.explaining import explain
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.services.imports.importing import FileImport, ImportJob
from syncctl.services.rejects.reject_list import RejectFilter, find_rejects
from syncctl.services.run import Clock, Run, RunRequest
from syncctl.storage.mongo.storage import MongoStorage
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.samples import lead, phone, record, reject
from tests.support.model_world import CODES, ModelWorld
from tests.support.store_files import row, write
from tests.support.world import Recorder

NOW = datetime(2026, 3, 10, 20, 3, tzinfo=UTC)
CLOCK = Clock(lambda: NOW, lambda: 0.0, partial(next_run, "*/5 * * * *", UTC), ZoneInfo("Asia/Kolkata"))
LEADS, RUNS = 3000, 200
MOST_EXAMINED = 250
"""Documents of one collection for one question: a week of runs, a day of logs, and no more of the leads."""


STEPS_A_TICK = 100
SCAN = re.compile("SCAN (leads|reports|syncrecords|syncrejects|synclogs|syncruns)(?! USING)")
SORT = "USE TEMP B-TREE FOR ORDER BY"
"""Reads all that it sorts, even where 20 are wanted; of one customer or one id that is little."""


def filled(storage: Database, leads: int) -> None:
    """So many leads, days of runs, and a few odd ones."""
    storage.store_leads(
        [lead(n, createdAt=NOW - timedelta(hours=6 * n)) for n in range(leads)],
        [record(n, values={"phone": phone(n), "bookingNo": str(n)}) for n in range(leads)],
    )
    storage.store_leads([lead(leads, phone="+91 98765 43210")], [])
    for number in range(RUNS):
        at = NOW - timedelta(minutes=5 * (RUNS - number))
        kind = SYNC_TYPES[StepName.BOOKING]
        storage.add_sync_log(SyncLog(kind, Trigger.AUTO, at, 0, StepStatus.SUCCESS, None))
        steps = (StepResult(StepName.BOOKING, StepStatus.SUCCESS),)
        result = RunResult("api", f"{number:06}", Trigger.AUTO, False, at, 1.0, None, steps)
        storage.save_run(RunEntry(result.run_id, at, history_document(result)))
    storage.add_rejects([reject(1), reject(2)])
    run_as_cron_does(storage)  # the next one is ordinary
    import_a_file(storage, row())


def run_as_cron_does(database: Database, bookings: int = 1) -> None:
    """A booking is new to the first run that has it, and known to the next."""
    world = ModelWorld()
    for _ in range(bookings):
        world.book(CODES[0], world.today)
    assert world.run(wrap=lambda _: database).ok


def import_a_file(database: Database, *rows: list[str]) -> None:
    """Import a walk-in file with these rows."""
    titles = Titles("columns.walkin")
    with TemporaryDirectory() as folder:
        job = ImportJob(StepName.WALKIN, (write(Path(folder) / "walkin_sg_calicut.csv", *rows),))
        reader = partial(open_file, stop=Stop(), known=titles)
        stage = FileImport(job, reader, lambda _, cells: cells_of(cells, titles), load_locations())
        request = RunRequest("import walkin", (StepName.WALKIN,), Trigger.MANUAL)
        assert Run(request, database, Recorder(), CLOCK).execute([stage]).ok


LOOKS: dict[str, Callable[[Database], object]] = {
    "an ordinary run": run_as_cron_does,
    "a run with a new booking": lambda each: run_as_cron_does(each, 2),
    "an import": lambda each: import_a_file(each, row(Remarks="called"), row(Contact="9000012345")),
    "status": lambda each: collect_status(each, Surroundings(LockState(False)), load_locations(), CLOCK),
    "history": lambda each: past_runs(each, 20),
    "history RUN": lambda each: find_run(each, "000123"),
    "rejects list": lambda each: find_rejects(each, RejectFilter()),
    "explain PHONE": lambda each: explain(each, CustomerQuery.from_text(phone(7)), load_locations()),
    "explain PHONE, oddly": lambda each: explain(
        each, CustomerQuery.from_text("98765-43210"), load_locations()
    ),
    "explain BOOKING": lambda each: explain(
        each, CustomerQuery.from_text(lead(9)["bookingNo"]), load_locations()
    ),
    "a location of verify source": lambda each: list(each.scan_records(StepName.BOOKING, "none")),
}


def test_on_mongodb_no_collection_is_scanned(prepared_mongo_url: str) -> None:
    with (
        MongoClient[Document](prepared_mongo_url, tz_aware=True) as client,
        closing(MongoStorage(prepared_mongo_url)) as storage,
    ):
        storage.prepare()
        filled(storage, LEADS)
        raw = client.get_default_database()
        for name, look in LOOKS.items():
            raw.command("profile", 2)
            look(storage)
            raw.command("profile", 0)
            entries = list(raw["system.profile"].find({"appName": "syncctl"}))
            raw["system.profile"].drop()
            assert entries, name
            examined = {
                (each["ns"].partition(".")[2], each.get("planSummary")): max(
                    each.get("docsExamined", 0), each.get("keysExamined", 0)
                )
                for each in entries
            }
            assert {what: count for what, count in examined.items() if count > MOST_EXAMINED} == {}, name


def test_on_sqlite_no_table_is_scanned_and_no_look_takes_longer_with_more_leads(tmp_path: Path) -> None:
    steps: dict[int, dict[str, int]] = {}
    for leads in (LEADS // 10, LEADS):
        steps[leads] = {}
        with closing(SqliteStorage(tmp_path / f"{leads}.db")) as storage:
            storage.prepare()
            filled(storage, leads)
            connection = storage._connection
            assert connection is not None
            for name, look in LOOKS.items():
                statements: list[str] = []
                ticks: list[int] = []
                connection.set_trace_callback(statements.append)
                connection.set_progress_handler(lambda ticks=ticks: ticks.append(1), STEPS_A_TICK)  # type: ignore[misc]
                look(storage)
                connection.set_trace_callback(None)
                connection.set_progress_handler(None, 0)
                plans = [
                    row["detail"]
                    for statement in statements
                    if statement.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"))
                    for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
                ]
                assert plans, name
                assert [plan for plan in plans if SCAN.match(plan)] == [], name
                assert SORT not in plans or name not in {"status", "history"}, name
                steps[leads][name] = len(ticks)
    few, many = steps.values()
    assert {name: (few[name], many[name]) for name in few if many[name] > 1.3 * few[name] + 5} == {}
