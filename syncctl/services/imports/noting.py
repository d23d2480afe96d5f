"""Notes what an import is about to change, before it changes it, so that the import can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from syncctl.domain.import_notes import Change, ImportNote, NotedImport, NoteKind, in_notes, lead_digest
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.leads import PREVIOUS_UPDATED_AT, UPDATED_AT
from syncctl.domain.records import KnownRecord, Reject, RejectAnswer, SyncRecord
from syncctl.domain.sources import FILE_STEPS
from syncctl.ports.storage import Storage, Texts
from syncctl.services.run import HISTORY_RETENTION, Run

S = TypeVar("S")


def noting_changes(stage: Callable[[S, Run], None]) -> Callable[[S, Run], None]:
    """Let a stage of a run note each of its changes. A dry run has none."""

    @wraps(stage)
    def noted(of: S, run: Run) -> None:
        if run.dry_run:
            stage(of, run)
            return
        unnoted = run.storage
        run.storage = cast(Storage, NotingStorage(run))
        try:
            stage(of, run)
        finally:
            run.storage = unnoted

    return noted


class NotingStorage:
    """The database of an import. A write is noted before it is made, with what is there; whether it was made
    is found out only when the import is taken back. All other calls are the database's own."""

    def __init__(self, run: Run) -> None:
        self._storage = run.storage
        self._import = NotedImport(run.run_id, run.command, run.started_at)
        self._stage = run.steps_done
        self._notes_kept = 0
        self._known_hashes: dict[str, dict[str, str]] = {}
        self._is_begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def find_records(self, record_ids: Texts) -> dict[str, KnownRecord]:
        """As the database's; what it finds has a row in this import's files. An earlier import that can
        still be taken back must not take these leads away."""
        found = self._storage.find_records(record_ids)
        began, nothing = self._import.started_at, Change({}, {})
        earliest = began - HISTORY_RETENTION
        seen = {each: known.first_seen_at for each, known in found.items() if known.source in FILE_STEPS}
        self._note(
            NoteKind.SEEN, ((each, nothing) for each, at in seen.items() if at and earliest < at < began)
        )
        return found

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        new = {lead["_id"]: lead for lead in leads}
        linked = {record.lead_id for record in records} - new.keys()
        there = self._storage.leads(linked) if linked else {}
        added, links = [], []
        for record in records:
            if record.lead_id in new:
                added.append(_added(record, _default_date(record, new[record.lead_id])))
            else:
                lead = there.get(record.lead_id)
                links.append(_added(record, {"lead": lead_digest(lead) if lead else None}))
        self._note(NoteKind.ADDED, added)
        self._note(NoteKind.LINKED, links)
        return self._storage.store_leads(leads, records)

    def pair_reports(self, report_ids: Mapping[str, str]) -> None:
        changes = [(each, Change({}, {"report": report_id})) for each, report_id in report_ids.items()]
        self._note(NoteKind.REPORT, changes)
        self._storage.pair_reports(report_ids)

    def add_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        known, before = self._storage.find_records(writes.keys()), self._storage.writes(writes.keys())
        leads = self._storage.leads({record.lead_id for record in known.values()})
        changes = []
        for record_id, record in known.items():
            noted, written = before.get(record_id, {}), writes[record_id]
            was = {
                field: {"value": write.value, "at": write.at}
                for field, write in noted.items()
                if field in written
            }
            held = _held(leads.get(record.lead_id, {}), written)
            changes.append((record_id, Change(was, {"at": at, "lead": record.lead_id, "held": held})))
        self._note(NoteKind.WRITES, changes)
        self._storage.add_writes(writes, at)

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        self._note(NoteKind.LEAD, ((each.lead_id, Change(each.expected, each.values)) for each in changes))
        return self._storage.update_leads(changes)

    def update_records(self, records: Sequence[SyncRecord]) -> None:
        ids = [record.record_id for record in records]
        known, values = self._storage.find_records(ids), self._storage.record_values(ids)
        changes = []
        for record in records:
            if (before := known.get(record.record_id)) and record.record_id in values:
                was = {"values": values[record.record_id], "fingerprint": before.fingerprint}
                changes.append((record.record_id, Change(was, {"fingerprint": record.fingerprint})))
        self._note(NoteKind.VALUES, changes)
        self._storage.update_records(records)

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        hashes, changes = self._hashes_of(rejects), []
        for reject in rejects:
            place = {"source": reject.source, "location": reject.location}
            after = {**place, "hash": hashes.get((reject.source, reject.location))}
            changes.append((reject.reject_id, Change({}, after)))
        self._note(NoteKind.REJECTED, changes)
        return self._storage.add_rejects(rejects)

    def clear_rejects(self, reject_ids: Texts) -> None:
        self._note_cleared(reject_ids, is_closed=False)
        self._storage.clear_rejects(reject_ids)

    def close_rejects(self, rejects: Sequence[Reject], answer: RejectAnswer, at: datetime) -> None:
        self._note_cleared([reject.reject_id for reject in rejects], is_closed=True)
        self._storage.close_rejects(rejects, answer, at)

    def amend_rejects(self, rejects: Sequence[Reject]) -> None:
        listed = {reject.reject_id: reject for reject in self._storage.rejects()} if rejects else {}
        self._note(
            NoteKind.AMENDED,
            (
                (reject.reject_id, Change({"reject": before._asdict()}, {"reject": reject._asdict()}))
                for reject in rejects
                if (before := listed.get(reject.reject_id))
            ),
        )
        self._storage.amend_rejects(rejects)

    def _note_cleared(self, reject_ids: Texts, *, is_closed: bool) -> None:
        wanted = set(reject_ids)
        listed = [reject for reject in self._storage.rejects() if reject.reject_id in wanted]
        hashes, changes = self._hashes_of(listed), []
        for reject in listed:
            after = {"hash": hashes.get((reject.source, reject.location)), "closed": is_closed}
            changes.append((reject.reject_id, Change({"reject": reject._asdict()}, after)))
        self._note(NoteKind.CLEARED, changes)

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        before = self._hashes(kind).get(name)
        after = {"kind": str(kind), "name": name, "hash": content_hash}
        self._note(NoteKind.FILE, [(f"{kind}/{name}", Change({"hash": before}, after))])
        self._storage.save_file_hash(kind, name, content_hash)
        self._known_hashes[kind][name] = content_hash

    def _hashes_of(self, rejects: Iterable[Reject]) -> dict[tuple[str, str], str]:
        """The files' contents as imported before, by kind and name."""
        kinds = {reject.source for reject in rejects}
        return {(kind, name): content for kind in kinds for name, content in self._hashes(kind).items()}

    def _hashes(self, kind: str) -> dict[str, str]:
        """As `file_hashes`. Read once: only this run changes them."""
        if kind not in self._known_hashes:
            self._known_hashes[kind] = dict(self._storage.file_hashes(kind))
        return self._known_hashes[kind]

    def _note(self, kind: NoteKind, changes: Iterable[tuple[str, Change]]) -> None:
        """Keep what is about to be changed, by its id."""
        run_id = self._import.run_id
        notes = [
            ImportNote(run_id, kind, f"{self._stage}-{number:06}", together)
            for number, together in enumerate(in_notes(changes), self._notes_kept)
        ]
        if not notes:
            return
        if not self._is_begun:
            self._storage.save_import(self._import)
            self._is_begun = True
        self._storage.add_import_notes(notes)
        self._notes_kept += len(notes)


def _added(record: SyncRecord, of_lead: Mapping[str, Any]) -> tuple[str, Change]:
    """A record that is to be added: what shows whether it, and the lead that it has, are as they were. The
    record itself is in the database, and is read from there: a new lead is what its record makes it."""
    after = {"fingerprint": record.fingerprint, **of_lead}
    if record.lead_id != record.record_id:
        after["leadId"] = record.lead_id
    return record.record_id, Change({}, after)


def _default_date(record: SyncRecord, lead: Document) -> dict[str, Any]:
    """The only part of a new lead that its record doesn't tell."""
    return {} if "createdAt" in record.values else {"createdAt": lead["createdAt"]}


def _held(lead: Document, written: Mapping[str, Any]) -> dict[str, Any]:
    """What the lead holds in the fields that are about to be written."""
    return {field: lead.get(UPDATED_AT if field == PREVIOUS_UPDATED_AT else field) for field in written}
