"""What a line of a backup of leads must be, whichever database it came from."""

from collections.abc import Callable
from typing import TypeVar

from syncctl.errors import StorageError

SQLITE_MARK = "$table"
"""A key that only snapshots of SQLite have: its rows and MongoDB's documents are not interchangeable."""

T = TypeVar("T")


def parsed(line: str, parse: Callable[[str], T]) -> T:
    """What `parse` makes of the line. Raises StorageError where it can't make anything of it.

    The parser's own error is not chained: it may quote a customer's data.
    """
    try:
        return parse(line)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise StorageError(
            "A line of the backup isn't a lead (a JSON object with an _id): it was cut off or edited. "
            "Remove or repair it, then restore again."
        ) from None


def wrong_kind(taken_from: str) -> StorageError:
    """The error for a snapshot that another kind of database gave."""
    return StorageError(
        f"The backup was taken from {taken_from}, but DATABASE_URL names another kind of database. "
        "Restore it with the DATABASE_URL of that time."
    )
