"""Checks the tables of a mapping file against each other and against the packaged ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, TypeAlias

from syncctl.domain.lead_fields import file_columns
from syncctl.domain.sources import FILE_STEPS, FILE_WORDS, StepName
from syncctl.errors import SettingsError
from syncctl.files.headers import PACKAGED, Titles, normalize_title
from syncctl.locations import (
    LONGEST_NAME,
    SEPARATOR,
    Locations,
    fold,
    load_locations,
    longest_first,
    spellings_of,
    split_brand,
)
from syncctl.safe_output.printable import printable

_TABLES = ("locations", "brands", "places", "columns")
_STORE_EXPECTED = 'a store is expected as "Brand - Place", such as "Suitor Guy - Calicut"'


Keys: TypeAlias = tuple[str, ...]
"""A table's keys and the key in it: ("columns", "walkin", "Mobile")."""


class Entry(NamedTuple):
    """What one line says."""

    table: str
    key: str
    value: str
    """As it counts: a store by its canonical name."""

    is_new: bool
    """Whether the packaged tables lack it."""


@dataclass(slots=True)
class _Said:
    """What something stands for, and where that is said."""

    value: str
    line: int | None
    """None: in the packaged tables."""

    def __str__(self) -> str:
        where = "the packaged tables say" if self.line is None else f"line {self.line} says"
        return f'{where} "{printable(self.value)}"'


