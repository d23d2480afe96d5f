"""Which files to import, and which store a file or a row belongs to (contract/files.md, "Which store")."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from syncctl.domain.sources import FILE_WORDS, StepName
from syncctl.errors import FileProblemError, UsageError
from syncctl.filesystem.ordinary_files import open_ordinary
from syncctl.locations import Locations
from syncctl.text import did_you_mean, near_names, normalize_unicode

# What people and browsers append to the place: a number, a month, "copy", "(1)".
_TAIL = re.compile(
    r"\d+\w{0,2}|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|copy|final|new|updated|report|data|v\d+",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"^\W*(?:(?P<walkin>walk[\W_]*ins?)|(?P<lossofsale>loss[\W_]*of[\W_]*sales?))(?![a-z])", re.I
)


def kind_of_name(name: str) -> StepName | None:
    """The kind that a file's name begins with: `walkin_…`, `lossofsale_…`, with any separators."""
    match = _KIND.match(normalize_unicode(PurePath(name).stem))
    if match is None:
        return None
    return StepName.WALKIN if match["walkin"] else StepName.LOSS_OF_SALE


_NO_STORE = re.compile(rf"(?:\W|_|\d|sheet|table|loss|of|sale|walk|ins?|{_TAIL.pattern})*", re.IGNORECASE)
"""Names of sheets that aren't a store's."""


def _words_of(file_name: str) -> list[str]:
    """The words of a file's name behind its kind."""
    return list(filter(None, re.split(r"[\W_]+", _KIND.sub("", normalize_unicode(PurePath(file_name).stem)))))


class FileStores:
    """Knows the stores of locations.toml and of the database. Files can name only these, so that a typing
    error doesn't create a new store."""

    def __init__(self, locations: Locations, stored_names: Iterable[str]) -> None:
        self._locations = locations
        stored = (locations.canonical(name) for name in stored_names)
        self._known = {*locations.store_names, *(name for name in stored if name)}

    def named(self, written: str) -> str | None:
        """The canonical name of a known store, however it is written; None if it isn't one."""
        canonical = self._locations.canonical(written)
        return canonical if canonical in self._known else None

    def requested_store(self, written: str) -> str:
        """The store that the user named. Raises UsageError: there is no such store; the message lists the
        known ones."""
        store = self.named(written)
        if store is None:
            known = "; ".join(sorted(self._known))
            raise UsageError(
                f"--store {written!r} isn't a known store (`syncctl stores` fetches new ones)."
                f"{did_you_mean(near_names(written, self._known))}",
                hint=f"Known: {known}." + self._or_add(written),
            )
        return store

    def unknown(self, cell: object) -> str:
        """The line of a mapping file that would make known what a row's store column names; "" if nothing
        does."""
        return self._locations.line_to_add(cell) if isinstance(cell, str) else ""

    def _or_add(self, written: str) -> str:
        line = self._locations.line_to_add(written)
        return f" Or {line}" if line else ""

    def line_to_add(self, file_name: str, sheets: Iterable[str]) -> str:
        """The line of a mapping file that would tell the store of a file, or of a sheet, whose name seems to
        name one, as a sentence; "" if none does."""
        words = _words_of(file_name) if kind_of_name(file_name) else []
        while words and _TAIL.fullmatch(words[-1]):
            words.pop()
        named = (sheet for sheet in sheets if not _NO_STORE.fullmatch(sheet))
        return self._or_add(" ".join(words) or next(named, ""))

    def of_file(self, name: str) -> str | None:
        """The store in a file's name: kind, brand, place; a date, "(1)" or "copy" after the place is
        ignored."""
        words = _words_of(name)
        while words:
            if store := self.named(" ".join(words)):
                return store
            if not _TAIL.fullmatch(words.pop()):
                return None
        return None


SUFFIXES = (".xlsx", ".xls", ".csv")
HASH_BLOCK_BYTES = 1 << 20

MAX_FILE_BYTES = 500 << 20
"""Bytes: a million rows take a fifth of this. A sparse file can have any size at no cost."""


def find_files(
    kind: StepName, paths: Iterable[Path], *, may_be_empty: bool = False
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """The files to import, each once, and the paths without any, with the reason, unless `may_be_empty`.

    Of a folder, the files whose names begin with the kind, sorted by name; not hidden files, nor the lock
    files that Excel leaves beside an open workbook (`~$…`).
    """
    files: list[Path] = []
    problems: list[tuple[Path, str]] = []
    for path in paths:
        try:
            if may_be_empty and not path.exists():
                continue
            found = _matching(kind, path) if path.is_dir() else [_named(kind, path)]
            if not found and not may_be_empty:
                problems.append((path, f"{path} holds no {FILE_WORDS[kind]}: {kind}_….xlsx, .xls or .csv."))
        except FileProblemError as problem:
            problems.append((path, str(problem)))
        except OSError as error:
            problems.append((path, f"{path} can't be listed: {error.strerror}."))
        else:
            files += [file for file in found if file not in files]
    return files, problems


def misplaced_files(kind: StepName, folders: Iterable[Path], import_dir: Path) -> Iterator[str]:
    """A line for each of these folders that has files of that kind, which belong in IMPORT_DIR."""
    looked_into = {os.path.realpath(import_dir)}
    for folder in folders:
        if (place := os.path.realpath(folder)) in looked_into:
            continue
        looked_into.add(place)
        try:
            found = _matching(kind, folder)
        except OSError:  # missing or not accessible: nobody has put a file there
            continue
        if len(found) == 1:
            yield (
                f"{found[0].name} is in {folder}: move it into {import_dir}, or import it with "
                f"`syncctl import {kind} {shlex.quote(str(found[0]))}`"
            )
        elif found:
            yield (
                f"{found[0].name} and {len(found) - 1} more {FILE_WORDS[kind]}s are in {folder}: move them "
                f"into {import_dir}, or import them with `syncctl import {kind} {shlex.quote(str(folder))}`"
            )


def _matching(kind: StepName, folder: Path) -> list[Path]:
    return [
        file
        for file in sorted(folder.iterdir())
        if file.suffix.casefold() in SUFFIXES
        and not file.name.startswith(("~$", "."))
        and kind_of_name(file.name) is kind
        and file.is_file()
    ]


def _named(kind: StepName, file: Path) -> Path:
    if not file.exists():
        raise FileProblemError(f"{file} is not there: check the path.")
    if not file.is_file():
        raise FileProblemError(f"{file} isn't a regular file: give a workbook, a CSV or a folder.")
    named_kind = kind_of_name(file.name)
    if named_kind and named_kind is not kind:
        raise FileProblemError(
            f"{file} is a {FILE_WORDS[named_kind]} by its name: use `syncctl import {named_kind}`."
        )
    return file


def content_hash(file: Path) -> str:
    """SHA-256 of a file's content, in hex. Raises FileProblemError if it can't be read or is too large."""
    digest = hashlib.sha256()
    try:
        with open_ordinary(file) as opened:
            if os.fstat(opened.fileno()).st_size > MAX_FILE_BYTES:
                raise FileProblemError(
                    f"{file} is larger than {MAX_FILE_BYTES >> 20} MB: divide it and import the pieces."
                )
            while block := opened.read(HASH_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise FileProblemError(f"{file} can't be read: {error.strerror}.") from None
    return digest.hexdigest()
