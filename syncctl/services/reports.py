"""One report's step: its locations' answers taken in one by one, a failed one leaving the others alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncctl.dialects import Dialect
from syncctl.errors import (
    ApiError,
    DeadlinePassedError,
    KeyRefusedError,
    StorageError,
    StorageUnavailableError,
)
from syncctl.models import (
    Counts,
    LocationResult,
    LocationState,
    ReportRequest,
    StepName,
    StepResult,
    StepStatus,
)
from syncctl.ports import Answer, Listener, Look, Storage
from syncctl.services.intake import Intake
from syncctl.services.measuring import Measuring
from syncctl.services.planning import Plan, Planner, location_order
from syncctl.services.rejects import unlisted_words
from syncctl.services.sorting import SortedRows, sort_unsorted

STATES_TOGETHER = 10
"""Locations whose states are saved in one write. One that a kill takes the state of is asked again."""

ROUND, MANY = 100, 1000
"""Rows of an answer: where an API cuts, it is mostly at a round number, and hardly ever below these many."""

NOT_ALL_STORED = "not all rows were stored before the run's time was over (API_RUN_DEADLINE_S)"

LOCATIONS_TOLD = 10
ERRORS_TOLD = 3
"""Different errors that a step's summary quotes; the log has them all."""


@dataclass(frozen=True, slots=True)
class StepTools:
    """What every report's step works with. `stores`: location id -> store name, or None. `dialects`: of the
    reports that were measured."""

    storage: Storage
    intake: Intake
    planner: Planner
    listener: Listener
    stores: Mapping[str, str | None]
    dialects: Mapping[StepName, Dialect]
    measuring: Measuring


class ReportStep:
    """One report, from its plan to its result.

    Answers are stored as soon as they are there, also before the step's turn has come: to wait for that, they
    would have to be kept. Only what came of them is told in turn.
    """

    def __init__(self, report: StepName, tools: StepTools) -> None:
        self.report = report
        self._tools = tools
        self.states = tools.storage.location_states(report)
        self.dialect = tools.dialects.get(report, Dialect(report))
        self.plan: Plan = tools.planner.plan(tools.stores, self.states, self.dialect)
        self._results: list[LocationResult] = []
        self._untold: list[LocationResult] | None = []
        self._refused: str | None = None
        self._unsaved: list[LocationState] = []
        self._falling_asleep: list[LocationState] = []
        self._answered: dict[str, int] = {}

    def requests(self, deadline: float) -> list[ReportRequest]:
        """A call for each location that is due, to be given up at `deadline` (monotonic seconds)."""
        return [
            ReportRequest(self.report, location, window, deadline)
            for location, window in self.plan.windows.items()
        ]

    def sort(self, request: ReportRequest, rows: Sequence[Any], look: Look) -> SortedRows:
        """The rows of a location's answer as `take` wants them. May be called by any thread. Raises what
        `look` raises."""
        store = self._tools.stores[request.location]
        unsorted = SortedRows(self.report, request.location, rows, store or "")
        return sort_unsorted(unsorted, self._tools.planner.days, look)

    def begin(self) -> None:
        """The step's turn has come: tell what came of answers that were there before."""
        untold, self._untold = self._untold or [], None
        for result in untold:
            self._tools.listener.location_done(self.report, result)

    @property
    def is_answered(self) -> bool:
        """Whether each location's answer has been taken."""
        return len(self._results) == len(self.plan.windows)

    def take(self, answer: Answer) -> None:
        """Store one location's answer, `sort`ed.

        Raises:
            StorageUnavailableError: the database is gone. What it refuses otherwise fails this location, or
                those whose states it refuses together.
        """
        location = answer.request.location
        store = self._tools.stores[location]
        try:
            if answer.prepared is None:
                result = self._failed(answer, store)
            else:
                result = self._stored(answer.request, answer.prepared)
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            result = LocationResult(location, store or "", error=str(refusal))
        self._results.append(result)
        if self._untold is None:
            self._tools.listener.location_done(self.report, result)
        else:
            self._untold.append(result)
        if len(self._unsaved) >= STATES_TOGETHER:
            self.save_states()

    def _failed(self, answer: Answer, store: str | None) -> LocationResult:
        if isinstance(answer.error, KeyRefusedError):
            self._refused = str(answer.error)
        elif not isinstance(answer.error, DeadlinePassedError) or answer.error.asked:
            self._keep_tried(answer.request)
        return LocationResult(answer.request.location, store or "", error=told(answer.error))

    def _stored(self, request: ReportRequest, answer: SortedRows) -> LocationResult:
        location, planner = request.location, self._tools.planner
        taken = self._tools.intake.take(answer)
        if taken.is_late:
            self._keep_tried(request)
            return LocationResult(
                location, answer.store, taken.counts, tuple(taken.changed), error=NOT_ALL_STORED
            )
        rows, before = taken.counts.rows, self.states.get(location, LocationState(location))
        self._tools.measuring.note(request, answer)
        due_again, recent = answer.rows_from(planner.due_again_from), answer.rows_from(planner.recent_from)
        after = planner.next_state(before, request.window, rows, due_again, recent)
        self._answered[location] = rows
        is_suspicious = planner.is_suspicious(before, request.window, rows)
        if is_suspicious:
            self._unsaved.append(planner.doubted(before))
        elif after is None or taken.unlisted:  # what is listed nowhere has to be asked for again
            self._keep_tried(request)
        elif after.dormant and not before.dormant:
            self._falling_asleep.append(after)
        else:
            self._unsaved.append(after)
        warnings = [unlisted_words(taken.unlisted)] if taken.unlisted else []
        if is_suspicious:
            what = (
                f"only {rows} rows, less than half of those"
                if rows
                else "an empty answer, without any of those"
            )
            warnings.append(
                f"{what} that came before and are still due: nothing is deleted, and the next run asks again"
            )
        warning = "; ".join(warnings) or None
        return LocationResult(location, answer.store, taken.counts, tuple(taken.changed), warning=warning)

    def finish(self) -> StepResult:
        """Settle how far the locations are, and which are dormant from now on; give the step's result.

        Where not one location of a report has ever had anything, it is the report that is in doubt, and all
        of them are asked again.

        Raises:
            StorageUnavailableError: the database is gone. What it refuses otherwise is a warning: those
                locations are merely asked again.
        """
        self.save_states()
        self._doubt_capped_answers()
        answered = any(result.counts.rows for result in self._results)
        if answered or any(state.watermark for state in self.states.values()):
            self._put_to_sleep()
        elif self._falling_asleep and not any(result.error for result in self._results):
            self._tools.listener.warning(
                f"No location has anything in its {self.report} report. If that is not so, the API is at "
                "fault: all are asked again next time."
            )
        return self.result()

    def _doubt_capped_answers(self) -> None:
        """Where the longest answers are of one length, the API may cut them there: those locations are as far
        as before."""
        longest = max(self._answered.values(), default=0)
        capped = [location for location, rows in self._answered.items() if rows == longest]
        shorter = sum(0 < rows < longest for rows in self._answered.values())
        is_cut = len(capped) > 1 if longest % ROUND == 0 else longest >= MANY and 2 < len(capped) <= shorter
        before = [self.states.get(location, LocationState(location)) for location in capped]
        doubted = [
            self._tools.planner.doubted(state) for state in before if self._tools.planner.may_doubt(state)
        ]
        if not longest or not is_cut or not doubted:
            return
        self._unsaved += doubted
        self.save_states()
        self._tools.listener.warning(
            f"The {self.report} report answered with exactly {longest} rows for {_listed(capped)}, and for "
            "none with more: the API may cut its answers there. What came is stored, and the next run asks "
            "again. If it stays so, ask the API's people whether there is a limit."
        )

    def _put_to_sleep(self) -> None:
        if not self._falling_asleep:
            return
        try:
            self._tools.storage.save_location_states(self.report, self._falling_asleep)
        except StorageUnavailableError:
            raise
        except StorageError as error:
            self._tools.listener.warning(
                f"That locations without any {self.report} can rest could not be noted: {error}"
            )

    def _keep_tried(self, request: ReportRequest) -> None:
        """Note that a location was asked, so that the next run begins with the others."""
        if (tried := self._tools.planner.tried(self.states, request.location)) is not None:
            self._unsaved.append(tried)

    def save_states(self) -> None:
        """Note how far the locations are that have been answered.

        Raises:
            StorageUnavailableError: the database is gone. What it refuses otherwise fails these locations.
        """
        if not self._unsaved:
            return
        try:
            self._tools.storage.save_location_states(self.report, self._unsaved)
        except StorageUnavailableError:
            raise
        except StorageError as refusal:
            self._fail({state.location for state in self._unsaved}, str(refusal))
        self._unsaved = []

    def _fail(self, locations: Collection[str], refusal: str) -> None:
        """What was stored of these is counted, but how far they are could not be noted."""
        self._results = [
            replace(result, error=refusal) if result.location in locations and not result.error else result
            for result in self._results
        ]
        self._tools.listener.warning(
            f"How far the {self.report} of {_listed(locations)} is synced could not be noted; the next run "
            f"asks again: {refusal}"
        )

    def result(self, broken_off: str | None = None) -> StepResult:
        """What the step came to; `broken_off`: the error that ended it before its time."""
        return step_result(
            self.report,
            self._results,
            len(self.plan.windows),
            error=broken_off or self._refused,
            dormant=self.plan.dormant,
        )


