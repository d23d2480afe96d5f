"""Which fault strikes when, and how faults are written."""

import pytest

from syncctl.sandbox import FAULT_KINDS, Fault, Sandbox
from syncctl.sandbox.faults import FaultPlan
from tests.unit.sandbox.client import STORE_LIST, ask, report


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("503", Fault("503")),
        ("503=0.2", Fault("503", rate=0.2)),
        ("reset@booking", Fault("reset", api="booking")),
        ("slow=0.1@return:7", Fault("slow", rate=0.1, api="return", location="7")),
        (" 429-date=1@stores ", Fault("429-date", api="stores")),
        ("gzip-bomb=.5", Fault("gzip-bomb", rate=0.5)),
    ],
)
def test_faults_as_they_are_written(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        "505",
        "503=",
        "503=0",
        "503=2",
        "503=-1",
        "503=nan",
        "503=1.2.3",
        "503@",
        "503@rentout",
        "503@booking:",
    ],
)
def test_a_fault_that_is_not_understood_is_answered_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="is not understood") as caught:
        Fault.parse(text)
    message = str(caught.value)
    assert all(kind in message for kind in FAULT_KINDS)
    assert message.count("\n") == 1


def test_the_first_matching_fault_that_fires_wins() -> None:
    plan = FaultPlan(1, [Fault("502", location="7"), Fault("503", api="return"), Fault("504")])
    assert [plan.choose("return", location)[0].kind for location in ("7", "8")] == ["502", "503"]  # type: ignore[index]
    assert plan.choose("stores", None) == (Fault("504"), 0)


def test_times_bounds_how_often_a_fault_strikes_and_the_next_takes_over() -> None:
    plan = FaultPlan(1, [Fault("502", times=2), Fault("503", times=1)])
    kinds = [chosen and chosen[0].kind for chosen in (plan.choose("booking", "7") for _ in range(4))]
    assert kinds == ["502", "502", "503", None]
    assert plan.served() == {"502": 2, "503": 1}


def struck(plan: FaultPlan, location: str, calls: int) -> list[bool]:
    return [plan.choose("booking", location) is not None for _ in range(calls)]


def test_the_rate_is_met_and_each_locations_luck_depends_on_the_seed_alone() -> None:
    faults = [Fault("503", rate=0.2)]
    plan, again = FaultPlan(1, faults), FaultPlan(1, faults)
    of_seven = struck(plan, "7", 1000)
    assert 150 < sum(of_seven) < 250
    struck(again, "8", 10)
    assert struck(again, "7", 1000) == of_seven
    assert struck(FaultPlan(2, faults), "7", 1000) != of_seven


def test_set_faults_replaces_and_none_is_healthy(sandbox: Sandbox) -> None:
    sandbox.set_faults(Fault("503"), Fault("500"))
    assert report(sandbox, "booking").status == 503
    sandbox.set_faults(Fault("500", api="stores"))
    assert report(sandbox, "booking").status == 200
    assert ask(sandbox, "GET", STORE_LIST).status == 500
    sandbox.set_faults()
    assert ask(sandbox, "GET", STORE_LIST).status == 200
    assert sandbox.fault_counts == {"503": 1, "500": 1}
