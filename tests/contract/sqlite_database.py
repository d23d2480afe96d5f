"""A SQLite database as a person gets at it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncctl.domain.lead_values import Document
from syncctl.storage.sqlite.rows import date_text


@dataclass(frozen=True)
class SqliteDatabase:
    """The file, as the sqlite3 shell would open it."""

    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def add_report(self, report_id: str, report: Document) -> None:
        self.run("INSERT INTO reports VALUES (?, ?)", report_id, json.dumps(report, default=date_text))

    def edit_lead(self, lead_id: str, field: str, value: Any) -> None:
        self.run(f"UPDATE leads SET {field} = ? WHERE _id = ?", value, lead_id)  # noqa: S608

    def delete_lead(self, lead_id: str) -> None:
        self.run("DELETE FROM leads WHERE _id = ?", lead_id)

    def key_rules(self) -> int | None:
        return next((row["version"] for row in self.run("SELECT version FROM synckeyrules")), None)

    def set_key_rules(self, version: int | None) -> None:
        self.run("DELETE FROM synckeyrules")
        if version is not None:
            self.run("INSERT INTO synckeyrules VALUES (?)", version)

    def count(self, collection: str) -> int:
        return len(self.run(f"SELECT 1 FROM {collection}"))  # noqa: S608
