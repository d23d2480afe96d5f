"""Which leads the reports are about, as hashes of identifying values, for one pass over all leads."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import UTC, datetime
from enum import IntEnum
from itertools import product
from typing import Self

from syncctl.domain.lead_traits import Traits, as_datetime
from syncctl.domain.lead_values import Document
from syncctl.locations import StoreNames
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import file_day
from syncctl.ports.admin import Database
from syncctl.services.batching import batched
from syncctl.services.matching.legacy_leads import text_of
from syncctl.text import normalize_text, normalize_unicode

REPORTS_AT_ONCE = 1000
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_ANY_TYPE = ""
_DATES = ("createdAt", "enquiryDate", "visitDate")


class Fit(IntEnum):
    """How a report fits a lead."""

    NONE = 0
    """Not at all."""

    PART = 1
    """As by contract/database.md, but the report may as well be about another lead."""

    WHOLE = 2
    """In its id, or in everything that makes a record's key, or in phone number and second of creation:
    the lead, or the one that it is a copy of, is finished."""


class FinishedLeads:
    """Built in one pass over the reports, in any of their shapes (contract/database.md).

    A report that has already finished a record (`Storage.paired_reports`), or fits some lead as a whole,
    counts only for whole fits: what it fits in part is another lead.
    """

    def __init__(self, locations: StoreNames) -> None:
        self.reports = 0
        self._locations = locations
        # From the hash of a value to the number of the report.
        self._whole: dict[int, int] = {}
        self._part: dict[int, int] = {}
        self._fitting: set[int] = set()
        self._in_part: list[tuple[str, set[int]]] = []
        # What a lead has in common with a report that fits it, at the least: one of these.
        self._lead_ids: set[str] = set()
        self._phones: set[str] = set()
        self._booking_numbers: set[str] = set()
        self._names: set[str] = set()
        self._named_days: set[int] = set()

    @classmethod
    def from_reports(cls, reports: Iterable[Document], database: Database, locations: StoreNames) -> Self:
        """Read them all; those of earlier leads of bookings, whose numbers are a later lead's by now, count
        for nothing. Raises StorageError."""
        finished = cls(locations)
        corrected = database.corrected_records(LONG_AGO)
        earlier = {report_id for entry in corrected for report_id in entry.record.earlier_reports}
        for batch in batched(reports, REPORTS_AT_ONCE):
            paired = database.paired_reports([report["_id"] for report in batch])
            for report in batch:
                if report["_id"] in earlier:
                    finished.reports += 1
                else:
                    finished._add(Traits.of_report(report, locations), is_free=report["_id"] not in paired)
        return finished

    def _add(self, report: Traits, *, is_free: bool) -> None:
        self.reports += 1
        self._whole |= {hash(clue): self.reports for clue in _whole(report, report.first_types)}
        self._lead_ids |= report.lead_ids
        self._phones |= report.phones
        self._booking_numbers |= report.booking_numbers
        self._names |= report.names
        days = report.days | {moment.date() for moment in report.moments}
        self._named_days.update(map(hash, product(report.names, days)))
        if is_free:
            clues = [*_part(report, report.lead_types)]
            if not (report.booking_numbers or report.moments or report.days):
                clues += _person(report, report.lead_types)
            self._part |= {hash(clue): self.reports for clue in clues}

    def fit(self, lead: Document, usual: str | None) -> Fit:
        """How the reports fit a lead, given its `_id`, key fields and dates, and its `usual_key`."""
        if not self.reports or not self._may_fit(lead, usual):
            return Fit.NONE
        traits = Traits.of_lead(lead, self._locations)
        lead_types = traits.lead_types | {_ANY_TYPE}
        whole = {self._whole[clue] for clue in map(hash, _whole(traits, lead_types)) if clue in self._whole}
        if whole:
            self._fitting |= whole
            return Fit.WHOLE
        clues = map(hash, (*_part(traits, lead_types), *_person(traits, lead_types)))
        part = {self._part[clue] for clue in clues if clue in self._part}
        if part:
            self._in_part.append((lead["_id"], part))
        return Fit.PART if part else Fit.NONE

    def _may_fit(self, lead: Document, usual: str | None) -> bool:
        """Whether anything is in common at all, which is quickly seen."""
        if usual is not None:
            phone, booking_no = lead["phone"], lead["bookingNo"]
        else:
            phone = phone_number(text_of(lead, "phone"))
            booking_no = normalize_unicode(text_of(lead, "bookingNo"))
        if lead["_id"] in self._lead_ids or phone in self._phones or booking_no in self._booking_numbers:
            return True
        name = lead.get("name")
        if not (isinstance(name, str) and name.isascii() and name.isprintable()):
            name = text_of(lead, "name")
        name = normalize_text(name)
        if name not in self._names:
            return False
        moments = filter(None, (as_datetime(lead.get(field)) for field in _DATES))
        days = {day for moment in moments for day in (moment.date(), file_day(moment))}
        return any(hash((name, day)) in self._named_days for day in days)

    def perhaps_finished(self) -> list[str]:
        """The ids of the leads so far that a report fits in part, if it fits no other lead as a whole."""
        return [lead_id for lead_id, reports in self._in_part if reports - self._fitting]


def _whole(traits: Traits, lead_types: Iterable[str]) -> Iterator[Hashable]:
    yield from traits.lead_ids
    types = tuple(lead_types) or (_ANY_TYPE,)
    yield from product(types, traits.booking_numbers, traits.phones)
    yield from product(types, traits.moments, traits.phones)
    yield from product(types, traits.days, traits.phones, traits.names, traits.stores)


def _part(traits: Traits, lead_types: Iterable[str]) -> Iterator[Hashable]:
    types = tuple(lead_types) or (_ANY_TYPE,)
    yield from product(types, traits.booking_numbers)
    yield from product(types, traits.moments, traits.names)
    yield from product(types, traits.days, traits.names, traits.stores)
    if not traits.booking_numbers:
        yield from product(types, traits.days, traits.phones)


def _person(traits: Traits, lead_types: Iterable[str]) -> Iterator[Hashable]:
    return product(tuple(lead_types) or (_ANY_TYPE,), traits.phones, traits.names, traits.stores)
