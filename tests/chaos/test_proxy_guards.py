"""A proxy address in the environment that is wrong: named as what it is, and never shown."""

import pytest

from syncctl.api.transport import Transport
from syncctl.api.wire import Call, Endpoint
from syncctl.errors import FinalApiError
from syncctl.http.session import proxy_address_problem, proxy_variable
from syncctl.machine.probes import api_clock
from syncctl.monitoring.healthchecks import Heartbeat, PingPolicy
from tests.support.program import Program

pytestmark = pytest.mark.attack("proxy")

WRONG = [
    "http://user:s3cret@h:port",
    "http://s3cret@[::1",
    "http://user:s3cret@",
    "http://user:s3cret@h:99999",
    "http://user:s3cret@h:0",
    "ftp://user:s3cret@h",
    "socks5://user:s3cret@h:1",
    "user:s3cret@h:3128",
    "localhost:3128",
    "http:/s3cret",
    "://",
    "http://a..b:1",
    f"http://{'a' * 64}:1",
    "http://h:1\nX-Key: s3cret",
]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{kind}_proxy", raising=False)
        monkeypatch.delenv(f"{kind}_PROXY".upper(), raising=False)


@pytest.mark.parametrize("proxy", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_wrong_proxy_address_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, proxy: str, scheme: str
) -> None:
    variable = f"{scheme.upper()}_PROXY"
    monkeypatch.setenv(variable, proxy)
    endpoint = Endpoint(f"{scheme}://rental.invalid/api", "key", "API_TOKEN")
    transport = Transport(5.0, clock=lambda: 0.0)
    with pytest.raises(FinalApiError, match=f"variable {variable} is not valid: correct it") as caught:
        transport.fetch(Call(endpoint, "GET", {}), 5.0)
    transport.close()
    assert "s3cret" not in str(caught.value)
    assert "API_BASE_URL" not in str(caught.value)
    assert api_clock(endpoint.url) is None


@pytest.mark.attack("proxy", counted=False)
@pytest.mark.parametrize(
    "proxy", ["", "http://user:p@h:3128", "h", "127.0.0.1:3128", "proxy.example:3128", "http://[::1]:3128"]
)
def test_a_right_proxy_address(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("all_proxy", proxy)
    assert proxy_address_problem("https://rental.invalid/api") is None
    assert proxy_variable("https://rental.invalid/api") == ("all_proxy" if proxy else "")


@pytest.mark.attack("proxy", counted=False)
def test_a_wrong_proxy_that_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "://")
    monkeypatch.setenv("NO_PROXY", "rental.invalid")
    assert proxy_address_problem("https://rental.invalid/api") is None
    assert proxy_address_problem("http://other.invalid/api") is None


def test_a_wrong_proxy_is_not_blamed_on_the_heartbeats_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:s3cret@h:port")
    beat = Heartbeat("https://monitor.invalid/ping", PingPolicy(timeout_s=5.0, tries=1, pause_s=0.0))
    beat.begin()
    for trouble in beat.end(0, "done"):
        assert "variable https_proxy is not valid" in trouble
        assert "HEARTBEAT_URL" not in trouble
        assert "s3cret" not in trouble


@pytest.mark.attack("proxy", counted=False)
def test_the_program_names_the_variable(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = Program(tmp_path_factory.mktemp("run"), API_BASE_URL="http://rental.invalid")
    ended = program.run("stores", HTTP_PROXY="http://user:s3cret@h:port")
    assert ended.status == 1
    assert "the environment variable HTTP_PROXY is not valid" in ended.output
    assert "API_BASE_URL" not in ended.output
    assert "s3cret" not in ended.output
