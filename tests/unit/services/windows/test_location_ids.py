"""How it is found out whether a report keeps to the location id that it is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncctl.domain.dialects import Dialect, LocationIds
from syncctl.domain.sources import StepName
from syncctl.locations import load_locations
from syncctl.services.windows.answer_classifier import AnswerClassifier, known_shop_names
from syncctl.services.windows.location_ids import LocationIdWatch, ids_warning
from tests.support.shops import CALICUT, EDAPPALLY, LISTED, PMNA, row, rows

NOW = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)


class Report:
    """A report's answers as a step takes them."""

    def __init__(self, dialect: Dialect | None = None) -> None:
        dialect = dialect or Dialect(StepName.BOOKING)
        shops = known_shop_names(LISTED, load_locations(), {StepName.BOOKING: dialect})
        self.stores = AnswerClassifier(shops, dialect, UTC)
        self.watch = LocationIdWatch(self.stores, NOW)

    @property
    def dialect(self) -> Dialect:
        return self.watch.dialect

    @property
    def ids(self) -> str:
        return self.watch.dialect.ids.value

    def take(self, location: str, answer: list[Any]) -> dict[str, str]:
        """Gives the stores of its bookings."""
        found = self.stores.classify(location, answer)
        if self.watch.assess(found) and not found.store_from_row:
            found = self.stores.classify(location, answer)
        self.watch.note_saved(found, len(found.records))
        return {record.values["bookingNo"]: record.values["store"] for record in found.records.values()}

    def end(self) -> str:
        """The run is over; gives its warning."""
        self.watch.conclude()
        return ids_warning([self.watch])


def test_as_long_as_ids_are_honoured_the_id_decides() -> None:
    """A few rows may name another shop, and a shop may have got another spelling in the midst of a year."""
    stores = Report()
    strays = [*rows(range(9), "PMNA"), *rows(range(9, 12), "Z- Edapally")]
    assert set(stores.take("7", strays).values()) == {PMNA}
    renamed = [*rows(range(20, 30), "SG.CALICUT"), *rows(range(30, 40), "CLT New")]
    assert set(stores.take("13", renamed).values()) == {CALICUT}
    assert set(stores.take("709", rows(range(5), "PMNA")).values()) == {PMNA}  # the same shop's other id
    assert stores.end() == ""
    assert stores.dialect == Dialect(StepName.BOOKING)


@pytest.mark.parametrize(
    "mixed",
    [
        [row(1, "PMNA"), row(2, "SG.CALICUT")],
        [row(1, "PMNA"), row(2, "PMNA"), row(3, "Z- Edapally")],
        [row(1, "PMNA"), row(2, "Atlantis"), row(3, "Lemuria")],
        [row(1, None, locationID="7"), row(2, None, locationID=13)],
    ],
)
def test_rows_of_several_shops_in_one_answer(mixed: list[Any]) -> None:
    stores = Report()
    placed = stores.take("13", mixed)
    assert placed["1"] == PMNA
    assert (stores.dialect.ids, stores.dialect.ids_since) == (LocationIds.IGNORED, NOW)
    assert stores.dialect.ids_seen == "location 13 gave rows of several shops"
    warning = stores.end()
    assert "The booking report ignores the location id" in warning
    assert "stored under" not in warning


def test_the_same_bookings_under_ids_of_different_shops() -> None:
    stores = Report()
    assert stores.take("7", rows(range(3), "PMNA")) == {"0": PMNA, "1": PMNA, "2": PMNA}
    assert stores.take("144", rows(range(10, 14), "SG.CALICUT")) == dict.fromkeys(
        ("10", "11", "12", "13"), EDAPPALLY
    )
    assert set(stores.take("13", rows(range(12, 20), "SG.CALICUT")).values()) == {CALICUT}
    assert stores.dialect.ids is LocationIds.IGNORED
    assert stores.dialect.ids_seen == (
        "locations 144 and 13, which are different shops, gave the same bookings"
    )
    warning = stores.end()
    assert "First seen in this run (booking: locations 144 and 13, which are different shops" in warning
    assert "4 leads were stored under the store of the id before that was noticed: `syncctl verify" in warning
    assert set(stores.take("1", rows(range(3), "PMNA")).values()) == {PMNA}


