"""The sockets of one session, within reach of whoever has to break off what it waits for."""

import socket
import threading
import weakref
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class OpenSockets:
    """The sockets that a session has open; any thread may shut them down.

    A shutdown wakes a thread that waits for bytes wherever in http.client it does: in the middle of a header,
    of a chunk's length, of a body. The sockets' own timeout can't, as it starts anew with each byte.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._shut = False
        self._closed = False

    def add(self, opened: socket.socket) -> None:
        """Put a new socket within reach. Raises TimeoutError where it was shut down before it was open."""
        with self._lock:
            if self._shut or self._closed:
                raise TimeoutError
            self._sockets.add(opened)

    def shut_down(self) -> None:
        """Break off what is under way, and what is begun until `reopen`."""
        with self._lock:
            self._shut = True
            for opened in list(self._sockets):
                try:
                    # Not SSLSocket's own: it would take the TLS state from under the thread that reads.
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)
                except OSError:
                    continue  # it is closed or disconnected: nothing waits for it
            self._sockets.clear()

    def reopen(self) -> None:
        """Allow new sockets again, unless `close` was called."""
        with self._lock:
            self._shut = False

    def close(self) -> None:
        """`shut_down`, for good."""
        with self._lock:
            self._closed = True
        self.shut_down()


class WatchedAdapter(HTTPAdapter):
    """requests' adapter, which puts each socket that it opens into `sockets`, those to a proxy too."""

    def __init__(self, sockets: OpenSockets) -> None:
        self._pool_classes = _watched_pools(sockets)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pool_classes

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pool_classes
        return manager


def _watched_pools(sockets: OpenSockets) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pool classes by URL scheme, with connections that tell `sockets` what they open."""

    class Connection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class TlsConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}
