"""Renders the leads that `cleanup finished` would delete or only lists, and the result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from syncctl.cli.render.cleanup_output import Output, outcome_document, print_done, tell_left
from syncctl.cli.render.printer import console, escape, plain_table, print_line, print_result
from syncctl.cli.terminal.pager import paged
from syncctl.domain.run_documents import instant
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone
from syncctl.services.cleanup.finished.plan import MatchReason
from syncctl.text import plural, quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.repairs import (
        FinishedCleanupDocument,
        FinishedLeadDocument,
        FinishingReportDocument,
        SideDocument,
    )
    from syncctl.services.cleanup.finished.cleaning import FinishedCleaned
    from syncctl.services.cleanup.finished.plan import FinishedPlan, FoundLead, LeadSummary

NONE = "No finished or deleted lead is still among the leads."
_SCHEDULER = (
    "If they come back, the web app's own scheduler brings them: set API_SYNC_ENABLED=false in its "
    "environment and restart it."
)


def finished_planned(plan: FinishedPlan, output: Output, *, is_question: bool = False) -> None:
    """Render the plan. `is_question`: whether the person is asked next."""
    if output.as_json:
        print_result(_document(plan, output, applied=False))
        return
    if not plan.to_delete and not plan.listed:
        output.all_well(NONE)
        return
    if sys.stdout.isatty():
        with paged():
            _print_screen(plan, output)
    else:
        _print_lines(_groups(plan), output)
    if plan.to_delete and not is_question:
        output.hint(
            f"Nothing was changed. `syncctl cleanup finished --apply` deletes "
            f"{quantity(plan.to_delete, 'lead')}, after writing a backup of them."
        )
    elif not plan.to_delete:
        output.hint("Nothing was changed, and --apply would delete nothing.")
    _hint_listed(plan, output)


def finished_question(plan: FinishedPlan) -> str:
    """What to ask before it is done; empty where nothing would be."""
    return f"Delete {quantity(plan.to_delete, 'lead')}?" if plan.to_delete else ""


def finished_cleaned(result: FinishedCleaned, output: Output, *, is_known: bool = False) -> None:
    """Render the result; exit status 1 if the plan could not be completed. `is_known`: whether the person has
    just seen the plan."""
    plan = result.plan
    if output.as_json:
        document: FinishedCleanupDocument = {
            **_document(plan, output, applied=True),
            **outcome_document(result.left, result.backup),
            "deleted": result.deleted,
        }
        print_result(document)
    elif result.backup is None:
        output.all_well(NONE if not plan.listed else "No lead was deleted.")
    else:
        if not sys.stdout.isatty():
            deleted = [*plan.finished, *plan.came_back]
            gone = [found for found in deleted if found.lead_id not in result.left]
            _print_lines([("deleted", "", gone)], output)
        print_done(f"Deleted {quantity(result.deleted, 'lead')}", result.backup)
        output.hint(_SCHEDULER)
    if not output.as_json and not is_known:
        _hint_listed(plan, output)
    if result.left:
        tell_left(result.left)


def _hint_listed(plan: FinishedPlan, output: Output) -> None:
    if plan.listed:
        output.hint(
            f"{quantity(len(plan.listed), 'lead')} only listed: somebody has worked on "
            f"{plural(len(plan.listed), 'it', 'them')}, or the report may be about another lead. Look in the "
            "web app, and finish what is done."
        )


def _document(plan: FinishedPlan, output: Output, *, applied: bool) -> FinishedCleanupDocument:
    return {
        "command": "cleanup finished",
        "ok": True,
        "applied": applied,
        "to_delete": plan.to_delete,
        "finished": [_lead_document(found, output) for found in plan.finished],
        "came_back": [_lead_document(found, output) for found in plan.came_back],
        "listed": [_lead_document(found, output) for found in plan.listed],
    }


def _lead_document(found: FoundLead, output: Output) -> FinishedLeadDocument:
    report: FinishingReportDocument | None = None
    if found.report is not None and found.report_summary is not None:
        report = {
            "id": found.report.report_id,
            "shape": found.report.shape,
            "finished_at": instant(found.report.finished_at) if found.report.finished_at else None,
            "finished_by": output.text(found.report.finished_by) or None,
            **_side_document(found.report_summary, output),
        }
    return {
        "id": found.lead_id,
        **_side_document(found.lead, output),
        "worked_on": found.worked_on,
        "why": found.why.value,
        "same": list(found.same),
        "other": list(found.other),
        "came_back_at": instant(found.came_back_at) if found.came_back_at else None,
        "report": report,
    }


def _side_document(side: LeadSummary, output: Output) -> SideDocument:
    return {
        "lead_type": output.text(side.lead_type),
        "phone": mask_phone(side.phone),
        "booking_no": output.text(side.booking_no),
        "name": output.text(side.name),
        "store": output.text(side.store),
        "day": side.day.isoformat() if side.day else None,
    }


def _groups(plan: FinishedPlan) -> Iterator[tuple[str, str, Sequence[FoundLead]]]:
    """For each group: the word in a pipe, the heading on a terminal, and the leads."""
    yield "finished", "To delete, as a telecaller has finished them", plan.finished
    yield (
        "came back",
        "To delete, as somebody deleted them and another program stored them again",
        plan.came_back,
    )
    yield "listed", "Left for you to decide", plan.listed


def _print_lines(groups: Iterable[tuple[str, str, Sequence[FoundLead]]], output: Output) -> None:
    for word, _, leads in groups:
        for found in leads:
            report = found.report
            cells = [word, printable(found.lead_id), *_cells(found.lead, output)]
            cells += [
                printable(report.report_id) if report else "-",
                instant(report.finished_at) if report and report.finished_at else "-",
                (output.text(report.finished_by) if report else "") or "-",
                _reason_text(found, instant),
            ]
            if found.report_summary is not None and found.other:
                cells.append("the report says: " + _written(found.report_summary, output))
            print_line("\t".join(cells))


def _cells(side: LeadSummary, output: Output) -> list[str]:
    """Type, phone, booking number and store."""
    written = (mask_phone(side.phone), side.booking_no, side.store)
    return [output.kind(side.lead_type), *(output.text(text) or "-" for text in written)]


def _written(side: LeadSummary, output: Output) -> str:
    day = side.day.isoformat() if side.day else ""
    kind = " ".join(filter(None, (output.kind(side.lead_type), output.text(side.booking_no))))
    written = map(output.text, (side.name, mask_phone(side.phone), side.store, day))
    return " · ".join(filter(None, (kind, *written)))


def _reason_text(found: FoundLead, when: Callable[[datetime], str]) -> str:
    """Why the lead counts as finished. `when`: formats a datetime."""
    parts = []
    if found.worked_on:
        parts.append("worked on by a telecaller")
    match found.why:
        case MatchReason.DELETED if found.came_back_at is not None:
            stored_on = when(found.came_back_at)
            parts.append(f"deleted by somebody, stored again by another program on {stored_on}")
        case MatchReason.DELETED:
            parts.append("a copy of a lead that somebody deleted, older than syncctl's record of it")
        case MatchReason.ID:
            parts.append("the report has its id")
        case MatchReason.RECORD:
            parts.append("its record was finished by the report")
    if found.same:
        parts.append(f"same {', '.join(found.same)}")
    if found.other:
        parts.append(f"different {', '.join(found.other)}")
    return "; ".join(parts)


def _print_screen(plan: FinishedPlan, output: Output) -> None:
    def day(moment: datetime) -> str:
        return f"{moment.astimezone(output.clock.zone):%Y-%m-%d}"

    out = console()
    for number, (_, heading, leads) in enumerate(group for group in _groups(plan) if group[2]):
        out.print(f"{chr(10) if number else ''}[bold]{heading}: {quantity(len(leads), 'lead')}[/bold]")
        table = plain_table(show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for found in leads:
            table.add_row(escape(printable(found.lead_id)), escape(_written(found.lead, output)))
            if (report := found.report) is not None:
                when = f" of {day(report.finished_at)}" if report.finished_at else ""
                by = f" by {output.text(report.finished_by)}" if report.finished_by else ""
                report_id = escape(printable(report.report_id))
                table.add_row(f"[dim]{report_id}[/dim]", f"[dim]report{escape(when + by)}[/dim]")
            if found.report_summary is not None and found.other:
                table.add_row("", f"[dim]says {escape(_written(found.report_summary, output))}[/dim]")
            table.add_row("", f"[dim]{escape(_reason_text(found, day))}[/dim]")
        out.print(table)
