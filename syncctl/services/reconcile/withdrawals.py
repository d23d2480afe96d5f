"""Leads whose records the source no longer returns: cancelled there, or returned under another key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime

from syncctl.domain.identity import current_key, derived_id, keys_of
from syncctl.domain.records import SyncRecord
from syncctl.domain.requests import Days
from syncctl.domain.sources import SOURCES, StepName
from syncctl.locations import location_words
from syncctl.mapping.api_rows import BOOKING_NO, row_text
from syncctl.ports.admin import Database
from syncctl.services.reconcile.results import Subject, Withdrawn
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.asked_locations import location_order
from syncctl.text import quantity


class Withdrawals:
    """Collects all answers of a check, then finds the known records that were in none of them.

    `days`: the days checked. `covered_from`: the first day that is certainly in every answer; the absence of
    an older record proves nothing, nor that of a return whose booking may be older. `started_at`: start of
    the check; newer records may be younger than their location's answer.
    """

    def __init__(self, database: Database, days: Days, covered_from: date, started_at: datetime) -> None:
        self._database = database
        self._days = days
        self._certain_from = {
            report: covered_from + source.booked_before for report, source in SOURCES.items()
        }
        self._started_at = started_at
        self._seen: dict[StepName, set[str]] = defaultdict(set)
        self._answered: dict[StepName, dict[str, int]] = defaultdict(dict)
        self._absent: dict[tuple[StepName, str], list[tuple[str, Withdrawn]]] = {}

    def note(self, answer: AnswerRows) -> set[str]:
        """Add one location's answer. Returns the ids of its known records whose source values have changed
        since they were first seen. Raises StorageError."""
        records = (*answer.records.values(), *answer.records_outside.values())
        seen = {record.lead_id for record in records}
        seen_under_former_key = {key for record in records for key in keys_of(record)[1:]}
        seen_invalid = {row_text(row, BOOKING_NO) for row, _ in answer.invalid} - {""}
        changed: set[str] = set()
        absent: list[tuple[str, Withdrawn]] = []
        for entry in self._database.scan_records(answer.report.value, answer.location):
            record = entry.record
            key = current_key(record.key)
            if record.record_id in seen or derived_id(key) in seen or key in seen_under_former_key:
                seen.add(record.record_id)
                if entry.changed_at is not None or record.corrections:
                    changed.add(record.record_id)
            elif record.replaced_by is not None:
                continue  # its booking has a corrected number now
            elif record.values.get("bookingNo") not in seen_invalid and self._is_due(record, answer.report):
                absent.append((record.record_id, _withdrawn(answer, record)))
        self._seen[answer.report] |= seen
        self._answered[answer.report][answer.location] = len(answer.rows) + len(answer.outside)
        self._absent[answer.report, answer.location] = absent
        return changed

    def _is_due(self, record: SyncRecord, report: StepName) -> bool:
        dated_at = record.values.get("createdAt")
        if dated_at is None or record.first_seen_at > self._started_at:
            return False
        return self._days.has(dated_at) and dated_at.date() >= self._certain_from[report]

    def found(self, stores: Mapping[str, str | None]) -> tuple[list[Withdrawn], list[str]]:
        """The existing leads that are in no answer, and a line for each location where this can't be decided.
        `stores`: every location id with its store: several ids may be one shop, and return the same records.
        Raises StorageError."""
        withdrawn: list[Withdrawn] = []
        warnings: list[str] = []
        for (report, location), noted in self._absent.items():
            absent = [entry for record_id, entry in noted if record_id not in self._seen[report]]
            present = self._database.present_leads([entry.lead_id for entry in absent])
            gone = [entry for entry in absent if entry.lead_id in present]
            if not gone:
                continue
            others = _unanswered_ids(location, stores, self._answered[report])
            place = f"{report.value} report of {location_words(location)}"
            if not self._answered[report][location]:
                warnings.append(
                    f"The {place} is empty, though {quantity(len(gone), 'lead')} came from it: they were not "
                    "checked"
                )
            elif others:
                warnings.append(
                    f"The {place} no longer has {quantity(len(gone), 'lead')}; whether location "
                    f"{', '.join(others)}, the same shop, has them is not known"
                )
            else:
                withdrawn += gone
        return withdrawn, warnings


def _unanswered_ids(location: str, stores: Mapping[str, str | None], answered: Collection[str]) -> list[str]:
    """Other ids of the same shop that gave no answer."""
    store = stores.get(location)
    same = [code for code in stores if store is not None and stores[code] == store]
    return sorted((code for code in same if code not in answered), key=location_order)


def _withdrawn(answer: AnswerRows, record: SyncRecord) -> Withdrawn:
    values = record.values
    subject = Subject(
        answer.report,
        answer.location,
        answer.store,
        values.get("bookingNo", ""),
        values.get("phone", ""),
        values.get("createdAt"),
    )
    return Withdrawn(subject, record.lead_id)
