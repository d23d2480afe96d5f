"""Backup files of leads: their format, how they are written, and validated before anything is restored."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from syncctl.domain.lead_traits import as_datetime
from syncctl.domain.run_documents import instant
from syncctl.errors import FileProblemError, SettingsError, StorageError
from syncctl.filesystem.ordinary_files import open_ordinary
from syncctl.filesystem.private_files import PrivateFile, make_private_folder, sync_folder
from syncctl.ports.admin import DatabaseFacts, LeadSnapshot
from syncctl.ports.stop import Stop
from syncctl.text import quantity


class BackupWriter:
    """Writes a backup; the file is created with the first entry. `path` and `documents`: what is written
    so far."""

    def __init__(self, folder: Path, kind: BackupKind, facts: DatabaseFacts, now: datetime) -> None:
        self.path: Path | None = None
        self.documents = 0
        self._folder = folder
        self._kind = kind
        self._header = {
            "format": FORMAT,
            "version": VERSION,
            "kind": kind.value,
            "created_at": instant(now),
            "database": facts.kind,
            "place": facts.place,
        }
        self._name = f"{kind}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        self._file: PrivateFile | None = None

    def add(self, entries: Iterable[BackupEntry]) -> None:
        """Write leads. Raises SettingsError if the file can't be created, StorageError if the disk is
        full."""
        for entry in entries:
            if self._file is None:
                self._file = self._create()
                self._write(self._file.out, json.dumps(self._header))
            own = json.dumps({"id": entry.snapshot.lead_id, **entry.details})
            self._write(self._file.out, f"{own[:-1]}{DOCUMENT}{entry.snapshot.document}}}")
            self.documents += 1

    def finish(self) -> Backup | None:
        """Flush the file to the disk: only then may the leads be changed. None: there was nothing to
        write. Raises StorageError."""
        if self._file is None or self.path is None:
            return None
        self._write(self._file.out, trailer(self.documents))
        try:
            self._file.finish()
            sync_folder(self._folder.parent)
        except OSError as error:
            raise self._full(error) from error
        return Backup(self.path, self._kind, self.documents)

    def discard(self) -> None:
        """Remove the file: the changes that it could undo won't be made."""
        if self._file is not None:
            self._file.discard()

    def _create(self) -> PrivateFile:
        try:
            make_private_folder(self._folder)
            path, number = self._folder / f"{self._name}.jsonl", 1
            while os.path.lexists(path):  # another backup of the same second
                number += 1
                path = self._folder / f"{self._name}-{number}.jsonl"
            file = PrivateFile(path)
        except OSError as error:
            raise SettingsError(
                f"No backup can be written to {self._folder} ({error.strerror}), so nothing was changed: "
                "make it writable for this user, or set DATA_DIR to another folder."
            ) from error
        self.path = path
        return file

    def _write(self, file: BinaryIO, line: str) -> None:
        try:
            file.write(line.encode("utf-8", "surrogatepass") + b"\n")
        except OSError as error:
            raise self._full(error) from error

    def _full(self, error: OSError) -> StorageError:
        return StorageError(
            f"The backup {self.path} can't be written ({error.strerror}), so nothing was changed: "
            "make room on that disk, or set DATA_DIR to another folder."
        )


@contextmanager
def new_backup(
    folder: Path, kind: BackupKind, facts: DatabaseFacts, now: datetime, stop: Stop
) -> Iterator[BackupWriter]:
    """A backup to be written in `folder`, readable for this user only. Unless it is finished when the block
    is left, it is taken away; so a request to stop has to wait until the block looks at it."""
    writer = BackupWriter(folder, kind, facts, now)
    try:
        with stop.at_safe_points():
            yield writer
    except BaseException:
        writer.discard()
        raise


FORMAT = "syncctl backup"
VERSION = 1
LEADS_AT_ONCE = 1000
"""How many leads are handled together."""

LONGEST_HEADER = 64 * 1024
"""Bytes; a file with a longer first line isn't a backup."""

DOCUMENT = ', "document": '
"""Separates an entry's own fields from the lead. Inside a JSON string its quotes would be escaped."""


class BackupKind(StrEnum):
    """What was done with the leads of a backup."""

    DUPLICATES = "duplicates"
    STORES = "stores"
    FINISHED = "finished"
    IMPORT = "import"
    RESTORED = "restored"
    """No backup: it says which leads of one were put back."""


_DETAILS = {
    BackupKind.DUPLICATES: ("kept",),
    BackupKind.STORES: ("from", "to"),
    BackupKind.FINISHED: ("why",),
    BackupKind.IMPORT: ("why",),
    BackupKind.RESTORED: ("of", "backup"),
}
"""The texts that an entry must have besides the lead."""


