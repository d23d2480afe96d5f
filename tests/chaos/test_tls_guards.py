"""Options of DATABASE_URL that the driver would drop, of which one may be the one that asks for TLS."""

import re
from pathlib import Path

import pytest

from syncctl.domain.checks import CheckResult
from syncctl.errors import ExitCode, SettingsError
from syncctl.settings.settings import load_settings
from syncctl.settings.urls import database_url
from syncctl.storage.mongo.options import check_options, security_caveats
from syncctl.wiring.doctor import diagnose
from tests.support.program import Program

pytestmark = pytest.mark.attack("tls")

SWITCH = "must be true or false, in small letters"
UNKNOWN = "unknown to the database driver"
VALUE = "has a value that the database driver can't use"
TWICE = "is given more than once"
TOGETHER = "can't be combined"
MISFIT = "conflict with each other"
MALFORMED = "are expected as NAME=value"

DROPPED = {
    "tls=True": ("tls", SWITCH),
    "tls=TRUE": ("tls", SWITCH),
    "tls=1": ("tls", SWITCH),
    "tls=yes": ("tls", SWITCH),
    "tls=on": ("tls", SWITCH),
    "tls=": ("tls", "has no value"),
    "tls=true%20": ("tls", SWITCH),
    "ssl=tru": ("ssl", SWITCH),
    "TLS=True": ("TLS", SWITCH),
    "retryWrites=true&tls=True": ("tls", SWITCH),
    "tlsInsecure=False": ("tlsInsecure", SWITCH),
    "usetls=true": ("usetls", UNKNOWN),
    "t%6Cs=true": ("with the odd name", UNKNOWN),
    "tls=true&tls=false": ("tls", TWICE),
    "tls=true&TLS=true": ("tls", TWICE),
    "tls=true;tls=false": ("tls", TWICE),
    "tls=true&ssl=false": ("tls and ssl", TOGETHER),
    "tlsInsecure=true&tlsAllowInvalidCertificates=false": ("tlsAllowInvalidCertificates", TOGETHER),
    "tls=false&tlsAllowInvalidHostnames=false": ("tls, tlsAllowInvalidHostnames", MISFIT),
    "tls=true;w=majority&journal=true": ("options", MALFORMED),
    "tls=true&": ("options", MALFORMED),
    "tls": ("options", MALFORMED),
    "tls=true?tls=false": ("options", MALFORMED),
    "authMechanism=MONGODB-X509": ("authMechanism", MISFIT),
    "authMechanism=NONE": ("authMechanism", VALUE),
    "compressors=none-such": ("compressors", VALUE),
    "maxPoolSize=many": ("maxPoolSize", VALUE),
    "timeoutMS=soon": ("timeoutMS", VALUE),
    "maxPoolSize=1&minPoolSize=9": ("maxPoolSize, minPoolSize", MISFIT),
    "w=0": ("w", "always majority"),
    "w=1": ("w", "always majority"),
    "srvMaxHosts=2": ("srvMaxHosts", MISFIT),
    "&".join(f"a{number}=1" for number in range(101)): ("options", "more than 100"),
}


@pytest.mark.parametrize("query", DROPPED, ids=lambda query: str(query)[:50])
def test_an_option_that_would_be_dropped_is_refused_and_named_once(query: str) -> None:
    name, problem = DROPPED[query]
    for scheme in ("mongodb", "mongodb+srv"):
        if query.startswith("srv") and scheme == "mongodb+srv":
            continue
        with pytest.raises(SettingsError, match=problem) as caught:
            database_url(f"{scheme}://user:s3cret@db.invalid/leads?{query}", Path("/"))
        said = str(caught.value)
        assert len(re.findall(rf"(?<!\S){name}(?!\S)", said)) == 1
        assert "s3cret" not in said


@pytest.mark.parametrize("options", ["/leads&tls=true", "/leads;tls=true", "/leads%3Ftls=true", "/leads#tls"])
def test_options_that_would_be_a_part_of_the_database_name(options: str) -> None:
    with pytest.raises(SettingsError, match=r"options begin with one \?"):
        database_url(f"mongodb://h{options}", Path("/"))


