"""Port values as SQLite rows and back: dates as text of one width, which sorts; absent values as NULL."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.lead_fields import DATE_FIELDS, LEAD_FIELDS
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.leads import PREVIOUS_UPDATED_AT
from syncctl.domain.records import Correction, KnownRecord, Reject, SyncRecord, Write
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.steps import StepName, StepStatus, Trigger
from syncctl.domain.stores import Store
from syncctl.errors import StorageError
from syncctl.ports.storage import RecordEntry
from syncctl.storage.common.dialect_documents import dialect_from
from syncctl.storage.common.own_documents import (
    OddDocumentError,
    correction_document,
    corrections_from,
    finished_by,
    own,
    own_or_none,
    run_entry,
)

NOTED_DATES = DATE_FIELDS | {PREVIOUS_UPDATED_AT}
"""Of what is noted of writes into a lead."""

EMPTY_LEAD = dict.fromkeys(LEAD_FIELDS)

LONG_AGO = datetime.fromtimestamp(0, UTC)
"""Stands for a date of syncctl's own that is damaged."""

DATE_LENGTH = len("2025-02-01T08:59:27.000")


@lru_cache(maxsize=8192)  # a lead, its record and what is looked for afterwards have the same dates
def date_text(moment: datetime) -> str:
    """A date as "2025-02-01T08:59:27.000Z", cut to milliseconds as a BSON date. Without a zone it is UTC."""
    utc = moment if moment.tzinfo is None or moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:DATE_LENGTH] + "Z"


def date_from(written: Any) -> Any:
    """The date that a text is; a text that is none, which only a person can have typed, stays as it is."""
    try:
        moment = datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return written
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def own_date_from(written: Any) -> datetime | None:
    """As date_from, of what only syncctl writes; None where damage has made it no date."""
    moment = date_from(written)
    return moment if isinstance(moment, datetime) else None


def _column(value: Any) -> Any:
    return date_text(value) if isinstance(value, datetime) else value


_JSON = json.JSONEncoder(ensure_ascii=False, default=date_text)


def json_text(value: Any) -> str:
    """A value as JSON, dates in it as `date_text`."""
    return _JSON.encode(value)


def json_list(items: Iterable[str | int | datetime]) -> str:
    """The parameter for `IN (SELECT value FROM json_each(?))`, which takes any number of items."""
    return json.dumps([_column(item) for item in items])


def lead_row(lead: Document) -> dict[str, Any]:
    """The columns of a lead. Raises StorageError naming a field that has none."""
    check_fields(lead)
    return EMPTY_LEAD | lead_columns(lead)


def check_fields(fields: Mapping[str, Any]) -> None:
    """Raises StorageError naming those of the fields that a lead has no column for."""
    if unknown := fields.keys() - EMPTY_LEAD.keys():
        raise StorageError(f"A lead has no field {', '.join(sorted(unknown))} in the SQLite database.")


def lead_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of these fields of a lead, all of which it must have a column for."""
    return {field: _column(value) for field, value in fields.items()}


def lead_from(row: sqlite3.Row) -> Document:
    """A lead as the port gives it: absent values left out, except `assignedTo`, which a lead always has."""
    return {**known_fields(row), "assignedTo": row["assignedTo"]}


def known_fields(row: sqlite3.Row) -> Document:
    """These columns of a lead as fields, NULL ones left out."""
    lead = {field: row[field] for field in row.keys() if row[field] is not None}  # noqa: SIM118 a Row yields values
    for field in DATE_FIELDS & lead.keys():
        lead[field] = date_from(lead[field])
    if "followUpFlag" in lead:
        lead["followUpFlag"] = bool(lead["followUpFlag"])
    return lead


def report_from(row: sqlite3.Row) -> Document:
    """A report as the port gives it."""
    return {**json.loads(row["document"]), "_id": row["_id"]}


def record_row(record: SyncRecord) -> dict[str, Any]:
    """The columns of a `syncrecords` row but `changedAt`; the source's values as JSON."""
    return {
        "_id": record.record_id,
        "key": record.key,
        "leadId": record.lead_id,
        "source": record.source,
        "location": record.location,
        "values": json_text(record.values),
        "fingerprint": record.fingerprint,
        "firstSeenAt": date_text(record.first_seen_at),
        "firstRunId": record.first_run_id,
        "reportId": record.report_id,
        "corrections": corrections_text(record.corrections),
        "correctedAt": _column(record.corrections[-1].at) if record.corrections else None,
    }


