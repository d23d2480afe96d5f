"""The result of a report's step, as an object and in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from syncctl.domain.run_results import Counts, LocationResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import ApiError, DeadlinePassedError
from syncctl.services.sync.asked_locations import location_order
from syncctl.text import and_more, plural

NOT_ALL_STORED = "not all rows were stored before the run's time ran out (API_RUN_DEADLINE_S)"

MAX_LOCATIONS_NAMED = 10
MAX_ERRORS_QUOTED = 3
"""Different errors quoted in a step's summary; the log has all of them."""


def step_result(
    report: StepName,
    results: Sequence[LocationResult],
    total: int,
    *,
    error: str | None = None,
    dormant: int = 0,
) -> StepResult:
    """The result of a report's step with `total` locations. `error`: what broke it off. A refused key fails
    the whole step, too."""
    failed = [result for result in results if result.error is not None]
    refusal = next((result.error for result in failed if result.is_refused), None)
    if error or refusal or (failed and len(failed) == total):
        status = StepStatus.FAILED
    else:
        status = StepStatus.PARTIAL if failed else StepStatus.SUCCESS
    return StepResult(
        name=report,
        status=status,
        counts=sum((result.counts for result in results), Counts()),
        processed=len(results) - len(failed),
        total=total,
        errors=len(failed) or (1 if error else 0),
        error=error or failure_summary(failed, total),
        refusal=refusal,
        dormant=dormant,
        locations=tuple(results),
    )


def failure_summary(failed: Sequence[LocationResult], total: int) -> str | None:
    """One line about the failed locations, of `total` that were asked, grouped by error; None if none
    failed."""
    if not failed:
        return None
    by_error: dict[str, list[str]] = defaultdict(list)
    for result in failed:
        by_error[result.error or ""].append(result.location)
    how_many = _how_many(len(failed), total)
    if len(by_error) == 1 and len(failed) == total:
        return f"{how_many} failed: {next(iter(by_error))}"
    quoted_errors = [
        f"{error} ({listed(where)})" for error, where in list(by_error.items())[:MAX_ERRORS_QUOTED]
    ]
    if more := len(by_error) - len(quoted_errors):
        quoted_errors.append(f"and {more} more {plural(more, 'kind')} of error")
    return f"{how_many} failed: {'; '.join(quoted_errors)}"


def _how_many(failed: int, total: int) -> str:
    if total == 1:
        return "the only location"
    return f"all {total:,} locations" if failed == total else f"{failed:,} of {total:,} locations"


def listed(locations: Collection[str]) -> str:
    """The locations in words, the first few of them."""
    shown = sorted(locations, key=location_order)[:MAX_LOCATIONS_NAMED]
    more = and_more(len(locations) - len(shown))
    return f"{plural(len(locations), 'location')} {', '.join(map(_id_words, shown))}{more}"


def _id_words(location: str) -> str:
    return location or "(empty id)"


def describe_error(error: ApiError | None) -> str:
    """An error in words that are the same for every location with that error."""
    if isinstance(error, DeadlinePassedError):
        how = "no answer before" if error.asked else "not asked:"
        return f"{how} the run's time ran out (API_RUN_DEADLINE_S)"
    return str(error)
