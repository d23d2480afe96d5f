"""What every database must answer a person who looks, without a pass over all of it."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from syncctl.domain.identity import derived_id, source_record
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.leads import new_lead
from syncctl.domain.records import SourceRecord
from syncctl.locations import load_locations
from syncctl.ports.admin import Database as LeadDatabase
from syncctl.ports.admin import DuplicateCount
from syncctl.ports.waiting import PassWait
from syncctl.services.cleanup.duplicate_search import find_duplicates
from syncctl.services.cleanup.duplicates import KEY_FIELDS, DuplicateFinder, DuplicateSets, cleanup_key
from syncctl.services.explain.wanted import PREFIXES, CustomerQuery
from tests.contract.lead_suite import Database
from tests.contract.samples import MOMENT, lead, record, text_id
from tests.support.waits import seen_waits

PHONES = ("9876543210", "0480234567", "9198765432", "1234567890")
BOOKING_NUMBERS = ("2025020100100001", "98", "SG-12", "9876543210", "47/2025", "12345678", "0480 1", "Ré-7")
SEEDS = range(240)
SIGNS = (" ", "-", ".", "\t", "\u200b", "\u00a0", ")", "/", "\u2013", "\u0301", "_", "\u202e")
LOCATIONS = load_locations()
NAMES = ("Asha", "asha ", "Ravi")
STORES = ("Suitor Guy - Calicut", "Zorucci - Kannur", "Default Store", "SG Calicut", "")
BOOKINGS = ("2025020100100001", "2025020100100001 ", "7", "")
OTHER_DIGITS = {digit: chr(0x0966 + int(digit)) for digit in "0123456789"}


def spelled(chance: random.Random, number: str) -> Any:
    """The number as people, programs and spreadsheets write it, or something that only looks like it."""
    kind = chance.randrange(14)
    if kind == 0 and number.isdigit():
        return chance.choice((int, float))(number)
    if kind == 1:
        return chance.choice(("", " ", "-", "none", "+", "(", "~", "é", "\u200b", "0", "00"))
    written = number
    if number.isdigit() and kind > 2:
        written = chance.choice(PREFIXES) + number
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 4))):
        place = chance.randrange(len(written) + 1)
        sign = chance.choice(
            (" ", "-", ".", "\t", "\u200b", "\u00a0", ")", "/", "\u2013", "\u0301", "_", "\u202e")
        )
        written = written[:place] + sign + written[place:]
    if kind == 4:
        written = "".join(OTHER_DIGITS.get(each, each) for each in written)
    if kind in (5, 6):
        written = chance.choice(("+", "(", "1) ", "Mob: ", "12-03-2025 ", "123 / ", "x")) + written
    if kind in (7, 8):
        written += chance.choice((" / 9000000000", " (mother)", "9", " ", "\u200d", "\x1f", "\n", "a", "_"))
    return written.lower() if kind == 9 else written


def a_record(chance: random.Random) -> SourceRecord:
    """One of few bookings and visits, so that some are the same."""
    values = LeadValues(
        leadType=chance.choice(("bookingConfirmation", "return", "general")),
        source="Booking",
        name=chance.choice(NAMES),
        phone=chance.choice(PHONES[:2]),
        store=chance.choice(STORES[:2]),
        createdAt=MOMENT + timedelta(days=chance.randrange(3)),
    )
    if number := chance.choice(BOOKINGS):
        values["bookingNo"] = number
    return source_record(values)


def compared_with_each_other(storage: LeadDatabase) -> DuplicateSets:
    """The rule, without any search: all leads, and all records' own leads beside those with their keys."""
    finder, pairs = DuplicateFinder(LOCATIONS), []
    for each in storage.scan_leads(KEY_FIELDS):
        finder.add(each)
        if (key := cleanup_key(each, LOCATIONS)) is None:
            continue
        for known in storage.find_records([derived_id(key)]).values():
            for own_id, own in storage.leads([known.lead_id]).items():
                if own_id != each["_id"]:
                    pairs.append((str(own["leadType"]), {own_id, each["_id"]}))
    return finder.found(pairs)


