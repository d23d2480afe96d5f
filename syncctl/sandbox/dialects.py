"""How a report may answer a window of days: nobody knows which of these is the real API's dialect.

A window of months is honoured in all of them but one. It has no end: an end would be one more guess.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

from syncctl.sandbox.wire import Asked, months_back


class Question(NamedTuple):
    """What is looked up: rows of `api` (stores, booking or return) dated `first` to `last`, both inclusive.

    `by`: the field whose date counts; "": that of the event, the booking or, once there was one, the return.
    The store list has neither location nor days.
    """

    api: str
    location: str | None = None
    first: date = date.min
    last: date = date.max
    by: str = ""


class Dates(Enum):
    """What dates in a body lead to, where they are noticed."""

    ROWS = auto()
    NOTHING = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How dates and months in a body are understood.

    `dates`: what dates lead to. `notices`: whether the dates of a body are noticed; else its months count.
    `by`: as in a Question, for dates and months. `months_count`: whether they do; else everything comes.
    """

    dates: Dates = Dates.ROWS
    notices: Callable[[Asked], bool] = lambda asked: True
    by: str = ""
    months_count: bool = True

    def question(self, asked: Asked, today: date) -> Question | None:
        """What is looked up for a body that came on `today`; None: the answer is an error."""
        if asked.days is not None and self.notices(asked):
            if self.dates is Dates.ERROR:
                return None
            first, last = asked.days if self.dates is Dates.ROWS else (date.max, date.min)
        else:
            counted = self.months_count and asked.months is not None
            first = months_back(today, asked.months or 0) if counted else date.min
            last = date.max
        return Question(asked.api, asked.location, first, last, self.by)


def _never(asked: Asked) -> bool:
    return False


OWN_DATE = "own-date"

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        OWN_DATE: Dialect(),
        "booking-date": Dialect(by="bookingDate"),
        "delivery-date": Dialect(by="deliveryDate"),
        "dates-empty": Dialect(Dates.NOTHING),
        "dates-error": Dialect(Dates.ERROR),
        "dates-ignored": Dialect(notices=_never),
        "all-ignored": Dialect(notices=_never, months_count=False),
        "dates-without-months": Dialect(notices=lambda asked: asked.months is None),
        "dates-with-months": Dialect(notices=lambda asked: asked.months is not None),
        "dates-without-empty-strings": Dialect(notices=lambda asked: asked.bare),
    }
)
"""Every dialect that can be played, by name."""
