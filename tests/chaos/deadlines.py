"""How long a run may take at most."""

from syncctl.domain.run_results import RunResult

GRACE_S = 2.0
"""What a run may take after its deadline: a second for a stuck lane's answer, and one for the lane to end."""

BUSY_S = 3.0
"""Allowance for a machine that runs other tests. What hangs does so for minutes."""


def assert_in_time(result: RunResult, deadline_s: float, *, storing_s: float = 0.0) -> None:
    """The run ended at its deadline, plus its grace and the time to store what had arrived."""
    assert result.duration_s <= deadline_s + GRACE_S + storing_s + BUSY_S
