"""Lanes: the threads that ask the API side by side, each of them politely."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from syncctl.api.batch import Ahead, Batch, StoppedError, subject
from syncctl.api.limits import MEMORY_BYTES
from syncctl.api.retry import RetryPolicy, call_with_retries
from syncctl.api.transport import Transport
from syncctl.domain.requests import ReportRequest
from syncctl.errors import ApiError, DeadlinePassedError, KeyRefusedError, RetryableApiError
from syncctl.ports.api import Answer, Prepare

_log = logging.getLogger("syncctl.api")

_ANSWERS_AHEAD = 2

Room = Callable[[int], None]
"""To be called before an answer takes up so many bytes of memory in all; waits until they are free."""

Ask = Callable[[Transport, ReportRequest, Room], list[Any]]
"""One try of a request: its rows. Raises ApiError."""


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """How many lanes there are, and how they behave.

    `call_delay_s`: from the end of one call of a lane to the begin of its next. `retry.least_wait_s` should
    be no less. `grace_s`: how long after its deadline a request's answer is still waited for. `memory`: the
    bytes that the answers of all lanes may take together, until they are stored.
    """

    count: int
    call_delay_s: float
    retry: RetryPolicy
    grace_s: float = 1.0
    memory: int = MEMORY_BYTES


class Lanes:
    """A number of lanes, which work on batches of requests.

    A lane of a batch is a thread with a session of its own; what it keeps from batch to batch is when it may
    call next. The threads are daemons: one that is stuck (nothing can break off the look-up of a name) is
    left behind, and neither the consumer nor the program's end waits for it.
    """

    def __init__(
        self,
        ask: Ask,
        open_transport: Callable[[], Transport],
        policy: LanePolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._open_transport = open_transport
        self._policy = policy
        self._clock = clock
        self._paces = [_Pace(policy.call_delay_s, clock) for _ in range(policy.count)]
        self._under_way: dict[Batch, list[_Lane]] = {}
        self._closed = False

    def answers(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        """One answer for each request, as they come; begun in the given order, when the first is asked for.

        Closing the iterator ends the lanes. While it is not asked for more, no more than two answers beyond
        the number of lanes are fetched.
        """
        policy = self._policy
        batch = Batch(
            requests,
            prepare=prepare,
            ahead=Ahead(policy.count + _ANSWERS_AHEAD, policy.memory),
            grace_s=policy.grace_s,
            clock=self._clock,
        )
        lanes = self._under_way[batch] = []
        try:
            if self._closed:
                batch.stop()
            for pace in self._paces[: len(requests)]:
                lane = _Lane(batch, self._ask, self._open_transport(), policy.retry, pace)
                lane.start()
                lanes.append(lane)
            while (answer := batch.next_answer()) is not None:
                yield answer
                del answer  # while the next one is waited for, nobody is to hold this one's rows
        finally:
            self._end(batch)

    def close(self) -> None:
        """End all lanes. What they leave unanswered is answered with a FinalApiError, as are new requests."""
        self._closed = True
        for batch in list(self._under_way):
            self._end(batch)

    def _end(self, batch: Batch) -> None:
        batch.stop()
        lanes = self._under_way.pop(batch, [])
        for lane in lanes:
            lane.transport.abort()
        end = self._clock() + self._policy.grace_s
        for lane in lanes:
            lane.join(max(0.0, end - self._clock()))


class _Pace:
    """When a lane may call next."""

    def __init__(self, delay_s: float, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._delay_s = delay_s
        self._may_call_at = clock()

    def owed_s(self) -> float:
        return max(0.0, self._may_call_at - self.clock())

    def call_ended(self) -> None:
        self._may_call_at = self.clock() + self._delay_s


class _Lane(threading.Thread):
    """One lane of one batch."""

    def __init__(self, batch: Batch, ask: Ask, transport: Transport, retry: RetryPolicy, pace: _Pace) -> None:
        super().__init__(name="rental-api-lane", daemon=True)
        self.transport = transport
        self._batch = batch
        self._ask = ask
        self._retry = retry
        self._pace = pace

    def run(self) -> None:
        try:
            while (taken := self._batch.take()) is not None:
                number, request = taken
                self._batch.put(number, *self._outcome(number, request))
        except StoppedError:
            return
        except BaseException as bug:  # noqa: BLE001 - not swallowed: the consumer raises it
            self._batch.fail(bug)
        finally:
            self.transport.close()

    def _outcome(self, number: int, request: ReportRequest) -> tuple[list[Any] | None, ApiError | None]:
        policy = self._retry
        most_tries = 1 if self._batch.in_doubt(request.report) else request.tries
        if most_tries is not None:
            policy = replace(policy, max_tries=min(policy.max_tries, most_tries))

        def log_retry(tries: int, wait_s: float, error: RetryableApiError) -> None:
            what = (request.report, subject(request), tries, policy.max_tries, error, wait_s)
            _log.debug("%s, %s: try %d of %d failed: %s; the next in %.1f s", *what)

        try:
            rows = call_with_retries(
                lambda: self._one_try(number, request),
                policy,
                remaining=lambda: self._remaining_s(request),
                sleep=self._batch.sleep,
                on_retry=log_retry,
            )
        except ApiError as error:
            # What it was raised from would keep alive the bytes of the answer, and the key in the request.
            error.__traceback__ = error.__context__ = None
            return None, error
        return rows, None

    def _one_try(self, number: int, request: ReportRequest) -> list[Any]:
        owed_s = self._pace.owed_s()
        if owed_s >= self._remaining_s(request):
            raise DeadlinePassedError(f"no time was left to ask for {subject(request)}")
        self._batch.sleep(owed_s)
        refused = self._batch.refused(request.report)
        if refused is not None:
            raise KeyRefusedError(refused.found, hint=refused.hint, setting=refused.setting)
        try:
            return self._ask(self.transport, request, partial(self._batch.reserve, number))
        except ApiError:
            self._batch.release(number)
            raise
        finally:
            self._pace.call_ended()

    def _remaining_s(self, request: ReportRequest) -> float:
        return request.deadline - self._pace.clock()
