"""Which failures are retried, and when; without real waiting."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.api.retry import LONGEST_RETRY_AFTER_S, RetryPolicy, call_with_retries, retry_after_seconds
from syncctl.errors import FinalApiError, RetryableApiError

NOW = datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 01 Feb 2025 09:00:27 GMT", 60.0),
        ("Saturday, 01-Feb-25 09:00:27 GMT", 60.0),
        ("Sat Feb  1 09:00:27 2025", 60.0),
        ("Sat, 01 Feb 2025 14:30:27 +0530", 60.0),
        ("Sat, 01 Feb 2025 08:00:00 GMT", 0.0),
        ("Sat, 01 Feb 9999 08:00:00 GMT", LONGEST_RETRY_AFTER_S),
        ("99999999999", LONGEST_RETRY_AFTER_S),
        ("9" * 5000, LONGEST_RETRY_AFTER_S),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Sat, 41 Feb 2025 08:00:00 GMT", None),
        ("Sat, 01 Feb 99999 08:00:00 GMT", None),
    ],
)
def test_retry_after_in_both_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@settings(max_examples=50)
@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{2,5} \d+:\d+(:\d+)? [A-Z+-]+\d*"))
def test_retry_after_never_fails(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or 0.0 <= seconds <= LONGEST_RETRY_AFTER_S


class Scene:
    """A call that fails as scripted, and a clock that only advances by sleeping."""

    def __init__(self, *failures: Exception, deadline: float = 1000.0) -> None:
        self.failures = list(failures)
        self.deadline = deadline
        self.now = 0.0
        self.tries_at: list[float] = []
        self.retries: list[tuple[int, float, str]] = []

    def call(self) -> str:
        self.tries_at.append(self.now)
        if self.failures:
            raise self.failures.pop(0)
        return "rows"

    def wait(self, tries: int, seconds: float, error: RetryableApiError) -> None:
        self.retries.append((tries, seconds, str(error)))
        self.now += seconds

    def run(self, policy: RetryPolicy) -> str:
        return call_with_retries(
            self.call,
            policy,
            remaining=lambda: self.deadline - self.now,
            wait=self.wait,
        )


def policy(
    max_tries: int = 6, random: Callable[[], float] = lambda: 1.0, least_wait_s: float = 0.0
) -> RetryPolicy:
    return RetryPolicy(max_tries, 0.5, least_wait_s, random)


def busy(retry_after_s: float | None = None) -> RetryableApiError:
    return RetryableApiError("busy", retry_after_s=retry_after_s)


def test_pauses_double_and_are_jittered_in_full() -> None:
    longest = Scene(*[busy() for _ in range(5)])
    assert longest.run(policy()) == "rows"
    assert longest.tries_at == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5]
    assert longest.retries[1] == (2, 1.0, "busy")

    shortest = Scene(busy(), busy())
    shortest.run(policy(random=lambda: 0.0))
    assert shortest.tries_at == [0.0, 0.0, 0.0]


def test_a_pause_is_at_least_what_the_server_asked_for_and_what_the_lane_owes() -> None:
    scene = Scene(busy(7.0), busy())
    scene.run(policy(random=lambda: 0.5, least_wait_s=2.0))
    assert scene.tries_at == [0.0, 7.25, 9.25]


def test_it_gives_up_after_the_last_try_with_its_error() -> None:
    scene = Scene(*[RetryableApiError(f"failure {number}") for number in range(1, 9)])
    with pytest.raises(RetryableApiError, match=r"^failure 3$"):
        scene.run(policy(max_tries=3))
    assert len(scene.tries_at) == 3


def test_a_final_failure_is_not_repeated() -> None:
    scene = Scene(busy(), FinalApiError("gone"))
    with pytest.raises(FinalApiError, match="gone"):
        scene.run(policy())
    assert len(scene.tries_at) == 2


def test_a_wait_past_the_deadline_is_not_begun() -> None:
    scene = Scene(busy(), busy(retry_after_s=60.0), deadline=10.0)
    with pytest.raises(RetryableApiError, match=r"^busy; no time was left for another try$") as caught:
        scene.run(policy())
    assert scene.now == 0.5
    assert caught.value.retry_after_s == 60.0


def test_what_to_do_stands_behind_why_there_was_no_further_try() -> None:
    unresolved = RetryableApiError("no such name", hint="check API_BASE_URL", setting="API_BASE_URL")
    scene = Scene(unresolved, deadline=0.0)
    with pytest.raises(RetryableApiError) as caught:
        scene.run(policy())
    assert str(caught.value) == "no such name; no time was left for another try: check API_BASE_URL"
    assert caught.value.setting == "API_BASE_URL"


def test_one_try_is_no_retry() -> None:
    scene = Scene(busy())
    with pytest.raises(RetryableApiError, match=r"^busy$"):
        scene.run(policy(max_tries=1))
    assert scene.retries == []


def test_a_sleep_that_is_interrupted_ends_it() -> None:
    def interrupted(tries: int, seconds: float, error: RetryableApiError) -> None:
        raise InterruptedError

    scene = Scene(busy())
    with pytest.raises(InterruptedError):
        call_with_retries(scene.call, policy(), remaining=lambda: 9.0, wait=interrupted)


def test_a_date_counts_from_the_given_moment() -> None:
    header = "Sat, 01 Feb 2025 09:00:27 GMT"
    assert retry_after_seconds(header, NOW + timedelta(seconds=59)) == 1.0
