"""A transaction that a signal strikes just as it begins."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from syncctl.storage.sqlite.connection import transaction


class Struck(sqlite3.Connection):
    """Is interrupted once, right after it has begun a transaction."""

    strikes = 1

    def execute(self, statement: str, *given: Any) -> sqlite3.Cursor:
        cursor = super().execute(statement, *given)
        if statement.startswith("BEGIN") and self.strikes:
            self.strikes -= 1
            raise KeyboardInterrupt
        return cursor


def test_it_is_not_left_open_for_the_next_one_to_fail() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None, factory=Struck)) as connection:
        with pytest.raises(KeyboardInterrupt), transaction(connection):
            pytest.fail("it has begun")
        assert not connection.in_transaction
        with transaction(connection):
            connection.execute("CREATE TABLE kept (value)")
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
