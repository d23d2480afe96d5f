"""A small HTTP server on loopback that answers as scripted, byte for byte, and records requests."""

import json
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# Made for these tests, signed by itself, for localhost and 127.0.0.1: it protects nothing.
LOOPBACK_CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg32hfMQuFx/w6Uq8c
E5xXZMik4FcpQsOjHFbUpEmJte+hRANCAAQVKHc7npAJZfMxW0YyJTJpoTMZJ47Q
px3bsCOL/vW8fiI3NDDHH/nyrUEEmYIoUA1/Dj5nRhp72p8i++uViIoY
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUBPa63lTBTuOKIoagIINtnOhWc5QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE3MDczN1oYDzIxMjYxMDMw
MTcwNzM3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQVKHc7npAJZfMxW0YyJTJpoTMZJ47Qpx3bsCOL/vW8fiI3NDDHH/ny
rUEEmYIoUA1/Dj5nRhp72p8i++uViIoYo28wbTAdBgNVHQ4EFgQUk2+FSRxXJ7EV
dBuYudiXLqkaUL8wHwYDVR0jBBgwFoAUk2+FSRxXJ7EVdBuYudiXLqkaUL8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAJ0FR8EV7UCabHUra/Y2YT3C1s99Ex36J6hoJQFGR8p3AiEA
lv+0bE+Ox8rX8Y0A+YHcca8JgWuiPtXXkpqv55+3NPQ=
-----END CERTIFICATE-----
"""


@dataclass(slots=True)
class Received:
    """A received request."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    begun_at: float
    """time.monotonic() when it was read."""

    connection: int
    """The client's port."""

    answered_at: float = 0.0
    """time.monotonic() just before the last bytes of its answer were sent."""

    def header(self, name: str) -> str | None:
        """The value of a header, by its name in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def location(self) -> str:
        """The locationID that a report was asked for."""
        return str(json.loads(self.body)["locationID"])


@dataclass(frozen=True, slots=True)
class Reply:
    """The raw bytes of one answer, including the status line, written piece by piece."""

    pieces: Iterable[bytes]

    pause_s: float = 0.0
    """Pause between pieces."""

    wait_s: float = 0.0
    """Delay before the first piece."""

    then: str = "keep"
    """"keep", "close" or "reset" the connection."""


def reply(body: bytes = b"", status: int = 200, wait_s: float = 0.0, **headers: str) -> Reply:
    """A well-formed answer; underscores in header names become hyphens."""
    lines = {"Content-Type": "text/plain", "Content-Length": str(len(body))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return Reply([f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + body], wait_s=wait_s)


def rows_reply(*rows: Any, wait_s: float = 0.0) -> Reply:
    """An answer with these rows in the usual envelope."""
    envelope = {"dataSet": {"data": list(rows)}, "status": True, "errorDescription": None}
    return reply(json.dumps(envelope).encode(), wait_s=wait_s)


Script = Callable[[Received], Reply]


class ScriptedServer:
    """Answers with the given replies in turn, repeating the last one; or with a function of the request.

    A context manager: exiting ends every connection and thread, and raises errors of the script.
    """

    def __init__(self, *script: Reply | Script, tls_files: Path | None = None) -> None:
        """`tls_files`: a folder for the certificate's file; with one, the server speaks TLS."""
        self.received: list[Received] = []
        self.stopping = threading.Event()
        self._script = script
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._scheme = "http"
        if tls_files:
            self.certificate = tls_files / "loopback.pem"
            self.certificate.write_text(LOOPBACK_CERTIFICATE)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        # A short poll interval, as exiting waits for one.
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])

    @property
    def host(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The base address, without a path."""
        return f"{self._scheme}://{self.host}"

    def answer(self, received: Received) -> Reply:
        """Record a request; returns its answer."""
        with self._lock:
            self.received.append(received)
            turn = self._script[min(len(self.received), len(self._script)) - 1]
        return turn if isinstance(turn, Reply) else turn(received)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        if self._server.failures and error is None:
            raise self._server.failures[0]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, scripted: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scripted = scripted
        self.failures: list[BaseException] = []
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client closed it first

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what is not just a client that hung up."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the client disconnected before sending a request
        received = Received(
            self.command, self.path, self.headers.items(), body, time.monotonic(), self.client_address[1]
        )
        scripted = self.server.scripted
        answer = scripted.answer(received)
        scripted.stopping.wait(answer.wait_s)
        for piece in answer.pieces:
            received.answered_at = time.monotonic()
            self.wfile.write(piece)
            if scripted.stopping.wait(answer.pause_s):
                break
        if answer.then != "keep":
            self.close_connection = True
        if answer.then == "reset":
            # Linger for 0 seconds: close() then sends a reset instead of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