class TableReader:
    """Reads the tables in the order in which they build on each other."""

    def __init__(self, place: str, tables: Mapping[str, Any], lines: Mapping[Keys, int]) -> None:
        """`place`: the file, for messages; `lines`: on which line what stands.

        Raises SettingsError, which names both, for whatever is wrong.
        """
        self._file = place
        self._tables = tables
        self._lines = lines
        self._packaged = load_locations()
        self._brands = {words: _Said(brand, None) for words, brand in self._packaged.brands.items()}
        self._places = {words: _Said(place, None) for words, place in self._packaged.places.items()}
        self._stores: dict[str, _Said] = {}
        self._by_code = dict(self._packaged.by_code)
        self.entries: list[Entry] = []
        for name in tables:
            if name not in _TABLES:
                self._wrong((name,), f"there is no table [{printable(name)}]: {_listed(_TABLES)}")
        self._read_brands()
        whole_stores = self._read_places()
        for code, written in self._texts("locations"):
            self._read_location(code, written)
        for key, written in whole_stores:
            self._read_store(key, written)
        locations = self.locations()
        for key, written in whole_stores:
            store = self._store(("places", key), written)
            if (meaning := locations.canonical(store)) != store:
                self._clash(
                    store, _Said(str(meaning), self._stores[fold(store)].line), store, ("places", key)
                )
        self.titles = {kind: self._read_titles(kind) for kind in FILE_STEPS}

    def locations(self) -> Locations:
        """The table of locations in force."""
        return Locations(
            by_code=self._by_code,
            brands=self._all_brands(),
            places={words: said.value for words, said in self._places.items()},
            by_words={words: said.value for words, said in self._stores.items()},
        )

    def _all_brands(self) -> dict[str, str]:
        return longest_first({words: said.value for words, said in self._brands.items()})

    def _read_brands(self) -> None:
        for brand, spellings in self._table("brands").items():
            keys = ("brands", brand)
            if not isinstance(spellings, list) or not all(isinstance(each, str) for each in spellings):
                self._wrong(keys, 'a list of texts is expected, such as ["sg", "suitor guy"]')
            if SEPARATOR in brand:
                self._wrong(keys, "a brand is expected before the =, without a place")
            if known := self._brands.get(fold(brand)):
                brand = known.value  # noqa: PLW2901 - as it is spelled where it is known
            for written in (brand, *spellings):
                self._say(self._brands, self._folded(keys, written), written, brand, keys)
            new = [each for each in (brand, *spellings) if fold(each) not in self._packaged.brands]
            self._add("brands", brand, ", ".join(spellings), is_new=bool(new))
            taken = next(
                (place for place in self._packaged.places if split_brand(place, self._all_brands())[0]), None
            )
            if taken:
                self._wrong(keys, f'the place "{taken}" would be read as that brand and a place')

    def _read_places(self) -> list[tuple[str, str]]:
        """Read what names a place; returns the entries that name a whole store."""
        entries = list(self._texts("places"))
        places = {fold(key): (key, written) for key, written in entries if SEPARATOR not in written}
        brands = self._all_brands()
        for key, written in entries:
            keys = ("places", key)
            words = self._folded(keys, key)
            if SEPARATOR in written:
                continue
            if split_brand(words, brands)[0] or split_brand(fold(written), brands)[0]:
                self._wrong(keys, _STORE_EXPECTED)
            other, meaning = places.get(fold(written), ("", written))
            if fold(meaning) != fold(written):
                self._clash(written, _Said(meaning, self._line(("places", other))), written, keys)
            place = self._place(keys, written)
            self._say(self._places, words, key, place, keys)
            self._add("places", key, place, is_new=self._packaged.places.get(words) != place)
        return [(key, written) for key, written in entries if SEPARATOR in written]

    def _read_location(self, code: str, written: str) -> None:
        keys = ("locations", code)
        if any(map(str.isspace, code)):
            self._wrong(keys, "a location id is expected before the =, without spaces")
        store, before = self._store(keys, written), self._packaged.by_code.get(code)
        if before not in (None, store):
            self._wrong(keys, f'one id with two stores: {_Said(str(before), None)}, and this "{store}"')
        self._by_code[code] = store
        self._add("locations", code, store, is_new=before is None)

    def _read_store(self, key: str, written: str) -> None:
        keys = ("places", key)
        store, brands = self._store(keys, written), self._all_brands()
        place = self._places.get(split_brand(fold(key), brands)[1])
        if place and place.line not in (None, self._line(keys)) and place.value != store.split(SEPARATOR)[1]:
            self._clash(key, place, store, keys)
        known = Locations(self._by_code, brands, {words: said.value for words, said in self._places.items()})
        for spelling in spellings_of(key, store, brands):
            before = known.canonical(spelling)
            if before != store and before in known.store_names:
                self._clash(spelling, _Said(str(before), self._line_of_store(str(before))), store, keys)
            self._say(self._stores, spelling, spelling, store, keys)
        is_known = self._packaged.canonical(key) in self._packaged.store_names
        self._add("places", key, store, is_new=not is_known)

    def _line_of_store(self, store: str) -> int | None:
        """The line of [locations] that has this store; None if the packaged table has it."""
        if store in self._packaged.store_names:
            return None
        code = next(code for code, each in self._by_code.items() if each == store)
        return self._line(("locations", code))

    def _read_titles(self, kind: StepName) -> Titles:
        columns, table = self._table("columns"), f"columns.{kind}"
        for name in columns:
            if name not in list(FILE_STEPS):
                kinds = _listed([f"columns.{each}" for each in FILE_STEPS])
                self._wrong(("columns", name), f"there is no table [columns.{printable(name)}]: {kinds}")
        known, added = file_columns(kind), dict[str, _Said]()
        for title, column in self._texts("columns", kind):
            keys = ("columns", kind, title)
            folded = normalize_title(title)
            if not folded:
                self._wrong(keys, "a column's title is expected before the =")
            if column not in known:
                of_files = f"is not a column of {FILE_WORDS[kind]}s: {_listed(known)}"
                self._wrong(keys, f'"{printable(column)}" {of_files}')
            packaged = next(iter(PACKAGED.columns_of([title])), None)
            if packaged not in (None, column):
                self._clash(title, _Said(str(packaged), None), column, keys)
            self._say(added, folded, title, column, keys)
            self._add(table, title, column, is_new=packaged is None)
        return Titles(table, {folded: said.value for folded, said in added.items()})

    def _store(self, keys: Keys, written: str) -> str:
        brand, separator, place = written.partition(SEPARATOR)
        if not separator or not fold(place):
            self._wrong(keys, _STORE_EXPECTED)
        known = self._brands.get(fold(brand))
        if known is None:
            brands = _listed(sorted({said.value for said in self._brands.values()}))
            self._wrong(keys, f'"{printable(brand)}" is not a brand: {brands}; a new one belongs in [brands]')
        return f"{known.value}{SEPARATOR}{self._place(keys, place)}"

    def _place(self, keys: Keys, written: str) -> str:
        """The place as it is known, else as written, and known from now on."""
        said = _Said(" ".join(written.split()), self._line(keys))
        return self._places.setdefault(self._folded(keys, written), said).value

    def _texts(self, *keys: str) -> Iterator[tuple[str, str]]:
        """The entries of a table of texts."""
        for key, value in self._table(*keys).items():
            if not isinstance(value, str):
                self._wrong((*keys, key), 'a text is expected, in quotation marks: "…"')
            is_readable = value.strip() and f"{key}{value}".isprintable()
            if not is_readable or max(len(key), len(value)) > LONGEST_NAME:
                what = f"texts of 1 to {LONGEST_NAME} visible characters are expected"
                self._wrong((*keys, key), what)
            yield key, value

    def _table(self, *keys: str) -> Mapping[str, Any]:
        found: Any = self._tables
        for key in keys:
            found = found.get(key, {})
            if not isinstance(found, dict):
                self._wrong(keys, f"a table is expected: [{'.'.join(keys)}]")
        return dict(found)

    def _folded(self, keys: Keys, written: str) -> str:
        words = fold(written)
        if not words:
            self._wrong(keys, f'"{printable(written)}" has no letter or digit')
        return words

    def _say(self, said: dict[str, _Said], words: str, written: str, value: str, keys: Keys) -> None:
        before = said.setdefault(words, _Said(value, self._line(keys)))
        if before.value != value:
            self._clash(written, before, value, keys)

    def _clash(self, written: str, before: _Said, value: str, keys: Keys) -> NoReturn:
        self._wrong(
            keys, f'"{printable(written)}" with two meanings: {before}, and this "{printable(value)}"'
        )

    def _add(self, table: str, key: str, value: str, *, is_new: bool) -> None:
        self.entries.append(Entry(table, key, value, is_new))

    def _line(self, keys: Keys) -> int:
        """The line that a key stands on; of an inline table's keys, the one where that begins."""
        shorter = (keys[:length] for length in range(len(keys), 0, -1))
        return next((self._lines[each] for each in shorter if each in self._lines), 1)

    def _wrong(self, keys: Keys, what: str) -> NoReturn:
        raise SettingsError(f"{self._file}, line {self._line(keys)}: {what}")


def _listed(names: Iterable[str]) -> str:
    return f"there are {', '.join(names)}"
