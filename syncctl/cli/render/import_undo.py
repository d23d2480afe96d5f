"""Renders what taking back an import would come to, and the result."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from syncctl.cli.render.cleanup_output import (
    Output,
    field_words,
    outcome_document,
    print_command,
    restore_command,
    tell_left,
)
from syncctl.cli.render.import_undo_document import undo_document, value_text
from syncctl.cli.render.printer import console, escape, plain_table, print_line, print_result, print_text
from syncctl.cli.terminal.pager import paged
from syncctl.domain.run_documents import instant
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone
from syncctl.services.imports.undo_results import KeptReason, Outcome
from syncctl.text import plural, quantity, shortened

if TYPE_CHECKING:
    from syncctl.cli.render.documents.repairs import ImportUndoDocument
    from syncctl.domain.import_notes import NotedImport
    from syncctl.services.imports.undo_results import ImportUndone, LeadOutcome, UndoPlan

LONGEST_VALUE = 40
"""Characters of a value shown to a person; --json has it in full."""

_ID_SHOWN = 8

_TITLES = {
    Outcome.UNDONE: ("To be undone", "Undone"),
    Outcome.KEPT: ("To be kept", "Kept"),
    Outcome.GONE: ("No longer there", "No longer there"),
}
"""Before it is done, and afterwards."""

_WORDS = {
    Outcome.UNDONE: ("to undo", "undone"),
    Outcome.KEPT: ("to keep", "kept"),
    Outcome.GONE: ("gone", "gone"),
}
"""The same in a pipe."""

_STAYS = {
    Outcome.KEPT: ("would be kept", "kept"),
    Outcome.GONE: ("no longer there", "no longer there"),
}
"""The same in a sentence."""

_DELETED = ("would be deleted", "deleted")
"""Before it is done, and afterwards."""

_REASONS = {
    KeptReason.EDITED: "somebody has worked on it",
    KeptReason.LATER: "a later import or sync has changed it",
    KeptReason.SEEN: "a later import has it too",
    KeptReason.CHANGED: "it was changed",
}


def short_id(run: NotedImport) -> str:
    """The beginning of a run's id, as `history` shows it."""
    return run.run_id[:_ID_SHOWN]


def undo_planned(plan: UndoPlan, output: Output, *, is_question: bool = False) -> None:
    """Render the plan. `is_question`: whether the person is asked next."""
    if output.as_json:
        print_result(undo_document(plan, output, applied=False))
        return
    _print_plan(plan, output, is_done=False)
    if plan.has_work and not is_question:
        if sys.stdout.isatty() and plan.leads:
            print_text(f"\nIn all: {_sum(plan, 'delete', 'change back', is_done=False)}.")
        output.hint(
            f"Nothing was changed. `syncctl import undo {short_id(plan.run)} --apply` does it, after writing "
            f"a backup of {quantity(len(plan.to_undo), 'lead')}."
        )


def undo_question(plan: UndoPlan) -> str:
    """What to ask before it is done; empty where nothing would be."""
    if not plan.has_work:
        return ""
    what = " and ".join(_changes(plan, "delete", "change back"))
    return f"Take back import {short_id(plan.run)}" + (f": {what}?" if what else "?")


def _changes(plan: UndoPlan, delete: str, change: str) -> Iterator[str]:
    """How many leads are deleted and changed, in these words."""
    deleted = sum(lead.is_deleted for lead in plan.to_undo)
    changed = len(plan.to_undo) - deleted
    if deleted:
        yield f"{delete} {quantity(deleted, 'lead')}"
    if changed:
        yield f"{change} {quantity(changed, 'lead')}"


def _sum(plan: UndoPlan, delete: str, change: str, *, is_done: bool) -> str:
    """What is done to all leads, and how many are not touched; empty where there are none."""
    stay = [
        f"{quantity(len(leads), 'lead')} {_STAYS[outcome][is_done]}"
        for outcome in _STAYS
        if (leads := plan.of(outcome))
    ]
    return "; ".join(filter(None, (" and ".join(_changes(plan, delete, change)), *stay)))


def import_undone(result: ImportUndone, output: Output, *, everything: bool, is_known: bool = False) -> None:
    """Render the result; exit status 1 if leads were changed while it was done. `everything`: each lead on a
    terminal, too. `is_known`: whether the person has just seen the plan."""
    plan = result.plan
    if output.as_json:
        document: ImportUndoDocument = {
            **undo_document(plan, output, applied=True),
            **outcome_document(plan.left, result.backup),
            "changed": len(plan.to_undo),
        }
        print_result(document)
    else:
        if everything or not (is_known or (sys.stdout.isatty() and plan.has_work)):
            _print_plan(plan, output, is_done=True)
        if plan.has_work:
            done = _sum(plan, "deleted", "changed back", is_done=True)
            print_text(f"Took back import {short_id(plan.run)}" + (f": {done}." if done else "."))
        if result.backup:
            print_command("To put the leads back", restore_command(result.backup))
    if plan.left:
        tell_left(plan.left)


