"""How an answer, sound or broken, is put on a connection."""

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
    """One connection. Whatever it sends is noted in `log` under `number`, where that is set."""

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
        """A whole answer; the connection is kept for the next request."""
        self.begin(status, kind, {**headers, "Content-Length": str(len(body))})
        self.done()
        if self.command != "HEAD":
            self.write(body)

    def begin(self, status: int, kind: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        """The head of an answer. Without a Content-Length, the end of the connection is its end."""
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
        """A piece of the body. ConnectionError: the client has gone, or the server stops."""
        self.wfile.write(piece)

    def done(self) -> None:
        """Note that the answer is over: to be called before its last byte is written."""
        if self.number is not None:
            self.log.done(self.number)

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection after this exchange; with a TCP reset instead of a proper end if asked."""
        if reset:
            # Linger on, for 0 seconds: close() then drops the connection with an RST (socket(7)).
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.done()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr: who wants to know asks the request log."""
