"""The steps of a run, how each of them ends, and who starts a run."""

from __future__ import annotations

from enum import StrEnum

from syncctl.domain.sources import FILE_STEPS as FILE_STEPS  # noqa: PLC0414
from syncctl.domain.sources import REPORT_STEPS as REPORT_STEPS  # noqa: PLC0414
from syncctl.domain.sources import StepName as StepName  # noqa: PLC0414


class StepStatus(StrEnum):
    """How a step ended. PARTIAL: some of its locations failed."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"


class Trigger(StrEnum):
    """Who started a run: the scheduler (no terminal) or a person."""

    AUTO = "auto"
    MANUAL = "manual"
