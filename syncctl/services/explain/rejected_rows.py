"""The histories of rejects, which have become no record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.records import Reject
from syncctl.domain.sources import FILE_STEPS, REPORT_STEPS, SOURCES, StepName
from syncctl.mapping.api_rows import BOOKING_NO, NAME, PHONE, own_date, row_text
from syncctl.parsing.phones import phone_number
from syncctl.ports.admin import Database
from syncctl.services.explain.events import Event
from syncctl.services.explain.names import RunNames
from syncctl.services.explain.record_history import Origin, RecordHistory, RecordState, place_of
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.services.rejects.raw_rows import row_values
from syncctl.services.rejects.reject_list import sheet_and_row

ANSWERED = (
    "A person has dismissed its row, or corrected it in the sheet of the rejects: the same row is passed "
    "over from then on."
)


def histories_of_rejects(database: Database, wanted: CustomerQuery) -> list[RecordHistory]:
    """One history for the rejects of one booking with the same place and reason."""
    runs = RunNames(database)
    alike: dict[tuple[str, str, str, str], list[Reject]] = {}
    for reject in database.rejects():
        if not wanted.may_be_in(reject.row):
            continue
        row = row_values(reject)
        if any(map(wanted.is_named_by, row.values())):
            booking_no = row_text(row, BOOKING_NO)
            alike.setdefault((reject.source, reject.location, reject.reason, booking_no), []).append(reject)
    return [_history_of_rejects(rejects, runs) for rejects in alike.values()]


def _history_of_rejects(rejects: Sequence[Reject], runs: RunNames) -> RecordHistory:
    first = min(rejects, key=lambda reject: reject.rejected_at)
    source = StepName(first.source)
    where = place_of(first.source, first.location)
    if source in FILE_STEPS:
        sheet, number = sheet_and_row(first)
        where += f", {f'{sheet} row {number}'.strip()}"
    rows = f" ({len(rejects)} rows)" if len(rejects) > 1 else ""
    what = f"rejected{rows}: {first.reason}; {where}, by {runs.name_of(first.run_id)}"
    return history_of_row(source, first.location, first.store, row_values(first))._replace(
        events=(Event(first.rejected_at, what),),
        notes=(
            "Correct it at the source, and the next sync adds it; or correct it in the sheet of "
            "`syncctl rejects export`.",
        ),
    )


def history_of_row(source: StepName, location: str, store: str, row: object) -> RecordHistory:
    """The history of a row that can't become a lead; by itself, of one on the rejects list."""
    phone = row_text(row, PHONE)
    dated_at = own_date(source, row, UTC) if source in SOURCES and isinstance(row, Mapping) else None
    return RecordHistory(
        lead_type="",
        name=row_text(row, NAME),
        phone=phone_number(phone) or phone,
        booking_no=row_text(row, BOOKING_NO),
        store=store,
        state=RecordState.REJECTED,
        origin=Origin(source, location, "", dated_at, {}),
    )


def histories_of_answered(database: Database, booking_no: str) -> list[RecordHistory]:
    """One history for the rejects of a booking in one report that a person has answered. Only its number is
    kept of them, and where they stood. Raises StorageError."""
    found = []
    for report in REPORT_STEPS:
        if not (closed := database.closed_rejects(report)):  # most often: the whole list need not be read
            continue
        for location, positions in database.reject_positions(report).items():
            ids = [
                reject_id
                for position, of_row in positions.items()
                if position.partition(SEPARATOR)[0] == booking_no
                for reject_id in of_row
            ]
            if not closed.isdisjoint(ids):
                row = {BOOKING_NO[0]: booking_no}
                history = history_of_row(report, location, "", row)
                found.append(history._replace(state=RecordState.ANSWERED, notes=(ANSWERED,)))
    return found
