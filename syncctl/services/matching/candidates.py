"""Pairs records with the reports and leads that fit them in part: those that fit best, and nobody else's.

Records that the sync knows under a key of earlier rules, or a store's earlier name, keep their id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from syncctl.domain.identity import current_key, keys_of, phone_of, with_store
from syncctl.domain.lead_matching import Agreement, agreements, best_pairs, is_certain
from syncctl.domain.lead_traits import Traits
from syncctl.domain.records import KnownRecord, SourceRecord, SyncRecord
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.locations import Locations, load_locations
from syncctl.ports.storage import Created, Storage
from syncctl.services.matching.match_result import MatchResult


class Candidate(NamedTuple):
    """A report, or an unlinked lead, that may be about a record."""

    is_report: bool
    document_id: str


Candidates = dict[Candidate, Traits]
Agreements = Mapping[tuple[str, Candidate], Agreement]


class PartialMatches:
    """Decides which record a report, or a lead that no record is linked to, is about."""

    def __init__(self, storage: Storage, locations: Locations) -> None:
        self._storage = storage
        self._locations = locations

    def settle(
        self,
        records: Sequence[SourceRecord],
        candidates: Candidates,
        lead_types: Collection[str],
        result: MatchResult,
        *,
        final_pass: bool,
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
        if not final_pass:
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
        records: Sequence[SourceRecord], wanted: Mapping[str, Traits], candidates: Candidates
    ) -> Agreements:
        """How well reports fit records by a phone number as earlier rules read it. Everything else that
        identifies the person must agree too, as the number alone may be somebody else's."""
        before = {
            record.lead_id: wanted[record.lead_id]._replace(phones=frozenset(record.former_phones))
            for record in records
            if record.former_phones
        }
        if not before:
            return {}
        reports = {candidate: traits for candidate, traits in candidates.items() if candidate.is_report}
        return {edge: found for edge, found in agreements(before, reports).items() if found.fields == 3}

    def _rivals(
        self, candidates: Candidates, lead_types: Collection[str], own: Mapping[str, Traits]
    ) -> Agreements:
        """How well the candidates fit other records (not these, nor those of the same leads under corrected
        numbers), and leads without a record.

        A record whose lead exists, is finished or belongs to another record by now needs no further candidate
        that fits in part; nor does a lead. But a candidate that fits completely is theirs: a copy of the
        lead, or its report.
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
    found: Agreements, records: Mapping[str, Traits], candidates: Candidates
) -> dict[tuple[str, Candidate], Agreement]:
    return {
        (record_id, candidate): agreement
        for (record_id, candidate), agreement in found.items()
        if is_certain(agreement, records[record_id], candidates[candidate])
    }


class FormerKeys:
    """Finds them, each for one record only."""

    def __init__(self, storage: Storage, locations: Locations) -> None:
        self._storage = storage
        self._canonical = lru_cache(maxsize=1024)(locations.canonical)  # few stores, many keys
        self._has_mapping_file = locations != load_locations()
        self._former: dict[str, str] = {}

    def adopt(self, records: Sequence[SourceRecord], known: dict[str, KnownRecord]) -> Sequence[SourceRecord]:
        """The records; those that the sync knows under a key of earlier rules get that id, and are added
        to `known`."""
        ids = {record.lead_id for record in records}
        unknown = [
            record for record in records if record.lead_id not in known and self._may_have_former_key(record)
        ]
        if not unknown:
            return records
        entries = self._storage.records_about(phones_of(unknown), (), ())
        by_key = {self._key_by_now(entry.record.key): entry.record for entry in entries}
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
        """Earlier rules may have read two rows as one number, and so as one record. It belongs to
        whichever row is met first, and from then on to the one with the stored number."""
        phones = (phone_of(before.key), record.values["phone"])
        taken_by = self._former.get(before.record_id, record.key)
        return taken_by == record.key and before.values.get("phone") in phones

    def _may_have_former_key(self, record: SourceRecord) -> bool:
        """Whether the sync may know a record under another key: the keys of most bookings and returns
        haven't changed, but two files may write the same visit's customer name in different code points, and
        a mapping file may have renamed a store."""
        if record.former_phones or record.values["leadType"] not in API_LEAD_TYPES:
            return True
        renamed = self._has_mapping_file or not record.values["name"].isascii()
        return "bookingNo" not in record.values and renamed

    def _key_by_now(self, key: str) -> str:
        """A key of any version by today's rules, with the name that its store has by now."""
        return with_store(current_key(key), self._canonical)


def phones_of(records: Iterable[SourceRecord]) -> set[str]:
    """Their phone numbers, including those that earlier rules read."""
    return {phone for record in records for phone in (record.values["phone"], *record.former_phones)}
