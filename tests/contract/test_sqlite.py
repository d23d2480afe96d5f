"""The SQLite adapter: the contract, its tables as a person sees them, and what goes wrong with files."""

import json
import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.lead_values import LeadChange
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import LeadType, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.domain.stores import Store
from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.ports.waiting import DatabaseWait
from syncctl.storage.common.app_collections import store_id
from syncctl.storage.sqlite.connection import open_connection, translated
from syncctl.storage.sqlite.leads import FIND_LEADS, FIND_REPORTS
from syncctl.storage.sqlite.records import RECORDS_ABOUT
from syncctl.storage.sqlite.schema import MIGRATIONS
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.samples import DIALECT, MOMENT, lead, phone, record, reject, text_id
from tests.contract.sqlite_database import SqliteDatabase
from tests.contract.storage_suite import StorageSuite
from tests.support.waits import seen_waits

MOMENT_TEXT = "2025-02-01T08:59:27.123Z"


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    return SqliteDatabase(tmp_path / "folder with ? and #" / "syncctl.db")


@pytest.fixture
def storage(database: SqliteDatabase) -> Iterator[SqliteStorage]:
    storage = SqliteStorage(database.path, busy_timeout_s=0.05, now=lambda: MOMENT)
    storage.prepare()
    yield storage
    storage.close()


class TestContract(StorageSuite):
    """The whole contract, on a file."""


