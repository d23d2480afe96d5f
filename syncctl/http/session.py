"""The rules of every HTTP call: no redirects, no .netrc, an end after a time whatever the server does.

Proxies and the CA bundle of the environment are honoured.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import requests

from syncctl.http.sockets import OpenSockets, WatchedAdapter

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
