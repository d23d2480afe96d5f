"""Renders the plan and the result of `cleanup duplicates`, and the result of `cleanup restore`."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from syncctl.cli.render.cleanup_output import Output, outcome_document, restore_command, tell_left
from syncctl.cli.render.printer import console, plain_table, print_line, print_message, print_result
from syncctl.domain.run_documents import instant
from syncctl.errors import ExitCode
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone
from syncctl.text import quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.repairs import (
        BackupRestoredDocument,
        CopyDocument,
        DuplicatesCleanupDocument,
        SetDocument,
    )
    from syncctl.services.cleanup.cleaning import DuplicatesCleaned
    from syncctl.services.cleanup.duplicate_plans import Conflict, ConflictingCopy, Decision, DuplicatePlan
    from syncctl.services.cleanup.restoring import BackupRestored

STORES_TO_SET = (
    "Kept under no known store, as they were worked on there: import their files again, which sets it"
)
LONGEST_VALUE = 60
"""Characters of an edited value shown to a person; --json has it in full."""


def duplicates_planned(plan: DuplicatePlan, chosen: Sequence[str], output: Output) -> None:
    """Render the plan. `chosen`: the ids given with --keep."""
    if output.as_json:
        print_result(_plan_document(plan, output, applied=False))
        return
    if not plan.sets and not plan.conflicts:
        print_line("No duplicates: every lead is there once.")
        return
    _print_plan(plan, output)
    if to_delete := plan.removed.total():
        apply = [
            "syncctl cleanup duplicates --apply",
            *(f"--keep {shlex.quote(lead_id)}" for lead_id in chosen),
        ]
        output.hint(
            f"Nothing was changed. `{' '.join(apply)}` deletes "
            f"{quantity(to_delete, 'lead')}, after writing a backup of them."
        )
    else:
        output.hint("Nothing was changed: there are only conflicts. --keep ID with --apply decides one.")


def duplicates_cleaned(result: DuplicatesCleaned, output: Output) -> None:
    """Render the result; exit status 1 if the plan could not be completed."""
    conflicts = len(result.plan.conflicts)
    if output.as_json:
        left = result.remaining
        document: DuplicatesCleanupDocument = {
            **_plan_document(result.plan, output, applied=True),
            **outcome_document(result.left, result.backup),
            "deleted": result.deleted,
            "remaining": {"sets": left.count, "extra_copies": left.extra_copies},
        }
        print_result(document)
    elif result.backup is None and not conflicts:
        print_line("No duplicates: every lead is there once.")
    else:
        _print_plan(result.plan, output, examples=False)
        print_line(f"Deleted: {quantity(result.deleted, 'lead')}.")
        print_line(f"Remaining: {quantity(result.remaining.count, 'set')} of duplicates.")
        if result.backup:
            print_line(f"To undo it: {restore_command(result.backup)}")
    if conflicts and not output.as_json:
        print_message(
            f"{quantity(conflicts, 'set')} left alone, as the copies carry different edits: "
            "decide each with `syncctl cleanup duplicates --apply --keep ID`."
        )
    if result.left:
        tell_left(result.left, "could not be deleted, as they or the copy to keep were changed meanwhile")


def backup_restored(result: BackupRestored, output: Output) -> None:
    """Render what was restored; exit status 1 if some leads have changed since."""
    if output.as_json:
        document: BackupRestoredDocument = {
            "command": "cleanup restore",
            "ok": result.is_whole,
            "kind": result.kind.value,
            "restored": result.restored,
            "same": result.same,
            "different": result.different,
        }
        if result.kept_lead_gone:
            document["ended"] = result.kept_lead_gone
        print_result(document)
    else:
        print_line(
            f"Restored: {quantity(result.restored, 'lead')}. As in the backup already: {result.same:,}. "
            f"Something else now: {len(result.different):,}."
        )
        for lead_id in result.kept_lead_gone:
            print_message(
                f"Not put back: lead {lead_id}, as the one kept in its place has been finished or deleted."
            )
        for lead_id in result.different:
            print_message(f"Left as it is: lead {lead_id} is not what the backup left, or gone.")
    if not result.is_whole:
        raise typer.Exit(ExitCode.FAILED)


def _plan_document(plan: DuplicatePlan, output: Output, *, applied: bool) -> DuplicatesCleanupDocument:
    return {
        "command": "cleanup duplicates",
        "ok": True,
        "applied": applied,
        "sets": plan.sets.total() + len(plan.conflicts),
        "to_delete": plan.removed.total(),
        "by_type": {
            lead_type: {"sets": sets, "to_delete": to_delete, "conflicts": conflicts}
            for lead_type, sets, to_delete, conflicts in _by_type(plan)
        },
        "conflicts": [
            {
                **_lead_summary(conflict, output),
                "copies": [_copy_document(copy, output) for copy in conflict.copies],
            }
            for conflict in plan.conflicts
        ],
        "examples": [
            {
                **_lead_summary(decision, output),
                "kept": decision.kept,
                "why": decision.why.value,
                "deleted": list(decision.removed),
            }
            for decision in plan.examples
        ],
        "stores_to_set": [
            {"id": lead_id, "store": output.text(store)} for lead_id, store in plan.stores_to_set.items()
        ],
    }


def _lead_summary(item: Decision | Conflict, output: Output) -> SetDocument:
    return {
        "lead_type": output.text(item.lead_type),
        "phone": mask_phone(item.phone),
        "booking_no": output.text(item.booking_no),
    }


def _copy_document(copy: ConflictingCopy, output: Output) -> CopyDocument:
    return {
        "id": copy.lead_id,
        "updated_at": _written(copy.updated_at, output),
        "worked_on": copy.worked_on,
        "values": _values(copy.values, output),
    }


def _values(values: Mapping[str, Any], output: Output) -> dict[str, Any]:
    return {
        printable(name): mask_phone(str(value)) if name == "phone" and value else _written(value, output)
        for name, value in values.items()
    }


def _written(value: object, output: Output) -> str | float | None:
    if value is None or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    return instant(value) if isinstance(value, datetime) else output.text(value)


def _by_type(plan: DuplicatePlan) -> list[tuple[str, int, int, int]]:
    """Per lead type: sets, leads to delete, conflicts."""
    conflicts = [conflict.lead_type for conflict in plan.conflicts]
    return [
        (
            lead_type,
            plan.sets[lead_type] + conflicts.count(lead_type),
            plan.removed[lead_type],
            conflicts.count(lead_type),
        )
        for lead_type in sorted({*plan.sets, *conflicts})
    ]


def _print_plan(plan: DuplicatePlan, output: Output, *, examples: bool = True) -> None:
    shown = plan.examples if examples else []
    if sys.stdout.isatty():
        _print_screen(plan, shown, output)
        return
    for lead_type, sets, to_delete, conflicts in _by_type(plan):
        counts = f"{quantity(sets, 'set')}\t{to_delete:,} to delete\t{quantity(conflicts, 'conflict')}"
        print_line(f"{output.text(lead_type) or '(no type)'}\t{counts}")
    for decision in shown:
        print_line(f"example\t{_label(decision, output)}\t{_decision_text(decision)}")
    for conflict in plan.conflicts:
        for copy in conflict.copies:
            print_line(f"conflict\t{_label(conflict, output)}\t{chr(9).join(_copy_cells(copy, output))}")
    for lead_id, store in plan.stores_to_set.items():
        print_line(f"store to set\t{lead_id}\t{output.text(store)}")
    if plan.stores_to_set:
        output.hint(f"{STORES_TO_SET}.")


def _label(item: Decision | Conflict, output: Output) -> str:
    summary = _lead_summary(item, output)
    booking = f" booking {summary['booking_no']}" if summary["booking_no"] else ""
    return f"{summary['lead_type'] or '(no type)'} {summary['phone']}{booking}"


def _decision_text(decision: Decision) -> str:
    return f"keeps {decision.kept} ({decision.why.value}), deletes {', '.join(decision.removed)}"


def _copy_cells(copy: ConflictingCopy, output: Output) -> tuple[str, str, str]:
    """A copy's id, its last edit, and its values where the copies differ."""
    values = _values(copy.values, output)
    held = ", ".join(f"{name}={_truncated(value)}" for name, value in values.items() if value)
    return (
        copy.lead_id,
        str(_written(copy.updated_at, output) or "-"),
        (held or "none of these edits") if copy.worked_on else "not worked on",
    )


