"""Random histories of a source that answers in any dialect, and what syncctl must know of it."""

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import Any

from hypothesis import strategies as st

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect, Mode
from syncctl.domain.identity import derived_id, fingerprint, key_of
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.requests import BodyForm, Days, ReportRequest, Window
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.mapping.api_rows import RowDates, report_values
from tests.support.api_model import DIALECTS, Row, api_dialect, body_of
from tests.support.failing_storage import WRITES, FailingStorage, Killed, Moment
from tests.support.model_world import CODES, REPORTS, STORES, ModelWorld

BOOKING, RETURN = REPORTS
A_DAY = timedelta(days=1)
WHOLE = Window(12)
SOME = st.integers(0, 10_000)
NOTHING = st.just(0)

EVENTS = st.one_of(
    st.tuples(st.just("book"), SOME, st.integers(0, 6)),
    st.tuples(st.just("book"), SOME, st.integers(7, 300)),
    st.tuples(st.just("give_back"), SOME, st.integers(0, 3)),
    st.tuples(st.just("give_back"), SOME, st.integers(8, 40)),
    st.tuples(st.just("correct"), SOME, st.sampled_from(["phone", "name", "day", "delivery"])),
    st.tuples(st.just("withdraw"), SOME, NOTHING),
    st.tuples(st.just("book_meanwhile"), st.integers(1, 25), st.integers(0, 4)),
    st.tuples(st.just("speak"), st.sampled_from(REPORTS), st.sampled_from(sorted(DIALECTS))),
    st.tuples(st.just("cut"), st.sampled_from(REPORTS), st.sampled_from([None, 20, 50])),
    st.tuples(st.just("run"), st.integers(1, 40), NOTHING),
    st.tuples(st.just("run"), st.integers(1440, 4000), NOTHING),
    st.tuples(st.just("run_killed"), st.integers(1, 60), st.sampled_from(Moment)),
    st.tuples(st.just("run_by_a_wrong_clock"), st.integers(-40 * 24, 40 * 24), NOTHING),
    st.tuples(st.just("run_out_of_time"), st.integers(0, 30), NOTHING),
)
"""Changes at the source and of the API, and kinds of runs."""


