"""The options of a MongoDB address: refused where the driver would not take them as they are written.

The driver warns about an option that it does not know or can't use, and goes on without it: with `tls=True`
(`true` is meant) it connects in plain text. What it objects to is found by asking the driver itself, one
option at a time, then two at a time, then all of them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from itertools import combinations
from urllib.parse import unquote_plus

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, PyMongoError
from pymongo.uri_parser import parse_uri, split_options

from syncctl.errors import SettingsError
from syncctl.filesystem.ordinary_files import is_special_file
from syncctl.ports.admin import Caveat

SRV_SCHEME = "mongodb+srv://"
MOST_OPTIONS = 100
"""More are nobody's; each pair of them is looked at."""

_OWN = {
    "w": "majority",
    "tz_aware": "true",
    "unicode_decode_error_handler": "replace",
    "datetime_conversion": "datetime_clamp",
}
"""What `address.connect` sets itself, whatever the address says."""

_LAX = ("tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames")


def check_options(url: str) -> None:
    """Raise SettingsError, which names each option that is not taken as written; no server and no DNS is
    asked. Files that options name are left to the connection. The message shows no value."""
    query = url.partition("?")[2]
    if not query:
        return
    options = re.split("[&;]", query)
    if ("&" in query and ";" in query) or not all(re.fullmatch("[^=]+=[^=]*", option) for option in options):
        raise SettingsError("its options are expected as NAME=value, with & between them" + _at(query))
    if len(options) > MOST_OPTIONS:
        raise SettingsError(f"it has more than {MOST_OPTIONS} options")
    problems = [
        f"its option {_shown(option)} {problem}" for option in options if (problem := _problem_of(option))
    ]
    problems = problems or list(_clashes(options)) or list(_misfits(url, options))
    if problems:
        raise SettingsError("; ".join(dict.fromkeys(problems)) + _at(query))


def security_caveats(url: str) -> Iterator[Caveat]:
    """What is to be said of the way to the server of an address that was checked."""
    address, _, query = url.partition("?")
    nodes = parse_uri(address.replace(SRV_SCHEME, "mongodb://", 1), validate=False)["nodelist"]
    far = ", ".join(host for host, _ in nodes if not is_local(host))
    if not far:
        return
    options = [option for option in re.split("[&;]", query) if option]
    # The files need not be there to be talked about.
    files = [option for option in options if _name(option).endswith("file")]
    others = "&".join(option for option in options if option not in files)
    taken = split_options(others) if others else {}
    # The driver turns TLS on for these; with tls=false beside them it refuses the address.
    implied = bool(files) or any(taken.get(name) is False for name in _LAX)
    if not taken.get("tls", implied or url.startswith(SRV_SCHEME)):
        yield Caveat(
            f"Passwords and customers' data go to {far} unencrypted",
            "Turn on TLS at the server, and put tls=true into DATABASE_URL.",
        )
    lax = next((name for name in _LAX if taken.get(name)), None)  # tlsInsecure is taken for all of them
    if lax:
        yield Caveat(
            f"Another server can pretend to be {far} ({lax}=true in DATABASE_URL)",
            "Remove it; for a certificate of your own, name its authority with tlsCAFile=FILE.",
        )


def is_local(host: str) -> bool:
    """Whether a host, without its port, is this machine: what goes there passes no network."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost" or host.endswith(".sock")


def _problem_of(option: str) -> str | None:
    """What is the matter with one option by itself."""
    name, _, value = option.partition("=")
    name = name.casefold()
    if name in _OWN and value.casefold() != _OWN[name]:
        return f"is always {_OWN[name]} with syncctl: remove it"
    if not value and name != "readpreferencetags":  # no tags: any member
        return "has no value"
    if name.endswith("file") and is_special_file(unquote_plus(value)):
        return "doesn't name a regular file"
    objection = _objection(option)
    return None if objection is None else _in_words(objection, name)


def _in_words(objection: Exception, name: str) -> str:
    if isinstance(objection, ConfigurationError):
        return "is unknown to the database driver, which would ignore it: correct it or remove it"
    if _objection(f"{name}=true") is None and _objection(f"{name}=yes") is not None:
        return "must be true or false, in small letters"
    return "has a value that the database driver can't use: correct it or remove it"


def _clashes(options: list[str]) -> Iterator[str]:
    """The pairs of options of which the driver would drop one, or that it refuses together."""
    for first, second in combinations(options, 2):
        if _objection(f"{first}&{second}") is not None:
            if _name(first) == _name(second):
                yield f"its option {_shown(first)} is given more than once: keep one"
            else:
                yield f"its options {_shown(first)} and {_shown(second)} can't be combined: keep one"


def _misfits(url: str, options: list[str]) -> Iterator[str]:
    """The options without which the driver would take the address; all, if it is not for one of them."""
    if _is_usable(url, options):
        return
    one_too_many = [
        option
        for place, option in enumerate(options)
        if _is_usable(url, options[:place] + options[place + 1 :])
    ]
    names = ", ".join(dict.fromkeys(map(_shown, one_too_many or options)))
    yield f"its options conflict with each other or with the rest of it: check {names}"


def _objection(query: str) -> Exception | None:
    """The driver's error or warning about these options, if it has any."""
    return _said(lambda: split_options(query))


def _is_usable(url: str, options: list[str]) -> bool:
    """Whether the driver makes a client of the address with these options, without connecting."""
    address = url.partition("?")[0]
    if url.startswith(SRV_SCHEME):  # else an old driver would ask DNS
        address = address.replace(SRV_SCHEME, "mongodb://", 1)
        options = [option for option in options if not _name(option).startswith("srv")]
    if not any(option.casefold() in ("tls=false", "ssl=false") for option in options):
        # Loading the authorities takes a tenth of a second, which is the connection's to spend.
        options = [option for option in options if not _name(option).startswith(("tls", "ssl"))]
    whole = f"{address}?{'&'.join(options)}"
    return _said(lambda: MongoClient(whole, connect=False).close()) is None


def _said(ask: Callable[[], object]) -> Exception | None:
    """What the driver says when it is asked; that a file can't be read is the connection's to say."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            ask()
        except OSError:
            return None
        except (PyMongoError, ValueError, TypeError) as error:
            return error
    first = said[0].message if said else None
    return first if isinstance(first, Warning) else None


def _name(option: str) -> str:
    return option.partition("=")[0].casefold()


def _shown(option: str) -> str:
    """An option's name, unless it may be a piece of a password."""
    name = option.partition("=")[0]
    return name if re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,40}", name) else "with the odd name"


def _at(query: str) -> str:
    """A hint where what looks like options may be the rest of a password."""
    return " (a ? in user name or password is written %3F)" if "@" in query else ""
