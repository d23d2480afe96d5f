"""The lanes' bookkeeping: order, back-pressure, pauses, deadlines, refusals, stopping. No HTTP: the test
supplies the function that calls the API."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from syncctl.api.lanes import LanePolicy, Lanes, ReserveMemory
from syncctl.api.retry import RetryPolicy
from syncctl.api.transport import Transport
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import StepName
from syncctl.errors import DeadlinePassedError, FinalApiError, KeyRefusedError, RetryableApiError
from syncctl.ports.api import Answer, Look
from syncctl.ports.waiting import RetryWait
from tests.support.waits import seen_waits
from tests.unit.api.conftest import client_threads

BOOKING, RETURN = StepName.BOOKING, StepName.RETURN
LONG_S = 20.0


def requests(
    count: int, report: StepName = BOOKING, deadline_s: float = LONG_S, first: int = 1
) -> list[ReportRequest]:
    deadline = time.monotonic() + deadline_s
    return [ReportRequest(report, str(number), Window(), deadline) for number in range(first, first + count)]


class Api:
    """Answers as scripted; records each request, its thread and time."""

    def __init__(
        self, ask: Callable[[ReportRequest], list[Any]] = lambda request: [request.location]
    ) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self.asked: list[str] = []
        self.calls: list[tuple[str, float, float]] = []
        self.sessions: dict[Transport, set[str]] = {}

    def ask(self, transport: Transport, request: ReportRequest, reserve: ReserveMemory) -> list[Any]:
        begin = time.monotonic()
        with self._lock:
            self.asked.append(request.location)
            self.sessions.setdefault(transport, set()).add(str(threading.get_ident()))
        try:
            return self._ask(request)
        finally:
            with self._lock:
                self.calls.append((str(id(transport)), begin, time.monotonic()))


def lanes_of(
    api: Api, count: int = 3, delay_s: float = 0.0, max_tries: int = 1, grace_s: float = 1.0
) -> Lanes:
    retry = RetryPolicy(max_tries, 0.001, least_wait_s=delay_s)
    return Lanes(api.ask, lambda: Transport(LONG_S), LanePolicy(count, delay_s, retry, grace_s))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def errors_of(answers: Iterator[Answer]) -> dict[str, str]:
    return {answer.request.location: type(answer.error).__name__ for answer in answers}


def test_one_answer_per_request_begun_in_order() -> None:
    api = Api()
    answers = list(lanes_of(api).answers(requests(20)))
    assert sorted(int(answer.request.location) for answer in answers) == list(range(1, 21))
    assert all(answer.rows == [answer.request.location] and answer.error is None for answer in answers)
    one_lane = Api()
    list(lanes_of(one_lane, count=1).answers(requests(20)))
    assert one_lane.asked == [str(number) for number in range(1, 21)]


def test_a_session_stays_in_its_thread() -> None:
    both_at_once = threading.Barrier(2, timeout=5.0)

    def ask(request: ReportRequest) -> list[Any]:
        both_at_once.wait()
        return []

    api = Api(ask)
    lanes = lanes_of(api, count=2)
    for _ in range(2):
        list(lanes.answers(requests(4)))
    assert len(api.sessions) == 4
    assert all(len(threads) == 1 for threads in api.sessions.values())


def test_no_requests_no_answers() -> None:
    assert list(lanes_of(Api()).answers([])) == []


def test_fetching_waits_for_a_consumer_that_does_nothing() -> None:
    api = Api()
    with closing(lanes_of(api, count=3).answers(requests(50))) as answers:
        next(answers)
        wait_until(lambda: len(api.asked) == 6)
        time.sleep(0.05)
        assert len(api.asked) == 6  # the one taken, and three lanes + two more
        next(answers)
        wait_until(lambda: len(api.asked) == 7)


def test_a_lane_pauses_between_its_calls_retries_and_batches() -> None:
    turn = itertools.count()

    def ask(request: ReportRequest) -> list[Any]:
        if next(turn) % 3 == 1:
            raise RetryableApiError("busy")
        return []

    api = Api(ask)
    lanes = lanes_of(api, count=1, delay_s=0.03, max_tries=2)
    list(lanes.answers(requests(2)))
    list(lanes.answers(requests(2, RETURN)))
    pauses = [after[1] - before[2] for before, after in itertools.pairwise(api.calls)]
    assert len(pauses) == 5
    assert min(pauses) >= 0.03


def test_a_stuck_lane_costs_its_request_and_not_the_consumer() -> None:
    release = threading.Event()

    def ask(request: ReportRequest) -> list[Any]:
        if request.location == "1":
            release.wait(LONG_S)
        return []

    begin = time.monotonic()
    api = Api(ask)
    batch = requests(1, deadline_s=0.1) + requests(4, first=2)
    outcome = errors_of(lanes_of(api, count=2, grace_s=0.1).answers(batch))
    assert time.monotonic() - begin < 5.0
    assert outcome == {"1": "DeadlinePassedError", **{str(number): "NoneType" for number in range(2, 6)}}
    release.set()
    wait_until(lambda: client_threads() == [])


def test_when_all_lanes_are_stuck_the_rest_is_answered_at_its_deadline() -> None:
    release = threading.Event()

    def ask(request: ReportRequest) -> list[Any]:
        release.wait(LONG_S)
        return []

    api = Api(ask)
    answers = list(lanes_of(api, count=2, grace_s=0.05).answers(requests(5, deadline_s=0.1)))
    assert len(answers) == 5
    assert all(isinstance(answer.error, DeadlinePassedError) for answer in answers)
    assert {str(answer.error) for answer in answers if answer.request.location == "5"} == {
        "no answer for location 5 before time ran out"
    }
    release.set()
    wait_until(lambda: client_threads() == [])
    assert sorted(api.asked) == ["1", "2"]


def test_what_can_not_be_begun_in_time_is_not_begun() -> None:
    begin = time.monotonic()
    api = Api()
    outcome = errors_of(lanes_of(api, count=1, delay_s=20.0).answers(requests(3, deadline_s=10.0)))
    assert outcome == {"1": "NoneType", "2": "DeadlinePassedError", "3": "DeadlinePassedError"}
    assert api.asked == ["1"]
    assert time.monotonic() - begin < 5.0  # nor waited for


def test_a_deadline_without_end_is_fine() -> None:
    assert errors_of(lanes_of(Api()).answers(requests(2, deadline_s=float("inf")))) == {
        "1": "NoneType",
        "2": "NoneType",
    }


def test_a_refused_key_answers_the_rest_of_its_report_only() -> None:
    def ask(request: ReportRequest) -> list[Any]:
        if request.report is BOOKING:
            raise KeyRefusedError("no")
        return []

    api = Api(ask)
    batch = requests(10) + requests(2, RETURN, first=11)
    outcome = errors_of(lanes_of(api, count=1).answers(batch))
    refused = {str(number): "KeyRefusedError" for number in range(1, 11)}
    assert outcome == refused | {"11": "NoneType", "12": "NoneType"}
    assert api.asked == ["1", "11", "12"]


def test_a_refusal_also_ends_the_tries_of_others() -> None:
    def ask(request: ReportRequest) -> list[Any]:
        if request.location == "2":
            raise RetryableApiError("busy", retry_after_s=0.1)
        wait_until(lambda: "2" in api.asked)
        raise KeyRefusedError("no")

    api = Api(ask)
    outcome = errors_of(lanes_of(api, count=2, max_tries=3).answers(requests(2)))
    assert outcome == {"1": "KeyRefusedError", "2": "KeyRefusedError"}
    assert api.asked.count("2") == 1


def test_a_report_that_fails_in_a_row_gets_one_try_each_until_one_succeeds() -> None:
    def ask(request: ReportRequest) -> list[Any]:
        if request.report is RETURN or request.location == "6":
            return []
        raise RetryableApiError("down")

    api = Api(ask)
    batch = [*requests(5), *requests(1, RETURN, first=100), *requests(3, first=6)]
    outcome = errors_of(lanes_of(api, count=1, max_tries=3).answers(batch))
    assert [api.asked.count(str(number)) for number in range(1, 9)] == [3, 3, 3, 1, 1, 1, 3, 3]
    assert outcome["100"] == outcome["6"] == "NoneType"


def test_other_reports_keep_their_tries() -> None:
    def ask(request: ReportRequest) -> list[Any]:
        raise RetryableApiError("down")

    api = Api(ask)
    list(lanes_of(api, count=1, max_tries=2).answers([*requests(4), *requests(1, RETURN, first=5)]))
    assert [api.asked.count(str(number)) for number in range(1, 6)] == [2, 2, 2, 1, 2]


def test_the_wait_for_a_retry_is_announced_with_what_it_waits_for() -> None:
    failures = [
        RetryableApiError("h answered 503", status=503, retry_after_s=0.01),
        RetryableApiError("connection refused by h"),
    ]

    def ask(request: ReportRequest) -> list[Any]:
        if failures:
            raise failures.pop(0)
        return []

    with seen_waits() as waits:
        list(lanes_of(Api(ask), count=1, max_tries=6).answers(requests(1)))
    first, second = waits
    assert isinstance(first, RetryWait)
    assert 0.01 <= first.wait_s <= 0.011
    assert first == RetryWait(BOOKING, "1", "503", 2, 6, first.wait_s)
    assert isinstance(second, RetryWait)
    assert (second.reason, second.next_try) == ("connection refused by h", 3)


def test_closing_the_iterator_early_ends_lanes_in_all_their_waits() -> None:
    in_a_call = threading.Event()

    def ask(request: ReportRequest) -> list[Any]:
        if request.location == "1":
            return []
        in_a_call.set()
        raise RetryableApiError("busy", retry_after_s=10.0)

    answers = lanes_of(Api(ask), count=2, delay_s=10.0, max_tries=3).answers(requests(50))
    assert next(answers).request.location == "1"
    assert in_a_call.wait(5.0)
    begin = time.monotonic()
    answers.close()  # one lane owes a pause, the other waits to try again
    assert time.monotonic() - begin < 5.0
    assert client_threads() == []


def test_closing_the_lanes_answers_what_is_left() -> None:
    api = Api()
    lanes = lanes_of(api, count=1)
    answers = lanes.answers(requests(10))
    next(answers)
    wait_until(lambda: len(api.asked) == 4)
    lanes.close()
    assert client_threads() == []
    rest = list(answers)
    assert [answer.error is None for answer in rest] == [True] * 3 + [False] * 6
    assert all(isinstance(answer.error, FinalApiError) for answer in rest[3:])
    assert errors_of(lanes.answers(requests(2))) == {"1": "FinalApiError", "2": "FinalApiError"}
    assert len(api.asked) == 4


def test_a_bug_in_a_lane_reaches_the_consumer() -> None:
    def ask(request: ReportRequest) -> list[Any]:
        raise ZeroDivisionError("a bug")

    answers = lanes_of(Api(ask)).answers(requests(5))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(answers)
    assert client_threads() == []


def test_rows_are_prepared_by_the_lane_that_fetched_them() -> None:
    here = threading.get_ident()

    def prepare(request: ReportRequest, rows: list[Any], look: Look) -> tuple[str, list[Any], bool]:
        return request.location, rows, threading.get_ident() == here

    with closing(lanes_of(Api()).answers(requests(3), prepare)) as answers:
        prepared = sorted(answer.prepared for answer in answers)
    assert prepared == [("1", ["1"], False), ("2", ["2"], False), ("3", ["3"], False)]


def test_what_failed_is_not_prepared_and_what_preparing_raises_is_raised() -> None:
    def refuse(request: ReportRequest) -> list[Any]:
        raise FinalApiError(f"no {request.location}")

    def fail(request: ReportRequest, rows: list[Any], look: Look) -> None:
        raise KeyError(request.location)

    with closing(lanes_of(Api(refuse)).answers(requests(1), fail)) as answers:
        (answer,) = answers
    assert (str(answer.error), answer.prepared) == ("no 1", None)
    with closing(lanes_of(Api()).answers(requests(1), fail)) as answers, pytest.raises(KeyError, match="1"):
        list(answers)
