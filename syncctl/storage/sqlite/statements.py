"""Statements that every table of the SQLite database has in common: look-ups by id, inserts."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain, islice
from typing import Any

from syncctl.ports.storage import Created
from syncctl.storage.sqlite import rows

MOST_PARAMETERS = 999
"""Of one statement, by the oldest SQLite's limit (https://www.sqlite.org/limits.html)."""

REPORTS_OF_CORRECTIONS = """
SELECT json_extract(made.value, '$.reportId') AS reportId
FROM syncrecords, json_each(CASE WHEN json_valid(corrections) THEN corrections ELSE '[]' END) AS made
WHERE correctedAt > '' AND made.type = 'object'
    AND json_extract(made.value, '$.reportId') IN (SELECT value FROM json_each(:report_ids))
"""
"""The index of `correctedAt` has the few records that were corrected. For IS NOT NULL SQLite goes through all
of them instead."""


def where_among(
    connection: sqlite3.Connection, statement: str, column: str, items: Iterable[str]
) -> sqlite3.Cursor:
    """Run the statement for the rows whose column holds any of the items, however many they are."""
    condition = f"WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 constants only
    return connection.execute(f"{statement} {condition}", (rows.json_list(items),))


def insert(
    connection: sqlite3.Connection, table: str, *new_rows: Mapping[str, Any], verb: str = "INSERT OR FAIL"
) -> None:
    """Insert rows whose columns are their keys, the same for all of them. Within a transaction: it is rolled
    back whole where one is refused, so the statement needs no journal of its own (hence "OR FAIL")."""
    for batch in _batches(new_rows):
        statement = _insert_statement(table, tuple(batch[0]), len(batch), verb)
        connection.execute(statement, list(chain.from_iterable(row.values() for row in batch)))


def _batches(new_rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """As many rows in each as one statement takes: each lets the other threads in, and waits for them."""
    remaining = iter(new_rows)
    while first := list(islice(remaining, 1)):
        yield first + list(islice(remaining, MOST_PARAMETERS // len(first[0]) - 1))


@cache
def _insert_statement(table: str, columns: tuple[str, ...], count: int, verb: str) -> str:
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join("?" * len(columns))
    return f"{verb} INTO {table} ({quoted}) VALUES {', '.join([f'({values})'] * count)}"


def insert_new(
    connection: sqlite3.Connection, table: str, new_rows: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Insert the rows whose `_id` is not there yet, and give the `_id`s of those inserted. Within a
    transaction, so that nobody else inserts between look and leap."""
    by_id: dict[str, Mapping[str, Any]] = {}
    for row in new_rows:
        by_id.setdefault(row["_id"], row)
    query = f"SELECT _id FROM {table}"  # noqa: S608 constants only
    for (known,) in where_among(connection, query, "_id", by_id):
        by_id.pop(known, None)
    insert(connection, table, *by_id.values())
    return list(by_id)


def look_up_parameters(created: Created, **lists: Collection[str | int]) -> dict[str, str]:
    """The parameters of a look-up: lists by name, and those that stand for a time of creation."""
    return {
        **{name: rows.json_list(items) for name, items in lists.items()},
        "moments": rows.json_list(created.moments),
        "names": rows.json_list(created.names),
        "midnights": rows.json_list(created.midnights),
    }


def paired_reports(connection: sqlite3.Connection, report_ids: Iterable[str]) -> set[str]:
    """Those of these reports that have finished a record, an earlier lead of it included."""
    found = where_among(connection, "SELECT reportId FROM syncrecords", "reportId", report_ids)
    paired = {row["reportId"] for row in found}
    earlier = connection.execute(REPORTS_OF_CORRECTIONS, {"report_ids": rows.json_list(report_ids)})
    return paired | {row["reportId"] for row in earlier}
