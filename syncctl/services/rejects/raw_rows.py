"""A rejected row as the JSON text that the rejects list keeps, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from syncctl.domain.identity import SEPARATOR, derived_id
from syncctl.domain.records import Reject

MAX_RAW_ROW = 100_000
"""Characters kept of a raw row: a MongoDB document must stay under 16 MB."""

MAX_NESTING = 100
"""Levels of nesting kept: Python's JSON parser gives up after some hundreds, fewer on a deep stack."""


def raw_text(row: object, *, sort_keys: bool = True) -> str:
    """A row as JSON text that can be read again, however deep the reader's own stack is by then; one that is
    too long is cut, and no JSON any more."""
    try:
        raw = json.dumps(row, sort_keys=sort_keys)
    except RecursionError:
        return raw_text(_flattened(row, MAX_NESTING), sort_keys=sort_keys)
    if raw.count("[") + raw.count("{") > MAX_NESTING:
        raw = json.dumps(_flattened(row, MAX_NESTING), sort_keys=sort_keys)
    return raw if len(raw) <= MAX_RAW_ROW else raw[:MAX_RAW_ROW] + "…"


def _flattened(value: object, levels: int) -> object:
    if not isinstance(value, list | dict):
        return value
    if not levels:
        return "nested too deeply to be kept"
    if isinstance(value, list):
        return [_flattened(item, levels - 1) for item in value]
    return {name: _flattened(item, levels - 1) for name, item in value.items()}


def reject_id_of(*parts: str) -> str:
    """The id of a reject. `parts`: its source, where it stands, and its raw text."""
    return derived_id(SEPARATOR.join(("reject", *parts)))


def raw_row(reject: Reject, unreadable: str | None = None) -> Any:
    """The raw row; `unreadable` where it was too long to be kept whole, or is nested too deeply."""
    try:
        return json.loads(reject.row)
    except (ValueError, RecursionError):
        return unreadable


def row_values(reject: Reject) -> Mapping[str, Any]:
    """The raw row by its fields or titles; under "row" if it isn't an object with fields."""
    row = raw_row(reject, unreadable=reject.row)
    return row if isinstance(row, Mapping) else {"row": row}
