"""A TCP server that can be stopped at any time, and what it sends, intact or broken, over a connection."""

import contextlib
import math
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request."""

    at: float
    """The monotonic clock's seconds."""

    done_at: float
    """The same, just before the last byte is sent, so that two calls of one client never seem to overlap;
    infinite while the answer is under way."""

    method: str
    path: str
    api: str
    """Stores, a report's name, or other."""

    location: str | None
    """The locationID that a report was asked for."""

    body: dict[str, Any] | None
    """If it was a JSON object."""

    headers: dict[str, str]
    """With lower-case names."""

    status: int
    """0 if nothing was answered."""

    client_port: int
    """Tells connections apart."""

    def document(self) -> dict[str, Any]:
        """The request as JSON values, without its key; `done_at` is None while in progress."""
        document = asdict(self)
        document["done_at"] = None if math.isinf(self.done_at) else self.done_at
        if "authorization" in self.headers:
            document["headers"]["authorization"] = "***"
        return document


class RequestLog:
    """LoggedRequests in order of arrival; thread-safe."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        self._lock = threading.Lock()

    def entries(self) -> list[LoggedRequest]:
        """A copy of the entries so far."""
        with self._lock:
            return list(self._entries)

    def add(self, request: LoggedRequest) -> int:
        """Record an arrival. Returns the number for later updates."""
        with self._lock:
            self._entries.append(request)
            return len(self._entries) - 1

    def answered(self, number: int, status: int) -> None:
        """Record the status being sent."""
        with self._lock:
            self._entries[number] = replace(self._entries[number], status=status)

    def done(self, number: int) -> None:
        """Record that the answer is complete; only the first call counts."""
        with self._lock:
            entry = self._entries[number]
            self._entries[number] = replace(entry, done_at=min(entry.done_at, time.monotonic()))


ACCEPT_POLL_S = 0.01
PAUSE_SLICE_S = 0.05
JOIN_S = 5.0


class ServerStoppedError(ConnectionError):
    """The server was stopped while an answer was being sent."""


class ConnectionServer(socketserver.TCPServer):
    """Listens on `address` once created (OSError if it can't); answers from `start` to `stop`."""

    allow_reuse_address = True
    request_queue_size = 128  # with the default of 5, a burst of connections waits for a second

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[socketserver.BaseRequestHandler],
        sleep: Callable[[float], None],
    ) -> None:
        self._sleep = sleep
        self._stopping = threading.Event()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(address, handler)
        self._acceptor = threading.Thread(target=self.serve_forever, args=(ACCEPT_POLL_S,), daemon=True)

    def start(self) -> None:
        """Start answering."""
        self._acceptor.start()

    def stop(self) -> None:
        """Stop listening, break every connection, wait for the threads (a few seconds at most)."""
        self._stopping.set()
        self.shutdown()
        self.server_close()
        self._acceptor.join(JOIN_S)
        with self._lock:
            connections = dict(self._connections)
        for connection in connections.values():
            # Its thread may just have closed it.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        give_up_at = time.monotonic() + JOIN_S
        for thread in connections:
            thread.join(max(0.0, give_up_at - time.monotonic()))

    def pause(self, seconds: float) -> None:
        """Sleep; raises ServerStoppedError as soon as the server stops."""
        left = seconds
        while left > 0:
            self._raise_if_stopping()
            self._sleep(min(left, PAUSE_SLICE_S))
            left -= PAUSE_SLICE_S
        self._raise_if_stopping()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        # Without the usual shutdown(), which would send a FIN: a reset must stay a reset.
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A disconnect or a stop is not an error; the base class prints anything else.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:  # noqa: BLE001 - as socketserver does: one connection's end is not the server's
            self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)
            with self._lock:
                del self._connections[threading.current_thread()]

    def _raise_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise ServerStoppedError


TEXT = "text/plain"  # what the API calls its JSON, without a charset (contract/rental-api.md)
HTML = "text/html"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Exchange(BaseHTTPRequestHandler):
    """One connection. What it sends is recorded in `log` under `number`, if set."""

    protocol_version = "HTTP/1.1"
    server_version = "syncctl-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    server: ConnectionServer
    log: RequestLog
    number: int | None = None

    def respond(
        self, status: int, body: bytes, kind: str = TEXT, headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        """Send a whole answer; the connection stays open."""
        self.begin(status, kind, {**headers, "Content-Length": str(len(body))})
        self.done()
        if self.command != "HEAD":
            self.write(body)

    def begin(self, status: int, kind: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        """Send the head of an answer. Without a Content-Length, closing the connection ends it."""
        if self.number is not None:
            self.log.answered(self.number, status)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def write(self, piece: bytes) -> None:
        """Send a piece of the body. ConnectionError: the client disconnected, or the server is stopping."""
        self.wfile.write(piece)

    def done(self) -> None:
        """Record that the answer is complete; to be called before its last byte is sent."""
        if self.number is not None:
            self.log.done(self.number)

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection after this exchange; with a TCP reset if `reset`."""
        if reset:
            # Linger on, for 0 seconds: close() then drops the connection with an RST (socket(7)).
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.done()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """No output on stderr: the request log has everything."""
