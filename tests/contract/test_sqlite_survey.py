"""What a SQLite file reports about itself, and about changes by people and other programs."""

import sqlite3
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from syncctl.domain.run_history import SyncLog
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import StorageError
from syncctl.ports.admin import LastLogs
from syncctl.storage.registry import open_storage
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.samples import MOMENT, lead, record, text_id
from tests.contract.sqlite_database import SqliteDatabase

ADD_LOG = (
    'INSERT INTO synclogs (syncType, "trigger", lastSyncAt, lastSyncCount, status, createdAt, updatedAt)'
    " VALUES (?, ?, ?, ?, ?, 'x', 'x')"
)


def test_facts_of_a_file(sqlite: SqliteStorage, sqlite_database: SqliteDatabase) -> None:
    facts = sqlite.facts()
    assert (facts.kind, facts.version) == ("SQLite", sqlite3.sqlite_version)
    assert (facts.place, facts.topology) == (str(sqlite_database.path), "one file")
    assert facts.durability == "write-ahead log (WAL)"


def test_another_journal_is_told_with_its_cure(
    sqlite: SqliteStorage, sqlite_database: SqliteDatabase
) -> None:
    sqlite.close()
    sqlite_database.run("PRAGMA journal_mode = DELETE")
    with closing(open_storage(sqlite_database.url, for_reading_only=True)) as reader:
        reader.prepare()
        facts = reader.facts()
    assert facts.durability == "rollback journal"
    (caveat,) = facts.caveats
    assert "the next sync" in caveat.message


@pytest.mark.parametrize("content", [None, b""])
def test_a_file_that_is_not_there_yet_is_named(tmp_path: Path, content: bytes | None) -> None:
    path, topology = tmp_path / "data" / "syncctl.db", "one file, not there yet"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
        topology = "one file, still empty"
    with closing(open_storage(f"sqlite:///{path}", for_reading_only=True)) as storage:
        storage.prepare()
        facts = storage.facts()
        assert (facts.place, facts.topology, facts.caveats) == (str(path), topology, ())
        assert (list(storage.scan_leads(["phone"])), storage.open_rejects().count) == ([], 0)
        with pytest.raises(StorageError, match=r"syncctl\.db was opened for reading only"):
            storage.probe_writing()
        with pytest.raises(StorageError, match=r"syncctl\.db was opened for reading only"):
            storage.store_leads([lead(1)], [])
    assert path.exists() == (content is not None)


def test_logs_that_a_person_wrote(sqlite: SqliteStorage, sqlite_database: SqliteDatabase) -> None:
    for entry in (
        ("booking", "auto", "2025-02-01 08:59:27.123", 3, "success"),
        ("booking", "by hand", "2025-02-02", 4, "odd"),
        ("booking", "auto", "yesterday", 5, "success"),
        ("booking", "auto", "now", 6, "success"),
    ):
        sqlite_database.run(ADD_LOG, *entry)
    later = MOMENT.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert sqlite.last_sync_logs() == {
        "booking": LastLogs(
            SyncLog("booking", Trigger.AUTO, later, 4, StepStatus.FAILED, None),
            SyncLog("booking", Trigger.AUTO, MOMENT, 3, StepStatus.SUCCESS, None),
        )
    }


def test_a_scan_that_outlives_the_connection_ends_quietly(sqlite: SqliteStorage) -> None:
    sqlite.store_leads([lead(1), lead(2)], [record(1), record(2)])
    with ExitStack() as readers:
        for scan in (sqlite.scan_leads([]), sqlite.scan_records(record(1).source, record(1).location)):
            assert isinstance(scan, Generator)
            readers.enter_context(closing(scan))
            next(scan)
        sqlite.close()


def test_a_scan_sees_one_moment_although_the_table_is_dropped(
    sqlite: SqliteStorage, sqlite_database: SqliteDatabase
) -> None:
    sqlite.store_leads([lead(n) for n in range(2000)], [])
    scan = sqlite.scan_leads(["phone"])
    first = next(scan)["_id"]
    sqlite_database.run("DROP TABLE leads")
    assert {first, *(each["_id"] for each in scan)} == {text_id(n) for n in range(2000)}
    with pytest.raises(StorageError, match="no such table: leads"):
        list(sqlite.scan_leads(["phone"]))


def test_a_scan_that_outlives_its_database(sqlite: SqliteStorage) -> None:
    sqlite.store_leads([lead(n) for n in range(9)], [])
    scan = sqlite.scan_leads(["phone"])
    next(scan)
    sqlite.close()
    with pytest.raises(StorageError):
        list(scan)


def test_damaged_json_is_told_and_not_quoted(sqlite: SqliteStorage, sqlite_database: SqliteDatabase) -> None:
    sqlite.store_leads([], [record(1)])
    sqlite_database.run("""UPDATE syncrecords SET "values" = '{"name": "Asha"'""")
    for look in (
        lambda: list(sqlite.scan_records("booking", "7")),
        lambda: sqlite.record_values([text_id(1)]),
        lambda: sqlite.records_about([], [], [text_id(1)]),
    ):
        with pytest.raises(StorageError) as caught:
            look()
        assert "Asha" not in str(caught.value)


def test_dates_that_a_person_typed_count_for_their_day(
    sqlite: SqliteStorage, sqlite_database: SqliteDatabase
) -> None:
    typed = (
        "20251231",
        "2025-12-31",
        "2025-12-31 23:30:00-05:00",
        "2026-W01-1",
        "20260101T0030+05:30",
        "2026-01-07T23:59:59.999Z",
        "2026-01-08",
        "2025-12-24T20:00:00-05:00",
        "2026-01-xx",
        "20259999",
        "soon",
    )
    sqlite.store_leads([lead(n) for n in range(len(typed))], [])
    for number, text in enumerate(typed):
        sqlite_database.edit_lead(text_id(number), "createdAt", text)
    first, last = date(2025, 12, 25), date(2026, 1, 7)
    scanned = (each["createdAt"] for each in sqlite.scan_leads(["createdAt"]))
    days = Counter(at.date() for at in scanned if isinstance(at, datetime) and first <= at.date() <= last)
    assert sqlite.leads_per_day(first, last) == days
    assert days.total() == 7
