"""Which store a file, sheet or row belongs to (contract/files.md, "Which store")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

from syncctl.domain.sources import StepName
from syncctl.errors import UsageError
from syncctl.locations import Locations
from syncctl.text import normalize_unicode

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
                f"--store {written!r} isn't a known store (`syncctl stores` fetches new ones).",
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
