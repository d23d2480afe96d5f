"""Runs, reports and users that a history names, each looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from syncctl.domain.lead_traits import SNAPSHOT_FIELDS, as_datetime
from syncctl.domain.lead_values import Document
from syncctl.ports.admin import Survey
from syncctl.services.matching.legacy_leads import text_of


class ReportNow(NamedTuple):
    """A finished lead's document in `reports`."""

    report_id: str
    shape: str
    """"flat", or the field that holds the lead."""

    finished_at: datetime | None = None
    """When it was finished, if known."""

    finished_by: str = ""
    """By whom, if known: the user's name, or the id of a deleted user."""


class RunNames:
    """Describes runs of the sync's own history, each looked up once."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._run_names: dict[str, str] = {}

    def name_of(self, run_id: str) -> str:
        """A run in words: its short id, command and trigger."""
        if run_id not in self._run_names:
            found = self._survey.runs(1, run_id=run_id) if run_id else []
            short = f"run {run_id[:8]}" if run_id else "a run without an id"
            if found:
                document = found[0].document
                self._run_names[run_id] = f"{short} ({document.get('command')}, {document.get('trigger')})"
            else:
                self._run_names[run_id] = (
                    f"{short}, which is not in the history: it was killed, or is long past"
                )
        return self._run_names[run_id]


class UserNames:
    """Names of the web app's users, each looked up once."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._names: dict[str, str] = {}

    def name_of(self, user_id: str) -> str:
        """A user's name, or the id of a deleted user; "" for none."""
        if user_id and user_id not in self._names:
            self._names |= {user_id: user_id, **self._survey.user_names([user_id])}
        return self._names.get(user_id, "")


def report_now(report: Document, users: UserNames) -> ReportNow:
    """A report's id, shape (contract/database.md), and who finished the lead when."""
    nested = [name for name in SNAPSHOT_FIELDS if isinstance(report.get(name), Mapping)]
    return ReportNow(
        str(report.get("_id", "")),
        ", ".join(nested) or "flat",
        as_datetime(report.get("editedAt")),
        users.name_of(text_of(report, "editedBy")),
    )
