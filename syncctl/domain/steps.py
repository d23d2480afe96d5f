"""The steps of a run, how each of them ends, and who starts a run."""

from __future__ import annotations

from enum import StrEnum


class StepName(StrEnum):
    """The steps of a run, by the names that `--json` gives them."""

    STORES = "stores"
    BOOKING = "booking"
    RETURN = "return"
    WALKIN = "walkin"
    LOSS_OF_SALE = "lossofsale"


REPORT_STEPS = (StepName.BOOKING, StepName.RETURN)
"""The steps that sync one report of the API each."""


FILE_STEPS = (StepName.WALKIN, StepName.LOSS_OF_SALE)
"""The steps that import the stores' files."""


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
