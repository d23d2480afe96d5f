"""The results so far of one file of an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from syncctl.domain.row_decisions import RowAction
from syncctl.domain.run_results import Counts, FinishedRow, LocationResult
from syncctl.services.rejects.list_updates import unlisted_warning
from syncctl.text import and_more

MAX_PLACES_NAMED = 20
"""Positions named in a file's warning."""

MAX_STORES_NAMED = 5
"""Stores named in a file's warning."""

MAX_REFUSED_QUOTED = 3
"""Refused rows quoted in a file's error."""

MAX_SHEETS, MAX_ROW = 1 << 10, 1 << 32
"""More than a file can have."""


@dataclass(slots=True)
class Places:
    """Positions of rows, for a person: the first few, and the total count."""

    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, place: str) -> None:
        """Add a row."""
        self.count += 1
        if len(self.named) < MAX_PLACES_NAMED:
            self.named.append(place)

    def __str__(self) -> str:
        return "; ".join(self.named) + and_more(self.count - len(self.named))


@dataclass(slots=True)
class FileTally:
    """The counts of one file."""

    path: Path
    name: str
    """What logs and the rejects list call it."""

    content_hash: str = ""
    stores: set[str] = field(default_factory=set)
    rows: int = 0
    """Customers' rows."""

    invalid: int = 0
    unlisted: int = 0
    """Invalid rows for which the rejects list had no room."""

    ignored: int = 0
    """Lines that are not customers' rows, and rows that were answered."""

    answered: int = 0
    """Of the ignored: rows that can't be leads and that a person has corrected or dismissed before."""

    actions: Counter[RowAction] = field(default_factory=Counter)
    """What became of rows. One that the database itself refused is none: it stands in `refused`."""

    deferred: int = 0
    """Rows whose leads a telecaller edited while they were being written."""

    unreadable: dict[str, Places] = field(default_factory=dict)
    """By column, rows with a cell that can't be read."""

    wrong_stores: dict[tuple[str, str | None], Places] = field(default_factory=dict)
    """Rows whose column names another store than the one that counts, by both; or an unknown one, by the line
    that would make it known and None."""

    replaced: Places = field(default_factory=Places)
    """Rows with a character that can't be read."""

    hidden_sheets: tuple[str, ...] = ()
    """Those passed over."""

    conflicts: list[str] = field(default_factory=list)
    finished: list[FinishedRow] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Rows that the database's own rules kept out."""

    sheets: dict[str, int] = field(default_factory=dict)
    """Those that were read, numbered in their order."""

    error: str | None = None
    skipped: bool = False
    is_done: bool = False
    """Whether every record has been dealt with."""

    @property
    def is_imported(self) -> bool:
        """Whether all of it is in the database, so that the same content need not be read again."""
        return self.is_done and not (
            self.skipped or self.error or self.refused or self.deferred or self.unlisted
        )

    def position(self, file: int, sheet: str, row: int) -> int:
        """A number by which rows sort as they stand in the import's files."""
        return (file * MAX_SHEETS + self.sheets.get(sheet, 0)) * MAX_ROW + row

    def add_store(self, in_column: str, counts: str | None, place: str) -> None:
        """A row's column names another store than the one that `counts`; None: `in_column` is the line of a
        mapping file that would make it known."""
        key = (in_column, counts)
        if key in self.wrong_stores or len(self.wrong_stores) < MAX_STORES_NAMED:
            self.wrong_stores.setdefault(key, Places()).add(place)

    def reset_to_error(self, problem: str) -> None:
        """The file can't be parsed: none of its rows count."""
        self.rows = self.invalid = self.unlisted = self.ignored = self.answered = 0
        self.stores, self.unreadable, self.replaced = set(), {}, Places()
        self.wrong_stores = {}
        self.error = problem

    def result(self) -> LocationResult:
        """The file's result; until everything is handled, only of the rows handled so far."""
        done = self.actions
        counted = done.total() + len(self.refused)
        counts = Counts(
            rows=self.ignored + (self.rows if self.is_done else counted + self.invalid),
            saved=done[RowAction.CREATE],
            updated=done[RowAction.UPDATE],
            existing=done[RowAction.KEEP],
            reported=done[RowAction.FINISHED],
            merged=done[RowAction.MERGE],
            invalid=self.invalid + len(self.refused),
            ignored=self.ignored,
        )
        error = self.error
        if self.refused:
            error = " ".join(
                filter(None, (error, f"{self.name}: {'; '.join(self.refused[:MAX_REFUSED_QUOTED])}."))
            )
        stores = f"{len(self.stores)} stores" if len(self.stores) > 1 else "".join(self.stores)
        return LocationResult(
            self.name,
            stores,
            counts,
            conflicts=tuple(self.conflicts),
            answered=self.answered,
            unchanged=self.skipped,
            error=error,
            warning="; ".join(self._warnings()) or None,
            finished=tuple(self.finished),
            hidden_sheets=self.hidden_sheets,
        )

    def _warnings(self) -> Iterator[str]:
        """What a person must know about the file although it could be read."""
        if self.hidden_sheets:
            sheets = ", ".join(self.hidden_sheets)
            yield f"hidden sheets passed over: {sheets} (unhide one, or name it with --sheet, to import it)"
        for column, places in self.unreadable.items():
            yield f"{column.title()} can't be read, saved without it: {places}"
        for (in_column, counts), places in self.wrong_stores.items():
            if counts:
                yield f"the store column says {in_column}, but {counts} counts: {places}"
            else:
                yield f"unknown store, rejected: {places}: {in_column}"
        if self.replaced.count:
            yield f"a character can't be read and became \N{REPLACEMENT CHARACTER}: {self.replaced}"
        if self.unlisted:
            yield unlisted_warning(self.unlisted)
