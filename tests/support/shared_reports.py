"""Both reports of a few shops, with a configurable reaction to the location id."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from syncctl.domain.sources import SOURCES
from syncctl.sandbox import Sandbox
from tests.support.oracle import Expectation
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply
from tests.support.world import World

Rows = list[dict[str, Any]]
NO_DATA = {"dataSet": None, "status": False, "errorDescription": "No data found"}


class SharedReports:
    """`rows`: the rows of each report ("booking", "return") by location id, each naming its own shop.
    `answer`: which rows a location id gets; None: an error."""

    def __init__(self, sandbox: Sandbox) -> None:
        spelling = {str(row["locCode"]): row["locName"] for row in sandbox.rows("stores")}
        self.rows: dict[str, dict[str, Rows]] = {
            api: {
                code: [row | {"location": spelling[code]} for row in sandbox.rows(api, code)]
                for code in sandbox.locations
            }
            for api in ("booking", "return")
        }
        self.answer: Callable[[str, str], Rows | None] = self.of_its_own
        self.asked: list[tuple[str, str]] = []

    def of_its_own(self, api: str, location: str) -> Rows | None:
        """The id is honoured."""
        return self.rows[api].get(location, [])

    def of_all(self, api: str, location: str) -> Rows | None:
        """The id is ignored."""
        return [row for rows in self.rows[api].values() for row in rows]

    def only_without_id(self, api: str, location: str) -> Rows | None:
        """Only an empty id is answered."""
        return [] if location else self.of_all(api, location)

    def expected(self, world: World) -> Expectation:
        """What must be stored: each row under its own shop."""
        expectation = Expectation()
        for api, shops in self.rows.items():
            for code, rows in shops.items():
                expectation.add(api, world.locations.by_code[code], rows)
        return expectation

    @contextmanager
    def served_to(self, world: World) -> Iterator[None]:
        """Make the world ask this server; its store list remains the sandbox's."""
        with ScriptedServer(self._reply) as server:
            here = {
                report: replace(world.config.endpoints[report], url=server.url + source.path)
                for report, source in SOURCES.items()
            }
            world.config = world.config._replace(endpoints={**world.config.endpoints, **here})
            yield

    def _reply(self, received: Received) -> Reply:
        api = "booking" if "Booking" in received.path else "return"
        self.asked.append((api, received.location))
        rows = self.answer(api, received.location)
        if rows is None:
            return reply(b"locationID is missing", status=400)
        envelope = {"dataSet": {"data": rows}, "status": True, "errorDescription": None} if rows else NO_DATA
        return reply(json.dumps(envelope).encode())
