"""The database content that must be equal however often a run was interrupted, and a way to restore it."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pymongo import MongoClient

from tests.chaos.tally import tally
from tests.support.oracle import key_of
from tests.support.webapp import Lead, MongoApp, SqliteApp
from tests.support.world import World

Row = dict[str, Any]
App = MongoApp | SqliteApp

OF_THE_RUN = frozenset(
    {"runId", "rejectedAt", "closedAt", "firstSeenAt", "firstRunId", "changedAt", "written"}
)
"""Fields that name the run that wrote a document, and when: a run that takes over writes its own."""

OF_THE_DATABASE = frozenset({"_id", "createdAt", "updatedAt", "importedAt", "fetchedAt"})
"""Fields that the database sets itself on each write."""

OF_THE_CLOCK = frozenset(
    {"watermark", "askedAt", "triedAt", "dueAgain", "recent", "auditedAt", "auditTriedAt"}
)
"""Progress fields that depend on the time of the call."""

PROGRESS = {
    "syncstate": ("report", "location"),
    "syncfiles": ("kind", "name"),
    "syncstorelist": ("code",),
}
"""SQLite's tables for the sync's progress, with their keys. MongoDB has one collection."""


@dataclass(frozen=True)
class State:
    """The content of a database."""

    leads: dict[str, Lead]
    """By id, without OF_THE_RUN."""

    records: dict[str, Row]
    """By id, likewise."""

    rejects: dict[str, Row]
    """By id, likewise."""

    stores: list[Row]
    """In order."""

    progress: dict[str, Row]
    """Each location's progress, the files' hashes and the store list, by their keys."""

    runs: set[str]
    """The start times in the history."""

    def without_times(self) -> "State":
        """The same without everything that depends on the time of the run."""
        progress = {key: _without(told, OF_THE_CLOCK) for key, told in self.progress.items()}
        return replace(self, progress=progress, runs=set())


def state_of(app: App, *, without: Collection[str] = ()) -> State:
    """The current content, its leads without some fields; if any are given, it comes from runs by the real
    clock, so everything that depends on time is left out too."""
    stores = [_without(store, OF_THE_DATABASE) for store in app.all("stores")]
    state = State(
        leads={lead["_id"]: _without(lead, without) for lead in app.leads()},
        records=_by_id(app.all("syncrecords")),
        rejects=_by_id(app.all("syncrejects")),
        stores=sorted(stores, key=lambda store: (store["name"], str(store["code"]))),
        progress={key: _without(told, OF_THE_DATABASE) for key, told in _progress(app)},
        runs={str(run["startedAt"]) for run in app.all("syncruns")},
    )
    return state.without_times() if without else state


def assert_as_undisturbed(found: State, undisturbed: State) -> None:
    """Count what was lost, duplicated or overwritten, and fail on any difference."""
    lost = undisturbed.leads.keys() - found.leads.keys()
    extra = found.leads.keys() - undisturbed.leads.keys()
    other = {
        lead_id: (found.leads[lead_id], lead)
        for lead_id, lead in undisturbed.leads.items()
        if lead_id in found.leads and found.leads[lead_id] != lead
    }
    tally.add("leads lost", len(lost))
    tally.add("leads duplicated", len(extra))
    tally.add("edits overwritten", len(other))
    assert (lost, extra, other) == (set(), set(), {})
    assert _differences(found.records, undisturbed.records) == []
    assert _differences(found.rejects, undisturbed.rejects) == []
    assert found.stores == undisturbed.stores
    assert _differences(found.progress, undisturbed.progress) == []
    assert found.runs == undisturbed.runs


def assert_nothing_is_missing(world: World) -> None:
    """Each of the sandbox's records is one lead, and there are no other leads. Counts deviations."""
    found = Counter(key_of(lead) for lead in world.app.leads())
    wanted = Counter(list(world.expected().leads))
    tally.add("leads lost", (wanted - found).total())
    tally.add("leads duplicated", (found - wanted).total())
    assert found == wanted


def _differences(found: dict[str, Row], wanted: dict[str, Row]) -> list[tuple[str, Row | None, Row | None]]:
    return [
        (document_id, found.get(document_id), wanted.get(document_id))
        for document_id in sorted(found.keys() | wanted.keys())
        if found.get(document_id) != wanted.get(document_id)
    ]


def _by_id(documents: Iterable[Row]) -> dict[str, Row]:
    return {str(document["_id"]): _without(document, OF_THE_RUN) for document in documents}


def _without(document: Row, fields: Collection[str]) -> Row:
    return {field: value for field, value in document.items() if field not in fields}


def _progress(app: App) -> Iterator[tuple[str, Row]]:
    if isinstance(app, SqliteApp):
        for table, key in PROGRESS.items():
            for told in app.all(table):
                yield ":".join((table, *(told[field] for field in key))), told
    else:
        for told in app.all("syncstate"):
            # What was measured or counted, and when, is no progress.
            if "dialect" not in told and "countedAt" not in told:
                yield told["_id"], told


class Rewind:
    """A copy of a whole database, to be restored."""

    def __init__(self, app: App, url: str) -> None:
        self._app = app
        self._url = url
        if isinstance(app, SqliteApp):
            self._copy = sqlite3.connect(":memory:")
            app._database.backup(self._copy)
        else:
            self._documents = {name: app.all(name) for name in app._database.list_collection_names()}

    def __call__(self) -> None:
        """Restore it."""
        if isinstance(self._app, SqliteApp):
            self._copy.backup(self._app._database)
            return
        # Journalled: a server that is killed right afterwards must have all of it.
        with MongoClient[Row](self._url, w="majority", journal=True) as client:
            database = client.get_default_database()
            for name in database.list_collection_names():
                database[name].delete_many({})
                if documents := self._documents.get(name):
                    database[name].insert_many(documents)

    def close(self) -> None:
        """Discard the copy."""
        if isinstance(self._app, SqliteApp):
            self._copy.close()
