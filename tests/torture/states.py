"""What a database holds that must be the same however often a run was disturbed, and the way back to it."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from tests.support.oracle import key_of
from tests.support.webapp import Lead, MongoApp, SqliteApp
from tests.support.world import World
from tests.torture.tally import tally

Row = dict[str, Any]
App = MongoApp | SqliteApp

OF_THE_RUN = frozenset({"runId", "rejectedAt", "firstSeenAt", "firstRunId", "changedAt"})
"""Fields that tell which run wrote a document, and when: a run that takes over writes its own."""


@dataclass(frozen=True)
class State:
    """`leads`, `records`, `rejects`: whole documents by id, without what is OF_THE_RUN. `stores`: names."""

    leads: dict[str, Lead]
    records: dict[str, Row]
    rejects: dict[str, Row]
    stores: list[str]


def state_of(app: App, *, without: Collection[str] = ()) -> State:
    """What the database holds now, its leads without some fields."""
    return State(
        leads={
            lead["_id"]: {field: value for field, value in lead.items() if field not in without}
            for lead in app.leads()
        },
        records=_by_id(app.all("syncrecords")),
        rejects=_by_id(app.all("syncrejects")),
        stores=sorted(store["name"] for store in app.all("stores")),
    )


def assert_as_undisturbed(found: State, undisturbed: State) -> None:
    """Count what was lost, doubled or overwritten, and fail if anything at all differs."""
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


def assert_nothing_is_missing(world: World) -> None:
    """Each record that the sandbox has now is one lead, and there is no other lead. Counts what is not so."""
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
    return {
        str(document["_id"]): {
            field: value
            for field, value in document.items()
            if field not in OF_THE_RUN and not isinstance(value, ObjectId)
        }
        for document in documents
    }


class Rewind:
    """A copy of a whole database, to go back to."""

    def __init__(self, app: App, url: str) -> None:
        self._app = app
        self._url = url
        if isinstance(app, SqliteApp):
            self._copy = sqlite3.connect(":memory:")
            app._database.backup(self._copy)
        else:
            self._documents = {name: app.all(name) for name in app._database.list_collection_names()}

    def __call__(self) -> None:
        """Go back."""
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
        """Let go of the copy."""
        if isinstance(self._app, SqliteApp):
            self._copy.close()
