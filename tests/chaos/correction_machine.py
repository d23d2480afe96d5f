"""The state machine with phone numbers that the source corrects, between two runs and back again."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.chaos.corrections import NOBODY_REACHED
from tests.chaos.people_machine import NAMES, PHONES, picks, telecaller_actions
from tests.chaos.run_machine import InjectedFault, RunMachine, injected_faults
from tests.chaos.source import Row
from tests.support.webapp import MOSTLY_CURRENT_SHAPES

finishes_unreached = st.tuples(
    st.just("_finish"),
    picks,
    st.sampled_from(MOSTLY_CURRENT_SHAPES),
    st.sampled_from(sorted(NOBODY_REACHED)).map(lambda status: {"callStatus": status}),
)
"""As `telecaller_actions`: the only ones that let a corrected number become a new lead."""

others = st.fixed_dictionaries(
    {},
    optional={"name": st.sampled_from((*NAMES, "  anagha ")), "back": st.integers(0, 1)},
)
"""What else the source changes: with both name and day it is no correction."""


class CorrectionMachine(RunMachine):
    """Adds corrections, which single rules would seldom bring between two runs."""

    @precondition(lambda self: self.source.numbers)
    @rule(pick=picks, phone=st.sampled_from(PHONES), also=others)
    def source_corrects_a_number(self, pick: int, phone: str, also: dict[str, Any]) -> None:
        self._correct(self._number(pick), phone, **also)

    @precondition(lambda self: self.source.numbers)
    @rule(pick=picks, other=picks)
    def source_confuses_two_bookings(self, pick: int, other: int) -> None:
        """One of them has the other's number from now on."""
        self.source.confuse(self._number(pick), self._number(other))

    @precondition(lambda self: self.source.numbers)
    @rule(
        pick=picks,
        work=st.one_of(st.none(), telecaller_actions, finishes_unreached),
        phones=st.lists(st.sampled_from(PHONES), min_size=1, max_size=3),
        also=others,
        injected_fault=st.one_of(st.none(), injected_faults),
    )
    def a_known_number_is_corrected(
        self,
        pick: int,
        work: tuple[Any, ...] | None,
        phones: list[str],
        also: dict[str, Any],
        injected_fault: InjectedFault | None,
    ) -> None:
        """After a run knows a booking, and somebody may have worked on its lead; perhaps to several numbers
        in turn. The first run that sees a number may fail."""
        number = self._number(pick)
        assert self._sync()
        if work is not None:
            self._work_on_a_lead_of(number, work)
        for phone in phones:
            self._correct(number, phone, **also)
            self.world.now += timedelta(minutes=5)
            if injected_fault is not None:
                self._sync(wrap=injected_fault)
            assert self._sync()

    def _correct(self, number: str, phone: str, name: str | None = None, back: int | None = None) -> None:
        """To one of few numbers, so that it comes back to a former one."""
        change: Row = {"phoneNo": phone}
        if name is not None:
            change["customerName"] = name
        if back is not None:
            change["bookingDate"] = self.source.instant(self.today - timedelta(days=back))
        self.sandbox.change_booking(number, **change)

    def _work_on_a_lead_of(self, number: str, work: tuple[Any, ...]) -> None:
        action, pick, *given = work
        numbers = [self.model.leads[lead_id].get("bookingNo") for lead_id in sorted(self.model.leads)]
        if number in numbers:
            mine = [index for index, each in enumerate(numbers) if each == number]
            getattr(self, action)(mine[pick % len(mine)], *given)
