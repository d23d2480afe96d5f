"""Renders findings: ✓, ! and ✗ with a hint on a terminal, one line each in a pipe, or JSON; the summary of
the evidence, and where the file is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncctl.cli.render.printer import (
    console,
    escape,
    plain_table,
    print_fields,
    print_line,
    print_message,
    print_result,
)
from syncctl.domain.checks import CheckReport, CheckResult, Finding, Tally
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import redacted

if TYPE_CHECKING:
    from syncctl.cli.render.documents.checks import EvidenceDocument, TalliesDocument

SIGNS = {
    CheckResult.PASSED: ("✓", "green"),
    CheckResult.WARNING: ("!", "yellow"),
    CheckResult.FAILED: ("✗", "red"),
}
"""Each mark's sign and style."""

PLAIN_WORDS = {CheckResult.PASSED: "ok", CheckResult.WARNING: "WARNING", CheckResult.FAILED: "FAILED"}
"""Text instead of the sign outside of a terminal, where the sign may not be displayable."""

BAR_WIDTH = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def report_document(report: CheckReport) -> TalliesDocument:
    """A report of checks as `--json` prints it."""
    document: TalliesDocument = {
        "command": report.command,
        "ok": report.ok,
        "checks": [
            {
                "name": check.name,
                "result": check.result.value,
                "found": check.message,
                "cure": check.hint or None,
            }
            for check in report.checks
        ],
    }
    if report.tallies:
        document["tallies"] = {tally.title: dict(tally.counts) for tally in report.tallies}
    if report.took:
        document["took_s"] = {what: round(seconds, 3) for what, seconds in report.took.items()}
    return document


def render_checks(
    report: CheckReport, redact: Callable[[str], str], *, as_json: bool, quiet: bool = False
) -> None:
    """Render a report; `redact` removes secrets and phone numbers. `quiet`: only what is wrong."""
    if as_json:
        print_result(redacted(report_document(report), redact))
        return
    if quiet:
        report = report.only_wrong()
        if not report.checks:
            return
    if sys.stdout.isatty():
        _screen(report, redact)
    else:
        for check in report.checks:
            print_check(check, redact)
        for tally in report.tallies:
            for label, count in tally.counts.items():
                print_fields((tally.title, tally.words.get(label, label), str(count)), redact)
        for what, seconds in report.took.items():
            print_fields(("Time for each", what, f"{seconds:.3f} s"), redact)


def print_check(check: Finding, redact: Callable[[str], str]) -> None:
    """One check as one line, for a pipe."""
    hint = f" -> {check.hint}" if check.hint else ""
    fields = PLAIN_WORDS[check.result], f"{check.name}: {check.message}{hint}"
    print_fields(fields, redact, {0: SIGNS[check.result][1]})


def bar(count: int, largest: int, width: int = BAR_WIDTH) -> str:
    """A bar of up to `width` characters for `count`, scaled to `largest`."""
    eighths = round(count / largest * width * 8) if largest else 0
    if count and not eighths:
        eighths = 1
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width)


def print_checks_table(checks: tuple[Finding, ...], redact: Callable[[str], str]) -> None:
    """Findings as a table on a terminal, each hint below its message."""
    table = plain_table(gap=1, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", max_width=24)
    table.add_column(overflow="fold")
    for check in checks:
        sign, style = SIGNS[check.result]
        found = escape(printable(redact(check.message)))
        if check.hint:
            found += f"\n[{style}]→[/{style}] {escape(printable(redact(check.hint)))}"
        table.add_row(f"[{style}]{sign}[/{style}]", escape(check.name), found)
    console().print(table)


def print_tally(tally: Tally) -> None:
    """A tally as a table with bars on a terminal."""
    out = console()
    out.print(f"\n[bold]{escape(tally.title)}[/bold]")
    largest = max(tally.counts.values(), default=0)
    table = plain_table(gap=1, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for label, count in tally.counts.items():
        table.add_row(
            escape(printable(tally.words.get(label, label))),
            f"{count:,}",
            f"[cyan]{bar(count, largest)}[/cyan]",
        )
    out.print(table)


def _screen(report: CheckReport, redact: Callable[[str], str]) -> None:
    print_checks_table(report.checks, redact)
    for tally in report.tallies:
        print_tally(tally)
    counted = {mark: sum(check.result is mark for check in report.checks) for mark in CheckResult}
    line = [f"{counted[mark]} {word}" for mark, word in _SUMMARY if counted[mark]]
    console().print(f"\n[dim]{' · '.join(line)}[/dim]")
    if report.took:
        took = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in report.took.items())
        console().print(f"[dim]Time for each: {took}[/dim]")


_SUMMARY = (
    (CheckResult.PASSED, "all right"),
    (CheckResult.WARNING, "to look at"),
    (CheckResult.FAILED, "wrong"),
)


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
