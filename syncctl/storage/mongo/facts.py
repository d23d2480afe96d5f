"""What kind of MongoDB deployment it is, in words, and what a person should change about it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from syncctl.domain.lead_values import Document
from syncctl.errors import SettingsError
from syncctl.ports.admin import Caveat, DatabaseFacts
from syncctl.storage.mongo.address import MongoAddress
from syncctl.storage.mongo.options import is_local

UNAUTHORIZED = 13
NAMESPACE_NOT_FOUND = 26
COMMAND_NOT_FOUND = 59

ATLAS = ".mongodb.net"

OLDEST_VERSION = (4, 4)

WRITE_ACTIONS = frozenset({"insert", "update", "remove"})

WRITTEN = (
    *("leads", "stores", "synclogs", "syncrecords", "syncrejects", "syncstate", "syncruns"),
    "syncimports",
)
"""Collections that a sync writes."""

ONE_ID_ONE_DOCUMENT = (
    *("leads", "stores", "syncrecords", "syncrejects", "syncstate", "syncruns"),
    "syncimports",
)
"""Those of them whose `_id` says what a document stands for."""


def read_facts(database: Database[Document], address: MongoAddress) -> DatabaseFacts:
    """Ask the server what it is. Raises pymongo's errors."""
    version = str(database.client.server_info()["version"])
    user = database.command({"connectionStatus": 1, "showPrivileges": True})["authInfo"]
    write_concern = database.write_concern.document
    return DatabaseFacts(
        kind="MongoDB",
        version=version,
        place=f"{address.hosts}/{address.database}",
        topology=topology(say_hello(database), address.hosts),
        durability=durability(write_concern),
        caveats=(
            *version_caveats(version),
            *journal_caveats(write_concern),
            *user_caveats(user, address),
        ),
    )


def say_hello(database: Database[Document]) -> Document:
    """What the server says of itself. Raises pymongo's errors."""
    admin = database.client.admin
    try:
        return admin.command("hello")
    except OperationFailure as error:
        if error.code != COMMAND_NOT_FOUND:
            raise
        return admin.command("isMaster")  # its name before 4.4.2


def check_ids_are_unique(database: Database[Document], hello: Mapping[str, Any]) -> None:
    """Raise SettingsError where a sharded cluster would take two documents with one `_id`: within a shard it
    is always unique, across them only if it is all of the shard key. Raises pymongo's errors."""
    if hello.get("msg") != "isdbgrid":
        return
    wrong = {name: key for name, key in _shard_keys(database).items() if key != ["_id"]}
    if wrong:
        listed = ", ".join(
            f"{name} by {' and '.join(key) or 'an unknown key'}" for name, key in wrong.items()
        )
        hidden = "" if all(wrong.values()) else " Let the user read config.collections (role clusterMonitor)."
        raise SettingsError(
            f"The database in DATABASE_URL is on a sharded cluster that has sharded {listed}: each shard "
            "could store the same lead once more, because only a shard key of _id alone keeps _id unique. "
            f"Reshard these by _id (sh.reshardCollection), then run again.{hidden}"
        )


def _shard_keys(database: Database[Document]) -> dict[str, list[str]]:
    """The fields by which collections are sharded, of those that are; none where this user may not see it."""
    names = {f"{database.name}.{name}": name for name in ONE_ID_ONE_DOCUMENT}
    query = {"_id": {"$in": list(names)}, "dropped": {"$ne": True}}
    try:
        found = list(database.client.config.collections.find(query, ["key"]))
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        return {name: [] for name in names.values() if _is_sharded(database, name)}
    return {names[each["_id"]]: list(each["key"]) for each in found}


def _is_sharded(database: Database[Document], collection: str) -> bool:
    try:
        return bool(database.command("collStats", collection).get("sharded"))
    except OperationFailure as error:
        if error.code != NAMESPACE_NOT_FOUND:
            raise
        return False


def topology(hello: Mapping[str, Any], hosts: str) -> str:
    """The reply to `hello` in words (https://www.mongodb.com/docs/manual/reference/command/hello/)."""
    if hello.get("msg") == "isdbgrid":
        kind = "sharded cluster"
    elif name := hello.get("setName"):
        members = sum(len(hello.get(role, ())) for role in ("hosts", "passives", "arbiters"))
        kind = f"replica set {name}, {members} member{'s' if members != 1 else ''}"
    else:
        kind = "single server"
    on_atlas = any(_name(host).endswith(ATLAS) for host in hosts.split(", "))
    return f"Atlas, {kind}" if on_atlas else kind


def _name(host: str) -> str:
    """A host without its port."""
    return host.rsplit(":", maxsplit=1)[0]


def durability(write_concern: Mapping[str, Any]) -> str:
    """The write concern in force in words; `connect` always asks for a majority."""
    confirmed = "writes confirmed by a majority of members"
    return confirmed if write_concern.get("j") is not False else f"{confirmed}, journal off"


def version_caveats(version: str) -> Iterator[Caveat]:
    """What is to be said of the server's version."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_VERSION:
        yield Caveat(
            f"MongoDB {version} is older than 4.4, the oldest that syncctl supports", "upgrade the server."
        )


def journal_caveats(write_concern: Mapping[str, Any]) -> Iterator[Caveat]:
    """What is to be said of the journal, which DATABASE_URL may have turned off."""
    if write_concern.get("j") is False:
        yield Caveat("A power cut may lose what was confirmed", "remove journal=false from DATABASE_URL.")


def user_caveats(user: Mapping[str, Any], address: MongoAddress) -> Iterator[Caveat]:
    """What is to be said of the user and its rights, from `authInfo` of connectionStatus with showPrivileges
    (https://www.mongodb.com/docs/manual/reference/command/connectionStatus/)."""
    if not user["authenticatedUsers"]:
        if not all(is_local(_name(host)) for host in address.hosts.split(", ")):
            yield Caveat(
                "Anyone who reaches the server can read and change customers' data: it asks for no password",
                "turn its authorization on.",
            )
        return
    closed = [
        collection
        for collection in WRITTEN
        if not allowed(user["authenticatedUserPrivileges"], address.database, collection) >= WRITE_ACTIONS
    ]
    if closed:
        yield Caveat(
            f"The user in DATABASE_URL isn't allowed to write to {', '.join(closed)}",
            f"give it the role readWrite on {address.database}.",
        )


def allowed(privileges: Iterable[Mapping[str, Any]], database: str, collection: str) -> set[str]:
    """The actions that these privileges allow on the collection; "" stands for any database or collection
    (https://www.mongodb.com/docs/manual/reference/resource-document/)."""
    actions: set[str] = set()
    for privilege in privileges:
        resource = privilege["resource"]
        here = resource.get("db") in ("", database) and resource.get("collection") in ("", collection)
        if here or resource.get("anyResource"):
            actions.update(privilege["actions"])
    return actions
