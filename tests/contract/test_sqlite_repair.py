"""Deleting and restoring on SQLite: values that a person's shell wrote, and other processes beside."""

import json
import threading
from contextlib import closing
from typing import Any

import pytest

from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.ports.admin import LeadSnapshot
from syncctl.storage.sqlite.connection import open_connection, transaction
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.samples import lead, record, text_id
from tests.contract.sqlite_database import SqliteDatabase

ID = text_id(1)


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "1.0",
        "-0.0",
        "'1'",
        "'1.0'",
        "9e999",
        "-9e999",
        "9223372036854775807",
        "0.1",
        "x'00ff'",
        "x''",
        "CAST(x'61ff62' AS TEXT)",
        "CAST(x'ff' AS TEXT)",
        "'a' || char(0) || 'b'",
        '\'{"$binary": "AA=="}\'',
        "NULL",
    ],
)
def test_what_a_shell_wrote_survives(
    sqlite: SqliteStorage, sqlite_database: SqliteDatabase, value: str
) -> None:
    sqlite.store_leads([lead(1)], [])
    fields = ("rating", "remarks", "visitDate", "securityAmount", "followUpFlag", "__v")
    columns = ", ".join(f"{field} = {value}" for field in fields)
    sqlite_database.run(f"UPDATE leads SET {columns}")  # noqa: S608 constants only

    def stored() -> list[dict[str, Any]]:
        shown = ", ".join(f"typeof({field}), CAST({field} AS BLOB)" for field in fields)
        return sqlite_database.run(f"SELECT {shown} FROM leads")  # noqa: S608 constants only

    before = stored()
    taken = sqlite.snapshots([ID])
    assert taken[0].document.isascii()
    assert sqlite.delete_unchanged(taken) == {ID}
    assert sqlite.restore(taken).inserted == {ID}
    assert stored() == before
    assert sqlite.restore(taken).same == {ID}
    assert sqlite.snapshots([ID]) == taken


@pytest.mark.parametrize(
    ("before", "after"), [("1", "1.0"), ("'a'", "x'61'"), ("NULL", "''"), ("'1'", "1"), ("'a'", "'A'")]
)
def test_a_change_of_type_is_a_change(
    sqlite: SqliteStorage, sqlite_database: SqliteDatabase, before: str, after: str
) -> None:
    sqlite.store_leads([lead(1)], [])
    sqlite_database.run(f"UPDATE leads SET rating = {before}")  # noqa: S608 constants only
    taken = sqlite.snapshots([ID])
    sqlite_database.run(f"UPDATE leads SET rating = {after}")  # noqa: S608 constants only
    assert sqlite.delete_unchanged(taken) == set()
    assert sqlite.restore(taken).different == {ID}


def test_undecodable_text_is_read_as_usual_again(
    sqlite: SqliteStorage, sqlite_database: SqliteDatabase
) -> None:
    sqlite.store_leads([lead(1)], [])
    sqlite_database.run("UPDATE leads SET remarks = CAST(x'61ff' AS TEXT)")
    sqlite.snapshots([ID])
    assert list(sqlite.scan_leads(["remarks"])) == [{"_id": ID, "remarks": "a\ufffd"}]


def test_columns_of_a_persons_own_come_along(sqlite: SqliteStorage, sqlite_database: SqliteDatabase) -> None:
    sqlite.store_leads([lead(1), lead(2)], [])
    sqlite_database.run('ALTER TABLE leads ADD COLUMN "my ""own"" one" TEXT')
    sqlite_database.run('UPDATE leads SET "my ""own"" one" = \'kept\'')
    taken = sqlite.snapshots([ID])
    assert sqlite.delete_unchanged(taken) == {ID}
    assert sqlite.restore(taken).inserted == {ID}
    assert sqlite.snapshots([ID]) == taken

    sqlite.delete_unchanged(taken)
    sqlite_database.run('ALTER TABLE leads DROP COLUMN "my ""own"" one"')
    with pytest.raises(StorageError, match='no longer has: my "own" one'):
        sqlite.restore(taken)
    assert len(list(sqlite.scan_leads(["phone"]))) == 1


@pytest.mark.parametrize(
    "value", [{"$binary": 5}, {"$binary": "%"}, {"$text": None}, {"$oid": ID}, [1], 2**70]
)
def test_an_edited_line_puts_nothing_back(sqlite: SqliteStorage, value: Any) -> None:
    sqlite.store_leads([lead(1), lead(2)], [])
    one, other = sqlite.snapshots([text_id(1), text_id(2)])
    sqlite.delete_unchanged([one, other])
    edited = json.dumps({**json.loads(other.document), "rating": value})
    with pytest.raises(StorageError):
        sqlite.restore([one, LeadSnapshot(other.lead_id, edited)])
    assert len(list(sqlite.scan_leads(["phone"]))) == 0


def test_a_writer_beside_is_waited_for_and_its_edit_kept(
    sqlite: SqliteStorage, sqlite_database: SqliteDatabase
) -> None:
    sqlite.store_leads([lead(1), lead(2)], [])
    taken = sqlite.snapshots([text_id(1), text_id(2)])
    gone: list[set[str]] = []

    def delete() -> None:
        with closing(SqliteStorage(sqlite_database.path)) as patient:
            gone.append(patient.delete_unchanged(taken))

    with closing(open_connection(sqlite_database.path, read_only=False, busy_timeout_s=0)) as telecaller:
        with transaction(telecaller):
            telecaller.execute("UPDATE leads SET remarks = 'call back' WHERE _id = ?", (ID,))
            deleting = threading.Thread(target=delete)
            deleting.start()
        deleting.join()
    assert gone == [{text_id(2)}]
    assert sqlite.leads([ID])[ID]["remarks"] == "call back"


def test_a_locked_file_can_not_be_written(sqlite: SqliteStorage, sqlite_database: SqliteDatabase) -> None:
    sqlite.store_leads([lead(1)], [record(1)])
    taken = sqlite.snapshots([ID])
    with (
        closing(open_connection(sqlite_database.path, read_only=False, busy_timeout_s=0)) as other,
        transaction(other),
    ):
        for write in (
            sqlite.probe_writing,
            lambda: sqlite.delete_unchanged(taken),
            lambda: sqlite.restore(taken),
            lambda: sqlite.repoint_records({ID: text_id(2)}),
        ):
            with pytest.raises(StorageUnavailableError, match="in use by another process"):
                write()
    assert sqlite.recorded_leads([ID]) == {ID}
