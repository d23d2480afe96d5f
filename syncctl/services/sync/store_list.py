"""Stores the API's store list: adds new stores, leaves existing ones as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

from syncctl.domain.run_results import Counts
from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store
from syncctl.errors import ApiError, FinalApiError, InvalidRowError
from syncctl.locations import Locations
from syncctl.mapping.api_rows import RowDates
from syncctl.parsing.values import text
from syncctl.ports.api import RentalApi
from syncctl.ports.storage import Storage
from syncctl.services.rejects.list_updates import unlisted_warning, update_rejects
from syncctl.services.run import Run
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.text import mapping_line, normalize_text

STORE_LIST = "store list"
"""Used as the location on the rejects list."""

MAX_STORES = 1000
"""Rows of a store list: each is a location that every run asks every report for."""


def fetch_store_list(api: RentalApi, deadline: float) -> list[Any]:
    """The rows of the store list. Raises ApiError, also if there are more than a business can have shops."""
    rows = api.store_list(deadline)
    if len(rows) > MAX_STORES:
        raise FinalApiError(
            f"the API sent a store list of {len(rows):,} rows, and at most {MAX_STORES:,} are accepted",
            hint="ask the API's provider what is in it",
        )
    return rows


def names_by_code(rows: Sequence[Any]) -> dict[str, str]:
    """The store list's codes with their names; rows without a code are left out."""
    names: dict[str, str] = {}
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        try:
            code, name = text(row.get("locCode")), text(row.get("locName"))
        except InvalidRowError:
            continue
        if code:
            names.setdefault(code, name)
    return names


_PACKAGED = "of locations.toml, as none was fetched before"


def current_store_names(
    api: RentalApi, storage: Storage, deadline: float, warn: Callable[[str], None]
) -> Mapping[str, str]:
    """The store list's names by code: from the API, or as last stored if that fails, which doesn't fail a
    report. `deadline`: seconds of the monotonic clock. Raises StorageError."""
    try:
        names = names_by_code(fetch_store_list(api, deadline))
    except ApiError as error:
        known = storage.store_list()
        warn(f"Store list: {error}. Going on with the stores {'known from before' if known else _PACKAGED}.")
        return known
    return names or storage.store_list()


def store_of_row(row: object, locations: Locations) -> Store:
    """A row of the store list as a store. Raises InvalidRowError: it has no code, or no name can be found."""
    if not isinstance(row, Mapping):
        raise InvalidRowError("the row isn't a record with fields")
    code = text(row.get("locCode"))
    if not code:
        raise InvalidRowError("no locCode")
    name = locations.store_of(code, text(row.get("locName")))
    if name is None:
        added = mapping_line("locations", code, "BRAND - PLACE")
        raise InvalidRowError(f"no locName, and locations.toml doesn't know the code; {added}")
    brand, _, _ = name.partition(" - ")
    return Store(
        name=name,
        code=code,
        brand=brand,
        city=text(row.get("city")),
        is_active=row.get("status") is True or text(row.get("status")) == "1",
    )


def add_stores(run: Run, locations: Locations, stores: Sequence[Store]) -> int:
    """Add the stores whose code and name are both new; returns how many. Raises StorageError."""
    stored = run.storage.stores()
    codes = {store.code for store in stored}
    names = {normalize_text(locations.canonical(store.name) or store.name) for store in stored}
    new: dict[str, Store] = {}
    for store in stores:
        if store.code not in codes and normalize_text(store.name) not in names:
            new.setdefault(normalize_text(store.name), store)
    return run.storage.add_stores(list(new.values())) if new else 0


def ingest_stores(rows: Sequence[Any], run: Run, locations: Locations) -> Counts:
    """Add the new stores of the store list; repeated codes are merged. Raises StorageError."""
    answer = AnswerRows(StepName.STORES, STORE_LIST, rows, RowDates(UTC))  # its dates are not used
    stores: dict[str, Store] = {}
    for row in rows:
        try:
            store = store_of_row(row, locations)
        except InvalidRowError as reason:
            answer.invalid.append((row, str(reason)))
            continue
        if stores.setdefault(store.code, store) is not store:
            answer.merged += 1
    if names := names_by_code(rows):
        run.storage.save_store_list(names)
    elif run.storage.store_list():
        run.listener.warning(
            "The store list came without any store: going on with the stores known from before."
        )
    saved = add_stores(run, locations, list(stores.values()))
    listed = run.storage.reject_positions(StepName.STORES).get(STORE_LIST, {})
    closed = run.storage.closed_rejects(StepName.STORES) if listed else set()
    unlisted, answered = update_rejects(run, answer, listed, closed)
    if unlisted:
        run.listener.warning(f"The store list: {unlisted_warning(unlisted)}")
    return Counts(
        rows=len(rows),
        saved=saved,
        existing=len(stores) - saved,
        merged=answer.merged,
        invalid=len(answer.invalid) - answered,
        ignored=answered,
    )
