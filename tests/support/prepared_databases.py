"""MongoDB databases with syncctl's indexes, given to one test after another: making the indexes anew for each
test takes longer than most tests."""

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from syncctl.storage.registry import open_storage
from tests.support.mongod import with_database

Documents = dict[str, list[dict[str, Any]]]


class PreparedDatabases:
    """Databases on one server that have been prepared and hold nothing else."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._client = MongoClient[dict[str, Any]](server)
        self._documents: Documents = {}
        self._form: dict[str, Any] = {}
        self._names: list[str] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The DATABASE_URL of one that no other test has now."""
        name = self._names.pop() if self._names else self._prepared()
        yield with_database(self._server, name)
        if self._emptied(database := self._client[name]):
            self._names.append(name)
        else:
            self._client.drop_database(database)

    def close(self) -> None:
        """Drop them."""
        for name in self._names:
            self._client.drop_database(name)
        self._client.close()

    def _prepared(self) -> str:
        name = f"syncctl_test_{uuid.uuid4().hex}"
        with closing(open_storage(with_database(self._server, name))) as storage:
            storage.prepare()
        database = self._client[name]
        self._form = form_of(database)
        self._documents = {collection: list(database[collection].find()) for collection in self._form}
        return name

    def _emptied(self, database: Database[dict[str, Any]]) -> bool:
        """Take out what a test has left. Returns whether the database is again as it was prepared: a test may
        have dropped an index, or added a rule."""
        form = form_of(database)
        for collection in form.keys() - self._form.keys():
            database.drop_collection(collection)
        if {collection: form.get(collection) for collection in self._form} != self._form:
            return False
        for collection, documents in self._documents.items():
            database[collection].delete_many({})
            if documents:
                database[collection].insert_many(documents)
        return True


def form_of(database: Database[dict[str, Any]]) -> dict[str, Any]:
    """Each collection's options and indexes."""
    return {
        found["name"]: (found["options"], database[found["name"]].index_information())
        for found in database.list_collections()
    }
