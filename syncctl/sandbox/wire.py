"""The wire of contract/rental-api.md: its paths, what a request must look like, its envelopes."""

import json
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import unquote

STORES, BOOKING, RETURN = "stores", "booking", "return"
APIS = (STORES, BOOKING, RETURN)
ENDPOINTS = {
    "/api/Location/LocationList": ("GET", STORES),
    "/api/Reports/GetBookingReport": ("POST", BOOKING),
    "/api/Reports/GetReturnReport": ("POST", RETURN),
}
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


class Question(NamedTuple):
    """A call that is asked rightly: `api` is stores, booking or return; the days are inclusive.

    The store list has neither location nor days.
    """

    api: str
    location: str | None = None
    first: date = date.min
    last: date = date.max


class BadRequestError(ValueError):
    """The request is not what the contract says; the message says in which way."""


def usual_envelope(rows: list[Any]) -> dict[str, Any]:
    """The envelope that the API has most of the time; the no-data answer for no rows."""
    return {"dataSet": {"data": rows}, "status": True, "errorDescription": None} if rows else NO_DATA


def mentions_rentout(path: str) -> bool:
    """Whether it is an endpoint that must never be called: rentout, RentOut, rent-out, %72entout, …"""
    return "rentout" in re.sub(r"[-_.\s]", "", unquote(path).lower())


def months_back(today: date, months: int) -> date:
    """The same day of an earlier month, or that month's last day where it is shorter."""
    year, month0 = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(year, month0 + 1, min(today.day, monthrange(year, month0 + 1)[1]))


def read_report_question(api: str, headers: Mapping[str, str], raw: bytes, today: date) -> Question:
    """What a report is asked for. `headers` by lower-case names; `today` is what `months` counts back from.

    Raises BadRequestError for whatever the contract does not show: the sandbox is the only check of the
    wire that there is, so it is stricter than the real API may be.
    """
    if headers.get("content-type") != "application/json-patch+json":
        raise BadRequestError("Content-Type must be application/json-patch+json.")
    if headers.get("accept") != "text/plain":
        raise BadRequestError("accept must be text/plain.")
    body = _read_body(raw)
    months = _read_months(body["months"])
    if not body["locationID"]:
        raise BadRequestError("locationID is empty: one call answers for one location.")
    if not body["dateFrom"] and not body["dateTo"]:
        return Question(api, body["locationID"], months_back(today, months), today)
    first, last = _read_day(body, "dateFrom"), _read_day(body, "dateTo")
    if first > last:
        raise BadRequestError("dateFrom is after dateTo.")
    return Question(api, body["locationID"], first, last)


def _read_body(raw: bytes) -> dict[str, str]:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise BadRequestError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise BadRequestError("The body is not a JSON object.")
    missing = [key for key in BODY_KEYS if key not in body]
    unknown = [key for key in body if key not in BODY_KEYS]
    if missing or unknown:
        raise BadRequestError(f"Keys of the body: missing {missing}, unknown {unknown}.")
    no_strings = [key for key, value in body.items() if not isinstance(value, str)]
    if no_strings:
        raise BadRequestError(f"All values of the body are strings; these are not: {no_strings}.")
    return body


def _read_months(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII):
        raise BadRequestError("months must be a whole number of months, with dates too.")
    return int(text)


def _read_day(body: Mapping[str, str], key: str) -> date:
    # date.fromisoformat alone also takes 20250201 and 2025-W05-6.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", body[key]):
        raise BadRequestError(f"{key} must be a day as YYYY-MM-DD, or both dates empty.")
    try:
        return date.fromisoformat(body[key])
    except ValueError as error:
        raise BadRequestError(f"{key} is no day of the calendar.") from error
