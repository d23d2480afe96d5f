"""Renders the rejects list, and what became of rejects that were corrected, tried again or dismissed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from textwrap import shorten
from typing import TYPE_CHECKING, cast

from syncctl.cli.render.printer import (
    console,
    plain_table,
    print_line,
    print_message,
    print_result,
    print_text,
)
from syncctl.cli.run_words import corrected_words, counts_text
from syncctl.cli.terminal.pager import paged
from syncctl.domain.run_documents import counts_document
from syncctl.locations import location_words
from syncctl.text import plural, quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.imports import (
        CorrectedLineDocument,
        CorrectionDocument,
        CorrectionOutcomesDocument,
        DismissedDocument,
        RejectsDocument,
        RetryDocument,
    )
    from syncctl.domain.records import Reject
    from syncctl.domain.run_results import Counts
    from syncctl.services.rejects.correcting import LineResult, SheetResult
    from syncctl.services.rejects.reject_list import RejectDocument

Redact = Callable[[str], str]

VALUES_SHOWN = 160
"""Characters of a raw row shown by `rejects list`; --json and the export have it in full."""

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
            _print_counts(found, redact)
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
        shown = shorten(redact(_values(document)), VALUES_SHOWN, placeholder=" …")
        of_file = document["row"] is not None
        place = (
            f"{document['kind']} {_place(document)}" if of_file else f"{_place(document)} {document['store']}"
        )
        line = f"{document['rejected_at']}  {place.rstrip()}: {document['reason']}  ({shown})"
        print_line(_shown(line, redact))


def _print_counts(found: Sequence[Reject], redact: Redact) -> None:
    from rich.markup import escape

    from syncctl.safe_output.redact import mask_phones

    counts = Counter((each.store or _NO_STORE, each.reason) for each in found)
    out = console()
    out.print(f"[bold]{quantity(len(found), 'reject')}[/bold]\n")
    table = plain_table(header_style="dim")
    table.add_column("Rows", justify="right", no_wrap=True)
    table.add_column("Store", no_wrap=True)
    table.add_column("Reason", no_wrap=True, overflow="ellipsis")
    for (store, reason), rows in counts.most_common():
        masked = mask_phones(reason, mistyped=True)
        table.add_row(f"{rows:,}", escape(_shown(store, redact)), escape(_shown(masked, redact)))
    out.print(table)
    out.print()


def _print_table(documents: Sequence[RejectDocument], redact: Redact) -> None:
    """One line each, below its store and its file or location. A reason is cut off only where the terminal is
    too narrow for it; what the row says gets the rest of the line."""
    from rich.markup import escape

    out = console()
    reasons = [_shown(document["reason"], redact) for document in documents]
    rows = [f"{' ' * _GAP}row {document['row']}" if document["row"] else "" for document in documents]
    starts = [document["id"][:ID_SHOWN] + row for document, row in zip(documents, rows, strict=True)]
    start_width = max(map(len, starts), default=0)
    room = out.width - start_width - 2 * _GAP
    reason_width = max(min(max(map(len, reasons), default=0), room - _SAID_AT_LEAST), 1)
    lines = zip(documents, starts, reasons, strict=True)
    for heading, group in groupby(lines, lambda line: _heading(line[0])):
        table = plain_table(gap=_GAP, show_header=False)
        for width in (start_width, reason_width, max(room - reason_width, 1)):
            table.add_column(no_wrap=True, overflow="ellipsis", width=width)
        for document, start, reason in group:
            said = _shown(_said(document), redact)
            table.add_row(start, escape(reason), f"[dim]{escape(said)}[/dim]")
        out.print(f"[bold]{escape(_shown(heading, redact))}[/bold]")
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
    """Where a reject stands: the file with sheet and row, or the report with its location."""
    if document["row"] is None:
        return f"{document['kind']} {document['where']}"
    sheet = f" {document['sheet']}" if document["sheet"] else ""
    return f"{document['where']}{sheet} row {document['row']}"


def _values(document: RejectDocument) -> str:
    return ", ".join(f"{title}: {value}" for title, value in document["values"].items() if value)


def _shown(written: str, redact: Redact) -> str:
    from syncctl.safe_output.printable import printable

    return printable(" ".join(redact(written).split()))


def render_retry(run_id: str, counts: Counts, *, dry_run: bool, as_json: bool) -> None:
    """The result of a retry."""
    if as_json:
        document: RetryDocument = {
            "command": "rejects retry",
            "ok": True,
            "run_id": run_id,
            "dry_run": dry_run,
            **counts_document(counts),
        }
        print_result(document)
        return
    if dry_run:
        print_message("DRY RUN: nothing was written.")
    outcome = counts_text(counts, dry_run=dry_run, is_retry=True)
    print_text(f"Tried again: {outcome}." if counts.rows else "The rejects list is empty.")
    _tell_undo(run_id, is_stored=counts.rows > counts.invalid, dry_run=dry_run)


def _tell_undo(run_id: str, *, is_stored: bool, dry_run: bool) -> None:
    if is_stored and not dry_run and sys.stdout.isatty():
        print_line(f"To take it back: syncctl import undo {run_id[:ID_SHOWN]}")


def render_corrections(result: SheetResult, redact: Redact, *, verbose: bool, as_json: bool) -> None:
    """What became of the lines of a corrected sheet. `verbose`: name each."""
    from syncctl.services.rejects.correcting import LineOutcome

    if as_json:
        document: CorrectionDocument = {
            "command": "rejects import",
            "ok": True,
            "run_id": result.run_id,
            "dry_run": result.dry_run,
            **cast("CorrectionOutcomesDocument", result.counts()),
            "listed": result.listed,
            "lines": [_line_document(line) for line in result.lines],
        }
        print_result(document)
        return
    if result.dry_run:
        print_message("DRY RUN: nothing was written.")
    words = {LineOutcome.STILL_INVALID: "still rejected"}
    if verbose:
        words[LineOutcome.UNCHANGED] = "unchanged"
        words[LineOutcome.FIXED] = "would be fixed" if result.dry_run else "fixed"
    for line in result.lines:
        if word := words.get(line.outcome):
            where = f"{line.line.sheet} row {line.line.number}".lstrip()
            print_text(_shown(_masked(": ".join(filter(None, (where, word, line.reason)))), redact))
    print_text(f"{corrected_words(result.counts(), dry_run=result.dry_run)}.")
    if gone := result.count(LineOutcome.NOT_LISTED):
        print_text(f"{quantity(gone, 'line')} passed over: no longer on the rejects list.")
    for outcome, why in (
        (LineOutcome.WITHOUT_ID, "without an id to find the reject by"),
        (LineOutcome.REPEATED, "with the same id as a line above"),
    ):
        if numbers := [str(line.line.number) for line in result.lines if line.outcome is outcome]:
            rows = f"{plural(len(numbers), 'row')} {', '.join(numbers)}"
            print_text(f"{quantity(len(numbers), 'line')} passed over, {why}: {rows}.")
    if result.listed:
        stays = "would still be" if result.dry_run else f"{plural(result.listed, 'is', 'are')} still"
        print_message(f"{quantity(result.listed, 'row')} {stays} on the rejects list.")
    elif not result.dry_run:
        print_message("The rejects list is empty.")
    _tell_undo(result.run_id, is_stored=result.count(LineOutcome.FIXED) > 0, dry_run=result.dry_run)


def _line_document(line: LineResult) -> CorrectedLineDocument:
    first = line.rejects[0] if line.rejects else None
    return {
        "sheet": line.line.sheet,
        "row": line.line.number,
        "ids": [reject.reject_id for reject in line.rejects],
        "outcome": line.outcome.value,
        "reason": _masked(line.reason),
        "kind": first.source if first else None,
        "where": first.location if first else None,
        "store": first.store if first else None,
    }


def _masked(written: str) -> str:
    from syncctl.safe_output.redact import mask_phones

    return mask_phones(written, mistyped=True)


def render_to_dismiss(rejects: Sequence[Reject], redact: Redact, *, as_json: bool) -> None:
    """Which rejects would be dismissed."""
    if as_json:
        ids = [reject.reject_id for reject in rejects]
        plan: DismissedDocument = {"command": "rejects dismiss", "ok": True, "dismissed": [], "planned": ids}
        print_result(plan)
    elif not rejects:
        print_message("No reject on the list is like this.")
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
