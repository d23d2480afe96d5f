"""What cleanups did to the leads of a history. The database keeps no note of it: their backups tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from syncctl.errors import FileProblemError
from syncctl.ports.admin import Database
from syncctl.services.cleanup.backups import BackedUp, BackupKind, backed_up
from syncctl.services.explain.events import Event
from syncctl.services.explain.explaining import Explanation
from syncctl.services.explain.record_history import RecordHistory


def with_cleanups(found: Explanation, folder: Path, database: Database) -> Explanation:
    """The same, with the cleanups of this database that the backups in `folder` tell of. Backups that can't
    be read are warned of."""
    lead_ids = {history.lead_id for history in found.histories} - {""}
    entries: list[BackedUp] = []
    warnings: list[str] = []
    # By name, so that what was restored comes after the deleted duplicates.
    for path in sorted(folder.glob("*.jsonl")) if lead_ids else ():
        try:
            entries += backed_up(path, lead_ids | {entry.lead_id for entry in entries})
        except FileProblemError as problem:
            warnings.append(problem.message)
    if entries:
        place = database.facts().place
        entries = [entry for entry in entries if entry.place == place]
    histories = [_with_events(history, entries) for history in found.histories]
    return replace(found, histories=tuple(histories), warnings=(*found.warnings, *warnings))


def _with_events(history: RecordHistory, entries: list[BackedUp]) -> RecordHistory:
    restored = {entry.details.get("backup") for entry in entries if entry.lead_id == history.lead_id}
    copies = {entry.lead_id for entry in entries if entry.details.get("kept") == history.lead_id}
    events = [
        Event(entry.at, _words(entry, history, is_restored=entry.file in restored))
        for entry in entries
        if history.lead_id in (entry.lead_id, entry.details.get("kept"))
        or (entry.kind is BackupKind.RESTORED and entry.lead_id in copies)
    ]
    return history._replace(events=tuple(sorted((*history.events, *events), key=lambda event: event.at)))


def _words(entry: BackedUp, history: RecordHistory, *, is_restored: bool) -> str:
    if entry.kind is BackupKind.RESTORED:
        what = "its store's name" if entry.details.get("of") == BackupKind.STORES else "it"
        what = what if entry.lead_id == history.lead_id else f"its copy {entry.lead_id}"
        return f"`syncctl cleanup restore` put {what} back (backup {entry.details.get('backup')})"
    if entry.lead_id != history.lead_id:
        return f"`syncctl cleanup {entry.kind}` deleted its copy {entry.lead_id} (backup {entry.file})"
    if entry.kind is BackupKind.STORES:
        changed = f"{entry.details.get('from')} to {entry.details.get('to')}"
        return f"`syncctl cleanup stores` changed its store from {changed} (backup {entry.file})"
    if entry.kind is BackupKind.IMPORT:
        return f"`syncctl import undo`: {entry.details.get('why')} (backup {entry.file})"
    since = " and it was put back since, or left alone" if history.lead and not is_restored else ""
    return f"`syncctl cleanup {entry.kind}` deleted it (backup {entry.file}){since}"
