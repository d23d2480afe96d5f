"""The API's calls as they go over the wire: where to, with which key, headers and body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from syncctl.models import BodyForm, ReportRequest, StepName


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one of the API's calls is answered, and the key that opens it, if it needs one.

    Messages name the settings that these come from, or would come from: `key_setting` the key, `host_setting`
    the beginning of the address, `path_setting` the rest of it.
    """

    url: str
    key: str | None = field(repr=False)
    key_setting: str
    host_setting: str = "API_BASE_URL"
    path_setting: str = "API_BASE_URL"


@dataclass(frozen=True, slots=True)
class Call:
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


def _body(request: ReportRequest) -> dict[str, str]:
    """The usual keys of each report's body are those that the old system got data with
    (contract/rental-api.md, "Endpoints in use"); a window of days has months: 1 beside them, as there."""
    window = request.window
    where, months = {"locationID": request.location}, {"months": str(window.months)}
    days = {"dateFrom": "", "dateTo": ""}
    if window.days is not None:
        days = {"dateFrom": window.days.first.isoformat(), "dateTo": window.days.last.isoformat()}
    match window.form:
        case BodyForm.USUAL if request.report is StepName.BOOKING and window.days is None:
            return where | months
        case BodyForm.WITHOUT_EMPTY:
            return where | (days if window.days is not None else {}) | months
        case BodyForm.DATES_ALONE:
            return where | days
    empty = dict.fromkeys(("bookingNo", "userName", "fromLocation", "userID"), "")
    every = {**empty, **days, **where}
    return every if window.form is BodyForm.WITHOUT_MONTHS else every | months
