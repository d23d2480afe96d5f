"""What goes wrong with a MongoDB server: the error, in time, and without a secret or a customer's data."""

import math
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from types import SimpleNamespace
from typing import Any, Protocol, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from syncctl.cli.terminal.waiting import WaitLine
from syncctl.domain.lead_values import Document
from syncctl.errors import SettingsError, StorageError, StorageUnavailableError
from syncctl.ports.waiting import DatabaseWait, watched_by
from syncctl.storage.mongo.storage import MongoStorage
from syncctl.storage.mongo.waits import WaitListener
from tests.contract.samples import lead, record, text_id
from tests.support.waits import seen_waits


class FailCommand(Protocol):
    def __call__(self, *commands: str, **failure: Any) -> AbstractContextManager[None]: ...


@pytest.fixture
def fail_command(mongo_server: str) -> Iterator[FailCommand]:
    """Makes the server fail commands of syncctl's, by the failpoint that drivers are tested with."""
    with MongoClient[Document](mongo_server) as client:

        @contextmanager
        def fail_command(*commands: str, **failure: Any) -> Iterator[None]:
            data = {"failCommands": list(commands), "appName": "syncctl", **failure}
            try:
                client.admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})
            except OperationFailure:
                pytest.skip("the server does not run with enableTestCommands")
            try:
                yield
            finally:
                client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})

        yield fail_command


@pytest.fixture
def storage(prepared_mongo_url: str) -> Iterator[MongoStorage]:
    storage = MongoStorage(prepared_mongo_url, timeout_ms=5000)
    storage.prepare()
    yield storage
    storage.close()


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        url = f"mongodb://admin:hunter2@{host}/leads"
        began = time.monotonic()
        with (
            closing(MongoStorage(url, server_selection_timeout_ms=200)) as storage,
            pytest.raises(StorageUnavailableError) as caught,
            seen_waits() as waits,
        ):
            storage.prepare()
    assert waits == [DatabaseWait(f"MongoDB at {host}", 0.2)]
    assert time.monotonic() - began < 2
    assert str(caught.value) == (
        f"MongoDB at {host} can't be reached ({host}: [Errno 111] Connection refused): "
        "is it running, is DATABASE_URL right?"
    )
    assert caught.value.exit_code == 69


