"""Rows of the rejects list as documents of `syncrejects` and back, and the list in the port's order."""

from collections.abc import Iterable
from datetime import datetime

from syncctl.domain.lead_values import Document
from syncctl.domain.records import Reject, RejectAnswer
from syncctl.ports.storage import RejectPositions
from syncctl.storage.common.own_documents import own


def reject_document(reject: Reject) -> Document:
    """A reject's document; its `_id` is the reject's id, so that a second insert collides."""
    return {
        "_id": reject.reject_id,
        "source": reject.source,
        "location": reject.location,
        "store": reject.store,
        "position": reject.position,
        "reason": reject.reason,
        "row": reject.row,
        "runId": reject.run_id,
        "rejectedAt": reject.rejected_at,
    }


def closed_document(reject: Reject, answer: RejectAnswer, at: datetime) -> Document:
    """The document of a reject that a person has answered."""
    return {**reject_document(reject), "row": "", "closedAs": str(answer), "closedAt": at}


def amendment(reject: Reject) -> Document:
    """The fields that are set in a reject that is amended."""
    return {"store": reject.store, "reason": reject.reason, "row": reject.row}


def reject_from(document: Document) -> Reject:
    """The reject that `reject_document` made a document of. Raises OddDocumentError for another document."""
    return Reject(
        own(document, "_id", str),
        own(document, "source", str),
        own(document, "location", str),
        own(document, "store", str),
        own(document, "position", str),
        own(document, "reason", str),
        own(document, "row", str),
        own(document, "runId", str),
        own(document, "rejectedAt", datetime),
    )


def place_of(document: Document) -> tuple[str, str, str]:
    """A reject's location, position and id. Raises OddDocumentError where syncctl can't have written them."""
    return own(document, "location", str), own(document, "position", str), own(document, "_id", str)


def newest_first(rejects: Iterable[Reject]) -> list[Reject]:
    """By when they were listed, the last first; what one run listed by its place in the source."""
    by_place = sorted(
        rejects, key=lambda reject: (reject.source, reject.location, reject.position, reject.reject_id)
    )
    return sorted(by_place, key=lambda reject: reject.rejected_at, reverse=True)


def by_location(places: Iterable[tuple[str, str, str]]) -> RejectPositions:
    """Rejects given as location, position and id."""
    positions: RejectPositions = {}
    for location, position, reject_id in places:
        positions.setdefault(location, {}).setdefault(position, []).append(reject_id)
    return positions
