"""Canonical store names ("Brand - Place"), and the store of each location id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Protocol, Self

from syncctl.text import mapping_line, normalize_unicode

DEFAULT_BRAND = "Suitor Guy"
"""Places without a brand belong to Suitor Guy (contract/locations.toml)."""

DEFAULT_STORE = "default store"
"""The old system's name for an unknown store (contract/files.md: there is no "Default Store")."""

SEPARATOR = " - "
"""Between brand and place."""

LONGEST_NAME = 60
"""Characters of a brand, a place, a store or an id."""

_MANY_DIGITS = re.compile(r"\d(?:\D?\d){5}")
"""More than any shop has in its name: perhaps a customer's phone number."""

_NOT_WORD = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """A brand, place or store reduced to its words, case-folded, for comparison."""
    return _NOT_WORD.sub(" ", normalize_unicode(text)).strip().casefold()


ALL_LOCATIONS = "all locations"
"""The meaning of an empty location id."""


def location_words(code: str) -> str:
    """A location id for messages."""
    return f"location {code}" if code else ALL_LOCATIONS


class StoreNames(Protocol):
    """Canonicalizes store names in any spelling (`Locations`)."""

    def canonical(self, written: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Locations:
    """The contract's location table."""

    by_code: Mapping[str, str]
    """Location id -> canonical store name."""

    brands: Mapping[str, str]
    """Brand as written, folded -> brand; the longest first."""

    places: Mapping[str, str]
    """Place as written, folded -> canonical place."""

    by_words: Mapping[str, str] = field(default_factory=dict)
    """Store as written, folded -> canonical store name, where a mapping file says so in full."""

    @classmethod
    def from_tables(
        cls, by_code: Mapping[str, str], brands: Mapping[str, Iterable[str]], places: Mapping[str, str]
    ) -> Self:
        """Read the three tables of locations.toml; places in the first are canonical already."""
        known = {fold(place): place for place in (name.split(SEPARATOR, 1)[1] for name in by_code.values())}
        known |= {fold(written): place for written, place in places.items()}
        aliases = {fold(alias): brand for brand, written in brands.items() for alias in (brand, *written)}
        return cls(by_code=dict(by_code), brands=longest_first(aliases), places=known)

    @property
    def store_names(self) -> frozenset[str]:
        """The canonical names of all stores in the tables."""
        return frozenset((*self.by_code.values(), *self.by_words.values()))

    def canonical(self, written: str) -> str | None:
        """The canonical name of a store in any spelling, or None if it names no place.

        An unknown place is kept as written (a new shop), in title case.
        """
        words = fold(written)
        if not words or words == DEFAULT_STORE:
            return None
        if words in self.by_words:
            return self.by_words[words]
        brand, words = split_brand(words, self.brands)
        if not words:
            return None
        return f"{brand or DEFAULT_BRAND}{SEPARATOR}{self.places.get(words) or words.title()}"

    def line_to_add(self, written: str) -> str:
        """The line of a mapping file that makes an unknown store known, in words; "" where nothing that is
        written could be a store."""
        store = self.canonical(written)
        if store is None or len(written) > LONGEST_NAME or _MANY_DIGITS.search(written):
            return ""
        words = fold(written)
        place = split_brand(words, self.brands)[1]
        # Where the place has a shop of another brand, only brand and place together mean this one.
        return mapping_line("places", words if place in self.places else place, store)

    def store_of(self, code: str, listed_name: str = "") -> str | None:
        """The store of a location id: the name from locations.toml, else from the store list."""
        return self.by_code.get(code) or self.canonical(listed_name)


def longest_first(brands: Mapping[str, str]) -> dict[str, str]:
    """Brands by their folded names, in the order in which a text is looked at for them."""
    return dict(sorted(brands.items(), key=lambda brand: -len(brand[0])))


def split_brand(words: str, brands: Mapping[str, str]) -> tuple[str | None, str]:
    """The brand that folded words begin with, if any, and the rest of them."""
    for alias, brand in brands.items():
        if words == alias or words.startswith(alias + " "):
            return brand, words[len(alias) :].strip()
    return None, words


def spellings_of(written: str, store: str, brands: Mapping[str, str]) -> set[str]:
    """What means `store`, folded, where a mapping file says that `written` does: with each name of its brand
    before it as well, unless another brand is written there."""
    words, of_store = fold(written), store.partition(SEPARATOR)[0]
    brand, place = split_brand(words, brands)
    if brand not in (None, of_store):
        return {words}
    return {words, *(f"{alias} {place}" for alias, of_alias in brands.items() if of_alias == of_store)}


@cache
def load_locations() -> Locations:
    """The packaged locations.toml."""
    import tomllib

    tables = tomllib.loads(files("syncctl").joinpath("locations.toml").read_text(encoding="utf-8"))
    return Locations.from_tables(tables["locations"], tables["brands"], tables["places"])
