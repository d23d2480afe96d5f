"""Renders record histories: a block each on a terminal, one fact per line in a pipe, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from syncctl.cli.render.printer import console, plain_table, print_line, print_message, print_result
from syncctl.cli.render.source import field_text
from syncctl.domain.run_documents import instant
from syncctl.domain.sources import SOURCES
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone, redacted
from syncctl.services.explain.record_history import RecordState
from syncctl.services.reconcile.differences import ChangedBy

if TYPE_CHECKING:
    from syncctl.cli.render.documents.checks import ExplanationDocument, RecordDocument
    from syncctl.services.explain.explaining import Explanation
    from syncctl.services.explain.record_history import LeadNow, RecordHistory

_KINDS = {
    **{source.lead_type: source.lead_source for source in SOURCES.values()},
    "lossOfSale": "Loss of sale",
    "general": "Walk-in",
    "justDial": "Just Dial",
}
_STYLES = {
    RecordState.LEAD: "green",
    RecordState.FINISHED: "green",
    RecordState.DELETED: "yellow",
    RecordState.REJECTED: "red",
    RecordState.MISSING: "red",
}

_LABELS = {ChangedBy.TELECALLER: "edited", ChangedBy.SOURCE: "outdated", ChangedBy.EITHER: "differs"}
"""What a lead's field is called that does not hold what the source said last."""


def render_explanation(
    found: Explanation, redact: Callable[[str], str], *, as_json: bool, fetched: bool
) -> None:
    """Render what was found; `redact` removes secrets and phone numbers. `fetched`: the API was asked too."""
    if as_json:
        print_result(redacted(_document(found), redact))
        return
    on_terminal = sys.stdout.isatty()
    for number, history in enumerate(found.histories):
        if on_terminal:
            _screen(history, redact, first=number == 0)
        else:
            for label, text in _facts(history):
                print_line("\t".join(printable(redact(part)) for part in (_title(history), label, text)))
    for warning in found.warnings:
        print_message(f"! {printable(redact(warning))}")
    if not found.found:
        where = "leads, reports, the sync's records or the rejects list"
        print_message(f"Nothing about {printable(redact(found.asked))} in {where}.")
        print_message(
            "`syncctl verify source` finds what the API has and the database has not."
            if fetched
            else "`syncctl explain … --fetch` asks the API; `syncctl verify source` checks everything."
        )


def _title(history: RecordHistory) -> str:
    kind = _KINDS.get(history.lead_type, history.lead_type or "Row")
    if history.state is RecordState.REJECTED and history.origin.report is not None:
        kind = f"{history.origin.report.value.capitalize()} row"
    who = (history.booking_no, history.name, mask_phone(history.phone), history.store)
    return " · ".join(filter(None, (kind, *who)))


def _facts(history: RecordHistory) -> Iterator[tuple[str, str]]:
    """The story line by line: a label, or the moment of an event, and what there is to say."""
    if history.origin.dated_at is not None:
        yield "dated", f"{field_text(history.origin.dated_at)} (the shop's clock)"
    for event in history.events:
        yield _moment(event.at), event.what
    yield "now", history.state.value
    if history.lead is not None:
        yield "lead", _lead(history.lead)
        for field in history.lead.differs:
            yield (
                _LABELS[field.changed_by],
                f"{field.field}: {field_text(field.lead)}, source {field_text(field.source)}",
            )
    for report in history.reports:
        yield "report", f"{report.report_id} ({report.shape})"
    if history.source_now is not None:
        yield "source", history.source_now.state
        for field in history.source_now.differs:
            yield "source", f"{field.field}: {field_text(field.source)}, before {field_text(field.lead)}"
    yield from (("note", note) for note in history.notes)


def _moment(at: datetime) -> str:
    return instant(at).replace("T", " ")


def _lead(lead: LeadNow) -> str:
    statuses = " · ".join(filter(None, (lead.call_status, lead.lead_status))) or "no status"
    worked_on = "worked on by a telecaller" if lead.touched else "untouched"
    if lead.touched and lead.updated_at is not None:
        worked_on += f", last changed {_moment(lead.updated_at)}"
    return f"{lead.lead_id}: {statuses}; {worked_on}"


def _screen(history: RecordHistory, redact: Callable[[str], str], *, first: bool) -> None:
    from rich.markup import escape

    out = console()
    out.print(f"{'' if first else chr(10)}[bold]{escape(printable(redact(_title(history))))}[/bold]")
    table = plain_table(gap=1, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _facts(history):
        styled = escape(printable(redact(text)))
        if label == "now":
            styled = f"[{_STYLES[history.state]}]{styled}[/]"
        table.add_row(f"  {label}", styled)
    out.print(table)


def _document(found: Explanation) -> ExplanationDocument:
    return {
        "command": "explain",
        "ok": found.found,
        "asked": found.asked,
        "records": [_history_document(history) for history in found.histories],
        "warnings": list(found.warnings),
    }


def _history_document(history: RecordHistory) -> RecordDocument:
    origin, lead, source = history.origin, history.lead, history.source_now
    return {
        "lead_type": history.lead_type or None,
        "booking_no": history.booking_no or None,
        "name": history.name,
        "phone": mask_phone(history.phone),
        "store": history.store,
        "source": origin.report.value if origin.report else None,
        "location": origin.location or None,
        "dated": origin.dated_at.strftime("%Y-%m-%dT%H:%M:%S") if origin.dated_at else None,
        "now": history.state.value,
        "events": [{"at": instant(event.at), "what": event.what} for event in history.events],
        "lead": {
            "id": lead.lead_id,
            "call_status": lead.call_status,
            "lead_status": lead.lead_status,
            "updated_at": instant(lead.updated_at) if lead.updated_at else None,
            "touched": lead.touched,
            "differs": [
                {
                    "field": field.field,
                    "lead": field_text(field.lead),
                    "source": field_text(field.source),
                    "changed_by": field.changed_by.value,
                }
                for field in lead.differs
            ],
        }
        if lead
        else None,
        "reports": [{"id": report.report_id, "shape": report.shape} for report in history.reports],
        "source_now": {
            "state": source.state,
            "differs": [
                {"field": field.field, "before": field_text(field.lead), "now": field_text(field.source)}
                for field in source.differs
            ],
        }
        if source
        else None,
        "notes": list(history.notes),
    }