def corrections_text(corrections: Iterable[Correction]) -> str | None:
    """Corrections as JSON; None for none."""
    return json_text(list(map(correction_document, corrections))) if corrections else None


def corrections_of(row: sqlite3.Row) -> tuple[Correction, ...]:
    """The corrections of a `syncrecords` row. Raises OddDocumentError where it holds something else."""
    written = own_or_none(row, "corrections", str)
    try:
        return corrections_from(None if written is None else json.loads(written), date_from)
    except ValueError:
        raise OddDocumentError from None


def values_from(written: str) -> dict[str, Any]:
    """The values that `record_row` wrote as JSON. The field's name, not the text, tells what is a date.

    Raises OddDocumentError for JSON of another kind.
    """
    values = json.loads(written)
    if not isinstance(values, dict):
        raise OddDocumentError
    for field in DATE_FIELDS & values.keys():
        values[field] = date_from(values[field])
    return values


def known_by_id(row: sqlite3.Row) -> tuple[str, KnownRecord]:
    """The id of a `syncrecords` row, and what a run needs of it."""
    known = KnownRecord(
        own(row, "leadId", str),
        own(row, "fingerprint", str),
        own(row, "location", str),
        own(row, "source", str),
        finished_by(own_or_none(row, "reportId", str), corrections_of(row)),
        own_or_none(row, "replacedBy", str),
    )
    return row["_id"], known


def values_by_id(row: sqlite3.Row) -> tuple[str, dict[str, Any]]:
    """The id of a `syncrecords` row, and its values."""
    return row["_id"], values_from(own(row, "values", str))


def writes_text(before: str | None, values: Mapping[str, Any], at: datetime) -> str:
    """The column `written` with further writes noted in it."""
    notes = {field: {"value": value, "at": at} for field, value in values.items()}
    return json_text({**(json.loads(before) if before else {}), **notes})


def writes_by_id(row: sqlite3.Row) -> tuple[str, dict[str, Write]]:
    """The id of a `syncrecords` row, and the writes noted in it. Raises OddDocumentError for other JSON."""
    notes = json.loads(own_or_none(row, "written", str) or "{}")
    if not isinstance(notes, dict) or not all(isinstance(note, dict) for note in notes.values()):
        raise OddDocumentError
    return row["_id"], {
        field: Write(
            date_from(note["value"]) if field in NOTED_DATES else note["value"],
            own_date_from(note["at"]) or LONG_AGO,
        )
        for field, note in notes.items()
    }


def record_entry(row: sqlite3.Row) -> RecordEntry:
    """A `syncrecords` row whole."""
    record = SyncRecord(
        record_id=own(row, "_id", str),
        key=own(row, "key", str),
        lead_id=own(row, "leadId", str),
        source=own(row, "source", str),
        location=own(row, "location", str),
        values=cast(LeadValues, values_from(own(row, "values", str))),
        fingerprint=own(row, "fingerprint", str),
        first_seen_at=own_date_from(row["firstSeenAt"]) or LONG_AGO,
        first_run_id=own(row, "firstRunId", str),
        report_id=own_or_none(row, "reportId", str),
        replaced_by=own_or_none(row, "replacedBy", str),
        corrections=corrections_of(row),
    )
    return RecordEntry(record, own_date_from(row["changedAt"]))


def reject_row(reject: Reject) -> dict[str, Any]:
    """The columns of a `syncrejects` row."""
    return {
        "_id": reject.reject_id,
        "source": reject.source,
        "location": reject.location,
        "store": reject.store,
        "position": reject.position,
        "reason": reject.reason,
        "row": reject.row,
        "runId": reject.run_id,
        "rejectedAt": date_text(reject.rejected_at),
    }


def reject_from(row: sqlite3.Row) -> Reject:
    """The reject that `reject_row` made columns of."""
    return Reject(
        own(row, "_id", str),
        own(row, "source", str),
        own(row, "location", str),
        own(row, "store", str),
        own(row, "position", str),
        own(row, "reason", str),
        own(row, "row", str),
        own(row, "runId", str),
        own_date_from(row["rejectedAt"]) or LONG_AGO,
    )


