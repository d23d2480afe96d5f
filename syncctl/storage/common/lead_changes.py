"""When a guarded change of a lead may be made, and whether a lead holds what it sets."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from syncctl.domain.lead_values import Document, LeadChange


def guard(change: LeadChange) -> dict[str, Any]:
    """What the lead must hold for the change to be made: a field that is set without an expectation must not
    be there."""
    return {**dict.fromkeys(change.values), **change.expected}


def holds(lead: Document, values: Mapping[str, Any]) -> bool:
    """Whether the lead has these values, None standing for a field that is null or not there.

    Equal as in MongoDB: 1 is 1.0 but not true, and dates count to the millisecond.
    """
    return all(_same(lead.get(field), value) for field, value in values.items())


def changed(lead: Document, values: Mapping[str, Any]) -> Document:
    """The lead with these values set; a value None takes the field away."""
    merged = {**lead, **values}
    return {field: value for field, value in merged.items() if value is not None or field not in values}


def _same(stored: Any, wanted: Any) -> bool:
    if isinstance(stored, datetime) and isinstance(wanted, datetime):
        return _milliseconds(stored) == _milliseconds(wanted)
    return bool(stored == wanted) and isinstance(stored, bool) == isinstance(wanted, bool)


def _milliseconds(moment: datetime) -> datetime:
    """Cut as a BSON date; without a zone it is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.replace(microsecond=aware.microsecond // 1000 * 1000)
