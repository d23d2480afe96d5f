"""What `doctor` says of location ids."""

from collections.abc import Mapping
from datetime import UTC, datetime

from syncctl.domain.checks import CheckResult, Finding
from syncctl.domain.dialects import Dialect, LocationIds
from syncctl.domain.sources import StepName
from syncctl.locations import load_locations
from syncctl.services.doctor.locations import check_location_ids

ALL = {code: name.replace("Suitor Guy - ", "SG.") for code, name in load_locations().by_code.items()}
SINCE = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)


def lines(listed: Mapping[str, str], *dialects: Dialect) -> dict[str, Finding]:
    found = list(
        check_location_ids(listed, {each.report: each for each in dialects}, load_locations(), SINCE)
    )
    assert all(check.result is CheckResult.PASSED or check.hint for check in found)
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def test_before_the_first_sync_there_is_nothing_to_say() -> None:
    assert lines({}) == {}


def test_where_everything_agrees() -> None:
    found = lines(ALL, Dialect(StepName.BOOKING))
    assert list(found) == ["Location ids"]
    assert found["Location ids"].result is CheckResult.PASSED


def test_ids_that_the_api_names_otherwise() -> None:
    """16 is inferred in the table; a spelling that no table knows may be another place."""
    booking = Dialect(StepName.BOOKING, spellings=(("16", "Z- Edapally"), ("5", "TVM Fort")))
    returns = Dialect(StepName.RETURN, spellings=(("16", "Z- Edapally"),))
    check = lines(ALL | {"9": "Z.Kottayam", "16": ""}, booking, returns)["Location ids"]
    assert check.result is CheckResult.WARNING
    assert check.message == (
        "the API and locations.toml name different stores for "
        "5 (Suitor Guy - Trivandrum; its rows: TVM Fort), "
        "9 (Suitor Guy - Kottayam; the store list: Z.Kottayam), "
        "16 (Zorucci - Perinthalmanna; its rows: Z- Edapally)"
    )
    assert "ask the API's provider which shops these ids are, and correct" in check.hint


def test_ids_of_the_store_list_only_and_of_the_table_only() -> None:
    found = lines({"7": "PMNA", "1001": "SG.New Place", "1000": ""})
    new, old = found["New location ids"], found["Old location ids"]
    assert new.result is CheckResult.WARNING
    assert new.message == (
        "in the store list, but not in locations.toml: 1000 (without a name: its rows are rejected), "
        "1001 (SG.New Place)"
    )
    assert old.result is CheckResult.PASSED
    assert old.message.startswith(
        "in locations.toml, but not in the store list: 1, 3, 5, 6, 8, 9, 10, 11, 12, 13 "
    )
    assert f"and {len(ALL) - 11} more. They are asked for all the same" in old.message


def test_ids_that_are_not_kept_to() -> None:
    ignored = Dialect(StepName.BOOKING, ids=LocationIds.IGNORED, ids_since=SINCE, ids_seen="so it is")
    empty = Dialect(StepName.RETURN, ids=LocationIds.EMPTY, ids_since=SINCE, ids_seen="so it is")
    found = lines(ALL, ignored, empty)
    assert (
        found["Location ids: bookings"].result is found["Location ids: returns"].result is CheckResult.WARNING
    )
    assert found["Location ids: bookings"].message == (
        "ignored since 10 Mar 2026 UTC (so it is): the location in each row decides its store"
    )
    assert found["Location ids: returns"].message.startswith(
        "only an empty one brings rows since 10 Mar 2026 UTC"
    )
