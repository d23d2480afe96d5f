"""A lead beside its report: what each says, and in what they agree."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from typing import Any

from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document, LeadType
from syncctl.services.matching.legacy_leads import text_of

_TYPES = {each.casefold(): each for each in (*LeadType, "justDial")}
"""The lead types by what `Traits` makes of them."""


@dataclass(frozen=True, slots=True)
class Side:
    """What a lead, or a report, says of whom and what it is about."""

    lead_type: str
    phone: str
    """Whole: mask it where shown."""
    booking_no: str
    name: str
    store: str
    day: date | None
    """On which the lead was made, by the source's clock."""


def side_of_lead(lead: Document, traits: Traits) -> Side:
    """As the lead is written."""
    return Side(
        text_of(lead, "leadType"),
        text_of(lead, "phone"),
        text_of(lead, "bookingNo"),
        text_of(lead, "name"),
        text_of(lead, "store"),
        min(_days(traits), default=None),
    )


def side_of_report(report: Traits, lead: Traits) -> Side:
    """Of several values, before and after edits, those that the lead has as well."""
    lead_type = _one(report.lead_types, lead.lead_types)
    return Side(
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
    """In which fields a lead and a report say the same, and in which something else."""
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