class TestTables:
    def test_a_lead_has_a_column_per_field(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        storage.store_leads([lead(1)], [])
        (row,) = database.run("SELECT * FROM leads")
        assert {field: value for field, value in row.items() if value is not None} == {
            "_id": text_id(1),
            "leadType": "bookingConfirmation",
            "source": "Booking",
            "name": "Customer 1",
            "phone": "9000000001",
            "store": "Suitor Guy - Calicut",
            "bookingNo": "2025000000001",
            "functionDate": "2025-03-01T00:00:00.000Z",
            "createdAt": MOMENT_TEXT,
            "updatedAt": MOMENT_TEXT,
            "securityAmount": 1500.5,
            "remarks": "",
            "callStatus": "Not Called",
            "leadStatus": "No Status",
            "followUpFlag": 0,
            "__v": 0,
        }

    def test_the_other_tables_have_theirs(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        storage.store_leads([], [record(1)])
        storage.update_records([record(1)])
        storage.add_rejects([reject(1)])
        storage.add_stores([Store("Suitor Guy - Calicut", "13", "Suitor Guy", "", True)])
        storage.save_location_states(StepName.BOOKING, [LocationState("7", MOMENT, None, MOMENT, True, 3)])
        storage.add_sync_log(SyncLog("booking", Trigger.AUTO, MOMENT, 15, StepStatus.PARTIAL, "3 failed"))
        storage.save_file_hash("walkin", "a.xlsx", "hash")
        storage.save_run(RunEntry("run 1", MOMENT, {"ok": True}))

        (kept,) = database.run("SELECT * FROM syncrecords")
        assert json.loads(kept.pop("values")) == {
            "leadType": "bookingConfirmation",
            "name": "Customer 1",
            "phone": "9000000001",
            "createdAt": MOMENT_TEXT,
            "securityAmount": 1500.5,
        }
        assert kept == {
            "_id": text_id(1),
            "key": "booking 1",
            "leadId": text_id(1),
            "source": "booking",
            "location": "7",
            "replacedBy": None,
            "corrections": None,
            "correctedAt": None,
            "fingerprint": "print 1",
            "reportId": None,
            "written": None,
            "firstSeenAt": MOMENT_TEXT,
            "firstRunId": "run 1",
            "changedAt": MOMENT_TEXT,
        }
        assert database.run("SELECT * FROM syncrejects") == [
            {
                "_id": text_id(1),
                "source": "booking",
                "location": "7",
                "store": "Suitor Guy - Calicut",
                "position": "row 1",
                "reason": "no phone number",
                "row": '{"customerName": "Customer"}',
                "runId": "run 1",
                "rejectedAt": MOMENT_TEXT,
                "closedAs": None,
                "closedAt": None,
            }
        ]
        assert database.run("SELECT * FROM stores") == [
            {
                "_id": store_id("Suitor Guy - Calicut"),
                "name": "Suitor Guy - Calicut",
                "code": "13",
                "brand": "Suitor Guy",
                "city": None,
                "isActive": 1,
                "createdAt": MOMENT_TEXT,
                "updatedAt": MOMENT_TEXT,
                "__v": 0,
            }
        ]
        assert database.run("SELECT * FROM syncstate") == [
            {
                "report": "booking",
                "location": "7",
                "watermark": MOMENT_TEXT,
                "askedAt": None,
                "triedAt": MOMENT_TEXT,
                "dormant": 1,
                "dueAgain": 3,
                "recent": 0,
                "auditedAt": None,
                "auditTriedAt": None,
                "doubtedSince": None,
            }
        ]
        assert database.run("SELECT * FROM syncfiles") == [
            {"kind": "walkin", "name": "a.xlsx", "contentHash": "hash", "importedAt": MOMENT_TEXT}
        ]
        assert database.run("SELECT * FROM synclogs") == [
            {
                "_id": 1,
                "syncType": "booking",
                "trigger": "auto",
                "lastSyncAt": MOMENT_TEXT,
                "lastSyncCount": 15,
                "status": "partial",
                "errorMessage": "3 failed",
                "createdAt": MOMENT_TEXT,
                "updatedAt": MOMENT_TEXT,
                "__v": 0,
            }
        ]
        assert database.run("SELECT * FROM syncruns") == [
            {"_id": "run 1", "startedAt": MOMENT_TEXT, "document": '{"ok": true}'}
        ]

    def test_what_a_person_writes_is_read(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        database.run("INSERT INTO leads (_id, name, phone, store) VALUES ('x', 'A', 9000000001, 'B')")
        database.run(
            "UPDATE leads SET leadType = 'bookingConfirmation', followUpFlag = 1,"
            " followUpDate = '2025-03-01', callDate = 'Monday', assignedTo = 'Staff A'"
        )
        assert storage.find_leads(LeadType.BOOKING, [], [phone(1)]) == [
            {
                "_id": "x",
                "leadType": "bookingConfirmation",
                "name": "A",
                "phone": phone(1),
                "store": "B",
                "remarks": "",
                "callStatus": "Not Called",
                "leadStatus": "No Status",
                "followUpFlag": True,
                "followUpDate": datetime(2025, 3, 1, tzinfo=UTC),
                "callDate": "Monday",
                "assignedTo": "Staff A",
                "__v": 0,
            }
        ]

    def test_what_a_person_writes_is_compared_as_it_is_read(
        self, storage: SqliteStorage, database: SqliteDatabase
    ) -> None:
        storage.store_leads([lead(1), lead(2)], [])
        database.run("UPDATE leads SET functionDate = '2025-03-04', remarks = CAST(x'4ae9' AS TEXT)")
        database.run("UPDATE leads SET functionDate = 'March' WHERE _id = ?", text_id(2))
        read = storage.leads([text_id(1), text_id(2)])
        changes = [
            LeadChange(
                lead_id,
                {field: document[field] for field in ("functionDate", "remarks")},
                {"functionDate": MOMENT, "remarks": "news"},
            )
            for lead_id, document in read.items()
        ]
        assert storage.update_leads(changes) == read.keys()
        assert {row["functionDate"] for row in database.run("SELECT * FROM leads")} == {MOMENT_TEXT}

    def test_text_in_another_encoding_is_read(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        storage.store_leads([lead(1)], [])
        database.run("UPDATE leads SET remarks = CAST(x'4ae9' AS TEXT)")
        assert storage.find_leads(LeadType.BOOKING, [], [phone(1)]) == [lead(1, remarks="J\ufffd")]

    def test_a_scan_reads_text_in_another_encoding_and_no_lead_twice(
        self, storage: SqliteStorage, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncctl.storage.sqlite.session.SLICE", 2)
        storage.store_leads([lead(n) for n in range(7)], [])
        database.run("UPDATE leads SET name = CAST(x'4ae9' AS TEXT) WHERE _id = ?", text_id(3))
        found = [(each["_id"], each["name"]) for each in storage.scan_leads(["name"])]
        names = [(text_id(n), lead(n)["name"]) for n in range(7)]
        assert found == [*names[:3], (text_id(3), "J\ufffd"), *names[4:]]

    @pytest.mark.parametrize("query", [FIND_LEADS, FIND_REPORTS, RECORDS_ABOUT])
    def test_look_ups_use_indexes(self, storage: SqliteStorage, database: SqliteDatabase, query: str) -> None:
        names = ("lead_type", "booking_numbers", "phones", "lead_ids", "moments", "names", "midnights")
        with closing(sqlite3.connect(database.path)) as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", dict.fromkeys(names, "[]")).fetchall()
        steps = [str(step[3]) for step in plan]
        assert any(step.startswith("SEARCH") for step in steps)
        assert not [step for step in steps if step.startswith("SCAN") and "json_each" not in step]

    def test_a_field_without_a_column_is_named(self, storage: SqliteStorage) -> None:
        with pytest.raises(StorageError, match=r"no field bookedBy, shoeSize in"):
            storage.store_leads([lead(1, shoeSize=9, bookedBy="x")], [])

        for change in (
            LeadChange(text_id(1), {}, {"shoeSize": 9, "bookedBy": "x"}),
            LeadChange(text_id(1), {"shoeSize": 8, "bookedBy": "x"}, {"remarks": "x"}),
        ):
            with pytest.raises(StorageError, match=r"no field bookedBy, shoeSize in"):
                storage.update_leads([change])

    def test_leads_are_changed_together_or_not(self, storage: SqliteStorage) -> None:
        storage.store_leads([lead(1), lead(2)], [])
        first = LeadChange(text_id(1), {"remarks": ""}, {"remarks": "new"})
        second = LeadChange(text_id(2), {"name": "Customer 2"}, {"name": None})
        with pytest.raises(StorageError, match=r"NOT NULL constraint failed: leads\.name"):
            storage.update_leads([first, second])
        assert storage.leads([text_id(1), text_id(2)]) == {text_id(1): lead(1), text_id(2): lead(2)}

    def test_leads_and_records_are_stored_together_or_not(self, storage: SqliteStorage) -> None:
        with pytest.raises(StorageError):
            storage.store_leads([lead(1)], [record(1), record(2, key="\ud800")])
        assert storage.present_leads([text_id(1)]) == set()
        assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}

    def test_a_lead_without_a_required_field_is_no_duplicate(self, storage: SqliteStorage) -> None:
        with pytest.raises(StorageError, match=r"NOT NULL constraint failed: leads\.phone"):
            storage.store_leads([lead(1, phone=None)], [])


class TestFiles:
    def test_file_and_folder_are_private(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        storage.store_leads([lead(1)], [])
        modes = {entry.name: entry.stat().st_mode & 0o777 for entry in database.path.parent.iterdir()}
        assert modes == dict.fromkeys(("syncctl.db", "syncctl.db-wal", "syncctl.db-shm"), 0o600)
        assert database.path.parent.stat().st_mode & 0o777 == 0o700
        storage.close()
        assert [entry.name for entry in database.path.parent.iterdir()] == ["syncctl.db"]

    def test_rights_that_a_person_gave_are_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "syncctl.db"
        path.touch(mode=0o640)
        path.chmod(0o640)
        with closing(SqliteStorage(path)) as storage:
            storage.prepare()
        assert path.stat().st_mode & 0o777 == 0o640

    def test_locked_by_another_for_too_long(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        with closing(sqlite3.connect(database.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert storage.store_list() == {}
            with pytest.raises(
                StorageUnavailableError, match=r"syncctl\.db is still in use by another process"
            ):
                storage.store_leads([lead(1)], [])
        assert storage.store_leads([lead(1)], []) == {text_id(1)}

    def test_locked_while_the_journal_is_chosen(self, tmp_path: Path) -> None:
        path = tmp_path / "syncctl.db"
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE anything (a)")
            other.execute("BEGIN IMMEDIATE")
            with closing(open_connection(path, read_only=False, busy_timeout_s=0.05)) as connection:
                assert connection.execute("SELECT count(*) FROM anything").fetchone()[0] == 0

    def test_reading_only_reads_beside_a_writer(
        self, storage: SqliteStorage, database: SqliteDatabase
    ) -> None:
        with closing(SqliteStorage(database.path, read_only=True)) as reader:
            reader.prepare()
            storage.store_leads([lead(1)], [])
            assert reader.present_leads([text_id(1)]) == {text_id(1)}
            with pytest.raises(StorageError, match="opened for reading only"):
                reader.store_leads([lead(2)], [])

    def test_in_memory_nothing_is_made(self) -> None:
        with closing(SqliteStorage(None)) as storage:
            assert storage.is_empty()
            storage.prepare()
            assert not storage.is_empty()
            assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}
            assert storage.find_leads(LeadType.BOOKING, [], [phone(1)]) == [lead(1)]

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "letter.txt"
        path.write_text("Dear customer, " * 100)
        with (
            closing(SqliteStorage(path)) as storage,
            pytest.raises(StorageUnavailableError, match=r"letter\.txt isn't a SQLite database"),
        ):
            storage.prepare()
        assert path.read_text().startswith("Dear customer")

    def test_a_truncated_file(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        storage.store_leads([lead(n) for n in range(300)], [])
        storage.close()
        os.truncate(database.path, database.path.stat().st_size // 2)
        with pytest.raises(
            StorageUnavailableError, match=r"is damaged: stop syncctl, .* backup, .* \.recover"
        ):
            storage.find_leads(LeadType.BOOKING, [], [phone(n) for n in range(300)])

    def test_overwritten_pages(self, storage: SqliteStorage, database: SqliteDatabase) -> None:
        storage.store_leads([lead(n) for n in range(300)], [])
        storage.close()
        content = database.path.read_bytes()
        database.path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        for look in (storage.open_rejects, storage.stores, lambda: storage.store_leads([lead(999)], [])):
            with pytest.raises(StorageUnavailableError, match="is damaged: stop syncctl"):
                look()

    @pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_NOTADB])
    def test_a_disk_or_header_that_fails(self, code: int) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        with pytest.raises(StorageUnavailableError, match="stop syncctl"), translated("a.db"):
            raise error

    def test_a_full_disk(self, tmp_path: Path) -> None:
        with closing(open_connection(tmp_path / "full.db", read_only=False, busy_timeout_s=0)) as connection:
            connection.execute("PRAGMA max_page_count = 1")
            with pytest.raises(StorageError, match=r"full\.db has no room left"), translated("full.db"):
                connection.execute("CREATE TABLE leads (_id)")

    def test_a_folder_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()
        for read_only in (False, True):
            with (
                closing(SqliteStorage(tmp_path / "data" / "syncctl.db", read_only=read_only)) as storage,
                pytest.raises(StorageUnavailableError, match="can't be opened"),
            ):
                storage.prepare()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_without_write_permission(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir(mode=0o500)
        with (
            closing(SqliteStorage(tmp_path / "data" / "syncctl.db")) as storage,
            pytest.raises(StorageUnavailableError, match="can't be opened: Permission denied"),
        ):
            storage.prepare()

    @pytest.mark.parametrize("read_only", [False, True])
    def test_a_newer_version(self, storage: SqliteStorage, database: SqliteDatabase, read_only: bool) -> None:
        database.run("PRAGMA user_version = 99")
        with (
            closing(SqliteStorage(database.path, read_only=read_only)) as later,
            pytest.raises(StorageError, match="newer syncctl: upgrade this one"),
        ):
            later.prepare()

    def test_a_file_of_before_audits_and_dialects(self, tmp_path: Path) -> None:
        older = SqliteDatabase(tmp_path / "older.db")
        for statement in MIGRATIONS[0]:
            older.run(statement)
        older.run("PRAGMA user_version = 1")
        older.run(
            "INSERT INTO syncstate (report, location, watermark, dormant, dueAgain) VALUES (?, ?, ?, 0, 3)",
            *("booking", "7", MOMENT_TEXT),
        )
        with closing(SqliteStorage(older.path)) as storage:
            storage.prepare()
            assert storage.location_states(StepName.BOOKING) == {"7": LocationState("7", MOMENT, due_again=3)}
            assert storage.dialects() == {}
            storage.save_dialect(DIALECT)
            assert storage.dialects() == {DIALECT.report: DIALECT}

    def test_a_file_of_before_a_lead_had_some_field(
        self, storage: SqliteStorage, database: SqliteDatabase
    ) -> None:
        described = "SELECT name, type, dflt_value FROM pragma_table_info('leads') ORDER BY name"
        tables = database.run(described)
        assert {column["name"] for column in tables} == LEAD_FIELDS.keys()
        database.run("DROP INDEX leads_createdAt")
        added = LEAD_FIELDS.keys() - {"_id", "name", "phone", "store", "bookingNo", "leadType"}
        for field in added:
            database.run(f"ALTER TABLE leads DROP COLUMN {field}")
        storage.prepare()
        assert database.run(described) == tables
        storage.store_leads([lead(1)], [])
        assert storage.leads([text_id(1)]) == {text_id(1): lead(1)}

    def test_another_programs_database(self, tmp_path: Path) -> None:
        other = SqliteDatabase(tmp_path / "other.db")
        other.run("CREATE TABLE leads (title)")
        with (
            closing(SqliteStorage(other.path)) as storage,
            pytest.raises(StorageError, match="another program's tables"),
        ):
            storage.prepare()
        assert other.run("SELECT name FROM sqlite_master") == [{"name": "leads"}]

    def test_before_its_tables_are_made(self, tmp_path: Path) -> None:
        with (
            closing(SqliteStorage(tmp_path / "empty.db")) as storage,
            pytest.raises(StorageError, match="no such table: stores"),
        ):
            storage.stores()


class TestWaiting:
    """For what other processes have locked."""

    def test_no_longer_than_until_the_deadline(self, database: SqliteDatabase) -> None:
        with closing(SqliteStorage(database.path, busy_timeout_s=60.0)) as storage:
            storage.prepare()
            storage.set_deadline(time.monotonic() + 0.1)
            with seen_waits() as waits:
                assert 1.5 < waited_s(storage, database) < 10
            assert waits
            assert all(isinstance(wait, DatabaseWait) and wait.limit_s < 10 for wait in waits)

    def test_without_a_deadline_as_long_as_ever(self, database: SqliteDatabase) -> None:
        with closing(SqliteStorage(database.path, busy_timeout_s=3.0)) as storage:
            storage.prepare()
            storage.set_deadline(time.monotonic())
            storage.stores()
            storage.set_deadline(math.inf)
            assert waited_s(storage, database) > 2.5


def waited_s(storage: SqliteStorage, database: SqliteDatabase) -> float:
    """How long a write waits, in vain."""
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(StorageUnavailableError, match="in use by another process"):
            storage.store_leads([lead(1)], [record(1)])
        return time.monotonic() - begun
