"""The wire format of contract/rental-api.md: paths, valid requests, envelopes."""

import json
import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import unquote

STORES = "stores"


class Report(NamedTuple):
    """A report that the API answers."""

    name: str
    path: str

    date: str
    """The field of its rows that says when it happened: what has not happened yet goes by its booking."""


REPORTS = (
    Report("booking", "/api/Reports/GetBookingReport", "bookingDate"),
    Report("return", "/api/Reports/GetReturnReport", "returnDate"),
)
APIS = (STORES, *(report.name for report in REPORTS))
BODY_KEYS = (
    "bookingNo",
    "dateFrom",
    "dateTo",
    "userName",
    "months",
    "fromLocation",
    "userID",
    "locationID",
)
NO_DATA: dict[str, Any] = {"dataSet": None, "status": False, "errorDescription": "No data found"}
OTHER_ENVELOPES: tuple[Callable[[list[Any]], Any], ...] = (
    lambda rows: {"dataSet": rows},
    lambda rows: {"data": rows},
    lambda rows: {"result": rows},
    lambda rows: rows,
)


def endpoints(reports: Iterable[Report]) -> dict[str, tuple[str, str]]:
    """The method and the name of what is answered under each path."""
    return {
        "/api/Location/LocationList": ("GET", STORES),
        **{report.path: ("POST", report.name) for report in reports},
    }


class ReportQuery(NamedTuple):
    """What a report request asks for."""

    api: str

    location: str
    """May be empty."""

    months: int | None
    """How many months back from today; None if the body has no such key."""

    days: tuple[date, date] | None
    """First and last day; None without dates."""

    bare: bool
    """Whether no other key has an empty string."""


class BadRequestError(ValueError):
    """The request violates the contract; the message says how."""


def usual_envelope(rows: list[Any]) -> dict[str, Any]:
    """The API's usual envelope; the no-data answer if there are no rows."""
    return {"dataSet": {"data": rows}, "status": True, "errorDescription": None} if rows else NO_DATA


def mentions_rentout(path: str) -> bool:
    """Whether the path is an endpoint that must never be called: rentout, RentOut, rent-out, %72entout, …"""
    return "rentout" in re.sub(r"[-_.\s]", "", unquote(path).lower())


def months_back(today: date, months: int) -> date:
    """The same day of an earlier month, or its last day if the month is shorter."""
    year, month0 = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(year, month0 + 1, min(today.day, monthrange(year, month0 + 1)[1]))


def read_report_body(api: str, headers: Mapping[str, str], raw: bytes) -> ReportQuery:
    """Parse a report request. `headers` by lower-case names.

    The old system got data with two choices of keys; which others the real API accepts is unknown
    (contract/rental-api.md). Any choice is accepted, and the dialect decides its meaning. Anything not in the
    contract is refused: the sandbox is the only check of what goes over the wire.

    Raises BadRequestError.
    """
    if headers.get("content-type") != "application/json-patch+json":
        raise BadRequestError("Content-Type must be application/json-patch+json.")
    if headers.get("accept") != "text/plain":
        raise BadRequestError("accept must be text/plain.")
    body = _read_body(raw)
    unknown = [key for key in body if key not in BODY_KEYS]
    if unknown:
        raise BadRequestError(f"Unknown keys of the body: {unknown}.")
    if "locationID" not in body:
        raise BadRequestError("The body has no locationID.")
    months = _read_months(body["months"]) if "months" in body else None
    dated = bool(body.get("dateFrom") or body.get("dateTo"))
    days = (_read_day(body, "dateFrom"), _read_day(body, "dateTo")) if dated else None
    if days is not None and days[0] > days[1]:
        raise BadRequestError("dateFrom is after dateTo.")
    bare = all(value for key, value in body.items() if key != "locationID")
    return ReportQuery(api, body["locationID"], months, days, bare)


def _read_body(raw: bytes) -> dict[str, str]:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise BadRequestError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise BadRequestError("The body is not a JSON object.")
    no_strings = [key for key, value in body.items() if not isinstance(value, str)]
    if no_strings:
        raise BadRequestError(f"All values of the body must be strings; these are not: {no_strings}.")
    return body


def _read_months(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII):
        raise BadRequestError("months must be a whole number of months.")
    return int(text)


def _read_day(body: Mapping[str, str], key: str) -> date:
    # date.fromisoformat alone also takes 20250201 and 2025-W05-6.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", body.get(key, "")):
        raise BadRequestError(f"{key} must be a day as YYYY-MM-DD, or both dates empty.")
    try:
        return date.fromisoformat(body[key])
    except ValueError as error:
        raise BadRequestError(f"{key} isn't a date.") from error
