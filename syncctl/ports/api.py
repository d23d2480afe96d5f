"""What the services need of the rental API. The adapter (`api/`) raises only the errors of `errors.py`."""

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from syncctl.domain.requests import ReportRequest
from syncctl.errors import ApiError


class Answer(NamedTuple):
    """The answer to one request: its rows, or the error that it failed with."""

    request: ReportRequest
    rows: list[Any] | None
    error: ApiError | None

    prepared: Any = None
    """What the caller's `Prepare` made of the rows."""


Look = Callable[[], None]
"""To be called now and then during long work: raises where that is to end, stopped or out of time."""


Prepare = Callable[[ReportRequest, list[Any], Look], Any]
"""What is to be made of an answer's rows as soon as they are there."""


class RentalApi(Protocol):
    """The rental API's three calls (contract/rental-api.md)."""

    def store_list(self, deadline: float) -> list[Any]:
        """The rows of the store list. Raises ApiError. `deadline` in the monotonic clock's seconds."""

    def reports(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        """Fetch many reports, begun in the given order, given out as they come: one answer per request.

        `prepare` is called in the fetching threads, so that its work is done while others wait for the
        database; what it raises is raised to the caller, but for an ApiError, which is the answer then.
        Holds back fetching when answers are not taken, so that memory follows a few answers, not all.
        Closing the generator stops fetching.
        """

    def close(self) -> None:
        """Stop fetching."""


class WireFacts(NamedTuple):
    """One call of the rental API as it was on the wire, without its rows and without the key."""

    asked: Mapping[str, str]
    """The body that was sent; empty for a GET."""

    seconds: float
    """From the call's begin to the answer's last byte, or to what went wrong."""

    status: int | None
    """Of HTTP; None: no answer began."""

    headers: Mapping[str, str]
    """Those of Server, Content-Type and Date that the answer has."""

    came_at: datetime | None
    """When the answer began, by this machine's clock."""

    size: int | None
    """Bytes of the body, unpacked; None: it did not come, or not all of it."""

    envelope: Any
    """What is around the rows: keys, and kinds of values; None: it isn't JSON."""

    said: str
    """The API's own description; ""."""
