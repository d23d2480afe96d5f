"""What has happened to a record and its lead, as far as the database knows when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from syncctl.domain.identity import id_time
from syncctl.domain.lead_traits import as_datetime
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import STATUS_DEFAULTS, edited_at
from syncctl.domain.records import Correction, CorrectionOutcome, Write
from syncctl.services.explain.names import ReportNow, UserNames
from syncctl.services.matching.legacy_leads import text_of


class Event(NamedTuple):
    """Something that happened, at a true instant."""

    at: datetime
    what: str
    """Phone numbers stand in it unmasked."""


def lead_events(lead: Document, written: Mapping[str, Write], users: UserNames) -> Iterator[Event]:
    """What telecallers have done with a lead. `written`: what syncctl has written into it by itself."""
    if (user_id := text_of(lead, "assignedTo")) and (at := _instant(lead.get("assignedAt"))):
        yield Event(at, f"assigned to {users.name_of(user_id)}")
    # A day alone is a midnight, which is no moment: the lead's own line has it.
    if at := _instant(lead.get("callDate")):
        yield Event(at, "called")
    if at := as_datetime(edited_at(lead, written)):
        yield Event(at, ": ".join(filter(None, ("last changed in the web app", statuses(lead)))))


def statuses(lead: Document) -> str:
    """The statuses of a lead that somebody has set."""
    found = {field: text_of(lead, field) for field in STATUS_DEFAULTS}
    return ", ".join(status for field, status in found.items() if status not in ("", STATUS_DEFAULTS[field]))


def creation(lead: Document) -> Event | None:
    """When a lead was typed in by hand: only then its own date is the moment in which its id was made. Else
    None, for nothing tells when."""
    dated, made = as_datetime(lead.get("createdAt")), id_time(lead["_id"])
    if dated and made and abs(dated - made) < timedelta(minutes=1):
        return Event(made, "typed in by hand")
    return None


def called_on(lead: Document) -> str:
    """The day on which it was called, if no more is known than the day; else ""."""
    at = as_datetime(lead.get("callDate"))
    return at.date().isoformat() if at and at.time() == time() else ""


def _instant(value: object) -> datetime | None:
    at = as_datetime(value)
    return None if at is None or at.astimezone(UTC).time() == time() else at


def finished_events(reports: Sequence[ReportNow]) -> tuple[Event, ...]:
    """The events that the reports add to a history."""
    return tuple(
        Event(report.finished_at, f"finished{by}: report {report.report_id}")
        for report in reports
        for by in [f" by {report.finished_by}" if report.finished_by else ""]
        if report.finished_at is not None
    )


_CORRECTED = {
    CorrectionOutcome.TAKEN: "the lead has the new number",
    CorrectionOutcome.LEFT: "someone had worked on the lead, so it was left as it was",
    CorrectionOutcome.NEW_LEAD: "the lead was finished without reaching anyone, so there is a new lead",
    CorrectionOutcome.FINISHED: "the lead was finished, and stays away",
    CorrectionOutcome.DELETED: "the lead was deleted, and stays away",
    CorrectionOutcome.SECOND_LEAD: "each number has a lead of its own; both stay until a person deletes one",
}


def correction_event(made: Correction, phone: str) -> Event:
    """A phone number corrected at the source, to `phone`."""
    what = f"the source corrected the phone number from {made.phone_before} to {phone}"
    return Event(made.at, f"{what}: {_CORRECTED[made.outcome]}")
