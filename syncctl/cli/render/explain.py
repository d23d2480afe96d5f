"""Renders record histories: a timeline each on a terminal, one fact per line in a pipe, or JSON."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from syncctl.cli.render.printer import console, escape, plain_table, print_fields, print_message, print_result
from syncctl.cli.render.source import field_text
from syncctl.domain.run_documents import instant
from syncctl.domain.sources import LEAD_TYPE_NAMES, LEAD_TYPE_PLURALS
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import ascii_digits, mask_phone, mask_phones, redacted
from syncctl.services.explain.record_history import RecordState
from syncctl.services.reconcile.results import ChangedBy
from syncctl.text import quantity

if TYPE_CHECKING:
    from datetime import datetime

    from syncctl.cli.render.clock import Clock
    from syncctl.cli.render.documents.checks import ExplanationDocument, RecordDocument
    from syncctl.safe_output.redact import Redactor
    from syncctl.services.explain.explaining import Explanation
    from syncctl.services.explain.record_history import LeadNow, RecordHistory

_Kind = tuple[str, str, str]
"""What a lead is called: in a title, and one and several of them in a sentence."""

_KINDS: dict[str, _Kind] = {
    **{kind: (one.capitalize(), one, LEAD_TYPE_PLURALS[kind]) for kind, one in LEAD_TYPE_NAMES.items()},
    "justDial": ("Just Dial", "Just Dial lead", "Just Dial leads"),
}
_REJECTED: _Kind = ("Row", "reject", "rejects")
_OF_ROWS = (RecordState.REJECTED, RecordState.ANSWERED, RecordState.REFUSED)
"""Of rows that have become no record."""

_ENDS = {
    RecordState.FINISHED: "finished",
    RecordState.DELETED: "deleted",
    RecordState.MISSING: "not in the database",
}
"""What a headline counts beside the kinds."""

_STYLES = {
    RecordState.LEAD: "green",
    RecordState.FINISHED: "green",
    RecordState.DELETED: "yellow",
    RecordState.REJECTED: "red",
    RecordState.ANSWERED: "yellow",
    RecordState.REFUSED: "red",
    RecordState.MISSING: "red",
}

_LABELS = {ChangedBy.TELECALLER: "edited", ChangedBy.SOURCE: "outdated", ChangedBy.EITHER: "differs"}
"""What a lead's field is called that does not hold what the source said last."""

Moment = Callable[["datetime"], str]


class Visible(NamedTuple):
    """What may be shown of what was found."""

    redactor: Redactor
    typed: Mapping[str, str]
    """The digits of the number asked about -> how it was typed, and is shown."""

    show_phone: bool
    """Whether every number is shown."""

    def text(self, text: str) -> str:
        """A text without secrets and control characters; only those numbers are readable that may be."""
        text = self.redactor.without_secrets(text)
        return printable(text if self.show_phone else mask_phones(text, known=self.typed))

    def number(self, phone: str) -> str:
        """A phone number, whatever stands in its place."""
        digits = ascii_digits(phone)
        typed = self.typed.get(digits) or self.typed.get(digits[-10:])
        return printable(typed or (phone if self.show_phone else mask_phone(phone)))

    def in_json(self, text: str) -> str:
        """A text of the document, in which the number asked about is masked as well."""
        return self.redactor.without_secrets(text) if self.show_phone else self.redactor(text)


def render_explanation(
    found: Explanation, visible: Visible, clock: Clock, *, as_json: bool, fetched: bool
) -> None:
    """Render what was found. `fetched`: the API was asked too."""
    if as_json:
        print_result(redacted(_document(found, show_phone=visible.show_phone), visible.in_json))
        return
    if not sys.stdout.isatty():
        for history in found.histories:
            title = _title(history, visible)
            for label, written in _facts(history, instant):
                text = visible.text(written)
                style = _STYLES[history.state] if label == "now" else ""
                print_fields((title, label, text), None, {2: style})
    elif found.histories:
        _screen(found.histories, visible, clock)
    for warning in found.warnings:
        print_message(f"! {printable(visible.redactor(warning))}")
    if not found.found:
        # What goes to a log must not name a customer's number.
        asked = next(iter(found.typed.values()), found.asked) if sys.stderr.isatty() else found.asked
        where = "leads, reports, the sync's records or the rejects list"
        print_message(f"Nothing about {printable(visible.redactor.without_secrets(asked))} in {where}.")
        print_message(
            "`syncctl verify source` finds what the API has and the database has not."
            if fetched
            else "`syncctl explain … --fetch` asks the API; `syncctl verify source` checks everything."
        )


