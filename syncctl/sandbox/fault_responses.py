"""The response to each kind of fault, on the wire."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from math import ceil
from time import time
from typing import Any

from syncctl.sandbox.connections import HTML, TEXT, Exchange
from syncctl.sandbox.faults import Fault
from syncctl.sandbox.wire import NO_DATA, OTHER_ENVELOPES

MEGABYTE = 1 << 20
HUGE_BYTES = 200 * MEGABYTE
BOMB_BYTES = 256 * MEGABYTE
SCALARS = (b'"Object reference not set to an instance of an object."', b"0", b"null", b"true")
API_ERROR = {"dataSet": None, "status": False, "errorDescription": "Execution Timeout Expired"}


@dataclass(frozen=True, slots=True)
class FaultyCall:
    """A call with a fault."""

    exchange: Exchange
    fault: Fault

    occurrence: int
    """How many faults of this kind occurred before."""

    rows: Callable[[], list[Any]]
    """Returns the rows of the correct answer."""

    body: Callable[[], bytes]
    """Returns the body of the correct answer."""


def respond_with_fault(call: FaultyCall) -> None:
    """Send the response for the call's fault. ConnectionError: the client disconnected, or the server is
    stopping."""
    _FAULT_RESPONSES[call.fault.kind](call)


def html_page(status: int) -> bytes:
    """An error page like those of the web server in front of the API."""
    title = f"{status} - {HTTPStatus(status).phrase}"
    head, body = f"<head><title>{title}</title></head>", f"<body><h2>{title}</h2></body>"
    return f"<!DOCTYPE html>\r\n<html>{head}{body}</html>\r\n".encode()


def _error_page(call: FaultyCall) -> None:
    status = int(call.fault.kind)
    call.exchange.respond(status, html_page(status), HTML)


def _too_many(call: FaultyCall) -> None:
    fault = call.fault
    if fault.kind == "429-date":
        wait = formatdate(ceil(time() + fault.pause_s), usegmt=True)
    else:
        wait = f"{fault.pause_s:.0f}"
    call.exchange.respond(429, html_page(429), HTML, {"Retry-After": fault.retry_after or wait})


def _slow(call: FaultyCall) -> None:
    call.exchange.server.pause(call.fault.pause_s)
    call.exchange.respond(200, call.body())


def _drip(call: FaultyCall) -> None:
    body = call.body()
    call.exchange.begin(200, TEXT, {"Content-Length": str(len(body))})
    for at in range(len(body)):
        call.exchange.server.pause(call.fault.pause_s)
        if at == len(body) - 1:
            call.exchange.done()
        call.exchange.write(body[at : at + 1])


def _cut(call: FaultyCall) -> None:
    body = call.body()
    half = body[: len(body) // 2]
    if call.occurrence % 2:
        call.exchange.respond(200, half)
        return
    call.exchange.begin(200, TEXT, {"Content-Length": str(len(body))})
    call.exchange.hang_up()
    call.exchange.write(half)


def _huge(call: FaultyCall) -> None:
    head = b'{"dataSet": {"data": ['
    row = json.dumps({"bookingNo": "0", "remarks": "x" * 1000}).encode() + b",\n"
    block = row * (MEGABYTE // len(row))
    call.exchange.begin(200, TEXT)
    call.exchange.write(head)
    for _ in range(HUGE_BYTES // len(block)):
        call.exchange.server.pause(0)
        call.exchange.write(block)
    call.exchange.done()
    call.exchange.write(row.rstrip(b",\n") + b"]}}")


def _gzip_bomb(call: FaultyCall) -> None:
    # A gzip file may have many members (RFC 1952, 2.2), so one compressed megabyte is sent repeatedly.
    blanks = gzip.compress(b" " * MEGABYTE)
    start, end = gzip.compress(b'{"dataSet": {"data": ['), gzip.compress(b"]}}")
    packed = start + blanks * (BOMB_BYTES // MEGABYTE) + end
    call.exchange.respond(200, packed, TEXT, {"Content-Encoding": "gzip"})


def _envelopes(call: FaultyCall) -> None:
    envelope = OTHER_ENVELOPES[call.occurrence % len(OTHER_ENVELOPES)]
    call.exchange.respond(200, json.dumps(envelope(call.rows()), ensure_ascii=False).encode())


_FAULT_RESPONSES: dict[str, Callable[[FaultyCall], None]] = {
    **dict.fromkeys(("500", "502", "503", "504", "401", "403", "404", "429"), _error_page),
    **dict.fromkeys(("429-seconds", "429-date"), _too_many),
    "reset": lambda call: call.exchange.hang_up(reset=True),
    "drop": lambda call: call.exchange.hang_up(),
    "slow": _slow,
    "drip": _drip,
    "cut": _cut,
    "html": lambda call: call.exchange.respond(200, html_page(503), HTML),
    "scalar": lambda call: call.exchange.respond(200, SCALARS[call.occurrence % len(SCALARS)]),
    "redirect": lambda call: call.exchange.respond(302, b"", HTML, {"Location": call.fault.target}),
    "huge": _huge,
    "gzip-bomb": _gzip_bomb,
    "no-data": lambda call: call.exchange.respond(200, json.dumps(NO_DATA).encode()),
    "api-error": lambda call: call.exchange.respond(200, json.dumps(API_ERROR).encode()),
    "envelopes": _envelopes,
}
