"""How far each location has been synced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LocationState:
    """How far one report of one location has been synced.

    `watermark`: start of the last run that stored everything up to then, or None. `asked_at`: when it last
    answered with anything, and for a dormant one, when it last answered. `tried_at`: when it was last asked,
    whatever came of it. `dormant`: it had nothing in its whole window. `due_again`: how many of the
    rows in its last whole answer the next one must have as well; `recent`: how many records of its last
    answer are dated in the days that are always looked at again. `audited_at`: when it last answered for its
    whole window; `audit_tried_at`: when an audit last asked it, whether it answered or not. `doubted_since`:
    since when its answers are too thin, or look capped, to be believed.
    """

    location: str
    watermark: datetime | None = None
    asked_at: datetime | None = None
    tried_at: datetime | None = None
    dormant: bool = False
    due_again: int = 0
    recent: int = 0
    audited_at: datetime | None = None
    audit_tried_at: datetime | None = None
    doubted_since: datetime | None = None
