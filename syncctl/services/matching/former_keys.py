"""Records that the sync knows under a key of earlier rules: they keep their id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from syncctl.domain.identity import current_key, keys_of, phone_of
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import KnownRecord, SourceRecord, SyncRecord
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.ports.storage import Storage


class FormerKeys:
    """Finds them, each for one record only."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._former: dict[str, str] = {}

    def adopt(self, records: Sequence[SourceRecord], known: dict[str, KnownRecord]) -> Sequence[SourceRecord]:
        """The records; those that the sync knows under a key of earlier rules get that id, and are added
        to `known`."""
        ids = {record.lead_id for record in records}
        unknown = [
            record
            for record in records
            if record.lead_id not in known and _may_have_former_key(record.values, record.former_phones)
        ]
        if not unknown:
            return records
        entries = self._storage.records_about(phones_of(unknown), (), ())
        by_key = {current_key(entry.record.key): entry.record for entry in entries}
        found: dict[str, SourceRecord] = {}
        for record in unknown:
            for key in keys_of(record):
                before = by_key.get(key)
                if before is None or before.record_id in ids or not self._is_of(record, before):
                    continue
                self._former[before.record_id] = record.key
                found[record.lead_id] = record._replace(lead_id=before.record_id)
                known[before.record_id] = KnownRecord(
                    before.lead_id,
                    before.fingerprint,
                    before.location,
                    before.source,
                    before.report_id,
                    before.replaced_by,
                )
                break
        return [found.get(record.lead_id, record) for record in records]

    def _is_of(self, record: SourceRecord, before: SyncRecord) -> bool:
        """Earlier rules may have read two rows as one number, and so as one record. It belongs to
        whichever row is met first, and from then on to the one with the stored number."""
        phones = (phone_of(before.key), record.values["phone"])
        taken_by = self._former.get(before.record_id, record.key)
        return taken_by == record.key and before.values.get("phone") in phones


def _may_have_former_key(values: LeadValues, former_phones: Collection[str]) -> bool:
    """Whether the sync may know a record under another key: the keys of most bookings and returns haven't
    changed, but two files may write the same visit's customer name in different code points."""
    if former_phones or values["leadType"] not in API_LEAD_TYPES:
        return True
    return "bookingNo" not in values and not values["name"].isascii()


def phones_of(records: Iterable[SourceRecord]) -> set[str]:
    """Their phone numbers, including those that earlier rules read."""
    return {phone for record in records for phone in (record.values["phone"], *record.former_phones)}
