"""A rental API client that also reports what each call looked like on the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from syncctl.api.client import ApiClientConfig, HttpRentalApi
from syncctl.api.envelope import envelope_of
from syncctl.api.lanes import ReserveMemory
from syncctl.api.transport import Transport
from syncctl.domain.requests import ReportRequest
from syncctl.ports.api import WireFacts
from syncctl.ports.stop import Stop

HEADERS = ("Server", "Content-Type", "Date")
"""Headers that describe the API; others, such as cookies, may hold private data."""

OnCall = Callable[[ReportRequest, WireFacts], None]


class RecordingRentalApi(HttpRentalApi):
    """Like its base class; calls `on_call` after each try of each call, in the lane's thread."""

    def __init__(
        self,
        config: ApiClientConfig,
        on_call: OnCall,
        clock: Callable[[], float] = time.monotonic,
        stop: Stop | None = None,
    ) -> None:
        super().__init__(config, stop)
        self._watch = on_call
        self._clock = clock

    def _transport(self) -> Transport:
        return Transport(
            self._config.timeout_s, max_answer_bytes=self._config.max_answer_bytes, reads_refusals=True
        )

    def _ask(self, transport: Transport, request: ReportRequest, reserve: ReserveMemory) -> list[Any]:
        call = self._call(request)
        begun, body = self._clock(), None
        try:
            body = transport.fetch(call, request.deadline, reserve)
        finally:
            seconds, head = self._clock() - begun, transport.head
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
