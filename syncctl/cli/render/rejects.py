"""Renders the rejects list, and which rejects are dismissed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from syncctl.cli.render.printer import (
    console,
    escape,
    plain_table,
    print_fields,
    print_message,
    print_result,
    print_text,
)
from syncctl.cli.terminal.pager import paged
from syncctl.locations import location_words
from syncctl.text import quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.imports import DismissedDocument, RejectsDocument
    from syncctl.domain.records import Reject
    from syncctl.services.rejects.reject_list import RejectDocument

Redact = Callable[[str], str]

ID_SHOWN = 8
"""Digits of an id in the table: enough to name it by, among some thousands."""

_NO_STORE = "(no store)"
_GAP = 2
_SAID_AT_LEAST = 16
"""Characters of a line for what the row says."""


def render_rejects(
    found: Sequence[Reject], limit: int, redact: Redact, if_none: str, *, as_json: bool
) -> None:
    """Rejects with masked phone numbers, at most `limit` of them (0: all)."""
    from syncctl.safe_output.redact import redacted
    from syncctl.services.rejects.reject_list import masked_document

    on_terminal = sys.stdout.isatty() and not as_json
    if on_terminal and found:
        found = sorted(found, key=_in_groups)  # newest first in each
    documents = [masked_document(reject) for reject in found[: limit or None]]
    if as_json:
        document: RejectsDocument = {
            "command": "rejects list",
            "ok": True,
            "rejects": redacted(documents, redact),
        }
        print_result(document)
        return
    if on_terminal and found:
        with paged():
            _print_counts(found, limit, redact)
            _print_table(documents, redact)
    else:
        _print_documents(documents, redact)
    if not found:
        print_message(if_none)
    elif len(found) > len(documents):
        print_message(
            f"{len(documents):,} of {len(found):,} shown: --limit 0 shows all; --kind, --store, --reason and "
            "--file select some."
        )


def print_table(rejects: Sequence[Reject], redact: Redact) -> None:
    """One line each, on a terminal."""
    from syncctl.services.rejects.reject_list import masked_document

    _print_table([masked_document(reject) for reject in sorted(rejects, key=_in_groups)], redact)


def _in_groups(reject: Reject) -> tuple[str | int, ...]:
    """By store, then by file or location, then by reason and row."""
    from syncctl.services.rejects.reject_list import sheet_and_row

    sheet, number = sheet_and_row(reject)
    return reject.store or _NO_STORE, reject.source, reject.location, sheet, reject.reason, number or 0


def _print_documents(documents: Sequence[RejectDocument], redact: Redact) -> None:
    for document in documents:
        said = ", ".join(f"{title}: {value}" for title, value in document["values"].items() if value)
        about = (document["rejected_at"], document["id"], document["kind"], _place(document))
        fields = (*about, document["store"], document["reason"], said)
        print_fields([shown_cell(field, redact) for field in fields])


def _print_counts(found: Sequence[Reject], limit: int, redact: Redact) -> None:
    counts = Counter((each.store or _NO_STORE, each.reason) for each in found).most_common()
    lines = counts[: limit or None]
    out = console()
    out.print(f"[bold]{quantity(len(found), 'reject')}[/bold]\n")
    table = plain_table(header_style="dim")
    table.add_column("Rows", justify="right", no_wrap=True, min_width=4)
    table.add_column("Store", no_wrap=True, min_width=max(len(store) for (store, _), _ in lines))
    table.add_column("Reason", overflow="fold")
    for (store, reason), rows in lines:
        cells = shown_cell(store, redact), shown_cell(masked(reason), redact)
        table.add_row(f"{rows:,}", *map(escape, cells))
    if left := sum(rows for _, rows in counts[len(lines) :]):
        table.add_row(f"{left:,}", f"[dim]{quantity(len(counts) - len(lines), 'more line')}[/dim]")
    out.print(table)
    out.print()


def _print_table(documents: Sequence[RejectDocument], redact: Redact) -> None:
    """Each below its store and its file or location. A reason that is too long for its line goes on below;
    what the row says gets the rest of the line."""
    out = console()
    reasons = [shown_cell(document["reason"], redact) for document in documents]
    rows = [f"{' ' * _GAP}row {document['row']}" if document["row"] else "" for document in documents]
    starts = [document["id"][:ID_SHOWN] + row for document, row in zip(documents, rows, strict=True)]
    start_width = max(map(len, starts), default=0)
    room = out.width - start_width - 2 * _GAP
    reason_width = max(min(max(map(len, reasons), default=0), room - _SAID_AT_LEAST), 1)
    lines = zip(documents, starts, reasons, strict=True)
    for heading, group in groupby(lines, lambda line: _heading(line[0])):
        table = plain_table(gap=_GAP, show_header=False)
        table.add_column(no_wrap=True, width=start_width)
        table.add_column(overflow="fold", width=reason_width)
        table.add_column(no_wrap=True, overflow="ellipsis", width=max(room - reason_width, 1))
        for document, start, reason in group:
            said = shown_cell(_said(document), redact)
            table.add_row(start, escape(reason), f"[dim]{escape(said)}[/dim]")
        out.print(f"[bold]{escape(shown_cell(heading, redact))}[/bold]")
        out.print(table)


def _heading(document: RejectDocument) -> str:
    """What a reject's line stands below: its store, and its file with the sheet or its location."""
    place = f"{document['where']} {document['sheet']}"
    if document["row"] is None:
        place = f"{document['kind']}, {location_words(document['where'])}"
    return f"{document['store'] or _NO_STORE} · {place}"


def _said(document: RejectDocument) -> str:
    """The filled cells of the row."""
    from syncctl.services.rejects.reject_list import in_order

    values = document["values"]
    filled = (str(values[title] or "").strip() for title in in_order(document["kind"], values))
    return " · ".join(filter(None, filled))


def _place(document: RejectDocument) -> str:
    """Where a reject stands: the file with sheet and row, or the location."""
    if document["row"] is None:
        return location_words(document["where"])
    sheet = f" {document['sheet']}" if document["sheet"] else ""
    return f"{document['where']}{sheet} row {document['row']}"


def shown_cell(written: str, redact: Redact) -> str:
    """A text on one line, without secrets and control characters."""
    from syncctl.safe_output.printable import printable

    return printable(" ".join(redact(written).split()))


def masked(written: str) -> str:
    """A text of a row, in which any number may be meant for a phone number."""
    from syncctl.safe_output.redact import mask_phones

    return mask_phones(written, mistyped=True)


NONE_MATCHES = "No reject matches: `syncctl rejects list` shows all there are."


def render_to_dismiss(rejects: Sequence[Reject], redact: Redact, *, as_json: bool) -> None:
    """Which rejects would be dismissed."""
    if as_json:
        ids = [reject.reject_id for reject in rejects]
        plan: DismissedDocument = {"command": "rejects dismiss", "ok": True, "dismissed": [], "planned": ids}
        print_result(plan)
    elif not rejects:
        print_message(NONE_MATCHES)
    else:
        render_rejects(rejects, 0, redact, "", as_json=False)
        print_message(f"Nothing was changed: --apply dismisses {quantity(len(rejects), 'reject')}.")


def render_dismissed(rejects: Sequence[Reject], *, as_json: bool) -> None:
    """Which rejects were dismissed."""
    if as_json:
        ids = [reject.reject_id for reject in rejects]
        document: DismissedDocument = {"command": "rejects dismiss", "ok": True, "dismissed": ids}
        print_result(document)
    else:
        print_text(f"{quantity(len(rejects), 'reject')} dismissed.")
