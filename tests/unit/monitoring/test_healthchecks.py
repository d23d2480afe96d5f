"""The heartbeat: what a monitor is sent, and that no trouble with it costs a run more than a little time."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from syncctl.monitoring.healthchecks import MAX_BODY_BYTES, Heartbeat, PingPolicy
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply

SECRET = "/ping/0f0e0d0c-0000-4000-8000-000000000000"
QUICK = PingPolicy(timeout_s=0.3, tries=2, pause_s=0.01)
"""For monitors that never answer. One that does may take longer on a busy machine."""

PATIENT = PingPolicy(timeout_s=10, tries=2, pause_s=0.01)
DRIP = Reply([b"H"] * 1000, pause_s=0.05)
NEVER = Reply([], wait_s=60)
OK = reply(b"OK")


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "heartbeat"] == []
    assert len(threading.enumerate()) <= len(before)


def heartbeat(url: str, policy: PingPolicy = PATIENT) -> Heartbeat:
    return Heartbeat(url + SECRET, policy)


def paths(server: ScriptedServer) -> list[str]:
    return [urlsplit(received.path).path.removeprefix(SECRET) for received in server.received]


def wait_for_requests(server: ScriptedServer, number: int) -> None:
    deadline = time.monotonic() + 5
    while len(server.received) < number:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def run_through(server: ScriptedServer, status: int = 0, policy: PingPolicy = PATIENT) -> list[str]:
    beat = heartbeat(server.url, policy)
    beat.begin()
    wait_for_requests(server, 1)
    return beat.end(status, "all is well")


def test_start_and_end_are_posted_with_one_run_id() -> None:
    with ScriptedServer(OK) as server:
        assert run_through(server, 69) == []
    assert paths(server) == ["/start", "/69"]
    run_ids = [parse_qs(urlsplit(received.path).query)["rid"] for received in server.received]
    assert run_ids[0] == run_ids[1]
    assert str(uuid.UUID(run_ids[0][0])) == run_ids[0][0]
    assert [received.method for received in server.received] == ["POST", "POST"]
    assert [received.body for received in server.received] == [b"", b"all is well"]


def test_each_run_has_an_id_of_its_own() -> None:
    with ScriptedServer(OK) as server:
        for _ in range(2):
            assert heartbeat(server.url).end(0, "") == []
    first, second = server.received
    assert first.path != second.path


@pytest.mark.parametrize("address", [f"{SECRET}?create=1&x=a%20b", f"{SECRET}/?create=1&x=a%20b"])
def test_a_query_in_the_address_stays_behind_the_path(address: str) -> None:
    with ScriptedServer(OK) as server:
        assert Heartbeat(server.url + address, PATIENT).end(1, "") == []
    path, _, query = server.received[0].path.partition("?")
    assert path == f"{SECRET}/1"
    assert query.startswith("create=1&x=a%20b&rid=")


def test_of_a_long_summary_the_end_is_sent_cut_between_characters() -> None:
    with ScriptedServer(OK) as server:
        assert heartbeat(server.url).end(0, "x" + "€" * MAX_BODY_BYTES + "!") == []
        assert heartbeat(server.url).end(0, "a lone \udc80") == []
    body = server.received[0].body
    assert MAX_BODY_BYTES - 3 < len(body) <= MAX_BODY_BYTES
    assert set(body.decode()[:-1]) == {"€"}
    assert body.endswith(b"!")
    assert server.received[1].body == b"a lone ?"


def test_the_answers_body_is_not_waited_for() -> None:
    endless = Reply([b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", *[b"x"] * 1000], pause_s=0.05)
    with ScriptedServer(endless) as server:
        began = time.monotonic()
        assert run_through(server, policy=PingPolicy(timeout_s=30)) == []
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("answer", [reply(status=500), reply(status=429), Reply([], then="reset"), NEVER])
def test_what_may_pass_is_tried_once_more(answer: Reply) -> None:
    policy = PATIENT._replace(timeout_s=1) if answer is NEVER else PATIENT
    with ScriptedServer(answer, OK) as server:
        assert heartbeat(server.url, policy).end(0, "") == []
    assert paths(server) == ["/0", "/0"]


@pytest.mark.parametrize("status", [400, 404, 409])
def test_what_will_not_pass_is_tried_once(status: int) -> None:
    with ScriptedServer(reply(status=status)) as server:
        (trouble,) = heartbeat(server.url).end(0, "")
    assert len(server.received) == 1
    assert f"/0 failed (status {status})" in trouble


@pytest.mark.parametrize(
    ("answer", "policy", "reason"),
    [
        (NEVER, QUICK, "no answer in time"),
        (DRIP, QUICK, "no answer in time"),
        (reply(status=503), PATIENT, "status 503"),
    ],
)
def test_a_monitor_in_trouble_is_given_up_after_two_tries(
    answer: Reply, policy: PingPolicy, reason: str
) -> None:
    with ScriptedServer(answer) as server:
        began = time.monotonic()
        (trouble,) = heartbeat(server.url, policy).end(0, "")
        took_s = time.monotonic() - began
    assert paths(server) == ["/0", "/0"]
    assert took_s < 2 * QUICK.timeout_s + 1
    assert f"/0 failed ({reason})" in trouble


def test_a_redirect_is_not_followed_as_the_address_is_a_secret() -> None:
    with ScriptedServer(OK) as other, ScriptedServer(reply(status=307, Location=f"{other.url}/x")) as server:
        (trouble,) = heartbeat(server.url).end(0, "")
        assert len(server.received) == 1
        assert other.received == []
    assert "redirects with status 307" in trouble


def test_nobody_there() -> None:
    with socket.socket() as bound:  # and so nobody else's, but nobody listens
        bound.bind(("127.0.0.1", 0))
        beat = heartbeat(f"http://127.0.0.1:{bound.getsockname()[1]}")
        beat.begin()
        start, end = beat.end(1, "")
    assert start.startswith("The heartbeat's /start failed (Connection refused)")
    assert end.startswith("The heartbeat's /1 failed (Connection refused)")


@pytest.mark.parametrize("url", ["http://no-such-host.invalid", "https://127.0.0.1:1", "http://[::1]:1"])
def test_no_trouble_shows_the_address(url: str) -> None:
    (trouble,) = heartbeat(url, QUICK).end(0, "")
    assert "/0 failed (" in trouble
    for hidden in ("0f0e0d0c", "ping", "rid", "://"):
        assert hidden not in trouble


def test_a_start_that_hangs_is_broken_off_before_the_end_is_told() -> None:
    def script(received: Received) -> Reply:
        return NEVER if "/start" in received.path else OK

    with ScriptedServer(script) as server:
        (trouble,) = run_through(server, policy=PATIENT._replace(timeout_s=1))
    assert paths(server)[0] == "/start"
    assert paths(server)[-1] == "/0"
    assert trouble.startswith("The heartbeat's /start failed (no answer in time)")


def test_nothing_of_the_start_is_sent_after_the_end() -> None:
    def script(received: Received) -> Reply:
        return reply(status=500) if "/start" in received.path else OK

    with ScriptedServer(script) as server:
        beat = heartbeat(server.url, PingPolicy(timeout_s=0.6, tries=2, pause_s=0.9))
        beat.begin()
        wait_for_requests(server, 1)
        (trouble,) = beat.end(0, "")
        time.sleep(0.5)
    assert paths(server) == ["/start", "/0"]
    assert "/start failed (status 500)" in trouble


def test_a_run_does_not_wait_for_the_start() -> None:
    with ScriptedServer(NEVER) as server:
        beat = heartbeat(server.url, QUICK)
        began = time.monotonic()
        beat.begin()
        assert time.monotonic() - began < 0.2
        beat.end(0, "")


@pytest.mark.parametrize("status", [130, 143])
def test_after_a_signal_one_try_is_all(status: int) -> None:
    with ScriptedServer(NEVER) as server:
        beat = heartbeat(server.url, QUICK)
        beat.begin()
        wait_for_requests(server, 1)
        began = time.monotonic()
        assert len(beat.end(status, "")) == 2
        assert time.monotonic() - began < QUICK.timeout_s + 0.5
    assert paths(server) == ["/start", f"/{status}"]


@pytest.mark.parametrize(("status", "told"), [(75, False), (130, False), (143, False), (78, True), (1, True)])
def test_of_a_run_that_never_began_only_failures_of_its_own_are_told(status: int, told: bool) -> None:
    with ScriptedServer(OK) as server:
        assert heartbeat(server.url).end(status, "") == []
    assert paths(server) == ([f"/{status}"] if told else [])


def test_a_system_without_threads_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    beat = heartbeat("http://127.0.0.1:1")
    beat.begin()
    assert len(beat.end(0, "")) == 2
