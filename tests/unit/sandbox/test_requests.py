"""How strictly requests are checked, what is logged of them, and the sandbox's own controls."""

import math
import socket
from typing import Any

import pytest

from syncctl.sandbox import Fault, Sandbox
from tests.unit.sandbox.client import BODIES, BODY, HEADERS, REPORTS, RETURN_BODY, STORE_LIST, ask, report
from tests.unit.sandbox.conftest import TODAY


def test_the_contracts_body_is_accepted_with_dates_too(sandbox: Sandbox) -> None:
    body = {**RETURN_BODY, "dateFrom": "2025-01-01", "dateTo": "2025-03-31", "months": "1"}
    assert ask(sandbox, "POST", REPORTS["return"], body).status == 200


@pytest.mark.parametrize("api", REPORTS)
@pytest.mark.parametrize("key", sorted(RETURN_BODY))
def test_each_value_of_a_body_is_a_string(sandbox: Sandbox, key: str, api: str) -> None:
    for value in (7, None):
        reply = ask(sandbox, "POST", REPORTS[api], {**BODIES[api], key: value})
        assert reply.status == 400
        assert key in reply.body.decode()


@pytest.mark.parametrize("api", REPORTS)
def test_a_body_without_a_location_is_refused(sandbox: Sandbox, api: str) -> None:
    reply = ask(sandbox, "POST", REPORTS[api], {"months": "12"})
    assert (reply.status, "locationID" in reply.body.decode()) == (400, True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dateFrom": "2025-01-01"}, "dateTo"),
        ({"dateTo": "2025-01-01"}, "dateFrom"),
        ({"dateFrom": "01-01-2025", "dateTo": "2025-01-02"}, "dateFrom"),
        ({"dateFrom": "2025-01-01", "dateTo": "2025-02-30"}, "isn't a date"),
        ({"dateFrom": "2025-01-01T00:00:00", "dateTo": "2025-01-02"}, "dateFrom"),
        ({"dateFrom": "20250101", "dateTo": "20250102"}, "dateFrom"),
        ({"dateFrom": "2025-01-02", "dateTo": "2025-01-01"}, "after"),
        ({"months": ""}, "months"),
        ({"months": "0"}, "months"),
        ({"months": "1.5"}, "months"),
        ({"pageSize": "10"}, "pageSize"),
    ],
)
def test_values_that_the_contract_does_not_show_are_refused(
    sandbox: Sandbox, change: dict[str, str], message: str
) -> None:
    reply = ask(sandbox, "POST", REPORTS["return"], {**RETURN_BODY, **change})
    assert reply.status == 400
    assert message in reply.body.decode()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
