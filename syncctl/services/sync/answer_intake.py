"""Stores one answer of one location: each row is saved, already there, merged, ignored or rejected."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncctl.domain.identity import fingerprint
from syncctl.domain.lead_values import LeadChange
from syncctl.domain.leads import NOTHING_WRITTEN, new_lead, own_update
from syncctl.domain.merge import Merge
from syncctl.domain.records import CorrectionOutcome, SourceRecord, SyncRecord
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import SOURCES, StepName
from syncctl.errors import LeadsRefusedError
from syncctl.locations import ALL_LOCATIONS, Locations
from syncctl.ports.storage import RejectPositions
from syncctl.services.batching import batched
from syncctl.services.matching.corrections import Settled
from syncctl.services.matching.legacy_leads import repaired_phone
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.matching.matching import Matcher
from syncctl.services.rejects.list_updates import unlisted_warning, update_rejects
from syncctl.services.run import Run
from syncctl.services.sync.answer_rows import AnswerRows, has_changed
from syncctl.services.sync.corrected_bookings import CorrectedBookings
from syncctl.text import and_more, plural

BATCH = 1000
"""Records looked up and written together: a few round trips per batch instead of one per row."""

MAX_NUMBERS_NAMED = 5
"""Booking numbers that a warning names."""

_DATED_OTHERWISE = [source.date[0] for source in SOURCES.values() if not source.follows_booking]


@dataclass(slots=True)
class IntakeResult:
    """What happened to an answer's rows."""

    counts: Counts
    changed: list[str] = field(default_factory=list)
    """Booking numbers of existing leads for which the source has new values."""

    unlisted: int = 0
    """Invalid rows over the quota of the rejects list."""

    undated: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By date field, the booking numbers of new leads whose date can't be read."""

    is_late: bool = False
    """The deadline passed before everything was stored; only stored rows are counted."""

    held_back: list[Any] = field(default_factory=list)
    """Rows of records that may be known bookings with a corrected phone number, which only a whole answer
    can tell: not stored, and counted as existing."""

    @property
    def warnings(self) -> list[str]:
        """What a person must know, one line each."""
        lines = [undated_warning(name, numbers) for name, numbers in self.undated.items()]
        return [*lines, unlisted_warning(self.unlisted)] if self.unlisted else lines


def undated_warning(field_name: str, numbers: Sequence[str]) -> str:
    """A warning about new leads whose date can't be read."""
    more = and_more(len(numbers) - MAX_NUMBERS_NAMED)
    instead = "dated by when it was first seen" if field_name in _DATED_OTHERWISE else "saved without it"
    which = f"{len(numbers)} new {plural(len(numbers), 'booking')}"
    return f"{field_name} can't be read in {which}, {instead}: {', '.join(numbers[:MAX_NUMBERS_NAMED])}{more}"


