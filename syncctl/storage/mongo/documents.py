"""Port values as MongoDB documents and back.

Field names, types and defaults of `stores` and `synclogs` are those of contract/database.md; `syncrecords`,
`syncrejects`, `syncstate` and `syncruns` are the sync's own. What reads one
of these raises OddDocumentError where the sync can't have written it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from bson import Decimal128, ObjectId

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.records import Correction, KnownRecord, Reject, SyncRecord, Write
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.steps import StepName, StepStatus, Trigger
from syncctl.domain.stores import Store
from syncctl.ports.storage import RecordEntry
from syncctl.storage.common.own_documents import (
    OddDocumentError,
    correction_document,
    corrections_from,
    finished_by,
    own,
    own_or_none,
    run_entry,
)
from syncctl.storage.common.report_paths import EXACT_DIGITS
from syncctl.storage.common.store_rules import store_id

OBJECT_ID_TEXT = re.compile(r"[0-9a-f]{24}")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


NOT_PLAIN = (ObjectId, Decimal128, dict, list)
"""What may have to be converted for the port. Asked first, as scans have a million values."""


def to_bson_id(text: str) -> ObjectId | str:
    """The `_id` to store for an id of the port: an ObjectId for 24 hex digits, else the text itself."""
    return ObjectId(text) if OBJECT_ID_TEXT.fullmatch(text) else text


def possible_bson_ids(text: str) -> list[Any]:
    """Every `_id` that `to_text` makes this text of.

    The web app's ids are ObjectIds; imports by other means leave strings (also of 24 hex digits) and whole
    numbers.
    """
    ids: list[Any] = [text]
    if OBJECT_ID_TEXT.fullmatch(text):
        ids.append(ObjectId(text))
    elif WHOLE_NUMBER.fullmatch(text):
        ids.append(int(text))
    return ids


def to_text(bson_id: Any) -> str:
    """An `_id`, or another scalar that should be text, as text: a number without a decimal point."""
    if isinstance(bson_id, float) and bson_id.is_integer():
        return str(int(bson_id))
    return str(bson_id)


def from_bson(document: Document) -> Document:
    """A document as the port gives it: its `_id` as text, and so each ObjectId in it, at any depth; whole
    decimals as ints."""
    return {**_plain(document), "_id": to_text(document["_id"])}


def known_fields(document: Document) -> Document:
    """`from_bson` without the fields that are null."""
    known = {
        field: _plain(value) if isinstance(value, NOT_PLAIN) else value
        for field, value in document.items()
        if value is not None
    }
    known["_id"] = to_text(document["_id"])
    return known


def _plain(value: Any) -> Any:
    match value:
        case ObjectId():
            return str(value)
        case Decimal128():
            return _whole(value)
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case _:
            return value


def _whole(decimal: Decimal128) -> int | Decimal128:
    """A whole decimal as an int, which the database holds for equal to it; any other one as it is, for the
    database holds no float for equal to it."""
    exact = decimal.to_decimal()
    is_whole = exact.is_finite() and exact.adjusted() <= EXACT_DIGITS and exact == exact.to_integral_value()
    return int(exact) if is_whole else decimal


def lead_document(lead: Document) -> Document:
    """A document of `leads` from the port's form of it, which is complete but for the type of its `_id`."""
    return {**lead, "_id": to_bson_id(lead["_id"])}


KNOWN_FIELDS = ("leadId", "fingerprint", "location", "source", "reportId", "replacedBy", "corrections")
"""The fields of a `syncrecords` document that `known_record` reads."""


def record_document(record: SyncRecord) -> Document:
    """A document of `syncrecords`; its `_id` is the record's id, so that a second insert collides."""
    document: Document = {
        "_id": to_bson_id(record.record_id),
        "key": record.key,
        "leadId": record.lead_id,
        "source": record.source,
        "location": record.location,
        "values": dict(record.values),
        "fingerprint": record.fingerprint,
        "firstSeenAt": record.first_seen_at,
        "firstRunId": record.first_run_id,
    }
    if record.report_id is not None:  # absent, not null: the unique index takes each value once
        document["reportId"] = record.report_id
    if record.corrections:
        document["corrections"] = list(map(correction_document, record.corrections))
        document["correctedAt"] = record.corrections[-1].at
    return document


