"""The table of the rental API's reports, and what follows from it: steps of a run and types of leads.

A further report is one entry of `StepName`: commands, settings, checks, labels, the sandbox and the mapping
of its rows come from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self


class LeadType(StrEnum):
    """Values of `leads.leadType` that syncctl knows by name; a further report has its own."""

    BOOKING = "bookingConfirmation"
    RETURN = "return"
    LOSS_OF_SALE = "lossOfSale"
    GENERAL = "general"


Aliases = tuple[str, ...]
"""The names that a field has in the versions of the reports: the first that holds something counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One report of the rental API (contract/rental-api.md)."""

    title: str
    """As the log calls its step, such as "Booking Confirmations"."""

    plural: str
    """Its records in the midst of a sentence, such as "bookings"."""

    lead_type: str
    """`leads.leadType` of its records."""

    lead_source: str
    """`leads.source` of its records; one of them as people call it, such as "Booking"."""

    path: str
    """Where the API answers it, unless a setting says otherwise."""

    date: Aliases
    """The record's own date, which becomes `leads.createdAt`. A row without it is not of this report."""

    date_field: str | None = None
    """The field of the lead that has this date as well."""

    undated: str
    """What `explain` says of a row without the date."""

    booked_before: timedelta = timedelta(0)
    """How long before its own date the record's booking may have been made; 0: it is the booking itself."""

    fields: Mapping[str, Aliases] = field(default_factory=dict)
    """Field of the lead -> fields of the row, beside those that every report fills."""

    whole_window_keys: tuple[str, ...] = ()
    """The keys of a body that asks for a whole window; none: every key that there is."""

    @property
    def follows_booking(self) -> bool:
        """Whether it is of something that happens to a booking later. A row without its date has not happened
        yet, and one whose date can't be read can't be dated otherwise."""
        return bool(self.booked_before)


class StepName(StrEnum):
    """The steps of a run in their order, by the names that `--json` gives them; a report's has its source."""

    _value_: str
    source: Source | None

    def __new__(cls, name: str, source: Source | None = None) -> Self:
        step = str.__new__(cls, name)
        step._value_ = name
        step.source = source
        return step

    STORES = "stores"
    BOOKING = (
        "booking",
        Source(
            title="Booking Confirmations",
            plural="bookings",
            lead_type=LeadType.BOOKING,
            lead_source="Booking",
            path="/api/Reports/GetBookingReport",
            date=("bookingDate", "booking_date", "BookingDate"),
            undated="no booking date, so not a booking",
            fields={"securityAmount": ("price", "securityAmount", "security", "deposit")},
            whole_window_keys=("locationID", "months"),
        ),
    )
    RETURN = (
        "return",
        Source(
            title="Returns",
            plural="returns",
            lead_type=LeadType.RETURN,
            lead_source="Return",
            path="/api/Reports/GetReturnReport",
            date=("returnDate", "return_date", "ReturnDate"),
            date_field="returnDate",
            undated="not returned yet",
            booked_before=timedelta(days=92),
            fields={"attendedBy": ("attendedBy", "attended_by", "staff", "bookingBy", "handledBy")},
        ),
    )
    WALKIN = "walkin"
    LOSS_OF_SALE = "lossofsale"


SOURCES: Mapping[StepName, Source] = {step: step.source for step in StepName if step.source is not None}

REPORT_STEPS = tuple(SOURCES)
"""The steps that sync one report of the API each."""

API_STEPS = (StepName.STORES, *REPORT_STEPS)
"""The steps of the rental API."""

FILE_STEPS = (StepName.WALKIN, StepName.LOSS_OF_SALE)
"""The steps that import the stores' files."""

FILE_WORDS: Mapping[StepName, str] = {
    StepName.WALKIN: "walk-in file",
    StepName.LOSS_OF_SALE: "loss-of-sale file",
}
"""What people call the files of each."""

SYNC_TYPES: Mapping[StepName, str] = {step: step.value for step in StepName} | {StepName.STORES: "store"}
"""The `synclogs.syncType` of each step (contract/database.md)."""

_PLURALS = [source.plural for source in SOURCES.values()]
RECORDS = " and ".join(filter(None, (", ".join(_PLURALS[:-1]), _PLURALS[-1])))
"""What the reports have, in words: "bookings and returns"."""

API_LEAD_TYPES = tuple(source.lead_type for source in SOURCES.values())
"""Lead types of the API's records."""

PLURALS: Mapping[StepName, str] = {
    StepName.STORES: "stores",
    **{step: source.plural for step, source in SOURCES.items()},
    StepName.WALKIN: "walk-ins",
    StepName.LOSS_OF_SALE: "losses of sale",
}
"""What people call what a step brings, in the midst of a sentence."""

LEAD_TYPE_NAMES: Mapping[str, str] = {
    **{source.lead_type: source.lead_source.lower() for source in SOURCES.values()},
    LeadType.GENERAL: "walk-in",
    LeadType.LOSS_OF_SALE: "loss of sale",
}
"""What people call a lead of a type."""

LEAD_TYPE_PLURALS: Mapping[str, str] = {
    **{source.lead_type: source.plural for source in SOURCES.values()},
    LeadType.GENERAL: PLURALS[StepName.WALKIN],
    LeadType.LOSS_OF_SALE: PLURALS[StepName.LOSS_OF_SALE],
}
"""What people call several of them."""

LEAD_TYPES = (*API_LEAD_TYPES, LeadType.LOSS_OF_SALE.value, LeadType.GENERAL.value)
"""All lead types that syncctl stores."""

MAX_BOOKING_ADVANCE = max(source.booked_before for source in SOURCES.values())
"""Should the API's months go by the date of the booking, a later event is only in a window that reaches back
so much further."""
