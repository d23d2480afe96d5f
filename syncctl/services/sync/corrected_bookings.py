"""Bookings whose phone number the source has corrected: a lead takes the new one unless it was worked on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from syncctl.domain.records import Correction, CorrectionOutcome, SourceRecord, SyncRecord
from syncctl.services.matching.corrections import (
    PhoneChange,
    Settled,
    current_since,
    second_leads,
    update_phone_numbers,
)
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.run import Run
from syncctl.services.sync.answer_rows import AnswerRows

CLOCK_DIFFERENCE = timedelta(minutes=10)
"""How far the clocks of two hosts may be apart."""


class CorrectedBookings:
    """Writes what one run finds of them."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def settle(self, records: Sequence[SourceRecord], match: MatchResult) -> dict[str, Settled]:
        """Give the leads of corrected records their new numbers. Returns the result for each record, by id;
        what can't be completed in this run is left out.

        The former record is marked first and the record of the new number stored last: if killed in between,
        the next run starts over and finds what has been done.
        """
        due = {
            record.lead_id: (record, corrected)
            for record in records
            if (corrected := match.corrected.get(record.lead_id)) is not None
            # What another run has just corrected may be newer than this run's answer.
            and not self._is_just_done(corrected.before)
        }
        if not due:
            return {}
        storage = self._run.storage
        storage.replace_records(
            {
                corrected.before.record_id: record.values["phone"]
                for record, corrected in due.values()
                if corrected.before.record_id != record.lead_id
            }
        )
        finished = {
            corrected.before.record_id: corrected.report_id
            for _, corrected in due.values()
            if corrected.report_id is not None and corrected.before.report_id is None
        }
        if finished:
            storage.pair_reports(finished)
        settled = update_phone_numbers(
            storage,
            {
                record_id: PhoneChange(
                    corrected.before.record_id, corrected.lead_id, corrected.phones, record.values["phone"]
                )
                for record_id, (record, corrected) in due.items()
                if corrected.has_lead
            },
            self._run.clock.now(),
        )
        for record_id, (_, corrected) in due.items():
            if corrected.has_second and record_id in settled:
                settled[record_id] = settled[record_id]._replace(outcome=CorrectionOutcome.SECOND_LEAD)
            if corrected.has_lead:
                continue
            if corrected.is_unreached:
                settled[record_id] = Settled(CorrectionOutcome.NEW_LEAD)
            elif corrected.report_id is not None:
                settled[record_id] = Settled(CorrectionOutcome.FINISHED)
            else:
                settled[record_id] = Settled(CorrectionOutcome.DELETED)
        return settled

    def note_second_leads(
        self, answer: AnswerRows, records: Sequence[SourceRecord], match: MatchResult
    ) -> None:
        """Note of which known records of a whole answer the booking has another one, with the number that is
        gone by now. Both leads stay as they are: which of them is to be kept, a person decides."""
        storage = self._run.storage
        known = [
            record
            for record in records
            if (entry := match.known.get(record.lead_id)) is not None
            and entry.replaced_by is None
            and match.has_lead(record)
        ]
        found = [
            (now, before)
            for now, before in second_leads(storage, known, answer)
            # Another run may be at it.
            if not (self._is_just_done(now) or self._is_just_done(before))
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

    def _is_just_done(self, record: SyncRecord) -> bool:
        """Whether another run has made it what it is while this one is under way. What is dated further ahead
        than two hosts' clocks may differ was done by a wrong clock, which must not keep it so until then."""
        latest = self._run.clock.now() + CLOCK_DIFFERENCE
        return self._run.started_at < current_since(record) <= latest

    def correction_of(self, record: SourceRecord, match: MatchResult, settled: Settled) -> Correction:
        """What is to be noted with the record."""
        corrected, known = match.corrected[record.lead_id], match.known.get(record.lead_id)
        before = corrected.before
        phone_between = before.replaced_by if before.record_id == record.lead_id else None
        is_finished = settled.outcome is CorrectionOutcome.FINISHED
        finished_before = known.report_id if known is not None else None
        return Correction(
            self._run.clock.now(),
            phone_between or before.values["phone"],
            settled.outcome,
            self._run.run_id,
            corrected.report_id if is_finished else finished_before,
        )
