"""A TCP server with a thread per connection that can be stopped at once, whatever its threads are doing."""

import contextlib
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

ACCEPT_POLL_S = 0.01
PAUSE_SLICE_S = 0.05
JOIN_S = 5.0


class ServerStoppedError(ConnectionError):
    """The server was stopped while an answer was under way."""


class ConnectionServer(socketserver.TCPServer):
    """Listens on `address` as soon as it is made (OSError if it can't) and answers from `start` to `stop`."""

    allow_reuse_address = True
    request_queue_size = 128  # the default of 5 makes a burst of connections wait for a second

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
        """Begin to answer."""
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
            # Its own thread may just have closed it.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        give_up_at = time.monotonic() + JOIN_S
        for thread in connections:
            thread.join(max(0.0, give_up_at - time.monotonic()))

    def pause(self, seconds: float) -> None:
        """Sleep that long; ServerStoppedError as soon as the server stops."""
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
        # Without the usual shutdown() before: that would send a FIN, and a reset is to be a reset.
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up, or a stop, is no defect; anything else is printed by the base class.
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
