"""The client as a service uses it, over real loopback HTTP: the wire to the letter, what is tried again."""

import json
import logging
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from syncctl.api.client import ApiClientConfig, HttpRentalApi, RecordingRentalApi
from syncctl.api.wire import Endpoint
from syncctl.domain.requests import BodyForm, ReportRequest, Window
from syncctl.domain.sources import API_STEPS, StepName
from syncctl.errors import ApiError, DeadlinePassedError, FinalApiError, KeyRefusedError, RetryableApiError
from syncctl.ports.api import RentalApi, WireFacts
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply, rows_reply
from tests.unit.api.conftest import client_threads

BOOKING_PATH, RETURN_PATH = "/api/Reports/GetBookingReport", "/api/Reports/GetReturnReport"
KEY = "b00king-k3y"
NO_DATA = reply(b'{"dataSet": null, "status": false, "errorDescription": "No data found"}')


def client(
    server: ScriptedServer,
    *,
    key: str | None = KEY,
    concurrency: int = 2,
    call_delay_s: float = 0.0,
    max_tries: int = 3,
) -> HttpRentalApi:
    config = ApiClientConfig(
        {
            StepName.STORES: Endpoint(f"{server.url}/api/Location/LocationList", None, "STORE_API_KEY"),
            StepName.BOOKING: Endpoint(server.url + BOOKING_PATH, key, "BOOKING_API_KEY"),
            StepName.RETURN: Endpoint(server.url + RETURN_PATH, None, "RETURN_API_KEY"),
        },
        concurrency=concurrency,
        call_delay_s=call_delay_s,
        timeout_s=5.0,
        max_tries=max_tries,
        min_backoff_s=0.001,
    )
    return HttpRentalApi(config)


def asks(count: int, report: StepName = StepName.BOOKING, deadline_s: float = 20.0) -> list[ReportRequest]:
    deadline = time.monotonic() + deadline_s
    return [ReportRequest(report, str(number), Window(12), deadline) for number in range(1, count + 1)]


def store_list(api: RentalApi, deadline_s: float = 20.0) -> list[object]:
    return api.store_list(time.monotonic() + deadline_s)


def test_a_booking_report_to_the_letter() -> None:
    with ScriptedServer(rows_reply({"bookingNo": "1"})) as server:
        request = ReportRequest(StepName.BOOKING, "7", Window(months=12), time.monotonic() + 20)
        (answer,) = client(server).reports([request])
        assert (answer.request, answer.rows, answer.error) == (request, [{"bookingNo": "1"}], None)
        (received,) = server.received
    assert (received.method, received.path) == ("POST", BOOKING_PATH)
    assert received.body == b'{"locationID": "7", "months": "12"}'
    assert sorted(received.headers) == [
        ("Accept-Encoding", "gzip, deflate"),
        ("Authorization", f"Bearer {KEY}"),
        ("Connection", "keep-alive"),
        ("Content-Length", str(len(received.body))),
        ("Content-Type", "application/json-patch+json"),
        ("Host", server.host),
        ("User-Agent", "syncctl"),
        ("accept", "text/plain"),
    ]


def test_a_return_report_to_the_letter_and_no_key() -> None:
    with ScriptedServer(NO_DATA) as server:
        (answer,) = client(server).reports(
            [ReportRequest(StepName.RETURN, "709", Window(months=12), time.monotonic() + 20)]
        )
        assert answer.rows == []
        (received,) = server.received
    assert received.path == RETURN_PATH
    assert received.header("Authorization") is None
    assert received.body == (
        b'{"bookingNo": "", "dateFrom": "", "dateTo": "", "userName": "", "months": "12", '
        b'"fromLocation": "", "userID": "", "locationID": "709"}'
    )


def test_the_store_list_to_the_letter() -> None:
    with ScriptedServer(rows_reply({"locCode": 709, "locName": "PMNA"})) as server:
        assert store_list(client(server)) == [{"locCode": 709, "locName": "PMNA"}]
        (received,) = server.received
    assert (received.method, received.path, received.body) == ("GET", "/api/Location/LocationList", b"")
    assert received.header("accept") == "text/plain"
    assert received.header("Content-Type") is None
    assert received.header("Authorization") is None


