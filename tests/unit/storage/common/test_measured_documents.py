"""What is known of a report's dialect as a document: all of it comes back, and odd ones are passed over."""

import json
from typing import Any

import pytest

from syncctl.domain.dialects import Dialect
from syncctl.domain.steps import StepName
from syncctl.storage.common.dialect_documents import dialect_document, dialect_from
from syncctl.storage.common.own_documents import OddDocumentError
from tests.contract.samples import DIALECT


def test_everything_comes_back_from_json() -> None:
    for known in (DIALECT, Dialect(StepName.RETURN)):
        assert dialect_from(json.loads(json.dumps(dialect_document(known)))) == known


def test_one_kept_before_other_forms_of_whole_bodies_were_known_has_the_usual_one() -> None:
    older = dialect_document(Dialect(StepName.RETURN))
    del older["whole_form"]
    assert dialect_from(older) == Dialect(StepName.RETURN)


ODD: list[dict[str, Any]] = [
    {"report": "walkins"},
    {"mode": "fast"},
    {"mode": None},
    {"months": 0},
    {"months": -1},
    {"months": 1.5},
    {"months": True},
    {"months": "1"},
    {"months": 10**30},
    {"form": "plain"},
    {"whole_form": 4},
    {"since": "soon"},
    {"since": 4},
    {"measured_at": "2026-03-10T12:00:00"},
    {"trials": None},
    {"trials": "x"},
    {"trials": [4]},
    {"trials": [{}]},
    {"lost_by": 4},
    {"lost_by": ["x"]},
]
ODD_TRIALS: list[dict[str, Any]] = [
    {"at": "2026-03-10T12:00:00"},
    {"at": None},
    {"verdict": "fine"},
    {"form": None},
    {"whole": "3"},
    {"inside": None},
    {"outside": True},
    {"location": 7},
    {"asked": None},
    {"error": 7},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_what_syncctl_can_not_have_written_is_odd(odd: dict[str, Any]) -> None:
    with pytest.raises(OddDocumentError):
        dialect_from(dialect_document(DIALECT) | odd)


@pytest.mark.parametrize("odd", ODD_TRIALS, ids=str)
def test_an_odd_trial_makes_it_odd(odd: dict[str, Any]) -> None:
    document = dialect_document(DIALECT)
    document["trials"][0] |= odd
    with pytest.raises(OddDocumentError):
        dialect_from(document)


@pytest.mark.parametrize("document", [None, 4, "x", [], {}, b""])
def test_what_is_no_mapping_is_odd(document: Any) -> None:
    with pytest.raises(OddDocumentError):
        dialect_from(document)
