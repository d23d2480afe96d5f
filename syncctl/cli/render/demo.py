"""Renders the demo's results, whether its promises were met, and what to try next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from syncctl.cli.render.printer import console, plain_table, print_fields, print_line

if TYPE_CHECKING:
    from syncctl.demo.demo import DemoResult


def render_demo(result: DemoResult) -> None:
    """Show the demo's results, whether its promises were met, and what to try next."""
    if not sys.stdout.isatty():
        for fact in result.facts:
            mark, style = ("ok", "green") if fact.is_met else ("FAILED", "red")
            print_fields((mark, fact.what, fact.measurement), styles={0: style})
        for hint in result.hints:
            print_line(hint)
        return
    from rich.markup import escape

    out = console()
    table = plain_table(show_header=False)
    for fact in result.facts:
        mark = "[green]✓[/green]" if fact.is_met else "[red]✗[/red]"
        table.add_row(mark, escape(fact.what), f"[bold]{escape(fact.measurement)}[/bold]")
    out.print()
    out.print(table)
    out.print()
    for hint in result.hints:
        out.print(escape(hint), soft_wrap=True)
