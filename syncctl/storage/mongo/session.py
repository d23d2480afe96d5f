"""One connection to a MongoDB database: made at first use, with the driver's errors translated."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime

import pymongo
from pymongo import MongoClient, ReadPreference
from pymongo.database import Database

from syncctl.domain.identity import KEY_RULES
from syncctl.domain.lead_values import Document
from syncctl.errors import NewerDatabaseError, StorageError
from syncctl.ports.waiting import DatabaseWait, waiting
from syncctl.storage.common.clock import seconds_until, utc_now
from syncctl.storage.common.own_documents import OwnDocuments
from syncctl.storage.mongo.address import connect, read_address
from syncctl.storage.mongo.documents import own_document
from syncctl.storage.mongo.errors import translated
from syncctl.storage.mongo.facts import check_ids_are_unique, say_hello
from syncctl.storage.mongo.indexes import create_indexes
from syncctl.storage.mongo.waits import WaitListener

CLOSE_S = 0.5
KEY_RULES_ID = "key-rules"
"""The document of syncstate that says by which rules the keys of the records are made."""


class MongoSession:
    """The lead database on a MongoDB server, replica set or Atlas. Connects at first use.

    `url` names the database in its path; SettingsError if it does not, or can't be read. A server that can't
    be reached fails `prepare` after `server_selection_timeout_ms`; any later operation waits up to
    `timeout_ms`, which outlasts a replica set's election. With `read_only`, every write raises StorageError.
    """

    def __init__(
        self,
        url: str,
        *,
        server_selection_timeout_ms: int = 5000,
        timeout_ms: int = 15000,
        read_only: bool = False,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._address = read_address(url)
        self._server_selection_timeout_ms = server_selection_timeout_ms
        self._timeout_ms = timeout_ms
        self._read_only = read_only
        self._now = now
        self._own = OwnDocuments(own_document)
        self._waits = WaitListener(f"MongoDB at {self._address.hosts}")
        self._client: MongoClient[Document] | None = None
        self._deadline = math.inf
        self._hello: Document | None = None

    def prepare(self) -> None:
        """Read from the server, which shows whether it is there and lets this user in; then make indexes, and
        store the version of the key rules.

        Raises:
            NewerDatabaseError: the keys in it are made by newer rules.
            SettingsError: a sharded cluster would take one lead twice.
        """
        with self._database() as database, self._timeout(seconds_until(self._deadline)):
            # A client with timeoutMS ignores serverSelectionTimeoutMS, so a dead server would take all of it.
            limit_s = database.client.options.server_selection_timeout
            wait = DatabaseWait(f"MongoDB at {self._address.hosts}", limit_s)
            with pymongo.timeout(limit_s), waiting(wait):
                stored = database.syncstate.find_one({"_id": KEY_RULES_ID}) or {}
                check_ids_are_unique(database, self._server(database))
            version = stored.get("version")
            if isinstance(version, int) and version > KEY_RULES:
                raise NewerDatabaseError(f"The MongoDB database at {self._address.hosts}")
            if not self._read_only:
                create_indexes(database)
                if version != KEY_RULES:
                    # Earlier rules' records are found too: docs/decisions/0003-key-rules-have-a-version.md.
                    newer = {"$max": {"version": KEY_RULES}}
                    database.syncstate.update_one({"_id": KEY_RULES_ID}, newer, upsert=True)

    def set_deadline(self, deadline: float) -> None:
        self._deadline = deadline

    def close(self) -> None:
        if self._client is not None:
            with pymongo.timeout(CLOSE_S):  # the driver ends its sessions on the server, which may hang
                self._client.close()
            self._client = None

    @contextmanager
    def _database(self) -> Iterator[Database[Document]]:
        with translated(self._address.hosts):
            if self._client is None:
                self._client = connect(
                    self._address,
                    self._waits,
                    server_selection_timeout_ms=self._server_selection_timeout_ms,
                    timeout_ms=self._timeout_ms,
                )
            # A secondary may not know yet what the last run stored.
            yield self._client.get_database(self._address.database, read_preference=ReadPreference.PRIMARY)

    @contextmanager
    def _reading(self) -> Iterator[Database[Document]]:
        with self._database() as database, self._waits.operation():
            limited = self._deadline < math.inf  # else each command by itself, by the client's own limit
            with self._timeout(self._limit_s(database)) if limited else nullcontext():
                yield database

    def _limit_s(self, database: Database[Document]) -> float:
        """How long the server may take now, in seconds."""
        return min(database.client.options.timeout or math.inf, seconds_until(self._deadline))

    @staticmethod
    def _timeout(seconds: float) -> AbstractContextManager[None]:
        return pymongo.timeout(seconds) if seconds < math.inf else nullcontext()

    def _server(self, database: Database[Document]) -> Document:
        """What the server says of itself."""
        if self._hello is None:
            self._hello = say_hello(database)
        return self._hello

    @contextmanager
    def _writing(self) -> Iterator[Database[Document]]:
        if self._read_only:
            raise StorageError(f"MongoDB at {self._address.hosts} was opened for reading only.")
        with self._reading() as database:
            yield database
