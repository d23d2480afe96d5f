"""Addresses: the database's against pymongo's own parser, the API's against every spelling of rent-out."""

from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymongo.uri_parser import parse_uri

from syncctl.errors import SettingsError
from syncctl.settings.urls import (
    base_url,
    database_secrets,
    database_url,
    endpoint,
    heartbeat_secrets,
    heartbeat_url,
    join,
    masked_database_url,
    masked_heartbeat_url,
    masked_url,
)

HERE = Path("/srv/app")
NO_NAME = "add /NAME after the host, .*; the old system used the database test then, so add /test if"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqlite:///data/syncctl.db", "sqlite:////srv/app/data/syncctl.db"),
        ("sqlite:////var/lib/a b.db", "sqlite:////var/lib/a b.db"),
        ("sqlite:///~/x.db", f"sqlite:///{Path.home()}/x.db"),
        *(
            (url, url)
            for url in (
                "mongodb://localhost/leads",
                "mongodb://a:1,b,[::1]:27017/leads?replicaSet=rs0&w=majority",
                "mongodb://us%40er:p%3A%2Fw%25@h/leads",
                "mongodb://user@h/leads.collection",
                "mongodb://%2Ftmp%2Fmongodb-27017.sock/leads",
                "mongodb+srv://u:p@cluster.example/leads?appName=a@b",
                "mongodb://h/my%2Dleads?",
            )
        ),
    ],
)
def test_database_addresses(text: str, expected: str) -> None:
    assert database_url(text, HERE) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("postgres://u:s3cret@h/n", "begins with sqlite:///, mongodb:// or"),
        ("data/syncctl.db", "begins with"),
        ("sqlite://data.db", "begins with"),
        ("sqlite:///", "a file is expected"),
        ("sqlite:///data/", "a file is expected"),
        ("sqlite:///:memory:", "a file is expected"),
        ("sqlite:///a.db?mode=ro", "without options"),
        ("mongodb://h", NO_NAME),
        ("mongodb://h/", NO_NAME),
        ("mongodb://h/?replicaSet=rs0", NO_NAME),
        ("mongodb://u:s3cret@h?x=/name", NO_NAME),
        ("mongodb:///leads", "host"),
        ("mongodb://a,,b/leads", "host"),
        ("mongodb://h:99999/leads", "host"),
        ("mongodb://h:port/leads", "host"),
        ("mongodb+srv://a,b/leads", "one host, without a port"),
        ("mongodb+srv://a.example:27017/leads", "one host, without a port"),
        ("mongodb://u:s3@cret@h/leads", "percent-encoded"),
        ("mongodb://u:s3:cret@h/leads", "percent-encoded"),
        ("mongodb://u:s3/cret@h/leads", "percent-encoded"),
        ("mongodb://u:s3?cret@h/leads", "percent-encoded"),
        ("mongodb://u:s3%cret@h/leads", "percent-encoded"),
        ("mongodb://:s3cret@h/leads", "percent-encoded"),
        ("mongodb://h/le$ads", "database name"),
        ("mongodb://h/a/b", "database name"),
        (f"mongodb://h/{'n' * 64}", "database name"),
        ("mongodb://h/le ads", "blanks"),
    ],
)
def test_wrong_database_addresses(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        database_url(text, HERE)
    assert "cret" not in str(caught.value)
    assert "cret" not in masked_database_url(text)


parts = st.text(st.sampled_from("ab1@:/?#%.,[]$é& 4"), max_size=6)


@settings(deadline=None)
@given(user=parts, hosts=parts, name=parts, tail=parts)
@example(user="a:b@", hosts="a", name="a%2Fb", tail="")
@example(user="a@", hosts="a", name="a.b", tail="?a=1")
@example(user="", hosts="[::1]:1,a", name="%61", tail="")
def test_what_is_accepted_pymongo_accepts_too(user: str, hosts: str, name: str, tail: str) -> None:
    url = f"mongodb://{user}{hosts}/{name}{tail}"
    try:
        database_url(url, HERE)
    except SettingsError:
        return
    parsed = parse_uri(url.partition("?")[0], validate=False)
    assert parsed["database"]
    assert parsed["nodelist"]


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_database_password_is_known_in_all_its_forms(password: str) -> None:
    raw = password.encode(errors="replace").decode()
    for written in (quote(raw, safe=""), quote_plus(raw)):
        secrets = database_secrets(database_url(f"mongodb://user:{written}@h/n", HERE))
        assert {written, raw} <= set(secrets)


def test_passwords_in_options_are_secret_too() -> None:
    url = "mongodb://h/n?tls=true&tlsCertificateKeyFilePassword=a%20b"
    assert database_secrets(url) == ["a%20b", "a b", "a b"]
    assert masked_database_url(url) == "mongodb://h/n?***"
    assert database_secrets("mongodb://user@h/n") == []
    assert database_secrets("sqlite:////x?password=y") == []


@pytest.mark.parametrize(
    ("base", "path_or_url", "expected"),
    [
        ("https://h", "/api/x", "https://h/api/x"),
        ("https://h/v2/", "api/x?y=1", "https://h/v2/api/x?y=1"),
        ("https://h", "http://other:81/x", "http://other:81/x"),
        ("HTTP://127.0.0.1:8000", "x", "HTTP://127.0.0.1:8000/x"),
        ("http://[::1]:8000", "/x", "http://[::1]:8000/x"),
        ("http://rent_out-host.example.", "/x", "http://rent_out-host.example./x"),
    ],
)
def test_api_addresses(base: str, path_or_url: str, expected: str) -> None:
    assert join(base_url(base, HERE), endpoint(path_or_url, HERE)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "ftp://h",
        "//h",
        "h",
        "https://",
        "https:///x",
        "https://h:port",
        "https://h:99999",
        "https://[::1",
        "https://a..b",
        f"https://{'a' * 64}.example",
        "https://u:s3cret@h",
        "https://s3cret@h",
        "https://h/a b",
        "https://h/\tx",
        "https://h/x#y",
        "https://hé",
        "https://h?x=1",
    ],
)
def test_wrong_base_addresses(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        base_url(text, HERE)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["ftp://h/x", "host:8000/x", "//evil.example/x", "a b", "/x#y", "/a/../b", "/é"]
)
def test_wrong_endpoints(text: str) -> None:
    with pytest.raises(SettingsError):
        endpoint(text, HERE)


