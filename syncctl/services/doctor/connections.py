"""`doctor` on connections: the database and its permissions, the rental API with its key and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from syncctl.domain.checks import Finding
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import PLURALS, REPORT_STEPS, SOURCES, StepName
from syncctl.errors import (
    ApiError,
    DeadlinePassedError,
    FinalApiError,
    InvalidRowError,
    KeyRefusedError,
    SettingsError,
    StorageError,
    UnclearAnswerError,
)
from syncctl.locations import Locations
from syncctl.mapping.api_rows import RowDates, identity_values
from syncctl.ports.admin import Database, OpeningHints
from syncctl.ports.api import RentalApi
from syncctl.ports.machine import ApiAddress, ApiClock
from syncctl.services.checks.severity import Trouble
from syncctl.services.sync.store_list import store_of_row
from syncctl.text import quantity

LARGEST_SKEW = timedelta(seconds=60)
OpenDatabase = Callable[[], AbstractContextManager[Database]]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_database(
    open_to_read: OpenDatabase, open_to_write: OpenDatabase, hints: OpeningHints
) -> Iterator[Finding]:
    """What kind of database it is, what should be changed about it, and whether a run may write to it."""
    try:
        with open_to_read() as database:
            facts = database.facts()
    except SettingsError as error:
        yield Finding.failed("Database", _one_line(error), "Nothing is synced until then.")
        return
    except StorageError as error:
        yield Trouble.NO_DATABASE.found("Database", _one_line(error), hints.unusable)
        return
    yield Finding.passed(
        "Database", f"{facts.kind} {facts.version}, {facts.topology}: {facts.place}; {facts.durability}"
    )
    for caveat in facts.caveats:
        yield Finding.warning("Database", caveat.message, caveat.hint)
    try:
        with open_to_write() as database:
            database.probe_writing()
    except StorageError as error:
        yield Finding.failed("Database rights", _one_line(error), hints.not_writable)
        return
    yield Finding.passed("Database rights", "a run can write to it")


class ApiProbe(NamedTuple):
    """How to try the API."""

    addresses: Mapping[StepName, ApiAddress]
    """The address of each call."""

    locations: Locations
    limit_s: float
    """Seconds to wait for each answer."""

    monotonic: Callable[[], float]
    """The clock of the deadlines."""


def check_api(api: RentalApi, probe: ApiProbe) -> Iterator[Finding]:
    """Ask for the store list, and for one location's reports of a month."""
    for address in {address.url: address for address in probe.addresses.values()}.values():
        yield from _transport(address)
    try:
        stores = api.store_list(probe.monotonic() + probe.limit_s)
    except ApiError as error:
        stores = []
        yield _failed(StepName.STORES, error)
    else:
        yield _store_list(stores, probe)
    location = _test_location(stores, probe.locations)
    deadline = probe.monotonic() + probe.limit_s
    requests = [ReportRequest(report, location, Window(months=1), deadline) for report in REPORT_STEPS]
    answers = {answer.request.report: answer for answer in api.reports(requests)}
    for report in REPORT_STEPS:
        answer = answers[report]
        if answer.error is not None:
            yield _failed(report, answer.error)
        else:
            yield _report(report, answer.rows or [], location, probe)


def check_clock(clock: ApiClock | None) -> Iterator[Finding]:
    """Whether this machine's clock agrees with the API's; no finding if the API's time is unknown."""
    if clock is None:
        return
    seconds = round(abs(clock.ahead).total_seconds())
    if abs(clock.ahead) > LARGEST_SKEW:
        yield Finding.warning(
            "Clock",
            f"{seconds} s {'ahead of' if clock.ahead > timedelta(0) else 'behind'} that of {clock.host}",
            "Windows and watermarks depend on it: let NTP set it (timedatectl set-ntp true).",
        )
    else:
        yield Finding.passed("Clock", f"agrees with that of {clock.host}")