class BackupEntry(NamedTuple):
    """A lead before the cleanup."""

    snapshot: LeadSnapshot
    """The lead as it was."""

    details: Mapping[str, Any]
    """What else is needed to undo the change, as JSON-like data."""


class Backup(NamedTuple):
    """A complete backup file."""

    path: Path
    kind: BackupKind
    documents: int

    def entries(self) -> Iterator[BackupEntry]:
        """Its leads, read lazily. Raises FileProblemError."""
        with _opened(self.path) as file:
            for number, line in enumerate(itertools.islice(file, 1, self.documents + 1), start=2):
                yield _entry(self.path, self.kind, number, line)


def read_backup(path: Path) -> Backup:
    """Validate a backup file from its first line to its last. Raises FileProblemError: it can't be read,
    isn't a backup, or is incomplete; the message names the line."""
    with _opened(path) as file:
        kind = _kind(path, file.readline(LONGEST_HEADER))
        number, last = 1, b""
        for line in file:
            if last:
                _entry(path, kind, number, last)
            number, last = number + 1, line
    documents = number - 2
    if (said := _documents(last)) is None:
        raise FileProblemError(
            f"{path} lacks the last line of a complete backup (line {number}): it was cut off, or the "
            "cleanup that wrote it was stopped before it changed anything. Restore from a complete copy."
        )
    if said != documents:
        raise FileProblemError(
            f"{path} has {quantity(documents, 'lead')}, but its last line (line {number}) says {said}: "
            f"restore from a complete copy, or write {documents} there to put back what is left."
        )
    return Backup(path, kind, documents)


class BackedUp(NamedTuple):
    """A lead that stands in a backup."""

    file: str
    kind: BackupKind
    at: datetime
    place: str
    """Of which database, without credentials."""

    lead_id: str
    details: Mapping[str, Any]


def backed_up(path: Path, lead_ids: Collection[str]) -> Iterator[BackedUp]:
    """The entries of these leads and of the copies that were deleted in favour of them, without reading what
    else is in the backup.

    Raises:
        FileProblemError: it can't be read, or isn't a backup.
    """
    wanted = re.compile(b"|".join(re.escape(json.dumps(lead_id).encode()) for lead_id in lead_ids))
    with _opened(path) as file:
        line = file.readline(LONGEST_HEADER)
        kind, header = _kind(path, line), _parsed(line) or {}
        if (at := as_datetime(header.get("created_at"))) is None:
            return
        for line in file:
            own, separator, _ = line.partition(DOCUMENT.encode())
            if separator and wanted.search(own) and (found := _parsed(own + b"}")):
                yield BackedUp(path.name, kind, at, str(header.get("place")), str(found.get("id")), found)


def trailer(documents: int) -> str:
    """The last line of a backup of that many leads."""
    return json.dumps({"complete": True, "documents": documents})


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with open_ordinary(path) as file:
            yield file
    except OSError as error:
        raise FileProblemError(
            f"{path} can't be read ({error.strerror}): name the backup whose path `cleanup` printed."
        ) from error


def _kind(path: Path, line: bytes) -> BackupKind:
    header = _parsed(line)
    if header is None or header.get("format") != FORMAT:
        raise FileProblemError(
            f"{path} isn't a syncctl backup (line 1): name one from the folder backups in DATA_DIR."
        )
    if header.get("version") != VERSION or header.get("kind") not in list(BackupKind):
        raise FileProblemError(f"{path} was written by a newer syncctl (line 1): upgrade this one.")
    return BackupKind(header["kind"])


def _documents(line: bytes) -> int | None:
    """How many documents the last line says there are; None if it isn't a last line."""
    found = _parsed(line)
    if found is None or found.get("complete") is not True or not line.endswith(b"\n"):
        return None
    documents = found.get("documents")
    return documents if isinstance(documents, int) else None


def _entry(path: Path, kind: BackupKind, number: int, line: bytes) -> BackupEntry:
    found = _parsed(line) or {}
    document = line.decode("utf-8", "replace").strip().partition(DOCUMENT)[2].removesuffix("}")
    texts = (found.get("id"), *(found.get(name) for name in _DETAILS[kind]))
    if (
        not document
        or not isinstance(found.get("document"), dict)
        or not all(isinstance(text, str) for text in texts)
    ):
        raise FileProblemError(
            f"{path}, line {number}, isn't a lead from a backup: it was changed or damaged. Nothing was "
            "restored. Use another copy, or remove the line and lower the number in the last line by one."
        )
    details = {name: value for name, value in found.items() if name not in ("id", "document")}
    return BackupEntry(LeadSnapshot(found["id"], document), details)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
