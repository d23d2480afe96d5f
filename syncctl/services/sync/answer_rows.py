"""The rows of one answer sorted into records, rows of another kind, rows for the rejects list, and rows of
other days than those asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any

from syncctl.domain.identity import key_of, source_record
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import SourceRecord
from syncctl.domain.requests import Days
from syncctl.domain.sources import StepName
from syncctl.errors import FinalApiError, InvalidRowError
from syncctl.locations import ALL_LOCATIONS
from syncctl.mapping.api_rows import (
    BOOKING_NO,
    DATE_VALUES,
    FUNCTION_DATE,
    PHONE,
    UNKNOWN_LOCATION,
    RowDates,
    complete_values,
    first_date,
    function_date_rank,
    identity_values,
    optional_text,
    own_date,
    phones_before,
    report_values,
)
from syncctl.parsing.phones import phone_number
from syncctl.ports.api import Look

LOOK_EVERY = 1000
"""Rows, which are mapped in some 50 ms."""

StoreOf = Callable[[object], str | None]
"""Gives the store of a row; None: unknown."""

UNKNOWN_SHOP = "no store: its location names no known shop (the API does not keep to the id asked for)"


@dataclass(slots=True)
class SortedRows:
    """What the rows of one answer are.

    `store`: the one that the rows are for ("": unknown, or each row's own). `first_rows`, `item_rows`: the
    row that made a record, and further ones of it, by the record's key. `outside`: rows dated outside of the
    days asked for, and `records_outside` the records that they make, by key; they are in none of the others.
    `by_row`: whether each row's own location decides its store. `spellings`: how the rows name their shops,
    and how many do so. `dates`: how its dates are read, and how that went. `unread`: of records that
    have no such date as no row has one that can be read, these fields, by the record's key.
    """

    report: StepName
    location: str
    rows: Sequence[Any]
    dates: RowDates
    store: str = ""
    records: dict[str, SourceRecord] = field(default_factory=dict)
    first_rows: dict[str, Any] = field(default_factory=dict)
    item_rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    invalid: list[tuple[Any, str]] = field(default_factory=list)
    merged: int = 0
    ignored: int = 0
    outside: list[Any] = field(default_factory=list)
    records_outside: dict[str, SourceRecord] = field(default_factory=dict)
    by_row: bool = False
    spellings: Counter[str] = field(default_factory=Counter)
    unread: dict[str, list[str]] = field(default_factory=dict)
    _named: dict[str, set[str]] | None = None

    @property
    def listed_under(self) -> str:
        """The location that its invalid rows have on the rejects list: where rows name their own, each answer
        may have the same ones."""
        return ALL_LOCATIONS if self.by_row else self.location

    @property
    def keys(self) -> set[str]:
        """The keys of all records that the answer tells of, also of those outside of the days asked for."""
        return self.records.keys() | self.records_outside.keys()

    def names(self, booking_no: str, phone: str) -> bool:
        """Whether any row, valid or not, has this booking number and this phone number of ten digits."""
        return phone in self.phones_of(booking_no)

    def phones_of(self, booking_no: str) -> set[str]:
        """The phone numbers ("" for what is none) of all rows, valid or not, with this booking number."""
        if self._named is None:
            self._named = defaultdict(set)
            for row in (*self.rows, *self.outside):
                if isinstance(row, dict):
                    phone = phone_number(optional_text(row, PHONE)) or ""
                    self._named[optional_text(row, BOOKING_NO)].add(phone)
        return self._named.get(booking_no, set())

    def rows_from(self, day: date) -> int:
        """How many rows are not of a record that is dated before that day."""
        before = sum(
            1 + len(self.item_rows.get(key, ()))
            for key, record in self.records.items()
            if (at := record.values.get("createdAt")) is not None and at.date() < day
        )
        return len(self.rows) - before

    def records_from(self, day: date) -> int:
        """How many records are dated that day or later."""
        dates = (record.values.get("createdAt") for record in self.records.values())
        return sum(at is not None and at.date() >= day for at in dates)


def sort_rows(
    report: StepName,
    location: str,
    store: str | StoreOf | None,
    rows: Sequence[Any],
    zone: tzinfo,
) -> SortedRows:
    """Map every row; the first row of each key makes the record, and further ones fill what it leaves empty.
    `store`: of all rows, or what gives each row's own. `zone`: the business's."""
    return sort_unsorted(unsorted(report, location, store, rows, zone), None, lambda: None, store)


def unsorted(
    report: StepName, location: str, store: str | StoreOf | None, rows: Sequence[Any], zone: tzinfo
) -> SortedRows:
    """An answer of which only the rows are known. `store`, `zone` as for `sort_rows`."""
    if callable(store):
        return SortedRows(report, location, rows, RowDates(zone), by_row=True)
    return SortedRows(report, location, rows, RowDates(zone), store or "")


def check_form(answer: SortedRows) -> None:
    """Raises FinalApiError where the API has changed its dates' form: nothing of such an answer counts."""
    if field_name := answer.dates.changed_form:
        raise FinalApiError(
            f"{field_name} can't be read in any of {answer.dates.unread[field_name]} rows",
            hint="the API has changed the form of its dates; nothing of it was stored, report it",
        )


def sort_unsorted(
    result: SortedRows, days: Days | None, look: Look, store: str | StoreOf | None
) -> SortedRows:
    """As `sort_rows`, of an answer that is `unsorted`. `days`: those asked for, None: all. `look` is called
    now and then, and what it raises ends the work."""
    report, dates = result.report, result.dates
    without_store = UNKNOWN_SHOP if result.by_row else UNKNOWN_LOCATION
    for number, row in enumerate(result.rows):
        if number % LOOK_EVERY == 0:
            look()
        try:
            own = store(row) if callable(store) else store
            values = identity_values(report, row, own, dates, without_store)
        except InvalidRowError as reason:
            result.invalid.append((row, str(reason)))
            continue
        if values is None:
            result.ignored += 1
        elif (key := key_of(values)) in result.records:
            _add_item_row(result, key, row, values)
        else:
            before = phones_before(row, values)
            result.records[key] = source_record(complete_values(report, row, values, dates), before)
            result.first_rows[key] = row
            if dates.missed:
                result.unread[key] = dates.missed
    if days is not None:
        _set_outside_apart(result, days)
    return result


def _add_item_row(result: SortedRows, key: str, row: Any, values: LeadValues) -> None:
    """Add a further row of a record: it fills what the rows before it left empty. `values`: its identity."""
    record, dates = result.records[key], result.dates
    known = record.values
    if "functionDate" in known and (found := _better_function_date(result, key, row)):
        known["functionDate"] = found
    complete_values(result.report, row, known, dates)
    for name in values.keys() - known.keys():
        known[name] = values[name]  # type: ignore[literal-required]
    result.merged += 1
    result.item_rows[key].append(row)
    if (before := phones_before(row, values)) and (more := {*before} - {*record.former_phones}):
        former_phones = tuple(sorted({*record.former_phones, *more}))
        result.records[key] = record._replace(former_phones=former_phones)
    if dates.missed or key in result.unread:
        unread = dict.fromkeys([*result.unread.pop(key, ()), *dates.missed])
        if still := [name for name in unread if DATE_VALUES[name] not in known]:
            result.unread[key] = still


def _better_function_date(result: SortedRows, key: str, row: Any) -> datetime | None:
    """The row's function date, if its field counts before those of the earlier rows: the day of a delivery
    says more than that of a trial, whichever row comes first."""
    zone = result.dates.zone
    found, _ = first_date(row, FUNCTION_DATE, zone)
    if found in (None, result.records[key].values.get("functionDate")):
        return None
    earlier = (result.first_rows[key], *result.item_rows[key])
    ranks = [function_date_rank(each, zone) for each in earlier]
    return found if function_date_rank(row, zone) < min(ranks) else None


def _set_outside_apart(answer: SortedRows, days: Days) -> None:
    """Move what is dated outside of these days; what has no date that can be read stays where it is.

    A record goes as a whole, by the date that it has as a lead: were single item rows left out, what remains
    would read as if the source had changed it.
    """
    for key, record in list(answer.records.items()):
        at = record.values.get("createdAt")
        if at is not None and not days.has(at):
            items = answer.item_rows.pop(key, [])
            answer.outside += [answer.first_rows.pop(key), *items]
            answer.merged -= len(items)
            answer.records_outside[key] = answer.records.pop(key)
    invalid, answer.invalid = answer.invalid, []
    for row, reason in invalid:
        at = own_date(answer.report, row, answer.dates.zone) if isinstance(row, dict) else None
        if at is None or days.has(at):
            answer.invalid.append((row, reason))
        else:
            answer.outside.append(row)
    outside = set(map(id, answer.outside))
    answer.rows = [row for row in answer.rows if id(row) not in outside]


def tellings(answer: SortedRows, record: SourceRecord) -> list[LeadValues]:
    """A record's values, then what each of its rows says by itself, the one that made it first."""
    told = (
        report_values(answer.report, row, record.values["store"], RowDates(answer.dates.zone))
        for row in (answer.first_rows[record.key], *answer.item_rows.get(record.key, ()))
    )
    return [record.values, *(values for values in told if values is not None)]


def has_changed(answer: SortedRows, record: SourceRecord, base: Mapping[str, Any]) -> bool:
    """Whether the source now says something else of a record than when it was last seen.

    The item rows of one booking differ in item fields, and their order is the API's: as long as one of them
    says what was last seen of a field, it has not changed. Versions before kept what one row says, and a
    price of 0, which now is none.
    """
    said = {field: value for field, value in base.items() if value or field != "securityAmount"}
    whole, *alone = tellings(answer, record)
    if said in alone:
        return False
    return said.keys() != whole.keys() or any(
        value not in [values.get(field) for values in alone] for field, value in said.items()
    )
