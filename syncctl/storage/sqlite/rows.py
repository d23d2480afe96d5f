"""Port values as SQLite rows and back: dates as text of one width, which sorts; absent values as NULL."""

import base64
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from syncctl.domain.lead_fields import DATE_FIELDS, LEAD_FIELDS
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import PREVIOUS_UPDATED_AT
from syncctl.domain.records import SyncRecord, Write
from syncctl.domain.run_history import SyncLog
from syncctl.errors import StorageError
from syncctl.storage.common.app_collections import sync_log_from
from syncctl.storage.common.own_documents import OddDocumentError
from syncctl.storage.common.records import record_document, write_documents

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
    return _date_or_text(written) if isinstance(written, str) else written


@lru_cache(maxsize=8192)  # as for `date_text`
def _date_or_text(written: str) -> Any:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return written
    if moment.tzinfo is UTC:
        return moment
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_JSON = json.JSONEncoder(ensure_ascii=False, default=date_text)


def json_text(value: Any) -> str:
    """A value as JSON, dates in it as `date_text`."""
    return _JSON.encode(value)


_AS_TEXT: dict[type, Callable[[Any], str]] = {datetime: date_text, dict: json_text, list: json_text}


def json_list(items: Iterable[str | int | datetime]) -> str:
    """The parameter for `IN (SELECT value FROM json_each(?))`, which takes any number of items."""
    return json.dumps(list(items), default=date_text)


def lead_row(lead: Document) -> dict[str, Any]:
    """The columns of a lead. Raises StorageError naming a field that has none."""
    check_fields(lead)
    return EMPTY_LEAD | lead_columns(lead)


def check_fields(fields: Mapping[str, Any]) -> None:
    """Raises StorageError naming those of the fields that a lead has no column for."""
    if not fields.keys() <= EMPTY_LEAD.keys():
        unknown = fields.keys() - EMPTY_LEAD.keys()
        raise StorageError(f"A lead has no field {', '.join(sorted(unknown))} in the SQLite database.")


