"""Matches records with the database: what the sync knows of them, their leads, and the reports of those."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import time
from typing import NamedTuple

from syncctl.domain.identity import current_key, keys_of, phone_of
from syncctl.domain.lead_matching import Agreement, agreements, best_pairs, is_certain
from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document, LeadType, LeadValues
from syncctl.domain.records import KnownRecord, SourceRecord, SyncRecord
from syncctl.locations import Locations
from syncctl.parsing.phones import phone_number
from syncctl.ports.storage import Created, Storage
from syncctl.services.matching.corrections import Corrected, nobody_reached, replaced_records
from syncctl.services.matching.legacy_leads import API_TYPES, UnlinkedLeads, text_of
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.sync.answer_rows import SortedRows

MIDNIGHT = time()


class _Candidate(NamedTuple):
    """A report, or a lead that no record is linked to, that may be about a record."""

    is_report: bool
    document_id: str


_Candidates = dict[_Candidate, Traits]
_Agreements = Mapping[tuple[str, _Candidate], Agreement]


class Matcher:
    """Matches the records of one run or check with the database, a few round trips for a batch.

    The order of look-ups matters: leads before reports. The web app finishes a lead by adding its report and
    then deleting the lead, so that one that moves in between is seen in one of the two.
    """

    def __init__(self, storage: Storage, locations: Locations, run_id: str = "") -> None:
        self._storage = storage
        self._run_id = run_id
        self._locations = locations
        # What this matcher has given away: a check, which writes nothing, finds it nowhere else.
        self._linked: dict[str, str] = {}
        self._paired: dict[str, str] = {}
        self._replaced: dict[str, str] = {}
        self._had_records: bool | None = None
        self._former: dict[str, str] = {}

    def match(
        self,
        records: Sequence[SourceRecord],
        lead_types: Collection[LeadType],
        answered_keys: Collection[str] = (),
        *,
        conclude: bool = False,
        answer: SortedRows | None = None,
    ) -> MatchResult:
        """Match records, which are of these types. `answered_keys`: of all records of the answer that they
        come from. `conclude`: all the others of it have been matched, so that nothing stays undecided.
        `answer`: of the rental API, in which corrected phone numbers are to be looked for.

        Raises:
            StorageError: the database refused.
        """
        found = self._storage.find_records([record.lead_id for record in records])
        records = self._under_former_keys(records, found)
        result = self._with_leads(list(records), found)
        if answer is not None and self._is_begun():
            self._find_corrected(records, lead_types, answer, result)
        candidates = self._link_own_leads(records, lead_types, answered_keys, result)
        unmatched = []
        for record in records:
            if result.has_lead(record) or record.lead_id in result.corrected:
                continue
            known = result.known.get(record.lead_id)
            if known is not None and known.report_id is not None:
                result.finished[record.lead_id] = known.report_id
            else:
                unmatched.append(record)
        candidates |= self._free_reports(unmatched, result)
        if candidates:
            self._settle(unmatched, candidates, lead_types, result, conclude=conclude)
        for record in records:
            if record.lead_id not in result.known and result.has_lead(record):
                self._linked[result.lead_id_of(record)] = record.lead_id
        self._paired |= {report_id: record_id for record_id, report_id in result.finished.items()}
        return result

    def _under_former_keys(
        self, records: Sequence[SourceRecord], known: dict[str, KnownRecord]
    ) -> Sequence[SourceRecord]:
        """The records, those that the sync knows under a key of earlier rules with its id; these are added to
        `known`."""
        ids = {record.lead_id for record in records}
        unknown = [
            record
            for record in records
            if record.lead_id not in known and _may_have_former_key(record.values, record.former_phones)
        ]
        if not unknown:
            return records
        entries = self._storage.records_about(_phones(unknown), (), ())
        by_key = {current_key(entry.record.key): entry.record for entry in entries}
        found: dict[str, SourceRecord] = {}
        for record in unknown:
            for key in keys_of(record):
                before = by_key.get(key)
                if before is None or before.record_id in ids or not self._is_of(record, before):
                    continue
                self._former[before.record_id] = record.key
                found[record.lead_id] = record._replace(lead_id=before.record_id)
                known[before.record_id] = KnownRecord(
                    before.lead_id,
                    before.fingerprint,
                    before.location,
                    before.source,
                    before.report_id,
                    before.replaced_by,
                )
                break
        return [found.get(record.lead_id, record) for record in records]

    def _is_of(self, record: SourceRecord, before: SyncRecord) -> bool:
        """Two rows may have been read as one number by earlier rules, and so have been one record. It is that
        of the one which is met first, from then on by the number that it has noted."""
        phones = (phone_of(before.key), record.values["phone"])
        taken_by = self._former.get(before.record_id, record.key)
        return taken_by == record.key and before.values.get("phone") in phones

    def _with_leads(self, records: list[SourceRecord], known: dict[str, KnownRecord]) -> MatchResult:
        """A lead whose insert was the last thing that a killed run did is present, but not known."""
        lead_ids = {
            record.lead_id: entry.lead_id if (entry := known.get(record.lead_id)) else record.lead_id
            for record in records
        }
        present = self._storage.present_leads(set(lead_ids.values()))
        return MatchResult(known, lead_ids, present, records=records)

    def _find_corrected(
        self,
        records: Sequence[SourceRecord],
        lead_types: Collection[LeadType],
        answer: SortedRows,
        result: MatchResult,
    ) -> None:
        """Let records whose phone number the source has corrected have the leads of those before."""
        replaced = replaced_records(self._storage, records, result.known, answer, self._may_replace)
        if not replaced:
            return
        befores = [
            SourceRecord(before.key, before.record_id, before.values) for before, _ in replaced.values()
        ]
        then = self.match(befores, lead_types, conclude=True)
        reports = self._storage.reports(then.finished.values())
        by_id = {record.lead_id: record for record in records}
        others = self._leads_under_new_numbers([by_id[record_id] for record_id in replaced], lead_types)
        for (record_id, (before, phones)), entry in zip(replaced.items(), befores, strict=True):
            record, report_id = by_id[record_id], then.finished.get(entry.lead_id)
            if others[record.key] - {then.lead_id_of(entry), record_id}:
                continue  # the web app has a lead with the new number already: that is the record's
            known = result.known.get(record_id)
            if known is not None and known.report_id is not None and not then.has_lead(entry):
                continue  # finished under this number, and no later lead is there to take it
            is_open = record_id not in result.known and nobody_reached(reports.get(report_id or "", {}))
            if record_id not in result.known and result.has_lead(record) and not is_open:
                continue  # a lead of its own, which a killed run left without its record
            self._replaced[before.record_id] = record_id
            lead_id = then.lead_id_of(entry)
            result.corrected[record_id] = Corrected(
                before, phones, lead_id, then.has_lead(entry), report_id, is_open
            )
            own = known.lead_id if known is not None else lead_id
            if own != lead_id and own in result.present:
                # The source had both numbers at once: each has its own lead, and keeps it.
                result.corrected[record_id] = Corrected(
                    before, phones, own, True, None, False, has_second=then.has_lead(entry)
                )
            elif then.has_lead(entry):
                result.link(record_id, lead_id)
            elif not is_open:
                result.lead_ids[record_id] = lead_id

    def _leads_under_new_numbers(
        self, records: Sequence[SourceRecord], lead_types: Collection[LeadType]
    ) -> Mapping[str, set[str]]:
        """The ids of the leads that have the booking and phone number of these, by the records' keys."""
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

    def _is_begun(self) -> bool:
        """Whether the sync knew any records when this was first asked: what it has stored since is new."""
        if self._had_records is None:
            self._had_records = self._storage.has_records()
        return self._had_records

    def _may_replace(self, before: SyncRecord, record: SourceRecord) -> bool:
        """Whether nobody else has taken its place, and it does not come from this very run."""
        came_by = before.corrections[-1].run_id if before.corrections else before.first_run_id
        return came_by != self._run_id and self._replaced.get(before.record_id) in (None, record.lead_id)

    def _link_own_leads(
        self,
        records: Sequence[SourceRecord],
        lead_types: Collection[LeadType],
        answered_keys: Collection[str],
        result: MatchResult,
    ) -> _Candidates:
        """Link unknown records to the leads that bear their keys; gives the leads that are left."""
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
                lead_type, _numbers(without), _phones(without), _created(without)
            )
        ]
        if not found:
            return {}
        linked = self._storage.recorded_leads([lead["_id"] for lead in found])
        if linked:
            self._know_now(without, result)
        leads = UnlinkedLeads(
            found,
            self._locations,
            linked=linked,
            taken=result.present | _of_others(self._linked, records),
            answered_keys=answered_keys,
        )
        for record in without:
            if record.lead_id not in result.known and (lead_id := leads.take_own(record)) is not None:
                result.link(record.lead_id, lead_id)
        return self._leads_as_candidates(leads.left)

    def _leads_as_candidates(self, leads: Iterable[Document]) -> _Candidates:
        return {_Candidate(False, lead["_id"]): Traits.of_lead(lead, self._locations) for lead in leads}

    def _know_now(self, records: Sequence[SourceRecord], result: MatchResult) -> None:
        """Another run may have linked a record to its lead since it was looked up: then it is this very
        record that the lead belongs to, which would else be taken for new."""
        now = self._with_leads(
            list(records), self._storage.find_records([record.lead_id for record in records])
        )
        result.known |= now.known
        result.lead_ids |= now.lead_ids
        result.present |= now.present

    def _free_reports(self, records: Sequence[SourceRecord], result: MatchResult) -> _Candidates:
        """The reports that may be about any of these records and have finished no other one."""
        if not records:
            return {}
        lead_ids = {result.lead_id_of(record) for record in records}
        documents = self._storage.find_reports(
            lead_ids, _phones(records), _numbers(records), _created(records)
        )
        if not documents:
            return {}
        paired = self._storage.paired_reports([document["_id"] for document in documents])
        paired |= _of_others(self._paired, records)
        reports = {
            _Candidate(True, document["_id"]): Traits.of_report(document, self._locations)
            for document in documents
            if document["_id"] not in paired
        }
        # A report that names another record's lead is about that one, not about all of its customer's.
        named = {lead_id for traits in reports.values() for lead_id in traits.lead_ids}
        others = self._storage.recorded_leads(named - lead_ids)
        return {report: traits for report, traits in reports.items() if not traits.lead_ids & others}

    def _settle(
        self,
        records: Sequence[SourceRecord],
        candidates: _Candidates,
        lead_types: Collection[LeadType],
        result: MatchResult,
        *,
        conclude: bool,
    ) -> None:
        """Pair the records with the candidates that are about them."""
        wanted = {
            record.lead_id: Traits.of_record(record.values, result.lead_id_of(record)) for record in records
        }
        found = {
            (record_id, candidate): agreement
            for (record_id, candidate), agreement in agreements(wanted, candidates).items()
            if candidate.is_report or record_id not in result.known
        }
        for edge, agreement in self._agreements_before(records, wanted, candidates).items():
            found.setdefault(edge, agreement)
        pairs = best_pairs(_certain(found, wanted, candidates))
        taken = set(pairs.values())
        left = {
            (record_id, candidate): agreement
            for (record_id, candidate), agreement in found.items()
            if record_id not in pairs and candidate not in taken
        }
        if not conclude:
            result.undecided = {record_id for record_id, _ in left}
        elif left:
            among = {candidate: candidates[candidate] for _, candidate in left}
            best = best_pairs({**self._rivals(among, lead_types, wanted), **left})
            pairs |= {record_id: candidate for record_id, candidate in best.items() if record_id in wanted}
        for record_id, candidate in pairs.items():
            if candidate.is_report:
                result.finished[record_id] = candidate.document_id
            else:
                result.link(record_id, candidate.document_id)
                result.edited.add(record_id)

    @staticmethod
    def _agreements_before(
        records: Sequence[SourceRecord], wanted: Mapping[str, Traits], candidates: _Candidates
    ) -> _Agreements:
        """How well reports fit records by a phone number as it was read before, together with all the rest
        that tells a person: the number alone may be another's."""
        before = {
            record.lead_id: replace(wanted[record.lead_id], phones=frozenset(record.former_phones))
            for record in records
            if record.former_phones
        }
        if not before:
            return {}
        reports = {candidate: traits for candidate, traits in candidates.items() if candidate.is_report}
        return {edge: found for edge, found in agreements(before, reports).items() if found.fields == 3}

    def _rivals(
        self, candidates: _Candidates, lead_types: Collection[LeadType], own: Mapping[str, Traits]
    ) -> _Agreements:
        """How well the candidates fit other records than these (and those of the same leads, under numbers
        that the source has corrected), and leads without a record.

        Neither a record whose lead is there, finished or another record's by now, nor a lead needs one that
        fits in part. But one that fits in all is its: a copy of the lead, or its report.
        """
        phones = {phone for traits in candidates.values() for phone in traits.phones}
        numbers = {number for traits in candidates.values() for number in traits.booking_numbers}
        created = Created(
            {moment for traits in candidates.values() for moment in traits.moments},
            {name for traits in candidates.values() for name in traits.written_names},
            {day for traits in candidates.values() for day in traits.days},
        )
        entries = self._storage.records_about(phones, numbers, (), created)
        own_leads = {lead_id for traits in own.values() for lead_id in traits.lead_ids}
        records = {
            entry.record.record_id: Traits.of_record(entry.record.values, entry.record.lead_id)
            for entry in entries
            if entry.record.record_id not in own and entry.record.lead_id not in own_leads
        }
        present = self._storage.present_leads({entry.record.lead_id for entry in entries})
        served = {
            entry.record.record_id
            for entry in entries
            if entry.record.lead_id in present or entry.record.is_settled
        }
        of_records = agreements(records, candidates)
        sure = _certain(of_records, records, candidates)
        rivals = {edge: found for edge, found in of_records.items() if edge in sure or edge[0] not in served}
        reports = {candidate: traits for candidate, traits in candidates.items() if candidate.is_report}
        if reports:
            found = [
                lead
                for lead_type in lead_types
                for lead in self._storage.find_leads(lead_type, numbers, phones, created)
            ]
            leads = {lead["_id"]: Traits.of_lead(lead, self._locations) for lead in found}
            rivals |= _certain(agreements(leads, reports), leads, reports)
        return rivals


