"""The values that completion looks up: run ids, rejects, locations, stores, kinds of rows, settings.

A database is waited for no longer than a person waits after Tab. Nothing that goes wrong is said: it would
stand in the line that is typed, and the command itself says it once it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from syncctl.settings.settings import Settings

_Found = TypeVar("_Found")

Value = tuple[str, str]
"""What can be typed, and what it is."""

LookUp = Callable[[Callable[[], "Settings"], Sequence[str]], Iterable[Value]]
"""Takes what reads the settings, and the command's words."""

LONGEST_S = 0.5
"""How long a database may take."""

_RUNS_SHOWN = 30


def values_of(parameter: str, words: Sequence[str], env_file: str | None) -> list[Value]:
    """The values that a command's parameter can have; none if they aren't known, or not in time. `words`: the
    command's; `env_file`: as typed."""
    look_up = VALUES.get(parameter)
    if look_up is None:
        return []

    def settings() -> Settings:
        from syncctl.settings.settings import load_settings

        return load_settings(Path(env_file) if env_file else None)

    try:
        return list(look_up(settings, words))
    except Exception:  # noqa: BLE001 - see above
        return []


def _in_time(query: Callable[[], Sequence[_Found]]) -> Sequence[_Found]:
    """What a query of the database gives. Raises TimeoutError, and whatever the query raises."""
    # The thread is left to itself after that: the process ends without waiting for it.
    return ThreadPoolExecutor(1).submit(query).result(LONGEST_S)


def _runs(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.wiring.checks import list_runs

    read = settings()
    for run in _in_time(lambda: list_runs(read, _RUNS_SHOWN, failed_only=False)):
        if "import" not in words or run.is_import:
            started = run.started_at.astimezone(read.business_timezone)
            yield run.run_id, f"{run.command}, {started:%Y-%m-%d %H:%M %Z}"


def _rejects(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.services.rejects.reject_list import RejectFilter
    from syncctl.wiring.rejects import listed_rejects

    read = settings()
    found = _in_time(lambda: listed_rejects(read, RejectFilter()))
    return [(each.reject_id, each.reason) for each in found]


def _locations(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.wiring.adapters import locations_of

    return [*locations_of(settings()).by_code.items(), *_stores(settings, words)]


def _stores(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.wiring.adapters import locations_of

    return [(store, "") for store in sorted(locations_of(settings()).store_names)]


def _kinds(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.domain.sources import FILE_STEPS, StepName

    return [(str(step), "") for step in (FILE_STEPS if "columns" in words else StepName)]


def _setting_names(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.settings.specs import SPECS

    return [(spec.name, "") for spec in SPECS]


VALUES: Mapping[str, LookUp] = {
    "run": _runs,
    "ids": _rejects,
    "location": _locations,
    "store": _stores,
    "kind": _kinds,
    "names": _setting_names,
}
"""Parameter -> its look-up."""
