"""What `import undo --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from syncctl.domain.run_documents import instant
from syncctl.safe_output.redact import mask_phone
from syncctl.services.imports.undo_results import Outcome

if TYPE_CHECKING:
    from syncctl.cli.render.cleanup_output import Output
    from syncctl.cli.render.documents.repairs import ImportUndoDocument, UndoneLeadDocument
    from syncctl.services.imports.undo_results import LeadOutcome, UndoPlan


def undo_document(plan: UndoPlan, output: Output, *, applied: bool) -> ImportUndoDocument:
    """The plan, and what `applied` says of it."""
    run = plan.run
    return {
        "command": "import undo",
        "ok": True,
        "applied": applied,
        "run_id": run.run_id,
        "import": run.command,
        "started_at": instant(run.started_at),
        "undone_at": instant(run.undone_at) if run.undone_at else None,
        "created_only": run.created_only,
        "undone": _lead_documents(plan.of(Outcome.UNDONE), output),
        "kept": _lead_documents(plan.of(Outcome.KEPT), output),
        "gone": _lead_documents(plan.of(Outcome.GONE), output),
        "records": plan.records,
        "files": [output.text(name) for name in plan.files],
        "rejects": {
            "taken_off": plan.unlisted,
            "put_back": plan.relisted,
            "amended": plan.amended,
            "forgotten": plan.forgotten,
        },
        "corrected": dict(plan.corrected),
        "seen": plan.seen,
        "taken_over": dict(plan.taken_over),
    }


def _lead_documents(leads: Sequence[LeadOutcome], output: Output) -> list[UndoneLeadDocument]:
    return [_lead_document(lead, output) for lead in leads]


def _lead_document(lead: LeadOutcome, output: Output) -> UndoneLeadDocument:
    return {
        "id": lead.lead_id,
        "lead_type": output.text(lead.lead_type),
        "name": output.text(lead.name),
        "phone": mask_phone(lead.phone),
        "store": output.text(lead.store),
        "deleted": lead.is_deleted,
        "fields": [
            {"field": name, "now": value_text(name, held, output), "becomes": value_text(name, was, output)}
            for name, (held, was) in lead.restored.items()
        ],
        "kept_fields": {name: reason.value for name, reason in lead.kept.items()},
        "later_run": lead.later_run,
        "why": [reason.value for reason in lead.reasons],
    }


def value_text(name: str, value: object, output: Output) -> str | None:
    """A field's value as text, a phone number masked; None: the field is empty."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return instant(value)
    return mask_phone(str(value)) if name == "phone" else output.text(value)
