"""The findings as one readable JSON document, without anybody's data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import combinations
from typing import Any, NamedTuple

from syncctl.domain.dialects import Dialect, Trial
from syncctl.domain.run_documents import instant
from syncctl.domain.sources import REPORT_STEPS, StepName
from syncctl.services.doctor.evidence.calls import Call, EvidenceContext, EvidenceResults
from syncctl.services.doctor.evidence.comparing import Comparison
from syncctl.services.doctor.evidence.scrubbing import Scrubber
from syncctl.services.doctor.evidence.shapes import DateField, RowFacts
from syncctl.services.doctor.evidence.summary import date_of, seconds_ahead, summary

WHAT = (
    "How the rental API answers, made by `syncctl doctor --evidence`. It has no customer's name or number, "
    "no booking number and no key."
)
WIDTH = 170
"""Characters: values that fit into one line are not split."""


class Installation(NamedTuple):
    """Where it was found out."""

    parts: Mapping[str, str]
    """Versions by name."""

    database: Mapping[str, str]
    """What kind of database is used."""

    settings: Mapping[str, str]
    """The settings that affect the calls."""

    stored: Mapping[StepName, Dialect] | None
    """What syncctl has measured; None: the database can't be used."""

    stored_documents: Mapping[StepName, Mapping[str, Any]]
    """The same as JSON-like data."""


def evidence_document(
    findings: EvidenceResults, context: EvidenceContext, installation: Installation, scrubber: Scrubber
) -> dict[str, Any]:
    """The whole document, beginning with the summary in plain sentences."""
    now = context.started_at
    return {
        "what": WHAT,
        "summary": summary(findings, installation.stored, scrubber, now.astimezone(context.zone)),
        "made": {
            "at": instant(now),
            "there": f"{now.astimezone(context.zone):%Y-%m-%dT%H:%M:%S} {context.zone}",
            "parts": dict(installation.parts),
            "database": dict(installation.database),
            "settings": dict(installation.settings),
        },
        "locations": {
            "asked": list(findings.chosen),
            "without_data": findings.dormant,
            "in_store_list": len(findings.listed),
            "not_in_locations_toml": [
                code for code in findings.listed if code not in context.locations.by_code
            ],
        },
        "stopped": findings.stopped,
        "reports": {
            report.value: _report(findings, report, installation, scrubber) for report in REPORT_STEPS
        },
        "calls": [_call(call, scrubber) for call in findings.calls],
    }


def _report(
    findings: EvidenceResults, report: StepName, installation: Installation, scrubber: Scrubber
) -> dict[str, Any]:
    whole = findings.whole(report)
    shapes: dict[str, Counter[str]] = {}
    for facts in whole.values():
        for name, counted in facts.values.items():
            shapes.setdefault(name, Counter()).update(counted)
    return {
        "everything": {location: _whole(facts) for location, facts in whole.items()},
        "rows_under_two_ids": [
            {"ids": [one, other], "rows": len(whole[one].places & whole[other].places)}
            for one, other in combinations(whole, 2)
        ],
        "fields": {name: dict(counted.most_common()) for name, counted in shapes.items()},
        "less": [_comparison(each, scrubber) for each in findings.comparisons if each.report is report],
        "stored": _scrubbed_errors(installation.stored_documents.get(report), scrubber),
    }


def _whole(facts: RowFacts) -> dict[str, Any]:
    return {
        "rows": facts.rows,
        "dates": {name: _dates(found) for name, found in facts.dates.items() if found.first},
        "shops": {name: dict(counted.most_common()) for name, counted in facts.shops.items()},
    }


def _dates(found: DateField) -> dict[str, Any]:
    return {
        "rows": len(found.rows),
        "empty": found.empty,
        "unreadable": found.unreadable,
        "first": _wall_clock(found.first),
        "last": _wall_clock(found.last),
        "last_not_ahead": _wall_clock(found.last_not_ahead),
    }


def _wall_clock(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}"


def _comparison(each: Comparison, scrubber: Scrubber) -> dict[str, Any]:
    return {
        "call": each.call,
        "location": each.location,
        "of": "days" if each.is_of_days else "months",
        "asked": each.asked,
        "body": each.form.value,
        "rows": each.rows,
        "error": scrubber.text_or_none(each.error),
        "same_rows_as": each.same_as,
        "by": {
            name: {**_trial(trial), "without_date": each.undated.get(name)}
            for name, trial in each.trials.items()
        },
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "verdict": trial.verdict.value,
        "inside": trial.inside,
        "found": trial.found,
        "outside": trial.outside,
    }


def _scrubbed_errors(stored: Mapping[str, Any] | None, scrubber: Scrubber) -> dict[str, Any] | None:
    if stored is None:
        return None
    trials = [{**trial, "error": scrubber.text_or_none(trial["error"])} for trial in stored["trials"]]
    return {**stored, "trials": trials, "lost_by": scrubber.text_or_none(stored["lost_by"])}


def _call(call: Call, scrubber: Scrubber) -> dict[str, Any]:
    wire = call.wire
    document: dict[str, Any] = {
        "call": call.number,
        "for": call.why,
        "report": call.request.report.value,
        "rows": call.rows.rows if call.rows else None,
        "error": scrubber.text_or_none(call.error),
    }
    if wire is None:
        return document
    date, ahead = date_of(call), seconds_ahead(call)
    return document | {
        "body": dict(wire.asked),
        "status": wire.status,
        "seconds": round(wire.seconds, 2),
        "bytes": wire.size,
        "envelope": scrubber.keys(wire.envelope),
        "said": scrubber.text(wire.said),
        "headers": {name: scrubber.header(value) for name, value in wire.headers.items() if name != "Date"},
        "date": None if date is None else instant(date),
        "clock_ahead_s": None if ahead is None else round(ahead, 1),
        "shops": {name: len(counted) for name, counted in call.rows.shops.items()} if call.rows else {},
    }


def readable(value: Any, indent: int = 0) -> str:
    """JSON with every value that fits on one line."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(line) + indent <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner, end = " " * (indent + 2), " " * indent
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {readable(item, indent + 2)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [readable(item, indent + 2) for item in value]
        opening, closing = "[", "]"
    return opening + "\n" + ",\n".join(inner + part for part in parts) + "\n" + end + closing
