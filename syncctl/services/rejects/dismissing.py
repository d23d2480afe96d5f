"""Takes rejects off the list unsaved, for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncctl.domain.records import Reject, RejectAnswer
from syncctl.errors import UsageError
from syncctl.ports.storage import Storage
from syncctl.services.rejects.correcting import ANSWERS_KEPT, MOST_ANSWERS_KEPT
from syncctl.services.rejects.reject_sheets import ids_in

SHORTEST_ID = 6
"""Characters of an id that name a reject: a slip of the finger must not dismiss one for good."""


def rejects_by_id(storage: Storage, asked: Sequence[str]) -> list[Reject]:
    """The rejects with these ids, or with ids that begin so, each once.

    Raises:
        UsageError: no reject on the list has one of them, or several have, or it is too short.
        StorageError: the database refused.
    """
    listed = storage.rejects()
    found: dict[str, Reject] = {}
    problems = []
    for beginning in (each for written in asked for each in ids_in(written) or ("",)):
        matching = [reject for reject in listed if beginning and reject.reject_id.startswith(beginning)]
        exact = [reject for reject in matching if reject.reject_id == beginning]
        if len(exact or matching) == 1 and len(beginning) >= SHORTEST_ID:
            (reject,) = exact or matching
            found[reject.reject_id] = reject
        elif beginning and len(beginning) < SHORTEST_ID:
            problems.append(f"{beginning!r} is too short to name a reject: give {SHORTEST_ID} characters")
        elif matching:
            problems.append(
                f"{len(matching)} rejects have an id that begins with {beginning!r}: give more of it"
            )
        else:
            problems.append(f"no reject on the list has the id {beginning!r}")
    if problems:
        raise UsageError(
            f"Nothing was dismissed: {'; '.join(problems)}.",
            hint="`syncctl rejects list` shows the ids, on a terminal or with --json.",
        )
    return list(found.values())


def dismiss(storage: Storage, rejects: Sequence[Reject], at: datetime) -> None:
    """Take these off the list. Raises StorageError."""
    storage.close_rejects(rejects, RejectAnswer.DISMISSED, at)
    storage.forget_closed_rejects(at - ANSWERS_KEPT, MOST_ANSWERS_KEPT)
