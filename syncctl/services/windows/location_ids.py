"""Does a report honour the location id that it is asked for? Checked in each run, and stored.

contract/rental-api.md, "What nobody knows": an id is honoured, or ignored, or only an empty one returns rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from syncctl.domain.dialects import FEWEST_ROWS, Dialect, LocationIds
from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.answer_rows import SortedRows
from syncctl.services.windows.row_stores import STRAYS, RowStores

LONGEST_SPELLING = 100
"""Characters: a longer text doesn't name a shop, and is cut for display."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """Evidence from one answer, kept until the run's end."""

    location: str
    store: str
    keys: array[int]
    """The hashes of its records' keys."""

    rows: int
    """How many rows name a shop."""

    is_its_own: bool
    """Whether that shop is the store of the id."""

    saved: int = 0
    """Leads that were stored under that store."""


class IdWatch:
    """Collects a report's answers in one run as evidence, and updates `row_stores.dialect`."""

    def __init__(self, row_stores: RowStores, now: datetime) -> None:
        self._row_stores = row_stores
        self._shops = row_stores.shops
        self._now = now
        self._remembered = row_stores.dialect
        self._heard: dict[str, _Heard] = {}
        self._own_spellings: dict[str, str] = {}
        self._refuted = False
        self._first_seen = False
        self._misplaced = 0

    @property
    def dialect(self) -> Dialect:
        """What is known so far."""
        return self._row_stores.dialect

    def judge(self, answer: SortedRows) -> bool:
        """Add a whole answer to the evidence, before it is stored. Returns whether each row's own location
        decides its store."""
        location, store = answer.location, self._shops.stores.get(answer.location)
        if self._refuted or not (answer.rows or answer.outside):
            return self.dialect.by_row
        if not location:
            if not self._heard:
                self._find(LocationIds.EMPTY, "no location id brought any rows")
            return True
        keys = array("q", map(hash, answer.keys))
        if self._shops.are_several(answer.spellings):
            self._find(LocationIds.IGNORED, f"location {location} gave rows of several shops")
        elif (twin := self._twin(store, keys)) is not None:
            where = f"locations {twin.location} and {location}, which are different shops"
            self._find(LocationIds.IGNORED, f"{where}, gave the same bookings")
        else:
            if self.dialect.ids is LocationIds.EMPTY:
                self._find(LocationIds.HONOURED, f"location {location} has rows again")
            self._note(answer, store, keys)
        return self.dialect.by_row

    def note_saved(self, answer: SortedRows, saved: int) -> None:
        """Record how many leads of an answer were stored."""
        heard = self._heard.get(answer.location)
        if heard is not None and not answer.by_row:
            self._heard[answer.location] = replace(heard, saved=saved)

    def _twin(self, store: str | None, keys: array[int]) -> _Heard | None:
        """An answer for another shop's id with the same bookings, or many of them."""
        if store is None:
            return None
        own = set(keys)
        for heard in self._heard.values():
            if heard.store != store:
                same = len(own.intersection(heard.keys))
                if same and same >= STRAYS * min(len(keys), len(heard.keys)):
                    return heard
        return None

    def _note(self, answer: SortedRows, store: str | None, keys: array[int]) -> None:
        if store is None:
            return
        written = max(answer.spellings, key=answer.spellings.__getitem__, default="")
        is_its_own = self._shops.named(written) == store
        rows = answer.spellings.total()
        self._heard[answer.location] = _Heard(answer.location, store, keys, rows, is_its_own)
        if written:
            agrees = self._shops.canonical(written) == store
            self._own_spellings[answer.location] = "" if agrees else written[:LONGEST_SPELLING]

    def _find(self, ids: LocationIds, seen: str) -> None:
        if ids is LocationIds.IGNORED:
            if not self.dialect.by_row:
                self._misplaced = sum(heard.saved for heard in self._heard.values() if not heard.is_its_own)
            self._refuted = True
            self._heard = {}
        if ids is not self.dialect.ids:
            self._first_seen = True
            self._row_stores.dialect = replace(self.dialect, ids=ids, ids_since=self._now, ids_seen=seen)

    def conclude(self) -> None:
        """All calls of the run have been made. If each answer had only rows of its own shop, and enough of
        them, the ids are honoured."""
        heard = self._heard.values()
        stores = {each.store for each in heard}
        is_honoured = len(stores) > 1 and all(each.is_its_own for each in heard)
        is_enough = sum(each.rows for each in heard) >= FEWEST_ROWS
        if self.dialect.ids is LocationIds.IGNORED and not self._refuted and is_honoured and is_enough:
            self._find(LocationIds.HONOURED, f"{len(stores)} shops gave rows of their own only")
        if self.dialect.by_row:
            return
        spellings = dict(self.dialect.spellings) | self._own_spellings
        self._row_stores.dialect = replace(
            self.dialect, spellings=tuple(sorted((code, said) for code, said in spellings.items() if said))
        )

    def remember(self, storage: Storage, listener: Listener) -> None:
        """Save what is known so far for the next runs; whatever else is known about the report stays.

        Raises:
            StorageUnavailableError: the database is gone. Any other refusal is a warning.
        """
        known = self.dialect
        if known == self._remembered:
            return
        self._remembered = known
        try:
            before = storage.dialects().get(known.report, Dialect(known.report))
            storage.save_dialect(
                replace(
                    before,
                    ids=known.ids,
                    ids_since=known.ids_since,
                    ids_seen=known.ids_seen,
                    spellings=known.spellings,
                )
            )
        except StorageUnavailableError:
            raise
        except StorageError as error:
            listener.warning(
                f"What was found out about the {known.report} report's location ids could not be saved; the "
                f"next run finds it out again: {error}"
            )

    @property
    def first_seen(self) -> str:
        """The evidence by which this run found that ids are not honoured; "" if that was known before, or
        isn't so."""
        return self.dialect.ids_seen or "" if self._first_seen and self.dialect.by_row else ""

    @property
    def misplaced(self) -> int:
        """Leads that this run stored under the store of the id before it found out."""
        return self._misplaced


_SAID = {
    LocationIds.IGNORED: (
        "{} report does not keep to the location id that it is asked for",
        "{} reports do not keep to the location id that they are asked for",
    ),
    LocationIds.EMPTY: (
        "{} report has nothing for any location id, only for an empty one, which it is asked with",
        "{} reports have nothing for any location id, only for an empty one, which they are asked with",
    ),
}


def ids_warning(watches: Iterable[IdWatch]) -> str:
    """One warning for all reports of a run; "" if ids are honoured."""
    by_row = [watch for watch in watches if watch.dialect.by_row]
    if not by_row:
        return ""
    said = []
    for ids, (of_one, of_more) in _SAID.items():
        names = [watch.dialect.report.value for watch in by_row if watch.dialect.ids is ids]
        if names:
            said.append((of_more if len(names) > 1 else of_one).format(f"the {' and '.join(names)}"))
    whole = "; ".join(said)
    sentences = [f"{whole[0].upper()}{whole[1:]}: the location in each row decides its store."]
    if seen := [f"{watch.dialect.report}: {watch.first_seen}" for watch in by_row if watch.first_seen]:
        sentences.append(f"First seen in this run ({'; '.join(seen)}).")
    if misplaced := sum(watch.misplaced for watch in by_row):
        sentences.append(
            f"{misplaced} lead{' was' if misplaced == 1 else 's were'} stored under the store of the id "
            "before that was seen: `syncctl verify source` lists those whose store is another."
        )
    return " ".join([*sentences, "Ask the API's people how to ask for one location."])
