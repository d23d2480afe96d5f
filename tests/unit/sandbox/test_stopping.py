"""Starting, stopping in the middle of anything, and starting again."""

import json
import socket
import threading
import time

import pytest

from syncctl.sandbox import Fault, Sandbox
from tests.unit.sandbox.client import BODIES, BODY, HEADERS, REPORTS, STORE_LIST, ask, ask_over, connected
from tests.unit.sandbox.conftest import TODAY


@pytest.mark.parametrize("kind", ["slow", "drip", "huge"])
def test_stop_breaks_an_answer_under_way_at_once(kind: str) -> None:
    threads = set(threading.enumerate())
    sandbox = Sandbox(locations=1, bookings=50, today=TODAY, faults=[Fault(kind)]).start()
    with connected(sandbox) as connection:
        connection.request("POST", REPORTS["booking"], json.dumps(BODY), HEADERS)
        give_up_at = time.monotonic() + 5
        while not sandbox.fault_counts:
            assert time.monotonic() < give_up_at
            time.sleep(0.005)
        if kind != "slow":
            connection.getresponse().close()  # the head is there, so that the body is under way
        began = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - began < 1
        assert set(threading.enumerate()) == threads
        assert sandbox.requests[0].done_at <= time.monotonic()


def test_stop_ends_idle_connections_and_a_second_stop_does_nothing() -> None:
    sandbox = Sandbox(locations=1, bookings=1, today=TODAY).start()
    with connected(sandbox) as connection:
        ask_over(connection, "GET", STORE_LIST)
        sandbox.stop()
        assert connection.sock.recv(1) == b""
    sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(sandbox, "GET", STORE_LIST)


def test_it_starts_again_where_it_was_with_what_it_had() -> None:
    sandbox = Sandbox(locations=1, bookings=1, today=TODAY)
    with sandbox:
        address = sandbox.base_url
        sandbox.add_bookings(1)
        rows = sandbox.rows("booking")
        with pytest.raises(RuntimeError, match="running"):
            sandbox.start()
    with sandbox:
        assert sandbox.base_url == address
        assert ask(sandbox, "POST", REPORTS["booking"], BODY).rows == rows


def test_a_taken_port_is_an_error_that_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sandbox = Sandbox(locations=1, bookings=1, today=TODAY, port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            sandbox.start()
        sandbox.stop()


def test_a_client_that_hangs_up_leaves_the_others_alone(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox.set_faults(Fault("huge", times=1))
    with connected(sandbox) as connection:
        connection.request("POST", REPORTS["booking"], json.dumps(BODY), HEADERS)
        connection.getresponse().close()
    assert ask(sandbox, "POST", REPORTS["booking"], BODY).status == 200
    sandbox.stop()
    assert capfd.readouterr().err == ""


def test_many_at_once_get_their_own_answers(sandbox: Sandbox) -> None:
    wrong: list[str] = []

    def client(code: str) -> None:
        with connected(sandbox) as connection:
            for api in ("booking", "return"):
                reply = ask_over(connection, "POST", REPORTS[api], {**BODIES[api], "locationID": code})
                if reply.rows != sandbox.rows(api, code):
                    wrong.append(code)

    clients = [threading.Thread(target=client, args=(code,)) for code in sandbox.locations]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join(10)
    assert wrong == []
    assert len(sandbox.requests) == 42
