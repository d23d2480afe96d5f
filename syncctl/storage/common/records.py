"""Records of `syncrecords` as documents and back.

What reads a document raises OddDocumentError where syncctl can't have written it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast

from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.records import Correction, CorrectionOutcome, KnownRecord, SyncRecord, Write
from syncctl.ports.storage import Created, RecordEntry
from syncctl.storage.common.own_documents import OddDocumentError, own, own_if_any, own_or_none

KNOWN_FIELDS = (
    "leadId",
    "fingerprint",
    "location",
    "source",
    "reportId",
    "replacedBy",
    "corrections",
    "firstSeenAt",
)
"""The fields that `known_by_id` reads beside `_id`."""


def record_document(record: SyncRecord) -> Document:
    """A record's document; its `_id` is the record's id, so that a second insert collides."""
    document: Document = {
        "_id": record.record_id,
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


def record_entry(document: Document) -> RecordEntry:
    """A record whole."""
    record = SyncRecord(
        record_id=own(document, "_id", str),
        key=own(document, "key", str),
        lead_id=own(document, "leadId", str),
        source=own(document, "source", str),
        location=own(document, "location", str),
        values=cast(LeadValues, own(document, "values", dict)),
        fingerprint=own(document, "fingerprint", str),
        first_seen_at=own(document, "firstSeenAt", datetime),
        first_run_id=own(document, "firstRunId", str),
        report_id=own_if_any(document, "reportId", str),
        replaced_by=own_if_any(document, "replacedBy", str),
        corrections=_corrections(document),
    )
    return RecordEntry(record, own_if_any(document, "changedAt", datetime))


def known_by_id(document: Document) -> tuple[str, KnownRecord]:
    """A record's id, and what a run needs of the record."""
    seen = document.get("firstSeenAt")
    corrections = _corrections(document) if document.get("corrections") is not None else ()
    known = KnownRecord(
        own(document, "leadId", str),
        own(document, "fingerprint", str),
        own(document, "location", str),
        own(document, "source", str),
        finished_by(own_if_any(document, "reportId", str), corrections),
        own_if_any(document, "replacedBy", str),
        seen if isinstance(seen, datetime) else None,
    )
    return own(document, "_id", str), known


def lead_of(document: Document) -> str:
    """The id of a record's lead."""
    return own(document, "leadId", str)


def values_by_id(document: Document) -> tuple[str, dict[str, Any]]:
    """A record's id, and the source's values."""
    return own(document, "_id", str), own(document, "values", dict)


def write_documents(values: Mapping[str, Any], at: datetime) -> Document:
    """By field, the writes that give a lead these values, as they are kept in its record's `written`."""
    return {field: {"value": value, "at": at} for field, value in values.items()}


def writes_by_id(document: Document) -> tuple[str, dict[str, Write]]:
    """A record's id, and the writes kept in it."""
    written = own_if_any(document, "written", dict) or {}
    if not all(isinstance(write, dict) for write in written.values()):
        raise OddDocumentError
    return own(document, "_id", str), {
        field: Write(write.get("value"), own(write, "at", datetime)) for field, write in written.items()
    }


def is_about(
    values: Mapping[str, Any], booking_numbers: Collection[Any], phones: Collection[Any], created: Created
) -> bool:
    """Whether a lead or record has one of these numbers, or was created so."""
    at = values.get("createdAt")
    return (
        values.get("bookingNo") in booking_numbers
        or values.get("phone") in phones
        or at in created.moments
        or (values.get("name") in created.names and at in created.midnights)
    )


def finished_by(report_id: str | None, corrections: tuple[Correction, ...]) -> str | None:
    """The report that finished a record's lead: its own, or that of the record whose place it took."""
    return report_id or (corrections[-1].finished_by if corrections else None)


def reports_of_corrections(document: Document) -> set[str]:
    """The reports that a record's corrections name."""
    return {made.report_id for made in _corrections(document) if made.report_id}


def correction_document(correction: Correction) -> Document:
    """A correction as it is kept with its record."""
    return {
        "at": correction.at,
        "phoneBefore": correction.phone_before,
        "outcome": correction.outcome.value,
        "runId": correction.run_id,
        "reportId": correction.report_id,
    }


def _corrections(document: Document) -> tuple[Correction, ...]:
    kept = own_if_any(document, "corrections", list)
    if not kept:  # as nearly all
        return ()
    if not all(isinstance(each, dict) for each in kept):
        raise OddDocumentError
    return tuple(map(_correction, kept))


def _correction(document: Document) -> Correction:
    try:
        outcome = CorrectionOutcome(own(document, "outcome", str))
    except ValueError:
        raise OddDocumentError from None
    return Correction(
        own(document, "at", datetime),
        own(document, "phoneBefore", str),
        outcome,
        own(document, "runId", str),
        own_or_none(document, "reportId", str),
    )