def _kind(history: RecordHistory) -> _Kind:
    if history.state in _OF_ROWS:
        return _REJECTED
    lead_type = history.lead_type or "lead"
    return _KINDS.get(lead_type, (lead_type, lead_type, f"{lead_type} leads"))


def _headline(histories: Sequence[RecordHistory]) -> str:
    """How many there are of each kind, and how they ended."""
    kinds = Counter(map(_kind, histories))
    in_order = sorted(kinds, key=[*_KINDS.values(), *kinds].index)
    states = Counter(history.state for history in histories)
    ends = ", ".join(f"{states[state]:,} {word}" for state, word in _ENDS.items() if states[state])
    counts = ", ".join(quantity(kinds[kind], *kind[1:]) for kind in in_order)
    return "; ".join(filter(None, (counts, ends)))


def _title(history: RecordHistory, visible: Visible) -> str:
    kind = _kind(history)[0]
    if history.state in _OF_ROWS and history.origin.report is not None:
        kind = f"{history.origin.report.value.capitalize()} row"
    first, last = (kind, history.booking_no, history.name), history.store
    parts = (*map(visible.text, first), visible.number(history.phone), visible.text(last))
    return " · ".join(filter(None, parts))


def _facts(history: RecordHistory, moment: Moment) -> Iterator[tuple[str, str]]:
    """The history line by line, newest last: a label, or the moment of an event, and what there is to say."""
    if history.origin.dated_at is not None:
        yield "dated", f"{field_text(history.origin.dated_at)}, by the shop's clock"
    for event in history.events:
        yield moment(event.at), event.what
    yield "now", history.state.value
    if history.lead is not None:
        yield "lead", _lead(history.lead)
        for field in history.lead.differs:
            of_source = _quoted(field.source, "nothing")
            yield (
                _LABELS[field.changed_by],
                f"{field.field} is {_quoted(field.lead)}; the source has {of_source}",
            )
    for report in history.reports:
        yield "report", report.report_id
    if history.source_now is not None:
        yield "source", history.source_now.state
        for field in history.source_now.differs:
            yield "source", f"{field.field} is {_quoted(field.source)} now, was {_quoted(field.lead)}"
    yield from (("note", note) for note in history.notes)


def _quoted(value: object, if_none: str = "empty") -> str:
    """A field's value within a sentence."""
    return if_none if value in (None, "") else f'"{field_text(value)}"'


def _lead(lead: LeadNow) -> str:
    statuses = " · ".join(filter(None, (lead.call_status, lead.lead_status))) or "no status"
    called = f", called on {lead.called_on}" if lead.called_on else ""
    worked_on = "worked on by a telecaller" if lead.touched else "untouched"
    return f"{lead.lead_id}: {statuses}{called}; {worked_on}"


def _screen(histories: Sequence[RecordHistory], visible: Visible, clock: Clock) -> None:
    out = console()
    out.print(f"[bold]{escape(_headline(histories))}[/bold]  [dim](times: {clock.zone_name})[/dim]")
    for history in histories:
        out.print(f"\n[bold]{escape(_title(history, visible))}[/bold]")
        table = plain_table(gap=1, show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, text in _facts(history, clock.short):
            styled = escape(visible.text(text))
            if label == "now":
                styled = f"[{_STYLES[history.state]}]{styled}[/]"
            table.add_row(f"  {label}", styled)
        out.print(table)


def _document(found: Explanation, *, show_phone: bool) -> ExplanationDocument:
    return {
        "command": "explain",
        "ok": found.found,
        "asked": next(iter(found.typed), found.asked) if show_phone else found.asked,
        "records": [_history_document(history, show_phone=show_phone) for history in found.histories],
        "warnings": list(found.warnings),
    }


def _history_document(history: RecordHistory, *, show_phone: bool) -> RecordDocument:
    origin, lead, source = history.origin, history.lead, history.source_now
    return {
        "lead_type": history.lead_type or None,
        "booking_no": history.booking_no or None,
        "name": history.name,
        "phone": history.phone if show_phone else mask_phone(history.phone),
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
