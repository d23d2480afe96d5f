"""What is kept of runs that are over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from syncctl.domain.steps import StepStatus, Trigger


@dataclass(frozen=True, slots=True)
class SyncLog:
    """A `synclogs` document (contract/database.md), which the web app's own checks read."""

    sync_type: str
    trigger: Trigger
    at: datetime
    count: int
    status: StepStatus
    error_message: str | None


class RunEntry(NamedTuple):
    """A run as `syncruns` keeps it. `document` is JSON-like: strings, numbers, lists and mappings only."""

    run_id: str
    started_at: datetime
    document: Mapping[str, Any]
