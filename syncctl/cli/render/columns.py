"""Renders what the columns of a file are taken for: tables on a terminal, a column a line in a pipe, or
JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from syncctl.cli.render.printer import console, escape, plain_table, print_line, print_result, print_text
from syncctl.domain.lead_fields import file_columns
from syncctl.domain.sources import FILE_WORDS
from syncctl.safe_output.printable import printable
from syncctl.text import mapping_entry

if TYPE_CHECKING:
    from syncctl.services.imports.columns import ColumnReport, HeaderColumns, SheetColumns, TakenColumn

_Row = tuple[str, str, str, str]
"""A column's letter and title, what it is taken for, samples."""


def render_columns(report: ColumnReport, redact: Callable[[str], str], *, as_json: bool) -> None:
    """The report; secrets of the settings that stand in the file are masked as everywhere."""
    if as_json:
        from syncctl.safe_output.redact import redacted

        print_result(redacted(_document(report), redact))
        return
    headers = [(sheet, header) for sheet in report.sheets for header in sheet.headers]
    for number, (sheet, header) in enumerate(headers):
        if number and sys.stdout.isatty():
            print_line("")
        _print_header(report, sheet, header, lambda shown: printable(redact(shown)))
    for problem in report.problems:
        print_text(f"Not read: {printable(redact(problem))}")
    if report.hidden_sheets:
        print_text(printable(f"Hidden, so an import passes over them: {', '.join(report.hidden_sheets)}."))
    if titles := dict.fromkeys(each.title for _, header in headers for each in header.left_over):
        print_text("To have a left-over title read, add its line to MAPPING_FILE:")
        print_line(f"[columns.{report.kind}]")
        for title in titles:
            print_line(printable(redact(mapping_entry(title, "COLUMN"))))
        print_text(f"COLUMN is one of: {', '.join(file_columns(report.kind))}.")


def _print_header(
    report: ColumnReport, sheet: SheetColumns, header: HeaderColumns, shown: Callable[[str], str]
) -> None:
    name = f"{report.file}, sheet {sheet.name}" if sheet.name else report.file
    kind = FILE_WORDS[report.kind]
    what = f"{kind}, titles in row {header.row}"
    if not header.is_header:
        what = f"{kind}: no row has titles for name and phone; row {header.row} comes nearest"
    elif header is not sheet.headers[0]:
        what = f"{kind}, other titles from row {header.row} on"
    rows = [tuple(map(shown, row)) for row in _rows(header)]
    missing = ", ".join(each.field for each in header.missing)
    end = f"No column for: {missing}." if missing else "Every field has its column."
    if sys.stdout.isatty():
        _print_table(shown(f"{name} ({what})"), rows)
        print_text(end)
        return
    for line in (shown(f"{name} ({what})"), *("\t".join(row) for row in rows), end):
        print_line(line)


def _rows(header: HeaderColumns) -> Iterator[_Row]:
    from syncctl.files.headers import column_letters

    rows = [(each.position, each.title, _meaning(each), each.samples) for each in header.taken]
    rows += [(each.position, each.title, "left over", each.samples) for each in header.left_over]
    for position, title, meaning, samples in sorted(rows):
        yield column_letters(position), title, meaning, " · ".join(samples)


def _meaning(taken: TakenColumn) -> str:
    later = f", if its column {taken.rank - 1} is empty" if taken.rank > 1 else ""
    if taken.column == "store":
        return f"store{later}, if neither --store nor the name of file or sheet says it"
    if not taken.fields:
        return f"{taken.column}{later}: not used in these files"
    into = ", ".join(taken.fields)
    same = taken.fields == (taken.column,)
    return f"{taken.column}{later}" if same else f"{taken.column}{later} → {into}"


def _print_table(heading: str, rows: list[tuple[str, ...]]) -> None:
    out = console()
    out.print(f"[bold]{escape(heading)}[/bold]")
    table = plain_table(header_style="dim")
    table.add_column("", no_wrap=True)
    for title in ("Title", "Taken for", "Samples"):
        table.add_column(title, overflow="fold")
    for letter, title, meaning, samples in rows:
        style = "yellow" if meaning == "left over" else None
        table.add_row(letter, escape(title), escape(meaning), escape(samples), style=style)
    out.print(table)


def _document(report: ColumnReport) -> dict[str, object]:
    from syncctl.files.headers import column_letters

    document = asdict(report)
    for sheet in document["sheets"]:
        for header in sheet["headers"]:
            for each in (*header["taken"], *header["left_over"]):
                each["letter"] = column_letters(each.pop("position"))
    return {"command": "import columns", "ok": report.is_understood, **document}
