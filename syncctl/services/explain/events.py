"""What has happened to a record and its lead, as far as the database knows when;
runs, reports and users that a history names, each looked up once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from syncctl.domain.identity import id_time
from syncctl.domain.lead_traits import SNAPSHOT_FIELDS, as_datetime
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import STATUS_DEFAULTS, edited_at
from syncctl.domain.records import Correction, CorrectionOutcome, Write
from syncctl.ports.admin import Survey
from syncctl.services.matching.legacy_leads import text_of


@dataclass(frozen=True, slots=True)
class ReportNow:
    """A finished lead's document in `reports`."""

    report_id: str
    shape: str
    """"flat", or the field that holds the lead."""

    finished_at: datetime | None = None
    """When it was finished, if known."""

    finished_by: str = ""
    """By whom, if known: the user's name, or the id of a deleted user."""


class RunNames:
    """Describes runs of the sync's own history, each looked up once."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._run_names: dict[str, str] = {}

    def name_of(self, run_id: str) -> str:
        """A run in words: its short id, command and trigger."""
        if run_id not in self._run_names:
            found = self._survey.runs(1, run_id=run_id) if run_id else []
            short = f"run {run_id[:8]}" if run_id else "a run without an id"
            if found:
                document = found[0].document
                self._run_names[run_id] = f"{short} ({document.get('command')}, {document.get('trigger')})"
            else:
                self._run_names[run_id] = (
                    f"{short}, which is not in the history: it was killed, or is long past"
                )
        return self._run_names[run_id]


class UserNames:
    """Names of the web app's users, each looked up once."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._names: dict[str, str] = {}

    def name_of(self, user_id: str) -> str:
        """A user's name, or the id of a deleted user; "" for none."""
        if user_id and user_id not in self._names:
            self._names |= {user_id: user_id, **self._survey.user_names([user_id])}
        return self._names.get(user_id, "")


def report_now(report: Document, users: UserNames) -> ReportNow:
    """A report's id, shape (contract/database.md), and who finished the lead when."""
    nested = [name for name in SNAPSHOT_FIELDS if isinstance(report.get(name), Mapping)]
    return ReportNow(
        str(report.get("_id", "")),
        ", ".join(nested) or "flat",
        as_datetime(report.get("editedAt")),
        users.name_of(text_of(report, "editedBy")),
    )


@dataclass(frozen=True, slots=True)
class Event:
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
