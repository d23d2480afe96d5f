"""Does a report honour the location id that it is asked for? Checked in each run, and stored.

contract/rental-api.md, "What nobody knows": an id is honoured, or ignored, or only an empty one returns rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from syncctl.domain.dialects import MIN_ROWS_TO_JUDGE, Dialect, LocationIds
from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.windows.answer_classifier import MAX_STRAY_SHARE, AnswerClassifier

MAX_SPELLING = 100
"""Characters: a longer text doesn't name a shop, and is cut for display."""


class _Evidence(NamedTuple):
    """Evidence from one answer, kept until the run's end."""

    location: str
    store: str
    keys: array[int]
    """The hashes of its records' keys."""

    rows: int
    """How many rows name a shop."""

    is_own_store: bool
    """Whether that shop is the store of the id."""

    saved: int = 0
    """Leads that were stored under that store."""


class LocationIdWatch:
    """Collects a report's answers in one run as evidence, and updates its classifier's dialect."""

    def __init__(self, classifiers: AnswerClassifier, now: datetime) -> None:
        self._classifier = classifiers
        self._shops = classifiers.shops
        self._now = now
        self._saved = classifiers.dialect
        self._evidence: dict[str, _Evidence] = {}
        self._own_spellings: dict[str, str] = {}
        self._is_refuted = False
        self._is_newly_found = False
        self.misplaced = 0
        """Leads that this run stored under the store of the id before it found out."""

    @property
    def dialect(self) -> Dialect:
        """What is known so far."""
        return self._classifier.dialect

    def assess(self, answer: AnswerRows) -> bool:
        """Add a whole answer to the evidence, before it is stored. Returns whether each row's own location
        decides its store."""
        location, store = answer.location, self._shops.stores.get(answer.location)
        if self._is_refuted or not (answer.rows or answer.outside):
            return self.dialect.store_from_row
        if not location:
            if not self._evidence:
                self._set_ids(LocationIds.EMPTY, "no location id brought any rows")
            return True
        keys = array("q", map(hash, answer.keys))
        if self._shops.are_several_shops(answer.spellings):
            self._set_ids(LocationIds.IGNORED, f"location {location} gave rows of several shops")
        elif (twin := self._twin(store, keys)) is not None:
            where = f"locations {twin.location} and {location}, which are different shops"
            self._set_ids(LocationIds.IGNORED, f"{where}, gave the same bookings")
        else:
            if self.dialect.ids is LocationIds.EMPTY:
                self._set_ids(LocationIds.HONOURED, f"location {location} has rows again")
            self._note(answer, store, keys)
        return self.dialect.store_from_row

    def note_saved(self, answer: AnswerRows, saved: int) -> None:
        """Record how many leads of an answer were stored."""
        evidence = self._evidence.get(answer.location)
        if evidence is not None and not answer.store_from_row:
            self._evidence[answer.location] = evidence._replace(saved=saved)

    def _twin(self, store: str | None, keys: array[int]) -> _Evidence | None:
        """An answer for another shop's id with the same bookings, or many of them."""
        if store is None:
            return None
        own = set(keys)
        for evidence in self._evidence.values():
            if evidence.store != store:
                same = len(own.intersection(evidence.keys))
                if same and same >= MAX_STRAY_SHARE * min(len(keys), len(evidence.keys)):
                    return evidence
        return None

    def _note(self, answer: AnswerRows, store: str | None, keys: array[int]) -> None:
        if store is None:
            return
        written = max(answer.spellings, key=answer.spellings.__getitem__, default="")
        is_own_store = self._shops.named(written) == store
        rows = answer.spellings.total()
        self._evidence[answer.location] = _Evidence(answer.location, store, keys, rows, is_own_store)
        if written:
            agrees = self._shops.canonical(written) == store
            self._own_spellings[answer.location] = "" if agrees else written[:MAX_SPELLING]

    def _set_ids(self, ids: LocationIds, seen: str) -> None:
        if ids is LocationIds.IGNORED:
            if not self.dialect.store_from_row:
                self.misplaced = sum(
                    evidence.saved for evidence in self._evidence.values() if not evidence.is_own_store
                )
            self._is_refuted = True
            self._evidence = {}
        if ids is not self.dialect.ids:
            self._is_newly_found = True
            self._classifier.dialect = self.dialect._replace(ids=ids, ids_since=self._now, ids_seen=seen)

    def conclude(self) -> None:
        """All calls of the run have been made. If each answer had only rows of its own shop, and enough of
        them, the ids are honoured."""
        evidence = self._evidence.values()
        stores = {each.store for each in evidence}
        is_honoured = len(stores) > 1 and all(each.is_own_store for each in evidence)
        is_enough = sum(each.rows for each in evidence) >= MIN_ROWS_TO_JUDGE
        if self.dialect.ids is LocationIds.IGNORED and not self._is_refuted and is_honoured and is_enough:
            self._set_ids(LocationIds.HONOURED, f"{len(stores)} shops gave rows of their own only")
        if self.dialect.store_from_row:
            return
        spellings = dict(self.dialect.spellings) | self._own_spellings
        self._classifier.dialect = self.dialect._replace(
            spellings=tuple(sorted((code, sentences) for code, sentences in spellings.items() if sentences)),
        )

    def save(self, storage: Storage, listener: Listener) -> None:
        """Save what is known so far for the next runs; whatever else is known about the report stays.

        Raises:
            StorageUnavailableError: the database is gone. Any other refusal is a warning.
        """
        known = self.dialect
        if known == self._saved:
            return
        self._saved = known
        try:
            before = storage.dialects().get(known.report, Dialect(known.report))
            storage.save_dialect(
                before._replace(
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
                f"What was learned about the {known.report} report's location ids could not be saved; the "
                f"next run learns it again: {error}"
            )

    @property
    def newly_found(self) -> str:
        """The evidence by which this run found that ids are not honoured; "" if that was known before, or
        isn't so."""
        return self.dialect.ids_seen or "" if self._is_newly_found and self.dialect.store_from_row else ""


_SENTENCES = {
    LocationIds.IGNORED: (
        "{} report ignores the location id that it is asked for",
        "{} reports ignore the location id that they are asked for",
    ),
    LocationIds.EMPTY: (
        "{} report has nothing for any location id, only for an empty one, which it is asked with",
        "{} reports have nothing for any location id, only for an empty one, which they are asked with",
    ),
}


def ids_warning(watches: Iterable[LocationIdWatch]) -> str:
    """One warning for all reports of a run; "" if ids are honoured."""
    store_from_row = [watch for watch in watches if watch.dialect.store_from_row]
    if not store_from_row:
        return ""
    sentences = []
    for ids, (singular, plural) in _SENTENCES.items():
        names = [watch.dialect.report.value for watch in store_from_row if watch.dialect.ids is ids]
        if names:
            sentences.append((plural if len(names) > 1 else singular).format(f"the {' and '.join(names)}"))
    whole = "; ".join(sentences)
    sentences = [f"{whole[0].upper()}{whole[1:]}: the location in each row decides its store."]
    if seen := [
        f"{watch.dialect.report}: {watch.newly_found}" for watch in store_from_row if watch.newly_found
    ]:
        sentences.append(f"First seen in this run ({'; '.join(seen)}).")
    if misplaced := sum(watch.misplaced for watch in store_from_row):
        sentences.append(
            f"{misplaced} lead{' was' if misplaced == 1 else 's were'} stored under the store of the id "
            "before that was noticed: `syncctl verify source` lists those with the wrong store."
        )
    return " ".join([*sentences, "Ask the API's provider how to ask for one location."])
