"""Settings that are addresses: checked, and shown without what is secret in them.

The parsers are such as `setting_values` describes. No message shows an address: it may have a password in it.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from syncctl.errors import SettingsError
from syncctl.safe_output.redact import MASK
from syncctl.settings.parsers import path

SQLITE = "sqlite:///"
_MONGODB = ("mongodb://", "mongodb+srv://")
_MONGODB_HOST = re.compile(  # an IPv6 address, a name, or a socket's path, percent-encoded
    r"(?:\[[0-9A-Fa-f:.]+(?:%25[0-9A-Za-z]+)?\]|[^\[\]:%]+)(?::([0-9]{1,5}))?|[^\[\]:]+\.sock"
)
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_SHOWN_SCHEME = re.compile(r"(?:https?|mongodb(?:\+srv)?|sqlite)://")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_NOT_ENCODED = "user name and password must be percent-encoded (@ as %40, : as %3A, / as %2F, % as %25)"


def database_url(text: str, folder: Path) -> str:
    """The database's address, a relative SQLite path in it made absolute."""
    if text.startswith(SQLITE):
        return _sqlite(text.removeprefix(SQLITE), folder)
    if text.startswith(_MONGODB):
        return _mongodb(text)
    raise SettingsError(f"an address is expected that begins with {SQLITE}, {' or '.join(_MONGODB)}")


def database_secrets(url: str) -> list[str]:
    """The passwords in a database address that `database_url` accepted, as written and as meant."""
    if not url.startswith(_MONGODB):
        return []
    address, _, options = url.partition("://")[2].partition("?")
    credentials = address.partition("/")[0].rpartition("@")[0]
    written = [credentials.partition(":")[2]]
    for option in re.split("[&;]", options):
        name, _, value = option.partition("=")
        if name.lower().endswith("password"):
            written.append(value)
    return [form for text in written if text for form in (text, unquote(text), unquote_plus(text))]


def masked_database_url(text: str) -> str:
    """A database address, right or wrong, without credentials and options."""
    if "://" not in text:
        return MASK
    shown, options, _ = masked_url(text).partition("?")
    return f"{shown}?{MASK}" if options else shown


def base_url(text: str, _folder: Path) -> str:
    """The address before the paths of an API, without a slash at its end."""
    if "?" in text:
        raise SettingsError("an address without ? is expected, to which paths are added")
    return _api_url(text).rstrip("/")


def endpoint(text: str, _folder: Path) -> str:
    """A path on some base address, or a whole address."""
    if _SCHEME.match(text):
        return _api_url(text)
    if text.startswith("//"):
        raise SettingsError("an http:// or https:// address, or a path such as /api/x, is expected")
    return _without_rentout(text)


def is_whole(path_or_url: str) -> bool:
    """Whether an endpoint is a whole address rather than a path on one."""
    return _SCHEME.match(path_or_url) is not None


def join(base: str, path_or_url: str) -> str:
    """Where an endpoint is: `path_or_url` on `base`, unless it is a whole address. Both have been checked.

    Raises SettingsError if together they are a rent-out API (contract/rental-api.md).
    """
    if is_whole(path_or_url):
        return path_or_url
    return _api_url(f"{base}/{path_or_url.lstrip('/')}")


def heartbeat_url(text: str, _folder: Path) -> str:
    """An http or https address; whoever knows its path may report in our name."""
    _http(text)
    return text


def heartbeat_secrets(url: str) -> list[str]:
    """What is secret in such an address: path and query, and any long part of the path by itself."""
    parts = urlsplit(url)
    long_parts = [part for part in parts.path.split("/") if len(part) >= 16]
    return [text for text in (parts.path.rstrip("/"), parts.query, *long_parts) if text]


def masked_heartbeat_url(text: str) -> str:
    """A heartbeat's address, right or wrong, by its host only."""
    match = re.match(r"https?://[^\s/?#]+", text, re.IGNORECASE)
    return f"{match[0]}/{MASK}" if match and "@" not in text else MASK


def masked_url(text: str) -> str:
    """An address, right or wrong, with anything before an @, and its query, hidden."""
    before, at, after = text.rpartition("@")
    scheme = _SHOWN_SCHEME.match(before)
    shown = f"{scheme[0] if scheme else ''}{MASK}@{after}" if at else text
    address, question, _ = shown.partition("?")
    return f"{address}?{MASK}" if question else shown


def _sqlite(text: str, folder: Path) -> str:
    if not text or text.endswith("/"):
        raise SettingsError(f"a file is expected after {SQLITE}, such as {SQLITE}data/syncctl.db")
    if "?" in text or text == ":memory:":
        raise SettingsError(f"the path of a file is expected after {SQLITE}, without options")
    return f"{SQLITE}{path(text, folder)}"


def _mongodb(text: str) -> str:
    """Checked as pymongo does (connection-string spec), so that it is known to be wrong before connecting."""
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
        # Whoever writes /NAME&tls=true means an option, and would go without it.
        raise SettingsError("its database name has ?, &, ;, = or # in it: options begin with one ? after it")
    if re.search(r'[/\\ "$\0]', database) or len(database.encode(errors="replace")) > 63:
        raise SettingsError(
            "its database name is impossible: up to 63 characters, no blank, quote, / \\ or $"
        )
    if "?" in text:
        # Here, as the driver takes a tenth of a second to load.
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
        match = _MONGODB_HOST.fullmatch(host)
        if not match or (match[1] and not 1 <= int(match[1]) <= 65535):
            raise SettingsError("its host is expected as HOST or HOST:PORT, several with commas between them")
        if single and ("," in hosts or match[1]):
            raise SettingsError("mongodb+srv:// takes one host, without a port")


def _api_url(text: str) -> str:
    parts = _http(text)
    _without_rentout(f"{parts.path}?{parts.query}")
    return text


def _http(text: str) -> SplitResult:
    _check_characters(text)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError("the address can't be understood: check host and port") from error
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise SettingsError("an address is expected that begins with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise SettingsError("an address without user name and password is expected")
    return parts


def _check_characters(text: str) -> None:
    if not text.isascii() or not text.isprintable() or " " in text or "#" in text:
        raise SettingsError(
            "the address has a blank, # or other characters in it that must be percent-encoded"
        )


def _without_rentout(path_and_query: str) -> str:
    """The same, unless it is a rent-out API, however it is spelt (contract/rental-api.md)."""
    _check_characters(path_and_query)
    text = path_and_query
    while (decoded := unquote(text, errors="replace")) != text:
        text = decoded
    if ".." in re.split(r"[/\\?]", text):
        raise SettingsError("a path without .. is expected")
    letters = filter(str.isalnum, unicodedata.normalize("NFKC", text).lower())
    if "rentout" in "".join(letters):
        raise SettingsError("a rent-out API is never called")
    return path_and_query
