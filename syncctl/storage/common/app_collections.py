"""What the web app's own collections hold (contract/database.md): entries of `synclogs` and stores as
documents and back, which stores are new, and when a guarded change of a lead may be made."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.run_history import SyncLog
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.domain.stores import Store
from syncctl.ports.admin import LastLogs
from syncctl.text import to_text

_TRIGGERS = {str(trigger): trigger for trigger in Trigger}
_STATUSES = {str(status): status for status in StepStatus}


def sync_log_document(entry: SyncLog) -> Document:
    """An entry as Mongoose would store it, but for its `_id`, which the database gives it."""
    return {
        "syncType": entry.sync_type,
        "trigger": str(entry.trigger),
        "lastSyncAt": entry.at,
        "lastSyncCount": entry.count,
        "status": str(entry.status),
        "errorMessage": entry.error_message,
        "createdAt": entry.at,
        "updatedAt": entry.at,
        "__v": 0,
    }


def sync_log_from(document: Document, at: datetime) -> SyncLog:
    """The entry of a sync at that moment, by this or the old program, which left fields out, or by hand.

    An unknown status doesn't count as success, nor an unknown trigger as a person.
    """
    count, message = document.get("lastSyncCount"), document.get("errorMessage")
    return SyncLog(
        sync_type=document["syncType"],
        trigger=_TRIGGERS.get(str(document.get("trigger")), Trigger.AUTO),
        at=at,
        count=int(count) if isinstance(count, int | float) and float(count).is_integer() else 0,
        status=_STATUSES.get(str(document.get("status")), StepStatus.FAILED),
        error_message=None if message is None else to_text(message),
    )


def last_logs(oldest_first: Iterable[SyncLog]) -> dict[str, LastLogs]:
    """By `syncType`: the last of these entries, and the last that says success."""
    logs: dict[str, LastLogs] = {}
    for log in oldest_first:
        before = logs.get(log.sync_type)
        earlier_success = before.last_success if before else None
        logs[log.sync_type] = LastLogs(log, log if log.status is StepStatus.SUCCESS else earlier_success)
    return logs


def store_id(name: str) -> str:
    """The `_id` of a new store, 24 hex digits derived from its name.

    Names that differ in case only have one id, so that two hosts that add one store at the same time collide
    on it, in a collection where the sync may not add a unique index of its own.
    """
    return blake2b(f"store\x1f{name.casefold()}".encode(errors="replace"), digest_size=12).hexdigest()


def new_stores(known: Collection[Store], wanted: Iterable[Store]) -> list[Store]:
    """Those wanted whose code and name no known one has, each once (contract/database.md, stores).

    Names are compared without regard to case. A blank code says nothing, so two stores may have it.
    """
    names = {store.name.casefold() for store in known}
    codes = {store.code for store in known}
    fresh = []
    for store in wanted:
        name = store.name.casefold()
        if name not in names and (not store.code or store.code not in codes):
            fresh.append(store)
            names.add(name)
            codes.add(store.code)
    return fresh


def store_document(store: Store, now: datetime) -> Document:
    """A store's document as Mongoose would store it, made `now`; no `city` where it is empty."""
    document = {
        "_id": store_id(store.name),
        "name": store.name,
        "code": store.code,
        "brand": store.brand,
        "city": store.city,
        "isActive": store.is_active,
        "createdAt": now,
        "updatedAt": now,
        "__v": 0,
    }
    if not store.city:
        del document["city"]
    return document


def store_from(document: Document) -> Store:
    """A store as stored, by whomever: codes may be numbers, and anything but the name may be absent."""
    name, code, brand, city = (
        to_text(document.get(field) if document.get(field) is not None else "")
        for field in ("name", "code", "brand", "city")
    )
    return Store(name, code, brand, city, bool(document.get("isActive", True)))


def guard(change: LeadChange) -> dict[str, Any]:
    """What the lead must hold for the change to be made: a field that is set without an expectation must not
    be there."""
    return {**dict.fromkeys(change.values), **change.expected}


def holds(lead: Document, values: Mapping[str, Any]) -> bool:
    """Whether the lead has these values, None standing for a field that is null or not there.

    Equal as in MongoDB: 1 is 1.0 but not true, and dates count to the millisecond.
    """
    return all(_same(lead.get(field), value) for field, value in values.items())


def changed(lead: Document, values: Mapping[str, Any]) -> Document:
    """The lead with these values set; a value None takes the field away."""
    merged = {**lead, **values}
    return {field: value for field, value in merged.items() if value is not None or field not in values}


def _same(stored: Any, wanted: Any) -> bool:
    if isinstance(stored, datetime) and isinstance(wanted, datetime):
        return _milliseconds(stored) == _milliseconds(wanted)
    return bool(stored == wanted) and isinstance(stored, bool) == isinstance(wanted, bool)


def _milliseconds(moment: datetime) -> datetime:
    """Cut as a BSON date; without a zone it is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.replace(microsecond=aware.microsecond // 1000 * 1000)
