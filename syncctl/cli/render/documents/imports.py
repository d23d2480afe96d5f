"""What imports and the commands about rejects print with `--json`, key by key."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from syncctl.domain.row_decisions import RowAction
from syncctl.domain.run_documents import CountsDocument, ErrorDocument, ResultDocument, RunDocument
from syncctl.domain.sources import StepName
from syncctl.services.rejects.correcting import LineOutcome
from syncctl.services.rejects.reject_list import RejectDocument


class PreviewedFieldDocument(TypedDict):
    """A field of a row: as it is, as the file says, as it would become."""

    field: str
    now: str | None
    file: str | None
    becomes: str | None


class PreviewedRowDocument(TypedDict):
    """What an import would do to a row."""

    file: str
    sheet: str
    row: int
    action: Annotated[str, RowAction]
    reason: str
    lead_id: str | None
    fields: list[PreviewedFieldDocument]


class PreviewHeadDocument(RunDocument):
    """A dry run of an import without its rows."""

    preview_hash: str


class PreviewDocument(PreviewHeadDocument):
    """A dry run of an import; with an error where the rows could not be printed to their end."""

    preview: list[PreviewedRowDocument]
    error: NotRequired[ErrorDocument]


class TakenColumnDocument(TypedDict):
    """A column that is taken for something."""

    letter: str
    title: str
    column: str
    rank: int
    fields: list[str]
    samples: list[str]


class LeftOverColumnDocument(TypedDict):
    """A column that is taken for nothing."""

    letter: str
    title: str
    samples: list[str]
    line: str


class MissingFieldDocument(TypedDict):
    """A field that no column is for."""

    field: str
    columns: list[str]


class HeaderDocument(TypedDict):
    """What a row of titles is taken for."""

    row: int
    is_header: bool
    taken: list[TakenColumnDocument]
    left_over: list[LeftOverColumnDocument]
    missing: list[MissingFieldDocument]


class SheetDocument(TypedDict):
    """What a sheet's headers are taken for."""

    name: str
    headers: list[HeaderDocument]


class ColumnsDocument(ResultDocument):
    """What `import columns` prints."""

    file: str
    kind: Annotated[str, StepName]
    sheets: list[SheetDocument]
    problems: list[str]
    hidden_sheets: list[str]


class RejectsDocument(ResultDocument):
    """What `rejects list` prints."""

    rejects: list[RejectDocument]


class CorrectedLineDocument(TypedDict):
    """A line of a corrected sheet."""

    sheet: str
    row: int
    ids: list[str]
    outcome: Annotated[str, LineOutcome]
    reason: str
    kind: str | None
    where: str | None
    store: str | None


class CorrectionOutcomesDocument(TypedDict):
    """Each outcome and how many lines it has."""

    fixed: int
    still_invalid: int
    unchanged: int
    not_listed: int
    without_id: int
    repeated: int


class CorrectionDocument(CorrectionOutcomesDocument):
    """What `rejects import` prints."""

    command: str
    ok: bool
    run_id: str
    dry_run: bool
    listed: int
    lines: list[CorrectedLineDocument]


class RetryDocument(CountsDocument):
    """What `rejects retry` prints."""

    command: str
    ok: bool
    run_id: str | None
    dry_run: bool


class DismissedDocument(ResultDocument):
    """What `rejects dismiss` prints."""

    dismissed: list[str]
    planned: NotRequired[list[str]]
