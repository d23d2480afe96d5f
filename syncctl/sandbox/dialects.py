"""How a report may interpret a request: which dialect the real API speaks is unknown.

A window of months has no end: an end would be one more guess.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, NamedTuple

from syncctl.sandbox.wire import ReportQuery, months_back


class LedgerQuery(NamedTuple):
    """Which rows to look up. The store list has neither location nor days."""

    api: str
    """Stores, or a report."""

    location: str | None = None
    """None: all locations."""

    first: date = date.min
    last: date = date.max
    """`first` and `last` are both included."""

    by: str = ""
    """The field whose date counts; "": the report's own, or, where that is empty, the booking's."""

    utc: bool = False
    """Whether days are UTC's instead of India's."""

    at_most: int | None = None
    """After how many rows the answer is cut."""


class Dates(Enum):
    """The effect of dates in a body, where they are used."""

    ROWS = auto()
    NOTHING = auto()
    ERROR = auto()


class Ids(Enum):
    """The effect of a locationID. ONLY_EMPTY: an empty one returns all shops' rows, any other none."""

    HONOURED = auto()
    ONLY_EMPTY = auto()
    IGNORED = auto()


class Dialect(NamedTuple):
    """How a request body is understood."""

    dates: Dates = Dates.ROWS
    """The effect of dates."""

    notices: Callable[[ReportQuery], bool] = lambda query: True
    """Whether the dates in a body are used; otherwise its months count."""

    by: str = ""
    """As in `LedgerQuery`, for dates and months."""

    months_count: bool = True
    """Whether months limit the answer; otherwise everything is returned."""

    first_day: bool = True
    """Whether dateFrom itself is in the window."""

    last_day: bool = True
    """Whether dateTo itself is in the window."""

    utc: bool = False
    """As in `LedgerQuery`."""

    empty_strings: bool = True
    """Whether a body may contain empty strings; otherwise the answer is an error."""

    ids: Ids = Ids.HONOURED
    """The effect of location ids."""

    at_most: int | None = None
    """As in `LedgerQuery`."""

    def ledger_query(self, query: ReportQuery, today: date) -> LedgerQuery | None:
        """The look-up for a body received on `today`; None: the answer is an error."""
        if not (query.bare or self.empty_strings):
            return None
        if query.days is not None and self.notices(query):
            if self.dates is Dates.ERROR:
                return None
            first, last = self._window(*query.days) if self.dates is Dates.ROWS else (date.max, date.min)
        else:
            counted = self.months_count and query.months is not None
            first = months_back(today, query.months or 0) if counted else date.min
            last = date.max
        return LedgerQuery(query.api, self._location(query), first, last, self.by, self.utc, self.at_most)

    def _window(self, first: date, last: date) -> tuple[date, date]:
        earliest, latest = date.min.toordinal(), date.max.toordinal()
        return (
            date.fromordinal(min(first.toordinal() + (not self.first_day), latest)),
            date.fromordinal(max(last.toordinal() - (not self.last_day), earliest)),
        )

    def _location(self, query: ReportQuery) -> str | None:
        match self.ids:
            case Ids.HONOURED:
                return query.location
            case Ids.ONLY_EMPTY:
                return "" if query.location else None
            case Ids.IGNORED:
                return None


def _ignores_dates(query: ReportQuery) -> bool:
    return False


OWN_DATE = "own-date"

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        OWN_DATE: Dialect(),
        "booking-date": Dialect(by="bookingDate"),
        "delivery-date": Dialect(by="deliveryDate"),
        "expected-return-date": Dialect(by="expectedReturnDate"),
        "dates-empty": Dialect(Dates.NOTHING),
        "dates-error": Dialect(Dates.ERROR),
        "dates-ignored": Dialect(notices=_ignores_dates),
        "all-ignored": Dialect(notices=_ignores_dates, months_count=False),
        "dates-without-months": Dialect(notices=lambda query: query.months is None),
        "dates-with-months": Dialect(notices=lambda query: query.months is not None),
        "dates-without-empty-strings": Dialect(notices=lambda query: query.bare),
    }
)
"""Every known way to interpret windows, by name. A dialect is one of these plus any traits."""

TRAITS: Mapping[str, tuple[str, Any]] = MappingProxyType(
    {
        "first-day-excluded": ("first_day", False),
        "last-day-excluded": ("last_day", False),
        "utc-days": ("utc", True),
        "empty-strings-error": ("empty_strings", False),
        "empty-id-only": ("ids", Ids.ONLY_EMPTY),
        "id-ignored": ("ids", Ids.IGNORED),
    }
)
"""Additional traits by name: a field of Dialect and its value. capped-N exists too."""

_CAPPED = re.compile(r"capped-([1-9][0-9]{0,6})", re.ASCII)


def parse_dialects(written: Iterable[str], reports: Collection[str]) -> dict[str, Dialect]:
    """The dialects written as NAME[+NAME…][@REPORT], by report; without @REPORT: for each of the `reports`
    that no other names. Names are those of DIALECTS (at most one; else it is own-date), TRAITS and capped-N.

    Raises ValueError, with a message for the user.
    """
    found: dict[str, str] = {}
    dialects: dict[str, Dialect] = {}
    for text in written:
        names, at, report = text.partition("@")
        if at and report not in reports:
            raise ValueError(f"{text!r} doesn't name a report: after the @ write {' or '.join(reports)}.")
        if report in found:
            both = f"{found[report]!r} and {text!r}"
            raise ValueError(f"{both} are for the same report: join names with +, as booking-date+utc-days.")
        found[report], dialects[report] = text, _dialect(names)
    of_all = dialects.pop("", None)
    return dialects if of_all is None else dict.fromkeys(reports, of_all) | dialects


def _dialect(joined: str) -> Dialect:
    chosen: dict[str, str] = {}
    dialect = DIALECTS[OWN_DATE]
    changes: dict[str, Any] = {}
    for name in joined.split("+"):
        capped = _CAPPED.fullmatch(name)
        if name in DIALECTS:
            field, dialect = "", DIALECTS[name]
        elif capped:
            field, changes["at_most"] = "at_most", int(capped[1])
        elif name in TRAITS:
            field, changes[field] = TRAITS[name]
        else:
            raise ValueError(
                f"Unknown dialect {name!r}. Known: {', '.join(DIALECTS)}; "
                f"and, alone or joined to one of them with +: {', '.join(TRAITS)}, capped-N."
            )
        if field in chosen:
            raise ValueError(f"{chosen[field]} and {name} can't be combined: choose one of them.")
        chosen[field] = name
    return dialect._replace(**changes)
