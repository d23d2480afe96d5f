"""A MongoDB address as DATABASE_URL gives it, checked and turned into a client."""

import os
import warnings
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from syncctl.domain.lead_values import Document
from syncctl.errors import SettingsError, StorageUnavailableError
from syncctl.storage.mongo.options import SRV_SCHEME
from syncctl.storage.mongo.waits import WaitListener


@dataclass(frozen=True, slots=True)
class MongoAddress:
    """Where a database is."""

    url: str = field(repr=False)

    hosts: str
    """For messages: no user name or password is in it."""

    database: str


def read_address(url: str) -> MongoAddress:
    """Check a `mongodb://` or `mongodb+srv://` URL without asking any server, not even DNS.

    Raises SettingsError where it can't be read or names no database. The driver's own message is kept out:
    it quotes what it could not read, which may be a part of the password.
    """
    bare, _, _ = url.partition("?")
    try:
        parts = parse_uri(bare.replace(SRV_SCHEME, "mongodb://", 1), validate=False)
    except (PyMongoError, ValueError):
        raise SettingsError(
            "DATABASE_URL isn't a MongoDB address: it should look like mongodb://USER:PASSWORD@HOST:27017/NAME,"
            " with special characters of the user name and password percent-encoded."
        ) from None
    if parts["database"] is None:
        raise SettingsError(
            "DATABASE_URL names no database: put its name after the host, mongodb://HOST/NAME. The old "
            "system used the database test then: if the data is there, mongodb://HOST/test."
        )
    hosts = ", ".join(
        host if url.startswith(SRV_SCHEME) else f"{host}:{port}" for host, port in parts["nodelist"]
    )
    return MongoAddress(url, hosts, parts["database"])


def connect(
    address: MongoAddress, waits: WaitListener, *, server_selection_timeout_ms: int, timeout_ms: int
) -> MongoClient[Document]:
    """A client for that address. Time limits and appName in the URL win over the ones given here.

    Dates come back in UTC; years that Python can't express, typed wrongly by hand, as the nearest it can,
    since one of them must not make a whole batch unreadable.
    Raises SettingsError where the driver would go on without an option, which may be the one that asks for
    TLS; StorageUnavailableError where a file that the options name can't be read; and pymongo's errors.
    """
    _, _, query = address.url.partition("?")
    in_url = {name.casefold() for name, _ in parse_qsl(query)}
    limits: dict[str, Any] = {
        "serverSelectionTimeoutMS": server_selection_timeout_ms,
        "timeoutMS": timeout_ms,
        "appName": "syncctl",
    }
    with warnings.catch_warnings(record=True) as ignored_options:
        warnings.simplefilter("always", UserWarning)
        try:
            client: MongoClient[Document] = MongoClient(
                address.url,
                connect=False,
                tz_aware=True,
                datetime_conversion="DATETIME_CLAMP",
                unicode_decode_error_handler="replace",
                w="majority",
                event_listeners=[waits],
                **{name: limit for name, limit in limits.items() if name.casefold() not in in_url},
            )
        except OSError as error:
            # By its number: the driver's own words for it differ from version to version.
            reason = os.strerror(error.errno) if error.errno else "no reason given"
            raise StorageUnavailableError(
                f"A file that the options in DATABASE_URL name can't be read ({reason}): "
                "check tlsCAFile and tlsCertificateKeyFile."
            ) from error
    if any(issubclass(said.category, UserWarning) for said in ignored_options):
        client.close()
        raise SettingsError(
            "DATABASE_URL has an option that the database driver would ignore: `syncctl config` says which."
        )
    return client
