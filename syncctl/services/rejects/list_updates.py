"""Keeps the rejects list up to date with the sources: adds invalid rows, removes corrected ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.records import Reject
from syncctl.domain.sources import FILE_STEPS, SOURCES, StepName
from syncctl.errors import InvalidRowError
from syncctl.locations import ALL_LOCATIONS
from syncctl.mapping.api_rows import BOOKING_NO, first_text
from syncctl.ports.storage import Storage
from syncctl.services.rejects.raw_rows import raw_text, reject_id_of
from syncctl.services.run import Run
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.text import quantity

MOST_NEW, MOST_LISTED = 1000, 10_000
"""Rows per location or file: at most so many are added in one run, and listed in all."""

MOST_NEW_CHARACTERS = 10_000_000
"""Characters of raw rows per location or file that are added in one run."""


class RejectQuota:
    """How many more rows of one location or file may be listed in this run. `unlisted`: rows over the
    quota."""

    def __init__(self, listed: int) -> None:
        self.unlisted = 0
        self._rows = min(MOST_NEW, MOST_LISTED - listed)
        self._characters = MOST_NEW_CHARACTERS

    def admits(self, raw: str) -> bool:
        """Whether this raw row is within the quota, which it then uses up."""
        if self._rows <= 0 or self._characters < len(raw):
            self.unlisted += 1
            return False
        self._rows -= 1
        self._characters -= len(raw)
        return True


def unlisted_warning(rows: int) -> str:
    """A warning: how many rows were not listed, and what to do."""
    return (
        f"{quantity(rows, 'invalid row')} did not fit on the rejects list, which takes {MOST_NEW:,} rows of "
        f"a location or file in one run and {MOST_LISTED:,} in all: have the source corrected"
    )


class ListUpdate(NamedTuple):
    """What became of an answer's invalid rows."""

    unlisted: int
    """Rows over the quota."""

    answered: int
    """Rows that a person has answered before: corrected in a sheet, or dismissed."""


def update_rejects(
    run: Run, answer: AnswerRows, listed: Mapping[str, Collection[str]], closed: Collection[str]
) -> ListUpdate:
    """List the invalid rows, and remove listed rows that the source has changed.

    `listed`: the list's entries for the answer's location: position -> ids. `closed`: the ids of those that a
    person has answered. Raises StorageError.
    """
    listed_ids = {reject_id for ids in listed.values() for reject_id in ids}
    quota = RejectQuota(len(listed_ids.difference(closed)))
    answered = 0
    rejects: set[str] = set()
    new: list[Reject] = []
    for row, reason in answer.invalid:
        raw = raw_text(row)
        reject_id = reject_id_of(answer.report, answer.reject_location, raw)
        if closed and (answers := ids_anywhere(answer, raw).intersection(closed)):
            answered += 1
            rejects |= answers
            continue
        if reject_id not in rejects and reject_id not in listed_ids and quota.admits(raw):
            new.append(_reject_of(run, answer, row, reason, raw))
        rejects.add(reject_id)
    if new:
        run.add_rejects(new)
    if listed:
        codes = {position.partition(SEPARATOR)[0] for position in listed}
        seen_again = listed.keys() & {
            position_of(row) or reject_id_of(answer.report, answer.reject_location, raw_text(row))
            for row in answer.rows
            if not _is_other_booking(row, codes)
        }
        outdated = {reject_id for position in seen_again for reject_id in listed[position]} - rejects
        if outdated:
            run.storage.clear_rejects(outdated)
    return ListUpdate(quota.unlisted, answered)


def ids_anywhere(answer: AnswerRows, raw: str) -> set[str]:
    """The ids of a row as it is listed and as it would have been before, should its report have begun to keep
    to location ids, or ceased to."""
    places = (answer.reject_location, answer.location, ALL_LOCATIONS)
    return {reject_id_of(answer.report, place, raw) for place in places}


def _is_other_booking(row: object, codes: Collection[str]) -> bool:
    """A quick way to rule out most rows that aren't listed: by their booking number."""
    code = row.get(BOOKING_NO[0]) if isinstance(row, dict) else None
    return isinstance(code, str) and code.isascii() and code.isdigit() and code not in codes


def position_of(row: object) -> str:
    """Identifies a row within its report, so that its correction is recognized; "" if it can't be identified.

    Without a booking number, the time of the booking and the item identify it.
    """
    if not isinstance(row, dict):
        return ""
    try:
        code = first_text(row, (*BOOKING_NO, "locCode", *SOURCES[StepName.BOOKING].date))
        item = first_text(row, ("itemCode",))
    except InvalidRowError:
        return ""
    return f"{code}{SEPARATOR}{item}" if code else ""


def is_as_it_came(reject: Reject) -> bool:
    """Whether its row is as the source had it; what a person has corrected in it does not go into its id."""
    place = (reject.location, reject.position) if reject.source in FILE_STEPS else (reject.location,)
    return reject.reject_id == reject_id_of(reject.source, *place, reject.row)


class LocationRejects:
    """The rejects of one location's report."""

    def __init__(self, storage: Storage, answer: AnswerRows) -> None:
        self._report, self._location = answer.report.value, answer.reject_location
        self._positions = storage.reject_positions(self._report, self._location).get(self._location, {})
        self._ids = {reject_id for ids in self._positions.values() for reject_id in ids}
        self._closed = storage.closed_rejects(self._report, self._location) if self._ids else set()

    def has_position_of(self, row: object) -> bool:
        """Whether this row is listed, perhaps with earlier values."""
        return position_of(row) in self._positions or self.holds(row)

    def holds(self, row: object) -> bool:
        """Whether this row is listed with exactly these values."""
        return bool(self._ids) and self.id_of(row) in self._ids

    def is_answered(self, row: object) -> bool:
        """Whether a person has answered this row."""
        return bool(self._closed) and self.id_of(row) in self._closed

    def id_of(self, row: object) -> str:
        """The id that this row has, or would have, on the list."""
        return reject_id_of(self._report, self._location, raw_text(row))


def _reject_of(run: Run, answer: AnswerRows, row: object, reason: str, raw: str) -> Reject:
    """An entry of the rejects list; the same row yields the same entry in every run."""
    report, location = answer.report.value, answer.reject_location
    reject_id = reject_id_of(report, location, raw)
    position = position_of(row) or reject_id
    return Reject(
        reject_id, report, location, answer.store, position, reason, raw, run.run_id, run.started_at
    )
