"""What is known of a report's dialect, as documents of any age."""

import pytest

from syncctl.domain.dialects import Dialect, LocationIds
from syncctl.domain.steps import StepName
from syncctl.storage.common.dialect_documents import LATER_FIELDS, dialect_document, dialect_from
from syncctl.storage.common.own_documents import OddDocumentError


def test_a_document_of_before_knows_nothing_of_location_ids() -> None:
    known = Dialect(StepName.RETURN, months=3, ids=LocationIds.EMPTY, spellings=(("7", "PMNA"),))
    document = dialect_document(known)
    assert dialect_from(document) == known
    older = {name: value for name, value in document.items() if name not in LATER_FIELDS}
    assert dialect_from(older) == Dialect(StepName.RETURN, months=3)


@pytest.mark.parametrize(
    "odd", [{"ids": "unknown"}, {"ids": None}, {"spellings": 7}, {"spellings": ["x"]}, {"ids_since": "soon"}]
)
def test_a_damaged_one_is_odd(odd: dict[str, object]) -> None:
    with pytest.raises(OddDocumentError):
        dialect_from(dialect_document(Dialect(StepName.BOOKING)) | odd)
