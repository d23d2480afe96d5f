"""When a report is certainly about a lead, so that nobody else's lead is deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from datetime import datetime
from typing import NamedTuple

from syncctl.domain.lead_matching import Agreement, Level, agreements
from syncctl.domain.lead_traits import Traits
from syncctl.domain.sources import LEAD_TYPES
from syncctl.locations import StoreNames
from syncctl.ports.admin import Database
from syncctl.ports.storage import Created
from syncctl.services.cleanup.finished.candidates import id_of_key

SHORTEST_NUMBER = 6
"""Characters: a shorter booking number may be a placeholder ("0", "NA") shared by strangers."""


def is_sure(lead: Traits, report: Traits, found: Agreement) -> bool:
    """Whether a report is about a lead, or about one that it is a copy of, whatever else it fits."""
    if found.level is Level.ID:
        return True
    same_phone = bool(lead.phones & report.phones)
    if not (found.lead_type and same_phone):
        return False
    if found.level is Level.MOMENT:
        return not (lead.booking_numbers or report.booking_numbers)
    return found.level is Level.BOOKING


def is_sure_if_alone(lead: Traits, report: Traits, found: Agreement) -> bool:
    """Whether it is, provided that it has finished no other record and fits none as well."""
    if not found.lead_type:
        return False
    if found.level is Level.MOMENT:
        # Somebody changed the number in the database, or the customer made two bookings at once.
        return bool(lead.phones & report.phones) and not _differ_in_details(lead, report)
    if found.level is not Level.BOOKING:
        return False
    numbers = lead.booking_numbers & report.booking_numbers
    return bool(lead.moments & report.moments) or not all(map(_may_be_placeholder, numbers))


def _differ_in_details(lead: Traits, report: Traits) -> bool:
    """Whether a function date, an amount or the like differs. The closing status is ignored: it changes
    when a lead is finished."""
    fields = {field for field, _ in lead.details - report.details if field != "closingStatus"}
    return bool(fields & {field for field, _ in report.details - lead.details})


def _may_be_placeholder(number: str) -> bool:
    return len(number) < SHORTEST_NUMBER or len(set(number)) == 1


class _CompetingMatch(NamedTuple):
    """Another lead or record that a report fits."""

    ids: Set[str]
    """Its id, and those of what belongs to it."""

    agreement: Agreement


class CompetingMatches:
    """The leads and records that some reports fit."""

    def __init__(
        self,
        database: Database,
        reports: Mapping[str, Traits],
        moments: Collection[datetime],
        stores: StoreNames,
    ) -> None:
        """`moments`: when the leads in question were created, to the millisecond. Raises StorageError."""
        self._of: dict[str, list[_CompetingMatch]] = {}
        phones = {phone for report in reports.values() for phone in report.phones}
        numbers = {number for report in reports.values() for number in report.booking_numbers}
        created = Created({*moments, *(at for report in reports.values() for at in report.moments)})
        leads = {
            lead["_id"]: lead
            for lead_type in LEAD_TYPES
            for lead in database.find_leads(lead_type, numbers, phones, created)
        }
        records = {
            entry.record.record_id: entry.record
            for entry in database.records_about(phones, numbers, leads.keys(), created)
        }
        ids = {
            lead_id: {lead_id, *filter(None, [id_of_key(lead, stores)])} for lead_id, lead in leads.items()
        }
        for record in records.values():
            ids.setdefault(record.lead_id, {record.lead_id}).add(record.record_id)
        of_leads = {lead_id: Traits.of_lead(lead, stores) for lead_id, lead in leads.items()}
        for (lead_id, report_id), found in agreements(of_leads, reports).items():
            self._add(report_id, ids[lead_id], found)
        of_records = {
            record_id: Traits.of_record(record.values, record.lead_id)
            for record_id, record in records.items()
        }
        for (record_id, report_id), found in agreements(of_records, reports).items():
            self._add(report_id, ids[records[record_id].lead_id], found)

    def _add(self, report_id: str, ids: set[str], found: Agreement) -> None:
        self._of.setdefault(report_id, []).append(_CompetingMatch(ids, found))

    def has_as_good(self, report_id: str, ids: Set[str], found: Agreement) -> bool:
        """Whether a report fits another lead or record as well, or has its booking number. `ids`: of the
        lead and of what belongs to it."""
        return any(
            not match.ids & ids and (match.agreement.level >= Level.BOOKING or match.agreement >= found)
            for match in self._of.get(report_id, ())
        )
