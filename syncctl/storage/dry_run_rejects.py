"""The rejects list of a dry run."""

from collections.abc import Sequence
from datetime import datetime

from syncctl.domain.records import Reject, RejectAnswer
from syncctl.ports.storage import OpenRejects, RejectPositions, Storage, Texts
from syncctl.storage.common.own_collections import by_location, newest_first


class DryRunRejects:
    """The part of `DryRunStorage` that is about rejects."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._rejects: dict[str, Reject] = {}
        self._amended: dict[str, Reject] = {}
        self._closed: dict[str, Reject] = {}
        self._cleared: set[str] = set()

    def reject_positions(self, source: str, location: str | None = None) -> RejectPositions:
        listed = [
            (listed_of, position, reject_id)
            for listed_of, positions in self._storage.reject_positions(source, location).items()
            for position, reject_ids in positions.items()
            for reject_id in reject_ids
            if reject_id not in self._cleared
        ]
        listed += [
            (reject.location, reject.position, reject.reject_id)
            for reject in (*self._rejects.values(), *self._closed.values())
            if reject.source == source and location in (None, reject.location)
        ]
        return by_location(listed)

    def rejects(self, source: str | None = None) -> list[Reject]:
        listed = [
            self._amended.get(reject.reject_id, reject)
            for reject in self._storage.rejects(source)
            if reject.reject_id not in self._cleared
        ]
        listed += [reject for reject in self._rejects.values() if source in (None, reject.source)]
        return newest_first(listed)

    def open_rejects(self) -> OpenRejects:
        rejects = self.rejects()
        return OpenRejects(len(rejects), min((each.rejected_at for each in rejects), default=None))

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        listed = {
            reject_id
            for source, location in {(reject.source, reject.location) for reject in rejects}
            for reject_ids in self.reject_positions(source, location).get(location, {}).values()
            for reject_id in reject_ids
        }
        fresh = {reject.reject_id: reject for reject in rejects if reject.reject_id not in listed}
        self._rejects |= fresh
        return len(fresh)

    def closed_rejects(self, source: str, location: str | None = None) -> set[str]:
        closed = {
            reject.reject_id
            for reject in self._closed.values()
            if reject.source == source and location in (None, reject.location)
        }
        return closed | self._storage.closed_rejects(source, location) - self._cleared

    def amend_rejects(self, rejects: Sequence[Reject]) -> None:
        listed = {reject.reject_id for reject in self.rejects()}
        amended = {reject.reject_id: reject for reject in rejects if reject.reject_id in listed}
        self._amended |= amended

    def close_rejects(self, rejects: Sequence[Reject], answer: RejectAnswer, at: datetime) -> None:
        self.clear_rejects([reject.reject_id for reject in rejects])
        self._closed |= {reject.reject_id: reject for reject in rejects}

    def forget_closed_rejects(self, before: datetime, most: int) -> None:
        """Not done: nothing that follows reads it."""

    def clear_rejects(self, reject_ids: Texts) -> None:
        self._cleared.update(reject_ids)
        for reject_id in reject_ids:
            self._rejects.pop(reject_id, None)
            self._closed.pop(reject_id, None)
