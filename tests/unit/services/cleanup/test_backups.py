"""A backup file is either complete and on disk, or absent."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncctl.errors import FileProblemError, SettingsError, StorageError
from syncctl.ports.admin import DatabaseFacts, LeadSnapshot
from syncctl.ports.stop import Stop
from syncctl.services.cleanup.backups import (
    Backup,
    BackupEntry,
    BackupKind,
    BackupWriter,
    new_backup,
    read_backup,
)

NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
FACTS = DatabaseFacts("SQLite", "3", "/data/syncctl.db", "one file", "WAL")
DOCUMENTS = (
    '{"_id":{"$oid":"65f000000000000000000001"},"price":1.50,"big":1e2,"name":"\\u0d05"}',
    '{"_id": "2", "remarks": ", \\"document\\": {}}", "twice": 1, "twice": 2}',
    '{"_id": "}", "nested": {"document": {"document": 1}}}',
    '{"_id": "അനഘ 😀", "document": 1}',
)
ENTRIES = [
    BackupEntry(LeadSnapshot(f', "document": {number}', text), {"kept": '", "document": ', "recorded": True})
    for number, text in enumerate(DOCUMENTS)
]


def written(folder: Path, entries: list[BackupEntry] = ENTRIES) -> Backup:
    with new_backup(folder, BackupKind.DUPLICATES, FACTS, NOW, Stop()) as writer:
        writer.add(entries)
        backup = writer.finish()
    assert backup is not None
    return backup


def test_every_document_comes_back_to_the_letter(tmp_path: Path) -> None:
    backup = written(tmp_path)
    assert read_backup(backup.path) == backup
    assert list(backup.entries()) == ENTRIES
    assert all(isinstance(json.loads(line), dict) for line in backup.path.read_text("utf-8").splitlines())


def test_nothing_to_back_up_makes_neither_file_nor_folder(tmp_path: Path) -> None:
    with new_backup(tmp_path / "backups", BackupKind.STORES, FACTS, NOW, Stop()) as writer:
        writer.add([])
        assert writer.finish() is None
    assert not (tmp_path / "backups").exists()


def test_what_is_not_finished_is_taken_away(tmp_path: Path) -> None:
    def stopped(writer: BackupWriter) -> None:
        writer.add(ENTRIES)
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        new_backup(tmp_path, BackupKind.DUPLICATES, FACTS, NOW, Stop()) as writer,
    ):
        stopped(writer)
    assert not list(tmp_path.iterdir())


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Stands for a full disk: the system refuses to write beyond (setrlimit(2), EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("leads", [10, 10_000])
def test_a_full_disk_is_told_and_leaves_no_file(tmp_path: Path, leads: int) -> None:
    """Whether it shows while writing or at the end, when what is held back is written."""
    with files_of_at_most(100), pytest.raises(StorageError, match="nothing was changed: make room"):
        written(tmp_path, ENTRIES * leads)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"nothing was changed: .* DATA_DIR"):
        written(tmp_path / "data" / "backups")


def lines_of(tmp_path: Path) -> list[bytes]:
    return written(tmp_path).path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        (1, b""),
        (1, b"PK\x03\x04\xff\xfe"),
        (1, b"[]\n"),
        (1, b'{"format": "something else"}\n'),
        (2, b"\n"),
        (2, b"garbage\n"),
        (3, b"\xff\xfe\n"),
        (3, b'{"id": "x", "kept": "y"}\n'),
        (3, b'{"id": "x", "kept": 1, "document": {"_id": 1}}\n'),
        (3, b'{"id": "x", "kept": "y", "document":{"_id": 1}}\n'),
        (4, b'{"id": "x", "kept": "y", "document": 7}\n'),
        (5, b"[" * 100_000 + b"\n"),
    ],
)
def test_a_line_that_is_none_of_a_backup_is_named(tmp_path: Path, number: int, wrong: bytes) -> None:
    lines = lines_of(tmp_path)
    lines[number - 1] = wrong
    file = tmp_path / "damaged.jsonl"
    file.write_bytes(b"".join(lines))
    with pytest.raises(FileProblemError, match=rf"damaged\.jsonl.*line {number}\b"):
        read_backup(file)


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = b"".join(lines_of(tmp_path))
    file = tmp_path / "cut.jsonl"
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(FileProblemError):
            read_backup(file)


def test_a_missing_line_is_told_and_the_way_round_it_works(tmp_path: Path) -> None:
    lines = lines_of(tmp_path)
    del lines[2]
    file = tmp_path / "short.jsonl"
    file.write_bytes(b"".join(lines))
    with pytest.raises(FileProblemError, match=r"has 3 leads, but its last line .line 5. says 4: .*write 3"):
        read_backup(file)
    file.write_bytes(b"".join(lines).replace(b'"documents": 4', b'"documents": 3'))
    assert [entry.snapshot.document for entry in read_backup(file).entries()] == [
        DOCUMENTS[0],
        *DOCUMENTS[2:],
    ]


def test_one_of_a_later_version_is_told(tmp_path: Path) -> None:
    lines = lines_of(tmp_path)
    file = tmp_path / "later.jsonl"
    file.write_bytes(b"".join([lines[0].replace(b'"version": 1', b'"version": 2'), *lines[1:]]))
    with pytest.raises(FileProblemError, match="newer syncctl"):
        read_backup(file)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileProblemError, match="can't be read"):
        read_backup(tmp_path / name)