def test_a_server_that_is_gone_by_then_is_waited_for_and_that_is_announced() -> None:
    """As where a replica set has lost its primary: no command is sent until there is one again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        with (
            closing(MongoStorage(f"mongodb://{host}/leads", timeout_ms=100)) as storage,
            pytest.raises(StorageUnavailableError),
            seen_waits() as waits,
        ):
            storage.count_leads()
    assert waits == [DatabaseWait(f"MongoDB at {host}", math.inf)]


def test_after_a_command_that_failed_the_next_one_is_waited_for() -> None:
    listener = WaitListener("MongoDB")
    first, second = (cast("Any", SimpleNamespace(request_id=number)) for number in (1, 2))
    with seen_waits() as waits:
        listener.started(first)
        listener.failed(first)  # of the driver's own, outside of an operation
        assert len(waits) == 1
        with listener.operation(), listener.operation():
            listener.started(first)
            listener.failed(first)
            listener.started(second)
            listener.succeeded(second)
    assert len(waits) == 5


def test_a_time_limit_in_the_url_wins() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"mongodb://127.0.0.1:{unused.getsockname()[1]}/leads?serverselectiontimeoutms=100"
        began = time.monotonic()
        with closing(MongoStorage(url)) as storage, pytest.raises(StorageUnavailableError):
            storage.prepare()
    assert time.monotonic() - began < 2


def test_a_wrong_password(mongo_url: str) -> None:
    url = mongo_url.replace("mongodb://", "mongodb://admin:hunter2@", 1)
    with (
        closing(MongoStorage(url)) as storage,
        pytest.raises(StorageUnavailableError, match="refused the user name or password") as caught,
    ):
        storage.prepare()
    assert "hunter2" not in str(caught.value)
    assert "admin" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://",
        "mongodb://user:hunter2@host",
        "mongodb://user:hunter2@host/",
        "mongodb://user:hunter2/x@host/name",
        "mongodb://user:hunter2@x@host/name",
        "mongodb://user:hunter2?@host/name",
        "mongodb://user:hunter2@host:port/name",
        "mongodb://user:hunter2@host:99999/name",
        "mongodb://user:hunter2@host/na me",
        "mongodb+srv://user:hunter2@cluster.example.net",
    ],
)
def test_a_url_that_names_no_database_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as caught:
        MongoStorage(url)
    assert "hunter2" not in str(caught.value)


def test_options_that_are_none() -> None:
    with (
        closing(MongoStorage("mongodb://host/name?tlsCAFile=/no/such/file")) as storage,
        pytest.raises(StorageUnavailableError, match=r"\(No such file or directory\): check tlsCAFile"),
    ):
        storage.prepare()
    with (
        closing(MongoStorage("mongodb://host/name?tls=true&ssl=false")) as storage,
        pytest.raises(StorageUnavailableError, match="can't be used: check the options in DATABASE_URL"),
    ):
        storage.prepare()
    with (
        closing(MongoStorage("mongodb://127.0.0.1:1/name?retries=hunter2&timeoutMS=1")) as storage,
        pytest.raises(SettingsError, match="option that the database driver would ignore") as caught,
    ):
        storage.stores()
    assert "hunter2" not in str(caught.value)


def test_a_url_is_checked_without_asking_dns() -> None:
    with closing(MongoStorage("mongodb+srv://user:hunter2@cluster.invalid/leads?w=1")):
        pass


def test_a_user_without_rights(mongo_url: str, fail_command: FailCommand) -> None:
    with (
        closing(MongoStorage(mongo_url)) as storage,
        fail_command("find", errorCode=13),
        pytest.raises(StorageUnavailableError, match="needs a user with the role readWrite"),
    ):
        storage.prepare()


def test_a_user_who_may_make_no_index(
    mongo_url: str, fail_command: FailCommand, caplog: pytest.LogCaptureFixture
) -> None:
    refused = fail_command("createIndexes", "listIndexes", errorCode=13)
    with closing(MongoStorage(mongo_url)) as storage, refused:
        storage.prepare()
        assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}
    assert caplog.messages == [
        f"No index made for {collection} (Unauthorized): syncs will be slower."
        for collection in (
            "reports",
            "leads",
            "syncrecords",
            "syncrejects",
            "synclogs",
            "syncruns",
            "syncimports",
        )
    ]


def test_a_lost_connection(storage: MongoStorage, fail_command: FailCommand) -> None:
    with (
        fail_command("insert", closeConnection=True),
        pytest.raises(StorageUnavailableError, match=r"connection to MongoDB at .* was lost"),
    ):
        storage.store_leads([lead(1)], [record(1)])
    assert storage.find_records([text_id(1)]) == {}
    assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}


def test_a_reply_is_announced_while_it_is_waited_for(
    storage: MongoStorage, fail_command: FailCommand
) -> None:
    shown = WaitLine(grace_s=0.0)
    with watched_by(shown), fail_command("find", blockConnection=True, blockTimeMS=300):
        looking = threading.Thread(target=storage.dialects)
        looking.start()
        while looking.is_alive() and not shown.text():
            time.sleep(0.01)
        assert re.fullmatch(r"waiting for MongoDB at \S+, 0 s", shown.text())
        looking.join()
    assert shown.text() == ""


def test_listening_starts_no_thread_that_the_end_would_wait_for(mongo_url: str) -> None:
    with closing(MongoStorage(mongo_url)) as storage:
        storage.stores()
        assert not [each.name for each in threading.enumerate() if "events" in each.name]


def test_a_server_that_hangs(mongo_url: str, fail_command: FailCommand) -> None:
    with (
        closing(MongoStorage(mongo_url, timeout_ms=200)) as storage,
        fail_command("find", blockConnection=True, blockTimeMS=400),
        pytest.raises(StorageUnavailableError, match="did not answer in time"),
    ):
        storage.stores()


def test_a_write_that_no_majority_confirmed(storage: MongoStorage, fail_command: FailCommand) -> None:
    with (
        fail_command("insert", writeConcernError={"code": 64, "errmsg": "waiting timed out"}),
        pytest.raises(StorageError, match="could not confirm a write to a majority"),
    ):
        storage.store_leads([lead(1)], [])


@pytest.mark.parametrize(
    ("command", "write"),
    [
        ("insert", lambda storage: storage.store_leads([lead(1)], [])),
        ("delete", lambda storage: storage.clear_rejects([text_id(1)])),
    ],
)
def test_a_write_while_the_primary_changes(
    storage: MongoStorage, fail_command: FailCommand, command: str, write: Callable[[MongoStorage], object]
) -> None:
    with (
        fail_command(command, writeConcernError={"code": 11602, "errmsg": "operation was interrupted"}),
        pytest.raises(StorageUnavailableError, match="is changing its primary"),
    ):
        write(storage)


def test_a_refused_command(storage: MongoStorage, fail_command: FailCommand) -> None:
    with (
        fail_command("find", errorCode=14031),
        pytest.raises(StorageError, match=r"refused a command \(code 14031, OutOfDiskSpace\)"),
    ):
        storage.stores()


def test_a_refused_document_is_not_quoted(storage: MongoStorage, prepared_mongo_url: str) -> None:
    with MongoClient[Document](prepared_mongo_url) as client:
        client.get_default_database().command("collMod", "leads", validator={"rating": {"$exists": True}})
    with pytest.raises(StorageError, match="does not pass the validation rules") as caught:
        storage.store_leads([lead(1)], [record(1)])
    assert "Customer" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert storage.find_records([text_id(1)]) == {}
