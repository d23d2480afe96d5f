"""Backup files of leads: their format, and how one is validated before anything is restored."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from syncctl.domain.lead_traits import as_datetime
from syncctl.errors import FileProblemError
from syncctl.filesystem.ordinary_files import open_ordinary
from syncctl.ports.admin import LeadSnapshot
from syncctl.text import quantity

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


_DETAILS = {
    BackupKind.DUPLICATES: ("kept",),
    BackupKind.STORES: ("from", "to"),
    BackupKind.FINISHED: ("why",),
    BackupKind.IMPORT: ("why",),
}
"""The texts that an entry must have besides the lead."""


@dataclass(frozen=True, slots=True)
class BackupEntry:
    """A lead before the cleanup."""

    snapshot: LeadSnapshot
    """The lead as it was."""

    details: Mapping[str, Any]
    """What else is needed to undo the change, as JSON-like data."""


@dataclass(frozen=True, slots=True)
class Backup:
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
    """Validate a backup file from its first line to its last.

    Raises:
        FileProblemError: it can't be read, isn't a backup, or is incomplete; the message names the line.
    """
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


@dataclass(frozen=True, slots=True)
class BackedUp:
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
