"""Writes a backup file: completely on the disk before the changes that it can undo, or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from syncctl.domain.run_documents import instant
from syncctl.errors import SettingsError, StorageError
from syncctl.filesystem.private_files import PrivateFile, make_private_folder, sync_folder
from syncctl.ports.admin import DatabaseFacts
from syncctl.ports.stop import Stop
from syncctl.services.cleanup.backups import (
    DOCUMENT,
    FORMAT,
    VERSION,
    Backup,
    BackupEntry,
    BackupKind,
    trailer,
)


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
