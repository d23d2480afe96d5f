"""The tables of the SQLite database, and how an older one is brought up to date."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from syncctl.domain.identity import KEY_RULES
from syncctl.domain.lead_fields import LEAD_FIELDS, LeadField
from syncctl.errors import NewerDatabaseError, StorageError
from syncctl.storage.common.report_paths import (
    BOOKING_PATHS,
    CREATED_PATHS,
    LEAD_ID_PATHS,
    NAME_PATHS,
    PHONE_PATHS,
)
from syncctl.storage.sqlite.connection import transaction
from syncctl.storage.sqlite.looking import LOOKING

# Columns are named as the fields of contract/database.md, with Mongoose's defaults for rows added by hand.
# Fields that `domain/lead_fields.py` has beyond these are added by `migrate`.
_LEADS = """
CREATE TABLE leads (
    _id TEXT PRIMARY KEY NOT NULL,
    leadType TEXT,
    source TEXT,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    store TEXT NOT NULL,
    bookingNo TEXT,
    enquiryDate TEXT,
    visitDate TEXT,
    functionDate TEXT,
    returnDate TEXT,
    createdAt TEXT,
    updatedAt TEXT,
    securityAmount REAL,
    enquiryType TEXT,
    closingStatus TEXT,
    reason TEXT,
    reasonCollectedFromStore TEXT,
    attendedBy TEXT,
    remarks TEXT DEFAULT '',
    callStatus TEXT DEFAULT 'Not Called',
    leadStatus TEXT DEFAULT 'No Status',
    followUpFlag INTEGER DEFAULT 0,
    followUpDate TEXT,
    callDate TEXT,
    rating,
    assignedTo TEXT,
    assignedAt TEXT,
    __v INTEGER DEFAULT 0
)"""

_STORES = """
CREATE TABLE stores (
    _id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    code TEXT,
    brand TEXT,
    city TEXT,
    isActive INTEGER NOT NULL DEFAULT 1,
    createdAt TEXT,
    updatedAt TEXT,
    __v INTEGER NOT NULL DEFAULT 0
)"""

_SYNCLOGS = """
CREATE TABLE synclogs (
    _id INTEGER PRIMARY KEY,
    syncType TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    lastSyncAt TEXT NOT NULL,
    lastSyncCount INTEGER NOT NULL,
    status TEXT NOT NULL,
    errorMessage TEXT,
    createdAt TEXT NOT NULL,
    updatedAt TEXT NOT NULL,
    __v INTEGER NOT NULL DEFAULT 0
)"""

_SYNCRECORDS = """
CREATE TABLE syncrecords (
    _id TEXT PRIMARY KEY NOT NULL,
    key TEXT NOT NULL,
    leadId TEXT NOT NULL,
    source TEXT NOT NULL,
    location TEXT NOT NULL,
    "values" TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    firstSeenAt TEXT NOT NULL,
    firstRunId TEXT NOT NULL,
    changedAt TEXT
)"""

_SYNCREJECTS = """
CREATE TABLE syncrejects (
    _id TEXT PRIMARY KEY NOT NULL,
    source TEXT NOT NULL,
    location TEXT NOT NULL,
    store TEXT NOT NULL,
    position TEXT NOT NULL,
    reason TEXT NOT NULL,
    "row" TEXT NOT NULL,
    runId TEXT NOT NULL,
    rejectedAt TEXT NOT NULL
)"""

_SYNCSTATE = """
CREATE TABLE syncstate (
    report TEXT NOT NULL,
    location TEXT NOT NULL,
    watermark TEXT,
    askedAt TEXT,
    triedAt TEXT,
    dormant INTEGER NOT NULL,
    dueAgain INTEGER NOT NULL,
    PRIMARY KEY (report, location)
)"""

_SYNCFILES = """
CREATE TABLE syncfiles (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    contentHash TEXT NOT NULL,
    importedAt TEXT NOT NULL,
    PRIMARY KEY (kind, name)
)"""

_REPORTS = """
CREATE TABLE reports (
    _id TEXT PRIMARY KEY NOT NULL,
    document TEXT NOT NULL CHECK (json_type(document) = 'object')
)"""

_SYNCSTORELIST = """
CREATE TABLE syncstorelist (
    code TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    fetchedAt TEXT NOT NULL
)"""

_SYNCRUNS = """
CREATE TABLE syncruns (
    _id TEXT PRIMARY KEY NOT NULL,
    startedAt TEXT NOT NULL,
    document TEXT NOT NULL
)"""

_SYNCIMPORTS = """
CREATE TABLE syncimports (
    _id TEXT PRIMARY KEY NOT NULL,
    startedAt TEXT,
    note TEXT NOT NULL
)"""


def record_value(field: str) -> str:
    """The expression for one of a record's values. A damaged row has none: it must not fail the others."""
    return f'CASE WHEN json_valid("values") THEN json_extract("values", \'$.{field}\') END'


