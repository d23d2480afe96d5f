"""What a kind of database brings: how its addresses are read, and how it is opened."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from syncctl.ports.admin import Caveat, Database, OpeningHints


class Open(Protocol):
    """Makes the database of a checked address; it connects at first use."""

    def __call__(self, url: str, *, for_reading_only: bool) -> Database:
        """For reading only, nothing is made or written. Raises SettingsError for an address that can't be
        used, StorageError where for reading only a file can't be read."""


class Backend(NamedTuple):
    """A kind of database. No function of it asks a server but through what `open` gives."""

    name: str
    """As people know it."""

    prefixes: tuple[str, ...]
    """What its addresses begin with, up to the host or the file."""

    rest: str
    """What follows a prefix, in words: "a file", "a host"."""

    parse: Callable[[str, Callable[[str], Path]], str]
    """The address checked and made complete; the second argument makes a path absolute. Raises SettingsError
    with a message that begins in small letters and shows nothing of the address."""

    open: Open

    hints: OpeningHints

    driver: Callable[[], tuple[str, str]]
    """Name and version of the library that talks to it."""

    secrets: Callable[[str], list[str]] = lambda _url: []
    """The passwords in a checked address, as written and as meant; some addresses hold none."""

    files: Callable[[str], list[str]] = lambda _url: []
    """The files of a database that is kept on this machine: its own, then those kept beside it."""

    caveats: Callable[[str], Iterator[Caveat]] = lambda _url: iter(())
    """What a person should know about the way to the server of a checked address."""
