"""What the torture tests tried and what came of it, counted for the table in docs/proofs.md."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

TRIED = {
    "kills at a write": "Runs killed at a write to the database, before it or after it",
    "interrupts": "Runs interrupted by SIGINT or SIGTERM wherever the code stands",
    "kills": "Processes ended by SIGKILL, SIGTERM or SIGINT at a random instant",
    "faulted cycles": "Whole `api` runs against an API with faults",
    "wire attacks": "Endless, huge, packed, redirected, unencrypted or undirected answers",
    "failovers": "MongoDB killed, restarted, frozen or stepped down in mid-run, alone and as a replica set",
    "database troubles": "Databases full, read-only, locked, damaged, or without the rights",
    "overlapping runs": "Commands at once on one database, with one lock file or several",
    "lock troubles": "Lock files left behind, unreadable, read-only; clocks set back",
    "state machine steps": "Steps of random histories: source, telecaller and sync in turns",
    "garbage rows": "Different rows of garbage: API and files",
    "garbage settings": "Settings and command lines of garbage",
}
"""What is counted as tried -> its name in the table."""

OUTCOMES = {
    "leads lost": "Leads lost",
    "leads duplicated": "Leads duplicated",
    "edits overwritten": "Telecallers' edits overwritten",
    "tracebacks": "Tracebacks",
}
"""Outcomes that must have count 0 -> their names in the table."""


LONG_RUN = (
    (("kills at a write", "kills"), 1_000),
    (("faulted cycles",), 500),
    (("failovers",), 50),
    (("garbage rows",), 100_000),
)
"""Minimum counts for a run to be called a long one."""


class Tally:
    """Counts of one session."""

    def __init__(self) -> None:
        self.counts = Counter[str](dict.fromkeys((*TRIED, *OUTCOMES), 0))

    def add(self, name: str, count: int = 1) -> None:
        """Count something listed in TRIED or OUTCOMES. KeyError: it is in neither."""
        if name not in self.counts:
            raise KeyError(name)
        self.counts[name] += count

    def write(self, path: Path, session: dict[str, Any]) -> None:
        """Write the counts and the session's facts as JSON."""
        document = {"session": session, "counts": dict(self.counts)}
        path.write_text(json.dumps(document, indent=2) + "\n")


tally = Tally()
"""The session's."""