def _truncated(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 2]} …"


def _print_screen(plan: DuplicatePlan, examples: Sequence[Decision], output: Output) -> None:
    from rich.markup import escape
    from rich.padding import Padding

    out = console()
    table = plain_table()
    table.add_column("Lead type", overflow="fold")
    for title in ("Sets", "To delete", "Conflicts"):
        table.add_column(title, justify="right")
    for lead_type, *counts in _by_type(plan):
        table.add_row(escape(output.text(lead_type) or "(no type)"), *(f"{count:,}" for count in counts))
    out.print(table)
    if examples:
        out.print("\n[bold]For example[/bold]")
    for decision in examples:
        out.print(escape(_label(decision, output)))
        out.print(Padding(f"[dim]{escape(_decision_text(decision))}[/dim]", (0, 0, 0, 2)))
    if plan.conflicts:
        out.print(
            "\n[bold yellow]Conflicts: the copies carry different edits; choose with --keep ID[/bold yellow]"
        )
    for conflict in plan.conflicts:
        out.print(escape(_label(conflict, output)))
        copies = plain_table(show_header=False)
        copies.add_column(no_wrap=True)
        copies.add_column(overflow="fold")
        for copy in conflict.copies:
            lead_id, updated_at, held = _copy_cells(copy, output)
            copies.add_row(escape(lead_id), f"[dim]{escape(updated_at)}[/dim] {escape(held)}")
        out.print(Padding(copies, (0, 0, 0, 2)))
    if plan.stores_to_set:
        out.print(f"\n[bold yellow]{STORES_TO_SET}[/bold yellow]")
    for lead_id, store in plan.stores_to_set.items():
        out.print(Padding(f"{escape(lead_id)} [dim]{escape(output.text(store))}[/dim]", (0, 0, 0, 2)))
