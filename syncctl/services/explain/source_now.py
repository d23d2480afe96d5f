"""What the rental API says now about the records explained: asks their locations for whole windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from syncctl.domain.dialects import Dialect
from syncctl.domain.identity import current_key, keys_of
from syncctl.domain.records import SourceRecord
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.sources import REPORT_STEPS, SOURCES, StepName
from syncctl.locations import Locations
from syncctl.mapping.api_rows import BOOKING_NO, PHONE, is_of_report
from syncctl.ports.api import Answer, RentalApi
from syncctl.ports.storage import Storage
from syncctl.services.explain.explaining import Explanation
from syncctl.services.explain.record_history import Origin, SourceNow, Story, Whereabouts, place_of
from syncctl.services.explain.wanted import Wanted
from syncctl.services.reconcile.differences import Base, differences
from syncctl.services.rejects.updating import row_text
from syncctl.services.run import Clock
from syncctl.services.sync.answer_rows import SortedRows, tellings
from syncctl.services.sync.planning import Schedule, ids_to_ask, location_order, window_holding
from syncctl.services.sync.step_results import told
from syncctl.services.sync.store_list import names_in_force
from syncctl.services.windows.row_stores import RowStores, known_shops
from syncctl.text import and_more, quantity

Place = tuple[StepName, str]
"""A report of a location."""


@dataclass(frozen=True, slots=True)
class SourceQuery:
    """How to ask the source."""

    api: RentalApi
    schedule: Schedule
    clock: Clock
    deadline_s: float
    """Seconds after which asking ends."""


def ask_source(
    found: Explanation, wanted: Wanted, query: SourceQuery, storage: Storage, locations: Locations
) -> Explanation:
    """The same explanation, with the source's current values for each record from the API, and with records
    that the source has but the database doesn't. If nothing was found, all locations are asked.

    Raises:
        StorageError: the database refused.
    """
    warnings: list[str] = []
    deadline = query.clock.monotonic() + query.deadline_s
    names = names_in_force(query.api, storage, deadline, warnings.append)
    dialects = {report: Dialect(report) for report in REPORT_STEPS} | storage.dialects()
    shops = known_shops(names, locations, dialects)
    stores = {report: ids_to_ask(shops.stores, dialects[report]) for report in REPORT_STEPS}
    zone = query.schedule.business_zone
    row_stores = {report: RowStores(shops, dialects[report], zone) for report in REPORT_STEPS}
    today = query.clock.now().astimezone(zone).date()
    asked: dict[Place, int] = {}
    for story in found.stories:
        told_at = story.origin.told_at
        window = window_holding(told_at.date() if told_at else None, query.schedule, today)
        for place in _places(story, stores):
            asked[place] = max(asked.get(place, 0), window.months)
    # The booking may be missing although its return exists, and vice versa.
    concerned = {location for _, location in asked}
    for report in REPORT_STEPS:
        for location in (concerned & stores[report].keys()) or stores[report]:
            asked.setdefault((report, location), query.schedule.first_months)
    dialects = storage.dialects()
    forms = {report: dialects.get(report, Dialect(report)).whole_form for report in REPORT_STEPS}
    requests = [
        ReportRequest(report, location, Window(months, form=forms[report]), deadline)
        for (report, location), months in sorted(asked.items(), key=_in_order)
    ]
    hearing = _Hearing(found.stories, wanted, stores, row_stores, locations)
    with closing(query.api.reports(requests)) as answers:
        for answer in answers:
            hearing.take(answer)
    return replace(found, stories=hearing.stories(), warnings=(*warnings, *hearing.failures(len(requests))))


def _in_order(entry: tuple[Place, int]) -> tuple[str, tuple[int, str]]:
    (report, location), _ = entry
    return report.value, location_order(location)


def _places(story: Story, stores: Mapping[StepName, Mapping[str, str | None]]) -> list[Place]:
    """Where a history's record can be found: at its own location; otherwise at those of its store, or all."""
    report = story.origin.report
    if report not in REPORT_STEPS:
        return []
    if story.origin.location in stores[report]:
        return [(report, story.origin.location)]
    of_store = [location for location, store in stores[report].items() if store == story.store]
    return [(report, location) for location in of_store or stores[report]]


