"""Where records live: what the sync knows of them, which leads are theirs, and which are finished."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from syncctl.finished import FinishedLead
from syncctl.locations import Locations
from syncctl.models import Document, KnownRecord, LeadType, SourceRecord
from syncctl.ports import Storage


class Claims(Protocol):
    """Old leads among which records that the sync does not know yet may find theirs."""

    def claim(self, record: SourceRecord) -> str | None:
        """The id of the record's lead, or None."""


MakeClaims = Callable[[Sequence[Document], Collection[str], Collection[str]], Claims]
"""From candidate leads, the ids of those that are known to belong to a record, and the ids of the leads whose
records are among those that are told."""


@dataclass(slots=True)
class Homes:
    """Where the records of a batch live. All ids of records are those derived from their keys.

    `known`: what the sync knows of them. `lead_ids`: their leads' ids. `present`: leads that are there now.
    `finished`: records whose lead is in reports.
    """

    known: dict[str, KnownRecord]
    lead_ids: dict[str, str]
    present: set[str]
    finished: set[str] = field(default_factory=set)

    def of(self, record: SourceRecord) -> str:
        """The id of the record's lead, there or not."""
        return self.lead_ids[record.lead_id]

    def has_lead(self, record: SourceRecord) -> bool:
        return self.of(record) in self.present

    def is_new(self, record: SourceRecord) -> bool:
        """Whether it is to be saved: neither known nor there nor finished. One that is known but not there
        was deleted on purpose."""
        return not (record.lead_id in self.known or self.has_lead(record) or record.lead_id in self.finished)


class Matcher:
    """Finds the homes of records, a few round trips for a batch.

    The order of look-ups matters: leads before reports. The web app finishes a lead by adding its report and
    then deleting the lead, so that one that moves in between is seen in one of the two.
    """

    def __init__(self, storage: Storage, locations: Locations) -> None:
        self._storage = storage
        self._locations = locations

    def match(
        self, records: Sequence[SourceRecord], lead_types: Collection[LeadType], make_claims: MakeClaims
    ) -> Homes:
        """The homes of records, which are of these types.

        Raises:
            StorageError: the database refused.
        """
        homes = self._known(records)
        self._adopt(records, lead_types, make_claims, homes)
        homes.finished = self._finished([record for record in records if not homes.has_lead(record)], homes)
        return homes

    def _known(self, records: Sequence[SourceRecord]) -> Homes:
        """A lead whose insert was the last thing that a killed run did is present, but not known."""
        known = self._storage.find_records([record.lead_id for record in records])
        lead_ids = {
            record.lead_id: entry.lead_id if (entry := known.get(record.lead_id)) else record.lead_id
            for record in records
        }
        return Homes(known, lead_ids, self._storage.present_leads(set(lead_ids.values())))

    def _adopt(
        self,
        records: Sequence[SourceRecord],
        lead_types: Collection[LeadType],
        make_claims: MakeClaims,
        homes: Homes,
    ) -> None:
        """Let records that are not known find the old system's leads."""
        homeless = [
            record for record in records if record.lead_id not in homes.known and not homes.has_lead(record)
        ]
        if not homeless:
            return
        numbers = {number for record in homeless if (number := record.values.get("bookingNo"))}
        phones = {record.values["phone"] for record in homeless}
        candidates = [
            lead for lead_type in lead_types for lead in self._storage.find_leads(lead_type, numbers, phones)
        ]
        if not candidates:
            return
        spoken_for = self._storage.recorded_leads([lead["_id"] for lead in candidates])
        if spoken_for:
            self._know_now(homeless, homes)
        claims = make_claims(candidates, spoken_for, homes.present)
        for record in homeless:
            if record.lead_id in homes.known:
                continue
            if (lead_id := claims.claim(record)) is not None:
                homes.lead_ids[record.lead_id] = lead_id
                homes.present.add(lead_id)

    def _know_now(self, homeless: Sequence[SourceRecord], homes: Homes) -> None:
        """Another run may have let a record find its lead since it was looked up: then the lead is spoken for
        by this very record, which would else be taken for new."""
        now = self._known(homeless)
        homes.known |= now.known
        homes.lead_ids |= now.lead_ids
        homes.present |= now.present

    def _finished(self, absent: Sequence[SourceRecord], homes: Homes) -> set[str]:
        if not absent:
            return set()
        documents = self._storage.find_reports(
            {homes.of(record) for record in absent},
            {record.values["phone"] for record in absent},
            {number for record in absent if (number := record.values.get("bookingNo"))},
        )
        if not documents:
            return set()
        reports = [FinishedLead.from_report(document, self._locations) for document in documents]
        named = {lead_id for report in reports for lead_id in report.lead_ids}
        # A report that names a lead of ours is about that lead, not about all of its customer's.
        spoken_for = self._storage.recorded_leads(named)
        by_clue: dict[str, list[FinishedLead]] = {}
        for report in reports:
            for clue in report.phones | report.booking_numbers:
                by_clue.setdefault(clue, []).append(report)
        return {
            record.lead_id
            for record in absent
            if homes.of(record) in named
            or any(
                report.holds(record, spoken_for - {homes.of(record)})
                for clue in (record.values["phone"], record.values.get("bookingNo", ""))
                for report in by_clue.get(clue, ())
            )
        }
