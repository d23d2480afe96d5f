"""Phone numbers corrected at the source: which record replaces which, and what happens to the lead.

docs/decisions/0006-corrected-phone-numbers.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from syncctl.domain.lead_fields import NOT_CALLED
from syncctl.domain.lead_traits import call_status
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.leads import NOTHING_WRITTEN, own_update
from syncctl.domain.records import CorrectionOutcome, KnownRecord, SourceRecord, SyncRecord
from syncctl.parsing.phones import phone_number
from syncctl.ports.storage import Storage
from syncctl.services.matching.legacy_leads import text_of
from syncctl.services.matching.own_writes import writes_into
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.text import normalize_text

NOBODY_REACHED = (
    *("not connected", "not reach", "not answer", "not attend", "not pick", "not respond", "not available"),
    *("no answer", "no response", "unreachable", "unanswered", "out of coverage", "out of range"),
    *("out of service", "not in service", "switched off", "switch off", "busy", "rnr", "ringing"),
    *("wrong number", "invalid number", "incorrect number", "number not in use", "does not exist"),
)
"""How the call status of a report begins if the customer was not reached."""

ALL_AGREES = 3
"""Of a record with itself: more than the day and the name."""

MAX_ATTEMPTS = 3
"""Of a guarded change, while somebody keeps editing the lead."""


class CorrectedRecord(NamedTuple):
    """A record whose phone number the source has corrected."""

    before: SyncRecord
    """The record with the former number; the record itself, if a run was killed before it had stored the
    one of the number between, to which the source went only for a while."""

    phones: frozenset[str]
    """The numbers that its lead may have by the source."""

    lead_id: str
    """That lead, which is there if `has_lead`."""

    has_lead: bool
    report_id: str | None
    """The report that finished it."""

    is_unreached: bool
    """Whether that says that nobody was reached."""

    has_second: bool = False
    """Whether the former number has a lead too, another one."""


class _ReplacementPair(NamedTuple):
    agreements: int
    record: SourceRecord
    before: SyncRecord


def replaced_records(
    storage: Storage,
    records: Sequence[SourceRecord],
    known: Mapping[str, KnownRecord],
    answer: AnswerRows,
    is_free: Callable[[SyncRecord, SourceRecord], bool],
) -> dict[str, tuple[SyncRecord, frozenset[str]]]:
    """The records that these replace, and the phone numbers that their leads may have according to the
    source, by the ids of the new records. `known`: what the sync knows about them. `is_free`: whether one may
    replace the other.

    A record replaces one with the same booking number, lead type and store, and the same day or name, whose
    phone number no longer occurs in any row of the answer. A booking number that several customers have at
    once is a placeholder, so there the day proves nothing and the name must be the same. Raises StorageError.
    """
    wanted = [
        record
        for record in records
        if record.values.get("bookingNo")
        and ((entry := known.get(record.lead_id)) is None or entry.replaced_by is not None)
    ]
    if not wanted:
        return {}
    groups: dict[tuple[str, str], list[SyncRecord]] = defaultdict(list)
    for about in storage.records_about((), {record.values["bookingNo"] for record in wanted}, ()):
        values = about.record.values
        groups[values.get("leadType", ""), values.get("bookingNo", "")].append(about.record)
    pairs: list[_ReplacementPair] = []
    for record in wanted:
        booking_no = record.values["bookingNo"]
        current = _current(groups[record.values["leadType"], booking_no], record)
        # Replaced by a number that no record has: the mark and the lead may be as a killed run left them.
        pairs += [
            _ReplacementPair(ALL_AGREES, record, own)
            for own in current
            if own.record_id == record.lead_id and own.replaced_by is not None and is_free(own, record)
        ]
        is_shared = len(current) > 1 or len(answer.phones_of(booking_no)) > 1
        pairs += [
            _ReplacementPair(agreements, record, before)
            for before in current
            if (agreements := _agreements(record, before))
            and (not is_shared or _has_same_name(record, before))
            and is_free(before, record)
            and _is_gone_at_source(before, answer, is_known=record.lead_id in known)
        ]
    found: dict[str, tuple[SyncRecord, frozenset[str]]] = {}
    taken: set[str] = set()
    # Not by the order of the rows, which is the API's.
    for pair in sorted(pairs, key=lambda pair: (-pair.agreements, pair.record.key, pair.before.key)):
        if pair.record.lead_id not in found and pair.before.record_id not in taken:
            taken.add(pair.before.record_id)
            phones = frozenset(filter(None, (pair.before.values["phone"], pair.before.replaced_by)))
            found[pair.record.lead_id] = pair.before, phones
    return found


def second_leads(
    storage: Storage, records: Sequence[SourceRecord], answer: AnswerRows
) -> list[tuple[SyncRecord, SyncRecord]]:
    """Of these known records of a whole answer those that are the only ones of their bookings in it, while a
    record of an earlier answer with another number is of the same booking, and gone from this one: each with
    that other one. Raises StorageError."""
    source = answer.report.value
    by_id = {record.lead_id: record for record in records}
    numbers = {number for record in records if (number := record.values.get("bookingNo"))}
    shared = storage.shared_bookings(source, numbers) if numbers else ()
    if not shared:
        return []
    groups: dict[str, list[SyncRecord]] = defaultdict(list)
    for entry in storage.records_about((), shared, ()):
        if entry.record.source == source and entry.record.replaced_by is None:
            groups[entry.record.values.get("bookingNo", "")].append(entry.record)
    found: list[tuple[SyncRecord, SyncRecord]] = []
    for group in groups.values():
        for known in group:
            record = by_id.get(known.record_id)
            if record is None or len(answer.phones_of(record.values["bookingNo"])) > 1:
                continue
            found += [
                (known, before)
                for before in group
                if _agreements(record, before)
                # A number that several customers have is a placeholder, and their day proves nothing.
                and (len(group) == 2 or _has_same_name(record, before))
                and _is_gone_at_source(before, answer, is_known=True)
            ]
    return found


def _agreements(record: SourceRecord, before: SyncRecord) -> int:
    """How many of day and name agree; 0 if they can't be the same booking."""
    ours, theirs = record.values, before.values
    if record.lead_id == before.record_id or ours["store"] != theirs.get("store") or "phone" not in theirs:
        return 0
    day, day_before = ours.get("createdAt"), theirs.get("createdAt")
    same_day = day is not None and day_before is not None and day.date() == day_before.date()
    return same_day + _has_same_name(record, before)


