"""One call over real loopback HTTP: its limits, its failures, and what its messages don't say."""

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncctl.api.transport import Transport
from syncctl.api.wire import Endpoint, store_list_call
from syncctl.errors import ApiError, DeadlinePassedError, FinalApiError, KeyRefusedError, RetryableApiError
from tests.support.scripted_server import Reply, ScriptedServer, reply

KEY = "s3cret-k3y"
LIMIT_S = 0.2


@pytest.fixture
def transport() -> Iterator[Transport]:
    session = Transport(timeout_s=5.0, max_answer_bytes=100_000)
    yield session
    session.close()


def get(transport: Transport, url: str, *, key: str | None = KEY, deadline_s: float = 60.0) -> bytes:
    call = store_list_call(Endpoint(url + "/stores?token=in-the-url", key, "STORE_API_KEY"))
    return transport.fetch(call, time.monotonic() + deadline_s)


def failure(transport: Transport, url: str, *, key: str | None = KEY, deadline_s: float = 60.0) -> ApiError:
    with pytest.raises(ApiError) as caught:
        get(transport, url, key=key, deadline_s=deadline_s)
    message = str(caught.value)
    assert KEY not in message
    assert "in-the-url" not in message
    assert "Error" not in message
    assert "\n" not in message
    return caught.value


def test_a_connection_is_used_again(transport: Transport) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with ScriptedServer(reply(b"one"), Reply([chunked]), reply(b"three")) as server:
        for expected in (b"one", b"abcde", b"three"):
            assert get(transport, server.url) == expected
        assert len({request.connection for request in server.received}) == 1


def test_bytes_come_unchanged_and_unpacked(transport: Transport) -> None:
    text = '[{"customerName": "അനഘ"}]'.encode()
    packed = reply(gzip.compress(text), Content_Encoding="gzip")
    until_closed = Reply([b"HTTP/1.0 200 OK\r\n\r\n", text], then="close")
    with ScriptedServer(reply(text), packed, until_closed) as server:
        assert [get(transport, server.url) for _ in range(3)] == [text] * 3
        assert server.received[0].header("Accept-Encoding") == "gzip, deflate"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FinalApiError),
        (404, FinalApiError),
        (405, FinalApiError),
        (408, RetryableApiError),
        (429, RetryableApiError),
        (500, RetryableApiError),
        (503, RetryableApiError),
        (599, RetryableApiError),
        (600, FinalApiError),
    ],
)
def test_statuses(transport: Transport, status: int, kind: type[ApiError]) -> None:
    with ScriptedServer(reply(b"<html>", status, Retry_After="7")) as server:
        error = failure(transport, server.url)
        assert type(error) is kind
        assert str(error).startswith(f"{server.host} answered {status}")
        assert getattr(error, "retry_after_s", 7.0) == 7.0


@pytest.mark.parametrize("status", [404, 405, 410])
@pytest.mark.parametrize(
    ("host_setting", "path_setting", "advice"),
    [
        ("API_BASE_URL", "BOOKING_API_ENDPOINT", "check BOOKING_API_ENDPOINT and API_BASE_URL"),
        ("STORE_LIST_API_URL", "STORE_LIST_API_URL", "check STORE_LIST_API_URL"),
    ],
)
def test_a_path_that_is_not_there_names_the_setting_that_holds_it(
    transport: Transport, status: int, host_setting: str, path_setting: str, advice: str
) -> None:
    with ScriptedServer(reply(b"<html>", status)) as server:
        url = f"{server.url}/api/nowhere?token=in-the-url"
        call = store_list_call(Endpoint(url, None, "API_TOKEN", host_setting, path_setting))
        with pytest.raises(FinalApiError) as caught:
            transport.fetch(call, time.monotonic() + 60.0)
        assert str(caught.value) == f"{server.host} answered {status} to /api/nowhere: {advice}"
        assert caught.value.setting == path_setting


