"""A guarded change of a lead on SQLite: compared as it is read, set under the write lock."""

import sqlite3

from syncctl.domain.lead_values import LeadChange
from syncctl.storage.common.lead_changes import guard, holds
from syncctl.storage.sqlite import rows


def change_lead(connection: sqlite3.Connection, change: LeadChange) -> bool:
    """Make the change if the lead holds what is expected. Gives whether it holds the new values now.

    To be called inside a transaction that holds the write lock. The columns are not compared in SQL: a date
    that a person typed in another form is the same date, and 1 is not true. Raises StorageError naming a
    field that leads don't have, and sqlite3's errors.
    """
    expected = guard(change)
    rows.check_fields(expected)
    row = connection.execute("SELECT * FROM leads WHERE _id = ?", (change.lead_id,)).fetchone()
    if row is None:
        return False
    lead = rows.lead_from(row)
    if not holds(lead, expected):
        return holds(lead, change.values)
    if change.values:
        new = rows.lead_columns(change.values)
        assignments = ", ".join(f'"{column}" = :{column}' for column in new)
        connection.execute(
            f"UPDATE leads SET {assignments} WHERE _id = :_id",  # noqa: S608 columns of the table only
            {**new, "_id": change.lead_id},
        )
    return True
