"""When a failed call is tried again, and how long after."""

import email.utils
import itertools
import random as randomness
import re
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import backoff

from syncctl.errors import RetryableApiError

Result = TypeVar("Result")

LONGEST_RETRY_AFTER_S = 86_400.0
"""Cap for Retry-After: no run lasts longer than a day."""

_MOST_DOUBLINGS = 20


class RetryPolicy(NamedTuple):
    """How often one call is tried, and the pauses between tries."""

    max_tries: int
    """1 means no retry."""

    min_backoff_s: float
    """Upper bound of the first random pause; doubled for each further one."""

    least_wait_s: float = 0.0
    """No pause is shorter than this."""

    random: Callable[[], float] = randomness.random
    """Returns numbers from 0 to 1."""

    def wait_s(self, tries: int, error: RetryableApiError) -> float:
        """Seconds to wait after `tries` failures, the last of which was `error`.

        Full jitter on top of what the server asked for, so that lanes rejected at the same moment do not come
        back at the same moment.
        """
        jitter = self.random() * self.min_backoff_s * 2.0 ** min(tries - 1, _MOST_DOUBLINGS)
        return max((error.retry_after_s or 0.0) + jitter, self.least_wait_s)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` header asks to wait from `now` (aware), between 0 and a day.

    Accepts both forms of RFC 9110, 10.2.3: delta-seconds, or a date in any notation of 5.6.7; a past date is
    0. None if the header is missing or invalid.
    """
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch("[0-9]+", text):
        # Not int(), which refuses thousands of digits.
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def call_with_retries(
    call: Callable[[], Result],
    policy: RetryPolicy,
    *,
    remaining: Callable[[], float],
    wait: Callable[[int, float, RetryableApiError], None],
) -> Result:
    """The result of the first successful `call`; only a RetryableApiError is retried.

    `wait` waits before each retry; it is given the tries so far, the seconds and the error. A wait longer
    than `remaining()` seconds is not started. Raises the last RetryableApiError (saying so if time ran out),
    and any other error of `call` at once.
    """
    out_of_time = False

    def waits() -> Generator[float, Any, None]:
        nonlocal out_of_time
        error: RetryableApiError = yield 0.0  # backoff's first send, before there is an error
        for tries in itertools.count(1):
            wait_s = policy.wait_s(tries, error)
            # Not backoff's own max_time: that reads the wall clock, which may be set while we wait.
            if wait_s >= remaining():
                out_of_time = True
                return
            # backoff's own time.sleep can be neither interrupted nor replaced, so it gets 0 seconds.
            wait(tries, wait_s, error)
            error = yield 0.0

    retrying = backoff.on_exception(
        waits, RetryableApiError, max_tries=policy.max_tries, jitter=None, logger=None
    )
    try:
        return retrying(call)()
    except RetryableApiError as error:
        if not out_of_time:
            raise
        raise RetryableApiError(
            f"{error.message}; no time was left for another try",
            hint=error.hint,
            setting=error.setting,
            is_refusal=error.is_refusal,
            retry_after_s=error.retry_after_s,
        ) from None
