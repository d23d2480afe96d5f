"""Takes the corrected sheet back: what is right now is saved and leaves the list, the rest stays."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from syncctl.domain.lead_fields import DATE_FIELDS, SOURCE_FIELDS
from syncctl.domain.records import Reject, RejectAnswer
from syncctl.domain.sources import FILE_STEPS, SOURCES, StepName
from syncctl.locations import Locations
from syncctl.parsing.dates import read_date
from syncctl.parsing.values import number
from syncctl.ports.files import TitledLine
from syncctl.safe_output.printable import without_guard
from syncctl.services.imports.file_stores import FileStores
from syncctl.services.imports.noting import noting_changes
from syncctl.services.rejects.file_rejects import CellsOf
from syncctl.services.rejects.raw_rows import raw_row, raw_text
from syncctl.services.rejects.reject_sheets import (
    ID_TITLE,
    STORE_TITLE,
    RejectLine,
    ids_in,
    is_own_title,
    title_letters,
)
from syncctl.services.rejects.retrying import Retry, by_source
from syncctl.services.rejects.sheet_cells import (
    JOINED_BY,
    CleanText,
    is_as_exported,
    plain_text,
    shown_text,
    typed_text,
)
from syncctl.services.run import Run

ANSWERS_KEPT = timedelta(days=730)
"""A source's window is a year: by then it no longer has the row. Files may be older, but not for long."""

MOST_ANSWERS_KEPT = 100_000

_DATES_OF_REPORTS = {
    *(name for source in SOURCES.values() for name in source.date),
    *(name for field in SOURCE_FIELDS if field.name in DATE_FIELDS for name in field.api),
}
_FIELDS_OF_REPORTS = _DATES_OF_REPORTS | {name for field in SOURCE_FIELDS for name in field.api}


class LineOutcome(StrEnum):
    """What became of a line of the sheet."""

    FIXED = "fixed"
    """It is a lead now, and off the list."""

    STILL_INVALID = "still_invalid"
    """It was changed and isn't a lead yet; the changes are kept."""

    UNCHANGED = "unchanged"
    """It is as it was exported, and still no lead."""

    NOT_LISTED = "not_listed"
    """Its reject is no longer on the list, or never was."""

    WITHOUT_ID = "without_id"

    REPEATED = "repeated"
    """An earlier line has the same id; this one was left."""


class LineResult(NamedTuple):
    """A line of the sheet and what became of it."""

    line: TitledLine
    outcome: LineOutcome
    rejects: tuple[Reject, ...] = ()
    """Those that it is about, as they were."""

    reason: str = ""
    """Why it isn't a lead."""


@dataclass(frozen=True, slots=True)
class SheetResult:
    """What became of the sheet."""

    run_id: str = ""
    dry_run: bool = False
    lines: tuple[LineResult, ...] = ()

    listed: int = 0
    """How many rows are on the list now."""

    def count(self, outcome: LineOutcome) -> int:
        return sum(line.outcome is outcome for line in self.lines)

    def counts(self) -> dict[str, int]:
        """Each outcome and how many lines it has."""
        return {outcome.value: self.count(outcome) for outcome in LineOutcome}


class SheetCorrection:
    """A stage of a run: the lines of the corrected sheet. `result` is there once it has been called."""

    def __init__(
        self, lines: Sequence[TitledLine], locations: Locations, cells_of: CellsOf, clean: CleanText
    ) -> None:
        self._lines = lines
        self._locations = locations
        self._cells_of = cells_of
        self._clean = clean
        self.result = SheetResult()

    @noting_changes
    def __call__(self, run: Run) -> None:
        """Save what is valid, and then answer its rejects: killed in between, the same sheet does the rest.

        Raises:
            StorageError: the database refused.
            StopRequestedError: between two files or locations.
        """
        storage = run.storage
        listed = {reject.reject_id: reject for reject in storage.rejects()}
        retry = Retry(run, self._locations, self._cells_of, only_new=False)
        sheet = SheetLines(listed, retry.file_stores, self._cells_of, self._clean)
        lines = [sheet.add(line) for line in self._lines]
        left = dict(sheet.problems)
        to_try = [each for each in sheet.corrected.values() if each.reject_id not in left]
        for group in run.stop.between(by_source(to_try)):
            reasons = retry.attempt(group).left
            fixed = [each._replace(run_id=run.run_id) for each in group if each.reject_id not in reasons]
            if fixed:
                storage.close_rejects(fixed, RejectAnswer.CORRECTED, run.started_at)
            left |= reasons
        amended = [sheet.corrected[reject_id]._replace(reason=reason) for reject_id, reason in left.items()]
        storage.amend_rejects([each for each in amended if each != listed[each.reject_id]])
        storage.forget_closed_rejects(run.started_at - ANSWERS_KEPT, MOST_ANSWERS_KEPT)
        self.result = SheetResult(
            run.run_id,
            run.dry_run,
            tuple(_decided(each, left, sheet.changed) for each in lines),
            len(listed) - len(sheet.corrected.keys() - left.keys()),
        )
        run.corrected_lines = self.result.counts()

    def with_nothing_listed(self) -> SheetResult:
        """What becomes of the lines where no reject is listed: nothing is stored, and there is no run."""
        sheet = SheetLines({}, FileStores(self._locations, ()), self._cells_of, self._clean)
        return SheetResult(lines=tuple(map(sheet.add, self._lines)))


