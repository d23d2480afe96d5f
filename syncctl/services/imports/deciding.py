"""Decides what an import does with each record, and writes nothing (docs/decisions/0019)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from syncctl.domain.identity import fingerprint
from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN
from syncctl.domain.merge import Merge, emptied_fields, fill_gaps, merge
from syncctl.domain.records import KnownRecord, Write
from syncctl.domain.row_decisions import FieldDecision, Reason, RowAction, RowDecision
from syncctl.domain.sources import LeadType, StepName
from syncctl.locations import Locations
from syncctl.ports.storage import Storage
from syncctl.services.imports.staging import StagedRow
from syncctl.services.matching.legacy_leads import repaired_phone, text_of
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.matching.matching import Matcher

_LEAD_TYPES = {
    StepName.WALKIN: (LeadType.GENERAL, LeadType.LOSS_OF_SALE),
    StepName.LOSS_OF_SALE: (LeadType.LOSS_OF_SALE,),
}


class Decided(NamedTuple):
    """What is to happen to a record, and what applying it needs."""

    staged: StagedRow
    """Its record has the id under which the sync knows it."""

    action: RowAction
    reason: Reason

    lead_id: str
    """Of its lead, whether or not that exists."""

    has_lead: bool
    """Whether the lead was there when the record was looked up."""

    before: KnownRecord | None
    """What the sync knew of the record; None: nothing."""

    report_id: str | None
    """The report that finished the lead."""

    lead: Document | None = None
    """The lead, if it was read."""

    base: dict[str, Any] | None = None
    """The source's last values, if they were read."""

    written: Mapping[str, Write] = NOTHING_WRITTEN
    """What imports have written into the lead."""

    merge: Merge | None = None
    """File and lead compared; None: there was nothing to compare."""

    def row_decision(self, file: str, action: RowAction, reason: str) -> RowDecision:
        """To be shown to a person. `action`, `reason`: what happened, as the database may have refused."""
        values = self.staged.record.record.values
        return RowDecision(
            file,
            self.staged.sheet,
            self.staged.row,
            action,
            reason,
            values["name"],
            values["phone"],
            values["store"],
            self.lead_id,
            tuple(self._explained(action)),
        )

    def _explained(self, action: RowAction) -> Iterable[FieldDecision]:
        values: Mapping[str, Any] = self.staged.record.record.values
        if self.lead is None:
            return file_fields(self.staged, is_new=action is RowAction.CREATE)
        new = self.merge.values if self.merge and action is RowAction.UPDATE else {}
        conflicts = self.merge.conflicts if self.merge else ()
        return (
            FieldDecision(
                field,
                now := self.lead.get(field),
                values.get(field),
                new.get(field, now),
                field in conflicts,
            )
            for field in LEAD_FIELDS
            if field in new or field in self.staged.record.provided
        )


def file_fields(staged: StagedRow, *, is_new: bool = False) -> list[FieldDecision]:
    """What a row says of a lead that is not there. `is_new`: it will be."""
    values: Mapping[str, Any] = staged.record.record.values
    return [FieldDecision(field, None, said, said if is_new else None) for field, said in values.items()]


class Decisions(NamedTuple):
    """A batch."""

    decided: list[Decided]

    undecided: list[StagedRow]
    """What a report or legacy lead fits only in part: to be decided after all others are stored."""


class _Known(NamedTuple):
    """What is read for merging."""

    bases: Mapping[str, dict[str, Any]]
    written: Mapping[str, Mapping[str, Write]]
    leads: Mapping[str, Document]


