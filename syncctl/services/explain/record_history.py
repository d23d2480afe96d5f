"""The history of one record: when and how it came, and where it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched
from syncctl.domain.sources import FILE_STEPS, FILE_WORDS, SOURCES, StepName
from syncctl.locations import Locations, location_words
from syncctl.ports.storage import RecordEntry
from syncctl.services.explain.events import (
    Event,
    called_on,
    correction_event,
    creation,
    finished_events,
    lead_events,
)
from syncctl.services.explain.names import ReportNow, RunNames, UserNames
from syncctl.services.matching.legacy_leads import stored_key, text_of
from syncctl.services.reconcile.results import FieldDifference, LastSeen, differences

_NO_RECORD = (
    "The sync has no record of it: it was typed in by hand, or the old system brought it and the source has "
    "not sent it since."
)
_TYPED_IN = "The sync has no record of it: it was typed in by hand."


class RecordState(StrEnum):
    """Where a record is now."""

    LEAD = "in leads"
    FINISHED = "finished, in reports"
    DELETED = "deleted on purpose"
    REJECTED = "on the rejects list"
    ANSWERED = "taken off the rejects list by a person"
    REFUSED = "at the source, can't become a lead"
    MISSING = "at the source, not in the database"


class Origin(NamedTuple):
    """Where the source has the record."""

    report: StepName | None
    """None: unknown."""

    location: str
    """"": unknown."""

    key: str
    """The record's key."""

    dated_at: datetime | None
    """The record's own date, the source's wall clock marked as UTC."""

    values: Mapping[str, Any]
    """The source's last values, empty if the sync has no record."""


class LeadNow(NamedTuple):
    """A lead as it is now."""

    lead_id: str
    call_status: str
    lead_status: str
    updated_at: datetime | None
    touched: bool
    """Whether a telecaller has worked on it."""

    differs: tuple[FieldDifference, ...] = ()
    """Fields that don't have the source's last value; empty if the sync has no record."""

    called_on: str = ""
    """The day on which it was called, if only the day is known; "": it is not."""

    events: tuple[Event, ...] = ()
    """What telecallers have done with it, and when."""


class SourceNow(NamedTuple):
    """What the source says now."""

    state: str
    """In words."""

    differs: tuple[FieldDifference, ...] = ()
    """Fields whose value has changed; the last value is in `lead`."""


