"""Stores batches of file records: saves new ones, merges changes into existing leads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from syncctl.domain.identity import fingerprint
from syncctl.domain.lead_traits import as_datetime
from syncctl.domain.lead_values import Document, LeadChange, LeadValues
from syncctl.domain.leads import new_lead, own_update
from syncctl.domain.merge import Merge, emptied_fields, fill_gaps, merge, next_base
from syncctl.domain.records import KnownRecord, SyncRecord, Write
from syncctl.domain.run_results import FinishedRow
from syncctl.domain.sources import LeadType, StepName
from syncctl.errors import LeadsRefusedError
from syncctl.locations import Locations
from syncctl.safe_output.redact import mask_phone
from syncctl.services.imports.staging import StagedRow
from syncctl.services.imports.tally import FileTally
from syncctl.services.matching.legacy_leads import repaired_phone, text_of
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.matching.matching import Matcher
from syncctl.services.run import Run

_LEAD_TYPES = {
    StepName.WALKIN: (LeadType.GENERAL, LeadType.LOSS_OF_SALE),
    StepName.LOSS_OF_SALE: (LeadType.LOSS_OF_SALE,),
}


@dataclass(frozen=True, slots=True)
class _MergedBatch:
    """The merges of a batch, by record id."""

    bases: Mapping[str, dict[str, Any]]
    """The source's last values."""

    merges: Mapping[str, Merge]
    """What to write."""

    applied: Collection[str]
    """Ids of the leads that have the new values now."""


class _History(NamedTuple):
    """A record's history."""

    base: Mapping[str, Any] | None
    """The source's last values."""

    written: Mapping[str, Write]
    """The values that imports have written into its lead."""


