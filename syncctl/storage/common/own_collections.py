"""What syncctl's own collections hold as documents and back; records and dialects have modules of their own.

`syncruns`: the history's runs, and what is read out of them. `syncimports`: what imports note of their
changes. `syncstate`: checkpoints, files' hashes, the API's store list, the last count of duplicates.
`syncrejects`: rows of the rejects list, in the port's order.

What reads a document raises OddDocumentError where syncctl can't have written it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.import_notes import Change, ImportNote, NotedImport, NoteKind
from syncctl.domain.lead_values import Document
from syncctl.domain.records import Reject, RejectAnswer
from syncctl.domain.run_history import RunEntry
from syncctl.domain.sources import StepName
from syncctl.ports.admin import DuplicateCount, RunSpan
from syncctl.ports.storage import RejectPositions
from syncctl.storage.common.own_documents import OddDocumentError, own, own_or_none


def run_document(entry: RunEntry) -> Document:
    """A run's document."""
    return {"_id": entry.run_id, "startedAt": entry.started_at, "document": dict(entry.document)}


def run_from(document: Document) -> RunEntry:
    """The run that `run_document` made a document of. It has a list of mappings as its `steps`, which readers
    may rely on."""
    kept = own(document, "document", dict)
    steps = own(kept, "steps", list)
    if not all(isinstance(step, dict) for step in steps):
        raise OddDocumentError
    return RunEntry(own(document, "_id", str), own(document, "startedAt", datetime), kept)


def span_of(run: RunEntry) -> RunSpan:
    """When a run was at work, from its length and the names of its steps."""
    length = run.document.get("duration_s")
    if not isinstance(length, int | float):
        raise OddDocumentError
    try:
        ended_at = run.started_at + timedelta(seconds=length)
    except (OverflowError, ValueError):
        raise OddDocumentError from None
    return RunSpan(run.started_at, ended_at, step_names(run))


def saved_by_audits(runs: Iterable[RunEntry]) -> dict[str, int]:
    """How many leads only the audits of these runs brought, by the name of the step."""
    saved = Counter[str]()
    for run in runs:
        for step in run.document["steps"]:
            audit = step.get("audit")
            number = audit.get("saved") if isinstance(audit, dict) else None
            if isinstance(number, int) and isinstance(step.get("name"), str):
                saved[step["name"]] += number
    return dict(+saved)


def step_names(run: RunEntry) -> tuple[str, ...]:
    """The names of a run's steps."""
    return tuple(own(step, "name", str) for step in run.document["steps"])


def import_document(entry: NotedImport) -> Document:
    """The document of an import, beside those of its notes: only this one has `startedAt`."""
    note = {
        "command": entry.command,
        "undoneAt": entry.undone_at,
        "createdOnly": entry.created_only,
    }
    return {"_id": entry.run_id, "startedAt": entry.started_at, "note": note}


def import_from(document: Document) -> NotedImport:
    """The import that `import_document` made a document of."""
    note = own(document, "note", dict)
    return NotedImport(
        own(document, "_id", str),
        own(note, "command", str),
        own(document, "startedAt", datetime),
        own_or_none(note, "undoneAt", datetime),
        own(note, "createdOnly", bool),
    )


def note_document(note: ImportNote) -> Document:
    """The document of a note."""
    kept = {
        "runId": note.run_id,
        "kind": note.kind.value,
        "number": note.number,
        "changes": [[item, dict(before), dict(after)] for item, (before, after) in note.changes.items()],
    }
    return {"_id": note.note_id, "note": kept}


def note_from(document: Document) -> ImportNote:
    """The note that `note_document` made a document of."""
    note = own(document, "note", dict)
    try:
        kind = NoteKind(own(note, "kind", str))
    except ValueError:
        raise OddDocumentError from None
    return ImportNote(
        own(note, "runId", str),
        kind,
        own(note, "number", str),
        dict(map(_change, own(note, "changes", list))),
    )


def _change(noted: Any) -> tuple[str, Change]:
    match noted:
        case [str(item), dict(before), dict(after)]:
            return item, Change(before, after)
    raise OddDocumentError


def notes_of(run_id: str, kind: str = "") -> tuple[str, str]:
    """Between these two are all ids of a run's notes, of one kind or of all."""
    beginning = f"{run_id}:{kind}:" if kind else f"{run_id}:"
    return beginning, f"{beginning[:-1]};"


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