def test_a_name_that_cannot_be_resolved_names_the_setting_with_the_host(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*args: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    call = store_list_call(
        Endpoint("http://rental.invalid/x", None, "API_TOKEN", "RETURN_API_BASE_URL", "RETURN_API_ENDPOINT")
    )
    with pytest.raises(RetryableApiError) as caught:
        transport.fetch(call, time.monotonic() + 60.0)
    assert (caught.value.hint, caught.value.setting) == (
        "check the network and RETURN_API_BASE_URL",
        "RETURN_API_BASE_URL",
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_its_setting(transport: Transport, status: int) -> None:
    with ScriptedServer(reply(b"", status)) as server:
        error = failure(transport, server.url)
        assert isinstance(error, KeyRefusedError)
        assert str(error) == f"{server.host} refused the key ({status}): check STORE_API_KEY"
        wanted = failure(transport, server.url, key=None)
        assert isinstance(wanted, KeyRefusedError)
        assert str(wanted) == f"{server.host} requires a key ({status}): set STORE_API_KEY"


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}é", f" {KEY}", f"{KEY}\r\nX: y"])
def test_a_key_that_no_header_can_carry_is_not_sent(transport: Transport, key: str) -> None:
    with ScriptedServer(reply(b"[]")) as server:
        error = failure(transport, server.url, key=key)
        assert isinstance(error, KeyRefusedError)
        assert "STORE_API_KEY" in str(error)
        assert server.received == []


def test_netrc_neither_replaces_nor_adds_a_key(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedServer(reply(b"[]")) as server:
        get(transport, server.url)
        get(transport, server.url, key=None)
        assert [request.header("Authorization") for request in server.received] == [f"Bearer {KEY}", None]


def test_a_redirect_is_not_followed_and_its_body_not_read(transport: Transport) -> None:
    with ScriptedServer(reply(b"[]")) as other:
        endless = Reply(
            [f"HTTP/1.1 302 Found\r\nLocation: {other.url}/x?y=z\r\n\r\n".encode(), *[b"x"] * 1000],
            pause_s=0.01,
        )
        lost = reply(b"", 307)
        with ScriptedServer(endless, lost) as server:
            begin = time.monotonic()
            error = failure(transport, server.url)
            assert time.monotonic() - begin < 5.0
            assert type(error) is FinalApiError
            assert str(error) == f"{server.host} redirects (302) to {other.host}: check API_BASE_URL"
            assert "unknown place" in str(failure(transport, server.url))
        assert other.received == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "wait_s"),
    [
        ([b""], 10.0),
        ([HEAD, *[b" "] * 1000], 0.0),
        ([b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 1000], 0.0),
        ([b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 1000], 0.0),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"0"] * 1000], 0.0),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"] * 1000, 0.0),
    ],
    ids=["silence", "body", "body of no length", "headers", "chunk length", "continue"],
)
def test_an_answer_that_drips_in_is_broken_off(
    transport: Transport, pieces: list[bytes], wait_s: float
) -> None:
    with ScriptedServer(Reply(pieces, pause_s=0.02, wait_s=wait_s), reply(b"[]")) as server:
        begin = time.monotonic()
        error = failure(transport, server.url, deadline_s=LIMIT_S)
        assert LIMIT_S <= time.monotonic() - begin < LIMIT_S + 3.0
        assert isinstance(error, RetryableApiError)
        assert str(error) == f"no answer from {server.host} within 0.2 s"
        assert get(transport, server.url) == b"[]"  # the session is none the worse for it


def test_a_drip_over_tls_is_broken_off_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport(timeout_s=5.0)
    drip = Reply([HEAD, *[b" "] * 1000], pause_s=0.02)
    with ScriptedServer(drip, reply(b"[]"), tls_files=tmp_path) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.certificate))
        assert "within 0.2 s" in str(failure(transport, server.url, deadline_s=LIMIT_S))
        assert get(transport, server.url) == b"[]"
        transport.close()


def test_a_certificate_that_is_not_trusted_is_final(transport: Transport, tmp_path: Path) -> None:
    with ScriptedServer(reply(b"[]"), tls_files=tmp_path) as server:
        error = failure(transport, server.url)
        assert type(error) is FinalApiError
        assert f"the TLS certificate of {server.host} is not valid (self-signed certificate)" in str(error)


