"""However the rental API answers, whatever happens there: nothing stays missing for longer than a round."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncctl.domain.steps import StepName
from tests.support.api_model import DIALECTS
from tests.support.model_world import REPORTS
from tests.torture.dialect_story import EVENTS, DialectStory

STORIES = 15


def test_after_a_round_everything_is_there_and_each_mode_is_the_right_one(rounds: int) -> None:
    @settings(
        max_examples=STORIES * rounds,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(
        dialects=st.fixed_dictionaries({report: st.sampled_from(sorted(DIALECTS)) for report in REPORTS}),
        events=st.lists(EVENTS, max_size=12),
    )
    def tell(dialects: Mapping[StepName, str], events: list[tuple[str, Any, Any]]) -> None:
        story = DialectStory(dialects)
        story.run(5)
        for event in events:
            story.happen(event)
        story.settle()
        story.check_all()
        story.check_modes()
        story.check_lost()
        story.check_all()

    tell()
