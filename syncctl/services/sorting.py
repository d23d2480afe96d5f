"""The rows of one answer sorted into records, rows of another kind, and rows for the rejects list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from syncctl.errors import InvalidRowError
from syncctl.identity import fingerprint, key_of, source_record
from syncctl.mapping import complete_values, identity_values, report_values
from syncctl.models import LeadValues, SourceRecord, StepName


@dataclass(slots=True)
class SortedRows:
    """What the rows of one answer are.

    `store`: the one that the rows are for ("": unknown). `first_rows`, `item_rows`: the row that made a
    record, and further ones of it, by the record's key.
    """

    report: StepName
    location: str
    rows: Sequence[Any]
    store: str = ""
    records: dict[str, SourceRecord] = field(default_factory=dict)
    first_rows: dict[str, Any] = field(default_factory=dict)
    item_rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    invalid: list[tuple[Any, str]] = field(default_factory=list)
    merged: int = 0
    ignored: int = 0


def sort_rows(report: StepName, location: str, store: str | None, rows: Sequence[Any]) -> SortedRows:
    """Map every row; the first row of each key makes the record."""
    result = SortedRows(report, location, rows, store or "")
    for row in rows:
        try:
            values = identity_values(report, row, store)
        except InvalidRowError as reason:
            result.invalid.append((row, str(reason)))
            continue
        if values is None:
            result.ignored += 1
        elif (key := key_of(values)) in result.records:
            result.merged += 1
            result.item_rows[key].append(row)
        else:
            result.records[key] = source_record(complete_values(report, row, values))
            result.first_rows[key] = row
    return result


def has_changed(answer: SortedRows, record: SourceRecord, last_seen_fingerprint: str) -> bool:
    """Whether the source now says something else of a record than when it was last seen.

    The item rows of one booking differ in item fields, and their order is the API's: as long as any of them
    says what was last seen, nothing has changed.
    """
    if _was_seen(record.values, last_seen_fingerprint):
        return False
    for row in answer.item_rows.get(record.key, ()):
        values = report_values(answer.report, row, record.values["store"])
        if values is not None and _was_seen(values, last_seen_fingerprint):
            return False
    return True


def _was_seen(values: LeadValues, last_seen_fingerprint: str) -> bool:
    """Whether these are the values last seen. Versions before stored a price of 0, which now is none."""
    if fingerprint(values) == last_seen_fingerprint:
        return True
    return (
        "securityAmount" not in values
        and fingerprint({**values, "securityAmount": 0}) == last_seen_fingerprint
    )
