"""Each fault does on the wire what it says."""

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead, RemoteDisconnected

import pytest

from syncctl.sandbox import FAULT_KINDS, Fault, Sandbox
from syncctl.sandbox.faults import _FAULT_RESPONSES, BOMB_BYTES, HUGE_BYTES
from tests.unit.sandbox.client import BODY, HEADERS, REPORTS, ask, connected, report
from tests.unit.sandbox.conftest import TODAY


def test_every_kind_has_its_manner() -> None:
    assert set(_FAULT_RESPONSES) == set(FAULT_KINDS)


@pytest.mark.parametrize("kind", ["500", "502", "503", "504", "401", "403", "404", "429"])
def test_error_pages(sandbox: Sandbox, kind: str) -> None:
    sandbox.set_faults(Fault(kind))
    reply = report(sandbox, "booking")
    assert reply.status == int(kind)
    assert reply.headers["Content-Type"] == "text/html"
    assert reply.body.startswith(b"<!DOCTYPE html>")
    assert "Retry-After" not in reply.headers
    assert sandbox.requests[-1].status == int(kind)


def test_retry_after_in_seconds(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("429-seconds", times=1), Fault("429-seconds", seconds=30))
    replies = [report(sandbox, "booking") for _ in range(2)]
    assert [(reply.status, reply.headers["Retry-After"]) for reply in replies] == [(429, "1"), (429, "30")]


def test_retry_after_as_a_date(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("429-date", seconds=100))
    reply = report(sandbox, "booking")
    wait = parsedate_to_datetime(reply.headers["Retry-After"]) - datetime.now(UTC)
    assert timedelta(seconds=90) < wait <= timedelta(seconds=101)


def test_retry_after_as_told(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("429-date", retry_after="soon"))
    assert report(sandbox, "booking").headers["Retry-After"] == "soon"


def test_a_reset_is_a_reset_and_a_drop_is_an_end(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("reset", api="booking"), Fault("drop", api="return"))
    with pytest.raises(ConnectionResetError) as caught:
        report(sandbox, "booking")
    assert not isinstance(caught.value, RemoteDisconnected)
    with pytest.raises(RemoteDisconnected):
        report(sandbox, "return")
    assert [request.status for request in sandbox.requests] == [0, 0]
    assert sandbox.fault_counts == {"reset": 1, "drop": 1}


def test_slow_sleeps_and_then_answers_rightly() -> None:
    slept: list[float] = []
    faults = [Fault("slow", times=1), Fault("slow", seconds=7)]
    with Sandbox(locations=1, bookings=3, today=TODAY, faults=faults, sleep=slept.append) as sandbox:
        assert report(sandbox, "booking").rows == sandbox.rows("booking")
        assert sum(slept) == pytest.approx(60)
        report(sandbox, "booking")
    assert sum(slept) == pytest.approx(67)


def test_drip_sends_byte_by_byte_with_a_pause_before_each() -> None:
    slept: list[float] = []
    faults = [Fault("drip", seconds=0.01)]
    with Sandbox(locations=1, bookings=1, today=TODAY, faults=faults, sleep=slept.append) as sandbox:
        reply = report(sandbox, "booking")
        assert reply.rows == sandbox.rows("booking")
        assert len(slept) == len(reply.body)


def test_cut_lies_about_the_length_and_the_next_time_it_does_not(sandbox: Sandbox) -> None:
    whole = report(sandbox, "booking").body
    sandbox.set_faults(Fault("cut"))
    for _ in range(2):
        with pytest.raises(IncompleteRead) as caught:
            report(sandbox, "booking")
        assert caught.value.partial == whole[: len(whole) // 2]
        reply = report(sandbox, "booking")
        assert reply.body == whole[: len(whole) // 2]
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply.body.decode(errors="ignore"))


def test_html_comes_with_status_200(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("html"))
    reply = report(sandbox, "booking")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html")
    assert b"<html>" in reply.body


def test_scalars_of_every_type_in_turn(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("scalar"))
    answers = [report(sandbox, "booking").document for _ in range(4)]
    assert [type(answer) for answer in answers] == [str, int, type(None), bool]


def test_redirect_leads_where_it_is_told(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("redirect", times=1), Fault("redirect", target="http://127.0.0.2:9/x"))
    replies = [report(sandbox, "booking") for _ in range(2)]
    assert [reply.status for reply in replies] == [302, 302]
    assert [reply.headers["Location"] for reply in replies] == ["/maintenance.html", "http://127.0.0.2:9/x"]


def test_huge_goes_on_past_any_sensible_size(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("huge"))
    with connected(sandbox) as connection:
        connection.request("POST", REPORTS["booking"], json.dumps(BODY), HEADERS)
        response = connection.getresponse()
        assert response.getheader("Content-Length") is None
        assert response.read(22) == b'{"dataSet": {"data": ['
        received = 0
        while received < 20_000_000:
            piece = response.read(1 << 20)
            assert piece
            received += len(piece)
        response.close()
    assert HUGE_BYTES == 200 << 20


def test_a_gzip_bomb_is_small_and_unpacks_to_256_mb(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("gzip-bomb"))
    reply = report(sandbox, "booking")
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.body) < 1 << 20
    with gzip.GzipFile(fileobj=io.BytesIO(reply.body)) as file:
        sizes = [len(block) for block in iter(lambda: file.read(1 << 20), b"")]
    assert sum(sizes) == BOMB_BYTES + len('{"dataSet": {"data": []}}')


def test_no_data_and_an_error_of_the_api(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("no-data", api="booking"), Fault("api-error", api="return"))
    nothing, error = report(sandbox, "booking"), report(sandbox, "return")
    assert (nothing.status, nothing.document["errorDescription"]) == (200, "No data found")
    assert error.status == 200
    assert error.document == {
        "dataSet": None,
        "status": False,
        "errorDescription": "Execution Timeout Expired",
    }


def test_envelopes_hold_the_right_rows_in_each_other_shape_in_turn(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("envelopes"))
    rows = sandbox.rows("booking", "7")
    answers = [report(sandbox, "booking").document for _ in range(5)]
    assert answers == [{"dataSet": rows}, {"data": rows}, {"result": rows}, rows, {"dataSet": rows}]
    assert ask(sandbox, "GET", "/api/Location/LocationList").document == {"data": sandbox.rows("stores")}