class Decider:
    """Decides for one import, batch by batch; each may meet what the ones before have stored."""

    def __init__(self, storage: Storage, kind: StepName, locations: Locations) -> None:
        self._storage = storage
        self._kind = kind
        self._locations = locations
        self._matcher = Matcher(storage, locations)

    def decide(
        self, rows: Sequence[StagedRow], *, only_new: bool, final_pass: bool, with_leads: bool
    ) -> Decisions:
        """Decide for these rows. `only_new`: known records are left alone. `final_pass`: nothing may stay
        undecided. `with_leads`: read the leads that stay as they are as well, to show them. Raises
        StorageError."""
        match = self._matcher.match(
            [staged.record.record for staged in rows], _LEAD_TYPES[self._kind], final_pass=final_pass
        )
        rows = [
            row if row.record.record is record else row._replace(record=row.record._replace(record=record))
            for row, record in zip(rows, match.records, strict=True)
        ]
        batch = [row for row in rows if row.record.record.lead_id not in match.undecided]
        changed = {
            row.record.record.lead_id for row in batch if _may_have_changed(row, match, only_new=only_new)
        }
        known = self._read(batch, changed, match, with_leads=with_leads)
        return Decisions(
            [self._decided(row, match, known, is_changed=_id(row) in changed) for row in batch],
            [row for row in rows if _id(row) in match.undecided],
        )

    def _read(
        self, batch: Sequence[StagedRow], changed: set[str], match: MatchResult, *, with_leads: bool
    ) -> _Known:
        """Bases, writes and leads of the changed records."""
        lead_ids = {
            match.lead_id_of(row.record.record)
            for row in batch
            if _id(row) in changed or (with_leads and match.has_lead(row.record.record))
        }
        if not lead_ids:
            return _Known({}, {}, {})
        bases = self._storage.record_values(changed) if changed else {}
        written = self._storage.writes(changed) if changed else {}
        return _Known(bases, written, self._storage.leads(lead_ids))

    def _decided(self, row: StagedRow, match: MatchResult, known: _Known, *, is_changed: bool) -> Decided:
        record = row.record.record
        record_id, lead_id = record.lead_id, match.lead_id_of(record)
        before = match.known.get(record_id)
        lead = known.leads.get(lead_id)
        has_lead, report_id = lead_id in match.present, match.finished.get(record_id)
        action, reason = RowAction.KEEP, Reason.SAME
        if match.is_unmatched(record):
            action, reason = RowAction.CREATE, Reason.NEW
        elif report_id is not None:
            action, reason = RowAction.FINISHED, Reason.FINISHED
        elif not has_lead:
            reason = Reason.DELETED
        elif is_changed and lead is None:  # since it was looked up, and it stays so
            reason = Reason.GONE_MEANWHILE
        decided = Decided(row, action, reason, lead_id, has_lead, before, report_id, lead)
        if reason is not Reason.SAME or not is_changed or lead is None:
            return decided
        compared = decided._replace(
            base=known.bases.get(record_id), written=known.written.get(record_id, NOTHING_WRITTEN)
        )
        return self._compared(compared, lead, is_edited=record_id in match.edited)

    def _compared(self, decided: Decided, lead: Document, *, is_edited: bool) -> Decided:
        """A lost walk-in may be in a loss-of-sale file too; both are one lead. Only the kind of file that
        first contained it updates it; the other only fills gaps."""
        record, provided = decided.staged.record.record, decided.staged.record.provided
        before, written, now = decided.before, decided.written, lead
        reason = Reason.NEWS
        if self._locations.canonical(text_of(lead, "store")) is None:
            # The old system's "Default Store" is not an edit.
            now, provided = {**lead, "store": None}, provided | {"store"}
        if is_edited or (before is not None and before.source != self._kind):
            # A field that a telecaller has emptied is not a gap.
            emptied = emptied_fields(decided.base or {}, written, now) - {"store"}
            merged, reason = fill_gaps(record.values, provided - emptied, now), Reason.GAPS
        else:
            merged = merge(decided.base if before else None, record.values, provided, now, written)
        if (phone := repaired_phone(record, lead, written)) is not None:
            merged = merged._replace(values={**merged.values, "phone": phone})
        if merged.values:
            return decided._replace(action=RowAction.UPDATE, reason=reason, merge=merged)
        kept = Reason.TELECALLER if merged.conflicts else Reason.SAME
        return decided._replace(reason=kept, merge=merged)


def _id(row: StagedRow) -> str:
    return row.record.record.lead_id


def _may_have_changed(row: StagedRow, match: MatchResult, *, only_new: bool) -> bool:
    """Whether the record has a lead that the file may change."""
    record = row.record.record
    if not match.has_lead(record):
        return False
    known = match.known.get(record.lead_id)
    return known is None or (not only_new and known.fingerprint != fingerprint(record.values))
