"""Counts from one pass over all leads: how many of each kind, and which have problems."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from syncctl.domain.checks import Finding
from syncctl.domain.lead_values import Document
from syncctl.domain.sources import LEAD_TYPE_PLURALS
from syncctl.services.checks.finished_leads import FinishedLeads, Fit
from syncctl.services.checks.severity import Trouble
from syncctl.services.cleanup.duplicate_search import DuplicateSearch
from syncctl.services.cleanup.duplicates import KEY_FIELDS, DuplicateSets, usual_key
from syncctl.text import quantity

FIELDS = frozenset({*KEY_FIELDS, "source", "enquiryDate", "visitDate"})
"""The fields of a lead that are needed for counting."""

REQUIRED = ("name", "phone", "store")
"""contract/database.md: every lead has these, as strings."""

PHONE_DIGITS = 10
EXAMPLES = 3
NEWEST = 3
UNKNOWN = "(none)"


@dataclass(slots=True)
class LeadProblem:
    """Leads with a certain problem."""

    count: int = 0
    """How many."""

    lead_ids: list[str] = field(default_factory=list)
    """The ids of a few."""

    def add(self, lead: Document) -> None:
        self.count += 1
        if len(self.lead_ids) < EXAMPLES:
            self.lead_ids.append(lead["_id"])


class LeadTallies:
    """Takes leads one by one.

    `now`: the business's wall clock, marked as UTC like the leads' dates. Months are year * 100 + month.
    """

    def __init__(self, duplicates: DuplicateSearch, finished: FinishedLeads, now: datetime) -> None:
        self.count = 0
        self.by_type: Counter[str] = Counter()
        self.by_source: Counter[str] = Counter()
        self.by_store: Counter[str] = Counter()
        self.by_month: Counter[int] = Counter()
        self.missing = {name: LeadProblem() for name in REQUIRED}
        self.bad_phones = LeadProblem()
        self.in_future = LeadProblem()
        self.undated = LeadProblem()
        self.in_reports = LeadProblem()
        self._duplicates = duplicates
        self._finished = finished
        self._now = now
        self._newest: list[tuple[datetime, int, Document]] = []

    def add(self, lead: Document) -> None:
        """Add a lead with its `_id` and FIELDS."""
        self.count += 1
        usual = usual_key(lead)
        self._duplicates.add(lead, usual)
        self.by_type[_label(lead.get("leadType"))] += 1
        self.by_source[_label(lead.get("source"))] += 1
        self._look_at_required(lead)
        self._look_at_date(lead)
        if self._finished.fit(lead, usual) is Fit.WHOLE:
            self.in_reports.add(lead)

    def perhaps_in_reports(self) -> LeadProblem:
        """Leads that may be finished: a report matches them in part."""
        lead_ids = self._finished.perhaps_finished()
        return LeadProblem(len(lead_ids), lead_ids[:EXAMPLES])

    def duplicates(self) -> DuplicateSets:
        """The sets of duplicates among the leads so far."""
        return self._duplicates.found()

    def newest(self) -> list[Document]:
        """The newest leads that are not dated in the future, newest first."""
        return [lead for _, _, lead in sorted(self._newest, key=lambda entry: entry[:2], reverse=True)]

    def _look_at_required(self, lead: Document) -> None:
        for name in REQUIRED:
            value = lead.get(name)
            if not isinstance(value, str) or not value or value.isspace():
                self.missing[name].add(lead)
            elif name == "store":
                self.by_store[value] += 1
            elif name == "phone" and not _is_phone(value):
                self.bad_phones.add(lead)

    def _look_at_date(self, lead: Document) -> None:
        created_at = lead.get("createdAt")
        if not isinstance(created_at, datetime):
            self.undated.add(lead)
            return
        self.by_month[created_at.year * 100 + created_at.month] += 1
        if created_at > self._now:
            self.in_future.add(lead)
            return
        # The running number keeps leads with equal dates from being compared themselves.
        if len(self._newest) < NEWEST:
            heapq.heappush(self._newest, (created_at, self.count, lead))
        elif created_at >= self._newest[0][0]:
            heapq.heapreplace(self._newest, (created_at, self.count, lead))


def duplicate_words(duplicates: DuplicateSets) -> str:
    """The number of sets of duplicates, in words."""
    by_type = ", ".join(
        f"{LEAD_TYPE_PLURALS.get(name, name) or UNKNOWN} {count:,}"
        for name, count in duplicates.count_by_type.items()
    )
    sets, copies = (
        quantity(duplicates.count, "set"),
        quantity(duplicates.extra_copies, "copy too many", "copies too many"),
    )
    return f"{sets} with {copies} ({by_type})"


def check_duplicates(duplicates: DuplicateSets) -> Finding:
    """A sync never makes copies: they are the old system's, or another program's."""
    name = "Duplicates"
    if not duplicates.count:
        return Finding.passed(name, "none" if duplicates.leads else "none: there are no leads yet")
    return Trouble.DUPLICATES.found(
        name, duplicate_words(duplicates), "`syncctl cleanup duplicates` shows what it would remove."
    )


def _label(value: object) -> str:
    return (value if isinstance(value, str) else "" if value is None else str(value)) or UNKNOWN


def _is_phone(text: str) -> bool:
    return len(text) == PHONE_DIGITS and text.isascii() and text.isdigit()
