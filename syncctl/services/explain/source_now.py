"""What the rental API says now about the records explained: asks their locations for whole windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

from syncctl.domain.dialects import Dialect
from syncctl.domain.identity import current_key, keys_of
from syncctl.domain.records import SourceRecord
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import REPORT_STEPS, SOURCES, StepName
from syncctl.locations import Locations
from syncctl.mapping.api_rows import BOOKING_NO, PHONE, is_of_report, row_text
from syncctl.ports.api import Answer, RentalApi
from syncctl.ports.storage import Storage
from syncctl.services.explain.explaining import Explanation
from syncctl.services.explain.record_history import Origin, RecordHistory, RecordState, SourceNow, place_of
from syncctl.services.explain.rejected_rows import ANSWERED, history_of_row
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.services.reconcile.results import LastSeen, differences
from syncctl.services.rejects.list_updates import ids_anywhere
from syncctl.services.rejects.raw_rows import raw_text
from syncctl.services.run import Clock
from syncctl.services.sync.answer_rows import AnswerRows, row_versions
from syncctl.services.sync.asked_locations import ids_to_ask, location_order
from syncctl.services.sync.planning import WindowSettings, window_reaching
from syncctl.services.sync.step_results import describe_error
from syncctl.services.sync.store_list import current_store_names
from syncctl.services.windows.answer_classifier import AnswerClassifier, known_shop_names
from syncctl.text import and_more, quantity

Place = tuple[StepName, str]
"""A report of a location."""


class SourceQuery(NamedTuple):
    """How to ask the source."""

    api: RentalApi
    window_settings: WindowSettings
    clock: Clock
    deadline_s: float
    """Seconds after which asking ends."""


def ask_source(
    found: Explanation, wanted: CustomerQuery, query: SourceQuery, storage: Storage, locations: Locations
) -> Explanation:
    """The same explanation, with the source's current values for each record from the API, and with records
    that the source has but the database doesn't. If nothing was found, all locations are asked.

    Raises:
        StorageError: the database refused.
    """
    warnings: list[str] = []
    deadline = query.clock.monotonic() + query.deadline_s
    names = current_store_names(query.api, storage, deadline, warnings.append)
    dialects = {report: Dialect(report) for report in REPORT_STEPS} | storage.dialects()
    shops = known_shop_names(names, locations, dialects)
    stores = {report: ids_to_ask(shops.stores, dialects[report]) for report in REPORT_STEPS}
    zone = query.window_settings.business_zone
    classifiers = {report: AnswerClassifier(shops, dialects[report], zone) for report in REPORT_STEPS}
    today = query.clock.now().astimezone(zone).date()
    asked: dict[Place, int] = {}
    for history in found.histories:
        dated_at = history.origin.dated_at
        window = window_reaching(dated_at.date() if dated_at else None, query.window_settings, today)
        for place in _places(history, stores):
            asked[place] = max(asked.get(place, 0), window.months)
    # The booking may be missing although its return exists, and vice versa.
    concerned = {location for _, location in asked}
    for report in REPORT_STEPS:
        for location in (concerned & stores[report].keys()) or stores[report]:
            asked.setdefault((report, location), query.window_settings.first_months)
    dialects = storage.dialects()
    forms = {report: dialects.get(report, Dialect(report)).whole_form for report in REPORT_STEPS}
    requests = [
        ReportRequest(report, location, Window(months, form=forms[report]), deadline)
        for (report, location), months in sorted(asked.items(), key=_in_order)
    ]
    source_answers = _SourceAnswers(found.histories, wanted, stores, classifiers, locations)
    with closing(query.api.reports(requests)) as answers:
        for answer in answers:
            source_answers.add(answer)
    return replace(
        found,
        histories=source_answers.histories(storage.closed_rejects),
        warnings=(*warnings, *source_answers.failures(len(requests))),
    )


def _in_order(entry: tuple[Place, int]) -> tuple[str, tuple[int, str]]:
    (report, location), _ = entry
    return report.value, location_order(location)


def _places(history: RecordHistory, stores: Mapping[StepName, Mapping[str, str | None]]) -> list[Place]:
    """Where a history's record can be found: at its own location; otherwise at those of its store, or all."""
    report = history.origin.report
    if report not in REPORT_STEPS:
        return []
    if history.origin.location in stores[report]:
        return [(report, history.origin.location)]
    of_store = [location for location, store in stores[report].items() if store == history.store]
    return [(report, location) for location in of_store or stores[report]]


