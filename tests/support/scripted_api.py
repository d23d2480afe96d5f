"""A world whose rental API answers with bodies given by the test."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.support.scripted_server import Received, Reply, ScriptedServer, reply
from tests.support.world import World

STORES = [
    {"locCode": "7", "locName": "SG.Perinthalmanna", "status": 1},
    {"locCode": "13", "locName": "SG.CALICUT", "status": 1},
]

Answers = Callable[[str], Any]
"""Gives the body of a location's report."""


@contextmanager
def answering(world: World, answers: Answers, stores: Any = STORES) -> Iterator[ScriptedServer]:
    """Replaces the world's API in the `with` block: `answers` returns each location's body, for both
    reports."""

    def script(received: Received) -> Reply:
        body = stores if received.method == "GET" else answers(received.location)
        return reply(json.dumps(body).encode())

    with ScriptedServer(script) as server:
        endpoints = {
            step: replace(endpoint, url=f"{server.url}/{step}")
            for step, endpoint in world.config.endpoints.items()
        }
        world.config = world.config._replace(endpoints=endpoints, max_tries=1)
        yield server
