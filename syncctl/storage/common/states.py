"""What `syncstate` holds as documents and back: checkpoints, files' hashes, the API's store list,
the last count of duplicates.

What reads a document raises OddDocumentError where syncctl can't have written it.
"""

from datetime import datetime

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.lead_values import Document
from syncctl.domain.sources import StepName
from syncctl.ports.admin import DuplicateCount
from syncctl.storage.common.own_documents import own, own_or_none

LATER_STATE_FIELDS = {"recent": 0, "auditedAt": None, "auditTriedAt": None, "doubtedSince": None}
"""What an older syncctl did not keep."""


def state_document(report: StepName, state: LocationState) -> Document:
    """How far a report of a location is, without an `_id`: report and location are unique together."""
    return {
        "report": str(report),
        "location": state.location,
        "watermark": state.watermark,
        "askedAt": state.answered_at,
        "triedAt": state.tried_at,
        "dormant": state.dormant,
        "dueAgain": state.due_again,
        "recent": state.recent,
        "auditedAt": state.audited_at,
        "auditTriedAt": state.audit_tried_at,
        "doubtedSince": state.doubted_since,
    }


def state_from(document: Document) -> LocationState:
    """The state that `state_document` made a document of."""
    document = {**LATER_STATE_FIELDS, **document}
    return LocationState(
        location=own(document, "location", str),
        watermark=own_or_none(document, "watermark", datetime),
        answered_at=own_or_none(document, "askedAt", datetime),
        tried_at=own_or_none(document, "triedAt", datetime),
        dormant=own(document, "dormant", bool),
        due_again=own(document, "dueAgain", int),
        recent=own(document, "recent", int),
        audited_at=own_or_none(document, "auditedAt", datetime),
        audit_tried_at=own_or_none(document, "auditTriedAt", datetime),
        doubted_since=own_or_none(document, "doubtedSince", datetime),
    )


def file_document(kind: str, name: str, content_hash: str, imported_at: datetime) -> Document:
    """An imported file, without an `_id`: kind and name are unique together."""
    return {"kind": kind, "name": name, "contentHash": content_hash, "importedAt": imported_at}


def hash_by_name(document: Document) -> tuple[str, str]:
    """An imported file's name and hash."""
    return own(document, "name", str), own(document, "contentHash", str)


def name_by_code(document: Document) -> tuple[str, str]:
    """A store's code and name in the API's store list."""
    return own(document, "code", str), own(document, "name", str)


def count_document(count: DuplicateCount) -> Document:
    """A count of duplicates, without an `_id`: there is one."""
    return {
        "sets": count.sets,
        "extraCopies": count.extra_copies,
        "countedAt": count.counted_at,
        "countedBy": count.counted_by,
    }


def count_from(document: Document) -> DuplicateCount:
    """The count that `count_document` made a document of."""
    return DuplicateCount(
        own(document, "sets", int),
        own(document, "extraCopies", int),
        own(document, "countedAt", datetime),
        own(document, "countedBy", str),
    )
