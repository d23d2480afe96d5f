"""What is known of a report's dialect as JSON-like data, the same in every database, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from syncctl.dialects import Dialect, LocationIds, Mode, Trial, Verdict
from syncctl.models import BodyForm, StepName
from syncctl.storage.own_documents import OddDocumentError


def dialect_document(dialect: Dialect) -> dict[str, Any]:
    """Dates as ISO 8601 text; names of modes, forms and verdicts as text."""
    document = asdict(dialect)
    document["trials"] = [_as_text(trial) for trial in document["trials"]]
    document["spellings"] = [list(pair) for pair in dialect.spellings]
    return _as_text(document)


def _as_text(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, str)
        else value
        for name, value in fields.items()
    }


LATER_FIELDS = {"ids": LocationIds.HONOURED, "ids_since": None, "ids_seen": None, "spellings": ()}
"""What an older syncctl did not keep."""


def dialect_from(document: Any) -> Dialect:
    """The dialect that `dialect_document` made this of. Raises OddDocumentError for anything else."""
    try:
        document = {**LATER_FIELDS, **document}
        return Dialect(
            report=StepName(document["report"]),
            mode=Mode(document["mode"]),
            months=int(document["months"]),
            form=BodyForm(document["form"]),
            since=_moment(document["since"]),
            measured_at=_moment(document["measured_at"]),
            trials=tuple(_trial(trial) for trial in document["trials"]),
            lost_by=document["lost_by"],
            ids=LocationIds(document["ids"]),
            ids_since=_moment(document["ids_since"]),
            ids_seen=document["ids_seen"],
            spellings=tuple((str(code), str(written)) for code, written in document["spellings"]),
        )
    except (KeyError, TypeError, ValueError):
        raise OddDocumentError from None


def _trial(document: Mapping[str, Any]) -> Trial:
    return Trial(
        **{
            **document,
            "at": datetime.fromisoformat(document["at"]),
            "form": BodyForm(document["form"]),
            "verdict": Verdict(document["verdict"]),
        }
    )


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
