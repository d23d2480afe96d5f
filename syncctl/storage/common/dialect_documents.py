"""What is known of a report's dialect as JSON-like data, the same in every database, and back."""

from datetime import datetime
from typing import Any

from syncctl.domain.dialects import Dialect, LocationIds, Mode, Trial, Verdict
from syncctl.domain.lead_values import Document
from syncctl.domain.requests import BodyForm
from syncctl.domain.sources import StepName
from syncctl.storage.common.own_documents import OddDocumentError, own, own_or_none

MOST_MONTHS = 1200
"""More than any window has."""


def dialect_document(dialect: Dialect) -> Document:
    """Dates as ISO 8601 text; names of modes, forms and verdicts as text."""
    document = dialect._asdict()
    document["trials"] = [_as_text(trial._asdict()) for trial in dialect.trials]
    document["spellings"] = [list(pair) for pair in dialect.spellings]
    return _as_text(document)


def _as_text(fields: Document) -> Document:
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, str)
        else value
        for name, value in fields.items()
    }


LATER_FIELDS = {
    "whole_form": BodyForm.USUAL,
    "ids": LocationIds.HONOURED,
    "ids_since": None,
    "ids_seen": None,
    "spellings": (),
}
"""What an older syncctl did not keep."""


def dialect_from(document: Any) -> Dialect:
    """The dialect that `dialect_document` made this of. Raises OddDocumentError for anything else."""
    try:
        document = {**LATER_FIELDS, **document}
        return Dialect(
            report=StepName(document["report"]),
            mode=Mode(document["mode"]),
            months=_number(document, "months", 1, MOST_MONTHS),
            form=BodyForm(document["form"]),
            whole_form=BodyForm(document["whole_form"]),
            since=_moment_or_none(document, "since"),
            measured_at=_moment_or_none(document, "measured_at"),
            trials=tuple(map(_trial, own(document, "trials", list))),
            lost_by=own_or_none(document, "lost_by", str),
            ids=LocationIds(document["ids"]),
            ids_since=_moment_or_none(document, "ids_since"),
            ids_seen=own_or_none(document, "ids_seen", str),
            spellings=tuple((str(code), str(written)) for code, written in document["spellings"]),
        )
    except (KeyError, TypeError, ValueError):
        raise OddDocumentError from None


def _trial(document: Document) -> Trial:
    return Trial(
        at=_moment(document, "at"),
        location=own(document, "location", str),
        asked=own(document, "asked", str),
        form=BodyForm(document["form"]),
        verdict=Verdict(document["verdict"]),
        whole=_number(document, "whole"),
        inside=_number(document, "inside"),
        found=_number(document, "found"),
        outside=_number(document, "outside"),
        error=own_or_none(document, "error", str),
        is_of_months=document.get("is_of_months") is True,
    )


def _number(document: Document, name: str, least: int = 0, most: int | None = None) -> int:
    number = own(document, name, int)
    if isinstance(number, bool) or number < least or (most is not None and number > most):
        raise OddDocumentError
    return number


def _moment(document: Document, name: str) -> datetime:
    moment = datetime.fromisoformat(own(document, name, str))
    if moment.tzinfo is None:
        raise OddDocumentError
    return moment


def _moment_or_none(document: Document, name: str) -> datetime | None:
    return None if document[name] is None else _moment(document, name)
