"""The requests of one batch and what became of each: what its lanes and its consumer share."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from syncctl.errors import (
    ApiError,
    DeadlinePassedError,
    FinalApiError,
    KeyRefusedError,
    RetryableApiError,
)
from syncctl.locations import location_words
from syncctl.models import ReportRequest, StepName
from syncctl.ports import Answer, Prepare

FAILURES_TO_DOUBT = 3
"""After so many requests of a report have failed in a row, its further ones get one try each."""

_LONGEST_WAIT_S = 60.0  # Condition.wait refuses what exceeds the system's clock type, such as infinity


def subject(request: ReportRequest) -> str:
    """What a request asks for, for messages."""
    return "the store list" if request.report is StepName.STORES else location_words(request.location)


class StoppedError(Exception):
    """The batch was stopped while a lane slept: the lane's way out, which nobody else sees."""


class Batch:
    """A batch under way. Lanes `take` a request and `put` what came of it; the consumer takes `next_answer`.

    Requests are handed out in their order. No more than `slots` of them are begun or answered without the
    consumer having taken the answer. Each is answered once: with what its lane put, or `grace_s` after its
    deadline with DeadlinePassedError, whatever its lane may be stuck in. `clock` counts the deadlines;
    `prepare` is called by the lanes.
    """

    def __init__(
        self,
        requests: Sequence[ReportRequest],
        *,
        prepare: Prepare | None = None,
        slots: int,
        grace_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prepare = prepare
        self._slots = slots
        self._grace_s = grace_s
        self._clock = clock
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._not_begun = deque(range(len(requests)))
        self._unanswered = dict(enumerate(requests))
        self._in_slots: set[int] = set()
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
                elif len(self._in_slots) < self._slots:
                    number = self._not_begun.popleft()
                    self._in_slots.add(number)
                    return number, self._unanswered[number]
                else:
                    self._changed.wait()
            return None

    def put(self, number: int, rows: list[Any] | None, error: ApiError | None) -> None:
        """For a lane: what came of the request of that number; dropped if its time was over before."""
        with self._changed:
            request = self._unanswered.get(number)
        prepared = None
        if rows is not None and request is not None and self._prepare is not None:
            prepared = self._prepare(request, rows)
        with self._changed:
            request = self._unanswered.get(number)
            if request is None:
                return
            if error is None:
                self._failed_in_a_row[request.report] = 0
            elif isinstance(error, RetryableApiError):
                self._failed_in_a_row[request.report] += 1
            elif isinstance(error, KeyRefusedError):
                self._refused[request.report] = error
            self._answer(number, rows, error, prepared)

    def refused(self, report: StepName) -> KeyRefusedError | None:
        """How the report's key was refused, if it was: to ask for more of it is in vain."""
        with self._changed:
            return self._refused.get(report)

    def in_doubt(self, report: StepName) -> bool:
        """Whether the report's API looks dead, so that no time is to be spent on a second try."""
        with self._changed:
            return self._failed_in_a_row[report] >= FAILURES_TO_DOUBT

    def sleep(self, wait_s: float) -> None:
        """For a lane: wait so many seconds. Raises StoppedError when the batch is stopped meanwhile."""
        if self._stopped.wait(wait_s):
            raise StoppedError

    def fail(self, bug: BaseException) -> None:
        """For a lane: what should never have been raised, for the consumer to raise."""
        with self._changed:
            self._bug = self._bug or bug
            self._changed.notify_all()

    def stop(self) -> None:
        """Send the lanes home. What is unanswered is answered with a FinalApiError."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()

    def next_answer(self) -> Answer | None:
        """For the consumer: the next answer, waited for; None when every request has had its own.

        Raises what a lane failed with.
        """
        with self._changed:
            while not self._answers and self._unanswered:
                self._raise_bug()
                wait_s = self._answer_hopeless()
                if not self._answers:
                    self._changed.wait(min(wait_s, _LONGEST_WAIT_S))
            self._raise_bug()
            if not self._answers:
                return None
            number, answer = self._answers.popleft()
            self._in_slots.discard(number)
            self._changed.notify_all()
            return answer

    def _answer(
        self, number: int, rows: list[Any] | None, error: ApiError | None, prepared: Any = None
    ) -> None:
        self._answers.append((number, Answer(self._unanswered.pop(number), rows, error, prepared)))
        self._changed.notify_all()

    def _answer_hopeless(self) -> float:
        """Answer what no lane will; gives the seconds until there may be more of it."""
        last_moment = self._clock() - self._grace_s
        for number, request in list(self._unanswered.items()):
            if self._stopped.is_set():
                self._answer(number, None, FinalApiError("not asked: fetching was stopped"))
            elif request.deadline <= last_moment:
                message = f"no answer for {subject(request)} in the time that was left"
                self._answer(number, None, DeadlinePassedError(message, asked=number in self._in_slots))
        deadlines = [request.deadline for request in self._unanswered.values()]
        return min(deadlines, default=last_moment) - last_moment

    def _raise_bug(self) -> None:
        if self._bug:
            raise self._bug
