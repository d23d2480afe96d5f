"""What a failed call means: exceptions below this package, and HTTP statuses, as ApiErrors with a message."""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import urljoin, urlsplit

import requests.exceptions
import urllib3.exceptions

from syncctl.api.retry import retry_after_seconds
from syncctl.api.wire import Endpoint
from syncctl.errors import ApiError, FinalApiError, KeyRefusedError, RetryableApiError
from syncctl.http.session import proxy_variable

_NO_SUCH_ENDPOINT = (404, 405, 410)
"""Statuses of a server that has nothing at that path, or nothing that accepts such a request."""


def error_of_status(
    status: int, headers: Mapping[str, str], endpoint: Endpoint, now: datetime
) -> ApiError | None:
    """The error for an answer's status and headers (case-insensitive names); None for 2xx.

    RetryableApiError, with the seconds of Retry-After counted from `now`: 408, 429 and 5xx. KeyRefusedError:
    401, 403. FinalApiError: the rest, including redirects, as the key must not follow to another host.
    """
    host = host_of(endpoint.url)
    if 200 <= status < 300:
        return None
    if status in (401, 403):
        return _refused_key(status, host, endpoint)
    if status in (408, 429) or 500 <= status < 600:
        wait_s = retry_after_seconds(headers.get("Retry-After"), now)
        return RetryableApiError(f"{host} answered {status}", retry_after_s=wait_s, status=status)
    if 300 <= status < 400:
        target = _redirect_host(endpoint.url, headers.get("Location"))
        setting = endpoint.host_setting
        return FinalApiError(
            f"{host} redirects ({status}) to {target}", hint=f"check {setting}", setting=setting
        )
    if status in _NO_SUCH_ENDPOINT:
        return _no_such_path(status, host, endpoint)
    return FinalApiError(f"{host} answered {status}", is_refusal=400 <= status < 500)


def _refused_key(status: int, host: str, endpoint: Endpoint) -> KeyRefusedError:
    setting = endpoint.key_setting
    if endpoint.key:
        return KeyRefusedError(f"{host} refused the key ({status})", hint=f"check {setting}", setting=setting)
    return KeyRefusedError(f"{host} requires a key ({status})", hint=f"set {setting}", setting=setting)


def _no_such_path(status: int, host: str, endpoint: Endpoint) -> FinalApiError:
    path = urlsplit(endpoint.url).path
    settings = " and ".join(dict.fromkeys((endpoint.path_setting, endpoint.host_setting)))
    return FinalApiError(
        f"{host} answered {status} to {path}", hint=f"check {settings}", setting=endpoint.path_setting
    )


def _redirect_host(url: str, location: str | None) -> str:
    try:
        target = urljoin(url, location or "")
    except ValueError:
        target = ""
    return (location and host_of(target)) or "an unknown place"


RAISED_BY_A_CALL = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)
"""Exceptions that a call can raise below this package. ValueError: hosts or URLs that cannot be encoded."""

_BAD_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationValueError,
    UnicodeError,
)
_PROXY = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
_TIMEOUT = (TimeoutError, urllib3.exceptions.ReadTimeoutError)
_BROKEN_OFF = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)

_Kinds = type[BaseException] | tuple[type[BaseException], ...]
# Exception types, what to report and what to do. The first row with a type found anywhere among the causes
# decides.
_WORTH_ANOTHER_TRY: tuple[tuple[_Kinds, str, str], ...] = (
    (_PROXY, "the proxy on the way to {host} failed", "check the environment variable {proxy}"),
    (socket.gaierror, "the name {host} could not be resolved", "check the network and {setting}"),
    (ConnectionRefusedError, "connection refused by {host}", ""),
    (requests.exceptions.ConnectTimeout, "{host} did not accept a connection in time", ""),
    (_TIMEOUT, "no answer from {host} within {limit} s", ""),
    (http.client.IncompleteRead, "the answer from {host} was cut off", ""),
    (_BROKEN_OFF, "{host} dropped the connection", ""),
    (ssl.SSLError, "a TLS connection to {host} could not be made", ""),
    (urllib3.exceptions.DecodeError, "{host} sent a compressed answer that can't be unpacked", ""),
)


def host_of(url: str) -> str:
    """The host of `url`, with its port if it names one: what messages call the API. "" if it has none."""
    try:
        place = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return "".join(char for char in place if char.isprintable())[:100]


def error_of(raised: BaseException, endpoint: Endpoint, limit_s: float) -> ApiError:
    """The ApiError for exception `raised` during a call of `endpoint` with a limit of `limit_s` seconds.

    Its text quotes nothing from the original exception, which contains URLs and, for unsendable headers, the
    key.
    """
    host, setting = host_of(endpoint.url), endpoint.host_setting
    causes = list(_causes(raised))
    if any(isinstance(cause, _BAD_ADDRESS) for cause in causes):
        return FinalApiError("the API's address is not a valid URL", hint=f"check {setting}", setting=setting)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return FinalApiError(
                f"the TLS certificate of {host} is not valid ({cause.verify_message})",
                hint=f"check {setting}, and this machine's clock and certificates",
                setting=setting,
            )
    if type(raised) is OSError and raised.errno is None:
        # requests, where REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names a file that is not there.
        return FinalApiError(f"no certificates to check {host} with", hint="check REQUESTS_CA_BUNDLE")
    for kind, found, hint in _WORTH_ANOTHER_TRY:
        if any(isinstance(cause, kind) for cause in causes):
            return RetryableApiError(
                found.format(host=host, limit=in_seconds(limit_s)),
                hint=hint.format(setting=setting, proxy=proxy_variable(endpoint.url)),
                setting=setting if "{setting}" in hint else "",
            )
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return RetryableApiError(f"{host} can't be reached ({cause.strerror})")
    return RetryableApiError(f"{host} sent an answer that is not HTTP")


def in_seconds(limit_s: float) -> str:
    """A number of seconds for a message: "30", "0.3"."""
    return f"{round(limit_s, 1):g}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything it wraps: requests and urllib3 keep causes in args, in `reason`, or chained."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None), error.__cause__):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
