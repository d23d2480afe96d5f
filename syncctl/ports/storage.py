"""What the services need of the lead database while they sync.

The adapters (`storage/`) raise only the errors of `errors.py`. Ids are strings at this port: 24 hex digits
for an ObjectId.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, Protocol

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.import_notes import ImportNote, NotedImport
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.records import Correction, KnownRecord, Reject, RejectAnswer, SyncRecord, Write
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store

Texts = Collection[str]
"""Any number of ids, phone numbers or booking numbers."""

Period = tuple[datetime, datetime]
"""From the first moment on, and before the second."""

RejectPositions = dict[str, dict[str, list[str]]]
"""Location -> position of a rejected row -> ids of the rejects that are listed for it."""


class Created(NamedTuple):
    """When leads were created, for looking them up: at one of the moments, or by one of the names on one of
    the days."""

    moments: Collection[datetime] = ()
    names: Texts = ()
    days: Collection[date] = ()

    @property
    def midnights(self) -> list[datetime]:
        """The instants by which such a day is stored (`values.file_day`)."""
        starts = [datetime.combine(day, time(), UTC) for day in self.days]
        indian = [start - INDIA_AHEAD for start in starts if start.date() > date.min]
        return starts + indian


INDIA_AHEAD = timedelta(hours=5, minutes=30)


ANY_TIME = Created()
"""Asks for nothing by date."""


class RecordEntry(NamedTuple):
    """A record as it is stored."""

    record: SyncRecord

    changed_at: datetime | None
    """When the source last said something else of it."""


@dataclass(frozen=True, slots=True)
class OpenRejects:
    """The rejects list in short: without those that a person has answered."""

    count: int

    oldest_at: datetime | None
    """When the oldest was rejected; None: there is none, or its date can't be read."""