def lead_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of these fields of a lead, all of which it must have a column for."""
    return {
        field: date_text(value) if isinstance(value, datetime) else value for field, value in fields.items()
    }


def lead_from(row: sqlite3.Row) -> Document:
    """A lead as the port gives it: absent values left out, except `assignedTo`, which a lead always has."""
    return {**known_fields(row), "assignedTo": row["assignedTo"]}


def known_fields(row: sqlite3.Row) -> Document:
    """These columns of a lead as fields, NULL ones left out."""
    lead = {field: value for field, value in zip(row.keys(), tuple(row), strict=True) if value is not None}
    for field in DATE_FIELDS & lead.keys():
        lead[field] = date_from(lead[field])
    if "followUpFlag" in lead:
        lead["followUpFlag"] = bool(lead["followUpFlag"])
    return lead


def scanned_fields(columns: Sequence[str], found: Iterable[tuple[Any, ...]]) -> Iterator[Document]:
    """`known_fields` of many rows, which begin with these columns."""
    dates = [column for column in columns if column in DATE_FIELDS]
    for row in found:
        lead = dict(zip(columns, row, strict=False))
        if None in row:
            lead = {field: value for field, value in lead.items() if value is not None}
        for field in dates:
            if field in lead:
                lead[field] = date_from(lead[field])
        if "followUpFlag" in lead:
            lead["followUpFlag"] = bool(lead["followUpFlag"])
        yield lead


def report_from(row: sqlite3.Row) -> Document:
    """A report as the port gives it."""
    return {**json.loads(row["document"]), "_id": row["_id"]}


EMPTY_RECORD = {"reportId": None, "corrections": None, "correctedAt": None}
"""The columns that every row of a new record has, whether its document has such a field or not."""


def to_row(document: Document) -> dict[str, Any]:
    """The columns of a store, a log or a document of syncctl's own: dates as `date_text`, what is nested as
    JSON."""
    return {
        field: _AS_TEXT[type(value)](value) if type(value) in _AS_TEXT else value
        for field, value in document.items()
    }


def record_row(record: SyncRecord) -> dict[str, Any]:
    """The columns of a `syncrecords` row but `changedAt`, `written` and `replacedBy`."""
    return EMPTY_RECORD | to_row(record_document(record))


def own_document(row: sqlite3.Row) -> Document:
    """A row of syncctl's own tables as the codecs know it.

    Raises OddDocumentError for corrections or a dialect that are no JSON, and ValueError for other columns.
    """
    document = dict(row)
    for column in _columns_to_read(tuple(document)):
        document[column] = _READERS[column](document[column])
    return document


@cache
def _columns_to_read(columns: tuple[str, ...]) -> list[str]:
    """Those of the columns that have a reader: the same for each of a hundred thousand rows."""
    return [column for column in columns if column in _READERS]


def written_to_column(before: str | None, values: Mapping[str, Any], at: datetime) -> str:
    """The column `written` with further writes in it."""
    return json_text({**(json.loads(before) if before else {}), **write_documents(values, at)})


def writes_column(writes: Mapping[str, Write]) -> str | None:
    """The column `written` with these writes in it; None for none."""
    kept = {field: {"value": write.value, "at": write.at} for field, write in writes.items()}
    return json_text(kept) if kept else None


def note_row(document: Document) -> dict[str, Any]:
    """The columns of a `syncimports` row. In its note each value of a lead keeps its type."""
    row = to_row({"startedAt": None, **document, "note": None})
    return {**row, "note": json.dumps(document["note"], ensure_ascii=False, default=_tagged)}


def _tagged(value: Any) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"$binary": base64.b64encode(value).decode()}
    return {"$date": date_text(value)}


def _untagged(found: dict[str, Any]) -> Any:
    match found:
        case {"$date": text, **rest} if not rest:
            return date_from(text)
        case {"$binary": text, **rest} if not rest:
            return base64.b64decode(text)
    return found


def _note(written: Any) -> Any:
    try:
        return json.loads(written, object_hook=_untagged)
    except ValueError:
        raise OddDocumentError from None


def dated_log(row: sqlite3.Row) -> SyncLog | None:
    """A `synclogs` entry, by this program or a person's hand; None where it doesn't say when it was."""
    at = date_from(row["lastSyncAt"])
    return sync_log_from(dict(row), at) if isinstance(at, datetime) else None


def _date_or_none(written: Any) -> datetime | None:
    moment = date_from(written)
    return moment if isinstance(moment, datetime) else None


def _date_or_long_ago(written: Any) -> datetime:
    return _date_or_none(written) or LONG_AGO


def _from_json(written: Any) -> Any:
    return json.loads(written) if isinstance(written, str) else written


def _from_json_or_odd(written: Any) -> Any:
    try:
        return _from_json(written)
    except ValueError:
        raise OddDocumentError from None


def _values(written: Any) -> Any:
    """The field's name, not the text, says what is a date."""
    values = _from_json(written)
    if isinstance(values, dict):
        for field in DATE_FIELDS & values.keys():
            values[field] = date_from(values[field])
    return values


def _corrections(written: Any) -> Any:
    corrections = _from_json_or_odd(written)
    if isinstance(corrections, list):
        for each in corrections:
            if isinstance(each, dict):
                each["at"] = date_from(each.get("at"))
    return corrections


def _written(written: Any) -> Any:
    writes = _from_json(written or None)
    if isinstance(writes, dict):
        for field, write in writes.items():
            if isinstance(write, dict):
                write["at"] = _date_or_long_ago(write.get("at"))
                if field in NOTED_DATES:
                    write["value"] = date_from(write.get("value"))
    return writes


_READERS: dict[str, Callable[[Any], Any]] = {
    "firstSeenAt": _date_or_long_ago,
    "rejectedAt": _date_or_long_ago,
    "startedAt": _date_or_long_ago,
    "note": _note,
    "countedAt": _date_or_long_ago,
    "changedAt": _date_or_none,
    "watermark": _date_or_none,
    "askedAt": _date_or_none,
    "triedAt": _date_or_none,
    "auditedAt": _date_or_none,
    "auditTriedAt": _date_or_none,
    "doubtedSince": _date_or_none,
    "dormant": bool,
    "values": _values,
    "corrections": _corrections,
    "written": _written,
    "document": _from_json,
    "dialect": _from_json_or_odd,
}
"""How the columns of syncctl's own tables that aren't plain texts or numbers are read."""