def test_a_password_that_looks_like_an_option_is_not_shown() -> None:
    with pytest.raises(SettingsError, match="written %3F") as caught:
        database_url("mongodb://u:12/a?tls=s3cret@h/leads", Path("/"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.attack("tls", counted=False)
@pytest.mark.parametrize(
    "query",
    [
        "retryWrites=true&w=majority&appName=Cluster0",
        "tls=true&ssl=true",
        "TLS=true&tlsCAFile=/no/such/file",
        "readPreference=secondary&readPreferenceTags=dc:a&readPreferenceTags=",
        "authSource=admin&replicaSet=rs0&journal=false",
    ],
)
def test_options_that_the_driver_takes(query: str) -> None:
    for scheme in ("mongodb", "mongodb+srv"):
        check_options(f"{scheme}://u:p@h.invalid/leads?{query}")


@pytest.mark.attack("tls", counted=False)
def test_the_program_refuses_plain_text_where_tls_was_meant(tmp_path: Path) -> None:
    program = Program(tmp_path, DATABASE_URL="mongodb://user:s3cret@127.0.0.1:1/leads?tls=True")
    for command in ("api", "status"):
        ended = program.run(command)
        assert ended.status == ExitCode.CONFIG
        assert ended.output.count("option tls") == 1
        assert "s3cret" not in ended.output


PLAIN = "unencrypted"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mongodb://h/leads", [PLAIN]),
        ("mongodb://127.0.0.1,h/leads", [PLAIN]),
        ("mongodb://127.0.0.1.evil.example/leads", [PLAIN]),
        ("mongodb://localhost.evil.example/leads", [PLAIN]),
        ("mongodb+srv://h.example/leads?tls=false", [PLAIN]),
        ("mongodb://h/leads?tlsInsecure=true&tls=true", ["tlsInsecure"]),
        ("mongodb+srv://h.example/leads?tlsAllowInvalidCertificates=true", ["tlsAllowInvalidCertificates"]),
        ("mongodb://h/leads?tls=true&tlsAllowInvalidHostnames=true", ["tlsAllowInvalidHostnames"]),
        ("mongodb://h/leads?tlsAllowInvalidHostnames=true", [PLAIN, "tlsAllowInvalidHostnames"]),
    ],
)
def test_what_is_said_of_the_way_to_the_server(url: str, found: list[str]) -> None:
    caveats = list(security_caveats(url))
    assert len(caveats) == len(found)
    assert all(words in caveat.message for words, caveat in zip(found, caveats, strict=True))


@pytest.mark.attack("tls", counted=False)
@pytest.mark.parametrize(
    "url",
    [
        "mongodb://127.0.0.1:27017,[::1],localhost/leads",
        "mongodb://%2Ftmp%2Fmongodb-27017.sock/leads",
        "mongodb+srv://h.example/leads",
        "mongodb://h/leads?ssl=true",
        "mongodb://h/leads?tlsCAFile=/no/such/file",
    ],
)
def test_nothing_is_said_of_a_safe_way(url: str) -> None:
    assert list(security_caveats(url)) == []


@pytest.mark.attack("tls", counted=False)
def test_doctor_warns_of_a_way_without_tls_also_where_the_server_is_away(tmp_path: Path) -> None:
    url = "mongodb://u:s3cret@host.invalid/leads?serverSelectionTimeoutMS=1&timeoutMS=1"
    environ = {"DATABASE_URL": url, "API_BASE_URL": "http://127.0.0.1:1", "DATA_DIR": str(tmp_path)}
    report = diagnose(load_settings(None, environ, tmp_path), None)
    warnings = [check.message for check in report.checks if check.result is CheckResult.WARNING]
    assert any("go to host.invalid unencrypted" in found for found in warnings)
    assert "s3cret" not in repr(report)
