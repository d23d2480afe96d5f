"""Renders the stores that `cleanup stores` would rename, and the result."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from syncctl.cli.render.cleanup_output import Output, outcome_document, print_done, tell_left
from syncctl.cli.render.printer import console, escape, plain_table, print_line, print_message, print_result
from syncctl.cli.terminal.pager import paged
from syncctl.text import plural, quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.repairs import StoresCleanupDocument
    from syncctl.services.cleanup.store_names import StorePlan, StoresRenamed

UNKNOWN_STORES_HINT = (
    "Leads under Default Store: import their files again, which sets the store. A new store is known after "
    "`syncctl stores`. Other unknown names: correct them in the database."
)


def stores_planned(plan: StorePlan, output: Output, *, is_question: bool = False) -> None:
    """Render the plan. `is_question`: whether the person is asked next."""
    if output.as_json:
        print_result(_document(plan, output, applied=False))
        return
    _print_plan(plan, output)
    if plan.unknown:
        output.hint(UNKNOWN_STORES_HINT)
    if plan.count and not is_question:
        output.hint(
            f"Nothing was changed. `syncctl cleanup stores --apply` corrects the store of "
            f"{quantity(plan.count, 'lead')}, after writing a backup of them."
        )
    _report_duplicates(plan)


def stores_question(plan: StorePlan) -> str:
    """What to ask before it is done; empty where nothing would be."""
    return f"Correct the store of {quantity(plan.count, 'lead')}?" if plan.count else ""


def stores_renamed(result: StoresRenamed, output: Output, *, is_known: bool = False) -> None:
    """Render the result; exit status 1 if the plan could not be completed. `is_known`: whether the person has
    just seen the plan."""
    if output.as_json:
        document: StoresCleanupDocument = {
            **_document(result.plan, output, applied=True),
            **outcome_document(result.left, result.backup),
            "renamed": result.renamed,
        }
        print_result(document)
    else:
        if not is_known:
            _print_plan(result.plan, output, is_done=True)
        if result.plan.count:
            print_done(f"Corrected the store of {quantity(result.renamed, 'lead')}", result.backup)
        if not is_known:
            _report_duplicates(result.plan)
    if result.left:
        tell_left(result.left)


def _report_duplicates(plan: StorePlan) -> None:
    if left := plan.in_duplicates.total():
        print_message(
            f"{quantity(left, 'lead')} {plural(left, 'has', 'have')} copies and {plural(left, 'is', 'are')} "
            "left alone: run `syncctl cleanup duplicates` first, then this again."
        )


def _document(plan: StorePlan, output: Output, *, applied: bool) -> StoresCleanupDocument:
    return {
        "command": "cleanup stores",
        "ok": True,
        "applied": applied,
        "to_rename": plan.count,
        "renames": [
            {"from": written, "to": name, "leads": leads, "in_duplicates": in_duplicates}
            for written, name, leads, in_duplicates in _renames(plan, output)
        ],
        "unknown": [
            {"name": output.text(name), "leads": leads} for name, leads in plan.unknown.most_common()
        ],
    }


def _renames(plan: StorePlan, output: Output) -> list[tuple[str, str, int, int]]:
    """Name as written, canonical name, leads to rename, leads skipped as duplicates; sorted by canonical
    name."""
    return [
        (output.text(written), output.text(name), len(plan.leads[written]), plan.in_duplicates[written])
        for written, name in sorted(plan.renames.items(), key=lambda rename: (rename[1], rename[0]))
    ]


def _print_plan(plan: StorePlan, output: Output, *, is_done: bool = False) -> None:
    if not plan.renames:
        output.all_well("No misspelt store names.")
    if sys.stdout.isatty():
        with paged():
            _print_screen(plan, output, is_done=is_done)
        return
    word = "renamed" if is_done else "rename"
    for written, name, leads, in_duplicates in _renames(plan, output):
        left = f"\t{in_duplicates} left alone, with copies" if in_duplicates else ""
        print_line(f"{word}\t{written}\t{name}\t{quantity(leads, 'lead', shown=str)}{left}")
    for name, leads in plan.unknown.most_common():
        print_line(f"unknown\t{output.text(name) or '(none)'}\t{quantity(leads, 'lead', shown=str)}")


def _print_screen(plan: StorePlan, output: Output, *, is_done: bool) -> None:
    out = console()
    if plan.renames:
        table = plain_table()
        for title in ("Store as written", "Became" if is_done else "Becomes"):
            table.add_column(title, overflow="fold")
        for title in ("Leads", "Left: copies"):
            table.add_column(title, justify="right")
        for written, name, leads, in_duplicates in _renames(plan, output):
            table.add_row(escape(written), escape(name), f"{leads:,}", f"{in_duplicates:,}")
        out.print(table)
    if plan.unknown:
        out.print("\n[bold]Unknown stores, left as they are[/bold]")
        unknown = plain_table(show_header=False)
        unknown.add_column(overflow="fold")
        unknown.add_column(justify="right")
        for name, leads in plan.unknown.most_common():
            unknown.add_row(escape(output.text(name) or "(none)"), f"{leads:,}")
        out.print(unknown)
