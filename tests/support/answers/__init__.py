"""Bodies of answers that are easily taken for something else (made-up persons)."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def item_rows() -> Any:
    """A booking report of two bookings, each of two item rows that complete each other."""
    return json.loads((FOLDER / "item_rows.json").read_text(encoding="utf-8"))


def errors_without_rows() -> list[Any]:
    """Answers under status 200 that have no rows, as the call failed."""
    bodies: list[Any] = json.loads((FOLDER / "errors_without_rows.json").read_text(encoding="utf-8"))
    return bodies
