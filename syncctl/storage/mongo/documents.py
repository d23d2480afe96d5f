"""Ids and documents as MongoDB holds them and as the port gives them, and the updates of `syncrecords`.

Field names, types and defaults of `stores` and `synclogs` are those of contract/database.md; `syncrecords`,
`syncrejects`, `syncstate` and `syncruns` are the sync's own, and `storage/common/` says what is in them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bson import Decimal128, ObjectId

from syncctl.domain.lead_values import Document
from syncctl.domain.records import Correction, SyncRecord
from syncctl.domain.run_history import SyncLog
from syncctl.storage.common.app_collections import sync_log_from
from syncctl.storage.common.own_collections import name_by_code
from syncctl.storage.common.own_documents import OddDocumentError, own
from syncctl.storage.common.records import correction_document, record_document, write_documents
from syncctl.storage.common.report_paths import EXACT_DIGITS
from syncctl.text import to_text

OBJECT_ID_TEXT = re.compile(r"[0-9a-f]{24}")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


PLAIN = frozenset((str, int, float, bool, datetime))
"""What needs no conversion for the port. Asked first, as scans have a million values."""


@lru_cache(maxsize=8192)  # a batch looks its ids up several times before it stores them
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
        ids.append(to_bson_id(text))
    elif WHOLE_NUMBER.fullmatch(text):
        ids.append(int(text))
    return ids


def from_bson(document: Document) -> Document:
    """A document as the port gives it: its `_id` as text, and so each ObjectId in it, at any depth; whole
    decimals as ints."""
    return {**_plain(document), "_id": to_text(document["_id"])}


def known_fields(document: Document) -> Document:
    """`from_bson` without the fields that are null."""
    known = {**document, "_id": to_text(document["_id"])}
    for value in known.values():
        if type(value) not in PLAIN:
            return {field: _plain(value) for field, value in known.items() if value is not None}
    return known


def scanned_fields(document: Document) -> Document:
    """`known_fields` of a document whose dates have no zone yet, which the driver reads faster."""
    document["_id"] = to_text(document["_id"])
    for field, value in document.items():
        kind = type(value)
        if kind is datetime:
            document[field] = value.replace(tzinfo=UTC)
        elif kind not in PLAIN:
            return {field: _plain(value) for field, value in document.items() if value is not None}
    return document


def _plain(value: Any) -> Any:
    match value:
        case datetime(tzinfo=None):
            return value.replace(tzinfo=UTC)
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


def to_stored(document: Document) -> Document:
    """A document to be stored, from the port's form of it, which lacks only the type of its `_id`."""
    return {**document, "_id": to_bson_id(document["_id"])}


def own_document(stored: Document) -> Document:
    """A document of syncctl's own collections as the codecs know it: an ObjectId as text."""
    bson_id = stored["_id"]
    return {**stored, "_id": str(bson_id)} if isinstance(bson_id, ObjectId) else stored


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


def writes_update(values: Mapping[str, Any], at: datetime) -> Document:
    """The update that adds writes to a `syncrecords` document."""
    written = write_documents(values, at)
    return {"$set": {f"written.{field}": write for field, write in written.items()}}


LOG_DATES = ("lastSyncAt", "createdAt")
"""When a sync was, by `synclogs`: one of them must be a date for an entry to say anything."""


def dated_log(document: Document) -> SyncLog:
    """A `synclogs` entry with one of LOG_DATES."""
    at = next(moment for field in LOG_DATES if isinstance(moment := document.get(field), datetime))
    return sync_log_from(document, at)


def store_names(document: Document) -> dict[str, str]:
    """The stores' names by code in the `syncstate` document of the store list."""
    entries = own(document, "names", list)
    if not all(isinstance(entry, dict) for entry in entries):
        raise OddDocumentError
    return dict(map(name_by_code, entries))
