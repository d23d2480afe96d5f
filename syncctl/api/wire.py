"""The API's calls on the wire: address, key, headers and body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from syncctl.domain.requests import BodyForm, ReportRequest
from syncctl.domain.sources import SOURCES


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one of the API's calls is answered, and its key. Messages name the settings these come from."""

    url: str
    key: str | None = field(repr=False)

    key_setting: str
    """The setting that holds the key, or would hold it."""

    host_setting: str = "API_BASE_URL"
    """The setting with the start of the address."""

    path_setting: str = "API_BASE_URL"
    """The setting with the rest of it."""


class Call(NamedTuple):
    """One HTTP request, but for its Authorization header, which the endpoint's key makes."""

    endpoint: Endpoint
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


def store_list_call(endpoint: Endpoint) -> Call:
    """The call that lists the stores (contract/rental-api.md, "Endpoints in use")."""
    return Call(endpoint, "GET", {"accept": "text/plain"})


def report_call(endpoint: Endpoint, request: ReportRequest) -> Call:
    """The call that asks for a report of one location."""
    headers = {"Content-Type": "application/json-patch+json", "accept": "text/plain"}
    return Call(endpoint, "POST", headers, json.dumps(_body(request)).encode())


EVERY_KEY = ("bookingNo", "dateFrom", "dateTo", "userName", "months", "fromLocation", "userID", "locationID")


def _body(request: ReportRequest) -> dict[str, str]:
    """Each report's usual keys are those that the old system got data with (contract/rental-api.md,
    "Endpoints in use"); like there, a window of days also sends `months: 1`."""
    window, days = request.window, request.window.days
    values = {"locationID": request.location, "months": str(window.months)}
    if days is not None:
        values |= {"dateFrom": days.first.isoformat(), "dateTo": days.last.isoformat()}
    keys: tuple[str, ...] = EVERY_KEY
    match window.form:
        case BodyForm.USUAL if days is None:
            keys = SOURCES[request.report].whole_window_keys or EVERY_KEY
        case BodyForm.WITHOUT_EMPTY:
            keys = tuple(key for key in EVERY_KEY if key in values)
        case BodyForm.DATES_ALONE:
            keys = ("dateFrom", "dateTo", "locationID")
        case BodyForm.WITHOUT_MONTHS:
            keys = tuple(key for key in EVERY_KEY if key != "months")
    return {key: values.get(key, "") for key in keys}
