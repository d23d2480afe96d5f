"""Reports written by the real web app, one for each of its pages (contract/database.md; made-up persons)."""

import re
from pathlib import Path
from typing import Any

from bson import json_util

from tests.support.webapp import PAGES, REPORT_NAMES, Lead, Report

FOLDER = Path(__file__).parents[2] / "docs" / "contract" / "reports"

REPORT_ONLY_FIELDS = frozenset(
    {"_id", "report_id", "editedBy", "editedAt", "note", "createdAt", "updatedAt", "__v", "updated_at"}
)
"""Fields that belong to the report, not the lead, or that finishing changes."""


def captured(page: str) -> Report:
    """The report written by this page of the real app."""
    options = json_util.JSONOptions(tz_aware=True, json_mode=json_util.JSONMode.RELAXED)
    text = (FOLDER / f"{page.replace(' ', '_')}.json").read_text(encoding="utf-8")
    report: Report = json_util.loads(text, json_options=options)
    return report


def captured_reports() -> dict[str, Report]:
    """All of them, by page."""
    return {page: captured(page) for page in PAGES}


def lead_behind(report: Report) -> tuple[Lead, dict[str, Any]]:
    """The lead that a captured report finished, as it was before, and what the page changed."""
    lead: Lead = {}
    edits: dict[str, Any] = {}
    for name, value in report.items():
        if name in REPORT_ONLY_FIELDS or name.endswith(("_before", "_after")):
            continue
        field, was = _lead_field(name), report.get(f"{name}_before", value)
        if was != value:
            edits[field] = value
        if was is not None and (was != "" or value == ""):
            lead[field] = was
    return lead, edits


def _lead_field(name: str) -> str:
    other = {ours: field for field, ours in REPORT_NAMES.items()}
    return other.get(name) or re.sub(r"_([a-z])", lambda letter: letter.group(1).upper(), name)
