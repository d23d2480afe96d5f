"""Settings that are addresses: checked, and shown without what is secret in them.

`settings/parsers.py` describes what a parser is. No message shows an address: it may have a password in it.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from syncctl.errors import SettingsError
from syncctl.safe_output.redact import MASK
from syncctl.settings.parsers import path
from syncctl.storage.registry import find_backend, prefixes

_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def database_url(text: str, folder: Path) -> str:
    """The database's address, checked; a relative path of a file in it made absolute."""
    backend = find_backend(text)
    if backend is None:
        *most, last = prefixes()
        raise SettingsError(f"an address is expected that begins with {', '.join(most)} or {last}")
    return backend.parse(text, lambda written: path(written, folder))


def database_secrets(url: str) -> list[str]:
    """The passwords in a valid database address, as written and decoded."""
    backend = find_backend(url)
    return backend.secrets(url) if backend else []


def masked_database_url(text: str) -> str:
    """A database address, valid or not, without credentials and options."""
    if "://" not in text:
        return MASK
    shown, options, _ = masked_url(text).partition("?")
    return f"{shown}?{MASK}" if options else shown


def base_url(text: str, _folder: Path) -> str:
    """The base address of an API, without a trailing slash."""
    if "?" in text:
        raise SettingsError("an address without ? is expected, to which paths are added")
    return _api_url(text).rstrip("/")


def endpoint(text: str, _folder: Path) -> str:
    """A path relative to a base address, or a full address."""
    if _SCHEME.match(text):
        return _api_url(text)
    if text.startswith("//"):
        raise SettingsError("an http:// or https:// address, or a path such as /api/x, is expected")
    return _without_rentout(text)


def is_full_address(path_or_url: str) -> bool:
    """Whether an endpoint is a full address rather than a path."""
    return _SCHEME.match(path_or_url) is not None


def join(base: str, path_or_url: str) -> str:
    """An endpoint's address: `path_or_url` appended to `base`, unless it is a full address. Both are checked
    already.

    Raises SettingsError if the result is a rent-out API (contract/rental-api.md).
    """
    if is_full_address(path_or_url):
        return path_or_url
    return _api_url(f"{base}/{path_or_url.lstrip('/')}")


def heartbeat_url(text: str, _folder: Path) -> str:
    """An http or https address; anyone who knows its path can report in our name."""
    _http(text)
    return text


def heartbeat_secrets(url: str) -> list[str]:
    """The secrets in such an address: path and query, and each long part of the path."""
    parts = urlsplit(url)
    long_parts = [part for part in parts.path.split("/") if len(part) >= 16]
    return [text for text in (parts.path.rstrip("/"), parts.query, *long_parts) if text]


def masked_heartbeat_url(text: str) -> str:
    """A heartbeat address, valid or not, reduced to its host."""
    match = re.match(r"https?://[^\s/?#]+", text, re.IGNORECASE)
    return f"{match[0]}/{MASK}" if match and "@" not in text else MASK


def masked_url(text: str) -> str:
    """An address, valid or not, with its credentials and query hidden."""
    before, at, after = text.rpartition("@")
    schemes = (f"{prefix.partition('://')[0]}://" for prefix in ("http://", "https://", *prefixes()))
    scheme = next(filter(before.startswith, schemes), "")
    shown = f"{scheme}{MASK}@{after}" if at else text
    address, question, _ = shown.partition("?")
    return f"{address}?{MASK}" if question else shown


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
    """The same, unless it is a rent-out API in any spelling (contract/rental-api.md)."""
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
