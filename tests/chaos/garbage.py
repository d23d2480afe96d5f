"""Garbage: unexpected JSON values, and a rental API on loopback that answers with them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from hypothesis import strategies as st

from syncctl.api.wire import Endpoint
from syncctl.domain.sources import API_STEPS
from syncctl.locations import Locations, load_locations
from syncctl.sandbox import Sandbox
from tests.chaos.garbage_rows import SOUND_ROW
from tests.chaos.garbage_values import KEYS, NASTY_NUMBERS, NASTY_TEXTS, OPERATORS
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply
from tests.support.world import World

STORES = {"7": "Suitor Guy - Perinthalmanna", "144": "Zorucci - Edappally"}
TODAY = date(2026, 3, 11)

texts = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=12),  # with lone surrogates and NUL
    st.sampled_from(NASTY_TEXTS),
)
numbers = st.one_of(st.integers(), st.floats(), st.sampled_from(NASTY_NUMBERS))
keys = st.sampled_from(KEYS)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(keys, texts), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Any JSON value, including those of Python's JSON dialect (NaN, Infinity, lone surrogates)."""

almost_sound = st.builds(
    lambda changes: SOUND_ROW | changes,
    st.dictionaries(
        st.one_of(st.sampled_from(list(SOUND_ROW)), keys),
        st.one_of(values, st.sampled_from(OPERATORS)),
        max_size=4,
    ),
)
rows = st.one_of(
    almost_sound, almost_sound, st.dictionaries(st.one_of(keys, texts), values, max_size=6), values
)
"""Rows of a report: valid rows with garbage in them, objects of garbage, and values that are not rows."""


class GarbageApi:
    """The API's answers: `stores` is its store list, `rows` (JSON texts) each report of location 7, and
    `body`, if set, the whole answer for every report."""

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
        world.config = world.config._replace(
            endpoints={step: Endpoint(f"{server.url}/{step}", None, "API_TOKEN") for step in API_STEPS},
            concurrency=1,
            max_tries=1,
        )
        try:
            yield world, api
        finally:
            world.close()
