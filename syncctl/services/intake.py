"""One answer of one location, taken into the database: each row saved, found, merged, ignored or rejected."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncctl.errors import LeadsRefusedError
from syncctl.identity import fingerprint
from syncctl.leads import new_lead
from syncctl.locations import ALL_LOCATIONS, Locations
from syncctl.mapping import BOOKING_DATE
from syncctl.models import Counts, LeadType, SourceRecord, StepName, SyncRecord
from syncctl.ports import RejectPositions
from syncctl.services.match_result import MatchResult
from syncctl.services.matching import Matcher
from syncctl.services.rejects import keep_rejects, unlisted_words
from syncctl.services.run import Run
from syncctl.services.sorting import SortedRows, has_changed

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
    what was stored is counted.
    """

    counts: Counts
    changed: list[str] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    unlisted: int = 0
    undated: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    is_late: bool = False

    @property
    def warnings(self) -> list[str]:
        """What a person must know of it, a line for each."""
        lines = [undated_words(name, numbers) for name, numbers in self.undated.items()]
        return [*lines, unlisted_words(self.unlisted)] if self.unlisted else lines


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
        self._matcher = Matcher(run.storage, locations)
        self._listed: dict[StepName, RejectPositions] = {}

    def take(self, answer: SortedRows) -> Taken:
        """Store what is new in an answer and say what became of each row.

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
            undecided += self._take_batch(answer, records[start : start + BATCH], taken)
        if undecided:
            self._take_batch(answer, undecided, taken, conclude=True)
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
        self, answer: SortedRows, batch: Sequence[SourceRecord], taken: Taken, *, conclude: bool = False
    ) -> list[SourceRecord]:
        """Take in what can be decided, and give the rest."""
        match = self._matcher.match(batch, [LEAD_TYPES[answer.report]], answer.keys, conclude=conclude)
        records = [record for record in batch if record.lead_id not in match.undecided]
        new = [record for record in records if match.is_new(record)]
        unknown = [record for record in records if record.lead_id not in match.known]
        inserted: set[str] = set()
        refused: dict[str, str] = {}
        try:
            if unknown:
                inserted = self._run.storage.store_leads(
                    [new_lead(record, self._run.first_seen_at) for record in new],
                    [self._sync_record(answer, record, match) for record in unknown],
                )
        except LeadsRefusedError as refusal:
            inserted, refused = refusal.inserted, refusal.reasons
            rows = [(record, answer.first_rows[record.key]) for record in new if record.lead_id in refused]
            answer.invalid += [(row, refused[record.lead_id]) for record, row in rows]
            taken.refused += [row for _, row in rows]
        if match.newly_finished:
            self._run.storage.pair_reports(match.newly_finished)
        changed = [
            record
            for record in records
            if (before := match.known.get(record.lead_id)) is not None
            # Another id of the shop may tell it by other items; where all are told everything, none does.
            and (before.location == answer.location or answer.by_row)
            and has_changed(answer, record, before.fingerprint)
        ]
        if changed:
            self._run.storage.update_records([self._sync_record(answer, record, match) for record in changed])
        taken.changed += [record.values.get("bookingNo", "") for record in changed]
        for record in new:
            if record.lead_id in inserted:
                for name in answer.unread.get(record.key, ()):
                    taken.undated[name].append(record.values.get("bookingNo", "(no booking number)"))
        taken.counts += Counts(
            rows=len(records),
            saved=len(inserted),
            reported=len(match.finished),
            invalid=len(refused),
            existing=len(records) - len(inserted) - len(match.finished) - len(refused),
        )
        return [record for record in batch if record.lead_id in match.undecided]

    def _sync_record(self, answer: SortedRows, record: SourceRecord, match: MatchResult) -> SyncRecord:
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
        )
