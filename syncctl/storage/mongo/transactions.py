"""Leads stored together with their records, both or neither: in transactions of a few hundred."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple, TypeVar

import pymongo
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, NetworkTimeout, OperationFailure
from pymongo.read_concern import ReadConcern

from syncctl.domain.lead_values import Document
from syncctl.storage.mongo.batches import REPLY, insert_new
from syncctl.storage.mongo.errors import HELD, WRITE_CONFLICT, refusals
from syncctl.text import to_text

AT_ONCE = 500
"""Leads of one transaction: as many as a killed run's may keep from the next run."""

MOST_REFUSED = 10
"""Leads of one transaction that the collection's own rules may keep out: each one ends it, and the others
begin again. With more of them the rest is stored without a transaction."""

HELD_S = 5.0
"""How long another transaction on the same documents is waited for. A run at work ends its own in
milliseconds; that of a killed one is ended by the server, after a minute or more."""

SETS_FROM, CLUSTERS_FROM = 7, 8
"""The wire versions (MongoDB 4.0 and 4.2) from which replica sets and sharded clusters have transactions."""

WITHOUT_TRANSACTIONS = {20, 263}
"""The error codes of a server that has none after all: IllegalOperation, where its storage engine can't, and
OperationNotSupportedInTransaction, where they can't make a collection (before 4.4)."""

AGAIN = {"errorLabels": ["TransientTransactionError"]}
"""What makes `with_transaction` begin again."""

T = TypeVar("T")


class Stored(NamedTuple):
    """What became of leads, by `_id`."""

    inserted: set[Any]

    refused: dict[Any, str]
    """Why the collection's own rules kept them out."""


class _Unit(NamedTuple):
    """What belongs together: a lead with its records."""

    lead: Document | None
    """None: it is there already."""

    records: Sequence[Document]


class _LeadRefusedError(Exception):
    """The collection's own rules keep a lead out, so nothing of the transaction is stored."""

    def __init__(self, lead: Document, reason: str) -> None:
        super().__init__(reason)
        self.lead = lead
        self.reason = reason


def has_transactions(hello: Mapping[str, Any]) -> bool:
    """Whether a server that replies so to `hello` has transactions: a single mongod has none."""
    if hello.get("logicalSessionTimeoutMinutes") is None:
        return False
    since = CLUSTERS_FROM if hello.get("msg") == "isdbgrid" else SETS_FROM if "setName" in hello else math.inf
    return bool(hello.get("maxWireVersion", 0) >= since)


def store_together(
    database: Database[Document],
    leads: Sequence[Document],
    records: Iterable[Document],
    limit_s: float = math.inf,
) -> Stored:
    """Insert the leads and records whose `_id` is not there yet, but no lead whose record is there: a person
    has deleted it meanwhile. A record whose report finished another one is left out.

    `limit_s`: how long one transaction may take, with all its beginnings. Raises pymongo's errors; of code
    WRITE_CONFLICT where another transaction holds some of the documents for too long.
    """
    stored = Stored(set(), {})
    units = _units(leads, records)
    for start in range(0, len(units), AT_ONCE):
        _store(database, units[start : start + AT_ONCE], limit_s, stored)
    return stored


def store_in_order(
    database: Database[Document], leads: Iterable[Document], records: Iterable[Document]
) -> Stored:
    """The same without transactions: first the leads, then the records. Killed in between, the next run only
    adds the records; but a lead that a person deletes before that comes back. Raises pymongo's errors."""
    refused: dict[Any, str] = {}
    inserted = insert_new(database.leads, leads, refused)
    kept_out = set(map(to_text, refused))
    insert_new(database.syncrecords, (record for record in records if record["leadId"] not in kept_out))
    return Stored(set(inserted), refused)


def _units(leads: Sequence[Document], records: Iterable[Document]) -> list[_Unit]:
    of_lead: dict[str, list[Document]] = defaultdict(list)
    for record in {record["_id"]: record for record in reversed(list(records))}.values():
        of_lead[record["leadId"]].insert(0, record)
    new = {to_text(lead["_id"]): lead for lead in reversed(leads)}  # of two that are one, the first
    with_lead = [_Unit(lead, of_lead.pop(lead_id, [])) for lead_id, lead in reversed(new.items())]
    return with_lead + [_Unit(None, those) for those in of_lead.values()]


