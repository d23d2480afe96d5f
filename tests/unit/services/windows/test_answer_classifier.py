"""Which store a row of a report is of, where the row itself decides."""

from datetime import UTC
from typing import Any

import pytest

from syncctl.domain.dialects import Dialect, LocationIds
from syncctl.domain.sources import StepName
from syncctl.locations import load_locations
from syncctl.services.sync.answer_rows import UNKNOWN_SHOP
from syncctl.services.windows.answer_classifier import AnswerClassifier, ShopNames, known_shop_names
from tests.support.shops import CALICUT, EDAPPALLY, LISTED, PMNA, row


def shops(*spellings: tuple[str, str]) -> ShopNames:
    dialect = Dialect(StepName.BOOKING, spellings=spellings)
    return known_shop_names(LISTED, load_locations(), {StepName.BOOKING: dialect})


@pytest.mark.parametrize(
    ("named", "store"),
    [
        ({"location": "PMNA"}, PMNA),
        ({"location": " z- edapally "}, EDAPPALLY),
        ({"location": "SG.New Place"}, "Suitor Guy - New Place"),
        ({"location": "ekm  main"}, "Suitor Guy - MG Road"),  # only the store list explains it
        ({"location": "TVM Fort"}, "Suitor Guy - Trivandrum"),  # only rows of before explain it
        ({"location": "Atlantis"}, None),
        ({"location": "Atlantis", "locationID": 13}, CALICUT),
        ({"location": None, "locationID": "13"}, CALICUT),
        ({"location": " "}, None),
        ({"location": ["PMNA"]}, None),
        ({"location": "x" * 20_000}, None),
        ({}, None),
        ("no row", None),
    ],
)
def test_the_store_that_a_row_names(named: Any, store: str | None) -> None:
    assert shops(("700", "TVM Fort")).store_of(named) == store


def test_a_spelling_that_stands_for_several_shops_names_none() -> None:
    assert shops(("700", "Main"), ("13", "Main")).store_of({"location": "Main"}) is None


def test_a_row_that_names_no_known_shop_is_rejected() -> None:
    stores = AnswerClassifier(shops(), Dialect(StepName.BOOKING, ids=LocationIds.IGNORED), UTC)
    not_yet = row(3, "Atlantis", bookingDate=None)
    answer = stores.classify("7", [row(1, "PMNA"), row(2, "Atlantis"), not_yet, row(4, None)])
    assert [(invalid["bookingNo"], reason) for invalid, reason in answer.invalid] == [
        ("2", UNKNOWN_SHOP),
        ("4", UNKNOWN_SHOP),
    ]
    assert (answer.store_from_row, answer.store, answer.ignored) == (True, "", 1)
    assert answer.reject_location == "all locations"
