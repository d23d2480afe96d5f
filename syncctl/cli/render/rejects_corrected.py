"""Renders what became of rejects that were corrected or tried again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from syncctl.cli.render.printer import print_line, print_message, print_result, print_text
from syncctl.cli.render.rejects import ID_SHOWN, masked, shown_cell
from syncctl.cli.run_words import corrected_words, counts_text
from syncctl.domain.run_documents import counts_document
from syncctl.text import plural, quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.imports import (
        CorrectedLineDocument,
        CorrectionDocument,
        CorrectionOutcomesDocument,
        RetryDocument,
    )
    from syncctl.cli.render.rejects import Redact
    from syncctl.domain.run_results import Counts
    from syncctl.services.rejects.correcting import LineResult, SheetResult


def render_retry(
    run_id: str | None, counts: Counts, none_words: str, *, dry_run: bool, as_json: bool
) -> None:
    """The result of a retry. `run_id`: None if there was nothing to try, which `none_words` says."""
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
    print_text(f"{outcome}." if counts.rows else none_words)
    if run_id is not None:
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
            print_text(shown_cell(masked(": ".join(filter(None, (where, word, line.reason)))), redact))
    print_text(f"{corrected_words(result.counts(), dry_run=result.dry_run)}.")
    fixed = [line.rejects for line in result.lines if line.outcome is LineOutcome.FIXED]
    if (rejects := sum(map(len, fixed))) > len(fixed):
        lines = plural(len(fixed), "That line", f"Those {len(fixed):,} lines")
        print_text(f"{lines} stood for {quantity(rejects, 'reject')}.")
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
        print_message(f"{quantity(result.listed, 'reject')} {stays} on the list.")
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
        "reason": masked(line.reason),
        "kind": first.source if first else None,
        "where": first.location if first else None,
        "store": first.store if first else None,
    }
