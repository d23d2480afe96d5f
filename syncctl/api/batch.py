"""The requests of one batch and their results, shared by the lanes and the consumer."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from syncctl.api.limits import READ_AHEAD_BYTES
from syncctl.domain.requests import ReportRequest
from syncctl.domain.sources import StepName
from syncctl.errors import ApiError, DeadlinePassedError, FinalApiError, KeyRefusedError, RetryableApiError
from syncctl.locations import location_words
from syncctl.ports.api import Answer, Prepare

FAILURES_BEFORE_SINGLE_TRY = 3
"""After this many failures of a report in a row, each of its remaining requests gets one try only."""

_LONGEST_WAIT_S = 60.0  # Condition.wait refuses what overflows the system's clock type, such as infinity


def subject(request: ReportRequest) -> str:
    """What a request asks for, for messages."""
    return "the store list" if request.report is StepName.STORES else location_words(request.location)


class StoppedError(Exception):
    """The batch was stopped while a lane was waiting. It only ends the lane; nobody else sees it."""


class PrefetchLimit(NamedTuple):
    """How far the lanes may fetch ahead of the consumer."""

    slots: int
    """Requests that may be in flight or answered while the consumer has not taken their answers."""

    memory: int = READ_AHEAD_BYTES
    """Bytes that all answers not yet consumed may take; one more answer may come on top."""


class Batch:
    """One batch of requests in progress. Lanes `take` a request and `put` its result; the consumer calls
    `next_answer`.

    Requests are handed out in order; `prefetch_limit` limits how far.

    Each is answered exactly once: with its result, or with DeadlinePassedError `grace_s` after its deadline,
    even if its lane is stuck. `clock` measures the deadlines; `prepare` is called in the lanes.
    """

    def __init__(
        self,
        requests: Sequence[ReportRequest],
        *,
        prepare: Prepare | None = None,
        prefetch_limit: PrefetchLimit,
        grace_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prepare = prepare
        self._ahead = prefetch_limit
        self._grace_s = grace_s
        self._clock = clock
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._not_begun = deque(range(len(requests)))
        self._unanswered = dict(enumerate(requests))
        self._in_slots: set[int] = set()
        self._reserved: dict[int, int] = {}
        self._taken: int | None = None
        self._answers: deque[tuple[int, Answer]] = deque()
        self._failed_in_a_row: Counter[StepName] = Counter()
        self._refused: dict[StepName, KeyRefusedError] = {}
        self._bug: BaseException | None = None

    def take(self) -> tuple[int, ReportRequest] | None:
        """For a lane: the next request and its number, once it may be begun; None when there are no more."""
        with self._changed:
            while self._not_begun and not self._stopped.is_set():
                if self._not_begun[0] not in self._unanswered:
                    self._not_begun.popleft()
                elif len(self._in_slots) < self._ahead.slots:
                    number = self._not_begun.popleft()
                    self._in_slots.add(number)
                    return number, self._unanswered[number]
                else:
                    self._changed.wait()
            return None

    def put(self, number: int, rows: list[Any] | None, error: ApiError | None) -> None:
        """For a lane: store the result of request `number`; dropped if its time was already over."""
        with self._changed:
            request = self._unanswered.get(number)
        prepared = None
        if rows is not None and request is not None and self._prepare is not None:
            try:
                prepared = self._prepare(request, rows, partial(self._look, number))
            except ApiError as failure:
                failure.__traceback__ = None  # otherwise the rows would be kept alive
                rows, error = None, failure
        with self._changed:
            request = self._unanswered.get(number)
            if request is None or rows is None:
                self._release(number)
            if request is None:
                return
            if error is None:
                self._failed_in_a_row[request.report] = 0
            elif isinstance(error, RetryableApiError):
                self._failed_in_a_row[request.report] += 1
            elif isinstance(error, KeyRefusedError):
                self._refused[request.report] = error
            self._answer(number, rows, error, prepared)

    def reserve(self, number: int, size: int) -> None:
        """For a lane: wait until the answer to request `number` may take `size` bytes of memory in total.

        The oldest request that the consumer has not finished never waits, so the lanes cannot all block each
        other. Raises StoppedError if the batch is stopped meanwhile, DeadlinePassedError if time runs out.
        """
        with self._changed:
            while not self._stopped.is_set():
                request = self._unanswered.get(number)
                wait_s = request.deadline - self._clock() if request is not None else 0.0
                if wait_s <= 0:
                    raise DeadlinePassedError("waited too long for free memory", asked=True)
                others = [taken for other, taken in self._reserved.items() if other != number]
                is_earliest = number <= min((*self._in_slots, *self._reserved))
                if is_earliest or sum(others) + size <= self._ahead.memory:
                    self._reserved[number] = size
                    return
                self._changed.wait(min(wait_s, _LONGEST_WAIT_S))
            raise StoppedError

    def release(self, number: int) -> None:
        """For a lane: a try failed; free the memory reserved for its answer."""
        with self._changed:
            self._release(number)

    def refused(self, report: StepName) -> KeyRefusedError | None:
        """The error with which the report's key was refused, if it was: asking for more of it is
        pointless."""
        with self._changed:
            return self._refused.get(report)

    def looks_down(self, report: StepName) -> bool:
        """Whether the report's API looks down, so that no time should be spent on a second try."""
        with self._changed:
            return self._failed_in_a_row[report] >= FAILURES_BEFORE_SINGLE_TRY

    def sleep(self, wait_s: float) -> None:
        """For a lane: wait so many seconds. Raises StoppedError when the batch is stopped meanwhile."""
        if self._stopped.wait(wait_s):
            raise StoppedError

    def fail(self, bug: BaseException) -> None:
        """For a lane: hand an unexpected exception (a bug) to the consumer, which raises it."""
        with self._changed:
            self._bug = self._bug or bug
            self._changed.notify_all()

    def stop(self) -> None:
        """Stop the lanes. Requests still open are answered with a FinalApiError."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()

    def next_answer(self) -> Answer | None:
        """For the consumer: wait for the next answer; None once every request has been answered.

        The previous answer counts as consumed. Raises the exception that a lane failed with.
        """
        with self._changed:
            if self._taken is not None:
                self._release(self._taken)
            while not self._answers and self._unanswered:
                self._raise_bug()
                wait_s = self._answer_overdue()
                if not self._answers:
                    self._changed.wait(min(wait_s, _LONGEST_WAIT_S))
            self._raise_bug()
            if not self._answers:
                return None
            number, answer = self._answers.popleft()
            self._in_slots.discard(number)
            self._taken = number
            self._changed.notify_all()
            return answer

    def _look(self, number: int) -> None:
        """Raise an error if nobody waits for this answer any more."""
        if self._stopped.is_set():
            raise StoppedError
        with self._changed:
            request = self._unanswered.get(number)
        if request is None or request.deadline <= self._clock():
            raise DeadlinePassedError("time ran out before all rows of the answer were read", asked=True)

    def _release(self, number: int) -> None:
        if self._reserved.pop(number, None) is not None:
            self._changed.notify_all()

    def _answer(
        self, number: int, rows: list[Any] | None, error: ApiError | None, prepared: Any = None
    ) -> None:
        self._answers.append((number, Answer(self._unanswered.pop(number), rows, error, prepared)))
        self._changed.notify_all()

    def _answer_overdue(self) -> float:
        """Answer the requests that no lane will answer in time; returns the seconds until the next one is
        due."""
        last_moment = self._clock() - self._grace_s
        for number, request in list(self._unanswered.items()):
            if self._stopped.is_set():
                self._answer(number, None, FinalApiError("not asked: fetching was stopped"))
            elif request.deadline <= last_moment:
                message = f"no answer for {subject(request)} before time ran out"
                self._answer(number, None, DeadlinePassedError(message, asked=number in self._in_slots))
        deadlines = [request.deadline for request in self._unanswered.values()]
        return min(deadlines, default=last_moment) - last_moment

    def _raise_bug(self) -> None:
        if self._bug:
            raise self._bug
