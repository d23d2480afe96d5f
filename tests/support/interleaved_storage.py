"""A storage that runs an action between two of a run's calls, to test concurrency."""

from collections.abc import Callable
from typing import Any

from syncctl.ports.storage import Storage

SESSION = frozenset({"prepare", "close"})


class InterleavedStorage:
    """Forwards every call, and runs `act` just before the `at`-th one (0: never). `calls`: the methods
    called so far."""

    def __init__(self, storage: Storage, at: int, act: Callable[[], object] = lambda: None) -> None:
        self.calls: list[str] = []
        self._storage = storage
        self._at = at
        self._act = act

    @property
    def has_acted(self) -> bool:
        return 0 < self._at <= len(self.calls)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        if name in SESSION or not callable(method):
            return method

        def call(*given: Any, **named: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) == self._at:
                self._act()
            return method(*given, **named)

        return call
