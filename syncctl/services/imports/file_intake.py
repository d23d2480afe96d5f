"""Applies what is decided of an import's records: saves new ones, merges changes into existing leads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from syncctl.domain.identity import fingerprint
from syncctl.domain.lead_traits import as_datetime
from syncctl.domain.lead_values import Document, LeadChange, LeadValues
from syncctl.domain.leads import new_lead, own_update
from syncctl.domain.merge import Merge, next_base
from syncctl.domain.records import SyncRecord
from syncctl.domain.row_decisions import Reason, RowAction
from syncctl.domain.run_results import FinishedRow
from syncctl.domain.sources import StepName
from syncctl.errors import LeadsRefusedError
from syncctl.locations import Locations
from syncctl.ports.storage import Storage
from syncctl.safe_output.redact import mask_phone
from syncctl.services.imports.deciding import Decided, Decider
from syncctl.services.imports.preview import PreviewHash
from syncctl.services.imports.staging import StagedRow
from syncctl.services.imports.tally import FileTally
from syncctl.services.run import Run


@dataclass(frozen=True, slots=True)
class _Applied:
    """What the database did, by record id."""

    inserted: Collection[str] = ()
    """New leads that are there now."""

    updated: Collection[str] = ()
    """Leads that have their news now."""

    refused: Mapping[str, str] = field(default_factory=dict)
    """New leads that the database's own rules keep out, with the reason."""

    def outcome(self, decided: Decided) -> tuple[RowAction, str]:
        """What became of a record: what was decided, unless the database was faster or refused."""
        record_id = decided.staged.record.record.lead_id
        match decided.action:
            case RowAction.CREATE if record_id in self.refused:
                return RowAction.REJECT, self.refused[record_id]
            case RowAction.CREATE if record_id not in self.inserted:
                return RowAction.KEEP, Reason.STORED_MEANWHILE
            case RowAction.UPDATE if record_id not in self.updated:
                return RowAction.KEEP, Reason.EDITED_MEANWHILE
        return decided.action, decided.reason


