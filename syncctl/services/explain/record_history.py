"""What became of one record: when and how it came, and where it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from syncctl.domain.lead_traits import SNAPSHOTS, as_moment
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched
from syncctl.domain.records import Correction, CorrectionOutcome
from syncctl.domain.steps import FILE_STEPS, StepName
from syncctl.locations import Locations, location_words
from syncctl.ports.admin import Survey
from syncctl.ports.storage import RecordEntry
from syncctl.safe_output.redact import mask_phone
from syncctl.services.matching.legacy_leads import stored_key, text_of
from syncctl.services.reconcile.differences import Base, FieldDifference, differences

_NO_RECORD = (
    "The sync has no record of it: it was typed in by hand, or the old system imported it and the source has "
    "not sent it since."
)


class Whereabouts(StrEnum):
    """Where a record is now."""

    LEAD = "in leads"
    FINISHED = "finished, in reports"
    DELETED = "deleted on purpose"
    REJECTED = "on the rejects list"
    MISSING = "at the source, not in the database"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to it, at a true instant."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to ask for it. `report`, `location`: None, "" where that is not known. `key`: what the source
    calls it. `told_at`: its own date, the source's wall clock marked as UTC. `values`: what the source said
    last, empty where the sync has no record of it."""

    report: StepName | None
    location: str
    key: str
    told_at: datetime | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeadNow:
    """A lead as it is. `touched`: whether a telecaller has worked on it. `differs`: fields that do not hold
    what the source said last; empty where the sync has no record of it."""

    lead_id: str
    call_status: str
    lead_status: str
    updated_at: datetime | None
    touched: bool
    differs: tuple[FieldDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportNow:
    """A finished lead's document in `reports`. `shape`: flat, or the field that holds the lead. `finished_at`
    and `finished_by`: when and by whom, where it says; the user's name, or the id of one who is gone."""

    report_id: str
    shape: str
    finished_at: datetime | None = None
    finished_by: str = ""


@dataclass(frozen=True, slots=True)
class SourceNow:
    """What the source says now, in words. `differs`: where it says something else than what it said last,
    which stands in `lead`."""

    state: str
    differs: tuple[FieldDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """The life of one record, or of what stands alone: a lead, a report, a reject.

    `events`: oldest first. `notes`: what a person should know of it. `source_now`: None where the source was
    not asked.
    """

    lead_type: str
    name: str
    phone: str
    booking_no: str
    store: str
    whereabouts: Whereabouts
    origin: Origin
    events: tuple[Event, ...] = ()
    lead: LeadNow | None = None
    reports: tuple[ReportNow, ...] = ()
    notes: tuple[str, ...] = ()
    source_now: SourceNow | None = None


class Runs:
    """The sync's own history, looked up once for each run."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._told: dict[str, str] = {}

    def told(self, run_id: str) -> str:
        """A run in words: its id in short, its command, who started it."""
        if run_id not in self._told:
            found = self._survey.runs(1, run_id=run_id) if run_id else []
            short = f"run {run_id[:8]}" if run_id else "a run without a name"
            if found:
                document = found[0].document
                self._told[run_id] = f"{short} ({document.get('command')}, {document.get('trigger')})"
            else:
                self._told[run_id] = f"{short}, which the history does not have: cut short, or long ago"
        return self._told[run_id]


class Finishers:
    """Reads reports, with the names of the telecallers who made them, looked up once for each."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._names: dict[str, str] = {}

    def report_now(self, report: Document) -> ReportNow:
        """A report by its id, its shape (contract/database.md), and who finished the lead when."""
        nested = [name for name in SNAPSHOTS if isinstance(report.get(name), Mapping)]
        user_id = text_of(report, "editedBy")
        if user_id and user_id not in self._names:
            self._names |= {user_id: user_id, **self._survey.user_names([user_id])}
        return ReportNow(
            str(report.get("_id", "")),
            ", ".join(nested) or "flat",
            as_moment(report.get("editedAt")),
            self._names.get(user_id, ""),
        )


def finished_events(reports: Sequence[ReportNow]) -> tuple[Event, ...]:
    """What the reports add to a story."""
    return tuple(
        Event(
            report.finished_at, f"finished by {report.finished_by or 'somebody'}: report {report.report_id}"
        )
        for report in reports
        if report.finished_at is not None
    )


def place_of(source: str, location: str, store: str = "") -> str:
    """Where a source tells something, in words."""
    if source in FILE_STEPS:
        return f"the {source} file {location}"
    return f"the {source} report of {location_words(location)}" + (f", {store}" if store else "")


def story_of_record(
    entry: RecordEntry,
    lead: LeadNow | None,
    reports: Sequence[ReportNow],
    runs: Runs,
) -> Story:
    """The life of a record. `lead`: its lead, where it is there. `reports`: those that are about it."""
    record = entry.record
    values = record.values
    seen = f"first seen in {place_of(record.source, record.location)}, by {runs.told(record.first_run_id)}"
    finished_at = min((report.finished_at for report in reports if report.finished_at), default=None)
    if record.corrections and record.lead_id != record.record_id:
        how = f"it has lead {record.lead_id}, which is that of the number before"
    elif record.lead_id != record.record_id:
        how = (
            f"it has lead {record.lead_id}, which was there before: of the old system, or kept by a clean-up"
        )
    elif lead is None and finished_at is not None and finished_at < record.first_seen_at:
        how = "finished already, and so not stored"
    else:
        how = f"stored as lead {record.lead_id}"
    events = [Event(record.first_seen_at, seen), Event(record.first_seen_at, how)]
    if entry.changed_at is not None:
        then = "merged into the lead" if record.source in FILE_STEPS else "the lead was left as it is"
        events.append(Event(entry.changed_at, f"the source said something else than before: {then}"))
    events += [_correction_event(made, values.get("phone", "")) for made in record.corrections]
    events += finished_events(reports)
    return Story(
        lead_type=values.get("leadType", ""),
        name=values.get("name", ""),
        phone=values.get("phone", ""),
        booking_no=values.get("bookingNo", ""),
        store=values.get("store", ""),
        whereabouts=_whereabouts(lead, reports),
        origin=Origin(StepName(record.source), record.location, record.key, values.get("createdAt"), values),
        events=tuple(sorted(events, key=lambda event: event.at)),
        lead=lead,
        reports=tuple(reports),
        notes=_notes(lead, reports),
    )


_CORRECTED = {
    CorrectionOutcome.TAKEN: "the lead has the new number",
    CorrectionOutcome.LEFT: "somebody had worked on the lead, so it was left as it was",
    CorrectionOutcome.NEW_LEAD: "the lead was finished without anybody being reached, so it is a new lead",
    CorrectionOutcome.FINISHED: "the lead was finished, and stays away",
    CorrectionOutcome.DELETED: "the lead was deleted, and stays away",
    CorrectionOutcome.SECOND_LEAD: "each number has a lead of its own; both stay until a person deletes one",
}


def _correction_event(made: Correction, phone: str) -> Event:
    numbers = f"{mask_phone(made.phone_before)} to {mask_phone(phone)}"
    return Event(made.at, f"the source corrected the phone number from {numbers}: {_CORRECTED[made.outcome]}")


def _whereabouts(lead: LeadNow | None, reports: Sequence[object]) -> Whereabouts:
    if lead is not None:
        return Whereabouts.LEAD
    return Whereabouts.FINISHED if reports else Whereabouts.DELETED


def _notes(lead: LeadNow | None, reports: Sequence[object]) -> tuple[str, ...]:
    if lead is not None and reports:
        return (
            "It is in leads and in reports: the web app was stopped between the two, or another program "
            "brought it back. `syncctl cleanup finished` takes such leads away.",
        )
    if lead is None and not reports:
        return ("No report tells of it, so somebody deleted the lead. A sync does not bring it back.",)
    return ()


def lead_now(lead: Document, base: Base | None, locations: Locations) -> LeadNow:
    """A lead as it is, beside what the source said of it (None: it never did)."""
    updated_at = lead.get("updatedAt")
    return LeadNow(
        lead["_id"],
        text_of(lead, "callStatus"),
        text_of(lead, "leadStatus"),
        updated_at if isinstance(updated_at, datetime) else None,
        is_touched(lead, base.written if base else NOTHING_WRITTEN),
        tuple(differences([base.values], base, lead, locations)) if base else (),
    )


@dataclass(frozen=True, slots=True)
class CameBack:
    """That a record's own lead was `finished` or else deleted, and another program inserted it again `at`."""

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


def story_of_lead(lead: Document, locations: Locations, came_back: CameBack | None = None) -> Story:
    """A lead that the sync has no record of: typed in by hand, the old system's, or brought back."""
    lead_type = text_of(lead, "leadType")
    created_at = lead.get("createdAt")
    return Story(
        lead_type=lead_type,
        name=text_of(lead, "name"),
        phone=text_of(lead, "phone"),
        booking_no=text_of(lead, "bookingNo"),
        store=text_of(lead, "store"),
        whereabouts=Whereabouts.LEAD,
        origin=Origin(
            {"bookingConfirmation": StepName.BOOKING, "return": StepName.RETURN}.get(lead_type),
            "",
            stored_key(lead, locations),
            created_at if isinstance(created_at, datetime) else None,
            {},
        ),
        events=(Event(came_back.at, "inserted by another program than syncctl"),) if came_back else (),
        lead=lead_now(lead, None, locations),
        notes=(came_back.note if came_back else _NO_RECORD,),
    )
