"""What taking back an import needs of the database beside `Storage`, `Survey` and `Repair`."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from syncctl.domain.import_notes import ImportNote, NotedImport, NoteKind, ValuesChange, WriteChange
from syncctl.domain.records import SyncRecord
from syncctl.ports.storage import RecordEntry


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
