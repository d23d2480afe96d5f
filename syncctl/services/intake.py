"""One answer of one location, taken into the database: each row saved, found, merged, ignored or rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from syncctl.finished import FinishedLead
from syncctl.identity import fingerprint
from syncctl.leads import new_lead
from syncctl.locations import Locations
from syncctl.models import Counts, KnownRecord, LeadType, SourceRecord, StepName, SyncRecord
from syncctl.ports import Storage
from syncctl.services.adoption import OldLeads
from syncctl.services.rejects import keep_rejects
from syncctl.services.sorting import SortedRows, has_changed, sort_rows

BATCH = 1000
"""Records looked up and written together: a few round trips for each batch, none for a row."""

LEAD_TYPES = {StepName.BOOKING: LeadType.BOOKING, StepName.RETURN: LeadType.RETURN}


@dataclass(slots=True)
class Taken:
    """What became of an answer's rows.

    `changed`: booking numbers of existing leads of which the source now says something else. `dates`: the
    records' own dates, by which the next answer can be judged.
    """

    counts: Counts
    changed: list[str] = field(default_factory=list)
    dates: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class _Homes:
    """Where the records of a batch live: what the sync knows of them, their lead's id (by the id derived from
    their key), and which leads are there now."""

    known: dict[str, KnownRecord]
    lead_ids: dict[str, str]
    present: set[str]

    def of(self, record: SourceRecord) -> str:
        return self.lead_ids[record.lead_id]


class Intake:
    """Takes the answers of one run in.

    The order of look-ups matters: leads before reports. The web app finishes a lead by adding its report and
    then deleting the lead, so that one that moves in between is seen in one of the two.
    """

    def __init__(
        self,
        storage: Storage,
        locations: Locations,
        *,
        run_id: str,
        started_at: datetime,
        business_zone: tzinfo,
    ) -> None:
        self._storage = storage
        self._locations = locations
        self._run_id = run_id
        self._started_at = started_at
        self._first_seen_at = started_at.astimezone(business_zone).replace(microsecond=0, tzinfo=UTC)

    def take(self, report: StepName, location: str, store: str | None, rows: Sequence[Any]) -> Taken:
        """Store what is new in an answer and say what became of each row.

        Raises:
            StorageError: the database refused something; what was stored before stays stored.
        """
        answer = sort_rows(report, location, store, rows)
        taken = Taken(
            Counts(rows=len(rows), merged=answer.merged, ignored=answer.ignored, invalid=len(answer.invalid))
        )
        records = list(answer.records.values())
        for start in range(0, len(records), BATCH):
            self._take_batch(answer, records[start : start + BATCH], taken)
        taken.dates = [date for record in records if (date := record.values.get("createdAt")) is not None]
        keep_rejects(self._storage, answer, self._run_id, self._started_at)
        return taken

    def _take_batch(self, answer: SortedRows, records: Sequence[SourceRecord], taken: Taken) -> None:
        homes = self._homes(records)
        unknown = [record for record in records if record.lead_id not in homes.known]
        self._adopt(answer, unknown, homes)
        absent = [record for record in records if homes.of(record) not in homes.present]
        finished = self._finished(absent, homes)
        new = [
            record
            for record in absent
            if record.lead_id not in homes.known and record.lead_id not in finished
        ]
        inserted = self._storage.store_leads(
            [new_lead(record, self._first_seen_at) for record in new],
            [self._sync_record(answer, record, homes.of(record)) for record in unknown],
        )
        changed = [
            record
            for record in records
            if (before := homes.known.get(record.lead_id)) is not None
            and has_changed(answer, record, before.fingerprint)
        ]
        if changed:
            self._storage.update_records(
                [self._sync_record(answer, record, homes.of(record)) for record in changed]
            )
        taken.changed += [record.values.get("bookingNo", "") for record in changed]
        taken.counts += Counts(
            saved=len(inserted),
            reported=len(finished),
            existing=len(records) - len(inserted) - len(finished),
        )

    def _homes(self, records: Sequence[SourceRecord]) -> _Homes:
        """A lead whose insert was the last thing that a killed run did is present, but not known."""
        known = self._storage.find_records([record.lead_id for record in records])
        lead_ids = {
            record.lead_id: entry.lead_id if (entry := known.get(record.lead_id)) else record.lead_id
            for record in records
        }
        return _Homes(known, lead_ids, self._storage.present_leads(set(lead_ids.values())))

    def _adopt(self, answer: SortedRows, unknown: Sequence[SourceRecord], homes: _Homes) -> None:
        """Let records that are not known find the old system's leads."""
        homeless = [record for record in unknown if record.lead_id not in homes.present]
        if not homeless:
            return
        candidates = self._storage.find_leads(
            LEAD_TYPES[answer.report],
            {number for record in homeless if (number := record.values.get("bookingNo"))},
            {record.values["phone"] for record in homeless},
        )
        if not candidates:
            return
        own = self._storage.find_records([lead["_id"] for lead in candidates])
        old_leads = OldLeads(
            candidates,
            self._locations,
            spoken_for={entry.lead_id for entry in (*own.values(), *homes.known.values())},
            answered_keys=answer.records.keys(),
        )
        for record in homeless:
            if (lead_id := old_leads.claim(record)) is not None:
                homes.lead_ids[record.lead_id] = lead_id
                homes.present.add(lead_id)

    def _finished(self, absent: Sequence[SourceRecord], homes: _Homes) -> set[str]:
        """Which of the records that have no lead are in reports, by the ids derived from their keys."""
        if not absent:
            return set()
        reports = self._storage.find_reports(
            {homes.of(record) for record in absent}, {record.values["phone"] for record in absent}
        )
        by_phone: dict[str, list[FinishedLead]] = {}
        finished_ids: set[str] = set()
        for document in reports:
            finished = FinishedLead.from_report(document, self._locations)
            finished_ids |= finished.lead_ids
            for phone in finished.phones:
                by_phone.setdefault(phone, []).append(finished)
        return {
            record.lead_id
            for record in absent
            if homes.of(record) in finished_ids
            or any(
                report.holds(record, homes.of(record)) for report in by_phone.get(record.values["phone"], ())
            )
        }

    def _sync_record(self, answer: SortedRows, record: SourceRecord, lead_id: str) -> SyncRecord:
        return SyncRecord(
            record_id=record.lead_id,
            key=record.key,
            lead_id=lead_id,
            source=answer.report.value,
            location=answer.location,
            values=record.values,
            fingerprint=fingerprint(record.values),
            first_seen_at=self._started_at,
            first_run_id=self._run_id,
        )
