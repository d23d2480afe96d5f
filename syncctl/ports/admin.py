"""What the operator's commands need of the database beside `Storage`: a survey of it, and repairs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from syncctl.domain.import_notes import ImportNote, NotedImport, NoteKind, ValuesChange, WriteChange
from syncctl.domain.lead_values import Document
from syncctl.domain.records import SyncRecord
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.ports.storage import RecordEntry, Storage, Texts


class Caveat(NamedTuple):
    """Something about the database that a person should know or change."""

    message: str
    hint: str
    """What to do about it."""


class OpeningHints(NamedTuple):
    """What to do where a kind of database can't be used."""

    unusable: str
    """Where it can't be reached, opened or read."""

    not_writable: str
    """Where a run may not write to it."""


class DatabaseFacts(NamedTuple):
    """What kind of database it is."""

    kind: str
    version: str

    place: str
    """Host and database, or file; no credentials."""

    topology: str
    """ "single server", "replica set rs0, 3 members", "one file" …"""

    durability: str
    """The write concern, or how the file is journalled."""

    caveats: tuple[Caveat, ...] = ()
    """Empty if it is as it should be."""


class LastLogs(NamedTuple):
    """The newest `synclogs` entries of one kind."""

    last: SyncLog

    last_success: SyncLog | None
    """The newest that says success."""


class RunSpan(NamedTuple):
    """When a run of the history was at work, and which steps it had: little to read of many runs."""

    started_at: datetime
    """True UTC."""

    ended_at: datetime
    """The start and the run's length."""

    steps: tuple[str, ...]
    """Names of its steps, in order."""


class DuplicateCount(NamedTuple):
    """The duplicates that a pass over all leads counted."""

    sets: int

    extra_copies: int
    """Leads beyond one per set."""

    counted_at: datetime
    """True UTC."""

    counted_by: str
    """The command: "verify data" …"""


class AskedNumber(NamedTuple):
    """A phone or booking number by which leads are looked up, however they have it written."""

    text: str
    """As it was typed: a value may be this very text."""

    digits: frozenset[str] = frozenset()
    """All the digits of a value that is this number in another spelling, one entry for each prefix that it
    may have. Empty: it has letters, so there is no other spelling."""


class LeadSnapshot(NamedTuple):
    """A lead exactly as it is stored."""

    lead_id: str

    document: str
    """The whole of it as one line of JSON, which only the backend that made it reads."""


class Restored(NamedTuple):
    """What putting leads back came to, by lead id."""

    inserted: frozenset[str]

    same: frozenset[str]
    """They are there already."""

    different: frozenset[str]
    """There is one now that is not the same, which was left alone."""


class Survey(Protocol):
    """A look at all of the database. Changes nothing. Every method may raise StorageError or
    StorageUnavailableError. A database that was never synced into is empty, which isn't an error."""

    def facts(self) -> DatabaseFacts:
        """What kind of database it is."""

    def count_leads(self) -> int:
        """How many leads there are, as the database keeps count; after a crash of its server it may be some
        too many or too few."""

    def leads_per_day(self, first: date, last: date) -> dict[date, int]:
        """How many leads were created on each of these days, both included, by `createdAt`; without those
        that none was created on. Costs what it counts, not what the collection holds."""

    def leads_that_may_have(self, number: AskedNumber) -> Iterator[Document]:
        """Leads with `_id`, `phone` and `bookingNo`, among them all that have the number in any type and
        spelling: as phone number with anything beside it, as booking number alone. Costs as much as there are
        of them, and of phone numbers that are not ten digits. One lead may come several times."""

    def leads_with_phones(self, phones: Texts, fields: Collection[str]) -> Iterator[Document]:
        """The leads whose phone number is one of these just as it is stored, as `scan_leads` gives
        them. Costs a few round trips per thousand."""

    def duplicate_count(self) -> DuplicateCount | None:
        """What the last pass over all leads counted; None: there was none."""

    def scan_leads(self, fields: Collection[str], if_unnumbered: Collection[str] = ()) -> Iterator[Document]:
        """Every lead with `_id` and these fields, in no particular order, read as they are taken: memory does
        not follow their number; announced as a PassWait. Absent fields are left out; the web app's and
        people's odd values come as they are. `if_unnumbered`: fields that may be left out where there is a
        booking number, one that begins with an ASCII letter or digit."""

    def scan_reports(self) -> Iterator[Document]:
        """Every document of `reports`, whole, read as they are taken."""

    def scan_records(self, source: str, location: str) -> Iterator[RecordEntry]:
        """Every record that this source (a step's name) of this location first brought. Costs what it finds,
        so that all locations together are one pass."""

    def finished_or_linked_records(self) -> Iterator[str]:
        """The ids of the records that a report has finished, and of those whose lead has another id than the
        record; perhaps of a few others."""

    def corrected_records(self, since: datetime) -> list[RecordEntry]:
        """The records that took another one's place at `since` or later, as the source had corrected a phone
        number. Costs what it finds, not what the collection holds."""

    def user_names(self, user_ids: Collection[str]) -> dict[str, str]:
        """The names of those of these users that the web app knows, by id."""

    def last_sync_logs(self) -> dict[str, LastLogs]:
        """The newest `synclogs` entries by `syncType`."""

    def sync_logs(self, since: datetime, until: datetime) -> Iterator[SyncLog]:
        """The `synclogs` entries whose `lastSyncAt` is from `since` on and before `until`, the oldest first,
        read as they are taken."""

    def first_run_at(self, steps: Collection[str]) -> datetime | None:
        """When the oldest run of the history began that had one of these steps; None: there is none."""

    def run_spans(self, since: datetime) -> list[RunSpan]:
        """The runs of the history that began at `since` or later, the oldest first."""

    def saved_by_audits(self, since: datetime) -> dict[str, int]:
        """How many leads came only by audits, in the runs of the history that began at `since` or later, by
        the name of the step; without those that none came for."""

    def leads_by_age(
        self, since: datetime, until: datetime, lead_types: Collection[str], fields: Collection[str]
    ) -> Iterator[Document]:
        """The leads of these types whose `_id` is an ObjectId made from `since` on and before `until`, as
        `scan_leads` gives them. Costs what it finds, not what the collection holds. Ids that syncctl derived
        look like ObjectIds of any time."""

    def leads_created(self, since: datetime, until: datetime, fields: Collection[str]) -> Iterator[Document]:
        """The leads with a `createdAt` from `since` on and before `until`, as `scan_leads` gives them. Costs
        what it finds."""

    def reports_on_leads_created(self, since: datetime, until: datetime) -> Iterator[Document]:
        """The documents of `reports`, whole, that say of their lead that it was created from `since` on and
        before `until`. Costs what it finds."""

    def runs(
        self, limit: int, *, failed_only: bool = False, run_id: str = "", until: datetime | None = None
    ) -> list[RunEntry]:
        """The newest runs first, at most `limit` (0: all); only those with a step that is neither success nor
        skipped, whose id begins so, or that began before `until`, where asked for."""


