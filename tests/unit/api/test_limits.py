"""Answers that hold too much: refused before they are decoded, or before more of them are."""

import json
import threading
import time
from typing import Any

import pytest

from syncctl.api.client import ApiClientConfig, HttpRentalApi
from syncctl.api.lanes import LanePolicy, Lanes, ReserveMemory
from syncctl.api.limits import MEMORY_BYTES, check_size
from syncctl.api.retry import RetryPolicy
from syncctl.api.transport import Transport
from syncctl.api.wire import Endpoint
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import API_STEPS, StepName
from syncctl.errors import DeadlinePassedError, FinalApiError
from syncctl.ports.api import Look
from tests.support.scripted_server import ScriptedServer, reply, rows_reply

MAX_ROWS = 100
LONG_S = 20.0


def requests(count: int, deadline_s: float = LONG_S) -> list[ReportRequest]:
    deadline = time.monotonic() + deadline_s
    return [ReportRequest(StepName.BOOKING, str(number), Window(), deadline) for number in range(count)]


def client(server: ScriptedServer) -> HttpRentalApi:
    endpoint = Endpoint(server.url, None, "API_TOKEN")
    config = ApiClientConfig(
        dict.fromkeys(API_STEPS, endpoint),
        call_delay_s=0,
        max_tries=3,
        min_backoff_s=0.001,
        max_rows=MAX_ROWS,
    )
    return HttpRentalApi(config)


HOSTILE = {
    "empty objects": b"[" + b"{}," * 5000 + b"{}]",
    "empty lists": b"[" + b"[]," * 5000 + b"[]]",
    "numbers": b"[" + b"1," * 50_000 + b"1]",
    "numbers, few enough to decode": b"[" + b"1," * 5000 + b"1]",
    "one row too many": json.dumps([{"bookingNo": "1"}] * (MAX_ROWS + 1)).encode(),
    "beside the rows": b'{"data": [], "more": [' + b"{}," * 5000 + b"{}]}",
    "within one row": b'[{"a": [' + b"1," * 50_000 + b"1]}]",
    "objects in objects": b"[" + b'{"a":{"b":{}}},' * 1000 + b"{}]",
}


@pytest.mark.attack("answers")
@pytest.mark.parametrize("what", HOSTILE)
def test_an_answer_of_too_much_is_refused_at_once_and_the_setting_named(what: str) -> None:
    with ScriptedServer(reply(HOSTILE[what])) as server:
        (answer,) = client(server).reports(requests(1))
        assert len(server.received) == 1  # another try would bring the same
    assert isinstance(answer.error, FinalApiError)
    assert answer.rows is None
    assert "100 rows: ask for fewer days (--from, --to) or raise API_MAX_ROWS" in str(answer.error)
    assert answer.error.setting == "API_MAX_ROWS"


@pytest.mark.attack("answers", counted=False)
def test_a_store_list_of_too_many_rows_is_refused_too() -> None:
    with (
        ScriptedServer(rows_reply(*range(MAX_ROWS + 1))) as server,
        pytest.raises(FinalApiError, match="101 rows in one answer, more than 100 rows: "),
    ):
        client(server).store_list(time.monotonic() + LONG_S)


def test_as_many_rows_as_are_allowed_are_taken() -> None:
    remark = "with, commas, [brackets] and {braces}, " * 3
    rows = [{f"field {number}": "x" for number in range(30)} | {"remarks": remark}] * MAX_ROWS
    with ScriptedServer(rows_reply(*rows)) as server:
        (answer,) = client(server).reports(requests(1))
    assert answer.rows == rows