def _print_plan(plan: UndoPlan, output: Output, *, is_done: bool) -> None:
    run = plan.run
    is_screen = sys.stdout.isatty()
    at, when = ("", output.clock.moment) if is_screen else ("at ", instant)
    name = f"import {short_id(run)} ({run.command}, {when(run.started_at)})"
    if run.created_only:
        output.hint(
            "An earlier version made this import and noted no changes: only the leads that it created can be "
            "taken back."
        )
    if not plan.has_work:
        before = f" It was taken back {at}{when(run.undone_at)}." if run.undone_at else ""
        print_text(f"Nothing is left to take back of {name}.{before}")
    if is_screen:
        with paged():
            if plan.has_work:
                console().print(f"[bold]{name[0].upper()}{name[1:]}[/bold]")
            _print_screen(plan, output, is_done=is_done)
    else:
        _print_lines(plan, output, is_done=is_done)
    for run_id, rows in plan.taken_over.items():
        output.hint(
            f"A later import has stored {quantity(rows, 'row')} anew: `syncctl import undo "
            f"{run_id[:_ID_SHOWN]}` takes that one back."
        )
    for run_id, rows in plan.corrected.items():
        output.hint(
            f"A later run has saved {quantity(rows, 'row')} of its rejects, and their leads stay. To take "
            f"those back as well, run `syncctl import undo {run_id[:_ID_SHOWN]}` first."
        )
    for run_id, leads in plan.needed.items():
        output.hint(
            f"A later import has {quantity(leads, 'lead')} of this one, too, and they stay. To have them "
            f"deleted, run `syncctl import undo {run_id[:_ID_SHOWN]}` first."
        )


def _print_lines(plan: UndoPlan, output: Output, *, is_done: bool) -> None:
    for outcome in Outcome:
        for lead in plan.of(outcome):
            cells = (lead.lead_id, output.kind(lead.lead_type), lead.name, mask_phone(lead.phone), lead.store)
            texts = [output.text(cell) or "-" for cell in cells]
            fate = (*_fate(lead, is_done=is_done), *_what(lead, output, is_done=is_done))
            print_line("\t".join((_WORDS[outcome][is_done], *texts, "; ".join(fate))))
    for line in _others(plan, output, is_done=is_done):
        print_line("\t".join(line))


def _others(plan: UndoPlan, output: Output, *, is_done: bool) -> Iterator[tuple[str, str]]:
    """What else is put back: the word for it, and the rest of the line."""
    for name in plan.files:
        yield "file", f"{output.text(name)}: {'can' if is_done else 'could'} be imported again"
    if plan.records:
        forgets = "forgot" if is_done else "would forget"
        yield "records", f"{quantity(plan.records, 'row')}: syncctl {forgets} what this import said of them"
    if plan.seen:
        came = f"{quantity(plan.seen, 'row')} came in earlier imports, too"
        yield "seen", f"{came}: their leads stay until those are taken back as well"
    if plan.unlisted:
        came = "came" if is_done else "would come"
        yield "rejects", f"{quantity(plan.unlisted, 'row')} {came} off the rejects list"
    if plan.forgotten:
        is_open = plural(plan.forgotten, "is", "are") if is_done else "would be"
        yield (
            "rejects",
            f"{quantity(plan.forgotten, 'answered row')} {is_open} open again for the next import",
        )
    if plan.amended:
        lost = "lost" if is_done else "would lose"
        yield "rejects", f"{quantity(plan.amended, 'listed row')} {lost} the corrections made so far"
    if plan.relisted:
        is_back = plural(plan.relisted, "is", "are") if is_done else "would be"
        yield "rejects", f"{quantity(plan.relisted, 'row')} {is_back} back on the rejects list"


def _fate(lead: LeadOutcome, *, is_done: bool) -> Iterator[str]:
    """What happens to the whole of a lead, in words."""
    if lead.is_gone:
        yield "finished or deleted since"
    elif lead.is_deleted:
        yield f"created by the import: {_DELETED[is_done]}"


def _what(lead: LeadOutcome, output: Output, *, is_done: bool) -> Iterator[str]:
    """What happens to a lead, in words."""
    kept = "kept" if is_done else "would be kept"
    for name, (held, was) in lead.restored.items():
        if name != "updatedAt" and not lead.is_deleted:
            now, then = _shown(name, held, output), _shown(name, was, output)
            words = field_words(name)
            yield f"{words}: {now} → {then}" if is_done else f"{words} would go back: {now} → {then}"
    for name, reason in lead.kept.items():
        yield f"{field_words(name)} {kept}: {_REASONS[reason]}"
    if lead.later_run is not None:
        run_id = lead.later_run[:_ID_SHOWN]
        yield f"created by the import, {kept}: a later import, run {run_id}, has it too"
    elif lead.reason is not None:
        yield f"created by the import, {kept}: {_REASONS[lead.reason]}"


def _shown(name: str, value: object, output: Output) -> str:
    text = output.value(name, value) if sys.stdout.isatty() else value_text(name, value, output)
    return shortened(text, LONGEST_VALUE) if text else "(empty)"


def _print_screen(plan: UndoPlan, output: Output, *, is_done: bool) -> None:
    out = console()
    for outcome in Outcome:
        leads = plan.of(outcome)
        if not leads:
            continue
        deleted = sum(lead.is_deleted for lead in leads)
        how = f" ({deleted:,} created by it, {_DELETED[is_done]})" if deleted else ""
        out.print(f"\n[bold]{_TITLES[outcome][is_done]}: {quantity(len(leads), 'lead')}[/bold]{how}")
        table = plain_table(show_header=False)
        for _ in ("id", "what is done"):
            table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for lead in leads:
            about = " · ".join(
                (output.text(lead.name) or "-", mask_phone(lead.phone), output.text(lead.store))
            )
            done = "deleted" if is_done else "delete"
            table.add_row(escape(printable(lead.lead_id)), done if lead.is_deleted else "", escape(about))
            for line in _what(lead, output, is_done=is_done):
                table.add_row("", "", f"[dim]{escape(line)}[/dim]")
        out.print(table)
    if others := [rest for _, rest in _others(plan, output, is_done=is_done)]:
        out.print("\n[bold]Other changes[/bold]")
        for rest in others:
            out.print(escape(rest))
