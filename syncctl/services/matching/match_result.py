"""The result of matching: what the sync knows about records, their leads, and their reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncctl.domain.records import KnownRecord, SourceRecord
from syncctl.services.matching.corrections import CorrectedRecord


@dataclass(slots=True)
class MatchResult:
    """The match result of a batch of records, by record ids."""

    known: dict[str, KnownRecord]
    """What the sync knows about them."""

    lead_ids: dict[str, str]
    """The ids of their leads."""

    present: set[str]
    """Leads that exist now."""

    finished: dict[str, str] = field(default_factory=dict)
    """The report that finished each record, if one did."""

    undecided: set[str] = field(default_factory=set)
    """Records that a report or lead fits only in part: all other records of the same answer or import must
    be matched first, then these again with `final_pass`."""

    edited: set[str] = field(default_factory=set)
    """Records linked to a lead that fits only in part, so somebody must have edited it."""

    corrected: dict[str, CorrectedRecord] = field(default_factory=dict)
    """Records that replace another one, as the source has corrected a phone number."""

    records: list[SourceRecord] = field(default_factory=list)
    """The records asked about, in that order, each with the id under which the sync knows it, which
    earlier key rules may have produced."""

    def lead_id_of(self, record: SourceRecord) -> str:
        """The id of the record's lead, whether or not it exists."""
        return self.lead_ids[record.lead_id]

    def has_lead(self, record: SourceRecord) -> bool:
        return self.lead_ids[record.lead_id] in self.present  # asked five times for each row

    def is_unmatched(self, record: SourceRecord) -> bool:
        """Whether it must be saved: not known, without a lead, and not finished. A known record without a
        lead was deleted on purpose. A record that replaces another is new only if that one was finished
        without anybody being reached."""
        if (corrected := self.corrected.get(record.lead_id)) is not None and not corrected.is_unreached:
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
        """Link an existing lead to the record."""
        self.lead_ids[record_id] = lead_id
        self.present.add(lead_id)
