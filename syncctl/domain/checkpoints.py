"""How far each location has been synced."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class LocationState(NamedTuple):
    """How far one report of one location has been synced. None: never."""

    location: str

    watermark: datetime | None = None
    """Start of the last run that stored everything up to then."""

    answered_at: datetime | None = None
    """When it last answered with any rows; for a dormant location, when it last answered at all."""

    tried_at: datetime | None = None
    """When it was last asked, whether it answered or not."""

    dormant: bool = False
    """Whether it had nothing in its whole window."""

    due_again: int = 0
    """How many of the rows in its last whole answer the next one must have as well."""

    recent: int = 0
    """How many records of its last answer are dated in the days that are always looked at again."""

    audited_at: datetime | None = None
    """When it last answered for its whole window."""

    audit_tried_at: datetime | None = None
    """When an audit last asked it, whether it answered or not."""

    doubted_since: datetime | None = None
    """Since when its answers are too thin, or look capped, to be believed."""
