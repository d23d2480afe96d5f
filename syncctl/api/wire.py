"""The API's calls as they go over the wire: where to, with which key, headers and body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from syncctl.models import ReportRequest, StepName


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
    """The keys of each report's body are those that the old system got data with (contract/rental-api.md,
    "Endpoints in use")."""
    months = str(request.window.months)
    if request.report is StepName.BOOKING:
        return {"locationID": request.location, "months": months}
    return {
        "bookingNo": "",
        "dateFrom": "",
        "dateTo": "",
        "userName": "",
        "months": months,
        "fromLocation": "",
        "userID": "",
        "locationID": request.location,
    }