class _SourceAnswers:
    """What the answers say about the histories."""

    def __init__(
        self,
        histories: Sequence[RecordHistory],
        wanted: CustomerQuery,
        stores: Mapping[StepName, Mapping[str, str | None]],
        classifiers: Mapping[StepName, AnswerClassifier],
        locations: Locations,
    ) -> None:
        self._histories = list(histories)
        self._wanted = wanted
        self._stores = stores
        self._classifier = classifiers
        self._locations = locations
        self._states: dict[int, SourceNow] = {}
        self._new: dict[str, RecordHistory] = {}
        # Rows about the number that can't become leads, each with the reason; of a booking the first.
        self._refused: dict[str, tuple[AnswerRows, object, str]] = {}
        self._undated: dict[str, tuple[AnswerRows, object, str]] = {}
        self._failed: list[str] = []

    def add(self, answer: Answer) -> None:
        """Add one location's answer."""
        request = answer.request
        place = (request.report, request.location)
        concerned = [
            number
            for number, history in enumerate(self._histories)
            if place in _places(history, self._stores)
        ]
        if answer.rows is None:
            error = describe_error(answer.error)
            self._failed.append(f"{place_of(*place)}: {error}")
            for number in concerned:
                self._states.setdefault(number, SourceNow(f"not known: {error}"))
            return
        rows = self._classifier[request.report].classify(request.location, answer.rows)
        for number in concerned:
            state = self._state_of(self._histories[number], rows)
            # A location that has the record counts more than one that doesn't.
            if state is not None or number not in self._states:
                months = quantity(request.window.months, "month")
                self._states[number] = state or SourceNow(
                    f"no longer there ({place_of(*place)}, asked for {months})"
                )
        known = {current_key(history.origin.key) for history in self._histories if history.origin.key}
        for key, record in rows.records.items():
            values = record.values
            if known.isdisjoint(keys_of(record)) and any(
                map(self._wanted.is_named_by, (values["phone"], values.get("bookingNo")))
            ):
                self._new.setdefault(key, _missing(rows, record))
        for row, reason in rows.invalid:
            if self._names(row):
                self._refused.setdefault(row_text(row, BOOKING_NO), (rows, row, f"rejected: {reason}"))
        for row in rows.rows:
            if self._names(row) and not is_of_report(request.report, row):
                why = SOURCES[request.report].undated
                self._undated.setdefault(row_text(row, BOOKING_NO), (rows, row, why))

    def _names(self, row: object) -> bool:
        numbers = (row_text(row, BOOKING_NO), row_text(row, PHONE))
        return any(map(self._wanted.is_named_by, filter(None, numbers)))

    def _state_of(self, history: RecordHistory, answer: AnswerRows) -> SourceNow | None:
        """What an answer says about a history; None: nothing."""
        where = place_of(answer.report, answer.location)
        record = _record_of(answer, history.origin.key)
        if record is not None:
            last_said = history.origin.values
            if not last_said:
                return SourceNow(f"in {where}")
            changes = differences(
                row_versions(answer, record), LastSeen(last_said, False), dict(last_said), self._locations
            )
            then = "changed" if changes else "unchanged"
            return SourceNow(f"in {where}, {then}", tuple(changes))
        for row, reason in answer.invalid:
            if self._is_about(row, history):
                return SourceNow(f"in {where}, but rejected: {reason}")
        for row in answer.rows:
            if self._is_about(row, history):
                how = (
                    "under another phone number"
                    if is_of_report(answer.report, row)
                    else SOURCES[answer.report].undated
                )
                return SourceNow(f"in {where}, but {how}")
        return None

    def _is_about(self, row: object, history: RecordHistory) -> bool:
        if history.booking_no:
            return row_text(row, BOOKING_NO) == history.booking_no
        return self._wanted.is_named_by(row_text(row, PHONE))

    def histories(self, closed_rejects: Callable[[StepName], set[str]]) -> tuple[RecordHistory, ...]:
        """The histories with what the source says now, then records that the database doesn't have, then
        rows of other bookings that can't become leads. `closed_rejects`: as of the database."""
        known = [
            history._replace(source_now=self._states.get(number))
            for number, history in enumerate(self._histories)
        ]
        known += self._new.values()
        shown = {each.booking_no for each in known if each.booking_no or each.origin.report in REPORT_STEPS}
        for number, (answer, row, why) in {**self._undated, **self._refused}.items():
            if number not in shown:
                answered = ids_anywhere(answer, raw_text(row)) & closed_rejects(answer.report)
                known.append(_refused(answer, row, why, is_answered=bool(answered)))
        return tuple(known)

    def failures(self, asked: int) -> tuple[str, ...]:
        """The calls that failed, in one line."""
        if not self._failed:
            return ()
        more = and_more(len(self._failed) - 1)
        return (f"{len(self._failed)} of {asked} locations did not answer: {self._failed[0]}{more}.",)


def _record_of(answer: AnswerRows, key: str) -> SourceRecord | None:
    """The record of an answer with this key, by current or earlier rules."""
    if not key:
        return None
    key = current_key(key)
    if (record := answer.records.get(key)) is not None:
        return record
    return next((each for each in answer.records.values() if key in keys_of(each)[1:]), None)


def _refused(answer: AnswerRows, row: object, why: str, *, is_answered: bool) -> RecordHistory:
    return history_of_row(answer.report, answer.location, answer.store, row)._replace(
        state=RecordState.REFUSED,
        notes=(ANSWERED if is_answered else "Correct it at the source, and the next sync adds it.",),
        source_now=SourceNow(f"in {place_of(answer.report, answer.location)}, but {why}"),
    )


def _missing(answer: AnswerRows, record: SourceRecord) -> RecordHistory:
    values = record.values
    repair = "syncctl verify source --repair"
    if answer.location:
        repair += f" --location {answer.location}"
    return RecordHistory(
        lead_type=values["leadType"],
        name=values["name"],
        phone=values["phone"],
        booking_no=values.get("bookingNo", ""),
        store=values["store"],
        state=RecordState.MISSING,
        origin=Origin(answer.report, answer.location, record.key, values.get("createdAt"), {}),
        notes=(f"The next sync adds it if it is new; otherwise run `{repair}`.",),
        source_now=SourceNow(f"in {place_of(answer.report, answer.location)}"),
    )
