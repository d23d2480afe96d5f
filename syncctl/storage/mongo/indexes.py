"""The indexes that the sync's look-ups need: none of them can refuse what the web app writes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from syncctl.domain.lead_values import Document
from syncctl.storage.common.report_paths import (
    BOOKING_PATHS,
    CREATED_PATHS,
    LEAD_ID_PATHS,
    NAME_PATHS,
    PHONE_PATHS,
)
from syncctl.storage.mongo.spellings import SPELLING_INDEXES

logger = logging.getLogger(__name__)

BUILD_TIMEOUT_S = 120.0
"""The first build, on a large collection, may take longer than any command after it."""

# One wildcard index instead of 33: it takes arrays and absent fields, and each clause of a $or can use it.
FINISHED = IndexModel(
    [("$**", ASCENDING)],
    name="syncctl_which_lead",
    wildcardProjection=dict.fromkeys(
        (*LEAD_ID_PATHS, *PHONE_PATHS, *BOOKING_PATHS, *NAME_PATHS, *CREATED_PATHS), 1
    ),
)
REPLACED = "syncctl_finished"
"""What that index was called while it held fewer fields."""

ONE_REPORT_ONE_RECORD = IndexModel(
    [("reportId", ASCENDING)], unique=True, partialFilterExpression={"reportId": {"$type": "string"}}
)

SYNC_LOGS_BY_KIND = IndexModel([("syncType", ASCENDING), ("_id", ASCENDING)])
"""For the newest of a kind. An `_id` is no list, so that it refuses nothing either."""

RECORDS_LOOKED_UP_BY = ("leadId", "values.phone", "values.bookingNo", "values.createdAt")

LOOKED_UP_BY = {"phone", "bookingNo", "createdAt", "name"}
"""Fields of leads. Each gets an index of its own where none begins with it: the web app's (bookingNo, phone,
leadType) serves where it is, but to add it would refuse documents with lists in two of these fields."""


def create_indexes(database: Database[Document]) -> None:
    """Make the indexes that are missing, none of them unique.

    One that can't be made is a warning: the sync works without, slower. Raises pymongo's errors where the
    server can't be reached.
    """
    with pymongo.timeout(BUILD_TIMEOUT_S):
        with _warning("reports"):
            there = database.reports.index_information()
            if there.get(FINISHED.document["name"], {}).get("key") != [("$**", ASCENDING)]:
                database.reports.create_indexes([FINISHED])
            if REPLACED in there:
                database.reports.drop_index(REPLACED)
        with _warning("leads"):
            if missing := LOOKED_UP_BY - _leading_fields(database.leads):
                database.leads.create_indexes([IndexModel(field) for field in sorted(missing)])
            database.leads.create_indexes(SPELLING_INDEXES)
        with _warning("syncrecords"):
            looked_up_by = [IndexModel(field) for field in RECORDS_LOOKED_UP_BY]
            corrected = IndexModel("correctedAt", sparse=True)
            by_place = IndexModel([("source", ASCENDING), ("location", ASCENDING)])
            database.syncrecords.create_indexes([*looked_up_by, corrected, by_place, ONE_REPORT_ONE_RECORD])
        with _warning("syncrejects"):
            by_place = IndexModel([("source", ASCENDING), ("location", ASCENDING)])
            database.syncrejects.create_indexes([by_place, IndexModel("closedAt")])
        with _warning("synclogs"):
            database.synclogs.create_indexes([IndexModel("lastSyncAt"), SYNC_LOGS_BY_KIND])
        with _warning("syncruns"):
            database.syncruns.create_index("startedAt")
        with _warning("syncimports"):
            database.syncimports.create_index("startedAt", sparse=True)


def _leading_fields(collection: Collection[Document]) -> set[str]:
    """The fields that an index of all documents begins with."""
    whole = (
        index
        for index in collection.list_indexes()
        if "partialFilterExpression" not in index and "collation" not in index
    )
    return {next(iter(index["key"])) for index in whole}


@contextmanager
def _warning(collection: str) -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        reason = (error.details or {}).get("codeName", f"error code {error.code}")
        logger.warning("No index made for %s (%s): syncs will be slower.", collection, reason)
