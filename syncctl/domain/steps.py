"""The steps of a run, how each of them ends, and who starts a run."""

from __future__ import annotations

from enum import StrEnum


class StepStatus(StrEnum):
    """How a step ended."""

    SUCCESS = "success"

    PARTIAL = "partial"
    """Some of its locations failed."""

    FAILED = "failed"
    SKIPPED = "skipped"


class Trigger(StrEnum):
    """Who started a run."""

    AUTO = "auto"
    """The scheduler: there was no terminal."""

    MANUAL = "manual"
    """A person."""