class SheetLines:
    """The lines of the sheet beside the list as it is."""

    def __init__(
        self, listed: Mapping[str, Reject], stores: FileStores, cells_of: CellsOf, clean: CleanText
    ) -> None:
        self._listed = listed
        self._stores = stores
        self._cells_of = cells_of
        self._clean = clean
        self._seen: set[str] = set()
        self.corrected: dict[str, Reject] = {}
        """The rejects that lines are about, as the sheet has them."""

        self.changed: set[str] = set()
        """The ids of those that a person has changed."""

        self.problems: dict[str, str] = {}
        """The ids of those that can't be tried, and why."""

    def add(self, line: TitledLine) -> LineResult:
        """Take a line in. Its result says UNCHANGED where only a try can tell."""
        ids = ids_in(_own_cell(line, ID_TITLE))
        rejects = tuple(self._listed[each] for each in dict.fromkeys(ids) if each in self._listed)
        is_repeated = not self._seen.isdisjoint(ids)
        self._seen.update(ids)
        if not ids:
            return LineResult(line, LineOutcome.WITHOUT_ID)
        if not rejects:
            return LineResult(line, LineOutcome.NOT_LISTED)
        if is_repeated:
            return LineResult(line, LineOutcome.REPEATED, rejects)
        exported = RejectLine(rejects)
        changes, store = self._changes(line, exported), self._store(line, exported)
        for reject in rejects:
            corrected = self.corrected[reject.reject_id] = _with(reject, changes, store)
            if corrected != reject or reject.reject_id in self.problems:
                self.changed.add(reject.reject_id)
        return LineResult(line, LineOutcome.UNCHANGED, rejects)

    def _changes(self, line: TitledLine, exported: RejectLine) -> dict[str, object]:
        """By title, the cells that a person has changed. A column that is gone isn't a change."""
        source = exported.rejects[0].source
        titles = {_normal(title): title for title in reversed(exported.titles)}
        changes: dict[str, object] = {}
        for written, cell in line.cells.items():
            plain = without_guard(written)
            title = titles.get(_normal(plain))
            if title is not None:
                if not self._is_as_exported(cell, exported.values_of(title)):
                    changes[title] = cell
            elif typed_text(cell) and self._is_field(source, plain):
                changes[plain] = cell
        return changes

    def _is_field(self, source: str, title: str) -> bool:
        """Whether something may be read from a column that the row did not have."""
        if is_own_title(title):
            return False
        if source in FILE_STEPS:
            return bool(self._cells_of(StepName(source), {title: "x"}))
        return title in _FIELDS_OF_REPORTS

    def _is_as_exported(self, cell: object, values: Sequence[Any]) -> bool:
        typed = typed_text(cell)
        if values and (len(values) > 1 or JOINED_BY in typed):
            # Some of the item rows may have left the list since.
            shown = self._parts(typed)
            return all(self._parts(plain_text(value)) <= shown for value in values)
        return is_as_exported(cell, values[0] if values else None, self._clean)

    def _parts(self, text: str) -> set[str]:
        return {shown_text(part, self._clean) for part in text.split(JOINED_BY)}

    def _store(self, line: TitledLine, exported: RejectLine) -> str | None:
        """The store that a person has given a file's row; None: the one that it has."""
        first = exported.rejects[0]
        typed = typed_text(_own_cell(line, STORE_TITLE))
        if first.source not in FILE_STEPS or not typed or _normal(typed) == _normal(first.store):
            return None
        store = self._stores.named(typed)
        if store is None:
            why = f"{STORE_TITLE} isn't a known store"
            self.problems |= {reject.reject_id: why for reject in exported.rejects}
        return store


def _decided(line: LineResult, left: Mapping[str, str], changed: Container[str]) -> LineResult:
    """The line with its outcome, now that its rejects were tried."""
    if line.outcome is not LineOutcome.UNCHANGED:
        return line
    ids = [reject.reject_id for reject in line.rejects]
    reasons = dict.fromkeys(left[each] for each in ids if each in left)
    if not reasons:
        return line._replace(outcome=LineOutcome.FIXED)
    is_changed = any(each in changed for each in ids)
    outcome = LineOutcome.STILL_INVALID if is_changed else LineOutcome.UNCHANGED
    return line._replace(outcome=outcome, reason="; ".join(reasons))


def _with(reject: Reject, changes: Mapping[str, object], store: str | None) -> Reject:
    """The reject with its row as a person has corrected it; as it is where that is too long to be kept."""
    corrected = reject._replace(store=store or reject.store)
    row = raw_row(reject)
    if not changes or not isinstance(row, Mapping):
        return corrected
    values = dict(row)
    is_file = reject.source in FILE_STEPS
    for title, cell in changes.items():
        typed = typed_text(cell)
        if not is_file:
            values[title] = _api_value(title, typed, row.get(title))
        elif typed:
            values[title] = typed
        else:
            values.pop(title, None)
    corrected = corrected._replace(row=raw_text(values, sort_keys=not is_file))
    return corrected if isinstance(raw_row(corrected), Mapping) else reject


def _api_value(title: str, typed: str, before: object) -> object:
    """What a person has typed, as the API would have sent it: it writes the month first."""
    if not typed:
        return None
    if title in _DATES_OF_REPORTS:
        try:
            day = read_date(typed, UTC)
        except ValueError:
            return typed
        return typed if day is None else day.replace(tzinfo=None).isoformat()
    if isinstance(before, int | float) and not isinstance(before, bool):
        amount = number(typed)
        return typed if amount is None else amount
    return typed


def _own_cell(line: TitledLine, title: str) -> object:
    wanted = title_letters(title)
    return next((cell for written, cell in line.cells.items() if title_letters(written) == wanted), None)


def _normal(title: str) -> str:
    return " ".join(title.split())
