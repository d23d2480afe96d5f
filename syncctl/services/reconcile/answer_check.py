"""Compares one location's answer with the database, record by record. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN
from syncctl.domain.records import SourceRecord
from syncctl.domain.sources import SOURCES
from syncctl.locations import Locations
from syncctl.mapping.api_rows import BOOKING_NO, row_text
from syncctl.ports.storage import Storage
from syncctl.services.batching import batched
from syncctl.services.matching.legacy_leads import stored_key
from syncctl.services.matching.match_result import MatchResult
from syncctl.services.matching.matching import Matcher
from syncctl.services.reconcile.results import (
    Difference,
    LastSeen,
    Missing,
    SourceCounts,
    Subject,
    differences,
    is_written_alike,
)
from syncctl.services.rejects.list_updates import LocationRejects
from syncctl.services.sync.answer_intake import BATCH
from syncctl.services.sync.answer_rows import AnswerRows, row_versions


@dataclass(slots=True)
class CheckedAnswer:
    """The result of checking an answer's rows."""

    answer: AnswerRows
    counts: SourceCounts
    missing: list[SourceRecord] = field(default_factory=list)
    """Records without lead, report or record."""

    unlisted: list[tuple[Any, str]] = field(default_factory=list)
    """Invalid rows that are not on the rejects list."""

    unlinked: list[SourceRecord] = field(default_factory=list)
    """Records with a legacy lead that the sync hasn't linked yet."""

    differences: list[Difference] = field(default_factory=list)

    def findings(self) -> tuple[Missing, ...]:
        """What is missing, for a person."""
        records = [Missing(subject_of(self.answer, record)) for record in self.missing]
        place = (self.answer.report, self.answer.location, self.answer.store)
        rows = [Missing(Subject(*place, row_text(row, BOOKING_NO)), reason) for row, reason in self.unlisted]
        return (*records, *rows)


def subject_of(answer: AnswerRows, record: SourceRecord) -> Subject:
    """Whom a record of an answer is about."""
    values = record.values
    return Subject(
        answer.report,
        answer.location,
        values["store"],
        values.get("bookingNo", ""),
        values["phone"],
        values.get("createdAt"),
    )


class AnswerCheck:
    """Checks the answers of one pass; a missing record is counted once, however many locations return it."""

    def __init__(self, storage: Storage, locations: Locations) -> None:
        self._storage = storage
        self._locations = locations
        self._matcher = Matcher(storage, locations)
        self._missing: set[str] = set()
        self._unlisted: set[str] = set()
        self._compared: set[str] = set()

    def check(self, answer: AnswerRows, changed: Collection[str] = ()) -> CheckedAnswer:
        """Compare an answer with the database. `changed`: ids of records whose source values have changed
        since they were first seen. Raises StorageError."""
        listed = LocationRejects(self._storage, answer)
        unlisted = [(row, reason) for row, reason in answer.invalid if not listed.has_position_of(row)]
        # If location ids are not honoured, several answers may contain the same rows.
        new = [(row, reason) for row, reason in unlisted if listed.id_of(row) not in self._unlisted]
        self._unlisted |= {listed.id_of(row) for row, _ in new}
        answered = sum(listed.is_answered(row) for row, _ in answer.invalid)
        checked = CheckedAnswer(
            answer,
            SourceCounts(
                rows=len(answer.rows),
                merged=answer.merged + len(unlisted) - len(new),
                not_due=answer.ignored,
                unlisted=len(new),
                rejected=len(answer.invalid) - len(unlisted) - answered,
                answered=answered,
            ),
            unlisted=new,
        )
        undecided: list[SourceRecord] = []
        for batch in batched(answer.records.values(), BATCH):
            match = self._match(answer, batch)
            undecided += [record for record in match.records if record.lead_id in match.undecided]
            decided = [record for record in match.records if record.lead_id not in match.undecided]
            self._check_batch(checked, decided, match, listed, changed)
        if undecided:
            match = self._match(answer, undecided, final_pass=True)
            self._check_batch(checked, undecided, match, listed, changed)
        return checked

    def _match(
        self, answer: AnswerRows, records: Sequence[SourceRecord], *, final_pass: bool = False
    ) -> MatchResult:
        lead_types = [SOURCES[answer.report].lead_type]
        return self._matcher.match(records, lead_types, answer.keys, final_pass=final_pass, answer=answer)

    def _check_batch(
        self,
        checked: CheckedAnswer,
        records: Sequence[SourceRecord],
        match: MatchResult,
        listed: LocationRejects,
        changed: Collection[str],
    ) -> None:
        answer = checked.answer
        new = [record for record in records if match.is_unmatched(record)]
        # If the database's own rules refused a lead, its row is on the rejects list.
        refused = [record for record in new if any(map(listed.holds, rows_of(answer, record)))]
        refused_ids = {record.lead_id for record in refused}
        seen_again = [record for record in new if record.lead_id in self._missing - refused_ids]
        missing = [record for record in new if record.lead_id not in self._missing | refused_ids]
        self._missing |= {record.lead_id for record in missing}
        leads = self._storage.leads(
            {match.lead_id_of(record) for record in records if match.has_lead(record)}
        )
        present = [record for record in records if match.has_lead(record)]
        edited_away = sum(
            (lead := leads.get(match.lead_id_of(record))) is not None
            and stored_key(lead, self._locations) != record.key
            for record in present
        )
        checked.missing += missing
        checked.unlinked += [record for record in present if record.lead_id not in match.known]
        checked.differences += self._differences(answer, present, match, leads, changed)
        checked.counts += SourceCounts(
            in_leads=len(present) - edited_away,
            edited_away=edited_away,
            in_reports=sum(record.lead_id in match.finished for record in records),
            deleted=len(records)
            - len(present)
            - sum(record.lead_id in match.finished for record in records)
            - len(new),
            rejected=len(refused),
            missing=len(missing),
            merged=len(seen_again),
        )

    def _differences(
        self,
        answer: AnswerRows,
        present: Sequence[SourceRecord],
        match: MatchResult,
        leads: dict[str, Document],
        changed: Collection[str],
    ) -> list[Difference]:
        """Only for records first seen at this location: another id of the shop may return other items. If
        ids are not honoured, the first answer with the record counts."""
        own = [
            record
            for record in present
            if (known := match.known.get(record.lead_id)) is not None
            and (known.location == answer.location or answer.store_from_row)
            and record.lead_id not in self._compared
        ]
        self._compared |= {record.lead_id for record in own}
        bases = self._storage.record_values([record.lead_id for record in own])
        # Only of a changed record does it matter who has changed the lead.
        written = self._storage.writes([key for record in own if (key := record.lead_id) in changed])
        found = []
        for record in own:
            lead, base = leads.get(match.lead_id_of(record)), bases.get(record.lead_id)
            if lead is None or base is None:
                continue  # deleted since it was looked up
            if is_written_alike(record.values, lead):
                continue
            versions = row_versions(answer, record)
            kept = LastSeen(base, record.lead_id in changed, written.get(record.lead_id, NOTHING_WRITTEN))
            found += [
                Difference(subject_of(answer, record), match.lead_id_of(record), difference)
                for difference in differences(versions, kept, lead, self._locations)
                if difference.is_for_telecallers
            ]
        return found


def rows_of(answer: AnswerRows, record: SourceRecord) -> list[Any]:
    """All rows of a record, starting with the one that made it."""
    return [answer.first_rows[record.key], *answer.item_rows.get(record.key, ())]
