"""The table of a lead's fields, against what is typed and what mapping can read."""

from datetime import datetime
from typing import get_type_hints

from syncctl.domain.lead_fields import APP_FIELDS, LEAD_FIELDS, SOURCE_FIELDS
from syncctl.domain.lead_values import LeadValues


def test_what_the_code_names_stands_in_it() -> None:
    assert (
        get_type_hints(LeadValues).items()
        <= {field.name: field.value_type for field in SOURCE_FIELDS}.items()
    )


def test_each_field_stands_once_and_can_be_mapped() -> None:
    assert len(LEAD_FIELDS) == len(SOURCE_FIELDS) + len(APP_FIELDS)
    for field in SOURCE_FIELDS:
        assert field.value_type in ((str, datetime) if field.columns else (str, datetime, float))


def test_what_telecallers_edit() -> None:
    """contract/database.md, "What a telecaller edits", and "reports" for the booking number."""
    assert {name for name, field in LEAD_FIELDS.items() if field.edited} == {
        *("callStatus", "leadStatus", "followUpDate", "followUpFlag", "callDate", "rating", "remarks"),
        *("reasonCollectedFromStore", "assignedTo", "assignedAt", "closingStatus"),
        *("name", "phone", "store", "functionDate", "bookingNo"),
    }
