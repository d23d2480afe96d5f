"""How long a run may take at most."""

from syncctl.domain.run_results import RunResult

GRACE_S = 2.0
"""What a run allows itself after its deadline: a second for the answer of a lane that is stuck, and one for
the lane to end."""

BUSY_S = 3.0
"""How far behind a machine may be that runs other tests meanwhile. What hangs does so for minutes."""


def assert_in_time(result: RunResult, deadline_s: float, *, storing_s: float = 0.0) -> None:
    """The run was over at its deadline, but for its grace and for the storing of what had come by then."""
    assert result.duration_s <= deadline_s + GRACE_S + storing_s + BUSY_S