class AnswerIntake:
    """Stores the answers of one run, until `deadline` (seconds of the monotonic clock)."""

    def __init__(self, run: Run, locations: Locations, deadline: float = math.inf) -> None:
        self._run = run
        self._deadline = deadline
        self._locations = locations
        self._matcher = Matcher(run.storage, locations, run.run_id)
        self._listed: dict[StepName, RejectPositions] = {}
        self._closed: dict[StepName, set[str]] = {}
        self._corrected = CorrectedBookings(run)

    def ingest(
        self, answer: AnswerRows, *, is_whole: bool = False, updates_list: bool = True
    ) -> IntakeResult:
        """Store what is new in an answer and say what became of each row. `is_whole`: nothing is missing in
        it, so that what is not there is gone at the source. `updates_list`: whether the rejects list follows.

        Raises:
            StorageError: the database refused something; what was stored before stays stored.
            StopRequestedError: between two batches.
        """
        taken = IntakeResult(Counts())
        uncounted = Counts(
            rows=len(answer.rows) + len(answer.outside) - len(answer.records),
            merged=answer.merged,
            ignored=answer.ignored + len(answer.outside),
            invalid=len(answer.invalid),
        )
        undecided: list[SourceRecord] = []
        for batch in self._run.stop.between(batched(answer.records.values(), BATCH)):
            if self._is_late():
                taken.is_late = True
                return taken
            undecided += self._ingest_batch(answer, batch, taken, is_whole=is_whole)
        if undecided:
            self._run.stop.raise_if_requested()
            self._ingest_batch(answer, undecided, taken, is_whole=is_whole, final_pass=True)
        taken.counts += uncounted
        if updates_list:
            listed = self._rejects_listed(answer)
            update = update_rejects(self._run, answer, listed, self._closed[answer.report])
            taken.unlisted = update.unlisted
            taken.counts += Counts(invalid=-update.answered, ignored=update.answered)
        return taken

    def _is_late(self) -> bool:
        return self._run.clock.monotonic() >= self._deadline

    def _rejects_listed(self, answer: AnswerRows) -> Mapping[str, Collection[str]]:
        """The rejects listed for the answer's location. Read once for all locations of a report: each is
        stored once, and what another run adds or removes in between may be added or removed twice."""
        if answer.report not in self._listed:
            storage = self._run.storage
            listed_now = storage.reject_positions(answer.report)
            closed = storage.closed_rejects(answer.report) if listed_now else set()
            # Only once both are known: after a failed read the next location reads again.
            self._listed[answer.report], self._closed[answer.report] = listed_now, closed
        listed = self._listed[answer.report]
        under = [listed[place] for place in (answer.location, ALL_LOCATIONS) if place in listed]
        if len(under) < 2:
            return under[0] if under else {}
        # The rows were listed under the other location before: their new entries replace those.
        here, everywhere = under
        return {
            position: [*here.get(position, ()), *everywhere.get(position, ())]
            for position in here.keys() | everywhere.keys()
        }

    def _ingest_batch(
        self,
        answer: AnswerRows,
        batch: Sequence[SourceRecord],
        taken: IntakeResult,
        *,
        is_whole: bool,
        final_pass: bool = False,
    ) -> list[SourceRecord]:
        """Store what can be decided, and return the rest."""
        match = self._matcher.match(
            batch, [SOURCES[answer.report].lead_type], answer.keys, final_pass=final_pass, answer=answer
        )
        batch = match.records
        records = [record for record in batch if record.lead_id not in match.undecided]
        corrected = self._corrected.settle(records, match) if is_whole else {}
        held_back = match.corrected.keys() - corrected.keys()
        stored = [record for record in records if record.lead_id not in held_back]
        new = [record for record in stored if match.is_unmatched(record)]
        unknown = [record for record in stored if record.lead_id not in match.known]
        taken.held_back += [
            answer.first_rows[record.key] for record in records if record.lead_id in held_back
        ]
        inserted: set[str] = set()
        refused: dict[str, str] = {}
        try:
            if unknown:
                inserted = self._run.storage.store_leads(
                    [new_lead(record, self._run.first_seen_at) for record in new],
                    [
                        self._sync_record(answer, record, match, corrected.get(record.lead_id))
                        for record in unknown
                    ],
                )
        except LeadsRefusedError as refusal:
            inserted, refused = refusal.inserted, refusal.reasons
            answer.invalid += [
                (answer.first_rows[record.key], refused[record.lead_id])
                for record in new
                if record.lead_id in refused
            ]
        if match.newly_finished:
            self._run.storage.pair_reports(match.newly_finished)
        again = [record for record in stored if record.lead_id in corrected and record.lead_id in match.known]
        if again:
            self._run.storage.renew_records(
                [self._sync_record(answer, record, match, corrected[record.lead_id]) for record in again]
            )
        changed = self._changed(answer, records, match)
        if changed:
            self._run.storage.update_records([self._sync_record(answer, record, match) for record in changed])
        if is_whole:
            self._corrected.note_second_leads(answer, stored, match)
        left = {key for key, each in corrected.items() if each.outcome is CorrectionOutcome.LEFT}
        taken.changed += [
            record.values.get("bookingNo", "")
            for record in records
            if record in changed or record.lead_id in left
        ]
        for record in new:
            if record.lead_id in inserted:
                for name in answer.unread.get(record.key, ()):
                    taken.undated[name].append(record.values.get("bookingNo", "(no booking number)"))
        repaired = self._repair_phones(
            [record for record in stored if record.lead_id not in corrected], match
        )
        updated = repaired + sum(each.is_written for each in corrected.values())
        reported = len(match.finished) + sum(
            each.outcome is CorrectionOutcome.FINISHED for each in corrected.values()
        )
        taken.counts += Counts(
            rows=len(records),
            saved=len(inserted),
            updated=updated,
            reported=reported,
            invalid=len(refused),
            existing=len(records) - len(inserted) - updated - reported - len(refused),
        )
        return [record for record in batch if record.lead_id in match.undecided]

    def _changed(
        self, answer: AnswerRows, records: Sequence[SourceRecord], match: MatchResult
    ) -> list[SourceRecord]:
        """The known records for which the source has new values."""
        perhaps = [
            record
            for record in records
            if (before := match.known.get(record.lead_id)) is not None
            # Another id of the shop may return other items of the booking; not if all ids return all rows.
            and (before.location == answer.location or answer.store_from_row)
            and fingerprint(record.values) != before.fingerprint
        ]
        if not perhaps:
            return []
        bases = self._run.storage.record_values([record.lead_id for record in perhaps])
        return [
            record
            for record in perhaps
            if (base := bases.get(record.lead_id)) is not None and has_changed(answer, record, base)
        ]

    def _repair_phones(self, records: Sequence[SourceRecord], match: MatchResult) -> int:
        """Correct the phone numbers of untouched leads that earlier rules misread. Returns how many."""
        misread = [record for record in records if record.former_phones and match.has_lead(record)]
        if not misread:
            return 0
        storage, started_at = self._run.storage, self._run.started_at
        leads = storage.leads({match.lead_id_of(record) for record in misread})
        written = storage.writes([record.lead_id for record in misread])
        changes: list[LeadChange] = []
        notes: dict[str, dict[str, Any]] = {}
        for record in misread:
            lead, own = leads.get(match.lead_id_of(record)), written.get(record.lead_id, NOTHING_WRITTEN)
            if lead is not None and (phone := repaired_phone(record, lead, own)) is not None:
                changes.append(Merge({"phone": phone}).guarded_change(lead, updated_at=started_at))
                notes[record.lead_id] = own_update(lead, own, started_at)
        if not changes:
            return 0
        storage.add_writes(notes, started_at)
        return len(storage.update_leads(changes))

    def _sync_record(
        self,
        answer: AnswerRows,
        record: SourceRecord,
        match: MatchResult,
        applied: Settled | None = None,
    ) -> SyncRecord:
        return SyncRecord(
            record_id=record.lead_id,
            key=record.key,
            lead_id=match.lead_id_of(record),
            source=answer.report.value,
            location=answer.location,
            values=record.values,
            fingerprint=fingerprint(record.values),
            first_seen_at=self._run.started_at,
            first_run_id=self._run.run_id,
            report_id=match.finished.get(record.lead_id),
            corrections=() if applied is None else (self._corrected.correction_of(record, match, applied),),
        )