class FileIntake:
    """Stores the staged rows of one import."""

    def __init__(self, run: Run, kind: StepName, locations: Locations) -> None:
        self._run = run
        self._kind = kind
        self._locations = locations
        self._matcher = Matcher(run.storage, locations)
        self._undecided: list[StagedRow] = []

    def ingest(
        self, batch: Sequence[StagedRow], tallies: Sequence[FileTally], *, only_new: bool = False
    ) -> set[str]:
        """Store what is new and count the result of each row in its file's tally. `only_new`: leave known
        records alone, as a later row may have changed them. Returns the ids of the leads that the database's
        own rules refused.

        Raises:
            StorageError: the database refused.
        """
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
        match = self._matcher.match(
            [staged.record.record for staged in rows], _LEAD_TYPES[self._kind], final_pass=final_pass
        )
        rows = [
            row._replace(record=row.record._replace(record=record))
            for row, record in zip(rows, match.records, strict=True)
        ]
        self._undecided += [row for row in rows if row.record.record.lead_id in match.undecided]
        batch = [row for row in rows if row.record.record.lead_id not in match.undecided]
        new = [staged for staged in batch if match.is_unmatched(staged.record.record)]
        unknown = [
            staged
            for staged in batch
            if staged.record.record.lead_id not in match.known and not match.has_lead(staged.record.record)
        ]
        if match.newly_finished:
            self._run.storage.pair_reports(match.newly_finished)
        inserted: set[str] = set()
        refused: dict[str, str] = {}
        try:
            if unknown:
                inserted = self._run.storage.store_leads(
                    [new_lead(staged.record.record, self._run.first_seen_at) for staged in new],
                    [self._sync_record(staged, match, None, tallies) for staged in unknown],
                )
        except LeadsRefusedError as refusal:
            inserted, refused = refusal.inserted, refusal.reasons
        changed = [staged for staged in batch if _may_have_changed(staged, match)]
        if only_new:
            changed = [staged for staged in changed if staged.record.record.lead_id not in match.known]
        updated = self._merge(changed, match, tallies)
        reports = self._run.storage.reports(set(match.finished.values()))
        for staged in batch:
            record, tally = staged.record.record, tallies[staged.file]
            if record.lead_id in inserted:
                tally.saved += 1
            elif record.lead_id in updated:
                tally.updated += 1
            elif (report_id := match.finished.get(record.lead_id)) is not None:
                tally.reported += 1
                tally.finished.append(_finished_row(staged, report_id, reports.get(report_id, {})))
            elif record.lead_id in refused:
                tally.refused.append(f"{_place(staged)}: {refused[record.lead_id]}")
            else:
                tally.existing += 1
        return set(refused)

    def _merge(
        self, changed: Sequence[StagedRow], match: MatchResult, tallies: Sequence[FileTally]
    ) -> set[str]:
        """Merge the files' changes into leads; returns the ids of the records whose leads were written."""
        if not changed:
            return set()
        storage = self._run.storage
        record_ids = [staged.record.record.lead_id for staged in changed]
        bases, written = storage.record_values(record_ids), storage.writes(record_ids)
        leads = storage.leads({match.lead_id_of(staged.record.record) for staged in changed})
        merges: dict[str, Merge] = {}
        changes: list[LeadChange] = []
        writes: dict[str, dict[str, Any]] = {}
        newly_linked: list[SyncRecord] = []
        for staged in changed:
            record = staged.record.record
            before = match.known.get(record.lead_id)
            lead = leads.get(match.lead_id_of(record))
            if lead is not None:  # otherwise deleted or finished since it was looked up, and it stays so
                is_edited = record.lead_id in match.edited
                history = _History(bases.get(record.lead_id), written.get(record.lead_id, {}))
                merged = self._merged(staged, before, history, lead, is_edited=is_edited)
                if (phone := repaired_phone(record, lead, history.written)) is not None:
                    merged = replace(merged, values={**merged.values, "phone": phone})
                merges[record.lead_id] = merged
                if merged.values:
                    started_at = self._run.started_at
                    changes.append(merged.guarded_change(lead, updated_at=started_at))
                    writes[record.lead_id] = {
                        **merged.values,
                        **own_update(lead, history.written, started_at),
                    }
            if before is None:
                to_save = self._sync_record(staged, match, None, tallies)
                newly_linked.append(
                    to_save if lead is None else _with_merge_pending(to_save, merges[record.lead_id], lead)
                )
        if newly_linked:
            # First of all, so that these leads stay linked whatever happens next.
            storage.store_leads([], newly_linked)
        if writes:
            # Before writing: values left by a killed import must not look like a person's edit.
            storage.add_writes(writes, self._run.started_at)
        applied = storage.update_leads(changes) if changes else set()
        return self._save_bases(changed, match, _MergedBatch(bases, merges, applied), tallies)

    def _save_bases(
        self,
        changed: Sequence[StagedRow],
        match: MatchResult,
        merged_batch: _MergedBatch,
        tallies: Sequence[FileTally],
    ) -> set[str]:
        """Update the bases after the leads: if killed in between, the next import repeats the merge and
        finds it done. Returns the ids of the records whose leads were written."""
        done: set[str] = set()
        to_save: list[SyncRecord] = []
        for staged in changed:
            record = staged.record.record
            merged, before = merged_batch.merges.get(record.lead_id), match.known.get(record.lead_id)
            if merged is None:
                continue
            if merged.values and match.lead_id_of(record) not in merged_batch.applied:
                # A telecaller edited it in between: the next import merges again.
                tallies[staged.file].deferred += 1
                continue
            if merged.values:
                done.add(record.lead_id)
            tallies[staged.file].conflicts += self._conflict_lines(staged, merged)
            is_noted = not merged.values if before is None else before.source != self._kind
            if not is_noted:
                to_save.append(
                    self._sync_record(staged, match, merged_batch.bases.get(record.lead_id), tallies)
                )
        if to_save:
            self._run.storage.update_records(to_save)
        return done

    def _merged(
        self,
        staged: StagedRow,
        known: KnownRecord | None,
        history: _History,
        lead: Document,
        *,
        is_edited: bool,
    ) -> Merge:
        """A lost walk-in may be in a loss-of-sale file too; both are one lead. Only the kind of file that
        first contained it updates it; the other only fills gaps."""
        record = staged.record.record
        provided = staged.record.provided
        if self._locations.canonical(text_of(lead, "store")) is None:
            # The old system's "Default Store" is not an edit.
            lead, provided = {**lead, "store": None}, provided | {"store"}
        if is_edited or (known is not None and known.source != self._kind):
            # A field that a telecaller has emptied is not a gap.
            emptied = emptied_fields(history.base or {}, history.written, lead) - {"store"}
            return fill_gaps(record.values, provided - emptied, lead)
        return merge(history.base if known else None, record.values, provided, lead, history.written)

    @staticmethod
    def _conflict_lines(staged: StagedRow, merged: Merge) -> list[str]:
        if not merged.conflicts:
            return []
        fields = ", ".join(merged.conflicts)
        return [f"{_place(staged)}: {fields}: changed in the file and by a telecaller, whose value stays"]

    def _sync_record(
        self,
        staged: StagedRow,
        match: MatchResult,
        base: dict[str, object] | None,
        tallies: Sequence[FileTally],
    ) -> SyncRecord:
        record = staged.record.record
        values = LeadValues(**next_base(base, record.values, staged.record.provided))  # type: ignore[typeddict-item]
        return SyncRecord(
            record_id=record.lead_id,
            key=record.key,
            lead_id=match.lead_id_of(record),
            source=self._kind.value,
            location=tallies[staged.file].name,
            values=values,
            fingerprint=fingerprint(values),
            first_seen_at=self._run.started_at,
            first_run_id=self._run.run_id,
            report_id=match.finished.get(record.lead_id),
        )


def _place(staged: StagedRow) -> str:
    """Where a row is, for a person, with its phone number masked."""
    sheet = f"sheet {staged.sheet}, " if staged.sheet else ""
    return f"{sheet}row {staged.row} ({mask_phone(staged.record.record.values['phone'])})"


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
    for field, news in merged.values.items():
        if type(held := lead.get(field)) is type(news):  # values of another type don't become a base
            values[field] = held
    return replace(to_save, values=LeadValues(**values), fingerprint=fingerprint(values))  # type: ignore[typeddict-item]


def _may_have_changed(staged: StagedRow, match: MatchResult) -> bool:
    """Whether the record has a lead that the file may change."""
    record = staged.record.record
    if not match.has_lead(record):
        return False
    known = match.known.get(record.lead_id)
    return known is None or known.fingerprint != fingerprint(record.values)
