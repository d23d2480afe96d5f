"""The rules of every HTTP call: no redirects, no .netrc, an end after a time whatever the server does.

Proxies and the CA bundle of the environment are honoured.
"""

import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import parse_url

from syncctl.filesystem.ordinary_files import is_special_file

_SCHEMES = ("http", "https")


class EnvironmentProblem(NamedTuple):
    """What keeps calls from being made. `found` and `hint` are words within a sentence."""

    found: str
    hint: str


def environment_problem(url: str) -> EnvironmentProblem | None:
    """What the environment has that no call of `url` can go by."""
    if found := proxy_address_problem(url):
        return EnvironmentProblem(found, "correct it (http://HOST:PORT is expected), or unset it")
    if found := certificates_problem():
        return EnvironmentProblem(found, "correct it, or unset it")
    return None


def proxy_variable(url: str) -> str:
    """The environment variable with the proxy for `url`; "" if none applies."""
    proxy = _proxy(url)
    if not proxy:
        return ""
    scheme = urlsplit(url).scheme.lower()
    names = [name for kind in (scheme, "all") for name in (f"{kind}_proxy", f"{kind}_PROXY".upper())]
    return next((name for name in names if os.environ.get(name) == proxy), "HTTP_PROXY and HTTPS_PROXY")


def proxy_address_problem(url: str) -> str | None:
    """What is wrong with the proxy address for `url`, without quoting it: it may contain a password."""
    proxy = _proxy(url)
    if not proxy or _is_address(proxy):
        return None
    return f"the proxy address in the environment variable {proxy_variable(url)} is not valid"


def certificates_problem() -> str | None:
    """What is wrong with the CA bundle named by the environment, if it is a pipe or similar: loading it
    would block for ever, and no deadline interrupts that."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(name):
            odd = is_special_file(path) and not os.path.isdir(path)
            return f"the environment variable {name} doesn't name a regular file" if odd else None
    return None


def _proxy(url: str) -> str:
    try:
        return select_proxy(url, get_environ_proxies(url)) or ""
    except ValueError:
        return ""  # `url` itself is invalid; the call reports that


def _is_address(proxy: str) -> bool:
    try:
        parts = parse_url(proxy)
        host = parts.host or ""
        host.encode("idna" if ":" not in host else "ascii")  # as a socket does
    except (urllib3.exceptions.LocationValueError, ValueError, TypeError):
        return False
    return parts.scheme in (None, *_SCHEMES) and bool(host) and parts.port != 0


class OpenSockets:
    """The open sockets of a session; any thread may shut them down.

    A shutdown wakes a thread waiting for bytes anywhere in http.client: inside a header, a chunk length or a
    body. A socket timeout can't, as it restarts with each byte.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._shut = False
        self._closed = False

    def add(self, opened: socket.socket) -> None:
        """Register a new socket. Raises TimeoutError if a shutdown came before it was open."""
        with self._lock:
            if self._shut or self._closed:
                raise TimeoutError
            self._sockets.add(opened)

    def shut_down(self) -> None:
        """Abort what is in progress, and whatever starts until `reopen`."""
        with self._lock:
            self._shut = True
            for opened in list(self._sockets):
                try:
                    # Not SSLSocket's own: it would take the TLS state from under the thread that reads.
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)
                except OSError:
                    continue  # already closed or disconnected
            self._sockets.clear()

    def reopen(self) -> None:
        """Allow new sockets again, unless `close` was called."""
        with self._lock:
            self._shut = False

    def close(self) -> None:
        """`shut_down` for good."""
        with self._lock:
            self._closed = True
        self.shut_down()


class WatchedAdapter(HTTPAdapter):
    """requests' HTTP adapter that registers each socket it opens, including those to a proxy, in
    `sockets`."""

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
    """urllib3's pool classes by URL scheme, with connections that register in `sockets`."""

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


LONGEST_CONNECT_S = 10.0
"""For each of a host's addresses."""

Authorize = Callable[[requests.PreparedRequest], requests.PreparedRequest]


class HttpSession(requests.Session):
    """A session for the use of one thread; only `abort` may come from another."""

    def __init__(self) -> None:
        super().__init__()
        self._sockets = OpenSockets()
        self.headers["User-Agent"] = "syncctl"
        for scheme in ("http://", "https://"):
            self.mount(scheme, WatchedAdapter(self._sockets))

    @contextmanager
    def answer(  # noqa: PLR0913 - each is a part of an HTTP request, but for the limit
        self,
        method: str,
        url: str,
        limit_s: float,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        authorize: Authorize | None = None,
    ) -> Iterator[requests.Response]:
        """The answer to a call, its body unread. After `limit_s` seconds whatever is under way within fails,
        as a reset or as an early end: requests' own timeout starts anew with each byte. Only the
        look-up of a host's name may take longer: nothing can break that off.

        Raises what requests does.
        """
        self._sockets.reopen()
        watchdog = threading.Timer(limit_s, self._sockets.shut_down)
        watchdog.name = "http-time-limit"
        watchdog.daemon = True
        watchdog.start()
        try:
            with self.request(
                method,
                url,
                headers=headers,
                data=data,
                auth=authorize or _unchanged,
                timeout=(min(limit_s, LONGEST_CONNECT_S), limit_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                yield response
        finally:
            watchdog.cancel()
            watchdog.join()

    def abort(self) -> None:
        """Break off the call under way and refuse further ones."""
        self._sockets.close()

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Always None: requests reads the bodies of redirects without a limit, even if asked not to follow
        them."""


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials; an explicit auth keeps requests from reading ~/.netrc."""
    return request
