"""Which leads the reports are about, as hashes of what tells it: for one pass over all leads."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from enum import IntEnum
from itertools import islice, product
from typing import Self

from syncctl.lead_traits import Traits
from syncctl.locations import StoreNames
from syncctl.models import Document
from syncctl.ports import Storage

REPORTS_AT_ONCE = 1000
_ANY_TYPE = ""


class Fit(IntEnum):
    """How a report fits a lead. WHOLE: in its id, or all that makes a record's key, or the second in which it
    was created and the phone number; the lead, or the one that it is a copy of, is finished. PART: as by
    contract/database.md, but the report may as well be another lead's."""

    NONE = 0
    PART = 1
    WHOLE = 2


class FinishedLeads:
    """Made in one pass over the reports, in any of their shapes (contract/database.md).

    Of a report that has finished a record already (`Storage.paired_reports`) only a whole fit counts: what it
    fits in part is another lead.
    """

    def __init__(self, locations: StoreNames) -> None:
        self.reports = 0
        self._locations = locations
        self._whole: set[int] = set()
        self._part: set[int] = set()

    @classmethod
    def from_reports(cls, reports: Iterable[Document], storage: Storage, locations: StoreNames) -> Self:
        """Read them all. Raises StorageError."""
        finished = cls(locations)
        remaining = iter(reports)
        while batch := list(islice(remaining, REPORTS_AT_ONCE)):
            paired = storage.paired_reports([report["_id"] for report in batch])
            for report in batch:
                finished._add(Traits.of_report(report, locations), is_free=report["_id"] not in paired)
        return finished

    def _add(self, report: Traits, *, is_free: bool) -> None:
        self.reports += 1
        self._whole.update(map(hash, _whole(report, report.first_types)))
        if is_free:
            self._part.update(map(hash, _part(report, report.lead_types)))
            if not (report.booking_numbers or report.moments or report.days):
                self._part.update(map(hash, _person(report, report.lead_types)))

    def fit(self, lead: Document) -> Fit:
        """How the reports fit a lead, of which `_id`, what makes its key and its dates are needed."""
        if not self.reports:
            return Fit.NONE
        traits = Traits.of_lead(lead, self._locations)
        lead_types = traits.lead_types | {_ANY_TYPE}
        if any(hash(clue) in self._whole for clue in _whole(traits, lead_types)):
            return Fit.WHOLE
        clues = (*_part(traits, lead_types), *_person(traits, lead_types))
        return Fit.PART if any(hash(clue) in self._part for clue in clues) else Fit.NONE


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
