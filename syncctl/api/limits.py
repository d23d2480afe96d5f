"""Limits for one answer: its rows and their memory, estimated before decoding."""

from typing import Any

from syncctl.errors import FinalApiError

MEMORY_BYTES = 640 * 1024 * 1024
"""Memory limit for a single answer."""

READ_AHEAD_BYTES = 24 * 1024 * 1024
"""Memory limit for all answers being read or waiting to be stored; the earliest may exceed it alone. A usual
one takes two to three megabytes, so that all lanes have room; of larger ones each would only wait longer."""

MOST_VALUES, MOST_CONTAINERS = 100, 10
"""Limits per row: commas, and nested objects and lists. Real rows have some 20 fields, none nested."""

ENVELOPE = 1000
"""Values allowed in an answer besides those of its rows."""

# Measured with json.loads and mapped rows: the most that a value, and an object or list, takes in bytes.
_VALUE, _CONTAINER = 100, 240
_FOUR_BYTES = range(0xF0, 0xF5)
"""The first bytes of the characters beyond U+FFFF in UTF-8. A Python text that has one takes four bytes for
each of its characters."""


def check_size(body: bytes, max_rows: int) -> int:
    """Upper bound of the memory, in bytes, that this answer takes once decoded and mapped.

    Commas and brackets inside texts are counted too; the allowance per row leaves room for that. Raises
    FinalApiError: it has too many rows, or would take more memory than one answer may.
    """
    values = body.count(b",") + 1
    containers = body.count(b"{") + body.count(b"[")
    if values > max_rows * MOST_VALUES + ENVELOPE or containers > max_rows * MOST_CONTAINERS + ENVELOPE:
        raise _too_many(f"{max(values, containers):,} values in one answer, too many for", max_rows)
    width = 1 if body.isascii() else 4 if any(first in body for first in _FOUR_BYTES) else 2
    memory = len(body) * (1 + width) + values * _VALUE + containers * _CONTAINER
    if memory > MEMORY_BYTES:
        raise FinalApiError(
            f"the API sent an answer of {values:,} values, which would take {memory >> 20:,} MiB of memory, "
            f"more than {MEMORY_BYTES >> 20:,}",
            hint="ask for fewer days (--from, --to)",
        )
    return memory


def check_rows(rows: list[Any], max_rows: int) -> list[Any]:
    """Return the rows of an answer. Raises FinalApiError if there are too many."""
    if len(rows) > max_rows:
        raise _too_many(f"{len(rows):,} rows in one answer, more than", max_rows)
    return rows


def _too_many(what: str, max_rows: int) -> FinalApiError:
    return FinalApiError(
        f"the API sent {what} {max_rows:,} rows",
        hint="ask for fewer days (--from, --to) or raise API_MAX_ROWS",
        setting="API_MAX_ROWS",
    )