@pytest.mark.attack("answers")
def test_what_would_take_too_much_memory_is_not_decoded_however_many_rows_are_allowed() -> None:
    body = b"[" + b"{}," * (MEMORY_BYTES // 300)
    with pytest.raises(
        FinalApiError, match=r"would take \d+ MiB of memory, more than 640: ask for fewer days"
    ):
        check_size(body, 100_000_000)


@pytest.mark.parametrize("name", ["Anagha", "അനഘ", "Anagha 😀"])
def test_the_memory_of_an_answer_is_not_reckoned_too_low(name: str) -> None:
    import tracemalloc

    row = {
        "bookingNo": "1",
        "customerName": name,
        "remarks": None,
        "price": 1500.5,
        "location": "Z- Edapally",
    }
    body = json.dumps([row] * 5000, ensure_ascii=False).encode()
    tracemalloc.start()
    try:
        rows = json.loads(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(rows) == 5000
    assert peak <= check_size(body, 100_000)


class HeldLanes:
    """Lanes whose answers take `size` bytes of memory each, of which `memory` are there."""

    def __init__(self, size: int, memory: int, count: int = 4) -> None:
        self._size = size
        self._lock = threading.Lock()
        self.held = self.most = 0
        policy = LanePolicy(count, 0.0, RetryPolicy(1, 0.001), memory=memory)
        self.lanes = Lanes(self._ask, lambda: Transport(LONG_S), policy)

    def _ask(self, transport: Transport, request: ReportRequest, reserve: ReserveMemory) -> list[Any]:
        reserve(self._size // 2)
        reserve(self._size)
        with self._lock:
            self.held += self._size
            self.most = max(self.most, self.held)
        return [request.location]

    def done(self) -> None:
        with self._lock:
            self.held -= self._size


@pytest.mark.attack("answers")
def test_the_answers_of_all_lanes_share_one_budget_of_memory() -> None:
    lanes = HeldLanes(size=100, memory=250)
    answered = 0
    for answer in lanes.lanes.answers(requests(20)):
        answered += answer.rows is not None
        lanes.done()
    assert answered == 20
    assert lanes.most <= 250 + 100


@pytest.mark.attack("answers")
def test_answers_larger_than_the_budget_come_one_after_the_other() -> None:
    lanes = HeldLanes(size=1000, memory=250)
    for _ in lanes.lanes.answers(requests(8)):
        lanes.done()
    assert lanes.most == 1000


def test_a_failed_try_gives_its_memory_back() -> None:
    def ask(transport: Transport, request: ReportRequest, reserve: ReserveMemory) -> list[Any]:
        reserve(200)
        raise FinalApiError("no")

    lanes = Lanes(ask, lambda: Transport(LONG_S), LanePolicy(3, 0.0, RetryPolicy(1, 0.001), memory=250))
    begin = time.monotonic()
    assert [str(answer.error) for answer in lanes.answers(requests(9))] == ["no"] * 9
    assert time.monotonic() - begin < LONG_S / 2


def test_a_lane_that_waits_for_memory_ends_with_the_lanes() -> None:
    lanes = HeldLanes(size=200, memory=250)
    answers = lanes.lanes.answers(requests(9))
    next(answers)
    begin = time.monotonic()
    answers.close()
    assert time.monotonic() - begin < 1.0


@pytest.mark.attack("answers")
def test_mapping_ends_with_the_deadline_of_its_request() -> None:
    seen: list[int] = []

    def prepare(request: ReportRequest, rows: list[Any], look: Look) -> None:
        for number in range(10_000):
            look()
            seen.append(number)
            time.sleep(0.001)

    with ScriptedServer(rows_reply(1)) as server:
        (answer,) = client(server).reports(requests(1, deadline_s=0.2), prepare)
    assert isinstance(answer.error, DeadlinePassedError)
    assert answer.error.asked
    assert len(seen) < 1000
    assert answer.prepared is None


def test_mapping_ends_when_the_answers_are_not_wanted_any_more() -> None:
    begun, ended = threading.Event(), threading.Event()

    def prepare(request: ReportRequest, rows: list[Any], look: Look) -> None:
        if request.location == "0":
            assert begun.wait(LONG_S)
            return
        begun.set()
        try:
            while True:
                look()
                time.sleep(0.001)
        finally:
            ended.set()

    with ScriptedServer(rows_reply(1)) as server:
        answers = client(server).reports(requests(2), prepare)
        next(answers)
        answers.close()
        assert ended.wait(LONG_S)
