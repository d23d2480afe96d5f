"""What a command prints with `--json` that ends with an error, key by key."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from syncctl.domain.run_documents import ResultDocument, RunDocument


class ErrorDocument(TypedDict):
    """Why a command has failed."""

    exit_code: int
    message: str
    hint: str | None


class FailedDocument(ResultDocument):
    """What any command prints that ends with an error."""

    error: ErrorDocument


class RunWithErrorDocument(RunDocument):
    """A run; with an error where it was broken off, or where something failed after it."""

    error: NotRequired[ErrorDocument]
