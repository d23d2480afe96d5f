"""Which faults occur, when and how often, and what each looks like on the wire."""

import gzip
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from math import ceil
from random import Random
from time import time
from types import MappingProxyType
from typing import Any, NamedTuple

from syncctl.sandbox.connections import HTML, TEXT, Exchange
from syncctl.sandbox.vocabulary import seeded
from syncctl.sandbox.wire import APIS, NO_DATA, OTHER_ENVELOPES

FAULT_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "500": "500 with an HTML page",
        "502": "502 with an HTML page",
        "503": "503 with an HTML page",
        "504": "504 with an HTML page",
        "429": "429 without Retry-After",
        "429-seconds": "429 with Retry-After in seconds",
        "429-date": "429 with Retry-After as an HTTP date",
        "reset": "connection reset",
        "drop": "connection closed without an answer",
        "slow": "the right answer, after a minute",
        "drip": "the right answer, byte by byte",
        "cut": "body cut off in the middle: the length says more, and the next time it does not",
        "html": "an HTML page with status 200",
        "scalar": "a JSON scalar with status 200",
        "401": "401: the key is wrong",
        "403": "403: the key is wrong",
        "404": "404",
        "redirect": "302 to another address",
        "huge": "200 MB",
        "gzip-bomb": "a small body that unpacks to 256 MB",
        "no-data": "the no-data answer",
        "api-error": "status false with an error description",
        "envelopes": "the right rows in each of the other envelopes in turn",
    }
)
"""Every kind of fault, and what the client sees."""

_SECONDS = {"slow": 60.0, "drip": 0.2, "429-seconds": 1.0, "429-date": 1.0}

_SYNTAX = re.compile(r"([^=@:]+)(?:=([0-9]*\.?[0-9]+))?(?:@([^:]+)(?::(.+))?)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of trouble (see FAULT_KINDS), for all calls or for those of one API or location.

    Raises ValueError, with a message for the user, for values that make no fault.
    """

    kind: str
    rate: float = 1.0
    """Which share of the calls it strikes: more than 0, at most 1."""

    api: str | None = None
    """Stores or a report's name; the plan checks it."""

    location: str | None = None
    times: int | None = None
    """After how many it is over; None: never."""

    seconds: float | None = None
    """How long slow waits, drip pauses before each byte, or a 429 asks to wait (default: 60, 0.2, 1)."""

    retry_after: str | None = None
    """Sent as it is, instead of the seconds."""

    target: str = "/maintenance.html"
    """Where a redirect leads."""

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"{self.kind!r} isn't a kind of fault.")
        if not 0 < self.rate <= 1:
            raise ValueError(f"The rate of a fault is more than 0 and at most 1, not {self.rate}.")

    @classmethod
    def parse(cls, text: str, apis: Collection[str] = APIS) -> "Fault":
        """Read `KIND[=RATE][@API[:LOCATION]]`, e.g. `503=0.2`, `reset@booking`, `slow=0.1@return:7`. `apis`:
        those that there are.

        Raises ValueError with a message for the user.
        """
        try:
            found = _SYNTAX.fullmatch(text.strip())
            kind, rate, api, location = found.groups() if found else (text, None, None, None)
            return checked(cls(kind, rate=float(rate or 1), api=api, location=location), apis)
        except ValueError as error:
            raise ValueError(
                f"The fault {text!r} is not understood. {error}\n"
                "Write KIND[=RATE][@API[:LOCATION]], for example 503=0.2 or slow=0.1@return:7. "
                f"Kinds: {', '.join(FAULT_KINDS)}."
            ) from error

    @property
    def pause_s(self) -> float:
        """`seconds`, or the default of its kind."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def matches(self, api: str, location: str | None) -> bool:
        """Whether the fault can affect such a call."""
        return self.api in (None, api) and self.location in (None, location)


def checked(fault: Fault, apis: Collection[str]) -> Fault:
    """The same. Raises ValueError, with a message for the user, where it is none of these APIs'."""
    if fault.api is not None and fault.api not in apis:
        raise ValueError(f"A fault applies to {', '.join(apis)} or all of them, not {fault.api!r}.")
    return fault


class FaultPlan:
    """Decides call by call which fault occurs; thread-safe.

    Each location of each API has its own seeded random generator, so that the fault of its n-th call does not
    depend on how threads interleave (`times` counts across all of them).
    """

    def __init__(self, seed: int, faults: Sequence[Fault], apis: Collection[str] = APIS) -> None:
        self._seed = seed
        self._apis = apis
        self._rngs: dict[tuple[str, str | None], Random] = {}
        self._served: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.replace(faults)

    def replace(self, faults: Sequence[Fault]) -> None:
        """These faults from now on, and no others. Raises ValueError where one is none of the APIs'."""
        faults = [checked(fault, self._apis) for fault in faults]
        with self._lock:
            self._faults = tuple(faults)
            self._times_served = [0] * len(self._faults)

    def choose(self, api: str, location: str | None) -> tuple[Fault, int] | None:
        """The first fault that affects this call, and how many of its kind there were before; or None."""
        with self._lock:
            if (api, location) not in self._rngs:
                self._rngs[api, location] = seeded(self._seed, "faults", api, location)
            rng = self._rngs[api, location]
            for index, fault in enumerate(self._faults):
                spent = fault.times is not None and self._times_served[index] >= fault.times
                if fault.matches(api, location) and not spent and rng.random() < fault.rate:
                    self._times_served[index] += 1
                    self._served[fault.kind] += 1
                    return fault, self._served[fault.kind] - 1
            return None

    def served(self) -> Counter[str]:
        """How many faults of each kind have occurred."""
        with self._lock:
            return self._served.copy()


MEGABYTE = 1 << 20
HUGE_BYTES = 200 * MEGABYTE
BOMB_BYTES = 256 * MEGABYTE
SCALARS = (b'"Object reference not set to an instance of an object."', b"0", b"null", b"true")
API_ERROR = {"dataSet": None, "status": False, "errorDescription": "Execution Timeout Expired"}


class FaultyCall(NamedTuple):
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