class Storage(Protocol):
    """The lead database. Every method may raise StorageError or StorageUnavailableError.

    All look-ups take any number of ids and cost a few round trips per thousand, never one each.
    """

    def prepare(self) -> None:
        """Make sure that it can be reached and holds what it must (tables, indexes). Repeatable.

        Raises SettingsError where it can't keep each lead once.
        """

    def set_deadline(self, deadline: float) -> None:
        """Let no call from now on wait for the database beyond `deadline` (the monotonic clock's seconds;
        math.inf: each as long as it may by itself), but for two seconds in which a run notes how it ended.
        What takes longer is a StorageUnavailableError."""

    def close(self) -> None:
        """Let go of it; calling twice is fine."""

    def find_records(self, record_ids: Texts) -> dict[str, KnownRecord]:
        """The syncrecords that exist among these ids, by id."""

    def has_records(self) -> bool:
        """Whether there are any syncrecords: there are none before the first sync."""

    def recorded_leads(self, lead_ids: Texts) -> set[str]:
        """Which of these leads are some record's in syncrecords, whether made by the sync or linked."""

    def present_leads(self, lead_ids: Texts) -> set[str]:
        """Which of these ids are in leads now."""

    def find_leads(
        self, lead_type: str, booking_numbers: Texts, phones: Texts, created: Created = ANY_TIME
    ) -> list[Document]:
        """Leads of that type with any of these booking numbers or phones, or created so; whole documents."""

    def find_reports(
        self, lead_ids: Texts, phones: Texts, booking_numbers: Texts = (), created: Created = ANY_TIME
    ) -> list[Document]:
        """Reports, in any of their four shapes (contract/database.md), that name any of these lead ids,
        phones or booking numbers, before or after an edit, or leads created so. May return more than asked
        for, never less."""

    def records_about(
        self, phones: Texts, booking_numbers: Texts, lead_ids: Texts, created: Created = ANY_TIME
    ) -> list[RecordEntry]:
        """Records of which the source last said any of these phones or booking numbers, or that they were
        created so, or whose lead is one of these."""

    def reports(self, report_ids: Texts) -> dict[str, Document]:
        """Those of these reports that are there, by id."""

    def paired_reports(self, report_ids: Texts) -> set[str]:
        """Which of these reports have finished a record already, an earlier lead of it included."""

    def pair_reports(self, report_ids: Mapping[str, str]) -> None:
        """Store which report (value) finished a record (key). A record that has one keeps it, and so does a
        report that finished another record."""

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        """Insert leads that are not there yet, then records that are not there yet.

        Gives the ids of the leads that this call inserted; one whose `_id` was there is left as it is. A
        record whose report finished another record meanwhile is left out. Both at once, where the database
        has transactions, and no lead then whose record is there already: a person has deleted it meanwhile.
        On a single mongod the leads come first: killed in between, the next run finds the lead by its
        derived id and only adds the record, whereas a record without its lead would read as "deleted by a
        telecaller".

        Raises LeadsRefusedError, after everything else is stored, if the database's own rules keep leads out;
        StorageError if another transaction holds some of the leads for too long: the next run stores them.
        """

    def update_records(self, records: Sequence[SyncRecord]) -> None:
        """Set `values` and `fingerprint` of existing records to what the source says now."""

    def replace_records(self, phones: Mapping[str, str]) -> None:
        """Store that the source has corrected the phone number of a record (key) to another one (value)."""

    def shared_bookings(self, source: str, booking_numbers: Texts) -> set[str]:
        """Those of the booking numbers that several records of the source (a step's name) have which no other
        one has replaced."""

    def add_corrections(self, corrections: Mapping[str, Correction]) -> None:
        """Note, by record id, that a record has taken another one's place."""

    def renew_records(self, records: Sequence[SyncRecord]) -> None:
        """Let records that were replaced be current again: the source went back to their numbers. They take
        the lead, location, values, fingerprint and the last correction of what is given, and no report has
        finished them any more. Those that are current by now stay as they are."""

    def record_values(self, record_ids: Texts) -> dict[str, dict[str, Any]]:
        """What the source said last, by record id: the base of a merge. Dates come as aware datetimes."""

    def add_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        """Keep, by record id, the values that fields of the leads are about to be given, and when; earlier
        writes of other fields stay. Those of a record that is not there are ignored."""

    def writes(self, record_ids: Texts) -> dict[str, dict[str, Write]]:
        """The writes kept of these records, by id and field. A record without any is left out."""

    def leads(self, lead_ids: Texts) -> dict[str, Document]:
        """Those of these leads that are in leads now, whole documents by id."""

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        """Set fields of leads, each lead only if the fields to be set still hold what is expected.

        A value None takes the field away; an expected None stands for a field that is null or not there.
        Gives the ids of the leads that now hold the new values. One that a telecaller changed in between is
        left alone whole.
        """

    def reject_positions(self, source: str, location: str | None = None) -> RejectPositions:
        """What the rejects list holds of that source, of one location or of all, answered ones included."""

    def closed_rejects(self, source: str, location: str | None = None) -> set[str]:
        """The ids of that source's rejects, of one location or of all, that a person has answered."""

    def rejects(self, source: str | None = None) -> list[Reject]:
        """The rejects list, newest first, of one source or of all, without those that are answered."""

    def open_rejects(self) -> OpenRejects:
        """How long the rejects list is, and since when. One look at the list, without its rows."""

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        """Put rows on the rejects list; those listed or answered already stay as they are. Gives how many
        were new."""

    def amend_rejects(self, rejects: Sequence[Reject]) -> None:
        """Set store, reason and row of those that are on the list."""

    def close_rejects(self, rejects: Sequence[Reject], answer: RejectAnswer, at: datetime) -> None:
        """Keep that a person has answered these, whether they are still on the list or not; their rows, which
        are customers' data, are not kept."""

    def clear_rejects(self, reject_ids: Texts) -> None:
        """Forget these rows, on the list or answered: the source has changed them."""

    def forget_closed_rejects(self, before: datetime, most: int) -> None:
        """Forget what was answered before that moment, and of the rest all but the latest `most`."""

    def stores(self) -> list[Store]:
        """All stores, as stored."""

    def add_stores(self, stores: Sequence[Store]) -> int:
        """Insert stores whose code and name no store has yet. Gives how many this call inserted."""

    def store_list(self) -> dict[str, str]:
        """The API's store list as last fetched: code -> name as the API wrote it. Empty: never fetched."""

    def save_store_list(self, names: Mapping[str, str]) -> None:
        """Replace the store list as last fetched."""

    def file_hashes(self, kind: str) -> dict[str, str]:
        """Content hash of each file of that kind at its last import, by file name."""

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        """Remember a file's content as imported."""

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        """How far each location of a report is, by location."""

    def save_location_states(self, report: StepName, states: Sequence[LocationState]) -> None:
        """Set how far these locations of a report are."""

    def dialects(self) -> dict[StepName, Dialect]:
        """How each report that was measured is asked."""

    def save_dialect(self, dialect: Dialect) -> None:
        """Replace what is known of a report's dialect."""

    def add_sync_log(self, entry: SyncLog) -> None:
        """Add a synclogs document."""

    def save_run(self, entry: RunEntry) -> None:
        """Add or replace a run in the sync's own history."""

    def save_import(self, entry: NotedImport) -> None:
        """Add or replace an import that notes its changes."""

    def add_import_notes(self, notes: Sequence[ImportNote]) -> None:
        """Keep what an import is about to change; those kept already stay as they are."""

    def forget_runs(self, before: datetime, if_any_in: Period | None = None, most: int = 0) -> None:
        """Take the runs that began before that moment out of the history, the oldest `most` (0: all), and as
        many imports with all that they noted.

        With `if_any_in`, nothing happens where no run began in that time.
        """
