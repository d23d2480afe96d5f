"""Assigns the rows of a report to stores: by the location id asked for if the report honours it, otherwise
by the location in each row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any

from syncctl.domain.dialects import Dialect
from syncctl.domain.requests import Days
from syncctl.domain.sources import StepName
from syncctl.locations import Locations
from syncctl.mapping.api_rows import LOCATION, LOCATION_ID, row_text
from syncctl.ports.api import Look
from syncctl.services.sync.answer_rows import AnswerRows, classify, unclassified
from syncctl.services.sync.asked_locations import locations_to_ask
from syncctl.text import normalize_text

MAX_STRAY_SHARE = 1 / 3
"""A smaller share of an answer's rows may name another shop, or be returned for its id as well, although
ids are honoured."""


class ShopNames:
    """The stores that rows may name.

    `stores`: every location id with its store, or None. `listed`: the store list's names by id. `spellings`:
    ids with the `location` seen in their rows.
    """

    def __init__(
        self,
        stores: Mapping[str, str | None],
        listed: Mapping[str, str],
        locations: Locations,
        spellings: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.stores = stores
        self.canonical = locations.canonical
        self._known = {*locations.store_names, *filter(None, stores.values())}
        by_spelling: dict[str, set[str]] = defaultdict(set)
        for code, written in (*listed.items(), *spellings):
            if (store := stores.get(code)) and (folded := normalize_text(written)):
                by_spelling[folded].add(store)
        self._by_spelling = {written: min(found) for written, found in by_spelling.items() if len(found) == 1}
        self.named = lru_cache(maxsize=1024)(self._named)

    def _named(self, written: str) -> str | None:
        canonical = self.canonical(written)
        return canonical if canonical in self._known else self._by_spelling.get(normalize_text(written))

    def store_of(self, row: object) -> str | None:
        """The store that a row names: by its location, otherwise by its location id."""
        return self.named(row_text(row, LOCATION)) or self.stores.get(row_text(row, LOCATION_ID))

    def spellings_in(self, rows: Sequence[object]) -> Counter[str]:
        """The shop names in the rows, with the number of rows; rows without one are left out."""
        return Counter(
            written
            for row in rows
            if (written := row_text(row, LOCATION) or self.stores.get(row_text(row, LOCATION_ID)))
        )

    def are_several_shops(self, spellings: Mapping[str, int]) -> bool:
        """Whether rows belong to several shops: more than just a few of them, and not merely by a second
        spelling of one shop, such as a renamed one."""
        shops: Counter[str] = Counter()
        for written, rows in spellings.items():
            shops[self.named(written) or normalize_text(written)] += rows
        known = sum(self.named(shop) is not None for shop in shops)
        if known < 2 and len(shops) < 3:
            return False
        return shops.total() - max(shops.values()) >= shops.total() * MAX_STRAY_SHARE


def known_shop_names(
    listed: Mapping[str, str], locations: Locations, dialects: Mapping[StepName, Dialect]
) -> ShopNames:
    """The stores of locations.toml and of the store list (`listed`: its names by id), with the spellings
    seen in rows."""
    spellings = [pair for dialect in dialects.values() for pair in dialect.spellings]
    return ShopNames(locations_to_ask(listed, locations, ()), listed, locations, spellings)


class AnswerClassifier:
    """Classifies the answers of one report. Thread-safe. `zone`: the business's."""

    def __init__(self, shops: ShopNames, dialect: Dialect, zone: tzinfo) -> None:
        self.shops = shops
        self._zone = zone
        self.dialect = dialect

    def classify(
        self,
        location: str,
        rows: Sequence[Any],
        days: Days | None = None,
        *,
        store_from_row: bool | None = None,
        look: Look = lambda: None,
    ) -> AnswerRows:
        """Classify an answer's rows. `store_from_row`: whether each row's own location decides its store;
        None: by what is known of the report, or seen in these rows. Raises whatever `look` raises."""
        spellings = self.shops.spellings_in(rows)
        if store_from_row is None:
            store_from_row = (
                not location or self.dialect.store_from_row or self.shops.are_several_shops(spellings)
            )
        store = self.shops.store_of if store_from_row else self.shops.stores.get(location)
        answer = unclassified(self.dialect.report, location, store, rows, self._zone)
        answer.spellings = spellings
        return classify(answer, days, look, store)
