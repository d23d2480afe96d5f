"""Tells a monitor in the style of Healthchecks that a run began, and with which exit status it ended."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import requests

from syncctl.errors import ExitCode
from syncctl.http.proxies import CURE, wrong_proxy
from syncctl.http.sockets import OpenSockets, WatchedAdapter

MAX_BODY_BYTES = 10_000

_BEFORE_THE_LOCK = (ExitCode.LOCK_HELD, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
"""How a run ends that never began because of another one: it failed to get the lock, or to wait for it."""

_TIDYING_S = 0.2
"""How long a ping that was broken off is given to notice."""


@dataclass(frozen=True, slots=True)
class PingPolicy:
    """`timeout_s`: for one try, whatever the server does. `tries`: of one ping, with `pause_s` between."""

    timeout_s: float = 5.0
    tries: int = 2
    pause_s: float = 0.5

    @property
    def longest_s(self) -> float:
        """How long a ping may take."""
        return self.tries * self.timeout_s + (self.tries - 1) * self.pause_s


DEFAULT_POLICY = PingPolicy()


class Heartbeat:
    """The signs of life of one run (https://healthchecks.io/docs/http_api/). No method raises.

    `url` is a secret: redirects are not followed, and no message shows it.
    """

    def __init__(self, url: str, policy: PingPolicy = DEFAULT_POLICY) -> None:
        self._url = urlsplit(url)
        self._policy = policy
        # The same for start and end, so that the monitor tells runs apart that overlap.
        self._run_id = str(uuid.uuid4())
        self._start: _Ping | None = None
        self._started_at = 0.0

    def begin(self) -> None:
        """Ping /start, in the background: the run does not wait for the monitor."""
        self._started_at = time.monotonic()
        self._start = _Ping(self._address("start"), b"", self._policy)

    def end(self, status: int, summary: str) -> list[str]:
        """Ping /`status`, an exit status, with the last MAX_BODY_BYTES of `summary`, which must be redacted.

        Nothing is sent for a run that another one kept from beginning. Takes three timeouts and a pause at
        most, after a signal one. Gives a line for each ping that failed, the one of `begin` included.
        """
        if self._start is None and status in _BEFORE_THE_LOCK:
            return []
        told_to_stop = status > 128  # by someone who may soon lose patience and kill
        policy = replace(self._policy, tries=1) if told_to_stop else self._policy
        troubles = []
        if self._start is not None:
            # The start must be over before the end goes out: arriving after it, it would say that a run is
            # under way that never ends, and raise an alarm. So what is not done by then is broken off.
            left_s = 0 if told_to_stop else self._started_at + policy.timeout_s - time.monotonic()
            troubles.append(_told("start", self._start.outcome(max(0, left_s))))
        end = _Ping(self._address(f"{status:d}"), _body(summary), policy)
        troubles.append(_told(f"{status:d}", end.outcome(policy.longest_s)))
        return [trouble for trouble in troubles if trouble]

    def _address(self, what: str) -> str:
        url = self._url
        query = f"{url.query}&rid={self._run_id}" if url.query else f"rid={self._run_id}"
        return url._replace(path=f"{url.path.rstrip('/')}/{what}", query=query).geturl()


class _Ping:
    """One ping, sent by a thread of its own.

    A daemon, as nothing can break off the look-up of a name or a TLS handshake that drags on, and the
    program must be able to end meanwhile. Once broken off it sends nothing more, however long it stays.
    """

    def __init__(self, address: str, body: bytes, policy: PingPolicy) -> None:
        self._address = address
        self._body = body
        self._policy = policy
        self._sockets = OpenSockets()
        self._over = threading.Event()
        self._trouble: str | None = "no answer in time"
        self._thread: threading.Thread | None = threading.Thread(
            target=self._send, name="heartbeat", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # the system has no thread left
            self._thread, self._trouble = None, "no thread could be started"

    def outcome(self, within_s: float) -> str | None:
        """None if the monitor took it, else why not. What is not done after `within_s` is broken off."""
        if self._thread is not None:
            try:
                self._thread.join(within_s)
            finally:
                self._over.set()
                self._sockets.close()
            self._thread.join(_TIDYING_S)
        return self._trouble

    def _send(self) -> None:
        with _Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, WatchedAdapter(self._sockets))
            for number in range(self._policy.tries):
                if number and self._over.wait(self._policy.pause_s):
                    return
                self._trouble, may_pass = self._try(session)
                if not (self._trouble and may_pass):
                    return

    def _try(self, session: requests.Session) -> tuple[str | None, bool]:
        """What is wrong, or None; and whether another try may help."""
        if problem := wrong_proxy(self._address):
            return problem, False
        until = time.monotonic() + self._policy.timeout_s
        try:
            with self._time_limit(), self._post(session) as response:
                return _trouble_of_status(response.status_code)
        except Exception as error:  # noqa: BLE001 - a run must not fail by it, nor its text, with the URL, be shown
            # However a shutdown of the sockets shows, as a reset or as an early end: time was over.
            broken_off = self._over.is_set() or time.monotonic() >= until
            return "no answer in time" if broken_off else _reason(error), True

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Break off what takes longer than a try may: requests' timeout starts anew with each byte."""
        self._sockets.reopen()
        watchdog = threading.Timer(self._policy.timeout_s, self._sockets.shut_down)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
            watchdog.join()

    def _post(self, session: requests.Session) -> requests.Response:
        return session.post(
            self._address,
            data=self._body,
            headers={"User-Agent": "syncctl", "Content-Type": "text/plain; charset=utf-8"},
            auth=_unchanged,
            timeout=self._policy.timeout_s,
            allow_redirects=False,
            stream=True,  # the answer's status says all: its body is never read
        )


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, ever: even if told not to follow redirects, requests reads their bodies, without a limit."""


def _told(what: str, trouble: str | None) -> str | None:
    if trouble is None:
        return None
    if "proxy address" in trouble:
        return f"The heartbeat's /{what} was not sent, as {trouble}: {CURE}."
    return f"The heartbeat's /{what} failed ({trouble}): check HEARTBEAT_URL and the network."


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials; being there, it keeps requests from looking into ~/.netrc."""
    return request


def _trouble_of_status(status: int) -> tuple[str | None, bool]:
    if 200 <= status < 300:
        return None, False
    if 300 <= status < 400:
        return f"it redirects with status {status}, which is not followed", False
    return f"status {status}", status in (408, 429) or status >= 500


def _reason(error: BaseException) -> str:
    """The system's word for what is at the root of an error of requests, without what that says around it."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def _body(summary: str) -> bytes:
    """The end of it, where totals and errors stand, cut between two characters."""
    last = summary.encode("utf-8", "replace")[-MAX_BODY_BYTES:]
    return last.decode("utf-8", "ignore").encode("utf-8")