HALF = Reply([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{"], then="close")


@pytest.mark.parametrize(
    "failure",
    [
        *[reply(b"", status) for status in (408, 429, 500, 502, 503, 504)],
        reply(b"<html>busy</html>"),
        reply(b'{"dataSet": {"data": [{"a"'),
        reply(b"7"),
        reply(b'{"status": true}'),
        reply(b'{"status": false, "errorDescription": "Timeout expired"}'),
        HALF,
        Reply([b""], then="close"),
        Reply([b""], then="reset"),
    ],
)
def test_what_may_pass_is_tried_again(failure: Reply) -> None:
    with ScriptedServer(failure, failure, rows_reply(1)) as server:
        assert store_list(client(server)) == [1]
        assert len(server.received) == 3
    with ScriptedServer(failure) as server:
        with pytest.raises(RetryableApiError):
            store_list(client(server))
        assert len(server.received) == 3


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (reply(b"", 401), KeyRefusedError),
        (reply(b"", 403), KeyRefusedError),
        (reply(b"", 404), FinalApiError),
        (reply(b"", 400), FinalApiError),
        (reply(b"", 301, Location="http://elsewhere.invalid/"), FinalApiError),
        (reply(b" " * (64 * 2**20 + 1)), FinalApiError),
    ],
)
def test_what_will_not_pass_is_not_tried_again(failure: Reply, kind: type[ApiError]) -> None:
    with ScriptedServer(failure) as server:
        with pytest.raises(ApiError) as caught:
            store_list(client(server))
        assert type(caught.value) is kind
        assert len(server.received) == 1


def test_retry_after_is_heeded_in_both_forms() -> None:
    def tomorrow(received: Received) -> Reply:
        later = datetime.now(UTC) + timedelta(days=1)
        return reply(b"", 503, Retry_After=format_datetime(later, usegmt=True))

    with ScriptedServer(reply(b"", 429, Retry_After="1"), rows_reply(1), tomorrow) as server:
        api = client(server)
        assert store_list(api) == [1]
        first, second = server.received
        assert second.begun_at - first.answered_at >= 1.0

        begin = time.monotonic()
        with pytest.raises(RetryableApiError, match="answered 503; no time was left for another try"):
            store_list(api)
        assert time.monotonic() - begin < 5.0
        assert len(server.received) == 3


def test_an_answer_that_does_not_come_by_the_deadline() -> None:
    with ScriptedServer(reply(b"[]", wait_s=10.0)) as server:
        begin = time.monotonic()
        with pytest.raises(ApiError) as caught:
            store_list(client(server), deadline_s=0.2)
        assert 0.2 <= time.monotonic() - begin < 3.0
        assert "no time was left for another try" in str(caught.value)
        with pytest.raises(DeadlinePassedError):
            store_list(client(server), deadline_s=-1.0)


def test_a_refused_key_stops_its_report_and_not_the_other() -> None:
    def answer(received: Received) -> Reply:
        return reply(b"", 401) if received.path == BOOKING_PATH else rows_reply(received.location)

    with ScriptedServer(answer) as server:
        answers = list(client(server).reports(asks(10) + asks(5, StepName.RETURN)))
        refused = [answer.error for answer in answers if answer.request.report is StepName.BOOKING]
        assert {str(error) for error in refused} == {
            f"{server.host} refused the key (401): check BOOKING_API_KEY"
        }
        assert all(isinstance(error, KeyRefusedError) for error in refused)
        assert {error.setting for error in refused if error} == {"BOOKING_API_KEY"}
        assert len(refused) == 10
        assert sum(answer.error is None for answer in answers) == 5
        assert sum(received.path == BOOKING_PATH for received in server.received) <= 2


def test_one_location_that_fails_leaves_the_others_alone() -> None:
    def answer(received: Received) -> Reply:
        return reply(b"", 500) if received.location == "2" else rows_reply(received.location)

    with ScriptedServer(answer) as server:
        answers = list(client(server, concurrency=3).reports(asks(5)))
    assert {answer.request.location for answer in answers if answer.error} == {"2"}
    assert all(answer.rows == [answer.request.location] for answer in answers if not answer.error)


def test_a_lane_pauses_between_calls() -> None:
    with ScriptedServer(rows_reply(1)) as server:
        api = client(server, concurrency=1, call_delay_s=0.05)
        list(api.reports(asks(2)))
        list(api.reports(asks(1, StepName.RETURN)))
        received = server.received
    assert received[1].begun_at - received[0].answered_at >= 0.05
    assert received[2].begun_at - received[1].answered_at >= 0.05


def test_a_pause_that_leaves_no_time_for_another_try_does_not_hide_the_failure() -> None:
    with ScriptedServer(reply(b"", 503)) as server:
        (answer,) = client(server, call_delay_s=20.0).reports(asks(1, deadline_s=10.0))
        assert str(answer.error) == f"{server.host} answered 503; no time was left for another try"


def test_a_consumer_that_does_nothing_holds_the_server_calls_back() -> None:
    with ScriptedServer(rows_reply(1)) as server:
        with closing(client(server).reports(asks(30))) as answers:
            next(answers)
            time.sleep(0.1)
            assert len(server.received) <= 1 + 2 + 2
        assert len(server.received) <= 1 + 2 + 2


def test_closing_breaks_off_calls_under_way() -> None:
    def answer(received: Received) -> Reply:
        return rows_reply(1, wait_s=0.0 if received.location == "1" else 10.0)

    with ScriptedServer(answer) as server:
        api = client(server)
        answers = api.reports(asks(9))
        next(answers)
        begin = time.monotonic()
        api.close()
        assert time.monotonic() - begin < 5.0
        assert client_threads() == []
        assert all(isinstance(answer.error, FinalApiError) for answer in answers)


def test_a_description_that_quotes_the_key_is_masked() -> None:
    body = json.dumps({"status": False, "errorDescription": f"Token {KEY} expired"}).encode()
    with ScriptedServer(reply(body)) as server:
        (answer,) = client(server, max_tries=1).reports(asks(1))
    assert str(answer.error) == "the API says that the call failed: Token [key] expired"
    assert KEY not in repr(Endpoint(server.url, KEY, "BOOKING_API_KEY"))


def test_retries_are_told_at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="syncctl.api")
    with ScriptedServer(reply(b"", 503), rows_reply(1)) as server:
        list(client(server).reports(asks(1)))
    (record,) = [record for record in caplog.records if record.name == "syncctl.api"]
    assert record.getMessage() == (
        f"booking, location 1: try 1 of 3 failed: {server.host} answered 503; the next in 0.0 s"
    )


def test_the_package_alone_does_not_load_requests() -> None:
    code = "import sys, syncctl.api; raise SystemExit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
