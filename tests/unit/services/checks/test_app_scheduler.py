"""What is reported about the web app's own scheduler, by its traces."""

from datetime import UTC, datetime, timedelta

import pytest

from syncctl.domain.checks import CheckResult
from syncctl.services.checks.app_scheduler import AppTraces, check_app_scheduler, scheduler_reason

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NOTHING = AppTraces(since=NOW - timedelta(days=40))
ENTRIES = NOTHING._replace(entries=12, last_entry=NOW - timedelta(minutes=3))
LEADS = NOTHING._replace(leads=1, last_lead=NOW - timedelta(hours=5))
BOTH = LEADS._replace(entries=1, last_entry=NOW - timedelta(days=3))
DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("traces", "said"),
    [
        (ENTRIES, ["12 synclogs entries that no run wrote, the last 3 min ago"]),
        (LEADS, ["1 lead of its own, the last 5 h ago"]),
        (BOTH, ["the last 5 h ago; 1 synclogs entry that no run wrote, the last 3 days ago"]),
        (ENTRIES._replace(last_entry=NOW - DAY + timedelta(seconds=1)), ["the last 23 h ago"]),
        (ENTRIES._replace(last_entry=NOW + timedelta(minutes=2)), ["the last in 2 min"]),
    ],
)
def test_what_is_younger_than_a_day_is_wrong(traces: AppTraces, said: list[str]) -> None:
    (check,) = check_app_scheduler(traces, NOW)
    assert check.result is CheckResult.FAILED
    assert all(words in check.message for words in said)
    for words in ("API_SYNC_ENABLED=false (exactly so, lower case)", "restart", ".env.local"):
        assert words in check.hint
    assert "API_SYNC_ENABLED=false" in scheduler_reason(traces, NOW)


@pytest.mark.parametrize(
    ("traces", "mark", "said"),
    [
        (
            NOTHING,
            CheckResult.PASSED,
            "no lead of its own in the last 40 days, no synclogs entry in the last 7 days",
        ),
        (
            NOTHING._replace(since=NOW - timedelta(days=7)),
            CheckResult.PASSED,
            "no trace of it in the last 7 days",
        ),
        (
            ENTRIES._replace(last_entry=NOW - DAY),
            CheckResult.PASSED,
            "off for the last 24 hours; before: 12 synclogs",
        ),
        (
            LEADS._replace(last_lead=NOW - DAY),
            CheckResult.WARNING,
            "before: 1 lead of its own, the last 24 h ago",
        ),
    ],
)
def test_what_is_older_is_only_said(traces: AppTraces, mark: CheckResult, said: str) -> None:
    (check,) = check_app_scheduler(traces, NOW)
    assert check.result is mark
    assert said in check.message
    assert scheduler_reason(traces, NOW) == ""


def test_before_the_first_run_there_is_nothing_to_say() -> None:
    assert list(check_app_scheduler(None, NOW)) == []
    assert scheduler_reason(None, NOW) == ""


def test_the_reason_says_since_when() -> None:
    assert scheduler_reason(BOTH, NOW).startswith(
        "The web app still syncs the API by itself, last seen 5 h ago"
    )
