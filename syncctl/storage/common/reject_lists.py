"""The rejects list as the port gives it: in its order, or by location and position."""

from collections.abc import Iterable

from syncctl.domain.records import Reject
from syncctl.ports.storage import RejectPositions


def newest_first(rejects: Iterable[Reject]) -> list[Reject]:
    """By when they were listed, the last first; what one run listed by its place in the source."""
    by_place = sorted(
        rejects, key=lambda reject: (reject.source, reject.location, reject.position, reject.reject_id)
    )
    return sorted(by_place, key=lambda reject: reject.rejected_at, reverse=True)


def by_location(places: Iterable[tuple[str, str, str]]) -> RejectPositions:
    """Rejects given as location, position and id."""
    positions: RejectPositions = {}
    for location, position, reject_id in places:
        positions.setdefault(location, {}).setdefault(position, []).append(reject_id)
    return positions
