"""`doctor` on location ids: does the API mean the same shops as locations.toml, and does it honour the ids?

The shops in its rows are known from syncs, and the store list as last fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from syncctl.domain.checks import Finding
from syncctl.domain.dialects import Dialect, LocationIds
from syncctl.domain.sources import PLURALS, StepName
from syncctl.locations import Locations
from syncctl.services.checks.windows import reader_day
from syncctl.services.sync.asked_locations import location_order
from syncctl.text import and_more, mapping_line

LOCATION_IDS = "Location ids"
IDS_SHOWN = 10


def check_location_ids(
    listed: Mapping[str, str], dialects: Mapping[StepName, Dialect], locations: Locations, now: datetime
) -> Iterator[Finding]:
    """`listed`: the store list's names by id; `now`: in the zone of the reader's days. No findings before the
    first sync."""
    if listed or dialects:
        yield _names(listed, dialects, locations)
    if listed:
        yield from _unknown_to_one(listed, locations)
    for dialect in dialects.values():
        if dialect.store_from_row:
            yield _ids(dialect, now)


def _names(listed: Mapping[str, str], dialects: Mapping[StepName, Dialect], locations: Locations) -> Finding:
    said = [(code, "its rows", name) for dialect in dialects.values() for code, name in dialect.spellings]
    said += [(code, "the store list", name) for code, name in listed.items()]
    others: dict[str, dict[str, str]] = {}
    for code, where, name in said:
        store = locations.by_code.get(code)
        if store is not None and locations.canonical(name) not in (None, store):
            others.setdefault(code, {})[where] = name
    if not others:
        return Finding.passed(LOCATION_IDS, "the API has the same store for each of them as locations.toml")
    named = [
        f"{code} ({locations.by_code[code]}; {_names_by_place(others[code])})"
        for code in sorted(others, key=location_order)
    ]
    return Finding.warning(
        LOCATION_IDS,
        f"the API and locations.toml name different stores for {_first(named)}",
        "Leads get the store of locations.toml: ask the API's provider which shops these ids are, and "
        "correct the file where it is wrong.",
    )


def _names_by_place(names: Mapping[str, str]) -> str:
    return ", ".join(f"{where}: {name}" for where, name in names.items())


def _unknown_to_one(listed: Mapping[str, str], locations: Locations) -> Iterator[Finding]:
    new = sorted(listed.keys() - locations.by_code.keys(), key=location_order)
    if new:
        named = [f"{code} ({listed[code] or 'without a name: its rows are rejected'})" for code in new]
        yield Finding.warning(
            "New location ids",
            f"in the store list, but not in locations.toml: {_first(named)}",
            "Their leads get the store list's name: check how it is written, and "
            f"{_line_to_add(new, listed, locations)}.",
        )
    old = sorted(locations.by_code.keys() - listed.keys(), key=location_order)
    if old:
        yield Finding.passed(
            "Old location ids",
            f"in locations.toml, but not in the store list: {_first(old)}. They are asked for all the same; "
            "the API's provider can say which are still in use",
        )


def _line_to_add(new: Sequence[str], listed: Mapping[str, str], locations: Locations) -> str:
    """The line for the first of these ids; the others need the same."""
    store = locations.canonical(listed[new[0]]) or "BRAND - PLACE"
    return mapping_line("locations", new[0], store) + (" and so on" if len(new) > 1 else "")


def _ids(dialect: Dialect, now: datetime) -> Finding:
    since = f" since {reader_day(dialect.ids_since, now)}" if dialect.ids_since else ""
    how = "only an empty one brings rows" if dialect.ids is LocationIds.EMPTY else "ignored"
    return Finding.warning(
        f"{LOCATION_IDS}: {PLURALS[dialect.report]}",
        f"{how}{since} ({dialect.ids_seen}): the location in each row decides its store",
        "Ask the API's provider how to ask for one location.",
    )


def _first(entries: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    every = list(entries)
    more = and_more(len(every) - IDS_SHOWN)
    return f"{', '.join(every[:IDS_SHOWN])}{more}"
