"""Which files to import: those named by the user, and a folder's matching ones."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from syncctl.domain.sources import FILE_WORDS, StepName
from syncctl.errors import FileProblemError
from syncctl.filesystem.ordinary_files import open_ordinary
from syncctl.services.imports.file_stores import kind_of_name

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
