"""What the environment silently makes requests do: proxies and CA bundles."""

import os
from typing import NamedTuple
from urllib.parse import urlsplit

import urllib3.exceptions
from requests.utils import get_environ_proxies, select_proxy
from urllib3.util import parse_url

from syncctl.filesystem.ordinary_files import is_special_file

_SCHEMES = ("http", "https")


class EnvironmentProblem(NamedTuple):
    """What keeps calls from being made. `found` and `hint` are words within a sentence."""

    found: str
    hint: str


def environment_problem(url: str) -> EnvironmentProblem | None:
    """What the environment has that no call of `url` can go by."""
    if found := proxy_address_problem(url):
        return EnvironmentProblem(found, "correct it (http://HOST:PORT is expected), or unset it")
    if found := certificates_problem():
        return EnvironmentProblem(found, "correct it, or unset it")
    return None


def proxy_variable(url: str) -> str:
    """The environment variable with the proxy for `url`; "" if none applies."""
    proxy = _proxy(url)
    if not proxy:
        return ""
    scheme = urlsplit(url).scheme.lower()
    names = [name for kind in (scheme, "all") for name in (f"{kind}_proxy", f"{kind}_PROXY".upper())]
    return next((name for name in names if os.environ.get(name) == proxy), "HTTP_PROXY and HTTPS_PROXY")


def proxy_address_problem(url: str) -> str | None:
    """What is wrong with the proxy address for `url`, without quoting it: it may contain a password."""
    proxy = _proxy(url)
    if not proxy or _is_address(proxy):
        return None
    return f"the proxy address in the environment variable {proxy_variable(url)} is not valid"


def certificates_problem() -> str | None:
    """What is wrong with the CA bundle named by the environment, if it is a pipe or similar: loading it
    would block for ever, and no deadline interrupts that."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(name):
            odd = is_special_file(path) and not os.path.isdir(path)
            return f"the environment variable {name} doesn't name a regular file" if odd else None
    return None


def _proxy(url: str) -> str:
    try:
        return select_proxy(url, get_environ_proxies(url)) or ""
    except ValueError:
        return ""  # `url` itself is invalid; the call reports that


def _is_address(proxy: str) -> bool:
    try:
        parts = parse_url(proxy)
        host = parts.host or ""
        host.encode("idna" if ":" not in host else "ascii")  # as a socket does
    except (urllib3.exceptions.LocationValueError, ValueError, TypeError):
        return False
    return parts.scheme in (None, *_SCHEMES) and bool(host) and parts.port != 0