class Repair(Protocol):
    """What `cleanup` and `doctor` write. Every method may raise StorageError or StorageUnavailableError."""

    def snapshots(self, lead_ids: Collection[str]) -> list[LeadSnapshot]:
        """Those of these leads that are there now."""

    def delete_unchanged(self, snapshots: Sequence[LeadSnapshot]) -> set[str]:
        """Delete each lead that is still exactly as in its snapshot, compared and deleted in one step.

        Gives the ids of those that are gone now; one that was changed in between is left alone.
        """

    def restore(self, snapshots: Sequence[LeadSnapshot]) -> Restored:
        """Put leads back exactly as they were, where none of that `_id` is there. Repeatable.

        Raises StorageError for a document that isn't a snapshot of this kind of database.
        """

    def repoint_records(self, lead_ids: Mapping[str, str]) -> int:
        """Let records of a lead (key) be another's (value). Gives how many records were."""

    def unpair_reports(self, report_ids: Mapping[str, str]) -> None:
        """Forget which report (value) finished a record (key), where it is still that one."""

    def save_duplicate_count(self, count: DuplicateCount) -> None:
        """Keep what a pass over all leads counted, in the place of what an earlier one did."""

    def probe_writing(self) -> None:
        """Write something into a collection of syncctl's own and take it away again.

        Raises StorageError saying what the database refused.
        """


class ImportUndo(Protocol):
    """The notes of imports, and the writes that take one back. Each write is guarded: what is no longer as
    the import left it stays. Every method may raise StorageError or StorageUnavailableError."""

    def noted_imports(self, run_id: str) -> list[NotedImport]:
        """The imports with notes whose run's id begins so, the newest first. Also those that were killed,
        which are not in the history."""

    def import_notes(self, run_id: str, kind: NoteKind, after: str, limit: int) -> list[ImportNote]:
        """At most `limit` notes of that run and kind, in the order of their `note_id`, from the first behind
        `after` ("": from the beginning)."""

    def replace_import_notes(self, notes: Sequence[ImportNote]) -> None:
        """Put these notes in the place of those with their `note_id`; delete those that have no changes."""

    def records_of_run(self, run_id: str) -> Iterator[RecordEntry]:
        """Every record that this run has added. Goes through all records."""

    def remove_records(self, records: Sequence[SyncRecord]) -> None:
        """Remove records of which run and fingerprint are still these."""

    def restore_values(self, changes: Sequence[ValuesChange]) -> None:
        """Put back what the source had said of records."""

    def restore_writes(self, changes: Sequence[WriteChange]) -> None:
        """Put back what records note of writes into their leads."""

    def restore_file_hash(self, kind: str, name: str, expected: str, before: str | None) -> None:
        """Put back a file's hash where it is `expected`; None: forget the file."""


class Database(Storage, Survey, Repair, ImportUndo, Protocol):
    """All that syncctl may do to the database."""
