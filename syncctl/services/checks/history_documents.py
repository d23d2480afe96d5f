"""What `history` prints with `--json`, key by key; the enumeration beside a type has its values."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from syncctl.domain.run_documents import CountsDocument, Moment
from syncctl.domain.steps import StepStatus, Trigger


class PastPlacesDocument(TypedDict):
    """Of how many locations or files."""

    processed: int
    total: int
    dormant: int


class PastLocationDocument(CountsDocument):
    """A location or file in which something happened."""

    location: str
    store: str
    changed: list[str]
    conflicts: list[str]
    error: str | None
    warning: str | None


class PastStepDocument(CountsDocument):
    """A step of a run that is over."""

    name: str
    status: Annotated[str, StepStatus]
    locations: PastPlacesDocument
    changed: int
    errors: int
    error: str | None
    details: NotRequired[list[PastLocationDocument]]


class PastRunDocument(TypedDict):
    """A run that is over."""

    run_id: str
    command: str
    trigger: Annotated[str, Trigger]
    ok: bool
    started_at: Moment
    duration_s: float
    corrected_lines: NotRequired[dict[str, int]]
    undone_at: NotRequired[Moment | None]
    steps: list[PastStepDocument]


class RunsDocument(TypedDict):
    """What `history` prints."""

    command: str
    ok: bool
    runs: list[PastRunDocument]


class RunDetailDocument(TypedDict):
    """What `history RUN` prints."""

    command: str
    ok: bool
    run: PastRunDocument
