"""Renders what an import would do: file by file, the first changes, or every row as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from syncctl.cli.render.cleanup_output import field_words
from syncctl.cli.render.printer import console, escape, plain_table, print_line, print_result_with_list
from syncctl.cli.run_words import closing_lines, location_label, result_text
from syncctl.cli.terminal.pager import paged
from syncctl.domain.row_decisions import RowAction, RowDecision, shown_value
from syncctl.domain.run_documents import run_envelope
from syncctl.domain.run_results import RunResult
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone, redacted
from syncctl.text import quantity, shortened

if TYPE_CHECKING:
    from syncctl.cli.render.documents.imports import PreviewedRowDocument, PreviewHeadDocument
    from syncctl.services.imports.preview import Preview

CHANGES_SHOWN, ROWS_SHOWN = 20, 5
LONGEST_VALUE = 60

Redact = Callable[[str], str]


class _Line(NamedTuple):
    place: str
    text: str


class _Section(NamedTuple):
    """What happens to some of the rows."""

    title: str
    lines_of: Callable[[RowDecision], Iterable[str]]
    """Those of a row; none where it doesn't belong here."""
    shown: int
    """How many, unless all are asked for."""

    unit: str = "row"
    """What is counted."""


def render_preview(preview: Preview, result: RunResult, redact: Redact, *, verbose: bool) -> None:
    """What the import would do, as text. `verbose`: all of it."""
    with_files = sum(len(step.locations) for step in result.steps) > 1
    if sys.stdout.isatty():
        with paged():
            _on_terminal(preview, result, redact, verbose=verbose, with_files=with_files)
        return
    print_line("DRY RUN: nothing was written")
    for of_file in _file_lines(result):
        print_line(printable(of_file))
    for section in _SECTIONS:
        for line in _lines(preview, section, redact, with_files=with_files, limit=_limit(section, verbose)):
            print_line(f"{section.title}: {line.place}: {line.text}")
    if _is_any_read(result):
        print_line(_invitation(preview))


def preview_envelope(preview: Preview, result: RunResult, redact: Redact) -> None:
    """Print the object of a run with all rows, and the hash by which exactly this can be imported."""
    document: PreviewHeadDocument = {**run_envelope(result), "preview_hash": preview.hash}
    print_result_with_list(document, "preview", (_document(decision, redact) for decision in preview))


def _document(decision: RowDecision, redact: Redact) -> PreviewedRowDocument:
    return {
        "file": decision.file,
        "sheet": decision.sheet,
        "row": decision.row,
        "action": decision.action.value,
        "reason": redact(decision.reason),
        "lead_id": decision.lead_id,
        "fields": [
            {
                "field": each.field,
                "now": _masked(each.now, redact),
                "file": _masked(each.file, redact),
                "becomes": _masked(each.becomes, redact),
            }
            for each in decision.fields
        ],
    }


def _masked(value: Any, redact: Redact) -> str | None:
    written: str | None = redacted(shown_value(value), redact)
    return written


def _on_terminal(
    preview: Preview, result: RunResult, redact: Redact, *, verbose: bool, with_files: bool
) -> None:
    out = console()
    out.print("[bold]DRY RUN: nothing was written[/bold]")
    for of_file in _file_lines(result):
        out.print(escape(printable(of_file)))
    for section in _SECTIONS:
        total = sum(1 for decision in preview for _ in section.lines_of(decision))
        if not total:
            continue
        limit = _limit(section, verbose) or total
        counted = quantity(total, section.unit)
        of = f", {limit:,} of {counted} (-v shows all)" if limit < total else f": {counted}"
        out.print(f"\n[bold]{section.title}{of}[/bold]")
        table, place = plain_table(show_header=False), ""
        for line in _lines(preview, section, redact, with_files=with_files, limit=limit):
            table.add_row(
                f"[dim]{escape(line.place if line.place != place else '')}[/dim]", escape(line.text)
            )
            place = line.place
        out.print(table)
    if _is_any_read(result):
        out.print(f"\n{escape(_invitation(preview))}")
    out.print(f"[dim]{' · '.join(closing_lines(result))}[/dim]")


def _file_lines(result: RunResult) -> Iterator[str]:
    for step in result.steps:
        for file in step.locations:
            outcome = result_text(file, dry_run=True)
            if not file.error:
                yield f"{location_label(file)}: {outcome}"
            elif file.counts.rows:
                yield f"{location_label(file)}: {outcome}; {file.error}"
            else:
                yield file.error


def _limit(section: _Section, verbose: bool) -> int | None:
    return None if verbose else section.shown


def _lines(
    preview: Preview, section: _Section, redact: Redact, *, with_files: bool, limit: int | None = None
) -> Iterator[_Line]:
    found = (
        _Line(_place(decision, with_file=with_files), printable(redact(text)))
        for decision in preview
        for text in section.lines_of(decision)
    )
    return islice(found, limit)


def _place(decision: RowDecision, *, with_file: bool) -> str:
    parts = [decision.file if with_file else "", f"sheet {decision.sheet}" if decision.sheet else ""]
    phone = mask_phone(decision.phone)
    parts.append(f"row {decision.row}" + (f" ({phone})" if phone else ""))
    return printable(", ".join(filter(None, parts)))


def _changes(decision: RowDecision) -> Iterator[str]:
    if decision.action not in (RowAction.UPDATE, RowAction.KEEP):
        return
    for each in decision.changes:
        now, file, becomes = map(_shown, (each.now, each.file, each.becomes))
        words = field_words(each.field)
        if each.is_conflict:
            yield f"{words}: {now} stays (a telecaller entered it; the file says {file})"
        else:
            yield f"{words}: {now} → {becomes}"


def _new(decision: RowDecision) -> Iterator[str]:
    if decision.action is RowAction.CREATE:
        yield f"{shortened(decision.name, LONGEST_VALUE)}, {decision.store}"


def _rejected(decision: RowDecision) -> Iterator[str]:
    if decision.action is RowAction.REJECT:
        yield decision.reason


_SECTIONS = (
    _Section("Changes", _changes, CHANGES_SHOWN, "field"),
    _Section("New leads", _new, ROWS_SHOWN),
    _Section("Rejected", _rejected, ROWS_SHOWN),
)


def _shown(value: Any) -> str:
    return shortened(shown_value(value) or "(empty)", LONGEST_VALUE)


def _is_any_read(result: RunResult) -> bool:
    return any(not file.error or file.counts.rows for step in result.steps for file in step.locations)


def _invitation(preview: Preview) -> str:
    return (
        f"Preview {preview.hash}. To import exactly this, run the same command with --only-if {preview.hash} "
        "instead of --dry-run or --preview."
    )
