"""Renders the demo's results, whether its promises were met, how it looks now, and what to try next."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from syncctl.cli.render.clock import Clock
from syncctl.cli.render.explain import Visible, render_explanation
from syncctl.cli.render.printer import console, escape, plain_table, print_fields, print_line, print_text
from syncctl.cli.render.status import render_status

if TYPE_CHECKING:
    from syncctl.demo.demo import DemoResult, Fact
    from syncctl.safe_output.redact import Redactor


def render_demo(result: DemoResult, redactor: Redactor) -> None:
    """Show whether the promises were met, `status`, one `explain`, and the next steps."""
    _print_facts(result.facts)
    clock = Clock(result.zone, datetime.now(UTC))
    _print_command("syncctl status")
    render_status(result.status, clock, redactor, as_json=False)
    found = result.explained
    _print_command(f"syncctl explain {found.asked}     # a booking that the telecaller finished")
    render_explanation(
        found, Visible(redactor, found.typed, show_phone=False), clock, as_json=False, fetched=False
    )
    if sys.stdout.isatty():
        print_line("")
    for hint in result.hints:
        print_text(hint)


def _print_command(line: str) -> None:
    """What was typed, so to speak, to see what follows."""
    print_line(f"\n$ {line}" if sys.stdout.isatty() else f"$ {line}")


def _print_facts(facts: tuple[Fact, ...]) -> None:
    if not sys.stdout.isatty():
        for fact in facts:
            mark, style = ("ok", "green") if fact.is_met else ("FAILED", "red")
            print_fields((mark, fact.what, fact.measurement), styles={0: style})
        return
    out = console()
    table = plain_table(show_header=False)
    for fact in facts:
        mark = "[green]✓[/green]" if fact.is_met else "[red]✗[/red]"
        table.add_row(mark, escape(fact.what), f"[bold]{escape(fact.measurement)}[/bold]")
    out.print()
    out.print(table)
