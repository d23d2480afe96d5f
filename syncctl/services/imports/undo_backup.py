"""The backup of an import that is taken back, and how it is restored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any

from syncctl.domain.identity import SEPARATOR, derived_id
from syncctl.domain.import_notes import Change, ImportNote, NoteKind, in_notes, lead_digest, same_value
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.records import SyncRecord
from syncctl.ports.admin import LeadSnapshot
from syncctl.services.cleanup.backups import BackupEntry

if TYPE_CHECKING:
    from syncctl.services.cleanup.restoring import BackupRestored, RestoreTarget

_RECORD_FIELDS = tuple(field.name for field in fields(SyncRecord) if field.name != "corrections")

DELETED = "deleted"
CHANGED = "changed"


def deleted_entry(run_id: str, snapshot: LeadSnapshot, record: SyncRecord | None) -> BackupEntry:
    """A lead that is to be deleted, with its record, if it has one. `run_id`: the import's."""
    kept = None if record is None else _as_json(record_fields(record))
    return BackupEntry(snapshot, {"why": DELETED, "run": run_id, "record": kept})


def changed_entry(run_id: str, snapshot: LeadSnapshot, back: Mapping[str, tuple[Any, Any]]) -> BackupEntry:
    """A lead whose fields are to get their values back; `back`: what they hold and what they held."""
    return BackupEntry(snapshot, {"why": CHANGED, "run": run_id, "fields": _as_json({**back})})


def record_fields(record: SyncRecord) -> dict[str, Any]:
    """A record of a file as plain data: it has no corrections."""
    return {name: getattr(record, name) for name in _RECORD_FIELDS}


def restore_import(database: RestoreTarget, entries: Sequence[BackupEntry], result: BackupRestored) -> None:
    """Put the leads of a backup back: deleted ones whole and with their records, changed ones field by
    field. What is back is noted again, so that the import can be taken back again."""
    deleted = [entry for entry in entries if entry.details["why"] == DELETED]
    changed = [entry for entry in entries if entry.details["why"] == CHANGED]
    if deleted:
        outcome = database.restore([entry.snapshot for entry in deleted])
        result.put_back(outcome.inserted)
        result.same += len(outcome.same)
        result.different += sorted(outcome.different)
        back = outcome.inserted | outcome.same
        records = [
            SyncRecord(**_from_json(entry.details["record"]))
            for entry in deleted
            if entry.snapshot.lead_id in back and entry.details.get("record")
        ]
        if records:
            database.store_leads([], records)
            leads = database.leads({record.lead_id for record in records})
            _note_again(database, entries, NoteKind.ADDED, map(_added, records, repeat(leads)))
    if changed:
        _note_again(database, entries, NoteKind.LEAD, map(_changed, changed))
        _restore_fields(database, changed, result)


def _added(record: SyncRecord, leads: Mapping[str, Document]) -> tuple[str, Change]:
    lead = leads.get(record.lead_id)
    after = {"fingerprint": record.fingerprint, "leadId": record.lead_id}
    return record.record_id, Change({}, {**after, "lead": lead_digest(lead) if lead else None})


def _changed(entry: BackupEntry) -> tuple[str, Change]:
    fields = _from_json(entry.details["fields"])
    was = {name: undone for name, (_, undone) in fields.items()}
    return entry.snapshot.lead_id, Change(was, {name: held for name, (held, _) in fields.items()})


def _note_again(
    database: RestoreTarget,
    entries: Sequence[BackupEntry],
    kind: NoteKind,
    changes: Iterable[tuple[str, Change]],
) -> None:
    """Note what the import has changed as if it did so now. Not where the import isn't known any more, or an
    earlier version wrote the backup or made the import, whose records tell as much."""
    run_id = entries[0].details.get("run")
    run = next(iter(database.noted_imports(run_id)), None) if run_id else None
    if run is None:
        return
    if run.undone_at is not None:
        database.save_import(run._replace(undone_at=None))
    if not run.created_only:
        for together in in_notes(changes):
            number = f"restored-{derived_id(SEPARATOR.join(together))}"  # the same if it is repeated
            database.replace_import_notes([ImportNote(run.run_id, kind, number, together)])


def _restore_fields(database: RestoreTarget, entries: Sequence[BackupEntry], result: BackupRestored) -> None:
    leads = database.leads([entry.snapshot.lead_id for entry in entries])
    changes = []
    for entry in entries:
        lead_id, written = entry.snapshot.lead_id, _from_json(entry.details.get("fields", {}))
        lead = leads.get(lead_id)
        if lead is None:
            result.different.append(lead_id)
        elif all(same_value(lead.get(name), held) for name, (held, _) in written.items()):
            result.same += 1
        else:
            expected = {name: undone for name, (_, undone) in written.items()}
            changes.append(LeadChange(lead_id, expected, {name: held for name, (held, _) in written.items()}))
    done = database.update_leads(changes) if changes else set()
    result.put_back(done)
    result.different += [change.lead_id for change in changes if change.lead_id not in done]


def _as_json(value: Any) -> Any:
    """Plain data as JSON-like data: a date as {"$date": its text}, what JSON has no word for as text."""
    match value:
        case datetime():
            return {"$date": value.isoformat()}
        case dict():
            return {name: _as_json(each) for name, each in value.items()}
        case list() | tuple():
            return [_as_json(each) for each in value]
        case None | str() | int() | float():
            return value
    return str(value)


def _from_json(value: Any) -> Any:
    match value:
        case {"$date": str(text)}:
            return datetime.fromisoformat(text)
        case dict():
            return {name: _from_json(each) for name, each in value.items()}
        case list():
            return [_from_json(each) for each in value]
    return value
