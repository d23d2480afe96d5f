"""Which leads the reports tell of, held in little memory: their ids, and a print of what identifies them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Self

from syncctl.finished import FinishedLead
from syncctl.locations import Locations
from syncctl.models import Document
from syncctl.services.adoption import text_of
from syncctl.values import phone_number

_ANY_TYPE = ""


class FinishedLeads:
    """Made in one pass over the reports, in any of their shapes (contract/database.md)."""

    def __init__(self) -> None:
        self.reports = 0
        self._ids: set[str] = set()
        # Hashes only: a hundred thousand reports are then a few megabytes.
        self._bookings: set[int] = set()

    @classmethod
    def from_reports(cls, reports: Iterable[Document], locations: Locations) -> Self:
        """Read them all."""
        finished = cls()
        for report in reports:
            told = FinishedLead.from_report(report, locations)
            finished.reports += 1
            finished._ids |= told.lead_ids
            finished._bookings.update(
                map(hash, product(told.booking_numbers, told.phones, told.lead_types or (_ANY_TYPE,)))
            )
        return finished

    def names(self, lead: Document) -> bool:
        """Whether a report is of this very lead, by its id."""
        return lead["_id"] in self._ids

    def tells_of(self, lead: Document) -> bool:
        """Whether a report is of the same booking, by number, phone and, where it has one, lead type."""
        booking_no = text_of(lead, "bookingNo")
        phone = phone_number(text_of(lead, "phone")) if booking_no else None
        if phone is None or not self._bookings:
            return False
        lead_type = "".join(text_of(lead, "leadType").split()).casefold()
        return any(hash((booking_no, phone, kind)) in self._bookings for kind in (lead_type, _ANY_TYPE))
