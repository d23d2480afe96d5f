"""Which command prints what with `--json`: docs/reference/schemas is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncctl.cli.render.documents import checks, imports, repairs
from syncctl.cli.render.documents.checks import MonthDocument
from syncctl.domain.run_documents import RunWithErrorDocument
from syncctl.domain.sources import API_STEPS, FILE_STEPS
from syncctl.services.checks.history_documents import RunDetailDocument, RunsDocument, RunStatisticsDocument
from syncctl.services.checks.status_document import StatusDocument

RESULTS: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys((*API_STEPS, "api", "all"), (RunWithErrorDocument,)),
    **{f"import {step}": (RunWithErrorDocument, imports.PreviewDocument) for step in FILE_STEPS},
    "import columns": (imports.ColumnsDocument,),
    "import undo": (repairs.ImportUndoDocument,),
    "rejects list": (imports.RejectsDocument,),
    "rejects import": (imports.CorrectionDocument,),
    "rejects retry": (imports.RetryDocument,),
    "rejects dismiss": (imports.DismissedDocument,),
    "status": (StatusDocument,),
    "history": (RunsDocument, RunDetailDocument, RunStatisticsDocument),
    "report": (MonthDocument,),
    "explain": (checks.ExplanationDocument,),
    "verify sync": (checks.ChecksDocument,),
    "verify data": (checks.TalliesDocument,),
    "verify source": (checks.SourceDocument,),
    "cleanup duplicates": (repairs.DuplicatesCleanupDocument,),
    "cleanup stores": (repairs.StoresCleanupDocument,),
    "cleanup finished": (repairs.FinishedCleanupDocument,),
    "cleanup restore": (repairs.BackupRestoredDocument,),
    "doctor": (checks.ChecksDocument, checks.EvidenceDocument),
    "cron show": (checks.ScheduleDocument, checks.UnitsDocument),
    "config": (checks.SettingsDocument,),
}
"""Command -> what it may print; besides, any may print a FailedDocument."""