def test_a_body_that_is_no_json_object_is_refused(sandbox: Sandbox, body: bytes) -> None:
    assert ask(sandbox, "POST", REPORTS["booking"], body).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**HEADERS, "Content-Type": "application/json"},
        {"Content-Type": HEADERS["Content-Type"]},
        {**HEADERS, "accept": "*/*"},
    ],
)
def test_the_reports_headers_are_required(sandbox: Sandbox, headers: dict[str, str]) -> None:
    assert ask(sandbox, "POST", REPORTS["booking"], BODY, headers).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", STORE_LIST, 405),
        ("GET", REPORTS["booking"], 405),
        ("HEAD", REPORTS["booking"], 405),
        ("GET", "/", 404),
        ("GET", STORE_LIST + "/", 404),
        ("GET", "/" + STORE_LIST, 404),
        ("GET", STORE_LIST.lower(), 404),
    ],
)
def test_other_paths_and_methods_are_refused(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    assert ask(sandbox, method, path).status == status


def test_a_faulty_sandbox_still_refuses_a_wrong_request_first(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("503"))
    assert ask(sandbox, "POST", REPORTS["booking"], {}).status == 400
    assert not sandbox.fault_counts


@pytest.mark.parametrize(
    "path", ["/api/Rentout/GetRentoutList", "/api/Reports/rent-out", "/api/Rent_Out", "/api/%72entOUT"]
)
def test_rentout_is_answered_like_nothing_else_and_counted(sandbox: Sandbox, path: str) -> None:
    assert ask(sandbox, "POST", path, BODY).status == 418
    assert [(request.path, request.status) for request in sandbox.requests] == [(path, 418)]


def test_without_its_token_nothing_is_answered() -> None:
    with Sandbox(locations=1, bookings=1, today=TODAY, token="key-1") as sandbox:
        for header in ({}, {"Authorization": "Bearer key-2"}, {"Authorization": "key-1"}):
            assert ask(sandbox, "GET", STORE_LIST, headers=header).status == 401
            assert ask(sandbox, "POST", REPORTS["return"], RETURN_BODY, {**HEADERS, **header}).status == 401
        good = {**HEADERS, "Authorization": "Bearer key-1"}
        assert ask(sandbox, "GET", STORE_LIST, headers=good).status == 200
        assert ask(sandbox, "POST", REPORTS["return"], RETURN_BODY, good).status == 200


def test_a_request_is_logged_with_all_that_it_said(sandbox: Sandbox) -> None:
    report(sandbox, "return", "709")
    ask(sandbox, "GET", STORE_LIST)
    ask(sandbox, "GET", "/elsewhere?x=1")
    returns, stores, other = sandbox.requests
    assert (returns.api, returns.location, returns.status, returns.method) == ("return", "709", 200, "POST")
    assert returns.body == {**RETURN_BODY, "locationID": "709"}
    assert returns.headers["content-type"] == HEADERS["Content-Type"]
    assert (stores.api, stores.location, stores.body) == ("stores", None, None)
    assert (other.api, other.path, other.status) == ("other", "/elsewhere", 404)
    assert returns.at <= returns.done_at <= stores.at <= stores.done_at <= other.at
    assert returns.client_port != stores.client_port


def test_latency_is_part_of_every_answer_and_slept_for() -> None:
    slept: list[float] = []
    with Sandbox(locations=1, bookings=1, today=TODAY, latency_s=90, sleep=slept.append) as sandbox:
        assert report(sandbox, "booking").status == 200
        assert ask(sandbox, "GET", STORE_LIST).status == 200
    assert sum(slept) == pytest.approx(180)


def test_a_request_under_way_is_in_the_log_as_such() -> None:
    seen: list[Any] = []
    sandbox = Sandbox(
        locations=1,
        bookings=1,
        today=TODAY,
        latency_s=0.01,
        sleep=lambda _: seen.extend(sandbox.requests),
    )
    with sandbox:
        report(sandbox, "booking")
    assert [(request.status, request.done_at) for request in seen] == [(0, math.inf)]
    assert seen[0].document()["done_at"] is None


def test_bookings_are_added_from_another_process(sandbox: Sandbox) -> None:
    reply = ask(sandbox, "POST", "/_sandbox/bookings", {"count": 5})
    assert len(reply.document["added"]) == 5
    assert {row.get("bookingNo") for row in sandbox.rows("booking")} >= set(reply.document["added"])


def test_faults_are_set_from_another_process(sandbox: Sandbox) -> None:
    fault_texts = ["503@booking:7", "html@stores"]
    assert ask(sandbox, "POST", "/_sandbox/faults", {"faults": fault_texts}).document == {
        "faults": fault_texts
    }
    assert report(sandbox, "booking").status == 503
    assert report(sandbox, "booking", "709").status == 200
    ask(sandbox, "POST", "/_sandbox/faults", {"faults": []})
    assert report(sandbox, "booking").status == 200


def test_the_log_is_read_from_another_process_without_the_key(sandbox: Sandbox) -> None:
    ask(sandbox, "GET", STORE_LIST, headers={"Authorization": "Bearer key-1"})
    log = ask(sandbox, "GET", "/_sandbox/requests")
    assert b"key-1" not in log.body
    (entry,) = log.document
    assert (entry["api"], entry["status"], entry["headers"]["authorization"]) == ("stores", 200, "***")
    assert len(sandbox.requests) == 1  # the controls themselves are not logged


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("bookings", {"count": "5"}, 400),
        ("bookings", {}, 400),
        ("bookings", b"{", 400),
        ("faults", {"faults": ["nonsense"]}, 400),
        ("faults", ["503"], 400),
        ("nothing", {}, 404),
    ],
)
def test_controls_refuse_what_they_do_not_understand(
    sandbox: Sandbox, name: str, body: object, status: int
) -> None:
    assert ask(sandbox, "POST", f"/_sandbox/{name}", body).status == status


@pytest.mark.parametrize(
    "header", ["Transfer-Encoding: chunked", "Content-Length: 9999999", "Content-Length: x"]
)
def test_a_body_without_a_sensible_length_ends_the_connection(sandbox: Sandbox, header: str) -> None:
    host, _, port = sandbox.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"POST {REPORTS['booking']} HTTP/1.1\r\n{header}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"\r\nConnection: close\r\n" in answer
