"""A client that adds nothing of its own: http.client, the contract's body, the answer's bytes."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http.client import HTTPConnection
from typing import Any, NamedTuple

from syncctl.sandbox import Sandbox

STORE_LIST = "/api/Location/LocationList"
REPORTS = {"booking": "/api/Reports/GetBookingReport", "return": "/api/Reports/GetReturnReport"}
HEADERS = {"Content-Type": "application/json-patch+json", "accept": "text/plain"}
BODY = {"locationID": "7", "months": "12"}
RETURN_BODY = {
    "bookingNo": "",
    "dateFrom": "",
    "dateTo": "",
    "userName": "",
    "months": "12",
    "fromLocation": "",
    "userID": "",
    "locationID": "7",
}
BODIES = {"booking": BODY, "return": RETURN_BODY}
"""A whole window's, of each report."""


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def rows(self) -> Any:
        return self.document["dataSet"]["data"]


@contextmanager
def connected(sandbox: Sandbox) -> Iterator[HTTPConnection]:
    """A connection that is closed in the end."""
    host, _, port = sandbox.base_url.removeprefix("http://").partition(":")
    connection = HTTPConnection(host, int(port), timeout=5)
    try:
        yield connection
    finally:
        connection.close()


def ask(
    sandbox: Sandbox,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] = HEADERS,
) -> Reply:
    """One request over a connection of its own; `body` is sent as JSON unless it is bytes."""
    with connected(sandbox) as connection:
        return ask_over(connection, method, path, body, headers)


def ask_over(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] = HEADERS,
) -> Reply:
    """One request over a connection that stays open."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, raw, dict(headers))
    with connection.getresponse() as response:
        return Reply(response.status, dict(response.getheaders()), response.read())


def report(sandbox: Sandbox, api: str, location: str = "7", window: tuple[date, date] | None = None) -> Reply:
    """One report, of the last 12 months or of a window of days."""
    body = {**BODIES[api], "locationID": location}
    if window is not None:
        body |= {"dateFrom": str(window[0]), "dateTo": str(window[1]), "months": "1"}
    return ask(sandbox, "POST", REPORTS[api], body)
