"""Maps the HTTP status of an answer to the error it stands for, if any."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from syncctl.api.failures import host_of
from syncctl.api.retry import retry_after_seconds
from syncctl.api.wire import Endpoint
from syncctl.errors import ApiError, FinalApiError, KeyRefusedError, RetryableApiError

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
