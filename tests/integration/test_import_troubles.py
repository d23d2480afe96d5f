"""Invalid rows of files, rejects tried again, imports killed in their midst."""

from pathlib import Path
from typing import Any

import pytest

from syncctl.locations import load_locations
from syncctl.models import StepName
from syncctl.ports import Storage
from tests.integration.test_failures import FailingStorage, Killed
from tests.support.store_files import HEADER, counts, row, write
from tests.support.world import World

WALKIN = StepName.WALKIN


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "walkin_sg_calicut.csv", row())


def test_invalid_rows_are_listed_with_their_place_and_cleared_by_a_valid_row_there(
    world: World, file: Path
) -> None:
    write(file, row(Contact="123"), row(Date="31-02-2025"), row(Customer_Name=" "))
    assert counts(world.import_files(WALKIN, file))[-1] == 3
    listed = {reject["position"].split("\x1f")[1]: reject for reject in world.app.all("syncrejects")}
    assert set(listed) == {"3", "4", "5"}
    assert "31-02-2025" in listed["4"]["reason"]
    assert listed["3"]["location"] == file.name
    assert '"Customer Name": "Anagha S"' in listed["3"]["row"]
    world.import_files(WALKIN, file)
    assert len(world.app.all("syncrejects")) == 3
    write(file, row(Contact="9000000001"), row(Date="31-02-2025"), row(Customer_Name=" ", Staff="New"))
    world.import_files(WALKIN, file)
    left = [reject["position"].split("\x1f")[1] for reject in world.app.all("syncrejects")]
    assert sorted(left) == ["4", "5"]


def test_rejects_are_tried_again_after_a_fix(world: World, file: Path, tmp_path: Path) -> None:
    header = [*HEADER, "Store"]
    sheet = write(
        tmp_path / "walkin.csv", [*row(), "Brand New"], [*row(Contact="1"), "Calicut"], header=header
    )
    assert counts(world.import_files(WALKIN, sheet))[-1] == 2
    assert world.retry_rejects().invalid == 2
    better = load_locations()
    with_place = type(better).from_tables(
        {**better.by_code, "999": "Suitor Guy - Brand New"}, {"Suitor Guy": ["sg"], "Zorucci": ["z"]}, {}
    )
    retried = world.retry_rejects(with_place)
    assert (retried.rows, retried.saved, retried.invalid) == (2, 1, 1)
    assert len(world.app.all("syncrejects")) == 1
    assert world.app.leads()[0]["store"] == "Suitor Guy - Brand New"


def test_api_rejects_are_tried_again_too(world: World) -> None:
    location = world.sandbox.locations[0]
    world.run()
    before = len(world.app.all("syncrejects"))
    assert before
    retried = world.retry_rejects()
    assert retried.rows == retried.invalid == before
    world.sandbox.add_rows(location, [])
    assert len(world.app.all("syncrejects")) == before


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_write_the_next_import_ends_as_an_undisturbed_one(
    world: World, file: Path, after: bool
) -> None:
    old = [row(Contact=f"90000000{number:02}", Remarks="old") for number in range(20)]
    new = [row(Contact=f"90000000{number:02}", Remarks="new") for number in range(5, 25)]
    write(file, *old, row(Contact="1"))
    world.import_files(WALKIN, file)
    edited = next(lead for lead in world.app.leads() if lead["phone"] == "9000000007")
    world.app.edit(edited["_id"], remarks="mine")
    write(file, *new, row(Contact="12"))

    def failing(at: int) -> Any:
        def wrap(storage: Storage) -> FailingStorage:
            return FailingStorage(storage, at, Killed, after)

        return wrap

    write_number = 1
    while True:
        try:
            world.import_files(WALKIN, file, wrap=failing(write_number))
        except Killed:
            write_number += 1
        else:
            break
    assert write_number > 4
    leads = {lead["phone"]: lead["remarks"] for lead in world.app.leads()}
    assert leads == {
        f"90000000{number:02}": "mine" if number == 7 else "new" if number >= 5 else "old"
        for number in range(25)
    }
    assert [reject["reason"] for reject in world.app.all("syncrejects")] == [
        "too few digits in the phone number"
    ] * 1
