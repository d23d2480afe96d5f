"""Keeps the machine's own settings from affecting tests with loopback servers."""

import os
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


def client_threads() -> list[threading.Thread]:
    """The client's own threads that are alive: lanes and time limits."""
    names = ("rental-api-", "http-time-limit")
    return [thread for thread in threading.enumerate() if thread.name.startswith(names)]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    assert client_threads() == []
