"""The history's runs as documents of `syncruns` and back, and what is read out of them; what imports note of
their changes as documents of `syncimports` and back.

What reads a document raises OddDocumentError where syncctl can't have written it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from syncctl.domain.import_notes import Change, ImportNote, NotedImport, NoteKind
from syncctl.domain.lead_values import Document
from syncctl.domain.run_history import RunEntry
from syncctl.ports.admin import RunSpan
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
