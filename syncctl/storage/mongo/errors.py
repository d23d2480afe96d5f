"""pymongo's errors as syncctl's, in messages without credentials and without a document's content."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from syncctl.errors import StorageError, StorageUnavailableError

_BAD_LOGIN = "refused the user name or password: check DATABASE_URL, and authSource in it."
_NO_RIGHTS = (
    "does not let this user do what a sync needs: "
    "DATABASE_URL needs a user with the role readWrite on its database."
)
_NEW_PRIMARY = "is changing its primary. What was stored is kept; try again later."
REFUSED_USER = {18: _BAD_LOGIN, 8000: _BAD_LOGIN, 13: _NO_RIGHTS}
"""What the server's error codes about the user mean; 8000 is Atlas's for 18."""

CHANGING_PRIMARY = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436})
"""The server's error codes where its replica set gets another primary, or it shuts down: ShutdownInProgress,
PrimarySteppedDown, NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange and so on."""

WRITE_CONFLICT = 112
HELD = frozenset({24, WRITE_CONFLICT})
"""The error codes of a write to what a transaction holds; 24: LockTimeout."""

DUPLICATE_KEY = 11000
OWN_UNIQUE = (["_id"], ["reportId"])
"""The fields by which two documents are one to syncctl."""

LOST_PLACE = {43, 175, 237}
"""CursorNotFound, QueryPlanKilled, CursorKilled: a collection was dropped, or the server restarted, while it
was read."""

OWN_RULES = {
    121: "the database refused the lead: it does not pass the validation rules of its collection",
    DUPLICATE_KEY: "the database refused the lead: a unique index of its own holds one like it already",
    10334: "the database refused the lead: it is too large",
}
"""Why the database may keep out one document of many, by the server's error code."""


@contextmanager
def translated(hosts: str) -> Iterator[None]:
    """Turn what the driver raises inside into StorageError or StorageUnavailableError.

    `hosts` says where the database is. The driver's error is not chained: a duplicate key error quotes the
    key and a bulk write error the documents, and a logged traceback would show them.
    """
    try:
        yield
    except (PyMongoError, BSONError, OverflowError, UnicodeError) as error:
        raise _translate(error, f"MongoDB at {hosts}") from None


def refusals(error: BulkWriteError) -> dict[int, str] | None:
    """Why each document was kept out, by its place in the batch; None if something else went wrong as well.

    "" where the document was there already: one with its `_id`, or a record of the same report. A duplicate
    in another unique index is not that: the document is neither there nor stored.
    """
    details = error.details
    if details.get("writeConcernErrors"):
        return None
    reasons: dict[int, str] = {}
    for write_error in details.get("writeErrors", []):
        if _is_there(write_error):
            reasons[write_error["index"]] = ""
        elif write_error["code"] in OWN_RULES:
            reasons[write_error["index"]] = OWN_RULES[write_error["code"]]
        else:
            return None
    return reasons


def _no_access(error: OperationFailure) -> str:
    """Why the data can't be reached now: the user's rights, or a write to a primary that stepped down before
    it was confirmed. "" for any other failure."""
    details = error.details or {}
    errors = details.get("writeConcernErrors", []) if isinstance(error, BulkWriteError) else [details]
    if any(each.get("code") in CHANGING_PRIMARY for each in errors):
        return _NEW_PRIMARY
    return REFUSED_USER.get(error.code or 0, "")


def _is_there(write_error: dict[str, Any]) -> bool:
    return write_error["code"] == DUPLICATE_KEY and list(write_error.get("keyPattern", ["_id"])) in OWN_UNIQUE


def _translate(error: Exception, server: str) -> StorageError:
    match error:
        case PyMongoError(timeout=True) | ConnectionFailure() | ConfigurationError():
            return StorageUnavailableError(_unreachable(error, server))
        case OperationFailure() if reason := _no_access(error):
            return StorageUnavailableError(f"{server} {reason}")
        case BulkWriteError():
            return StorageError(f"{server} {_bulk_write(error)}")
        case OperationFailure():
            return StorageError(f"{server} {_refused(error)}")
        case PyMongoError():
            return StorageError(f"Talking to {server} failed in the driver ({type(error).__name__}).")
    return StorageError(
        f"A value can't be stored in {server} or read from it ({type(error).__name__}): "
        "it isn't valid text, too large, or of an unknown type."
    )


def _refused(error: OperationFailure) -> str:
    if error.code in LOST_PLACE:
        return "lost its place in a collection that was dropped or closed while it was read: try again."
    if error.code in HELD:
        return (
            "has a transaction that holds some of these documents and does not end, most likely of a run "
            "that was killed. The server ends it within two minutes; the next run stores what is missing."
        )
    name = (error.details or {}).get("codeName", "no name")
    return f"refused a command (code {error.code}, {name}): see the server's log."


def _unreachable(error: PyMongoError, server: str) -> str:
    match error:
        case ServerSelectionTimeoutError():
            return f"{server} can't be reached ({_reason(error)}): is it running, is DATABASE_URL right?"
        case ConfigurationError():
            return f"{server} can't be used{_known_cause(error)}: check the options in DATABASE_URL."
        case _ if error.timeout:
            return f"{server} did not answer in time. What was stored is kept; try again later."
        case _:
            return f"The connection to {server} was lost. What was stored is kept; try again later."


def _reason(error: Exception) -> str:
    """The first cause that the driver names, such as "db:27017: [Errno 111] Connection refused"."""
    return str(error).split(", Timeout:")[0].split(" (configured timeouts")[0][:200]


def _known_cause(error: Exception) -> str:
    """The driver's words where they are about the server's version or name, never about an option's value."""
    text = str(error)
    return f" ({text[:200]})" if "wire version" in text or "DNS" in text else ""


def _bulk_write(error: BulkWriteError) -> str:
    for write_error in error.details.get("writeErrors", []):
        if _is_there(write_error):
            continue
        if write_error["code"] == DUPLICATE_KEY:
            fields = ", ".join(write_error["keyPattern"])
            return f"has a unique index on {fields}, which refused a document: drop that index."
        return (
            f"refused a document (code {write_error['code']}): see the server's log and its validation rules."
        )
    return "could not confirm a write to a majority of its members: check the replica set, then try again."
