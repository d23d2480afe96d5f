"""File leads that the old system imported under random ids: found by the key of files, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime

from syncctl.file_mapping import file_key
from syncctl.identity import SEPARATOR, derived_id, fold
from syncctl.leads import is_touched
from syncctl.locations import Locations
from syncctl.models import Document, LeadValues, SourceRecord
from syncctl.services.adoption import StoreNames, best_first, stored_key, text_of
from syncctl.values import file_day, phone_number


class OldFileLeads:
    """Stored leads with one of the records' phones, among which records may find theirs.

    `spoken_for`: ids of leads that are known to belong to a record. `keys_told`: keys of the records that are
    looked for together: a lead whose own key is among them belongs to that record and to no other.
    """

    def __init__(
        self,
        leads: Iterable[Document],
        locations: Locations,
        *,
        spoken_for: Collection[str],
        keys_told: Collection[str],
    ) -> None:
        self._locations = locations
        self._keys_told = keys_told
        self._taken = set(spoken_for)
        self._by_phone: dict[tuple[str, str], list[Document]] = defaultdict(list)
        for lead in sorted(leads, key=best_first):
            if _made_by_a_killed_import(lead, locations):
                continue
            phone = text_of(lead, "phone")
            self._by_phone[text_of(lead, "leadType"), phone_number(phone) or phone].append(lead)

    def claim(self, record: SourceRecord) -> str | None:
        """The id of the record's lead, or None: name, store and day agree; of an edited lead, the day and
        one of the others."""
        values = record.values
        candidates = [
            lead
            for lead in self._by_phone.get((values["leadType"], values["phone"]), ())
            if lead["_id"] not in self._taken and _same_day(lead, values)
        ]
        for needed in (2, 1):
            for lead in candidates:
                agreeing = (fold(text_of(lead, "name")) == fold(values["name"])) + self._same_store(
                    lead, values
                )
                if agreeing == 2 or (agreeing == needed and self._may_be_edited(lead)):
                    lead_id: str = lead["_id"]
                    self._taken.add(lead_id)
                    return lead_id
        return None

    def _may_be_edited(self, lead: Document) -> bool:
        return is_touched(lead) and stored_file_key(lead, self._locations) not in self._keys_told

    def _same_store(self, lead: Document, values: LeadValues) -> bool:
        """A lead under "Default Store", as the old system wrote where it knew none, may be any store's."""
        return self._locations.canonical(text_of(lead, "store")) in (None, values["store"])


def _day(value: object) -> date | None:
    return value.date() if isinstance(value, datetime) else None


def _same_day(lead: Document, values: LeadValues) -> bool:
    asked_on, function_date = values.get("enquiryDate"), values.get("functionDate")
    if asked_on is not None:
        return asked_on.date() in (_day(lead.get("createdAt")), _day(lead.get("enquiryDate")))
    if function_date is not None:
        return _day(lead.get("functionDate")) == function_date.date()
    return lead.get("enquiryDate") is None and lead.get("functionDate") is None


def _made_by_a_killed_import(lead: Document, locations: StoreNames) -> bool:
    """Whether its id is that of its own key: an import was killed before it had noted the record, which will
    find it by its id."""
    key = stored_key({**lead, "bookingNo": None}, locations)
    days = {_day(lead.get("enquiryDate")), _day(lead.get("functionDate")), None}
    return lead["_id"] in {derived_id(file_key(key, day)) for day in days}


def stored_file_key(lead: Document, locations: StoreNames) -> str:
    """The key that a file's row would have which told of the lead as it is now."""
    dates = [date for field in ("createdAt", "functionDate") if isinstance(date := lead.get(field), datetime)]
    day = file_day(dates[0]) if dates else None
    return file_key(stored_key({**lead, "bookingNo": None}, locations), day)


def parted_key(stored_file_key: str) -> tuple[str, str]:
    """Such a key without its store, and the store, folded."""
    customer, store, day = stored_file_key.rsplit(SEPARATOR, 2)
    return SEPARATOR.join((customer, "", day)), store
