"""The rejects list for a person: filtered, and shown without phone numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypedDict

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.records import Reject
from syncctl.domain.run_documents import Moment, instant
from syncctl.domain.sources import FILE_STEPS
from syncctl.mapping.api_rows import BOOKING_NO, FUNCTION_DATE, NAME, OWN_DATES, PHONE
from syncctl.ports.storage import Storage
from syncctl.safe_output.redact import mask_phones, redacted
from syncctl.services.rejects.raw_rows import row_values
from syncctl.text import normalize_text

_FIRST_OF_REPORTS = (
    *BOOKING_NO,
    *NAME,
    *PHONE,
    *(title for titles in OWN_DATES for title in titles),
    *FUNCTION_DATE,
)


class RejectFilter(NamedTuple):
    """Which rejects are wanted."""

    kind: str | None = None
    """Of this kind only (a step's name)."""

    reason: str | None = None
    """With this text in the reason."""

    where: str | None = None
    """Of this file or location."""

    store: str | None = None
    """Of this store, by its canonical name."""

    @property
    def is_choice(self) -> bool:
        """Whether it leaves any out."""
        return self != RejectFilter()

    def matches(self, reject: Reject) -> bool:
        return (
            (self.reason is None or normalize_text(self.reason) in normalize_text(reject.reason))
            and (self.where is None or normalize_text(self.where) == normalize_text(reject.location))
            and (self.store is None or self.store == reject.store)
        )


def find_rejects(storage: Storage, wanted: RejectFilter) -> list[Reject]:
    """The matching rejects, newest first. Raises StorageError."""
    return [reject for reject in storage.rejects(wanted.kind) if wanted.matches(reject)]


def sheet_and_row(reject: Reject) -> tuple[str, int | None]:
    """A reject's position in its file; ("", None) for one from the API."""
    if reject.source not in FILE_STEPS:
        return "", None
    sheet, _, number = reject.position.rpartition(SEPARATOR)
    return sheet, int(number) if number.isdigit() else None


class RejectDocument(TypedDict):
    """A reject as plain data; `values` are the row as it came."""

    id: str
    kind: str
    where: str
    store: str
    sheet: str
    row: int | None
    reason: str
    rejected_at: Moment
    run_id: str
    values: dict[str, Any]


def reject_document(reject: Reject) -> RejectDocument:
    """A reject as plain data."""
    sheet, number = sheet_and_row(reject)
    return {
        "id": reject.reject_id,
        "kind": reject.source,
        "where": reject.location,
        "store": reject.store,
        "sheet": sheet,
        "row": number,
        "reason": reject.reason,
        "rejected_at": instant(reject.rejected_at),
        "run_id": reject.run_id,
        "values": dict(row_values(reject)),
    }


def in_order(source: str, titles: Iterable[str]) -> list[str]:
    """The titles of a row as a person wants them: a report's keep no order of their own, so what identifies
    the customer comes first. `source`: the step's name."""
    if source in FILE_STEPS:
        return list(titles)
    first = {title: rank for rank, title in enumerate(_FIRST_OF_REPORTS)}
    return sorted(titles, key=lambda title: first.get(title, len(first)))


def masked_document(reject: Reject) -> RejectDocument:
    """Like reject_document, but anything that may be a phone number shows only its first and last two
    digits."""
    document = reject_document(reject)
    values = redacted(document["values"], _masked, numbers=True)
    return {**document, "reason": _masked(document["reason"]), "values": values}


def _masked(text: str) -> str:
    return mask_phones(text, mistyped=True)