def _has_same_name(record: SourceRecord, before: SyncRecord) -> bool:
    return normalize_text(record.values["name"]) == normalize_text(before.values.get("name", ""))


def _current(group: Collection[SyncRecord], record: SourceRecord) -> list[SyncRecord]:
    """The booking's records that no other one has replaced. If a run was killed while the source returned
    to a former number, each may be marked as replaced: then the one that was current last."""
    by_phone = {before.values.get("phone"): before for before in group}

    def last_of(before: SyncRecord) -> SyncRecord | None:
        for _ in group:
            if before.replaced_by is None or before.replaced_by not in by_phone:
                return before
            before = by_phone[before.replaced_by]
        return None

    current = {last.record_id: last for before in group if (last := last_of(before)) is not None}
    in_a_circle = [before for before in group if last_of(before) is None]
    if in_a_circle:
        latest = max(in_a_circle, key=current_since)
        if latest.record_id == record.lead_id:
            latest = by_phone[latest.replaced_by]
        current[latest.record_id] = latest
    return list(current.values())


def current_since(record: SyncRecord) -> datetime:
    """When a record was first seen, or last replaced another one."""
    return record.corrections[-1].at if record.corrections else record.first_seen_at


def _is_gone_at_source(before: SyncRecord, answer: AnswerRows, *, is_known: bool) -> bool:
    """Whether the answer shows that the source no longer has that number. Where it would return to a known
    one, an answer for another id of the shop may be out of date and shows nothing."""
    number, phone = before.values["bookingNo"], before.values["phone"]
    if before.key in answer.keys or answer.has_row_with(number, phone):
        return False
    return not is_known or answer.store_from_row or before.location == answer.location


def nobody_reached(report: Document) -> bool:
    """Whether a report says that the customer was not reached."""
    letters = "".join(char if char.isalnum() else " " for char in call_status(report).replace("n't", " not"))
    words = f" {' '.join(letters.casefold().split())}"
    return any(f" {said}" in words for said in NOBODY_REACHED)


class Settled(NamedTuple):
    """What happened to the lead of a corrected record, and whether it was written."""

    outcome: CorrectionOutcome
    is_written: bool = False


class PhoneChange(NamedTuple):
    """A lead that may take a new number."""

    record_id: str
    """Of its record so far."""

    lead_id: str
    phones_before: frozenset[str]
    phone: str


def update_phone_numbers(
    storage: Storage, wanted: Mapping[str, PhoneChange], now: datetime
) -> dict[str, Settled]:
    """Give leads their new phone numbers, each by a guarded write: a lead that was called, or whose number
    somebody edited, stays as it is. Returns the outcome for each lead and whether it was written, by the keys
    of `wanted`; leads that disappeared in between, or were edited repeatedly, are left out. Raises
    StorageError."""
    done: dict[str, Settled] = {}
    written = writes_into(storage, {change.lead_id for change in wanted.values()})
    for _ in range(MAX_ATTEMPTS):
        leads = storage.leads({change.lead_id for key, change in wanted.items() if key not in done})
        changes: dict[str, LeadChange] = {}
        notes: dict[str, dict[str, Any]] = {}
        for key, change in wanted.items():
            if key in done or (lead := leads.get(change.lead_id)) is None:
                continue
            phone = phone_number(text_of(lead, "phone")) or text_of(lead, "phone")
            if phone == change.phone:
                done[key] = Settled(CorrectionOutcome.TAKEN)
            elif phone in change.phones_before and (lead.get("callStatus") or NOT_CALLED) == NOT_CALLED:
                expected = {field: lead.get(field) for field in ("phone", "callStatus", "updatedAt")}
                changes[key] = LeadChange(change.lead_id, expected, {"phone": change.phone, "updatedAt": now})
                if note := own_update(lead, written.get(change.lead_id, NOTHING_WRITTEN), now):
                    notes[change.record_id] = note
            else:
                done[key] = Settled(CorrectionOutcome.LEFT)
        if not changes:
            break
        if notes:
            storage.add_writes(notes, now)
        changed = storage.update_leads(list(changes.values()))
        done |= {
            key: Settled(CorrectionOutcome.TAKEN, True)
            for key, change in changes.items()
            if change.lead_id in changed
        }
    return done
