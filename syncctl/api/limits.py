"""How much an answer may hold: its rows, and the memory that they take, reckoned before they are decoded."""

import re
from typing import Any

from syncctl.errors import FinalApiError

MEMORY_BYTES = 640 * 1024 * 1024
"""What all answers may take together that are being read or wait to be stored, and what one may take."""

MOST_VALUES, MOST_CONTAINERS = 100, 10
"""Of one row: commas, and objects and lists in it. A row has some 20 fields, none of which holds others."""

ENVELOPE = 1000
"""Values that an answer may have beside those of its rows."""

# Measured with json.loads and sort_rows: what a value, and an object or list, takes at most, in bytes.
_VALUE, _CONTAINER = 100, 240
_BEYOND_BMP = re.compile(rb"[\xf0-\xff]")


def check_size(body: bytes, max_rows: int) -> int:
    """How many bytes of memory this answer takes once it is decoded and its rows are mapped, at most.

    Text may hold commas and brackets of its own: what a row may have leaves room for that.

    Raises:
        FinalApiError: it can't be an answer of so few rows, or takes more memory than one may.
    """
    values = body.count(b",") + 1
    containers = body.count(b"{") + body.count(b"[")
    if values > max_rows * MOST_VALUES + ENVELOPE or containers > max_rows * MOST_CONTAINERS + ENVELOPE:
        raise _too_many(f"{max(values, containers):,} values in one answer, too many for", max_rows)
    width = 1 if body.isascii() else 4 if _BEYOND_BMP.search(body) else 2
    memory = len(body) * (1 + width) + values * _VALUE + containers * _CONTAINER
    if memory > MEMORY_BYTES:
        raise FinalApiError(
            f"the API sent an answer of {values:,} values, which would take {memory >> 20:,} MiB of memory, "
            f"more than {MEMORY_BYTES >> 20:,}",
            hint="ask for fewer days (--from, --to)",
        )
    return memory


def check_rows(rows: list[Any], max_rows: int) -> list[Any]:
    """The rows of an answer. Raises FinalApiError where they are too many."""
    if len(rows) > max_rows:
        raise _too_many(f"{len(rows):,} rows in one answer, more than", max_rows)
    return rows


def _too_many(what: str, max_rows: int) -> FinalApiError:
    return FinalApiError(
        f"the API sent {what} {max_rows:,} rows",
        hint="ask for fewer days (--from, --to) or raise API_MAX_ROWS",
        setting="API_MAX_ROWS",
    )