class FileIntake:
    """Stores the staged rows of one import. `storage`: another than the run's, to rehearse it. `preview`:
    takes what becomes of each row."""

    def __init__(
        self,
        run: Run,
        kind: StepName,
        locations: Locations,
        storage: Storage | None = None,
        preview: PreviewHash | None = None,
    ) -> None:
        self._run = run
        self._kind = kind
        self._storage = run.storage if storage is None else storage
        self._decider = Decider(self._storage, kind, locations)
        self._preview = preview
        self._undecided: list[StagedRow] = []

    def ingest(
        self, batch: Sequence[StagedRow], tallies: Sequence[FileTally], *, only_new: bool = False
    ) -> set[str]:
        """Store what is new and count the result of each row in its file's tally. `only_new`: leave known
        records alone, as a later row may have changed them. Returns the ids of the leads that the database's
        own rules refused. Raises StorageError."""
        return self._ingest(batch, tallies, only_new=only_new, final_pass=False)

    def ingest_undecided(self, tallies: Sequence[FileTally], *, only_new: bool = False) -> set[str]:
        """Like `ingest`, for the rows that a report or legacy lead fits only in part, which can be decided
        only after all others are stored."""
        batch, self._undecided = self._undecided, []
        return self._ingest(batch, tallies, only_new=only_new, final_pass=True) if batch else set()

    @property
    def undecided_files(self) -> set[int]:
        """The numbers of the files with undecided rows."""
        return {staged.file for staged in self._undecided}

    def _ingest(
        self, rows: Sequence[StagedRow], tallies: Sequence[FileTally], *, only_new: bool, final_pass: bool
    ) -> set[str]:
        with_leads = self._preview is not None and self._preview.keeps_rows
        decided, undecided = self._decider.decide(
            rows, only_new=only_new, final_pass=final_pass, with_leads=with_leads
        )
        self._undecided += undecided
        applied = self._apply(decided, tallies)
        reports = self._storage.reports({each.report_id for each in decided if each.report_id})
        for each in decided:
            action, reason = applied.outcome(each)
            tally = tallies[each.staged.file]
            if each.report_id is not None and action is RowAction.FINISHED:
                report = reports.get(each.report_id, {})
                tally.finished.append(_finished_row(each.staged, each.report_id, report))
            if action is RowAction.REJECT:
                tally.refused.append(f"{_place(each.staged)}: {reason}")
            else:
                tally.actions[action] += 1
            if self._preview is not None:
                position = tally.position(each.staged.file, each.staged.sheet, each.staged.row)
                self._preview.add(position, each.row_decision(tally.name, action, reason))
        return set(applied.refused)

    def _apply(self, decided: Sequence[Decided], tallies: Sequence[FileTally]) -> _Applied:
        """Write what was decided. Guarded: what a person has done meanwhile stays."""
        newly_finished = {
            each.staged.record.record.lead_id: each.report_id
            for each in decided
            if each.report_id and each.before is not None and each.before.report_id is None
        }
        if newly_finished:
            self._storage.pair_reports(newly_finished)
        new = [each for each in decided if each.action is RowAction.CREATE]
        unknown = [each for each in decided if each.before is None and not each.has_lead]
        inserted: set[str] = set()
        refused: dict[str, str] = {}
        try:
            if unknown:
                inserted = self._storage.store_leads(
                    [new_lead(each.staged.record.record, self._run.first_seen_at) for each in new],
                    [self._sync_record(each, None, tallies) for each in unknown],
                )
        except LeadsRefusedError as refusal:
            inserted, refused = refusal.inserted, refusal.reasons
        return _Applied(inserted, self._merge(decided, tallies), refused)

    def _merge(self, decided: Sequence[Decided], tallies: Sequence[FileTally]) -> set[str]:
        """Merge the files' changes into leads; returns the ids of the records whose leads were written."""
        changes: list[LeadChange] = []
        writes: dict[str, dict[str, Any]] = {}
        newly_linked: list[SyncRecord] = []
        started_at = self._run.started_at
        for each in decided:
            if each.merge is not None and each.merge.values and each.lead is not None:
                changes.append(each.merge.guarded_change(each.lead, updated_at=started_at))
                writes[each.staged.record.record.lead_id] = {
                    **each.merge.values,
                    **own_update(each.lead, each.written, started_at),
                }
            if each.has_lead and each.before is None:
                to_save = self._sync_record(each, None, tallies)
                newly_linked.append(
                    to_save
                    if each.merge is None or each.lead is None
                    else _with_merge_pending(to_save, each.merge, each.lead)
                )
        if newly_linked:
            # First of all, so that these leads stay linked whatever happens next.
            self._storage.store_leads([], newly_linked)
        if writes:
            # Before writing: values left by a killed import must not look like a person's edit.
            self._storage.add_writes(writes, started_at)
        applied = self._storage.update_leads(changes) if changes else set()
        return self._save_bases(decided, applied, tallies)

    def _save_bases(
        self, decided: Sequence[Decided], applied: Collection[str], tallies: Sequence[FileTally]
    ) -> set[str]:
        """Update the bases after the leads: if killed in between, the next import repeats the merge and
        finds it done. Returns the ids of the records whose leads were written. `applied`: the leads that have
        the new values now."""
        done: set[str] = set()
        to_save: list[SyncRecord] = []
        for each in decided:
            merged, before = each.merge, each.before
            if merged is None:
                continue
            if merged.values and each.lead_id not in applied:
                # A telecaller edited it in between: the next import merges again.
                tallies[each.staged.file].deferred += 1
                continue
            if merged.values:
                done.add(each.staged.record.record.lead_id)
            tallies[each.staged.file].conflicts += _conflict_lines(each.staged, merged)
            is_noted = not merged.values if before is None else before.source != self._kind
            if not is_noted:
                to_save.append(self._sync_record(each, each.base, tallies))
        if to_save:
            self._storage.update_records(to_save)
        return done

    def _sync_record(
        self, decided: Decided, base: dict[str, object] | None, tallies: Sequence[FileTally]
    ) -> SyncRecord:
        staged = decided.staged
        record = staged.record.record
        values = record.values
        if base:
            values = LeadValues(**next_base(base, record.values, staged.record.provided))  # type: ignore[typeddict-item]
        return SyncRecord(
            record_id=record.lead_id,
            key=record.key,
            lead_id=decided.lead_id,
            source=self._kind.value,
            location=tallies[staged.file].name,
            values=values,
            fingerprint=fingerprint(values),
            first_seen_at=self._run.started_at,
            first_run_id=self._run.run_id,
            report_id=decided.report_id,
        )


def _place(staged: StagedRow) -> str:
    """Where a row is, for a person, with its phone number masked."""
    sheet = f"sheet {staged.sheet}, " if staged.sheet else ""
    return f"{sheet}row {staged.row} ({mask_phone(staged.record.record.values['phone'])})"


def _conflict_lines(staged: StagedRow, merged: Merge) -> list[str]:
    if not merged.conflicts:
        return []
    fields = ", ".join(merged.conflicts)
    return [f"{_place(staged)}: {fields}: changed in the file and by a telecaller, whose value stays"]


def _finished_row(staged: StagedRow, report_id: str, report: Document) -> FinishedRow:
    created_at = staged.record.record.values.get("createdAt")
    day = created_at.date() if created_at else None
    return FinishedRow(_place(staged), day, report_id, as_datetime(report.get("editedAt")))


def _with_merge_pending(to_save: SyncRecord, merged: Merge, lead: Document) -> SyncRecord:
    """The record of a lead that is being linked. Until its lead is changed, the fields to change keep the
    lead's values in the record, so that an interrupted merge is repeated."""
    values: dict[str, Any] = {
        name: said for name, said in to_save.values.items() if name not in merged.values
    }
    for name, news in merged.values.items():
        if type(held := lead.get(name)) is type(news):  # values of another type don't become a base
            values[name] = held
    return replace(to_save, values=LeadValues(**values), fingerprint=fingerprint(values))  # type: ignore[typeddict-item]