def reject_place(row: sqlite3.Row) -> tuple[str, str, str]:
    """The location, the position and the id of a `syncrejects` row."""
    return own(row, "location", str), own(row, "position", str), own(row, "_id", str)


def name_by_code(row: sqlite3.Row) -> tuple[str, str]:
    """The code and the store's name in a `syncstorelist` row."""
    return own(row, "code", str), own(row, "name", str)


def dialect_from_row(row: sqlite3.Row) -> Dialect:
    """What is known of a report's dialect."""
    try:
        return dialect_from(json.loads(own(row, "document", str)))
    except ValueError:
        raise OddDocumentError from None


def hash_by_name(row: sqlite3.Row) -> tuple[str, str]:
    """The name and the hash in a `syncfiles` row."""
    return own(row, "name", str), own(row, "contentHash", str)


def file_row(kind: str, name: str, content_hash: str, now: datetime) -> dict[str, Any]:
    """The columns of a `syncfiles` row of a file imported `now`."""
    return {"kind": kind, "name": name, "contentHash": content_hash, "importedAt": date_text(now)}


def store_row(store: Store, store_id: str, now: datetime) -> dict[str, Any]:
    """The columns of a `stores` row made `now`."""
    return {
        "_id": store_id,
        "name": store.name,
        "code": store.code,
        "brand": store.brand,
        "city": store.city or None,
        "isActive": store.is_active,
        "createdAt": date_text(now),
        "updatedAt": date_text(now),
        "__v": 0,
    }


def store_from(row: sqlite3.Row) -> Store:
    """A store as stored, by whomever: anything but the name may be NULL."""
    name, code, brand, city = (row[field] or "" for field in ("name", "code", "brand", "city"))
    return Store(name, code, brand, city, bool(row["isActive"]))


def sync_log_row(entry: SyncLog) -> dict[str, Any]:
    """The columns of a `synclogs` row but `_id`, which SQLite counts up."""
    at = date_text(entry.at)
    return {
        "syncType": entry.sync_type,
        "trigger": entry.trigger,
        "lastSyncAt": at,
        "lastSyncCount": entry.count,
        "status": entry.status,
        "errorMessage": entry.error_message,
        "createdAt": at,
        "updatedAt": at,
        "__v": 0,
    }


def sync_log_from(row: sqlite3.Row) -> SyncLog | None:
    """A `synclogs` entry, by this program or a person's hand; None where it doesn't say when it was.

    An unknown status is no success; an unknown trigger was no person.
    """
    at, status, trigger = date_from(row["lastSyncAt"]), row["status"], row["trigger"]
    if not isinstance(at, datetime):
        return None
    return SyncLog(
        sync_type=row["syncType"],
        trigger=Trigger(trigger) if trigger in list(Trigger) else Trigger.AUTO,
        at=at,
        count=row["lastSyncCount"],
        status=StepStatus(status) if status in list(StepStatus) else StepStatus.FAILED,
        error_message=row["errorMessage"],
    )


def run_from(row: sqlite3.Row) -> RunEntry:
    """A run of `syncruns`."""
    started_at = own_date_from(row["startedAt"]) or LONG_AGO
    return run_entry(own(row, "_id", str), started_at, json.loads(own(row, "document", str)))


def state_row(report: StepName, state: LocationState) -> dict[str, Any]:
    """The columns of a `syncstate` row."""
    return {
        "report": report,
        "location": state.location,
        "watermark": _column(state.watermark),
        "askedAt": _column(state.asked_at),
        "triedAt": _column(state.tried_at),
        "dormant": state.dormant,
        "dueAgain": state.due_again,
        "recent": state.recent,
        "auditedAt": _column(state.audited_at),
        "auditTriedAt": _column(state.audit_tried_at),
        "doubtedSince": _column(state.doubted_since),
    }


def state_from(row: sqlite3.Row) -> LocationState:
    """The state that `state_row` made columns of."""
    return LocationState(
        location=own(row, "location", str),
        watermark=own_date_from(row["watermark"]),
        asked_at=own_date_from(row["askedAt"]),
        tried_at=own_date_from(row["triedAt"]),
        dormant=bool(row["dormant"]),
        due_again=own(row, "dueAgain", int),
        recent=own(row, "recent", int),
        audited_at=own_date_from(row["auditedAt"]),
        audit_tried_at=own_date_from(row["auditTriedAt"]),
        doubted_since=own_date_from(row["doubtedSince"]),
    )
