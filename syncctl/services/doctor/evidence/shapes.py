"""The rows of an answer without their content: the format of values, dates, and shops."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from syncctl.domain.dialects import DatedRow
from syncctl.domain.sources import SOURCES, StepName
from syncctl.locations import Locations
from syncctl.mapping.api_rows import OWN_DATES
from syncctl.parsing.dates import read_date
from syncctl.services.rejects.list_updates import position_of
from syncctl.services.sync.answer_rows import classify_rows
from syncctl.services.windows.trials import dated_rows

OWN_DATE = "own date"
"""The date of a lead made of the row, whichever field it is from."""

OTHER_PLACE = "(another text)"
NO_FIELDS = "(rows that are not records with fields)"

PLACE_FIELDS = ("location", "locationID")
_SAME_FIELD = {alias: names[0] for names in OWN_DATES for alias in names}
_LIKE_A_DATE = re.compile(r"\s*(/Date\(|\d{4}-\d\d-\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})")
_DATE_ONLY = re.compile(r"[\d\s/:.+()TZAPMDate-]{6,40}", re.ASCII)
_LONGEST_DIGITS = 24


@dataclass(slots=True)
class DateField:
    """A field with dates."""

    rows: list[DatedRow] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None
    last_not_ahead: datetime | None = None
    """The newest date that is not in the future, unlike delivery dates."""

    empty: int = 0
    """Rows in which it is empty."""

    unreadable: int = 0
    """Rows in which it isn't a readable date."""

    def add(self, place: str, at: datetime, now: datetime) -> None:
        """Add one row's date. `now`: the business's wall clock, marked as UTC like the dates."""
        self.rows.append(DatedRow(place, at.date()))
        self.first = min(self.first or at, at)
        self.last = max(self.last or at, at)
        if at <= now:
            self.last_not_ahead = max(self.last_not_ahead or at, at)


@dataclass(slots=True)
class RowFacts:
    """The rows of one answer."""

    rows: int
    places: frozenset[str]
    """Identify its rows, to compare answers; never shown to anybody."""

    dates: dict[str, DateField]
    """By field, and under OWN_DATE the leads' dates."""

    values: dict[str, Counter[str]]
    """By field, how many values have which format."""

    shops: dict[str, Counter[str]]
    """By field, how many rows name which shop."""

    def undated(self, name: str) -> int:
        """How many rows don't have that date."""
        return self.rows - len(self.dates[name].rows) if name in self.dates else self.rows


class RowReader(NamedTuple):
    """What is needed to examine rows."""

    locations: Locations
    field_name: Callable[[object], str]
    """Makes a field's name fit to be shown."""

    now: datetime
    """The business's wall clock, marked as UTC."""

    zone: tzinfo
    """The business's."""


def row_facts(
    report: StepName, location: str, rows: Sequence[Any], row_reader: RowReader, *, with_shapes: bool
) -> RowFacts:
    """The facts about an answer's rows. `with_shapes`: also the format of their values, which takes time."""
    dates: dict[str, DateField] = defaultdict(DateField)
    values: dict[str, Counter[str]] = defaultdict(Counter)
    shops: dict[str, Counter[str]] = {name: Counter() for name in PLACE_FIELDS}
    names: dict[object, str] = {}
    places = set()
    for row in rows:
        if not isinstance(row, Mapping):
            values[NO_FIELDS][_shape(row)] += 1
            continue
        place = position_of(row)
        places.add(place)
        for key, value in row.items():
            name = names[key] = names.get(key) or row_reader.field_name(key)
            if with_shapes:
                values[name][_shape(value)] += 1
            _take_date(dates[_SAME_FIELD.get(name, name)], place, value, row_reader)
        for name in PLACE_FIELDS:
            if row.get(name) is not None:
                shops[name][_shop(name, row[name], row_reader.locations)] += 1
    is_report = report in SOURCES
    own = dated_rows(classify_rows(report, location, "any", rows, row_reader.zone)) if is_report else []
    kept = {name: found for name, found in dates.items() if len(found.rows) > found.unreadable}
    return RowFacts(
        len(rows),
        frozenset(places - {""}),
        {OWN_DATE: DateField(rows=own), **kept},
        dict(values),
        {name: counted for name, counted in shops.items() if counted},
    )


def _take_date(found: DateField, place: str, value: Any, row_reader: RowReader) -> None:
    written = value.strip() if isinstance(value, str) else value
    if written is None or written == "":
        found.empty += 1
        return
    try:
        is_date = isinstance(written, str) and _LIKE_A_DATE.match(written)
        at = read_date(written, row_reader.zone, month_first=True) if is_date else None
    except ValueError:
        at = None
    if at is not None:
        found.add(place, at, row_reader.now)
    else:
        found.unreadable += 1


def _shape(value: Any) -> str:
    """A value's format, without its content."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "number" if value else "0"
        case str():
            return _text_shape(value)
        case list():
            return "list"
    return "object"


def _text_shape(text: str) -> str:
    written = text.strip()
    if not written:
        return "empty text"
    if written.isascii() and written.isdigit():
        return f"{len(written)} digits" if len(written) <= _LONGEST_DIGITS else "digits"
    if _LIKE_A_DATE.match(written) and _DATE_ONLY.fullmatch(written):
        return re.sub(r"\d", "9", written)
    return "text"


def _shop(name: str, value: Any, locations: Locations) -> str:
    """The shop that a row names, if it is a known one."""
    text = str(value).strip()
    if name == "locationID":
        return text if text in locations.by_code else OTHER_PLACE
    canonical = locations.canonical(text)
    known = canonical is not None and canonical in locations.store_names
    return canonical if known and canonical else OTHER_PLACE