def renewal(record: SyncRecord) -> Document:
    """The update that lets a `syncrecords` document be current again."""
    new = record_document(record)
    fields = ("leadId", "location", "values", "fingerprint", "correctedAt")
    return {
        "$set": {field: new[field] for field in fields},
        "$push": {"corrections": new["corrections"][-1]},
        "$unset": {"replacedBy": "", "reportId": ""},
    }


def correction_update(correction: Correction) -> Document:
    """The update that adds a correction to a `syncrecords` document."""
    return {
        "$push": {"corrections": correction_document(correction)},
        "$set": {"correctedAt": correction.at},
    }


def known_record(document: Document) -> KnownRecord:
    """What a run needs of a `syncrecords` document."""
    return KnownRecord(
        own(document, "leadId", str),
        own(document, "fingerprint", str),
        own(document, "location", str),
        own(document, "source", str),
        finished_by(_optional(document, "reportId"), corrections_from(document.get("corrections"))),
        _optional(document, "replacedBy"),
    )


def _optional(document: Document, name: str) -> str | None:
    return own_or_none({name: None, **document}, name, str)


def reports_of_corrections(document: Document) -> set[str]:
    """The reports that the corrections of a `syncrecords` document name."""
    return {made.report_id for made in corrections_from(document.get("corrections")) if made.report_id}


def known_by_id(document: Document) -> tuple[str, KnownRecord]:
    """The id of a `syncrecords` document, and what a run needs of it."""
    return to_text(document["_id"]), known_record(document)


def values_by_id(document: Document) -> tuple[str, dict[str, Any]]:
    """The id of a `syncrecords` document, and its values."""
    return to_text(document["_id"]), own(document, "values", dict)


def writes_update(values: Mapping[str, Any], at: datetime) -> Document:
    """The update that notes writes in a `syncrecords` document."""
    return {"$set": {f"written.{field}": {"value": value, "at": at} for field, value in values.items()}}


def writes_by_id(document: Document) -> tuple[str, dict[str, Write]]:
    """The id of a `syncrecords` document, and the writes noted in it."""
    written = own({"written": {}, **document}, "written", dict)
    return to_text(document["_id"]), {
        field: Write(note.get("value"), own(note, "at", datetime)) for field, note in written.items()
    }


def record_entry(document: Document) -> RecordEntry:
    """A `syncrecords` document whole."""
    record = SyncRecord(
        record_id=to_text(document["_id"]),
        key=own(document, "key", str),
        lead_id=own(document, "leadId", str),
        source=own(document, "source", str),
        location=own(document, "location", str),
        values=cast(LeadValues, own(document, "values", dict)),
        fingerprint=own(document, "fingerprint", str),
        first_seen_at=own(document, "firstSeenAt", datetime),
        first_run_id=own(document, "firstRunId", str),
        report_id=_optional(document, "reportId"),
        replaced_by=_optional(document, "replacedBy"),
        corrections=corrections_from(document.get("corrections")),
    )
    return RecordEntry(record, own_or_none({"changedAt": None, **document}, "changedAt", datetime))


def reject_document(reject: Reject) -> Document:
    """A document of `syncrejects`."""
    return {
        "_id": to_bson_id(reject.reject_id),
        "source": reject.source,
        "location": reject.location,
        "store": reject.store,
        "position": reject.position,
        "reason": reject.reason,
        "row": reject.row,
        "runId": reject.run_id,
        "rejectedAt": reject.rejected_at,
    }


def reject_from(document: Document) -> Reject:
    """The reject that `reject_document` made a document of."""
    return Reject(
        to_text(document["_id"]),
        own(document, "source", str),
        own(document, "location", str),
        own(document, "store", str),
        own(document, "position", str),
        own(document, "reason", str),
        own(document, "row", str),
        own(document, "runId", str),
        own(document, "rejectedAt", datetime),
    )


def reject_place(document: Document) -> tuple[str, str, str]:
    """The location, the position and the id of a `syncrejects` document."""
    return own(document, "location", str), own(document, "position", str), to_text(document["_id"])


