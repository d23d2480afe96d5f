"""The HTTP server: maps requests to answers."""

import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, NamedTuple, TypeVar

from syncctl.sandbox.connections import HTML, ConnectionServer, Exchange, LoggedRequest, RequestLog
from syncctl.sandbox.dialects import Dialect, LedgerQuery
from syncctl.sandbox.faults import API_ERROR, Fault, FaultPlan, FaultyCall, html_page, respond_with_fault
from syncctl.sandbox.ledger import Ledger
from syncctl.sandbox.wire import STORES, BadRequestError, mentions_rentout, read_report_body

CONTROL = "/_sandbox/"
LARGEST_BODY = 1 << 20
_T = TypeVar("_T")


class Service(NamedTuple):
    """What is served, and how."""

    ledger: Ledger
    plan: FaultPlan
    """Its faults."""

    log: RequestLog
    endpoints: Mapping[str, tuple[str, str]]
    """Method and name of what is under each path."""

    dialects: dict[str, Dialect]
    """Of each report; they may change."""

    today: date
    token: str | None
    """What every call must carry as its Bearer token, if anything."""

    latency_s: float
    """How long each answer takes."""


class ApiServer(ConnectionServer):
    """Serves the rental API, and its own controls under `/_sandbox/`; calls of the API are logged."""

    def __init__(self, address: tuple[str, int], service: Service, sleep: Callable[[float], None]) -> None:
        self.service = service
        super().__init__(address, _Handler, sleep)


class _Handler(Exchange):
    server: ApiServer

    def handle_one_request(self) -> None:
        self.number = None
        super().handle_one_request()

    def _handle(self) -> None:
        arrived = time.monotonic()
        # The raw path: the base class rewrites paths that start with two slashes.
        path = self.requestline.split()[1].partition("?")[0]
        raw = self._read_body()
        if raw is None:
            return
        if path.startswith(CONTROL):
            self._control(path.removeprefix(CONTROL), raw)
            return
        self._note(arrived, path, raw)
        try:
            self.server.pause(self.server.service.latency_s)
            self._answer(path, raw)
        finally:
            self.done()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle  # noqa: N815

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > LARGEST_BODY:
            self.hang_up()
            self._refuse(411, "The body needs a Content-Length of at most a megabyte.")
            return None
        return self.rfile.read(int(length))

    def _note(self, arrived: float, path: str, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        body = body if isinstance(body, dict) else None
        location = body.get("locationID") if body else None
        self.log = self.server.service.log
        self.number = self.log.add(
            LoggedRequest(
                at=arrived,
                done_at=math.inf,
                method=self.command,
                path=path,
                api=self.server.service.endpoints.get(path, ("", "other"))[1],
                location=location if isinstance(location, str) else None,
                body=body,
                headers=self._lower_headers(),
                status=0,
                client_port=self.client_address[1],
            )
        )

    def _answer(self, path: str, raw: bytes) -> None:
        service = self.server.service
        if mentions_rentout(path):
            self._refuse(418, "Rent-out endpoints must never be called.")
            return
        if path not in service.endpoints:
            self.respond(404, html_page(404), HTML)
            return
        method, api = service.endpoints[path]
        if self.command != method:
            self.respond(405, html_page(405), HTML, {"Allow": method})
            return
        if service.token is not None and self.headers.get("Authorization") != f"Bearer {service.token}":
            self.respond(401, html_page(401), HTML, {"WWW-Authenticate": "Bearer"})
            return
        self._call(api, raw)

    def _call(self, api: str, raw: bytes) -> None:
        service = self.server.service
        try:
            query = None if api == STORES else read_report_body(api, self._lower_headers(), raw)
        except BadRequestError as error:
            self._refuse(400, str(error))
            return
        ledger_query = (
            service.dialects[api].ledger_query(query, service.today) if query else LedgerQuery(STORES)
        )
        if ledger_query is None:
            self.respond(200, json.dumps(API_ERROR).encode())
            return
        chosen = service.plan.choose(api, query.location if query else None)
        if chosen is None:
            self.respond(200, service.ledger.answer(ledger_query))
            return
        fault, occurrence = chosen
        rows, body = partial(service.ledger.rows, ledger_query), partial(service.ledger.answer, ledger_query)
        respond_with_fault(FaultyCall(self, fault, occurrence, rows, body))

    def _control(self, name: str, raw: bytes) -> None:
        """Controls for another process: never delayed, faulty or logged."""
        try:
            match self.command, name:
                case "POST", "bookings":
                    added = self.server.service.ledger.add_bookings(_control_value(raw, "count", int))
                    numbers = dict.fromkeys(row["bookingNo"] for row in added)
                    self._respond_json({"added": list(numbers)})
                case "POST", "faults":
                    texts = _control_value(raw, "faults", list)
                    service = self.server.service
                    apis = [api for _, api in service.endpoints.values()]
                    service.plan.replace([Fault.parse(str(text), apis) for text in texts])
                    self._respond_json({"faults": texts})
                case "GET", "requests":
                    self._respond_json([entry.document() for entry in self.server.service.log.entries()])
                case _:
                    self._refuse(404, "POST bookings, POST faults or GET requests.")
        except ValueError as error:
            self._refuse(400, str(error))

    def _refuse(self, status: int, message: str) -> None:
        self.respond(status, f"{message}\n".encode())

    def _respond_json(self, document: Any) -> None:
        self.respond(200, json.dumps(document).encode(), "application/json")

    def _lower_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}


def _control_value(raw: bytes, key: str, kind: type[_T]) -> _T:
    try:
        value = json.loads(raw)[key]
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f'The body must be a JSON object with the key "{key}".') from error
    if not isinstance(value, kind):
        raise ValueError(f'"{key}" must be of type {kind.__name__}.')  # noqa: TRY004 - a client's mistake
    return value
