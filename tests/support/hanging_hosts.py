"""Hosts on which a client hangs before its request: in the DNS lookup, the connection or the TLS
handshake."""

import contextlib
import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

MOST_WAITING = 10
HANDSHAKE_RECORD = b"\x16\x03\x03\x40\x00"
"""The head of a TLS record (RFC 8446, 5.1) that promises 16 KiB of a handshake."""

DNS_PORT = 53
"""resolv.conf(5) knows no other."""


class NoNameserverError(Exception):
    """The system's nameserver can't be replaced; the message says why."""


@contextmanager
def host_not_accepting() -> Iterator[str]:
    """The address of a host that accepts no further connection: its backlog is full, and Linux then leaves
    a client without an answer (tcp(7), tcp_abort_on_overflow)."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        host, port = server.getsockname()
        for _ in range(MOST_WAITING):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect((host, port))
            except TimeoutError:
                yield f"http://{host}:{port}"
                return
        raise RuntimeError(f"{MOST_WAITING} connections do not fill the queue of {host}:{port}")


@contextmanager
def host_without_handshake(*pieces: bytes, pause_s: float = 0.02) -> Iterator[str]:
    """The https address of a host that accepts and then sends these pieces, repeating the last one, with a
    pause after each; without pieces it stays silent."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):  # the client disconnected
                for piece in pieces:
                    self.request.sendall(piece)
                while not over.wait(pause_s):
                    self.request.sendall(pieces[-1] if pieces else b"")

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 64


@contextmanager
def silent_nameserver(folder: Path) -> Iterator[list[str]]:
    """A command prefix that directs DNS lookups to a nameserver that never answers: they hang for minutes.
    Raises NoNameserverError if impossible: it requires root on Linux."""
    address = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"  # one for each test process
    configuration = folder / "resolv.conf"
    configuration.write_text(f"nameserver {address}\noptions timeout:30 attempts:5\n")
    script = f'mount --bind "{configuration}" /etc/resolv.conf && exec "$@"'
    prefix = ["unshare", "--mount", "sh", "-c", script, "sh"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nameserver:
        try:
            nameserver.bind((address, DNS_PORT))
            subprocess.run([*prefix, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoNameserverError(str(error)) from None
        yield prefix
