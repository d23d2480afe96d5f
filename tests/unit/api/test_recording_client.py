"""What a watched call notes of the wire, and that it is the same call as ever."""

import time
from datetime import UTC, datetime

import pytest

from syncctl.api.client import ApiClientConfig, RecordingRentalApi
from syncctl.api.wire import Endpoint
from syncctl.domain.requests import BodyForm, ReportRequest, Window
from syncctl.domain.sources import API_STEPS, StepName
from syncctl.errors import ApiError
from syncctl.ports.api import WireFacts
from tests.support.scripted_server import Reply, ScriptedServer, reply

KEY = "b00king-k3y"
PROBLEM = b'{"title": "One or more validation errors occurred.", "errors": {"locationID": ["x"]}}'


def ask(server: ScriptedServer) -> tuple[WireFacts, list[object] | None, ApiError | None]:
    """What was noted of one call, and its answer."""
    seen: dict[ReportRequest, WireFacts] = {}
    address = Endpoint(f"{server.url}/report", KEY, "API_TOKEN")
    config = ApiClientConfig(dict.fromkeys(API_STEPS, address), call_delay_s=0.0, timeout_s=5.0, max_tries=1)
    api = RecordingRentalApi(config, seen.__setitem__)
    request = ReportRequest(
        StepName.RETURN, "7", Window(2, form=BodyForm.WITHOUT_EMPTY), time.monotonic() + 9
    )
    (answer,) = api.reports([request])
    return seen[request], answer.rows, answer.error


def test_an_answer_with_rows() -> None:
    body = b'{"dataSet": {"data": [{"bookingNo": "1"}]}, "status": true, "errorDescription": null}'
    date = "Fri, 27 Nov 2026 00:48:43 GMT"
    with ScriptedServer(reply(body, Server="Kestrel", Date=date, Set_Cookie="session=hush")) as server:
        facts, rows, error = ask(server)
    assert (rows, error) == ([{"bookingNo": "1"}], None)
    assert facts.asked == {"locationID": "7", "months": "2"}
    assert (facts.status, facts.size, facts.said) == (200, len(body), "")
    assert facts.headers == {"Server": "Kestrel", "Content-Type": "text/plain", "Date": date}
    assert facts.envelope == {
        "dataSet": {"data": "list of 1"},
        "status": "true",
        "errorDescription": "null",
    }
    assert facts.came_at is not None
    assert 0 <= (datetime.now(UTC) - facts.came_at).total_seconds() < 5
    assert 0 < facts.seconds < 5


@pytest.mark.parametrize(
    ("answer", "status", "envelope", "said"),
    [
        (
            reply(b'{"dataSet": null, "status": false, "errorDescription": "Timeout for 9846012345"}'),
            200,
            {"dataSet": "null", "status": "false", "errorDescription": "string"},
            "Timeout for [number]",
        ),
        (
            reply(PROBLEM, status=400),
            400,
            {"title": "string", "errors": {"locationID": "list of 1"}},
            "One or",
        ),
        (reply(b"locationID is wanted", status=400), 400, None, "locationID is wanted"),
        (reply(b"the key b00king-k3y is not known", status=403), 403, None, "the key [key] is not known"),
        (reply(b"<html><b>Oops</b></html>", status=502), 502, None, ""),
        (reply(b"<html><b>Oops</b></html>"), 200, None, ""),
        (reply(b'{"dataSet": [{"bookingNo": "1'), 200, None, ""),
        (reply(b"[1, 2]"), 200, "list of 2", ""),
        (reply(b"7"), 200, "number", ""),
    ],
)
def test_an_answer_without_rows(answer: Reply, status: int, envelope: object, said: str) -> None:
    with ScriptedServer(answer) as server:
        facts, rows, error = ask(server)
    assert (facts.status, facts.envelope) == (status, envelope)
    assert facts.said.startswith(said)
    assert said or not facts.said
    assert (rows is None) is (error is not None)


def test_no_answer_at_all() -> None:
    with ScriptedServer(Reply([], then="reset")) as server:
        facts, _, error = ask(server)
    assert (facts.status, facts.headers, facts.came_at, facts.size) == (None, {}, None, None)
    assert error is not None
