"""One answer of one location, taken into the database: each row saved, found, merged, ignored or rejected."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncctl.domain.identity import fingerprint
from syncctl.domain.lead_values import LeadChange, LeadType
from syncctl.domain.leads import NOTHING_WRITTEN, new_lead, own_update
from syncctl.domain.merge import Merge
from syncctl.domain.records import Correction, CorrectionOutcome, SourceRecord, SyncRecord
from syncctl.domain.run_results import Counts
from syncctl.domain.steps import StepName
from syncctl.errors import LeadsRefusedError
from syncctl.locations import ALL_LOCATIONS, Locations
from syncctl.mapping.api_rows import BOOKING_DATE
from syncctl.ports.storage import RejectPositions
from syncctl.services.matching.corrections import NumberChange, current_since, second_leads, take_numbers
from syncctl.services.matching.legacy_leads import mended_phone
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.matching.matching import Matcher
from syncctl.services.rejects.updating import keep_rejects, unlisted_words
from syncctl.services.run import Run
from syncctl.services.sync.answer_rows import SortedRows, has_changed

BATCH = 1000
"""Records looked up and written together: a few round trips for each batch, none for a row."""

NUMBERS_NAMED = 5
"""Booking numbers that a warning names."""

LEAD_TYPES = {StepName.BOOKING: LeadType.BOOKING, StepName.RETURN: LeadType.RETURN}


@dataclass(slots=True)
class Taken:
    """What became of an answer's rows.

    `changed`: booking numbers of existing leads of which the source now says something else. `refused`: rows
    of records that the database's own rules kept out; they are among the invalid ones. `unlisted`: invalid
    rows for which there was no room on the rejects list. `undated`: by field, the booking numbers of new
    leads that have no such date, as it can't be read. `is_late`: time was over before all was stored; only
    what was stored is counted. `held`: rows of records that may be known bookings with a corrected phone
    number, which only a whole answer can tell: they are counted as existing, and not stored.
    """

    counts: Counts
    changed: list[str] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    unlisted: int = 0
    undated: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    is_late: bool = False
    held: list[Any] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What a person must know of it, a line for each."""
        lines = [undated_words(name, numbers) for name, numbers in self.undated.items()]
        return [*lines, unlisted_words(self.unlisted)] if self.unlisted else lines


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of the lead of a corrected record, and whether it was written."""

    outcome: CorrectionOutcome
    is_written: bool = False


def undated_words(field_name: str, numbers: Sequence[str]) -> str:
    """For a warning: new leads without a date that their source tells, but not so that it can be read."""
    more = f" and {len(numbers) - NUMBERS_NAMED} more" if len(numbers) > NUMBERS_NAMED else ""
    instead = "dated by when it was first seen" if field_name == BOOKING_DATE[0] else "saved without it"
    which = f"{len(numbers)} new booking{'' if len(numbers) == 1 else 's'}"
    return f"{field_name} can't be read in {which}, {instead}: {', '.join(numbers[:NUMBERS_NAMED])}{more}"


class Intake:
    """Takes the answers of one run in, until `deadline` (the monotonic clock's seconds)."""

    def __init__(self, run: Run, locations: Locations, deadline: float = math.inf) -> None:
        self._run = run
        self._deadline = deadline
        self._locations = locations
        self._matcher = Matcher(run.storage, locations, run.run_id)
        self._listed: dict[StepName, RejectPositions] = {}
        self._shared: set[tuple[str, str]] | None = None

    def take(self, answer: SortedRows, *, is_whole: bool = False) -> Taken:
        """Store what is new in an answer and say what became of each row. `is_whole`: nothing is missing in
        it, so that what is not there is gone at the source.

        Raises:
            StorageError: the database refused something; what was stored before stays stored.
        """
        taken = Taken(Counts())
        others = Counts(
            rows=len(answer.rows) + len(answer.outside) - len(answer.records),
            merged=answer.merged,
            ignored=answer.ignored + len(answer.outside),
            invalid=len(answer.invalid),
        )
        records = list(answer.records.values())
        undecided: list[SourceRecord] = []
        for start in range(0, len(records), BATCH):
            if self._is_late():
                taken.is_late = True
                return taken
            batch = records[start : start + BATCH]
            undecided += self._take_batch(answer, batch, taken, is_whole=is_whole)
        if undecided:
            self._take_batch(answer, undecided, taken, is_whole=is_whole, conclude=True)
        taken.counts += others
        taken.unlisted = keep_rejects(self._run, answer, self._rejects_listed(answer))
        return taken

    def _is_late(self) -> bool:
        return self._run.clock.monotonic() >= self._deadline

    def _rejects_listed(self, answer: SortedRows) -> Mapping[str, Collection[str]]:
        """What the rejects list holds of the answer's location. Read once for all locations of a report: each
        is taken in once, and what another run lists or clears meanwhile may be listed or cleared twice."""
        if answer.report not in self._listed:
            self._listed[answer.report] = self._run.storage.reject_positions(answer.report)
        listed = self._listed[answer.report]
        under = [listed[place] for place in (answer.location, ALL_LOCATIONS) if place in listed]
        if len(under) < 2:
            return under[0] if under else {}
        # Whose location decides has changed since: what the same rows are now listed as replaces the other.
        here, everywhere = under
        return {
            position: [*here.get(position, ()), *everywhere.get(position, ())]
            for position in here.keys() | everywhere.keys()
        }

    def _take_batch(
        self,
        answer: SortedRows,
        batch: Sequence[SourceRecord],
        taken: Taken,
        *,
        is_whole: bool,
        conclude: bool = False,
    ) -> list[SourceRecord]:
        """Take in what can be decided, and give the rest."""
        match = self._matcher.match(
            batch, [LEAD_TYPES[answer.report]], answer.keys, conclude=conclude, answer=answer
        )
        batch = match.records
        records = [record for record in batch if record.lead_id not in match.undecided]
        corrected = self._correct(records, match) if is_whole else {}
        held = match.corrected.keys() - corrected.keys()
        stored = [record for record in records if record.lead_id not in held]
        new = [record for record in stored if match.is_new(record)]
        unknown = [record for record in stored if record.lead_id not in match.known]
        taken.held += [answer.first_rows[record.key] for record in records if record.lead_id in held]
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
            rows = [(record, answer.first_rows[record.key]) for record in new if record.lead_id in refused]
            answer.invalid += [(row, refused[record.lead_id]) for record, row in rows]
            taken.refused += [row for _, row in rows]
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
            self._note_second_leads(answer, stored, match)
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
        mended = self._mend_phones([record for record in stored if record.lead_id not in corrected], match)
        updated = mended + sum(each.is_written for each in corrected.values())
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

    def _correct(self, records: Sequence[SourceRecord], match: MatchResult) -> dict[str, _Settled]:
        """Let the leads of corrected records take their new numbers, and give what became of each, by the ids
        of the records; what can't be settled in this run is left out.

        The record before is marked first and the record of the new number is stored last: whatever a kill
        leaves undone, the next run begins again, and finds what has been done.
        """
        due = {
            record.lead_id: (record, corrected)
            for record in records
            if (corrected := match.corrected.get(record.lead_id)) is not None
            # Another run has just corrected it: this one's answer may be older.
            and current_since(corrected.before) <= self._run.started_at
        }
        if not due:
            return {}
        storage = self._run.storage
        storage.replace_records(
            {corrected.before.record_id: record.values["phone"] for record, corrected in due.values()}
        )
        finished = {
            corrected.before.record_id: corrected.report_id
            for _, corrected in due.values()
            if corrected.report_id is not None and corrected.before.report_id is None
        }
        if finished:
            storage.pair_reports(finished)
        settled = {
            record_id: _Settled(outcome, is_written)
            for record_id, (outcome, is_written) in take_numbers(
                storage,
                {
                    record_id: NumberChange(
                        corrected.before.record_id,
                        corrected.lead_id,
                        corrected.phones,
                        record.values["phone"],
                    )
                    for record_id, (record, corrected) in due.items()
                    if corrected.has_lead
                },
                self._run.clock.now(),
            ).items()
        }
        for record_id, (_, corrected) in due.items():
            if corrected.has_second and record_id in settled:
                is_written = settled[record_id].is_written
                settled[record_id] = _Settled(CorrectionOutcome.SECOND_LEAD, is_written)
            if corrected.has_lead:
                continue
            if corrected.is_open:
                settled[record_id] = _Settled(CorrectionOutcome.NEW_LEAD)
            elif corrected.report_id is not None:
                settled[record_id] = _Settled(CorrectionOutcome.FINISHED)
            else:
                settled[record_id] = _Settled(CorrectionOutcome.DELETED)
        return settled

    def _note_second_leads(
        self, answer: SortedRows, records: Sequence[SourceRecord], match: MatchResult
    ) -> None:
        """Note of which known records of a whole answer the booking has another one, with the number that is
        gone by now. Both leads stay as they are: which of them is to be kept, a person decides."""
        storage = self._run.storage
        if self._shared is None:
            # Once: what this run stores takes nobody's place in it.
            self._shared = storage.shared_bookings()
        known = [
            record
            for record in records
            if (entry := match.known.get(record.lead_id)) is not None
            and entry.replaced_by is None
            and match.has_lead(record)
        ]
        found = [
            (now, before)
            for now, before in second_leads(storage, self._shared, known, answer)
            # Another run may be at it.
            if max(current_since(now), current_since(before)) <= self._run.started_at
        ]
        if not found:
            return
        present = storage.present_leads({before.lead_id for _, before in found})
        noted: dict[str, Correction] = {}
        for now, before in found:
            phone, outcome = before.values["phone"], CorrectionOutcome.SECOND_LEAD
            # Killed after this note, a run has not marked the other record yet.
            is_noted = bool(now.corrections) and (
                (now.corrections[-1].phone_before, now.corrections[-1].outcome) == (phone, outcome)
            )
            if before.lead_id in present and before.lead_id != now.lead_id and not is_noted:
                noted[now.record_id] = Correction(self._run.clock.now(), phone, outcome, self._run.run_id)
        if noted:
            storage.add_corrections(noted)
        storage.replace_records({before.record_id: now.values["phone"] for now, before in found})

    def _changed(
        self, answer: SortedRows, records: Sequence[SourceRecord], match: MatchResult
    ) -> list[SourceRecord]:
        """The known records of which the source now says something else."""
        perhaps = [
            record
            for record in records
            if (before := match.known.get(record.lead_id)) is not None
            # Another id of the shop may tell it by other items; where all are told everything, none does.
            and (before.location == answer.location or answer.by_row)
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

    def _mend_phones(self, records: Sequence[SourceRecord], match: MatchResult) -> int:
        """Give untouched leads whose phone numbers were misread before the right ones. Gives how many."""
        misread = [record for record in records if record.former_phones and match.has_lead(record)]
        if not misread:
            return 0
        storage, started_at = self._run.storage, self._run.started_at
        leads = storage.leads({match.lead_id_of(record) for record in misread})
        written = storage.noted_writes([record.lead_id for record in misread])
        changes: list[LeadChange] = []
        notes: dict[str, dict[str, Any]] = {}
        for record in misread:
            lead, own = leads.get(match.lead_id_of(record)), written.get(record.lead_id, NOTHING_WRITTEN)
            if lead is not None and (phone := mended_phone(record, lead, own)) is not None:
                changes.append(Merge({"phone": phone}).change_of(lead, updated_at=started_at))
                notes[record.lead_id] = own_update(lead, own, started_at)
        if not changes:
            return 0
        storage.note_writes(notes, started_at)
        return len(storage.update_leads(changes))

    def _sync_record(
        self,
        answer: SortedRows,
        record: SourceRecord,
        match: MatchResult,
        settled: _Settled | None = None,
    ) -> SyncRecord:
        corrections: tuple[Correction, ...] = ()
        if settled is not None:
            corrected, known = match.corrected[record.lead_id], match.known.get(record.lead_id)
            is_finished = settled.outcome is CorrectionOutcome.FINISHED
            finished_before = known.report_id if known is not None else None
            corrections = (
                Correction(
                    self._run.clock.now(),
                    corrected.before.values["phone"],
                    settled.outcome,
                    self._run.run_id,
                    corrected.report_id if is_finished else finished_before,
                ),
            )
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
            corrections=corrections,
        )
