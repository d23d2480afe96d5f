"""Matches records with the database: what the sync knows about them, their leads, and the leads' reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import time

from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document
from syncctl.domain.records import KnownRecord, SourceRecord, SyncRecord
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.locations import Locations
from syncctl.parsing.phones import phone_number
from syncctl.ports.storage import Created, Storage
from syncctl.services.matching.candidates import Candidate, Candidates, FormerKeys, PartialMatches, phones_of
from syncctl.services.matching.corrections import CorrectedRecord, nobody_reached, replaced_records
from syncctl.services.matching.legacy_leads import LinkedLeads, UnlinkedLeads, text_of
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.sync.answer_rows import AnswerRows

MIDNIGHT = time()


class Matcher:
    """Matches the records of one run or check with the database, in a few round trips per batch.

    The order of look-ups matters: leads before reports. The web app finishes a lead by adding its report and
    then deleting the lead, so a lead that is finished in between is seen in at least one of the two.
    """

    def __init__(self, storage: Storage, locations: Locations, run_id: str = "") -> None:
        self._storage = storage
        self._run_id = run_id
        self._locations = locations
        self._former_keys = FormerKeys(storage, locations)
        self._partial = PartialMatches(storage, locations)
        # What this matcher has assigned so far: a check writes nothing, so it is recorded only here.
        self._linked: dict[str, str] = {}
        self._paired: dict[str, str] = {}
        self._replaced: dict[str, str] = {}
        self._had_records_at_start: bool | None = None

    def match(
        self,
        records: Sequence[SourceRecord],
        lead_types: Collection[str],
        answered_keys: Collection[str] = (),
        *,
        final_pass: bool = False,
        answer: AnswerRows | None = None,
    ) -> MatchResult:
        """Match records of these lead types. `answered_keys`: the keys of all records of their answer.
        `final_pass`: all others of the answer have been matched, so nothing may stay undecided. `answer`: an
        answer of the rental API, to be searched for corrected phone numbers. Raises StorageError."""
        found = self._storage.find_records([record.lead_id for record in records])
        records = self._former_keys.adopt(records, found)
        result = self._with_leads(list(records), found)
        if answer is not None and self._has_synced_before():
            self._find_corrected(records, lead_types, answer, result)
        candidates = self._link_by_key(records, lead_types, answered_keys, result)
        unmatched = []
        for record in records:
            if result.has_lead(record) or record.lead_id in result.corrected:
                continue
            known = result.known.get(record.lead_id)
            if known is not None and known.report_id is not None:
                result.finished[record.lead_id] = known.report_id
            else:
                unmatched.append(record)
        candidates |= self._unpaired_reports(unmatched, result)
        if candidates:
            self._partial.settle(unmatched, candidates, lead_types, result, final_pass=final_pass)
        for record in records:
            if record.lead_id not in result.known and result.has_lead(record):
                self._linked[result.lead_id_of(record)] = record.lead_id
        self._paired |= {report_id: record_id for record_id, report_id in result.finished.items()}
        return result

    def _with_leads(self, records: list[SourceRecord], known: dict[str, KnownRecord]) -> MatchResult:
        """The result so far. A lead that is present but not known was inserted by a run that was killed
        right after."""
        lead_ids = {
            record.lead_id: entry.lead_id if (entry := known.get(record.lead_id)) else record.lead_id
            for record in records
        }
        present = self._storage.present_leads(set(lead_ids.values()))
        return MatchResult(known, lead_ids, present, records=records)

    def _find_corrected(
        self,
        records: Sequence[SourceRecord],
        lead_types: Collection[str],
        answer: AnswerRows,
        result: MatchResult,
    ) -> None:
        """Link records whose phone number the source has corrected to the leads of the records that they
        replace."""
        replaced = replaced_records(self._storage, records, result.known, answer, self._may_replace)
        if not replaced:
            return
        replaced_entries = [
            SourceRecord(before.key, before.record_id, before.values) for before, _ in replaced.values()
        ]
        replaced_match = self.match(replaced_entries, lead_types, final_pass=True)
        reports = self._storage.reports(replaced_match.finished.values())
        by_id = {record.lead_id: record for record in records}
        others = self._leads_with_corrected_phone([by_id[record_id] for record_id in replaced], lead_types)
        for (record_id, (before, phones)), entry in zip(replaced.items(), replaced_entries, strict=True):
            record, report_id = by_id[record_id], replaced_match.finished.get(entry.lead_id)
            if others[record.key] - {replaced_match.lead_id_of(entry), record_id}:
                continue  # the web app already has a lead with the new number, which belongs to the record
            known = result.known.get(record_id)
            is_itself = before.record_id == record_id
            is_finished = known is not None and known.report_id is not None
            if (is_finished or is_itself) and not replaced_match.has_lead(entry):
                continue  # finished under this number, and no later lead is there to take it
            is_unreached = record_id not in result.known and nobody_reached(reports.get(report_id or "", {}))
            if record_id not in result.known and result.has_lead(record) and not is_unreached:
                continue  # it has a lead of its own, left without a record by a killed run
            self._replaced[before.record_id] = record_id
            lead_id = replaced_match.lead_id_of(entry)
            result.corrected[record_id] = CorrectedRecord(
                before, phones, lead_id, replaced_match.has_lead(entry), report_id, is_unreached
            )
            own = known.lead_id if known is not None else lead_id
            if own != lead_id and own in result.present:
                # The source had both numbers at once: each has its own lead, and keeps it.
                result.corrected[record_id] = CorrectedRecord(
                    before, phones, own, True, None, False, has_second=replaced_match.has_lead(entry)
                )
            elif replaced_match.has_lead(entry):
                result.link(record_id, lead_id)
            elif not is_unreached:
                result.lead_ids[record_id] = lead_id

    def _leads_with_corrected_phone(
        self, records: Sequence[SourceRecord], lead_types: Collection[str]
    ) -> Mapping[str, set[str]]:
        """The ids of the leads with the booking and phone number of these records, by the records' keys."""
        numbers = {record.values["bookingNo"] for record in records}
        found: dict[str, set[str]] = defaultdict(set)
        keys = {(record.values["bookingNo"], record.values["phone"]): record.key for record in records}
        for lead_type in lead_types:
            for lead in self._storage.find_leads(lead_type, numbers, ()):
                phone = text_of(lead, "phone")
                key = keys.get((text_of(lead, "bookingNo"), phone_number(phone) or phone))
                if key is not None:
                    found[key].add(lead["_id"])
        return found

    def _has_synced_before(self) -> bool:
        """Whether the sync knew any records when this was first asked: what it has stored since is new."""
        if self._had_records_at_start is None:
            self._had_records_at_start = self._storage.has_records()
        return self._had_records_at_start

    def _may_replace(self, before: SyncRecord, record: SourceRecord) -> bool:
        """Whether no other record has replaced it, and it wasn't stored by this very run."""
        came_by = before.corrections[-1].run_id if before.corrections else before.first_run_id
        return came_by != self._run_id and self._replaced.get(before.record_id) in (None, record.lead_id)

    def _link_by_key(
        self,
        records: Sequence[SourceRecord],
        lead_types: Collection[str],
        answered_keys: Collection[str],
        result: MatchResult,
    ) -> Candidates:
        """Link unknown records to the leads with their keys; returns the other leads found."""
        without = [
            record
            for record in records
            if record.lead_id not in result.known
            and not result.has_lead(record)
            and record.lead_id not in result.corrected
        ]
        if not without:
            return {}
        found = [
            lead
            for lead_type in lead_types
            for lead in self._storage.find_leads(
                lead_type, _numbers(without), phones_of(without), _created(without)
            )
        ]
        if not found:
            return {}
        linked = self._storage.recorded_leads([lead["_id"] for lead in found])
        if linked:
            self._refresh_known(without, result)
        leads = UnlinkedLeads(
            found,
            self._locations,
            linked=LinkedLeads(linked, self._records_of_lead),
            taken=result.present | _given_to_others(self._linked, records),
            answered_keys=answered_keys,
        )
        for record in without:
            if record.lead_id not in result.known and (lead_id := leads.take_matching(record)) is not None:
                result.link(record.lead_id, lead_id)
        return self._leads_as_candidates(leads.unmatched)

    def _records_of_lead(self, lead_id: str) -> list[SyncRecord]:
        entries = self._storage.records_about((), (), {lead_id})
        return [entry.record for entry in entries if entry.record.lead_id == lead_id]

    def _leads_as_candidates(self, leads: Iterable[Document]) -> Candidates:
        return {Candidate(False, lead["_id"]): Traits.of_lead(lead, self._locations) for lead in leads}

    def _refresh_known(self, records: Sequence[SourceRecord], result: MatchResult) -> None:
        """Another run may have linked a record to its lead since it was looked up; without this it would
        count as new."""
        now = self._with_leads(
            list(records), self._storage.find_records([record.lead_id for record in records])
        )
        result.known |= now.known
        result.lead_ids |= now.lead_ids
        result.present |= now.present

    def _unpaired_reports(self, records: Sequence[SourceRecord], result: MatchResult) -> Candidates:
        """The reports that may be about any of these records and have finished no other record."""
        if not records:
            return {}
        lead_ids = {result.lead_id_of(record) for record in records}
        documents = self._storage.find_reports(
            lead_ids, phones_of(records), _numbers(records), _created(records)
        )
        if not documents:
            return {}
        paired = self._storage.paired_reports([document["_id"] for document in documents])
        paired |= _given_to_others(self._paired, records)
        reports = {
            Candidate(True, document["_id"]): Traits.of_report(document, self._locations)
            for document in documents
            if document["_id"] not in paired
        }
        # A report that names the lead of another record is about that one only.
        named = {lead_id for traits in reports.values() for lead_id in traits.lead_ids}
        others = self._storage.recorded_leads(named - lead_ids)
        return {report: traits for report, traits in reports.items() if not traits.lead_ids & others}


def _given_to_others(owners: Mapping[str, str], records: Iterable[SourceRecord]) -> set[str]:
    """What has been assigned to other records than these."""
    ids = {record.lead_id for record in records}
    return {given for given, owner in owners.items() if owner not in ids}


def _numbers(records: Iterable[SourceRecord]) -> set[str]:
    return {number for record in records if (number := record.values.get("bookingNo"))}


def _created(records: Iterable[SourceRecord]) -> Created:
    """When the records' leads were created: to the second for bookings and returns, where that tells them
    apart; files have only the day."""
    moments, names, days = set(), set(), set()
    for record in records:
        at = record.values.get("createdAt")
        if at is None:
            continue
        if record.values["leadType"] not in API_LEAD_TYPES:
            names.add(record.values["name"])
            days.add(at.date())
        elif at.time() != MIDNIGHT:
            moments.add(at)
    return Created(moments, names, days)
