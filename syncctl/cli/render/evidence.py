"""Renders the summary of the evidence and where the file is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncctl.cli.render.printer import console, plain_table, print_line, print_message, print_result
from syncctl.safe_output.printable import printable

if TYPE_CHECKING:
    from syncctl.cli.render.documents.checks import EvidenceDocument


def render_evidence(document: Mapping[str, Any], file: Path, *, is_answered: bool, as_json: bool) -> None:
    """Print the summary; the file has everything."""
    sentences: list[str] = document["summary"]
    if as_json:
        shown: EvidenceDocument = {
            "command": "doctor",
            "ok": is_answered,
            "evidence": str(file),
            "summary": sentences,
        }
        print_result(shown)
        return
    if sys.stdout.isatty():
        from rich.markup import escape

        table = plain_table(gap=1, show_header=False)
        for sentence in sentences:
            table.add_row("[dim]·[/dim]", escape(printable(sentence)))
        console().print(table)
    else:
        for sentence in sentences:
            print_line(printable(sentence))
    if is_answered:
        print_message(f"Written to {file}: it holds nobody's name or number, and can be sent as it is.")
    else:
        print_message(
            f"Written to {file}, but no report answered: `syncctl doctor` says what is wrong. Then again, "
            "with --force."
        )