@pytest.mark.parametrize(
    "path",
    [
        "/api/Reports/GetRentoutList",
        "/api/RENT-OUT",
        "/rent_out/x",
        "/rent/out",
        "/re/nt/o.u.t",
        "/x?report=RentOut",
        "/%72entout",
        "/%2572ent%252Dout",
        "/r%65nt%FFout",
        "/%EF%BD%92entout",
        "/rent\\out",
        "/rent;/out",
        "/rent/x/../out",
        "/rent/x/%2e%2e/out",
    ],
)
def test_rentout_is_refused_however_it_is_spelt(path: str) -> None:
    for text in (path, f"https://h{path}"):
        with pytest.raises(SettingsError):
            endpoint(text, HERE)
    if "?" not in path:
        with pytest.raises(SettingsError):
            base_url(f"https://h{path}", HERE)
    with pytest.raises(SettingsError):
        join("https://h/r", "entout")


@settings(deadline=None)
@given(st.data())
def test_rentout_is_refused_whatever_is_between_and_however_encoded(data: st.DataObject) -> None:
    text = ""
    for letter in "rentout":
        written = data.draw(
            st.sampled_from([letter, letter.upper(), f"%{ord(letter):02x}", f"%{ord(letter):02X}"])
        )
        text += written + data.draw(st.text("-_./ ~!", max_size=2).map(quote))
    for _ in range(data.draw(st.integers(0, 3))):
        text = text.replace("%", "%25")
    with pytest.raises(SettingsError):
        endpoint(f"/api/{text}/x", HERE)


def test_heartbeats() -> None:
    url = "https://hc.example/ping-key-of-mine-1234/rentout/?token=t"
    assert heartbeat_url(url, HERE) == url
    assert heartbeat_secrets(url) == ["/ping-key-of-mine-1234/rentout", "token=t", "ping-key-of-mine-1234"]
    assert masked_heartbeat_url(url) == "https://hc.example/***"
    for wrong in ("hc.example/s3cret", "https://u:s3/cret@h/x", "ftp://h/s3cret"):
        assert masked_heartbeat_url(wrong) == "***"
        with pytest.raises(SettingsError):
            heartbeat_url(wrong, HERE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/x", "https://h/x"),
        ("https://u:p@h/x", "https://***@h/x"),
        ("https://u:p@ss/w@h/x", "https://***@h/x"),
        ("u:p@h", "***@h"),
        ("u:p@://", "***@://"),
    ],
)
def test_masked_addresses(text: str, shown: str) -> None:
    assert masked_url(text) == shown
