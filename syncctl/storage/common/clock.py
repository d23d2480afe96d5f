"""The present moment, as the adapters stamp what they write, and how long they may wait for a database."""

import time
from datetime import UTC, datetime

END_S = 2.0
"""What a run whose time is over may still wait for each call of the database: it has to note how it ended."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def seconds_until(deadline: float) -> float:
    """How long a call may wait that is made now. `deadline`: the monotonic clock's seconds."""
    return max(END_S, deadline - time.monotonic())