def _store(database: Database[Document], units: Sequence[_Unit], limit_s: float, stored: Stored) -> None:
    for _ in range(MOST_REFUSED):
        try:
            new = _in_transaction(database, partial(_insert_missing, database, units), limit_s)
        except _LeadRefusedError as refusal:
            stored.refused[refusal.lead["_id"]] = refusal.reason
            units = [unit for unit in units if unit.lead is not refusal.lead]
        except OperationFailure as error:
            if error.code in WITHOUT_TRANSACTIONS:
                break
            raise
        else:
            stored.inserted.update(new)
            return
    rest = store_in_order(
        database,
        [unit.lead for unit in units if unit.lead],
        [record for unit in units for record in unit.records],
    )
    stored.inserted.update(rest.inserted)
    stored.refused.update(rest.refused)


def _insert_missing(
    database: Database[Document], units: Sequence[_Unit], session: ClientSession
) -> list[Any]:
    """Within a transaction a duplicate is an error that ends it: what is there is looked up before."""
    records = [record for unit in units for record in unit.records]
    reports = [record["reportId"] for record in records if "reportId" in record]
    known, finished = set(), set()
    wanted: Document = {"_id": {"$in": [record["_id"] for record in records]}}
    if reports:
        wanted = {"$or": [wanted, {"reportId": {"$in": reports}}]}
    for found in _find(database.syncrecords, wanted, session):
        known.add(found["_id"])
        finished.add(found.get("reportId"))
    ids = [unit.lead["_id"] for unit in units if unit.lead]
    there = {found["_id"] for found in _find(database.leads, {"_id": {"$in": ids}}, session)} | known
    leads = [unit.lead for unit in units if unit.lead and unit.lead["_id"] not in there]
    fresh = []
    for record in records:
        report = record.get("reportId")
        if record["_id"] not in known and (report is None or report not in finished):
            fresh.append(record)
            finished.add(report)
    if leads:
        try:
            database.leads.insert_many(leads, session=session)
        except BulkWriteError as error:
            for place, reason in (refusals(error) or {}).items():
                if reason:
                    raise _LeadRefusedError(leads[place], reason) from None
            raise
    if fresh:
        database.syncrecords.insert_many(fresh, session=session)
    return [lead["_id"] for lead in leads]


def _find(
    collection: Collection[Document], query: Mapping[str, Any], session: ClientSession
) -> Iterable[Document]:
    return collection.find(query, ["reportId"], batch_size=REPLY, session=session)


def _in_transaction(database: Database[Document], work: Callable[[ClientSession], T], limit_s: float) -> T:
    """Do the work in a transaction, and again where another one came in between."""
    begun = time.monotonic()
    give_up_at = begun + min(HELD_S, limit_s / 2)

    def attempt(session: ClientSession) -> T:
        if time.monotonic() > begun + limit_s:  # older drivers would begin again for two minutes
            raise NetworkTimeout("the time of this transaction is over")
        try:
            return work(session)
        except OperationFailure as error:
            if not _is_conflict(error):
                raise
        again = AGAIN if time.monotonic() < give_up_at else None
        raise OperationFailure("another transaction holds a document", WRITE_CONFLICT, again)

    with (
        pymongo.timeout(limit_s) if limit_s < math.inf else nullcontext(),
        database.client.start_session() as session,
    ):
        return session.with_transaction(
            attempt,
            read_concern=ReadConcern("snapshot"),
            write_concern=database.write_concern,  # a majority, as `connect` asks for always
        )


def _is_conflict(error: OperationFailure) -> bool:
    """Whether another transaction, or a write outside of any, was at the same documents."""
    if isinstance(error, BulkWriteError):
        reasons = refusals(error)
        return reasons is not None and not any(reasons.values())
    return error.code in HELD