def test_a_few_bookings_that_come_for_two_shops_prove_nothing() -> None:
    """Such as one of which each shop has an item."""
    stores = Report()
    stores.take("7", rows(range(30), "PMNA"))
    stores.take("13", rows(range(27, 60), "SG.CALICUT"))
    assert stores.ids == "honoured"


def test_another_booking_of_the_same_number_proves_nothing() -> None:
    stores = Report()
    stores.take("7", [row(1, "PMNA")])
    stores.take("13", [row(1, "SG.CALICUT", phoneNo="9000000099")])
    assert stores.dialect.ids is LocationIds.HONOURED


def test_what_is_remembered_decides_from_the_first_row_on_and_is_said_in_each_run() -> None:
    before = NOW - timedelta(days=1)
    known = Dialect(StepName.BOOKING, ids=LocationIds.IGNORED, ids_since=before, ids_seen="x")
    stores = Report(known)
    assert stores.take("7", rows(range(3), "SG.CALICUT")) == {"0": CALICUT, "1": CALICUT, "2": CALICUT}
    warning = stores.end()
    assert stores.dialect == known
    assert "First seen" not in warning
    assert "ignores the location id" in warning


def test_ids_are_honoured_again_where_each_answer_has_its_own_shops_rows() -> None:
    known = Dialect(StepName.BOOKING, ids=LocationIds.IGNORED, ids_since=NOW, ids_seen="x")
    few = Report(known)
    few.take("7", rows(range(6), "PMNA"))
    few.take("13", rows(range(6, 12), "SG.CALICUT"))
    assert few.end()
    assert few.dialect == known
    alone = Report(known)
    alone.take("7", rows(range(60), "PMNA"))
    assert alone.end()
    assert alone.dialect == known
    again = Report(known)
    again.take("7", rows(range(10), "PMNA"))
    again.take("13", rows(range(10, 20), "SG.CALICUT"))
    again.take("8", [])
    assert again.end() == ""
    assert again.ids == "honoured"


def test_only_an_empty_id_brings_rows() -> None:
    stores = Report()
    for location in ("7", "13"):
        stores.take(location, [])
    assert stores.take("", [row(1, "PMNA"), row(2, "Z- Edapally")]) == {"1": PMNA, "2": EDAPPALLY}
    assert stores.ids == "empty"
    assert "nothing for any location id, only for an empty one" in stores.end()
    # An id with rows of its own shows that it has changed.
    stores.take("7", rows(range(3), "PMNA"))
    assert stores.ids == "honoured"
    assert stores.take("", [row(1, "PMNA"), row(2, "Z- Edapally")]) == {"1": PMNA, "2": EDAPPALLY}
    assert stores.ids == "honoured"


def test_how_rows_name_another_store_than_the_table_is_remembered() -> None:
    before = Dialect(StepName.BOOKING, spellings=(("7", "Attingal"), ("16", "Kollam")))
    stores = Report(before)
    stores.take("7", rows(range(3), "PMNA"))
    stores.take("5", [*rows(range(10, 13), "TVM Fort"), row(13, "PMNA")])
    stores.take("9", [])
    stores.take("13", [row(20, None)])
    assert stores.end() == ""
    assert stores.dialect.spellings == (("16", "Kollam"), ("5", "TVM Fort"))
    again = Report(stores.dialect)
    again.take("5", rows(range(10, 13), "TVM Fort"))
    again.end()
    assert again.dialect == stores.dialect


def test_one_warning_for_both_reports() -> None:
    def said(booking: LocationIds, returns: LocationIds) -> str:
        known = {StepName.BOOKING: booking, StepName.RETURN: returns}
        return ids_warning(Report(Dialect(name, ids=ids)).watch for name, ids in known.items())

    then = "the location in each row decides its store. Ask the API's provider how to ask for one location."
    assert said(LocationIds.HONOURED, LocationIds.HONOURED) == ""
    assert said(LocationIds.IGNORED, LocationIds.IGNORED) == (
        f"The booking and return reports ignore the location id that they are asked for: {then}"
    )
    assert said(LocationIds.EMPTY, LocationIds.IGNORED) == (
        "The return report ignores the location id that it is asked for; the booking report has "
        f"nothing for any location id, only for an empty one, which it is asked with: {then}"
    )
