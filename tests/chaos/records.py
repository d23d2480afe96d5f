"""The sync's records as stored, and the records that an answer shows: read without syncctl's code."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from tests.chaos.source import Answer, Row
from tests.support.oracle import Key, key_and_lead, key_of
from tests.support.webapp import Lead

FILE_TYPES = ("general", "lossOfSale")


class App(Protocol):
    """As much of the web app's database as the model looks at."""

    def leads(self, **fields: str) -> list[Lead]: ...
    def all(self, collection: str) -> list[Row]: ...


class Remembered(NamedTuple):
    """One of the sync's records."""

    lead_id: str

    values: Row
    """The source's last ones."""

    replaced_by: str | None = None
    """The phone number that the source has corrected its own to."""


class BookingName(NamedTuple):
    """What all records of one booking have in common."""

    lead_type: str
    number: str
    store: str

    @classmethod
    def of(cls, values: Row) -> "BookingName":
        """That of a lead's or a record's values; without a number it names none."""
        return cls(values["leadType"], values.get("bookingNo") or "", values["store"])


def remembered(app: App) -> dict[Key, Remembered]:
    """The sync's records by key. Fails if two have one key."""
    documents = app.all("syncrecords")
    records = {}
    for document in documents:
        values = values_of(document)
        records[record_key(values)] = Remembered(
            str(document["leadId"]), values, document.get("replacedBy") or None
        )
    assert len(records) == len(documents)
    return records


def is_current(record: Remembered, records: Mapping[Key, Remembered]) -> bool:
    """Whether no other record has taken its place. The mark alone, of a killed run, takes nothing."""
    values = record.values
    return record.replaced_by is None or (
        (values["leadType"], values.get("bookingNo", ""), record.replaced_by) not in records
    )


def shared_wrongly(records: Mapping[Key, Remembered]) -> list[str]:
    """The leads that belong to several current records, or to records of different bookings."""
    sharing: dict[str, list[Remembered]] = {}
    for record in records.values():
        sharing.setdefault(record.lead_id, []).append(record)
    return [
        lead_id
        for lead_id, those in sharing.items()
        if len(those) > 1
        and (
            len({BookingName.of(record.values) for record in those}) > 1
            or not BookingName.of(those[0].values).number
            or sum(is_current(record, records) for record in those) > 1
        )
    ]


def key_by_lead(records: Mapping[Key, Remembered], lead_id: str) -> Key | None:
    """The key of the record that this is the lead of: the current one, where several share it."""
    keys = [key for key, record in records.items() if record.lead_id == lead_id]
    return next((key for key in keys if is_current(records[key], records)), keys[0] if keys else None)


def records_of(answer: Answer, stores: Mapping[str, str]) -> dict[Key, Lead]:
    """The leads in an answer by key, each from its first row."""
    leads: dict[Key, Lead] = {}
    for row in answer.rows:
        outcome = key_and_lead(answer.report, row, stores[answer.location])
        if not isinstance(outcome, str):
            leads.setdefault(*outcome)
    return leads


def outcomes(answer: Answer, outcome: str) -> list[Row]:
    """The rows of an answer that are "invalid" or "ignored"."""
    return [row for row in answer.rows if key_and_lead(answer.report, row, "any") == outcome]


def values_of(record: Row) -> Row:
    """The source's last values, as stored in a record."""
    values: Any = record["values"]
    if not isinstance(values, str):
        return dict(values)
    parsed: Row = json.loads(values)
    dates = {name: datetime.fromisoformat(parsed[name]) for name in parsed if name.endswith(("Date", "At"))}
    return parsed | dates


def record_key(values: Row) -> Key:
    """A record's key: a file's has its day as well (contract/files.md)."""
    key: Key = key_of(values)
    if values["leadType"] not in FILE_TYPES:
        return key
    day = values.get("enquiryDate") or values.get("functionDate")
    return (*key, day.date().isoformat() if day else "")


def call_statuses(report: Row) -> set[str]:
    """The call statuses with which a lead was finished, by its report: none, if it says nothing of them."""
    flat, snapshots = report.get("call_status"), [report.get("leadSnapshot"), report.get("beforeSnapshot")]
    last: Iterable[Row] = [part for part in snapshots if isinstance(part, dict)][:1]
    return {str(status) for status in (flat, *(part.get("callStatus") for part in last)) if status}
