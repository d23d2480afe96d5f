"""MongoDB as a backend: an address names servers, a user and a database."""

import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, unquote_plus

from syncctl.errors import SettingsError
from syncctl.ports.admin import Caveat, Database, OpeningHints
from syncctl.storage.common.backend import Backend

_HOST = re.compile(  # an IPv6 address, a name, or a socket's path, percent-encoded
    r"(?:\[[0-9A-Fa-f:.]+(?:%25[0-9A-Za-z]+)?\]|[^\[\]:%]+)(?::([0-9]{1,5}))?|[^\[\]:]+\.sock"
)
_NOT_ENCODED = "user name and password must be percent-encoded (@ as %40, : as %3A, / as %2F, % as %25)"


def _parse(text: str, _to_path: Callable[[str], Path]) -> str:
    """Checked like pymongo does (connection-string spec), so that errors show before connecting."""
    if not text.isprintable() or " " in text:
        raise SettingsError("the address has blanks or control characters in it")
    scheme, _, rest = text.partition("://")
    authority, _, name = rest.partition("?")[0].partition("/")
    credentials, at, hosts = authority.rpartition("@")
    database = unquote_plus(name).partition(".")[0]
    if at:
        _check_credentials(credentials)
    elif "@" in name or ("@" in rest and not database):
        raise SettingsError(_NOT_ENCODED)
    _check_hosts(hosts, single=scheme.endswith("srv"))
    if not database:
        raise SettingsError(
            "it names no database: add /NAME after the host, before any ?; the old system used the database "
            "test then, so add /test if the data is there"
        )
    if re.search("[?&;=#]", database):
        # /NAME&tls=true is meant as an option, but would be ignored.
        raise SettingsError("its database name has ?, &, ;, = or # in it: options begin with one ? after it")
    if re.search(r'[/\\ "$\0]', database) or len(database.encode(errors="replace")) > 63:
        raise SettingsError(
            "its database name isn't allowed: up to 63 characters, no blank, quote, / \\ or $"
        )
    if "?" in text:
        # Imported here because the driver takes a tenth of a second to load.
        from syncctl.storage.mongo.options import check_options

        check_options(text)
    return text


def _check_credentials(credentials: str) -> None:
    user, _, password = credentials.partition(":")
    stray_percent = re.search(r"%(?![0-9A-Fa-f]{2})", credentials)
    if not user or ":" in password or "@" in credentials or stray_percent:
        raise SettingsError(_NOT_ENCODED)


def _check_hosts(hosts: str, *, single: bool) -> None:
    for host in hosts.split(","):
        match = _HOST.fullmatch(host)
        if not match or (match[1] and not 1 <= int(match[1]) <= 65535):
            raise SettingsError("its host is expected as HOST or HOST:PORT, several with commas between them")
        if single and ("," in hosts or match[1]):
            raise SettingsError("mongodb+srv:// takes one host, without a port")


def _secrets(url: str) -> list[str]:
    address, _, options = url.partition("://")[2].partition("?")
    credentials = address.partition("/")[0].rpartition("@")[0]
    written = [credentials.partition(":")[2]]
    for option in re.split("[&;]", options):
        name, _, value = option.partition("=")
        if name.lower().endswith("password"):
            written.append(value)
    return [form for text in written if text for form in (text, unquote(text), unquote_plus(text))]


def _open(url: str, *, for_reading_only: bool) -> Database:
    from syncctl.storage.mongo.storage import MongoStorage

    return MongoStorage(url, read_only=for_reading_only)


def _driver() -> tuple[str, str]:
    return "pymongo", version("pymongo")


def _caveats(url: str) -> Iterator[Caveat]:
    from syncctl.storage.mongo.options import security_caveats

    return security_caveats(url)


MONGODB = Backend(
    name="MongoDB",
    prefixes=("mongodb://", "mongodb+srv://"),
    rest="a host",
    parse=_parse,
    open=_open,
    hints=OpeningHints(
        unusable=(
            "Fix that (`syncctl config` shows DATABASE_URL; Atlas must list this machine's address): "
            "nothing is synced until then."
        ),
        not_writable="Let the user in DATABASE_URL read and write there (MongoDB: the role readWrite).",
    ),
    driver=_driver,
    secrets=_secrets,
    caveats=_caveats,
)
