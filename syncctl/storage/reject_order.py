"""The order of the rejects list."""

from collections.abc import Iterable

from syncctl.models import Reject


def newest_first(rejects: Iterable[Reject]) -> list[Reject]:
    """By when they were listed, the last first; what one run listed by its place in the source."""
    by_place = sorted(
        rejects, key=lambda reject: (reject.source, reject.location, reject.position, reject.reject_id)
    )
    return sorted(by_place, key=lambda reject: reject.rejected_at, reverse=True)
