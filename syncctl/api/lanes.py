"""Lanes: threads that call the API in parallel, each with a pause between its calls."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from syncctl.api.batch import Batch, PrefetchLimit, StoppedError, subject
from syncctl.api.limits import READ_AHEAD_BYTES
from syncctl.api.retry import RetryPolicy, call_with_retries
from syncctl.api.transport import Transport
from syncctl.domain.requests import ReportRequest
from syncctl.errors import ApiError, DeadlinePassedError, KeyRefusedError, RetryableApiError
from syncctl.ports.api import Answer, Prepare
from syncctl.ports.stop import Stop
from syncctl.ports.waiting import RetryWait, waiting

_log = logging.getLogger("syncctl.api")

_EXTRA_ANSWERS = 2

_STOPPED_GRACE_S = 0.2
"""How long lanes have to end after a request to stop. All but those in the look-up of a name do at once."""

ReserveMemory = Callable[[int], None]
"""Called before an answer takes this many bytes of memory in total; waits until they are free."""

Ask = Callable[[Transport, ReportRequest, ReserveMemory], list[Any]]
"""One try of a request: its rows. Raises ApiError."""


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """How many lanes there are, and how they behave."""

    count: int

    call_delay_s: float
    """Pause of a lane between the end of one call and the start of its next."""

    retry: RetryPolicy
    """Its `least_wait_s` should not be less than `call_delay_s`."""

    grace_s: float = 1.0
    """How long after a request's deadline its answer is still awaited."""

    memory: int = READ_AHEAD_BYTES
    """Bytes that the answers of all lanes may take together until they are stored."""


class Lanes:
    """A fixed number of lanes that work on batches of requests.

    A lane is one thread per batch, with its own session; only the time of its next allowed call is carried
    over to the next batch. The threads are daemons: a stuck one (a DNS lookup cannot be interrupted) is
    abandoned, and neither the consumer nor the program's exit waits for it.
    """

    def __init__(
        self,
        ask: Ask,
        open_transport: Callable[[], Transport],
        policy: LanePolicy,
        stop: Stop | None = None,
    ) -> None:
        self._ask = ask
        self._open_transport = open_transport
        self._policy = policy
        self._stop = stop or Stop()
        self._paces = [_Pace(policy.call_delay_s) for _ in range(policy.count)]
        self._under_way: dict[Batch, list[_Lane]] = {}
        self._closed = False

    def answers(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        """One answer for each request, as they come; begun in the given order, when the first is asked for.

        Closing the iterator ends the lanes, and so does a request to stop, which it raises. While it is not
        asked for more, no more than two answers beyond the number of lanes are fetched.
        """
        policy = self._policy
        batch = Batch(
            requests,
            prepare=prepare,
            prefetch_limit=PrefetchLimit(policy.count + _EXTRA_ANSWERS, policy.memory),
            grace_s=policy.grace_s,
        )
        lanes = self._under_way[batch] = []
        try:
            with self._stop.waking(lambda: self._break_off(batch)):
                if self._closed:
                    batch.stop()
                for pace in self._paces[: len(requests)]:
                    lane = _Lane(batch, self._ask, self._open_transport(), policy.retry, pace)
                    lane.start()
                    lanes.append(lane)
                while (answer := batch.next_answer()) is not None:
                    self._stop.raise_if_requested()
                    yield answer
                    del answer  # Free this answer's rows while waiting for the next one.
        finally:
            self._end(batch)

    def close(self) -> None:
        """End all lanes. Open requests, and any new ones, are answered with a FinalApiError."""
        self._closed = True
        for batch in list(self._under_way):
            self._end(batch)

    def _break_off(self, batch: Batch) -> None:
        batch.stop()
        for lane in list(self._under_way.get(batch, ())):
            lane.transport.abort()

    def _end(self, batch: Batch) -> None:
        self._break_off(batch)
        grace_s = _STOPPED_GRACE_S if self._stop.requested else self._policy.grace_s
        end = time.monotonic() + grace_s
        for lane in self._under_way.pop(batch, []):
            lane.join(max(0.0, end - time.monotonic()))


class _Pace:
    """When a lane may call next."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._may_call_at = time.monotonic()

    def remaining_s(self) -> float:
        return max(0.0, self._may_call_at - time.monotonic())

    def call_ended(self) -> None:
        self._may_call_at = time.monotonic() + self._delay_s


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
        most_tries = 1 if self._batch.looks_down(request.report) else request.tries
        if most_tries is not None:
            policy = policy._replace(max_tries=min(policy.max_tries, most_tries))

        def wait_for_retry(tries: int, wait_s: float, error: RetryableApiError) -> None:
            what = (request.report, subject(request), tries, policy.max_tries, error, wait_s)
            _log.debug("%s, %s: try %d of %d failed: %s; the next in %.1f s", *what)
            reason = str(error.status or error.message)
            wait = RetryWait(request.report, request.location, reason, tries + 1, policy.max_tries, wait_s)
            with waiting(wait):
                self._batch.sleep(wait_s)

        try:
            rows = call_with_retries(
                lambda: self._one_try(number, request),
                policy,
                remaining=lambda: self._remaining_s(request),
                wait=wait_for_retry,
            )
        except ApiError as error:
            # The cause would keep the answer's bytes alive, and the key in the request.
            error.__traceback__ = error.__context__ = None
            return None, error
        return rows, None

    def _one_try(self, number: int, request: ReportRequest) -> list[Any]:
        remaining_s = self._pace.remaining_s()
        if remaining_s >= self._remaining_s(request):
            raise DeadlinePassedError(f"no time was left to ask for {subject(request)}")
        self._batch.sleep(remaining_s)
        refused = self._batch.refused(request.report)
        if refused is not None:
            raise KeyRefusedError(refused.message, hint=refused.hint, setting=refused.setting)
        try:
            return self._ask(self.transport, request, partial(self._batch.reserve, number))
        except ApiError:
            self._batch.release(number)
            raise
        finally:
            self._pace.call_ended()

    def _remaining_s(self, request: ReportRequest) -> float:
        return request.deadline - time.monotonic()
