"""Renders the plan and the result of `cleanup duplicates`."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncctl.cli.render.cleanup_output import Output, outcome_document, print_done, tell_left
from syncctl.cli.render.cleanup_sets import by_type, print_lines, print_screen
from syncctl.cli.render.printer import print_message, print_result_with_list
from syncctl.cli.terminal.pager import paged
from syncctl.domain.run_documents import instant
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone
from syncctl.text import plural, quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.repairs import (
        CopyDocument,
        DecisionDocument,
        DuplicatesCleanupDocument,
        SetDocument,
        WholeDecisionDocument,
    )
    from syncctl.services.cleanup.cleaning import DuplicatesCleaned
    from syncctl.services.cleanup.duplicate_results import Conflict, CopySummary, Decision, DuplicatePlan

EXAMPLES = 5
"""Sets in the JSON's `examples`, which older scripts read."""

NONE, NO_LEADS = (
    "No duplicates: every lead exists once.",
    "There are no leads yet: `syncctl api` brings them.",
)


def duplicates_planned(
    plan: DuplicatePlan, chosen: Sequence[str], output: Output, *, is_question: bool = False
) -> None:
    """Render the plan. `chosen`: the ids given with --keep. `is_question`: whether the person is asked
    next."""
    if output.as_json:
        _print_document(_plan_document(plan, output, applied=False), plan, output)
        return
    if not plan.sets and not plan.conflicts:
        output.all_well(NONE if plan.leads else NO_LEADS)
        return
    if sys.stdout.isatty():
        with paged():
            print_screen(plan, output)
    else:
        print_lines(plan, output)
    to_delete = plan.removed.total()
    if to_delete and not is_question:
        keep = (f"--keep {shlex.quote(lead_id)}" for lead_id in chosen)
        command = " ".join(["syncctl cleanup duplicates --apply", *keep])
        output.hint(
            f"Nothing was changed. `{command}` deletes {quantity(to_delete, 'lead')}, after writing a backup "
            "of them."
        )
    elif not to_delete:
        output.hint("Nothing was changed: each set is for you to decide, with --apply --keep ID.")


def duplicates_question(plan: DuplicatePlan) -> str:
    """What to ask before it is done; empty where nothing would be."""
    to_delete = plan.removed.total()
    return f"Delete {quantity(to_delete, 'lead')}?" if to_delete else ""


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
        _print_document(document, result.plan, output)
    elif result.backup is None and not conflicts:
        output.all_well(NONE if result.plan.leads else NO_LEADS)
    else:
        if not sys.stdout.isatty():
            print_lines(result.plan, output, left=result.left)
        print_done(f"Deleted {quantity(result.deleted, 'lead')}", result.backup)
    if conflicts and not output.as_json:
        are = plural(conflicts, "set is", "sets are")
        print_message(
            f"{conflicts:,} {are} left for you to decide, as somebody has worked on several copies: "
            "`syncctl cleanup duplicates` shows them, --apply --keep ID decides one."
        )
    if result.left:
        tell_left(result.left, "could not be deleted, as they or the copy to keep were changed meanwhile")


def _print_document(document: DuplicatesCleanupDocument, plan: DuplicatePlan, output: Output) -> None:
    decisions = (_decision_document(decision, output) for decision in plan.decisions)
    print_result_with_list(document, "decisions", decisions)


def _plan_document(plan: DuplicatePlan, output: Output, *, applied: bool) -> DuplicatesCleanupDocument:
    return {
        "command": "cleanup duplicates",
        "ok": True,
        "applied": applied,
        "sets": plan.sets.total() + len(plan.conflicts),
        "to_delete": plan.removed.total(),
        "by_type": {
            lead_type: {"sets": sets, "to_delete": to_delete, "conflicts": conflicts}
            for lead_type, sets, to_delete, conflicts in by_type(plan)
        },
        "conflicts": [
            {
                **_lead_summary(conflict, output),
                "copies": [_copy_document(copy, output) for copy in conflict.copies],
            }
            for conflict in plan.conflicts
        ],
        "examples": [_set_document(decision, output) for decision in plan.decisions[:EXAMPLES]],
        "stores_to_set": [
            {"id": lead_id, "store": output.text(store)} for lead_id, store in plan.stores_to_set.items()
        ],
    }


def _set_document(decision: Decision, output: Output) -> DecisionDocument:
    return {
        **_lead_summary(decision, output),
        "kept": decision.kept,
        "why": decision.why.value,
        "deleted": list(decision.removed),
    }


def _decision_document(decision: Decision, output: Output) -> WholeDecisionDocument:
    return {
        **_set_document(decision, output),
        "name": output.text(decision.name),
        "copies": [_copy_document(copy, output) for copy in decision.copies],
    }


def _lead_summary(item: Decision | Conflict, output: Output) -> SetDocument:
    return {
        "lead_type": output.text(item.lead_type),
        "phone": mask_phone(item.phone),
        "booking_no": output.text(item.booking_no),
    }


def _copy_document(copy: CopySummary, output: Output) -> CopyDocument:
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