def store_document(store: Store, now: datetime) -> Document:
    """A document of `stores` as Mongoose would store it, made `now`; no `city` where it is empty."""
    document = {
        "_id": ObjectId(store_id(store.name)),
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


def sync_log_document(entry: SyncLog) -> Document:
    """A document of `synclogs` as Mongoose would store it, but for its `_id`, which the driver adds."""
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


LOG_DATES = ("lastSyncAt", "createdAt")
"""When a sync was, by `synclogs`: one of them must be a date for an entry to say anything."""


def sync_log_from(document: Document) -> SyncLog:
    """A `synclogs` entry with one of LOG_DATES, by this or the old program, which left fields out.

    An unknown status is no success; an unknown trigger was no person.
    """
    at = next(moment for field in LOG_DATES if isinstance(moment := document.get(field), datetime))
    status, trigger, count = (document.get(field) for field in ("status", "trigger", "lastSyncCount"))
    message = document.get("errorMessage")
    return SyncLog(
        sync_type=document["syncType"],
        trigger=Trigger(trigger) if trigger in list(Trigger) else Trigger.AUTO,
        at=at,
        count=int(count) if isinstance(count, int | float) and float(count).is_integer() else 0,
        status=StepStatus(status) if status in list(StepStatus) else StepStatus.FAILED,
        error_message=None if message is None else to_text(message),
    )


def state_document(report: StepName, state: LocationState) -> Document:
    """A document of `syncstate`, one per report and location."""
    return {
        "_id": f"{report}:{state.location}",
        "report": str(report),
        "location": state.location,
        "watermark": state.watermark,
        "askedAt": state.asked_at,
        "triedAt": state.tried_at,
        "dormant": state.dormant,
        "dueAgain": state.due_again,
        "recent": state.recent,
        "auditedAt": state.audited_at,
        "auditTriedAt": state.audit_tried_at,
        "doubtedSince": state.doubted_since,
    }


LATER_STATE_FIELDS = {"recent": 0, "auditedAt": None, "auditTriedAt": None, "doubtedSince": None}
"""What an older syncctl did not keep."""


def state_from(document: Document) -> LocationState:
    """The state that `state_document` made a document of."""
    document = {**LATER_STATE_FIELDS, **document}
    return LocationState(
        location=own(document, "location", str),
        watermark=own_or_none(document, "watermark", datetime),
        asked_at=own_or_none(document, "askedAt", datetime),
        tried_at=own_or_none(document, "triedAt", datetime),
        dormant=own(document, "dormant", bool),
        due_again=own(document, "dueAgain", int),
        recent=own(document, "recent", int),
        audited_at=own_or_none(document, "auditedAt", datetime),
        audit_tried_at=own_or_none(document, "auditTriedAt", datetime),
        doubted_since=own_or_none(document, "doubtedSince", datetime),
    )


def store_names(document: Document) -> dict[str, str]:
    """The stores' names by code in the `syncstate` document of the store list."""
    entries = own(document, "names", list)
    if not all(isinstance(entry, dict) for entry in entries):
        raise OddDocumentError
    return {own(entry, "code", str): own(entry, "name", str) for entry in entries}


def file_document(kind: str, name: str, content_hash: str, now: datetime) -> Document:
    """A document of `syncstate`, one per kind and file name, of a file imported `now`."""
    return {
        "_id": f"file:{kind}:{name}",
        "kind": kind,
        "name": name,
        "contentHash": content_hash,
        "importedAt": now,
    }


def hash_by_name(document: Document) -> tuple[str, str]:
    """The name and the hash in a `syncstate` document of a file."""
    return own(document, "name", str), own(document, "contentHash", str)


def run_document(entry: RunEntry) -> Document:
    """A document of `syncruns`."""
    return {"_id": entry.run_id, "startedAt": entry.started_at, "document": dict(entry.document)}


def run_from(document: Document) -> RunEntry:
    """The run that `run_document` made a document of."""
    return run_entry(
        own(document, "_id", str), own(document, "startedAt", datetime), document.get("document")
    )
