"""The rejects list kept in step with what the sources say: invalid rows on it, corrected ones off it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from syncctl.domain.identity import SEPARATOR, derived_id
from syncctl.domain.records import Reject
from syncctl.errors import InvalidRowError
from syncctl.mapping.api_rows import BOOKING_DATE, BOOKING_NO, first_text
from syncctl.ports.storage import Storage
from syncctl.services.run import Run
from syncctl.services.sync.answer_rows import SortedRows

LONGEST_RAW_ROW = 100_000
"""Characters of a raw row that the rejects list keeps; a document of MongoDB must stay under 16 MB."""

DEEPEST = 100
"""Levels of nesting that it keeps: Python's JSON reader gives up at some hundred, fewer on a deep stack."""


MOST_NEW, MOST_LISTED = 1000, 10_000
"""Rows of one location or file: so many are listed in one run, and so many in all."""

MOST_NEW_CHARACTERS = 10_000_000
"""Characters of the raw rows of one location or file that are listed in one run."""


class RoomOnList:
    """How many more rows of one location or file the rejects list takes in this run. `unlisted`: rows that
    it had no room for."""

    def __init__(self, listed: int) -> None:
        self.unlisted = 0
        self._rows = min(MOST_NEW, MOST_LISTED - listed)
        self._characters = MOST_NEW_CHARACTERS

    def takes(self, raw: str) -> bool:
        """Whether there is room for this raw row, which then has it."""
        if self._rows <= 0 or self._characters < len(raw):
            self.unlisted += 1
            return False
        self._rows -= 1
        self._characters -= len(raw)
        return True


def unlisted_words(rows: int) -> str:
    """For a warning: what was left off the list, and what to do."""
    return (
        f"{rows:,} invalid rows are not on the rejects list, which takes {MOST_NEW:,} rows of a location or "
        f"file in one run and {MOST_LISTED:,} in all: have the source corrected"
    )


def keep_rejects(run: Run, answer: SortedRows, listed: Mapping[str, Collection[str]]) -> int:
    """List the invalid rows, and take off the list what the source says otherwise by now. Gives how many
    there was no room for.

    `listed`: what the list holds of the answer's location: position -> ids.

    Raises:
        StorageError: the database refused.
    """
    listed_ids = {reject_id for ids in listed.values() for reject_id in ids}
    room = RoomOnList(len(listed_ids))
    rejects: set[str] = set()
    new: list[Reject] = []
    for row, reason in answer.invalid:
        raw = _raw(row)
        reject_id = _reject_id(answer.report, answer.listed_under, raw)
        if reject_id not in rejects and reject_id not in listed_ids and room.takes(raw):
            new.append(_reject_of(run, answer, row, reason, raw))
        rejects.add(reject_id)
    if new:
        run.add_rejects(new)
    if listed:
        codes = {position.partition(SEPARATOR)[0] for position in listed}
        told_again = listed.keys() & {
            position_of(row) or _reject_id(answer.report, answer.listed_under, _raw(row))
            for row in answer.rows
            if not _is_surely_another(row, codes)
        }
        outdated = {reject_id for position in told_again for reject_id in listed[position]} - rejects
        if outdated:
            run.storage.clear_rejects(outdated)
    return room.unlisted


def _is_surely_another(row: object, codes: Collection[str]) -> bool:
    """The quick way to know most of the rows that are not listed: by their booking number."""
    code = row.get(BOOKING_NO[0]) if isinstance(row, dict) else None
    return isinstance(code, str) and code.isascii() and code.isdigit() and code not in codes


def position_of(row: object) -> str:
    """Which row of its report it is, so that its correction can be told; "" where it doesn't say.

    Without a booking number the moment of the booking and the item tell.
    """
    if not isinstance(row, dict):
        return ""
    try:
        code = first_text(row, (*BOOKING_NO, "locCode", *BOOKING_DATE))
        item = first_text(row, ("itemCode",))
    except InvalidRowError:
        return ""
    return f"{code}{SEPARATOR}{item}" if code else ""


def row_text(row: object, aliases: tuple[str, ...]) -> str:
    """The first of these fields that holds text in a row that may be invalid, or ""."""
    try:
        return first_text(row, aliases) if isinstance(row, dict) else ""
    except InvalidRowError:
        return ""


class ListedRejects:
    """What the rejects list holds of one location's report."""

    def __init__(self, storage: Storage, answer: SortedRows) -> None:
        self._report, self._location = answer.report.value, answer.listed_under
        self._positions = storage.reject_positions(self._report, self._location).get(self._location, {})
        self._ids = {reject_id for ids in self._positions.values() for reject_id in ids}

    def has_place_of(self, row: object) -> bool:
        """Whether this row is listed, perhaps as it read at an earlier time."""
        return position_of(row) in self._positions or self.holds(row)

    def holds(self, row: object) -> bool:
        """Whether this row is listed exactly as it is."""
        return bool(self._ids) and self.id_of(row) in self._ids

    def id_of(self, row: object) -> str:
        """The id that this row has on the list, or would have."""
        return _reject_id(self._report, self._location, _raw(row))


def _reject_id(report: str, location: str, raw: str) -> str:
    return derived_id(SEPARATOR.join(("reject", report, location, raw)))


def _raw(row: object) -> str:
    """A row as JSON text that can be read again, however deep the reader's own stack is by then."""
    try:
        raw = json.dumps(row, sort_keys=True)
    except RecursionError:
        return _raw(_pruned(row, DEEPEST))
    if raw.count("[") + raw.count("{") > DEEPEST:
        raw = json.dumps(_pruned(row, DEEPEST), sort_keys=True)
    return cut_raw_row(raw)


def _pruned(value: object, levels: int) -> object:
    if not isinstance(value, list | dict):
        return value
    if not levels:
        return "nested too deeply to be kept"
    if isinstance(value, list):
        return [_pruned(item, levels - 1) for item in value]
    return {name: _pruned(item, levels - 1) for name, item in value.items()}


def cut_raw_row(raw: str) -> str:
    """A raw row's JSON text as the rejects list keeps it; one that is cut is no JSON any more."""
    return raw if len(raw) <= LONGEST_RAW_ROW else raw[:LONGEST_RAW_ROW] + "…"


def _reject_of(run: Run, answer: SortedRows, row: object, reason: str, raw: str) -> Reject:
    """An entry of the rejects list; the same row gives the same entry in every run."""
    report, location = answer.report.value, answer.listed_under
    reject_id = _reject_id(report, location, raw)
    position = position_of(row) or reject_id
    return Reject(
        reject_id, report, location, answer.store, position, reason, raw, run.run_id, run.started_at
    )