class RecordHistory(NamedTuple):
    """The history of one record, or of a lead, report or reject without a record."""

    lead_type: str
    name: str
    phone: str
    booking_no: str
    store: str
    state: RecordState
    origin: Origin
    events: tuple[Event, ...] = ()
    """Oldest first."""

    lead: LeadNow | None = None
    reports: tuple[ReportNow, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know about it."""

    source_now: SourceNow | None = None
    """None: the source was not asked."""

    lead_id: str = ""
    """The lead's, which may be gone; "": none is known."""


def place_of(source: str, location: str, store: str = "") -> str:
    """A report's location or a file, in words."""
    if source in FILE_STEPS:
        return f"the {FILE_WORDS[StepName(source)]} {location}"
    return f"the {source} report of {location_words(location)}" + (f", {store}" if store else "")


def history_of_record(
    entry: RecordEntry,
    lead: LeadNow | None,
    reports: Sequence[ReportNow],
    runs: RunNames,
) -> RecordHistory:
    """The history of a record. `lead`: its lead, if it exists. `reports`: those about it."""
    record = entry.record
    values = record.values
    seen = f"first seen in {place_of(record.source, record.location)}, by {runs.name_of(record.first_run_id)}"
    finished_at = min((report.finished_at for report in reports if report.finished_at), default=None)
    if record.corrections and record.lead_id != record.record_id:
        how = f"it kept lead {record.lead_id}, from before the number was corrected"
    elif record.lead_id != record.record_id:
        how = f"linked to lead {record.lead_id}, already there: from the old system, or kept by a cleanup"
    elif lead is None and finished_at is not None and finished_at < record.first_seen_at:
        how = "already finished, so not added"
    else:
        how = f"added as lead {record.lead_id}"
    events = [Event(record.first_seen_at, seen), Event(record.first_seen_at, how)]
    if entry.changed_at is not None:
        then = "lead updated" if record.source in FILE_STEPS else "the lead was left as it is"
        events.append(Event(entry.changed_at, f"the source changed; {then}"))
    events += [correction_event(made, values.get("phone", "")) for made in record.corrections]
    events += lead.events if lead else ()
    events += finished_events(reports)
    return RecordHistory(
        lead_type=values.get("leadType", ""),
        name=values.get("name", ""),
        phone=values.get("phone", ""),
        booking_no=values.get("bookingNo", ""),
        store=values.get("store", ""),
        state=_state_of(lead, reports),
        origin=Origin(StepName(record.source), record.location, record.key, values.get("createdAt"), values),
        events=tuple(sorted(events, key=lambda event: event.at)),
        lead=lead,
        reports=tuple(reports),
        notes=_notes(lead, reports),
        lead_id=record.lead_id,
    )


def _state_of(lead: LeadNow | None, reports: Sequence[object]) -> RecordState:
    if lead is not None:
        return RecordState.LEAD
    return RecordState.FINISHED if reports else RecordState.DELETED


def _notes(lead: LeadNow | None, reports: Sequence[object]) -> tuple[str, ...]:
    if lead is not None and reports:
        return (
            "It is in leads and in reports: the web app was stopped between the two, or another program "
            "brought it back. `syncctl cleanup finished` removes such leads.",
        )
    if lead is None and not reports:
        return ("No report mentions it, so someone deleted the lead. A sync does not bring it back.",)
    return ()


def lead_now(lead: Document, base: LastSeen | None, locations: Locations, users: UserNames) -> LeadNow:
    """A lead as it is, compared with the source's last values (None: there are none)."""
    updated_at = lead.get("updatedAt")
    written = base.written if base else NOTHING_WRITTEN
    return LeadNow(
        lead["_id"],
        text_of(lead, "callStatus"),
        text_of(lead, "leadStatus"),
        updated_at if isinstance(updated_at, datetime) else None,
        is_touched(lead, written),
        tuple(differences([base.values], base, lead, locations)) if base else (),
        called_on(lead),
        tuple(lead_events(lead, written, users)),
    )


class Reinsertion(NamedTuple):
    """A record's own lead was `finished` or else deleted, and another program inserted it again at `at`."""

    at: datetime
    finished: bool

    @property
    def note(self) -> str:
        how = "finished" if self.finished else "deleted"
        return (
            f"The lead that was there before was {how}; another program, such as the web app's own "
            "scheduler, inserted it again. Set API_SYNC_ENABLED=false in the web app's environment and "
            "restart the app; then `syncctl cleanup finished` shows what it would remove."
        )


def history_of_lead(
    lead: Document, locations: Locations, users: UserNames, came_back: Reinsertion | None = None
) -> RecordHistory:
    """The history of a lead without a record: typed in by hand, the old system's, or inserted again."""
    now = lead_now(lead, None, locations, users)
    typed_in = creation(lead)
    first, note = typed_in, _TYPED_IN if typed_in else _NO_RECORD
    if came_back:
        first, note = Event(came_back.at, "inserted by a program other than syncctl"), came_back.note
    lead_type = text_of(lead, "leadType")
    created_at = lead.get("createdAt")
    return RecordHistory(
        lead_type=lead_type,
        name=text_of(lead, "name"),
        phone=text_of(lead, "phone"),
        booking_no=text_of(lead, "bookingNo"),
        store=text_of(lead, "store"),
        state=RecordState.LEAD,
        origin=Origin(
            next((step for step, source in SOURCES.items() if source.lead_type == lead_type), None),
            "",
            stored_key(lead, locations),
            created_at if isinstance(created_at, datetime) and not typed_in else None,
            {},
        ),
        events=tuple(sorted(((first,) if first else ()) + now.events, key=lambda event: event.at)),
        lead=now,
        notes=(note,),
        lead_id=lead["_id"],
    )
