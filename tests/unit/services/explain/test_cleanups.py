"""What the backups tell of the cleanups of a lead."""

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from syncctl.errors import FileProblemError
from syncctl.ports.admin import DatabaseFacts, LeadSnapshot
from syncctl.ports.stop import Stop
from syncctl.services.cleanup.backups import BackupEntry, BackupKind, new_backup
from syncctl.services.cleanup.restoring import BackupRestored, note_restored, restore_backup
from syncctl.services.explain.cleanups import with_cleanups
from syncctl.services.explain.explaining import Explanation
from syncctl.services.explain.record_history import Origin, RecordHistory, RecordState

OURS = DatabaseFacts("SQLite", "3", "leads.db", "one file", "safe")
KEPT, COPY = "a" * 24, "b" * 24


def backup(folder: Path, kind: BackupKind, lead_id: str, facts: DatabaseFacts, **details: str) -> None:
    at = datetime(2026, 3, 10, 12, len(list(folder.glob("*"))), tzinfo=UTC)
    with new_backup(folder, kind, facts, at, Stop()) as writer:
        writer.add([BackupEntry(LeadSnapshot(lead_id, "{}"), details)])
        writer.finish()


def test_each_cleanup_of_the_lead_in_this_database_is_an_event(tmp_path: Path) -> None:
    elsewhere = DatabaseFacts("SQLite", "3", "other.db", "one file", "safe")
    names = {"from": "MG Rd", "to": "Suitor Guy - MG Road"}
    backup(tmp_path, BackupKind.STORES, KEPT, OURS, **names)
    backup(tmp_path, BackupKind.DUPLICATES, COPY, OURS, kept=KEPT)
    backup(tmp_path, BackupKind.FINISHED, KEPT, elsewhere, why="named")
    backup(tmp_path, BackupKind.FINISHED, KEPT, OURS, why="named")
    backup(tmp_path, BackupKind.FINISHED, "c" * 24, OURS, why="named")
    back = BackupRestored(BackupKind.DUPLICATES, back=[COPY])
    note_restored(back, tmp_path / "duplicates.jsonl", tmp_path, OURS)
    note_restored(BackupRestored(BackupKind.FINISHED), tmp_path / "finished.jsonl", tmp_path, OURS)
    (tmp_path / "notes.jsonl").write_text("by hand\n")
    origin = Origin(None, "", "", None, {})
    history = RecordHistory("", "Anju", "", "", "", RecordState.FINISHED, origin, lead_id=KEPT)
    database = Mock(facts=lambda: OURS)
    found = with_cleanups(Explanation("9000012345", (history,)), tmp_path, database)
    said = [event.what.partition(" (backup ")[0] for event in found.histories[0].events]
    assert said == [
        "`syncctl cleanup stores` changed its store from MG Rd to Suitor Guy - MG Road",
        f"`syncctl cleanup duplicates` deleted its copy {COPY}",
        "`syncctl cleanup finished` deleted it",
        f"`syncctl cleanup restore` put its copy {COPY} back",
    ]
    (note,) = tmp_path.glob("restored-*")
    with pytest.raises(FileProblemError, match="only says which leads were put back"):
        restore_backup(database, note)
    assert ["isn't a syncctl backup" in warning for warning in found.warnings] == [True]