def test_other_tls_trouble_may_pass(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(reply(b"[]")) as server:
        plain = server.url.replace("http:", "https:")
        error = failure(transport, plain)
        assert isinstance(error, RetryableApiError)
        assert str(error) == f"a TLS connection to {server.host} could not be made"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
        assert type(failure(transport, plain)) is FinalApiError


def test_the_time_for_an_answer_is_the_lesser_of_two() -> None:
    transport = Transport(timeout_s=0.1)
    with ScriptedServer(reply(b"[]", wait_s=10.0)) as server:
        assert str(failure(transport, server.url)) == f"no answer from {server.host} within 0.1 s"
        asked = len(server.received)
        assert isinstance(failure(transport, server.url, deadline_s=0.0), DeadlinePassedError)
        assert len(server.received) == asked
    transport.close()


def raw(data: bytes, then: str = "close") -> Reply:
    return Reply([data], then=then)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (raw(HEAD + b"[{"), "the answer from {host} was cut off"),
        (
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n[{"),
            "the answer from {host} was cut off",
        ),
        (raw(b"", "close"), "{host} dropped the connection"),
        (raw(b"", "reset"), "{host} dropped the connection"),
        (raw(HEAD + b"[{", "reset"), "{host} dropped the connection"),
        (raw(b"SSH-2.0-OpenSSH\r\n"), "{host} sent an answer that is not HTTP"),
        (
            reply(b"not gzip", Content_Encoding="gzip"),
            "{host} sent a compressed answer that can't be unpacked",
        ),
    ],
)
def test_broken_answers_may_pass(transport: Transport, answer: Reply, message: str) -> None:
    with ScriptedServer(answer) as server:
        error = failure(transport, server.url)
        assert isinstance(error, RetryableApiError)
        assert str(error) == message.format(host=server.host)


def test_nobody_there(transport: Transport) -> None:
    with ScriptedServer(reply(b"")) as server:
        host = server.host
    error = failure(transport, f"http://{host}")
    assert isinstance(error, RetryableApiError)
    assert str(error) == f"connection refused by {host}"


def test_a_name_that_does_not_exist(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # a real resolver's answer takes what time it likes
    error = failure(transport, "http://rental.invalid")
    assert isinstance(error, RetryableApiError)
    assert str(error).startswith("the name rental.invalid could not be resolved")


def test_a_broken_proxy_is_named_as_such(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(reply(b"")) as server:
        proxy = server.url
    monkeypatch.setenv("http_proxy", proxy)
    error = failure(transport, "http://rental.invalid")
    assert isinstance(error, RetryableApiError)
    assert str(error).startswith("the proxy on the way to rental.invalid failed")


def test_an_answer_through_a_proxy_is_limited_as_well(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Reply([b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 1000], pause_s=0.02)) as server:
        monkeypatch.setenv("http_proxy", server.url)
        begin = time.monotonic()
        assert "within 0.2 s" in str(failure(transport, "http://rental.invalid", deadline_s=LIMIT_S))
        assert time.monotonic() - begin < LIMIT_S + 3.0


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://", "rental.test", "ftp://rental.test", "http://a:99999", "http://a..b"]
)
def test_an_address_that_is_none_is_final(transport: Transport, url: str) -> None:
    error = failure(transport, url)
    assert type(error) is FinalApiError
    assert "API_BASE_URL" in str(error)


def test_an_answer_over_the_cap_is_final(transport: Transport) -> None:
    with ScriptedServer(reply(b"x" * 100_000), reply(b"x" * 100_001)) as server:
        assert len(get(transport, server.url)) == 100_000
        error = failure(transport, server.url)
        assert type(error) is FinalApiError
        assert "more than 0.0953674 MiB" in str(error)


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = reply(gzip.compress(bytes(30_000_000), compresslevel=1), Content_Encoding="gzip")
    transport = Transport(timeout_s=10.0, max_answer_bytes=1_000_000)
    with ScriptedServer(bomb) as server:
        tracemalloc.start()
        try:
            error = failure(transport, server.url)
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()
            transport.close()
    assert type(error) is FinalApiError


def test_abort_breaks_off_a_call_from_another_thread_for_good() -> None:
    transport = Transport(timeout_s=10.0)
    with ScriptedServer(reply(b"[]"), reply(b"[]", wait_s=10.0)) as server:
        get(transport, server.url)
        killer = threading.Timer(0.1, transport.abort)
        killer.start()
        begin = time.monotonic()
        failure(transport, server.url)
        failure(transport, server.url)
        assert time.monotonic() - begin < 5.0
        killer.join()
        transport.close()
        assert len(server.received) == 2
