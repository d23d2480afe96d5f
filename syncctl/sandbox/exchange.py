"""Sends an answer, intact or broken, over a connection."""

import socket
import struct
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any

from syncctl.sandbox.connections import ConnectionServer
from syncctl.sandbox.requestlog import RequestLog

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
