"""What the database has of records: what the sync knows of them, their leads, and their reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncctl.domain.records import KnownRecord, SourceRecord
from syncctl.services.matching.corrections import Corrected


@dataclass(slots=True)
class MatchResult:
    """What the database has of the records of a batch, by the ids that follow from their keys.

    `known`: what the sync knows of them. `lead_ids`: their leads' ids. `present`: leads that are there now.
    `finished`: the report of each record that one finished; `newly_finished`: of known records, what is still
    to be noted. `undecided`: records that a report or lead fits in part, so that the other records of the
    same answer or import must be known first: to be matched again with `conclude`. `edited`: records that
    were linked to a lead that fits them in part: whatever else it holds, somebody has edited it. `corrected`:
    records that take another one's place, as the source has corrected a phone number. `records`: those that
    were asked for, in that order, each with the id under which the sync knows it: an earlier version of the
    key rules may have given it another.
    """

    known: dict[str, KnownRecord]
    lead_ids: dict[str, str]
    present: set[str]
    finished: dict[str, str] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)
    corrected: dict[str, Corrected] = field(default_factory=dict)
    records: list[SourceRecord] = field(default_factory=list)

    def lead_id_of(self, record: SourceRecord) -> str:
        """The id of the record's lead, there or not."""
        return self.lead_ids[record.lead_id]

    def has_lead(self, record: SourceRecord) -> bool:
        return self.lead_id_of(record) in self.present

    def is_new(self, record: SourceRecord) -> bool:
        """Whether it is to be saved: neither known nor there nor finished. One that is known but not there
        was deleted on purpose. So is one that takes the place of such a record, unless that one's lead was
        finished without anybody being reached."""
        if (corrected := self.corrected.get(record.lead_id)) is not None and not corrected.is_open:
            return False
        return not (record.lead_id in self.known or self.has_lead(record) or record.lead_id in self.finished)

    @property
    def newly_finished(self) -> dict[str, str]:
        return {
            record_id: report_id
            for record_id, report_id in self.finished.items()
            if record_id in self.known and self.known[record_id].report_id is None
        }

    def link(self, record_id: str, lead_id: str) -> None:
        """A lead that is there is the record's."""
        self.lead_ids[record_id] = lead_id
        self.present.add(lead_id)
