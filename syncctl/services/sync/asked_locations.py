"""Which locations a report is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncctl.domain.dialects import Dialect, LocationIds
from syncctl.errors import UsageError
from syncctl.locations import Locations
from syncctl.text import did_you_mean, mapping_line, near_names


def location_order(code: str) -> tuple[int, str]:
    """Sort key for location ids: as numbers, malformed ones last."""
    return (int(code), "") if code.isascii() and code.isdigit() and len(code) < 10 else (10**10, code)


def locations_to_ask(
    store_list: Mapping[str, str], locations: Locations, chosen: Iterable[str]
) -> dict[str, str | None]:
    """Location id -> store name (None: unknown), in numerical order.

    Includes both the store list's codes and the ids of locations.toml, as a report may answer to either a
    shop's old or new id. `chosen`: only these ids, or all of the stores with these names, if any. Raises
    UsageError: a chosen location is unknown.
    """
    codes = sorted({*store_list, *locations.by_code}, key=location_order)
    known = {code: locations.store_of(code, store_list.get(code, "")) for code in codes}
    wanted = list(chosen)
    for chosen_one in list(wanted):
        if chosen_one in known:
            continue
        store = locations.canonical(chosen_one)
        ids = [code for code, name in known.items() if name == store]
        if store is None or not ids:
            named = None if store is None or chosen_one.isdigit() else store
            added = mapping_line("locations", "ID" if named else chosen_one, named or "BRAND - PLACE")
            raise UsageError(
                f"Location {chosen_one!r} is neither in the store list nor in locations.toml."
                f"{did_you_mean(near_names(chosen_one, filter(None, known.values())))}",
                hint=f"Known: {', '.join(codes)}. Or {added}",
            )
        wanted += ids
    return {code: known[code] for code in known if not wanted or code in wanted}


def ids_to_ask(stores: Mapping[str, str | None], dialect: Dialect) -> Mapping[str, str | None]:
    """The location ids to ask a report for, each with its store; just an empty id if only that is
    answered."""
    return {"": None} if dialect.ids is LocationIds.EMPTY else stores
