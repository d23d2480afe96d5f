"""The rows of one answer, classified: records, rows of another kind, rows for the rejects list, and rows
outside the days asked for."""

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
    phones_under_earlier_rules,
    report_values,
)
from syncctl.parsing.phones import phone_number
from syncctl.ports.api import Look

CHECK_EVERY_ROWS = 1000
"""Rows; mapping so many takes about 50 ms."""

StoreOf = Callable[[object], str | None]
"""Returns the store of a row; None: unknown."""

UNKNOWN_SHOP = "no store: its location isn't a known shop (the API ignores the id that it is asked for)"


@dataclass(slots=True)
class AnswerRows:
    """The classified rows of one answer."""

    report: StepName
    location: str
    rows: Sequence[Any]
    """All rows, except those in `outside`."""

    dates: RowDates
    """How its dates are parsed, and with what success."""

    store: str = ""
    """The store of all rows ("": unknown, or each row names its own)."""

    records: dict[str, SourceRecord] = field(default_factory=dict)
    first_rows: dict[str, Any] = field(default_factory=dict)
    """The row that made each record, by the record's key."""

    item_rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Further rows of each record, by the record's key."""

    invalid: list[tuple[Any, str]] = field(default_factory=list)
    merged: int = 0
    ignored: int = 0
    outside: list[Any] = field(default_factory=list)
    """Rows dated outside the days asked for; counted nowhere else."""

    records_outside: dict[str, SourceRecord] = field(default_factory=dict)
    """The records made of those rows, by key."""

    store_from_row: bool = False
    """Whether each row's own location decides its store."""

    spellings: Counter[str] = field(default_factory=Counter)
    """How the rows spell their shops, and how many rows use each spelling."""

    unread: dict[str, list[str]] = field(default_factory=dict)
    """Date fields that are missing in a record because no row has a readable date, by the record's key."""

    _phones_by_booking: dict[str, set[str]] | None = None

    @property
    def reject_location(self) -> str:
        """The location under which its invalid rows are on the rejects list: all locations, if rows name
        their own, as then several answers may contain the same row."""
        return ALL_LOCATIONS if self.store_from_row else self.location

    @property
    def keys(self) -> set[str]:
        """The keys of all records in the answer, including those outside the days asked for."""
        return self.records.keys() | self.records_outside.keys()

    def has_row_with(self, booking_no: str, phone: str) -> bool:
        """Whether any row, valid or not, has this booking number and this phone number of ten digits."""
        return phone in self.phones_of(booking_no)

    def phones_of(self, booking_no: str) -> set[str]:
        """The phone numbers ("" if invalid) of all rows, valid or not, with this booking number."""
        if self._phones_by_booking is None:
            self._phones_by_booking = defaultdict(set)
            for row in (*self.rows, *self.outside):
                if isinstance(row, dict):
                    phone = phone_number(optional_text(row, PHONE)) or ""
                    self._phones_by_booking[optional_text(row, BOOKING_NO)].add(phone)
        return self._phones_by_booking.get(booking_no, set())

    def rows_from(self, day: date) -> int:
        """How many rows don't belong to a record dated before that day."""
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


def classify_rows(
    report: StepName,
    location: str,
    store: str | StoreOf | None,
    rows: Sequence[Any],
    zone: tzinfo,
) -> AnswerRows:
    """Map every row; the first row of each key makes the record, and further ones fill what it leaves empty.
    `store`: of all rows, or what gives each row's own. `zone`: the business's."""
    return classify(unclassified(report, location, store, rows, zone), None, lambda: None, store)


def unclassified(
    report: StepName, location: str, store: str | StoreOf | None, rows: Sequence[Any], zone: tzinfo
) -> AnswerRows:
    """An answer whose rows haven't been classified yet. `store`, `zone`: as in `classify_rows`."""
    if callable(store):
        return AnswerRows(report, location, rows, RowDates(zone), store_from_row=True)
    return AnswerRows(report, location, rows, RowDates(zone), store or "")


def check_date_format(answer: AnswerRows) -> None:
    """Raises FinalApiError if the API has changed its date format: nothing in such an answer can be used."""
    if field_name := answer.dates.changed_format:
        raise FinalApiError(
            f"{field_name} can't be read in any of {answer.dates.unread[field_name]} rows",
            hint="the API has changed its date format; none of these rows were stored: report it",
        )


def classify(result: AnswerRows, days: Days | None, look: Look, store: str | StoreOf | None) -> AnswerRows:
    """Classify the rows of an answer. `days`: the days asked for, None: all. `look` is called now and
    then, and anything it raises ends the work."""
    report, dates = result.report, result.dates
    without_store = UNKNOWN_SHOP if result.store_from_row else UNKNOWN_LOCATION
    for number, row in enumerate(result.rows):
        if number % CHECK_EVERY_ROWS == 0:
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
            before = phones_under_earlier_rules(row, values)
            result.records[key] = source_record(complete_values(report, row, values, dates), before, key)
            result.first_rows[key] = row
            if dates.unreadable:
                result.unread[key] = dates.unreadable
    if days is not None:
        _move_other_days(result, days)
    return result


def _add_item_row(result: AnswerRows, key: str, row: Any, values: LeadValues) -> None:
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
    if (before := phones_under_earlier_rules(row, values)) and (more := {*before} - {*record.former_phones}):
        former_phones = tuple(sorted({*record.former_phones, *more}))
        result.records[key] = record._replace(former_phones=former_phones)
    if dates.unreadable or key in result.unread:
        unread = dict.fromkeys([*result.unread.pop(key, ()), *dates.unreadable])
        if still := [name for name in unread if DATE_VALUES[name] not in known]:
            result.unread[key] = still


def _better_function_date(result: AnswerRows, key: str, row: Any) -> datetime | None:
    """The row's function date, if its field counts before those of the earlier rows: the day of a delivery
    says more than that of a trial, whichever row comes first."""
    zone = result.dates.zone
    found, _ = first_date(row, FUNCTION_DATE, zone)
    if found in (None, result.records[key].values.get("functionDate")):
        return None
    earlier = (result.first_rows[key], *result.item_rows[key])
    ranks = [function_date_rank(each, zone) for each in earlier]
    return found if function_date_rank(row, zone) < min(ranks) else None


def _move_other_days(answer: AnswerRows, days: Days) -> None:
    """Move what is dated outside these days; what has no readable date stays.

    A record moves as a whole, by the date of its lead: without some of its items, it would look as if the
    source had changed it.
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


def row_versions(answer: AnswerRows, record: SourceRecord) -> list[LeadValues]:
    """A record's values, then the values of each of its rows alone, starting with the row that made it."""
    versions = (
        report_values(answer.report, row, record.values["store"], RowDates(answer.dates.zone))
        for row in (answer.first_rows[record.key], *answer.item_rows.get(record.key, ()))
    )
    return [record.values, *(values for values in versions if values is not None)]


def has_changed(answer: AnswerRows, record: SourceRecord, base: Mapping[str, Any]) -> bool:
    """Whether the source's values of a record differ from when it was last seen.

    The rows of one booking differ in item fields, and the API may reorder them: a field is unchanged as long
    as one of them has the last seen value. Earlier versions stored the values of a single row, and a price of
    0, which now counts as missing.
    """
    said = {field: value for field, value in base.items() if value or field != "securityAmount"}
    whole, *alone = row_versions(answer, record)
    if said in alone:
        return False
    return said.keys() != whole.keys() or any(
        value not in [values.get(field) for values in alone] for field, value in said.items()
    )
