"""What a document of `reports` says of the lead that it finished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from syncctl.domain.lead_traits import SNAPSHOT_FIELDS, as_datetime
from syncctl.domain.lead_values import Document
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.parsing.values import file_day


@dataclass(frozen=True, slots=True)
class FinishedLead:
    """A lead that a telecaller has finished."""

    lead_type: str
    """As it was before the page changed it; "" if the report doesn't say."""

    store: str
    """As the report writes it; "" if it doesn't say."""

    created_at: datetime
    """The lead's own `createdAt`, the business's wall clock marked as UTC."""

    finished_at: datetime | None
    """True UTC."""

    @property
    def day(self) -> date:
        """The day that it was created."""
        return lead_day(self.created_at, self.lead_type)


def lead_day(created_at: datetime, lead_type: str) -> date:
    """The day that a lead's `createdAt` means: files' leads may have midnight in India."""
    return created_at.date() if lead_type in API_LEAD_TYPES else file_day(created_at)


def finished_lead(report: Document) -> FinishedLead | None:
    """The lead of a report of any of the four shapes (contract/database.md, "reports"); None if it doesn't
    say when the lead was created."""
    # A flat report's own createdAt is when it was written.
    flat = {name: value for name, value in report.items() if name != "createdAt"}
    parts = [flat, *(part for name in SNAPSHOT_FIELDS if isinstance(part := report.get(name), Mapping))]
    created_at = next(filter(None, map(as_datetime, _values(parts, "created_at", "createdAt"))), None)
    if created_at is None:
        return None
    lead_types = _values(parts, "lead_type_before", "lead_type", "leadType")
    finished = map(as_datetime, (report.get("editedAt"), report.get("createdAt")))
    return FinishedLead(
        next(filter(None, map(_text, lead_types)), ""),
        next(filter(None, map(_text, _values(parts, "store"))), ""),
        created_at,
        next(filter(None, finished), None),
    )


def _values(parts: list[Any], *names: str) -> Iterator[object]:
    return (part[name] for part in parts for name in names if part.get(name) is not None)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
