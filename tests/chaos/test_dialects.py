"""However the rental API answers, whatever happens there: nothing stays missing for longer than a round."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from tests.chaos.dialect_history import EVENTS, DialectHistory
from tests.support.api_model import DIALECTS
from tests.support.model_world import REPORTS

HISTORIES = 15


def test_after_a_round_everything_is_there_and_each_mode_is_the_right_one(rounds: int) -> None:
    @settings(
        max_examples=HISTORIES * rounds,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(
        dialects=st.fixed_dictionaries({report: st.sampled_from(sorted(DIALECTS)) for report in REPORTS}),
        events=st.lists(EVENTS, max_size=12),
    )
    # What a wrong clock has corrected is corrected again.
    @example(
        dialects=dict.fromkeys(REPORTS, "all-ignored"),
        events=[("correct", 337, "phone"), ("run_by_a_wrong_clock", 63, 0), ("correct", 337, "phone")],
    )
    # A measured mode leaves rows out: the location is in doubt in every other run, until the next day.
    @example(
        dialects={StepName.BOOKING: "all-ignored", StepName.RETURN: "expected-return-date"},
        events=[("correct", 6, "phone")],
    )
    # Only whole windows are refused, which only audits ask for.
    @example(
        dialects={StepName.BOOKING: "all-ignored", StepName.RETURN: "dates-without-empty-strings"},
        events=[("speak", StepName.RETURN, "empty-strings-error")],
    )
    def play(dialects: Mapping[StepName, str], events: list[tuple[str, Any, Any]]) -> None:
        history = DialectHistory(dialects)
        history.run(5)
        for event in events:
            history.happen(event)
        history.settle()
        history.check_all()
        history.check_modes()
        history.check_lost()
        history.check_all()

    play()