class _Hearing:
    """What the answers say about the histories."""

    def __init__(
        self,
        stories: Sequence[Story],
        wanted: Wanted,
        stores: Mapping[StepName, Mapping[str, str | None]],
        row_stores: Mapping[StepName, RowStores],
        locations: Locations,
    ) -> None:
        self._stories = list(stories)
        self._wanted = wanted
        self._stores = stores
        self._row_stores = row_stores
        self._locations = locations
        self._said: dict[int, SourceNow] = {}
        self._new: dict[str, Story] = {}
        self._failed: list[str] = []

    def take(self, answer: Answer) -> None:
        """Add one location's answer."""
        request = answer.request
        place = (request.report, request.location)
        concerned = [
            number for number, story in enumerate(self._stories) if place in _places(story, self._stores)
        ]
        if answer.rows is None:
            error = told(answer.error)
            self._failed.append(f"{place_of(*place)}: {error}")
            for number in concerned:
                self._said.setdefault(number, SourceNow(f"not known: {error}"))
            return
        rows = self._row_stores[request.report].sort(request.location, answer.rows)
        for number in concerned:
            said = self._of(self._stories[number], rows)
            # A location that has the record counts more than one that doesn't.
            if said is not None or number not in self._said:
                months = quantity(request.window.months, "month")
                self._said[number] = said or SourceNow(
                    f"not told any more ({place_of(*place)}, asked for {months})"
                )
        known = {current_key(story.origin.key) for story in self._stories if story.origin.key}
        for key, record in rows.records.items():
            values = record.values
            if known.isdisjoint(keys_of(record)) and any(
                map(self._wanted.is_named_by, (values["phone"], values.get("bookingNo")))
            ):
                self._new.setdefault(key, _missing(rows, record))

    def _of(self, story: Story, answer: SortedRows) -> SourceNow | None:
        """What an answer says about a history; None: nothing."""
        where = place_of(answer.report, answer.location)
        record = _record_of(answer, story.origin.key)
        if record is not None:
            last_said = story.origin.values
            if not last_said:
                return SourceNow(f"told by {where}")
            changes = differences(
                tellings(answer, record), Base(last_said, False), dict(last_said), self._locations
            )
            then = "otherwise than before" if changes else "as before"
            return SourceNow(f"told by {where}, {then}", tuple(changes))
        for row, reason in answer.invalid:
            if self._is_about(row, story):
                return SourceNow(f"told by {where}, but invalid: {reason}")
        for row in answer.rows:
            if self._is_about(row, story):
                how = (
                    "under another phone number"
                    if is_of_report(answer.report, row)
                    else SOURCES[answer.report].undated
                )
                return SourceNow(f"told by {where}, but {how}")
        return None

    def _is_about(self, row: object, story: Story) -> bool:
        if story.booking_no:
            return row_text(row, BOOKING_NO) == story.booking_no
        return self._wanted.is_named_by(row_text(row, PHONE))

    def stories(self) -> tuple[Story, ...]:
        """The histories with what the source says now, then records that the database doesn't have."""
        heard = [
            replace(story, source_now=self._said.get(number)) for number, story in enumerate(self._stories)
        ]
        return (*heard, *self._new.values())

    def failures(self, asked: int) -> tuple[str, ...]:
        """The calls that failed, in one line."""
        if not self._failed:
            return ()
        more = and_more(len(self._failed) - 1)
        return (f"{len(self._failed)} of {asked} locations did not answer: {self._failed[0]}{more}.",)


def _record_of(answer: SortedRows, key: str) -> SourceRecord | None:
    """The record of an answer with this key, by current or earlier rules."""
    if not key:
        return None
    key = current_key(key)
    if (record := answer.records.get(key)) is not None:
        return record
    return next((each for each in answer.records.values() if key in keys_of(each)[1:]), None)


def _missing(answer: SortedRows, record: SourceRecord) -> Story:
    values = record.values
    repair = "syncctl verify source --repair"
    if answer.location:
        repair += f" --location {answer.location}"
    return Story(
        lead_type=values["leadType"],
        name=values["name"],
        phone=values["phone"],
        booking_no=values.get("bookingNo", ""),
        store=values["store"],
        whereabouts=Whereabouts.MISSING,
        origin=Origin(answer.report, answer.location, record.key, values.get("createdAt"), {}),
        notes=(f"The next sync brings it if it is new; else `{repair}` does.",),
        source_now=SourceNow(f"told by {place_of(answer.report, answer.location)}"),
    )
