"""The rental API client, the adapter for `ports.RentalApi`; and one that reports each call on the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple

from syncctl.api.envelope import envelope_of, rows_of
from syncctl.api.lanes import LanePolicy, Lanes, ReserveMemory
from syncctl.api.limits import check_rows, check_size
from syncctl.api.retry import RetryPolicy
from syncctl.api.transport import MAX_ANSWER_BYTES, Transport
from syncctl.api.wire import Call, Endpoint, report_call, store_list_call
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import StepName
from syncctl.ports.api import Answer, Prepare, WireFacts
from syncctl.ports.stop import Stop


class ApiClientConfig(NamedTuple):
    """Where the API is and how it is asked. Times in seconds."""

    endpoints: Mapping[StepName, Endpoint]
    """Of the store list and of each report."""

    concurrency: int = 5
    """How many lanes ask it side by side."""

    call_delay_s: float = 0.5
    """From the end of one call of a lane to the beginning of its next."""

    timeout_s: float = 30.0
    """For a whole answer."""

    max_tries: int = 6
    """Of one call."""

    min_backoff_s: float = 0.5
    """The longest that the first pause before a retry may be; it doubles with each retry."""

    max_answer_bytes: int = MAX_ANSWER_BYTES
    """Of one answer, unpacked."""

    max_rows: int = 100_000
    """Of one answer; more is a failed call."""


class HttpRentalApi:
    """`ports.RentalApi` over HTTP. No thread or connection outlives the iterator of `reports`, or `close`."""

    def __init__(self, config: ApiClientConfig, stop: Stop | None = None) -> None:
        """`stop`: a request breaks off what is under way, and is raised to whoever waits for an answer."""
        self._config = config
        retry = RetryPolicy(config.max_tries, config.min_backoff_s, least_wait_s=config.call_delay_s)
        policy = LanePolicy(config.concurrency, config.call_delay_s, retry)
        self._lanes = Lanes(self._ask, self._transport, policy, stop=stop)

    def store_list(self, deadline: float) -> list[Any]:
        request = ReportRequest(StepName.STORES, "", Window(), deadline)
        (answer,) = self._lanes.answers([request])
        if answer.error is not None:
            raise answer.error
        return answer.rows or []

    def reports(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        """As the port says. A refused key also fails the rest of its report."""
        return self._lanes.answers(requests, prepare)

    def close(self) -> None:
        self._lanes.close()

    def _transport(self) -> Transport:
        return Transport(self._config.timeout_s, max_answer_bytes=self._config.max_answer_bytes)

    def _ask(self, transport: Transport, request: ReportRequest, reserve: ReserveMemory) -> list[Any]:
        """One try of one call."""
        call = self._call(request)
        return self._rows(transport.fetch(call, request.deadline, reserve), call, reserve)

    def _rows(self, body: bytes, call: Call, reserve: ReserveMemory) -> list[Any]:
        """The rows of an answer, if they are not too many."""
        reserve(check_size(body, self._config.max_rows))
        return check_rows(rows_of(body, secret=call.endpoint.key), self._config.max_rows)

    def _call(self, request: ReportRequest) -> Call:
        endpoint = self._config.endpoints[request.report]
        if request.report is StepName.STORES:
            return store_list_call(endpoint)
        return report_call(endpoint, request)


HEADERS = ("Server", "Content-Type", "Date")
"""Headers that describe the API; others, such as cookies, may hold private data."""

OnCall = Callable[[ReportRequest, WireFacts], None]


class RecordingRentalApi(HttpRentalApi):
    """Like its base class; calls `on_call` after each try of each call, in the lane's thread."""

    def __init__(self, config: ApiClientConfig, on_call: OnCall, stop: Stop | None = None) -> None:
        super().__init__(config, stop)
        self._watch = on_call

    def _transport(self) -> Transport:
        return Transport(
            self._config.timeout_s, max_answer_bytes=self._config.max_answer_bytes, reads_refusals=True
        )

    def _ask(self, transport: Transport, request: ReportRequest, reserve: ReserveMemory) -> list[Any]:
        call = self._call(request)
        begun, body = time.monotonic(), None
        try:
            body = transport.fetch(call, request.deadline, reserve)
        finally:
            seconds, head = time.monotonic() - begun, transport.head
            envelope, said = envelope_of(body if body is not None else transport.refusal, call.endpoint.key)
            headers = head.headers if head else {}
            self._watch(
                request,
                WireFacts(
                    asked=json.loads(call.body) if call.body else {},
                    seconds=seconds,
                    status=head.status if head else None,
                    headers={name: headers[name] for name in HEADERS if name in headers},
                    came_at=head.came_at if head else None,
                    size=None if body is None else len(body),
                    envelope=envelope,
                    said=said,
                ),
            )
        return self._rows(body, call, reserve)