def step_result(
    report: StepName,
    results: Sequence[LocationResult],
    total: int,
    *,
    error: str | None = None,
    dormant: int = 0,
) -> StepResult:
    """How a report's step went that asked `total` locations, or was to. `error`: what failed all of it: an
    interruption, or a key that was refused."""
    failed = [result for result in results if result.error is not None]
    if error or (failed and len(failed) == total):
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
        dormant=dormant,
        locations=tuple(results),
    )


def failure_summary(failed: Sequence[LocationResult], total: int) -> str | None:
    """One line about the locations that failed, of `total` that were asked, grouped by what failed them;
    None where none did."""
    if not failed:
        return None
    by_error: dict[str, list[str]] = defaultdict(list)
    for result in failed:
        by_error[result.error or ""].append(result.location)
    how_many = f"all {total}" if len(failed) == total else f"{len(failed)} of {total}"
    if len(by_error) == 1 and len(failed) == total:
        return f"{how_many} locations failed: {next(iter(by_error))}"
    told_errors = [f"{error} ({_listed(where)})" for error, where in list(by_error.items())[:ERRORS_TOLD]]
    if more := len(by_error) - len(told_errors):
        told_errors.append(f"and {more} more kind{'s' if more > 1 else ''} of error")
    return f"{how_many} locations failed: {'; '.join(told_errors)}"


def _listed(locations: Collection[str]) -> str:
    """The locations in words, the first few of them."""
    shown = sorted(locations, key=location_order)[:LOCATIONS_TOLD]
    more = f" and {len(locations) - len(shown)} more" if len(locations) > len(shown) else ""
    return f"location {', '.join(shown)}{more}"


def told(error: ApiError | None) -> str:
    """A failure in words that are the same for every location that failed so."""
    if isinstance(error, DeadlinePassedError):
        how = "no answer before" if error.asked else "not asked:"
        return f"{how} the run's time was over (API_RUN_DEADLINE_S)"
    return str(error)