class LookingSuite:
    def test_whoever_has_a_number_in_any_spelling_is_found(
        self, storage: LeadDatabase, database: Database
    ) -> None:
        leads = [lead(n) for n in SEEDS]
        storage.store_leads(leads, [])
        chance = random.Random(19)  # noqa: S311 - made-up numbers
        for number in SEEDS:
            for field, numbers in (("phone", PHONES), ("bookingNo", BOOKING_NUMBERS + PHONES)):
                if chance.random() < 0.8:
                    database.edit_lead(text_id(number), field, spelled(chance, chance.choice(numbers)))
        with seen_waits() as waits:
            every = list(storage.scan_leads(("phone", "bookingNo")))
        assert PassWait() in waits
        asked = [*PHONES, *BOOKING_NUMBERS, *(str(spelled(chance, each)) for each in PHONES * 8)]
        found = 0
        for text in asked:
            if not any(map(str.isalnum, text)):
                continue
            wanted = CustomerQuery.from_text(text)
            exact = {each["_id"]: each for each in every if wanted.is_of(each)}
            some = {each["_id"]: each for each in storage.leads_that_may_have(wanted.number)}
            assert {key: each for key, each in exact.items() if key not in some} == {}, text
            found += len(exact)
        assert found > len(asked)

    def test_how_many_leads_came_on_which_day(self, storage: LeadDatabase, database: Database) -> None:
        first, last = date(2025, 12, 25), date(2026, 1, 7)
        start = datetime(2025, 12, 24, 23, 59, 59, 999_000, tzinfo=UTC)
        created = [start + timedelta(hours=7 * n, milliseconds=1) for n in range(60)]
        storage.store_leads([lead(n, createdAt=at) for n, at in enumerate([start, *created])], [])
        assert storage.count_leads() == 61
        expected: dict[date, int] = {}
        for at in created:
            if at.date() <= last:
                expected[at.date()] = expected.get(at.date(), 0) + 1
        assert storage.leads_per_day(first, last) == expected
        database.edit_lead(text_id(1), "createdAt", "soon")
        expected[first] -= 1
        assert storage.leads_per_day(first, last) == expected
        assert storage.leads_per_day(date(2024, 1, 1), date(2024, 1, 14)) == {}

    @pytest.mark.parametrize("seed", [1, 2])
    def test_duplicates_are_found_as_by_comparing_all_leads(
        self, storage: LeadDatabase, database: Database, seed: int
    ) -> None:
        chance = random.Random(seed)  # noqa: S311 - made-up leads
        records = [*map(a_record, [chance] * 60)]
        own = [new_lead(each, MOMENT) for each in records]
        kept = [
            record(0, record_id=each.lead_id, key=each.key, lead_id=each.lead_id, values=each.values)
            for each in {each.lead_id: each for each in records}.values()
        ]
        old = [{**chance.choice(own), "_id": text_id(number)} for number in range(60)]
        storage.store_leads([*own, *old], kept)
        for each in chance.sample([*own, *old], 40):
            field = chance.choice(("phone", "phone", "bookingNo", "name", "store"))
            values = {"phone": PHONES[:2], "bookingNo": BOOKINGS, "name": NAMES, "store": STORES}[field]
            value = chance.choice(values)
            database.edit_lead(each["_id"], field, spelled(chance, value) if field == "phone" else value)
        for lead_id in chance.sample([each["_id"] for each in own], 5):
            if storage.present_leads([lead_id]):
                database.delete_lead(lead_id)
        found = find_duplicates(storage, LOCATIONS)
        assert found == compared_with_each_other(storage)
        assert found.count > 5

    def test_the_last_count_of_duplicates_is_kept(self, storage: LeadDatabase) -> None:
        assert storage.duplicate_count() is None
        for sets in (3, 0):
            count = DuplicateCount(sets, 2 * sets, MOMENT + timedelta(minutes=sets), "verify data")
            storage.save_duplicate_count(count)
            assert storage.duplicate_count() == count
