"""Canonical store names ("Brand - Place"), and the store of each location id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Protocol, Self

from syncctl.text import normalize_unicode

DEFAULT_BRAND = "Suitor Guy"
"""Places without a brand belong to Suitor Guy (contract/locations.toml)."""

DEFAULT_STORE = "default store"
"""The old system's name for an unknown store (contract/files.md: there is no "Default Store")."""

_NOT_WORD = re.compile(r"[\W_]+")


def _words(text: str) -> str:
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
    places: Mapping[str, str]

    @classmethod
    def from_tables(
        cls, by_code: Mapping[str, str], brands: Mapping[str, Iterable[str]], places: Mapping[str, str]
    ) -> Self:
        """Read the three tables of locations.toml; places in the first are canonical already."""
        known = {_words(place): place for place in (name.split(" - ", 1)[1] for name in by_code.values())}
        known |= {_words(written): place for written, place in places.items()}
        aliases = {_words(alias): brand for brand, written in brands.items() for alias in (brand, *written)}
        longest_first = dict(sorted(aliases.items(), key=lambda alias: -len(alias[0])))
        return cls(by_code=dict(by_code), brands=longest_first, places=known)

    def canonical(self, written: str) -> str | None:
        """The canonical name of a store in any spelling, or None if it names no place.

        An unknown place is kept as written (a new shop), in title case.
        """
        words = _words(written)
        if not words or words == DEFAULT_STORE:
            return None
        brand = DEFAULT_BRAND
        for alias, named in self.brands.items():
            if words == alias or words.startswith(alias + " "):
                brand, words = named, words[len(alias) :].strip()
                break
        if not words:
            return None
        return f"{brand} - {self.places.get(words) or words.title()}"

    def store_of(self, code: str, listed_name: str = "") -> str | None:
        """The store of a location id: the name from locations.toml, else from the store list."""
        return self.by_code.get(code) or self.canonical(listed_name)


@cache
def load_locations() -> Locations:
    """The packaged locations.toml."""
    import tomllib

    tables = tomllib.loads(files("syncctl").joinpath("locations.toml").read_text(encoding="utf-8"))
    return Locations.from_tables(tables["locations"], tables["brands"], tables["places"])