def _certain(
    found: _Agreements, records: Mapping[str, Traits], candidates: _Candidates
) -> dict[tuple[str, _Candidate], Agreement]:
    return {
        (record_id, candidate): agreement
        for (record_id, candidate), agreement in found.items()
        if is_certain(agreement, records[record_id], candidates[candidate])
    }


def _of_others(owners: Mapping[str, str], records: Iterable[SourceRecord]) -> set[str]:
    """What has been given to other records than these."""
    ids = {record.lead_id for record in records}
    return {given for given, owner in owners.items() if owner not in ids}


def _phones(records: Iterable[SourceRecord]) -> set[str]:
    """Their phone numbers, also as earlier rules read them."""
    return {phone for record in records for phone in (record.values["phone"], *record.former_phones)}


def _numbers(records: Iterable[SourceRecord]) -> set[str]:
    return {number for record in records if (number := record.values.get("bookingNo"))}


def _may_have_former_key(values: LeadValues, former_phones: Collection[str]) -> bool:
    """Whether the sync may know a record under another key: most bookings and returns have the one that they
    had, while of two files of one visit each may write its customer's name in other code points."""
    if former_phones or values["leadType"] not in API_TYPES:
        return True
    return "bookingNo" not in values and not values["name"].isascii()


def _created(records: Iterable[SourceRecord]) -> Created:
    """When the records' leads were created: to the second where that tells them from each other, which it
    does for bookings and returns; a file has the day only."""
    moments, names, days = set(), set(), set()
    for record in records:
        at = record.values.get("createdAt")
        if at is None:
            continue
        if record.values["leadType"] not in API_TYPES:
            names.add(record.values["name"])
            days.add(at.date())
        elif at.time() != MIDNIGHT:
            moments.add(at)
    return Created(moments, names, days)
