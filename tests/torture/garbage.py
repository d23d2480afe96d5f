"""Garbage: JSON values that no one would expect, and a rental API on loopback that answers with them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from hypothesis import strategies as st

from syncctl.api.wire import Endpoint
from syncctl.locations import Locations, load_locations
from syncctl.sandbox import Sandbox
from tests.support.oracle import ALIASES
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply
from tests.support.world import World

STORES = {"7": "Suitor Guy - Perinthalmanna", "144": "Zorucci - Edappally"}
TODAY = date(2026, 3, 11)

texts = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=12),  # with lone surrogates and NUL
    st.sampled_from(
        [
            *(
                "",
                " ",
                "\0",
                "\ud800",
                "\udfff\ud800",
                "\x1f",
                "a\x1fb",
                "$where",
                "a.b",
                "$ne",
                "null",
                "NaN",
            ),
            *("9" * 5000, "x" * 20_000, "\0" * 300, "😀" * 3000, "=1+1", "-", "İ", "ß", "\u202e"),
            *("+91 94000 00001", "94000 00001/94000 00002", "٩٤٠٠٠٠٠٠٠١", "9400000001.0", "9.4E+09", "12"),
            *("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "2026-02-30", "1900-01-01", "20260311"),
            *("2026-03-11T10:00:00+14:00", "0001-01-01T00:00:00+14:00", "2026-W11-3", "0000-00-00", "1e999"),
        ]
    ),
)
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**53 + 1, 2**63, 2**64, 10**400, -0.0, 1e308, 5e-324, 9400000001, 9400000001.0]),
)
keys = st.sampled_from(
    [
        *(name for names in ALIASES.values() for name in names),
        *(
            "itemCode",
            "locCode",
            "locName",
            "city",
            "status",
            "$ne",
            "$where",
            "a.b",
            "",
            "_id",
            "__proto__",
            "\0",
        ),
    ]
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(keys, texts), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Anything that JSON can say, and what Python's JSON says beyond it (NaN, Infinity, lone surrogates)."""

OPERATORS: tuple[Any, ...] = (
    {"$ne": None},
    {"$gt": ""},
    {"$regex": ".*"},
    {"$in": ["1001"]},
    {"$where": "1"},
    ["1001"],
)
_SOUND = {
    "bookingNo": "2002",
    "customerName": "Anagha",
    "phoneNo": "9400000002",
    "bookingDate": "2026-03-01T10:00:00",
    "returnDate": "2026-03-02T10:00:00",
    "deliveryDate": "2026-03-05T00:00:00",
    "price": 1500.5,
    "itemCode": "X1",
}
almost_sound = st.builds(
    lambda changes: _SOUND | changes,
    st.dictionaries(
        st.one_of(st.sampled_from(list(_SOUND)), keys),
        st.one_of(values, st.sampled_from(OPERATORS)),
        max_size=4,
    ),
)
rows = st.one_of(
    almost_sound, almost_sound, st.dictionaries(st.one_of(keys, texts), values, max_size=6), values
)
"""Rows of a report: sound ones with garbage in them, records of garbage, and what is no record."""


def mixed(pool: list[Any], count: int, luck: Random) -> list[Any]:
    """So many rows, of which most are two of the pool's records crossed: far more than it has, as quickly."""
    records = [row for row in pool if isinstance(row, dict)]
    crossed = []
    for _ in range(count - len(pool) if records else 0):
        one, other = luck.choice(records), luck.choice(records)
        crossed.append(one | {name: other[name] for name in other if luck.random() < 0.5})
    return [*pool, *crossed]


class GarbageApi:
    """What the API answers: `stores` as its store list, `rows` (JSON texts) as each report of location 7, and
    `body`, where there is one, as every report whole."""

    def __init__(self) -> None:
        self.stores: list[str] = [
            json.dumps({"locCode": code, "locName": name}) for code, name in STORES.items()
        ]
        self.rows: list[str] = []
        self.body: bytes | None = None

    def answer(self, received: Received) -> Reply:
        if received.method == "GET":
            return reply(_envelope(self.stores))
        if self.body is not None:
            return reply(self.body)
        return reply(_envelope(self.rows if received.location == "7" else []))


def _envelope(rows: list[str]) -> bytes:
    if not rows:
        return b'{"dataSet": null, "status": false, "errorDescription": "No data found"}'
    return f'{{"dataSet": {{"data": [{",".join(rows)}]}}, "status": true}}'.encode("ascii")


@contextmanager
def garbage_world(url: str) -> Iterator[tuple[World, GarbageApi]]:
    """A world whose API answers with whatever it is given."""
    api = GarbageApi()
    tables = load_locations()
    with ScriptedServer(api.answer) as server:
        world = World(Sandbox(locations=0, today=TODAY), url, Locations(STORES, tables.brands, tables.places))
        world.config = replace(
            world.config,
            stores=Endpoint(f"{server.url}/stores", None, "STORE_API_KEY"),
            booking=Endpoint(f"{server.url}/booking", None, "BOOKING_API_KEY"),
            returns=Endpoint(f"{server.url}/return", None, "RETURN_API_KEY"),
            concurrency=1,
            max_tries=1,
        )
        try:
            yield world, api
        finally:
            world.close()
