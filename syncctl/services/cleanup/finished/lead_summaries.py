"""A lead and its report compared: the values of each, and where they agree."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from typing import Any

from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document
from syncctl.domain.sources import LEAD_TYPES
from syncctl.services.matching.legacy_leads import text_of

_TYPES = {each.casefold(): each for each in (*LEAD_TYPES, "justDial")}
"""The lead types by their form in `Traits`."""


@dataclass(frozen=True, slots=True)
class LeadSummary:
    """The identifying values of a lead or a report."""

    lead_type: str
    phone: str
    """Not masked."""

    booking_no: str
    name: str
    store: str
    day: date | None
    """When the lead was created, by the source's clock."""


def summary_of_lead(lead: Document, traits: Traits) -> LeadSummary:
    """The lead's values as written."""
    return LeadSummary(
        text_of(lead, "leadType"),
        text_of(lead, "phone"),
        text_of(lead, "bookingNo"),
        text_of(lead, "name"),
        text_of(lead, "store"),
        min(_days(traits), default=None),
    )


def summary_of_report(report: Traits, lead: Traits) -> LeadSummary:
    """The report's values; of several, before and after edits, those that the lead has too."""
    lead_type = _one(report.lead_types, lead.lead_types)
    return LeadSummary(
        _TYPES.get(lead_type, lead_type),
        _one(report.phones, lead.phones),
        _one(report.booking_numbers, lead.booking_numbers),
        _one(report.written_names, lead.written_names),
        _one(report.stores, lead.stores),
        min(_days(report) & _days(lead) or _days(report), default=None),
    )


def _one(values: Set[str], wanted: Set[str]) -> str:
    return min(values & wanted or values, default="")


def _days(traits: Traits) -> set[date]:
    return {moment.date() for moment in traits.moments} | traits.days


def compared(lead: Traits, report: Traits) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields in which a lead and a report agree, and those in which they differ."""
    pairs: tuple[tuple[str, Set[Any], Set[Any]], ...] = (
        ("booking number", lead.booking_numbers, report.booking_numbers),
        ("phone", lead.phones, report.phones),
        ("name", lead.names, report.names),
        ("store", lead.stores, report.stores),
        ("time", lead.moments, report.moments)
        if lead.moments & report.moments
        else ("day", _days(lead), _days(report)),
    )
    return (
        tuple(field for field, ours, theirs in pairs if ours & theirs),
        tuple(field for field, ours, theirs in pairs if ours and theirs and not ours & theirs),
    )
