"""A log of all requests received, for tests and observers."""

import math
import threading
import time
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request."""

    at: float
    """The monotonic clock's seconds."""

    done_at: float
    """The same, just before the last byte is sent, so that two calls of one client never seem to overlap;
    infinite while the answer is under way."""

    method: str
    path: str
    api: str
    """Stores, a report's name, or other."""

    location: str | None
    """The locationID that a report was asked for."""

    body: dict[str, Any] | None
    """If it was a JSON object."""

    headers: dict[str, str]
    """With lower-case names."""

    status: int
    """0 if nothing was answered."""

    client_port: int
    """Tells connections apart."""

    def document(self) -> dict[str, Any]:
        """The request as JSON values, without its key; `done_at` is None while in progress."""
        document = asdict(self)
        document["done_at"] = None if math.isinf(self.done_at) else self.done_at
        if "authorization" in self.headers:
            document["headers"]["authorization"] = "***"
        return document


class RequestLog:
    """LoggedRequests in order of arrival; thread-safe."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        self._lock = threading.Lock()

    def entries(self) -> list[LoggedRequest]:
        """A copy of the entries so far."""
        with self._lock:
            return list(self._entries)

    def add(self, request: LoggedRequest) -> int:
        """Record an arrival. Returns the number for later updates."""
        with self._lock:
            self._entries.append(request)
            return len(self._entries) - 1

    def answered(self, number: int, status: int) -> None:
        """Record the status being sent."""
        with self._lock:
            self._entries[number] = replace(self._entries[number], status=status)

    def done(self, number: int) -> None:
        """Record that the answer is complete; only the first call counts."""
        with self._lock:
            entry = self._entries[number]
            self._entries[number] = replace(entry, done_at=min(entry.done_at, time.monotonic()))