MIGRATIONS: Sequence[Sequence[str]] = (
    (
        _LEADS,
        "CREATE INDEX leads_phone ON leads (phone)",
        "CREATE INDEX leads_bookingNo ON leads (bookingNo, phone, leadType)",
        _REPORTS,
        *(
            f"CREATE INDEX \"reports_{path}\" ON reports (json_extract(document, '$.{path}'))"
            for path in (*LEAD_ID_PATHS, *PHONE_PATHS, *BOOKING_PATHS)
        ),
        _STORES,
        _SYNCLOGS,
        _SYNCRECORDS,
        "CREATE INDEX syncrecords_leadId ON syncrecords (leadId)",
        _SYNCREJECTS,
        "CREATE INDEX syncrejects_source ON syncrejects (source, location)",
        _SYNCSTATE,
        _SYNCFILES,
        _SYNCSTORELIST,
        _SYNCRUNS,
        "CREATE INDEX syncruns_startedAt ON syncruns (startedAt)",
    ),
    (
        "ALTER TABLE syncrecords ADD COLUMN reportId TEXT",
        "CREATE UNIQUE INDEX syncrecords_reportId ON syncrecords (reportId)",
        *(
            f"CREATE INDEX syncrecords_{field} ON syncrecords ({record_value(field)})"
            for field in ("phone", "bookingNo", "createdAt")
        ),
        "CREATE INDEX leads_createdAt ON leads (createdAt)",
        "CREATE INDEX leads_name ON leads (name)",
        *(
            f"CREATE INDEX \"reports_{path}\" ON reports (json_extract(document, '$.{path}'))"
            for path in (*NAME_PATHS, *CREATED_PATHS)
        ),
        "CREATE TABLE users (_id TEXT PRIMARY KEY NOT NULL, name TEXT)",
        "ALTER TABLE syncstate ADD COLUMN recent INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE syncstate ADD COLUMN auditedAt TEXT",
        "ALTER TABLE syncstate ADD COLUMN auditTriedAt TEXT",
        "ALTER TABLE syncstate ADD COLUMN doubtedSince TEXT",
        "CREATE TABLE syncdialects (report TEXT PRIMARY KEY NOT NULL, document TEXT NOT NULL)",
    ),
    ("ALTER TABLE syncrecords ADD COLUMN written TEXT",),
    (
        "ALTER TABLE syncrecords ADD COLUMN replacedBy TEXT",
        "ALTER TABLE syncrecords ADD COLUMN corrections TEXT",
        "ALTER TABLE syncrecords ADD COLUMN correctedAt TEXT",
        "CREATE INDEX syncrecords_correctedAt ON syncrecords (correctedAt)",
    ),
    ("CREATE TABLE synckeyrules (version INTEGER NOT NULL)",),
    (
        "ALTER TABLE syncrejects ADD COLUMN closedAs TEXT",
        "ALTER TABLE syncrejects ADD COLUMN closedAt TEXT",
        _SYNCIMPORTS,
        "CREATE INDEX syncimports_startedAt ON syncimports (startedAt) WHERE startedAt IS NOT NULL",
    ),
    LOOKING,
    ("CREATE INDEX syncrecords_source ON syncrecords (source, location)",),
)
"""Statements that lead from each version to the next. Released ones are never changed: add another."""


KEY_RULES_SINCE = 3
"""The version from which on the database says by which rules its keys are made."""


def check_version(connection: sqlite3.Connection, place: str) -> int:
    """The database's version: how many of MIGRATIONS it has; 0: it holds nothing of syncctl's. Raises
    NewerDatabaseError where a newer syncctl has been at work on `place`."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS) or _key_rules(connection, version) > KEY_RULES:
        raise NewerDatabaseError(place)
    return version


def _key_rules(connection: sqlite3.Connection, version: int) -> int:
    """The version of the key rules that the records in a database of this version have been made by."""
    if version < KEY_RULES_SINCE:
        return 1
    found = connection.execute(
        "SELECT max(version) FROM synckeyrules WHERE typeof(version) = 'integer'"
    ).fetchone()[0]
    return 1 if found is None else int(found)


_COLUMN_TYPES = {str: "TEXT", datetime: "TEXT", float: "REAL", int: "INTEGER", bool: "INTEGER", object: ""}


def column_definition(field: LeadField) -> str:
    """A lead field as a column: its name, its type, and its default for rows added by hand."""
    definition = f'"{field.name}" {_COLUMN_TYPES[field.value_type]}'
    if field.default is None:
        return definition
    literal = f"'{field.default}'" if isinstance(field.default, str) else int(field.default)
    return f"{definition} DEFAULT {literal}"


def _fields_without_column(connection: sqlite3.Connection) -> list[LeadField]:
    columns = {row["name"] for row in connection.execute("PRAGMA table_info(leads)")}
    if not columns:  # without the table there is nothing to add to
        return []
    return [field for name, field in LEAD_FIELDS.items() if name not in columns]


def migrate(connection: sqlite3.Connection, place: str) -> None:
    """Bring the tables up to date, all or nothing; no write where they are.

    Raises StorageError where a newer syncctl or another program has been at work on `place`.
    """
    version = check_version(connection, place)
    is_current = version == len(MIGRATIONS) and _key_rules(connection, version) == KEY_RULES
    if is_current and not _fields_without_column(connection):
        return
    with transaction(connection):
        version = check_version(connection, place)  # another process may have changed it meanwhile
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise StorageError(
                f"{place} holds another program's tables: choose another file in DATABASE_URL."
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        for field in _fields_without_column(connection):
            connection.execute(f"ALTER TABLE leads ADD COLUMN {column_definition(field)}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        # Earlier rules' records are found too: docs/decisions/0003-key-rules-have-a-version.md.
        connection.execute("DELETE FROM synckeyrules")
        connection.execute("INSERT INTO synckeyrules VALUES (?)", (KEY_RULES,))
