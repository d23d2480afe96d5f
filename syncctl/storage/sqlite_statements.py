"""Statements that every table of the SQLite database has in common: look-ups by id, inserts."""

import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from syncctl.storage import sqlite_rows as rows


def where_among(
    connection: sqlite3.Connection, statement: str, column: str, items: Iterable[str]
) -> sqlite3.Cursor:
    """Carry out the statement for the rows whose column holds any of the items, however many they are."""
    condition = f"WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 constants only
    return connection.execute(f"{statement} {condition}", (rows.json_list(items),))


def insert(
    connection: sqlite3.Connection, table: str, row: Mapping[str, Any], verb: str = "INSERT", suffix: str = ""
) -> bool:
    """Insert a row whose columns are its keys, and say whether it was."""
    return connection.execute(_insert_statement(table, tuple(row), verb, suffix), row).rowcount > 0


@cache
def _insert_statement(table: str, columns: tuple[str, ...], verb: str, suffix: str) -> str:
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f":{column}" for column in columns)
    return f"{verb} INTO {table} ({quoted}) VALUES ({values}) {suffix}"


def insert_new(
    connection: sqlite3.Connection, table: str, new_rows: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Insert the rows whose `_id` is not there yet, and give the `_id`s of those inserted."""
    # Not "OR IGNORE": that would drop a row that breaks another rule of the table as well.
    rule = "ON CONFLICT (_id) DO NOTHING"
    return [row["_id"] for row in new_rows if insert(connection, table, row, suffix=rule)]
