"""The servers to measure against: a sandbox of the rental API in its own process, and a real mongod."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from pymongo import MongoClient

from tests.support.mongod import TIED_TO_PARENT, with_database


@dataclass(frozen=True, slots=True)
class Api:
    """A running sandbox."""

    url: str

    def calls(self) -> int:
        """How many requests it has received."""
        with urlopen(f"{self.url}/_sandbox/requests") as answer:  # noqa: S310 - loopback
            return len(json.load(answer))


@contextmanager
def sandbox(*, locations: int = 21, bookings: int = 500, latency_ms: int = 0) -> Iterator[Api]:
    """A sandbox with so many locations and bookings at each, which ends with this process at the latest."""
    command = [sys.executable, "-S", "-c", TIED_TO_PARENT, str(os.getpid())]
    command += [sys.executable, "-m", "syncctl", "sandbox", "--port", "0"]
    command += ["--locations", str(locations), "--bookings", str(bookings), "--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield Api(process.stdout.readline().strip().removeprefix("API_BASE_URL="))
        finally:
            process.terminate()


class Mongo:
    """A database on a running server."""

    def __init__(self, server: str, name: str) -> None:
        self.url = with_database(server, name)
        self._client: MongoClient[dict[str, Any]] = MongoClient(server)
        self._name = name

    def close(self) -> None:
        """Drop the database and let go of the server."""
        self.empty()
        self._client.close()

    def empty(self) -> None:
        """Drop the database."""
        self._client.drop_database(self._name)

    def leads(self) -> Any:
        """Its leads, as pymongo gives them."""
        return self._client[self._name]["leads"]

    def stats(self, collection: str) -> dict[str, Any]:
        """The server's figures of a collection, all of whose documents are on disk."""
        self._client.admin.command("fsync")
        return self._client[self._name].command("collStats", collection)

    def round_trips(self) -> int:
        """How many requests the server has received from anyone."""
        status = self._client.admin.command("serverStatus", repl=0, metrics=0, wiredTiger=0)
        requests: int = status["network"]["numRequests"]
        return requests
