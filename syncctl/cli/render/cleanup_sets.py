"""Shows sets of duplicates: the copies side by side on a terminal, a copy a line in a pipe."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.cli.render.cleanup_output import Output, field_words
from syncctl.cli.render.printer import console, escape, plain_table, print_line
from syncctl.domain.run_documents import instant
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone
from syncctl.text import quantity, shortened

if TYPE_CHECKING:
    from rich.console import Console

    from syncctl.services.cleanup.duplicate_results import Conflict, CopySummary, Decision, DuplicatePlan

STORES_TO_SET = "Kept without a known store: import the store's files again, which sets it"
CONFLICTS = "For you to decide, as several copies were worked on: keep one with --keep ID"
LONGEST_VALUE = 60
"""Characters of a value shown to a person; --json has it in full."""

_ID_WIDTH, _GAP, _INDENT = 24, 2, 2


def by_type(plan: DuplicatePlan) -> list[tuple[str, int, int, int]]:
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


def print_lines(plan: DuplicatePlan, output: Output, *, left: Container[str] | None = None) -> None:
    """The plan in a pipe. `left`: it was applied, and these leads were not deleted after all."""
    words = ("keep", "delete") if left is None else ("kept", "deleted")
    if left is None:
        for lead_type, sets, to_delete, conflicts in by_type(plan):
            shown = (quantity(sets, "set", shown=str), f"{to_delete} to delete")
            left_over = quantity(conflicts, "conflict", shown=str)
            print_line("\t".join((output.kind(lead_type, several=True), *shown, left_over)))
    for decision in plan.decisions:
        kept, *removed = (_cells(copy, output) for copy in decision.copies)
        print_line("\t".join((words[0], _label(decision, output), *kept, decision.why.value)))
        for cells in removed:
            word = "left" if left is not None and cells[0] in left else words[1]
            print_line("\t".join((word, _label(decision, output), *cells)))
    for conflict in plan.conflicts:
        for copy in conflict.copies:
            lead_id, updated, held = _cells(copy, output)
            held = (held or "none of these edits") if copy.worked_on else "not worked on"
            print_line("\t".join(("conflict", _label(conflict, output), lead_id, updated, held)))
    for lead_id, store in plan.stores_to_set.items():
        print_line(f"store to set\t{lead_id}\t{output.text(store)}")
    if plan.stores_to_set:
        output.hint(f"{STORES_TO_SET}.")


def _label(item: Decision | Conflict, output: Output) -> str:
    words = (output.kind(item.lead_type), output.text(item.booking_no), mask_phone(item.phone))
    return " ".join(filter(None, words))


def _cells(copy: CopySummary, output: Output) -> tuple[str, str, str]:
    """A copy's id, its last edit, and its values where the copies differ."""
    held = ", ".join(
        f"{printable(name)}={shortened(shown, LONGEST_VALUE)}"
        for name, value in copy.values.items()
        if (shown := instant(value) if isinstance(value, datetime) else output.value(name, value))
    )
    at = copy.updated_at
    return copy.lead_id, instant(at) if isinstance(at, datetime) else "-", held


def print_screen(plan: DuplicatePlan, output: Output) -> None:
    """The plan on a terminal, set by set."""
    out = console()
    table = plain_table()
    table.add_column("Leads", overflow="fold")
    for title in ("Sets", "To delete", "For you to decide"):
        table.add_column(title, justify="right")
    for lead_type, *counts in by_type(plan):
        kind = escape(output.kind(lead_type, several=True))
        table.add_row(kind, *(f"{count:,}" for count in counts))
    out.print(table)
    for number, decision in enumerate(plan.decisions, start=1):
        _print_set(
            out, f"{number:,}. {_heading(decision, output)}", _of_decision(decision, out.width), output
        )
    if plan.conflicts:
        out.print(f"\n[bold yellow]{CONFLICTS}[/bold yellow]")
    for conflict in plan.conflicts:
        _print_set(out, _heading(conflict, output), _of_conflict(conflict, out.width), output)
    if plan.stores_to_set:
        out.print(f"\n[bold yellow]{STORES_TO_SET}[/bold yellow]")
    for lead_id, store in plan.stores_to_set.items():
        out.print(f"  {escape(lead_id)} [dim]{escape(output.text(store))}[/dim]")


def _heading(item: Decision | Conflict, output: Output) -> str:
    words = (output.kind(item.lead_type), output.text(item.booking_no))
    parts = (" ".join(filter(None, words)), shortened(output.text(item.name), LONGEST_VALUE))
    return " · ".join(filter(None, (*parts, mask_phone(item.phone))))


_Column = tuple[str, "CopySummary"]
"""What is done with a copy, as markup, and the copy."""


def _of_decision(decision: Decision, width: int) -> Iterator[Sequence[_Column]]:
    """The copies that are shown beside each other: the kept one with as many of the others as there is room
    for, and again with the next ones."""
    kept, *removed = decision.copies
    first = (f"[green]keep[/green] [dim]({decision.why.value})[/dim]", kept)
    others = [("[red]delete[/red]", copy) for copy in removed]
    room = _room(kept, width) - 1
    if room == 0:
        return ([column] for column in (first, *others))
    return ([first, *others[at : at + room]] for at in range(0, len(others), room))


def _of_conflict(conflict: Conflict, width: int) -> Iterator[Sequence[_Column]]:
    columns = [("worked on" if copy.worked_on else "not worked on", copy) for copy in conflict.copies]
    room = _room(conflict.copies[0], width)
    return (columns[at : at + room] for at in range(0, len(columns), room))


def _room(copy: CopySummary, width: int) -> int:
    """How many copies fit beside each other, behind the names of the fields."""
    names = max(len(field_words(name)) for name in ("updatedAt", *copy.values))
    return max(1, (width - _INDENT - names - _GAP) // (_ID_WIDTH + _GAP))


def _print_set(out: Console, heading: str, parts: Iterator[Sequence[_Column]], output: Output) -> None:
    from rich.padding import Padding

    out.print(f"\n[bold]{escape(heading)}[/bold]")
    for columns in parts:
        table = plain_table(gap=_GAP)
        table.add_column("", overflow="fold", style="dim")
        for title, _ in columns:
            table.add_column(title, overflow="fold", min_width=_ID_WIDTH, header_style="")
        for name, values in _rows([copy for _, copy in columns], output).items():
            table.add_row(escape(field_words(name)), *(escape(value) or "[dim]-[/dim]" for value in values))
        out.print(Padding(table, (0, 0, 0, _INDENT)))


def _rows(copies: Sequence[CopySummary], output: Output) -> Mapping[str, list[str]]:
    """What each copy holds, by field; where all of these hold the same there is nothing to compare."""
    rows: dict[str, list[Any]] = {"id": [copy.lead_id for copy in copies]}
    if any(copy.worked_on for copy in copies):
        rows["updatedAt"] = [copy.updated_at for copy in copies]
    rows |= {name: [copy.values[name] for copy in copies] for name in copies[0].values}
    shown = {
        name: [shortened(output.value(name, value), LONGEST_VALUE) for value in values]
        for name, values in rows.items()
    }
    return {name: values for name, values in shown.items() if len(copies) == 1 or len({*values}) > 1}