class DialectHistory:
    """One history. Each ordinary run is checked when it ends."""

    def __init__(self, dialects: Mapping[StepName, str]) -> None:
        self.world = ModelWorld()
        self.world.fill()
        self.world.api.before = self._while_it_asks
        self._entered_at: dict[int, int] = {}
        self._corrected = 0
        self._doubted: set[tuple[StepName, str]] = set()
        """Locations that have been in doubt since the last round of audits began."""
        for report, name in dialects.items():
            self.speak(report, name)

    def happen(self, event: tuple[str, Any, Any]) -> None:
        """Perform one of EVENTS."""
        name, *given = event
        getattr(self, name)(*given)

    # What happens at the source.

    def speak(self, report: StepName, name: str) -> None:
        self.world.api.dialects[report] = api_dialect(name, at_most=self.world.api.dialects[report].at_most)

    def cut(self, report: StepName, at_most: int | None) -> None:
        name = next(
            name
            for name in DIALECTS
            if api_dialect(name, at_most=self.world.api.dialects[report].at_most)
            == self.world.api.dialects[report]
        )
        self.world.api.dialects[report] = api_dialect(name, at_most=at_most)

    def book(self, some: int, days_back: int) -> None:
        self.world.book(CODES[some % len(CODES)], self.world.today - timedelta(days=days_back))

    def give_back(self, some: int, days_back: int) -> None:
        day = self.world.today - timedelta(days=days_back)
        out = [row for _, row in self._rows() if row["returnDate"] is None and row["bookingDate"] < str(day)]
        if out:
            self.world.give_back(out[some % len(out)], day)

    def correct(self, some: int, what: str) -> None:
        _, row = self._rows()[some % len(self._rows())]
        self._corrected += 1
        if what == "phone":
            row["phoneNo"] = f"8{self._corrected:09}"
        elif what == "name":
            row["customerName"] = f"Corrected {self._corrected}"
        for field in {"day": ("bookingDate",), "delivery": ("deliveryDate",)}.get(what, ()):
            day = date.fromisoformat(row[field][:10]) + (A_DAY if what == "delivery" else -A_DAY)
            row[field] = f"{day}{row[field][10:]}"

    def withdraw(self, some: int, _: int) -> None:
        code, row = self._rows()[some % len(self._rows())]
        self.world.api.books[code].remove(row)

    def book_meanwhile(self, call: int, days_back: int) -> None:
        self._entered_at[call] = days_back

    def _while_it_asks(self, request: ReportRequest) -> None:
        days_back = self._entered_at.pop(len(self.world.api.asked), None)
        if days_back is not None:
            self.world.book(request.location, self.world.today - timedelta(days=days_back))

    def _rows(self) -> list[tuple[str, Row]]:
        return [(code, row) for code, rows in self.world.api.books.items() for row in rows]

    # Runs.

    def run(self, minutes: int, _: int = 0) -> None:
        known = {report: self.world.dialect(report) for report in REPORTS}
        states = {report: self.world.storage.location_states(report) for report in REPORTS}
        books = {code: [dict(row) for row in rows] for code, rows in self.world.api.books.items()}
        result = self.world.run(after=timedelta(minutes=minutes))
        self._check_run(result, known, states, books)

    def run_killed(self, at: int, moment: Moment) -> None:
        killed = FailingStorage(self.world.storage, at, Killed, moment, among=WRITES)
        try:
            self.world.run(wrap=lambda storage: killed)
        except Killed:
            return

    def run_by_a_wrong_clock(self, hours: int, _: int) -> None:
        self.world.clock_error = timedelta(hours=hours)
        self.world.run()
        self.world.clock_error = timedelta(0)

    def run_out_of_time(self, calls: int, _: int) -> None:
        self.world.api.seconds = 1.0
        begun = self.world.api.clock
        self.world.run(deadline_s=calls + 0.5)
        assert self.world.api.clock - begun <= calls + 0.5
        self.world.api.seconds = 0.0

    # What must be known by then.

    def _check_run(
        self,
        result: RunResult,
        known: Mapping[StepName, Dialect],
        states: Mapping[StepName, Mapping[str, LocationState]],
        books: Mapping[str, list[Row]],
    ) -> None:
        """Everything that was there before the run and is in a proven window must be known."""
        for step in result.steps[1:]:
            report = step.name
            assert step.counts.balanced
            first = {request.location: request for request in reversed(self.world.asked(report))}
            for location in step.locations:
                if location.error is not None:
                    continue
                window = first[location.location].window
                rows = self._answer(report, location.location, window, books)
                before, after = (
                    states[report].get(location.location),
                    self.world.state(report, location.location),
                )
                # A corrected number waits until the answers are believed again: decision 0006.
                is_doubted = any(state is not None and state.doubted_since for state in (before, after))
                self._assert_known(report, location.location, rows or [], corrections_wait=is_doubted)
                if window != WHOLE and self._is_sound(report, known[report]):
                    since = self.world.today - timedelta(days=7)
                    recent = [row for row in books[location.location] if day_of(report, row) >= str(since)]
                    self._assert_known(report, location.location, recent, corrections_wait=is_doubted)

    def settle(self) -> None:
        """A round of audits while nothing changes at the source."""
        self._entered_at.clear()
        self._doubted.clear()
        if any(self._answer(report, CODES[0], self._whole(report)) is None for report in REPORTS):
            self.run(5)  # another body is found
        for _ in range(-(-len(CODES) // self.world.schedule.audits)):
            self._note_doubts()
            self.run(5)
        self._note_doubts()

    def _note_doubts(self) -> None:
        self._doubted |= {
            (report, code)
            for report in REPORTS
            for code in CODES
            if self.world.state(report, code).doubted_since is not None
        }

    def check_all(self) -> None:
        """Everything that whole windows return is known, but for corrected numbers where the mode of a report
        makes its narrow answers doubtful until it is measured again."""
        for report in REPORTS:
            for code in CODES:
                rows = self._answer(report, code, self._whole(report))
                assert rows is not None
                self._assert_known(report, code, rows, corrections_wait=(report, code) in self._doubted)

    def check_modes(self) -> None:
        """A day later (or two, if rows were missing on that day), each mode is the right one."""
        for _ in range(2):
            self.run(24 * 60)
        for report in REPORTS:
            found = self.world.dialect(report)
            assert found.measured_at == self.world.now
            for code in {trial.location for trial in found.trials}:
                assert self._agrees(report, code, found.mode, found.months, found.form)
            self._check_narrow_enough(report, found)

    def check_lost(self) -> None:
        """After two rounds no location's window leaves out what lies in it."""
        for _ in range(2):
            self.settle()
        for report in REPORTS:
            found = self.world.dialect(report)
            for code in CODES:
                if self.world.state(report, code).doubted_since is None:
                    assert self._agrees(report, code, found.mode, found.months, found.form, strictly=False)

    # By the books alone.

    def _whole(self, report: StepName) -> Window:
        return Window(12, form=self.world.dialect(report).whole_form)

    def _answer(
        self, report: StepName, code: str, window: Window, books: Mapping[str, list[Row]] | None = None
    ) -> list[Row] | None:
        body = body_of(ReportRequest(report, code, window, 0.0))
        rows = (books or self.world.api.books)[code]
        return self.world.api.dialects[report].answer(report, body, rows, self.world.today)

    def _assert_known(
        self, report: StepName, code: str, rows: list[Row], *, corrections_wait: bool = False
    ) -> None:
        recorded = [
            values
            for row in rows
            if (values := report_values(report, row, STORES[code], RowDates(UTC))) is not None
        ]
        known = self.world.storage.find_records([derived_id(key_of(values)) for values in recorded])
        for values in recorded:
            record = known.get(derived_id(key_of(values)))
            if record is None and corrections_wait and self._is_known_by_another_number(report, values):
                continue
            assert record is not None, f"{report} of {code}: {values} is missing"
            assert record.fingerprint == fingerprint(values), f"{report} of {code}: {values} is outdated"

    def _is_known_by_another_number(self, report: StepName, values: LeadValues) -> bool:
        entries = self.world.storage.records_about((), {values["bookingNo"]}, ())
        return any(entry.record.source == report for entry in entries)

    def _is_sound(self, report: StepName, known: Dialect) -> bool:
        """Whether the mode can't miss anything in its window, given the dialect."""
        api_dialect = self.world.api.dialects[report]
        if known.mode is Mode.WHOLE or api_dialect.at_most is not None:
            return False
        days = Days(self.world.today, self.world.today) if known.mode is Mode.DATES else None
        body = body_of(ReportRequest(report, "", Window(known.months, days, known.form), 0.0))
        if "" in body.values() and not api_dialect.takes_empty_strings:
            return False
        by_own = api_dialect.by == "" or (report is BOOKING and api_dialect.by == "bookingDate")
        if days is not None and api_dialect.notices(body):
            return api_dialect.dates == "rows" and by_own
        # Deliveries and returns come after the booking.
        return by_own or report is BOOKING or not (api_dialect.months_count and "months" in body)

    def _agrees(
        self, report: StepName, code: str, mode: Mode, months: int, form: BodyForm, *, strictly: bool = True
    ) -> bool:
        """Whether a location's answers contain what is dated in their windows. `strictly`: and nothing
        else."""
        today = self.world.today
        if mode is Mode.WHOLE:
            return True
        if mode is Mode.MONTHS:
            return self._holds(report, code, Window(months, form=form), 0, 26)
        near = Window(days=Days(today - 9 * A_DAY, today + A_DAY), form=form)
        far = Window(days=Days(today - 27 * A_DAY, today - 9 * A_DAY), form=form)
        if not (self._holds(report, code, near, 0, 8) and self._holds(report, code, far, 10, 26)):
            return not strictly and self._holds(report, code, near, 0, 7)
        if not strictly:
            return True
        of_near, of_far = self._answer(report, code, near) or [], self._answer(report, code, far) or []
        ages = [
            [age for row in rows if (age := self._age(report, row)) is not None] for rows in (of_near, of_far)
        ]
        return all(age <= 10 for age in ages[0]) and all(8 <= age <= 28 for age in ages[1])

    def _holds(self, report: StepName, code: str, window: Window, youngest: int, oldest: int) -> bool:
        found = self._answer(report, code, window)
        whole = self._answer(report, code, self._whole(report)) or []
        inside = [
            row for row in whole if (age := self._age(report, row)) is not None and youngest <= age <= oldest
        ]
        return found is not None and all(row in found for row in inside)

    def _age(self, report: StepName, row: Row) -> int | None:
        """How many days ago the event was; None: it has not happened."""
        written = day_of(report, row)
        return (self.world.today - date.fromisoformat(written)).days if written else None

    def _check_narrow_enough(self, report: StepName, found: Dialect) -> None:
        """If all locations agree and have enough rows, a narrower mode must be found."""
        whole = {code: self._answer(report, code, self._whole(report)) or [] for code in CODES}
        ages = {
            code: [age for row in rows if (age := self._age(report, row)) is not None]
            for code, rows in whole.items()
        }
        with_rows = [code for code in CODES if ages[code]]
        fewest = sorted(with_rows, key=lambda code: sum(0 <= age <= 26 for age in ages[code]))[:3]
        near = sum(0 <= age <= 8 for code in fewest for age in ages[code])
        far = sum(10 <= age <= 26 for code in fewest for age in ages[code])
        if not (
            near and far and near + far >= 20 and any(age > 200 for code in fewest for age in ages[code])
        ):
            return
        forms = [form for form in BodyForm if form is not BodyForm.USUAL]
        if any(all(self._agrees(report, code, Mode.DATES, 1, form) for code in with_rows) for form in forms):
            assert found.mode is Mode.DATES


def day_of(report: StepName, row: Row) -> str:
    """The day of the event; "": there was none."""
    written: str = row["bookingDate"] if report is BOOKING else row["returnDate"] or ""
    return written[:10]