def _transport(address: ApiAddress) -> Iterator[Finding]:
    parts = urlsplit(address.url)
    if parts.scheme == "http" and address.has_key and parts.hostname not in _LOOPBACK:
        yield Finding.warning(
            "API key", f"{address.key_setting} goes to {parts.hostname} unencrypted", "Use https://."
        )


def _failed(report: StepName, error: ApiError) -> Finding:
    name, found = f"API: {PLURALS[report]}", _one_line(error.message)
    advice = error.hint[:1].upper() + error.hint[1:]
    if isinstance(error, UnclearAnswerError):  # a sync treats it as empty, too
        return Finding.warning(name, found, f"{advice}.")
    if isinstance(error, KeyRefusedError):
        hint = f"{advice}: ask the API's provider for a valid key, and put it into .env.local."
    elif error.setting:
        hint = f"{advice}; `syncctl config` shows what is in force."
    elif advice:
        hint = f"{advice}."
    elif isinstance(error, FinalApiError) and not isinstance(error, DeadlinePassedError):
        hint = "`syncctl config` shows the addresses in force; compare them with docs/reference/settings.md."
    else:
        hint = "It may be temporary: try again in a few minutes. If others reach it, check network and proxy."
    return Finding.failed(name, found, hint)


def _answered(report: StepName, probe: ApiProbe) -> str:
    address = probe.addresses[report]
    key = f"accepted {address.key_setting}" if address.has_key else "needs no key"
    return f"{urlsplit(address.url).hostname} answered and {key}"


def _store_list(rows: list[Any], probe: ApiProbe) -> Finding:
    name, found = f"API: {StepName.STORES}", _answered(StepName.STORES, probe)
    understood = sum(_is_store(row, probe.locations) for row in rows)
    if not understood:
        return Finding.warning(
            name,
            f"{found}, but none of the {quantity(len(rows), 'row')} of its store list is a store",
            "The stores of locations.toml are used; ask the API's provider whether it has changed.",
        )
    return Finding.passed(name, f"{found}; {quantity(understood, 'store')} listed")


def _report(report: StepName, rows: list[Any], location: str, probe: ApiProbe) -> Finding:
    name, found = f"API: {PLURALS[report]}", _answered(report, probe)
    store = probe.locations.by_code.get(location, "a store")
    dates = RowDates(UTC)  # any zone will do: dates are only checked for readability
    reasons = [reason for row in rows if (reason := _why_invalid(report, row, store, dates))]
    if changed := dates.changed_format:
        reasons = [f"{changed} isn't a date that can be read"] * len(rows)
    if rows and len(reasons) == len(rows):
        return Finding.warning(
            name,
            f"{found}, but of location {location}'s {quantity(len(rows), 'row')} of the last month none is "
            f"valid: {reasons[0]}",
            f"`syncctl {report} --location {location} --dry-run` says more: has the API changed?",
        )
    return Finding.passed(
        name, f"{found}; location {location} had {quantity(len(rows), 'row')} in the last month"
    )


def _is_store(row: Any, locations: Locations) -> bool:
    try:
        store_of_row(row, locations)
    except InvalidRowError:
        return False
    return True


def _why_invalid(report: StepName, row: Any, store: str, dates: RowDates) -> str:
    """Why no lead can be made of a row, or "". A row that has not been returned yet is fine."""
    try:
        values = identity_values(report, row, store, dates)
    except InvalidRowError as reason:
        return str(reason)
    source = SOURCES[report]
    return f"no {source.lead_source.lower()} date" if values is None and not source.follows_booking else ""


def _test_location(stores: list[Any], locations: Locations) -> str:
    """An active location of the store list, otherwise any known one."""
    for row in stores:
        try:
            store = store_of_row(row, locations)
        except InvalidRowError:
            continue
        if store.is_active:
            return store.code
    return next(iter(locations.by_code))


def _one_line(said: object) -> str:
    return " ".join(str(said).split()).rstrip(".")
