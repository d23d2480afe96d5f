"""Tells a Healthchecks-style monitor that a run has started, and its exit status when it ended."""

from __future__ import annotations

import threading
import time
import uuid
from typing import NamedTuple
from urllib.parse import urlsplit

from syncctl.errors import ExitCode
from syncctl.http.session import HttpSession, environment_problem
from syncctl.ports.stop import Stop

MAX_BODY_BYTES = 10_000

_BEFORE_THE_LOCK = (ExitCode.LOCK_HELD, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
"""Exit statuses of a run that never started: it did not get the lock, or was stopped while waiting."""

_ABORT_GRACE_S = 0.2
"""How long an aborted ping gets to finish."""


class PingPolicy(NamedTuple):
    timeout_s: float = 5.0
    """For one try, whatever the server does."""

    tries: int = 2
    """Tries per ping."""

    pause_s: float = 0.5
    """Pause between tries."""

    @property
    def longest_s(self) -> float:
        """How long a ping may take."""
        return self.tries * self.timeout_s + (self.tries - 1) * self.pause_s


DEFAULT_POLICY = PingPolicy()


class Heartbeat:
    """The signs of life of one run (https://healthchecks.io/docs/http_api/). A monitor in trouble raises
    nothing.

    `url` is a secret: redirects are not followed, and no message shows it.
    """

    def __init__(self, url: str, policy: PingPolicy = DEFAULT_POLICY) -> None:
        self._url = urlsplit(url)
        self._policy = policy
        # The same for start and end, so that the monitor can tell overlapping runs apart.
        self._run_id = str(uuid.uuid4())
        self._start: _Ping | None = None
        self._started_at = 0.0

    def begin(self) -> None:
        """Ping /start in the background: the run does not wait for the monitor."""
        self._started_at = time.monotonic()
        self._start = _Ping("start", self._address("start"), b"", self._policy)

    def end(self, status: int, summary: str, stop: Stop | None = None) -> list[str]:
        """Ping /`status`, an exit status, with the last MAX_BODY_BYTES of `summary`, which must be redacted.

        Nothing is sent for a run that another one kept from beginning. Takes three timeouts and a pause at
        most, after a signal one. Gives a line for each ping that failed, the one of `begin` included.

        Raises StopRequestedError where `stop` is requested meanwhile: what is under way is broken off.
        """
        stop = stop or Stop()
        if self._start is None and status in _BEFORE_THE_LOCK:
            return []
        is_stopping = status > 128  # whoever sent the signal may follow up with SIGKILL
        policy = self._policy._replace(tries=1) if is_stopping else self._policy
        failures = []
        if self._start is not None:
            # The start ping must be over before the end ping goes out: arriving later, it would announce a
            # run that never ends, and raise an alarm. So it is aborted if it is not done by then.
            left_s = 0 if is_stopping else self._started_at + policy.timeout_s - time.monotonic()
            failures.append(self._start.outcome(max(0, left_s), stop))
        end = _Ping(f"{status:d}", self._address(f"{status:d}"), _body(summary), policy)
        failures.append(end.outcome(policy.longest_s, stop))
        return [failure for failure in failures if failure]

    def _address(self, what: str) -> str:
        url = self._url
        query = f"{url.query}&rid={self._run_id}" if url.query else f"rid={self._run_id}"
        return url._replace(path=f"{url.path.rstrip('/')}/{what}", query=query).geturl()


class _Ping:
    """One ping, sent by its own thread.

    A daemon thread, because a DNS lookup or a slow TLS handshake cannot be interrupted and the program must
    be able to exit meanwhile. Once aborted it sends nothing more.
    """

    def __init__(self, what: str, address: str, body: bytes, policy: PingPolicy) -> None:
        self._what = what
        self._address = address
        self._body = body
        self._policy = policy
        self._session = HttpSession()
        self._broken_off = threading.Event()
        self._ended = threading.Event()
        self._failure: str | None = "no answer in time"
        self._problem = environment_problem(address)
        self._thread: threading.Thread | None = None
        if self._problem is not None:
            return
        thread = threading.Thread(target=self._send, name="heartbeat", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left
            self._failure = "no thread could be started"
        else:
            self._thread = thread

    def outcome(self, within_s: float, stop: Stop) -> str | None:
        """None if the monitor took it, else a line that says why not. What is not done after `within_s` is
        broken off. Raises StopRequestedError."""
        if self._problem is not None:
            found, hint = self._problem
            return f"The heartbeat's /{self._what} was not sent because {found}: {hint}."
        if self._thread is not None:
            with stop.waking(self._ended.set):
                self._ended.wait(within_s)
            self._broken_off.set()
            self._session.abort()
            stop.raise_if_requested()
            self._thread.join(_ABORT_GRACE_S)
        if self._failure is None:
            return None
        return f"The heartbeat's /{self._what} failed ({self._failure}): check HEARTBEAT_URL and the network."

    def _send(self) -> None:
        try:
            with self._session:
                for number in range(self._policy.tries):
                    if number and self._broken_off.wait(self._policy.pause_s):
                        return
                    self._failure, is_retryable = self._try()
                    if not (self._failure and is_retryable):
                        return
        finally:
            self._ended.set()

    def _try(self) -> tuple[str | None, bool]:
        """What went wrong, or None; and whether a retry may help."""
        until = time.monotonic() + self._policy.timeout_s
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        try:
            with self._session.answer(
                "POST", self._address, self._policy.timeout_s, headers=headers, data=self._body
            ) as response:
                return _failure_of_status(response.status_code)
        except Exception as error:  # noqa: BLE001 - a run must not fail by it, nor its text, with the URL, be shown
            # The shutdown may show as a reset or as an early end: either way, time was up.
            broken_off = self._broken_off.is_set() or time.monotonic() >= until
            return "no answer in time" if broken_off else _reason(error), True


def _failure_of_status(status: int) -> tuple[str | None, bool]:
    if 200 <= status < 300:
        return None, False
    if 300 <= status < 400:
        return f"it redirects with status {status}, which is not followed", False
    return f"status {status}", status in (408, 429) or status >= 500


def _reason(error: BaseException) -> str:
    """The system's message for the root cause of a requests error, without requests' own text, which has
    the URL."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def _body(summary: str) -> bytes:
    """The end of the summary, where totals and errors are, cut at a character boundary."""
    last = summary.encode("utf-8", "replace")[-MAX_BODY_BYTES:]
    return last.decode("utf-8", "ignore").encode("utf-8")
