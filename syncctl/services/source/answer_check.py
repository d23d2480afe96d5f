"""One location's answer held against the database, record by record. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncctl.locations import Locations
from syncctl.mapping import BOOKING_NO, report_values
from syncctl.models import Document, LeadValues, SourceRecord
from syncctl.ports import Storage
from syncctl.services.adoption import OldLeads, stored_key
from syncctl.services.intake import BATCH, LEAD_TYPES
from syncctl.services.matching import Homes, Matcher
from syncctl.services.rejects import ListedRejects, row_text
from syncctl.services.sorting import SortedRows
from syncctl.services.source.differences import Base, differences
from syncctl.services.source.source_results import Difference, Missing, SourceCounts, Subject


@dataclass(slots=True)
class CheckedAnswer:
    """What an answer's rows are.

    `missing`: records that are nowhere. `unlisted`: invalid rows that are not on the rejects list.
    `unadopted`: records whose leads, of the old system, the sync has not made its own yet.
    """

    answer: SortedRows
    counts: SourceCounts
    missing: list[SourceRecord] = field(default_factory=list)
    unlisted: list[tuple[Any, str]] = field(default_factory=list)
    unadopted: list[SourceRecord] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def findings(self) -> tuple[Missing, ...]:
        """What is missing, for a person."""
        records = [Missing(subject_of(self.answer, record)) for record in self.missing]
        rows = [Missing(_subject_of_row(self.answer, row), reason) for row, reason in self.unlisted]
        return (*records, *rows)


def subject_of(answer: SortedRows, record: SourceRecord) -> Subject:
    """Whom a record of an answer is about."""
    values = record.values
    return Subject(
        answer.report,
        answer.location,
        answer.store,
        values.get("bookingNo", ""),
        values["phone"],
        values.get("createdAt"),
    )


def _subject_of_row(answer: SortedRows, row: object) -> Subject:
    return Subject(answer.report, answer.location, answer.store, row_text(row, BOOKING_NO))


class AnswerCheck:
    """Checks the answers of one pass; a record that is missing is so once, whichever locations tell it."""

    def __init__(self, storage: Storage, locations: Locations) -> None:
        self._storage = storage
        self._locations = locations
        self._matcher = Matcher(storage, locations)
        self._missing: set[str] = set()
        self._claimed_by: dict[str, str] = {}

    def check(self, answer: SortedRows, changed: Collection[str] = ()) -> CheckedAnswer:
        """Hold an answer against the database. `changed`: ids of records of which the source has said
        something else since it first told of them.

        Raises:
            StorageError: the database refused.
        """
        listed = ListedRejects(self._storage, answer)
        unlisted = [(row, reason) for row, reason in answer.invalid if not listed.has_place_of(row)]
        checked = CheckedAnswer(
            answer,
            SourceCounts(
                rows=len(answer.rows),
                merged=answer.merged,
                not_due=answer.ignored,
                unlisted=len(unlisted),
                rejected=len(answer.invalid) - len(unlisted),
            ),
            unlisted=unlisted,
        )
        records = list(answer.records.values())
        for start in range(0, len(records), BATCH):
            self._check_batch(checked, records[start : start + BATCH], listed, changed)
        return checked

    def _check_batch(
        self,
        checked: CheckedAnswer,
        records: Sequence[SourceRecord],
        listed: ListedRejects,
        changed: Collection[str],
    ) -> None:
        answer = checked.answer
        homes = self._homes(answer, records)
        new = [record for record in records if homes.is_new(record)]
        # The database's own rules may keep a lead out: its row is on the rejects list then.
        refused = [record for record in new if any(map(listed.holds, rows_of(answer, record)))]
        refused_ids = {record.lead_id for record in refused}
        told_again = [record for record in new if record.lead_id in self._missing - refused_ids]
        missing = [record for record in new if record.lead_id not in self._missing | refused_ids]
        self._missing |= {record.lead_id for record in missing}
        leads = self._storage.leads({homes.of(record) for record in records if homes.has_lead(record)})
        present = [record for record in records if homes.has_lead(record)]
        edited_away = sum(
            (lead := leads.get(homes.of(record))) is not None
            and stored_key(lead, self._locations) != record.key
            for record in present
        )
        checked.missing += missing
        checked.unadopted += [record for record in present if record.lead_id not in homes.known]
        checked.differences += self._differences(answer, present, homes, leads, changed)
        checked.counts += SourceCounts(
            in_leads=len(present) - edited_away,
            edited_away=edited_away,
            in_reports=len(homes.finished),
            deleted=len(records) - len(present) - len(homes.finished) - len(new),
            rejected=len(refused),
            missing=len(missing),
            merged=len(told_again),
        )

    def _homes(self, answer: SortedRows, records: Sequence[SourceRecord]) -> Homes:
        """Where records live. A lead of the old system is one record's only, whichever answer tells it: a
        sync would have made it so by writing, this check keeps it in mind."""
        ids = {record.lead_id for record in records}

        def old_leads(
            leads: Sequence[Document], spoken_for: Collection[str], told: Collection[str]
        ) -> OldLeads:
            others = {
                lead["_id"] for lead in leads if self._claimed_by.get(lead["_id"], "") not in {"", *ids}
            }
            return OldLeads(
                leads,
                self._locations,
                spoken_for=spoken_for,
                told={*told, *others},
                answered_keys=answer.keys,
            )

        homes = self._matcher.match(records, [LEAD_TYPES[answer.report]], old_leads)
        for record in records:
            if record.lead_id not in homes.known and homes.has_lead(record):
                self._claimed_by[homes.of(record)] = record.lead_id
        return homes

    def _differences(
        self,
        answer: SortedRows,
        present: Sequence[SourceRecord],
        homes: Homes,
        leads: dict[str, Document],
        changed: Collection[str],
    ) -> list[Difference]:
        """Only of records that this location first told of: another id of the shop may tell them by other
        items."""
        own = [
            record
            for record in present
            if (known := homes.known.get(record.lead_id)) is not None and known.location == answer.location
        ]
        bases = self._storage.record_values([record.lead_id for record in own])
        found = []
        for record in own:
            lead, base = leads.get(homes.of(record)), bases.get(record.lead_id)
            if lead is None or base is None:
                continue  # deleted since it was looked up
            told = tellings(answer, record)
            found += [
                Difference(subject_of(answer, record), homes.of(record), difference)
                for difference in differences(
                    told, Base(base, record.lead_id in changed), lead, self._locations
                )
                if difference.is_news
            ]
        return found


def rows_of(answer: SortedRows, record: SourceRecord) -> list[Any]:
    """All rows of a record, the one that made it first."""
    return [answer.first_rows[record.key], *answer.item_rows.get(record.key, ())]


def tellings(answer: SortedRows, record: SourceRecord) -> list[LeadValues]:
    """A record's values by each of its item rows, the one that made it first."""
    told = (
        report_values(answer.report, row, record.values["store"])
        for row in answer.item_rows.get(record.key, ())
    )
    return [record.values, *(values for values in told if values is not None)]
