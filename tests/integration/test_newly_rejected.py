"""Rows that a run puts on the rejects list are told once, at its end; those on it before are known."""

from pathlib import Path

import pytest

from syncctl.domain.sources import StepName
from syncctl.errors import InterruptedRunError, StorageUnavailableError
from syncctl.sandbox import Sandbox
from tests.integration.test_failures import refusing
from tests.support.completeness import repair
from tests.support.failing_storage import interrupted
from tests.support.world import World


def add_bad_rows(sandbox: Sandbox, *numbers: str) -> None:
    rows: list[object] = [
        {"bookingNo": number, "bookingDate": f"{sandbox.today}T10:00:00"} for number in numbers
    ]
    sandbox.add_rows(sandbox.locations[0], rows)


def test_a_run_tells_how_many_are_new_and_an_unchanged_row_is_told_once(
    world: World, sandbox: Sandbox
) -> None:
    world.run()
    listed = len(world.app.all("syncrejects"))
    assert world.recorder.newly_rejected == [listed]
    world.run()
    assert world.recorder.newly_rejected == []
    add_bad_rows(sandbox, "4711", "4712")
    world.run()
    assert world.recorder.newly_rejected == [2]
    assert len(world.app.all("syncrejects")) == listed + 2


def test_a_reason_in_the_words_of_an_earlier_version_is_neither_new_nor_in_the_way(
    world: World, sandbox: Sandbox
) -> None:
    row: dict[str, object] = {"bookingNo": "4711", "bookingDate": f"{sandbox.today}T10:00:00"}
    sandbox.add_rows(sandbox.locations[0], [row])
    world.run((StepName.BOOKING,))
    with world.storage() as storage:
        before = storage.rejects()
        storage.amend_rejects([reject._replace(reason="its name is no name") for reject in before])
    world.run((StepName.BOOKING,))
    assert world.recorder.newly_rejected == []
    with world.storage() as storage:
        assert {reject.reason for reject in storage.rejects()} == {"its name is no name"}
        assert len(storage.rejects()) == len(before)
    row |= {"customerName": "Anagha", "phoneNo": "9000000077"}
    sandbox.add_rows(sandbox.locations[0], [])  # what it has answered before counts no more
    world.run((StepName.BOOKING,))
    with world.storage() as storage:
        assert len(storage.rejects()) == len(before) - 1


def test_a_dry_run_tells_each_time_what_would_be_new(world: World, sandbox: Sandbox) -> None:
    world.run()
    add_bad_rows(sandbox, "4711", "4712")
    for _ in range(2):
        world.run(dry_run=True)
        assert world.recorder.newly_rejected == [2]


def test_an_import_tells_how_many_are_new(world: World, tmp_path: Path) -> None:
    file = tmp_path / "walkin_sg_calicut.csv"
    good, bad = "01-03-2026,Anagha,9000000077", "01-03-2026,B,12"
    file.write_text(f"Date,Customer Name,Contact\n{good}\n{bad}\n", encoding="utf-8")
    world.import_files(StepName.WALKIN, file)
    assert world.recorder.newly_rejected == [1]
    world.import_files(StepName.WALKIN, file)
    assert world.recorder.newly_rejected == []
    file.write_text(f"Date,Customer Name,Contact\n{good}\n{bad}\n{bad}\n", encoding="utf-8")
    world.import_files(StepName.WALKIN, file, dry_run=True)
    assert world.recorder.newly_rejected == [1]
    world.import_files(StepName.WALKIN, file)
    assert world.recorder.newly_rejected == [1]


def test_a_retry_of_what_is_on_the_list_tells_nothing(world: World) -> None:
    world.run()
    assert world.retry_rejects().invalid
    assert world.recorder.newly_rejected == []


@pytest.mark.slow
def test_a_repair_tells_how_many_it_listed(world: World, sandbox: Sandbox) -> None:
    world.run()
    add_bad_rows(sandbox, "4711")
    repair(world)
    assert world.recorder.newly_rejected == [1]
    repair(world)
    assert world.recorder.newly_rejected == []


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (interrupted, InterruptedRunError),
        (lambda: StorageUnavailableError("gone"), StorageUnavailableError),
    ],
)
def test_a_run_that_is_broken_off_tells_them_as_the_next_one_will_not(
    world: World, error: type[BaseException], raised: type[BaseException]
) -> None:
    with pytest.raises(raised):
        world.run((StepName.BOOKING,), wrap=refusing("add_sync_log", error, times=1))
    assert world.recorder.newly_rejected == [len(world.app.all("syncrejects"))]
