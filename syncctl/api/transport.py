"""One HTTP call of the API, limited in time and size."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import requests

from syncctl.api.failures import RAISED_BY_A_CALL, error_of, error_of_status, host_of
from syncctl.api.wire import Call, Endpoint
from syncctl.errors import DeadlinePassedError, FinalApiError, KeyRefusedError
from syncctl.http.session import Authorize, HttpSession, environment_problem

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The largest answer that is taken, unpacked. Ten thousand rows, which is normal, are some 7 MiB."""

_READ_BYTES = 64 * 1024
_RESERVED_BYTES = 1024 * 1024
_SENDABLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


class ResponseHead(NamedTuple):
    """The start of an answer."""

    status: int

    headers: Mapping[str, str]
    """Case-insensitive names."""

    came_at: datetime
    """By this machine's clock."""


class Transport:
    """A session with the API for a single thread; only `abort` may be called from another.

    `head`: status and headers of the last answer, or None if there was none. `refusal`: with
    `reads_refusals`, the start of the last answer's body if its status was an error.
    """

    def __init__(
        self,
        timeout_s: float,
        *,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        reads_refusals: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout_s`: the seconds for a whole answer, from connecting to its last byte."""
        self._timeout_s = timeout_s
        self._max_answer_bytes = max_answer_bytes
        self._clock = clock
        self.head: ResponseHead | None = None
        self.refusal = b""
        self._reads_refusals = reads_refusals
        self._session = HttpSession()
        self._session.headers["Accept-Encoding"] = "gzip, deflate"

    def fetch(self, call: Call, deadline: float, reserve: Callable[[int], None] = lambda size: None) -> bytes:
        """The body of the answer to `call`, unpacked. Raises ApiError; its kind says if another try helps.

        `reserve` is called before the body takes up more memory, with the bytes that it then has in all.

        It takes the time for an answer at most, or until `deadline` (in the clock's seconds) if that is
        sooner; longer only as HttpSession says.
        """
        self.head, self.refusal = None, b""
        host = host_of(call.endpoint.url)
        now = self._clock()
        limit_s = min(self._timeout_s, deadline - now)
        if limit_s <= 0:
            raise DeadlinePassedError(f"no time was left to ask {host}")
        if problem := environment_problem(call.endpoint.url):
            raise FinalApiError(problem.found, hint=problem.hint)
        until = now + limit_s
        try:
            with self._session.answer(
                call.method,
                call.endpoint.url,
                limit_s,
                headers=call.headers,
                data=call.body,
                authorize=_key_of(call.endpoint),
            ) as response:
                self.head = ResponseHead(response.status_code, response.headers, datetime.now(UTC))
                error = error_of_status(
                    response.status_code, response.headers, call.endpoint, datetime.now(UTC)
                )
                if error:
                    if self._reads_refusals:
                        self.refusal = response.raw.read1(_READ_BYTES, decode_content=True)
                    raise error
                return self._body(response, host, until, reserve)
        except RAISED_BY_A_CALL as raised:
            # The watchdog's shutdown may show as a reset or as an early end: either way, time was up.
            cause = raised if self._clock() < until else TimeoutError()
            raise error_of(cause, call.endpoint, limit_s) from None

    def abort(self) -> None:
        """Abort the call in progress and refuse further ones; callable from any thread."""
        self._session.abort()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _body(
        self, response: requests.Response, host: str, until: float, reserve: Callable[[int], None]
    ) -> bytes:
        parts: list[bytes] = []
        size = reserved = 0
        while True:
            # Not read(), which waits for the full amount: this returns whatever has arrived.
            part: bytes = response.raw.read1(_READ_BYTES, decode_content=True)
            if self._clock() >= until:
                raise TimeoutError  # how a body without a Content-Length ends when it is cut off
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > reserved:
                reserve(reserved := size + _RESERVED_BYTES)
            if size > self._max_answer_bytes:
                raise FinalApiError(
                    f"{host} sent an answer of more than {self._max_answer_bytes / 2**20:g} MiB",
                    hint="ask for fewer days (--from, --to)",
                )


def _key_of(endpoint: Endpoint) -> Authorize:
    """Sends the endpoint's key, or none."""

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if (key := endpoint.key) and not _SENDABLE.fullmatch(key):
            # Checked here because http.client quotes headers that it can't send.
            setting = endpoint.key_setting
            raise KeyRefusedError(
                f"{setting} contains characters that a key can't have", hint="check it", setting=setting
            )
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    return authorize
