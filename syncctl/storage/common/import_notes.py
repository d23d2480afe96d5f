"""What imports note of their changes as documents of `syncimports` and back.

What reads a document raises OddDocumentError where syncctl can't have written it.
"""

from datetime import datetime
from typing import Any

from syncctl.domain.import_notes import Change, ImportNote, NotedImport, NoteKind
from syncctl.domain.lead_values import Document
from syncctl.storage.common.own_documents import OddDocumentError, own, own_or_none


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
