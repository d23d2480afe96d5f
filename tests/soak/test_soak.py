"""A short form of the week, and that a broken promise is seen."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient, WriteConcern

from tests.chaos.test_failovers import skipped_without_mongod
from tests.soak.business import NEVER, Record
from tests.soak.figures import COUNTED, PART, sizes, table
from tests.soak.promises import BACK, DOUBLED, LOST, OVERWRITTEN, PROMISES, STRANGE
from tests.soak.week import DATABASES, Week
from tests.support.mongod import own_mongod, with_database

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by Linux's /proc")

RUNS, FEW_RUNS = 24, 6
DOCUMENT = Path(__file__).parents[2] / "docs" / "soak.md"
BY_CHANCE = {"invalid bookings", "invalid file rows", "cancellations", "typed in"}
"""What may not happen in so few runs."""

OF_A_REPLICA_SET = {"restarts between runs", "restarts in a run"}


@contextmanager
def played(database: str, folder: Path, runs: int) -> Iterator[Week]:
    with (
        skipped_without_mongod(DATABASES[database](folder)) as opened,
        closing(Week(opened, folder, runs=runs)) as week,
    ):
        week.play()
        yield week


@pytest.mark.torture
@pytest.mark.parametrize("database", ["sqlite", pytest.param("replica-set", marks=pytest.mark.mongo)])
def test_some_hours_of_a_business(database: str, tmp_path: Path) -> None:
    with played(database, tmp_path, RUNS) as week:
        assert not any(week.promises.wrong.values()), dict(week.promises.wrong)
        missing = {name for name in COUNTED if not week.figures.counts[name]} - BY_CHANCE
        not_here = {"full disks"} if week.database.no_disk else set()
        assert missing <= not_here | (OF_A_REPLICA_SET if week.database.replicas is None else set())
        assert len(week.figures.seconds) > RUNS / 3


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    with played("sqlite", tmp_path_factory.mktemp("week"), FEW_RUNS) as week:
        assert not any(week.promises.wrong.values())
        yield week


def breaches(week: Week) -> set[str]:
    """Which promises are broken now; they are noted no more."""
    week.promises.check("in the test", is_last=True)
    found = {promise for promise, those in week.promises.wrong.items() if those}
    week.promises.wrong.clear()
    return found


def some(week: Week, *, edited: bool = False) -> Record:
    """A record with a lead, which it must have."""
    return next(
        record
        for record in reversed(week.business.records)
        if record.leads and any(record.leads.values()) is edited
        if record.due < NEVER and not record.is_optional
    )


def test_a_lost_lead_is_seen(week: Week) -> None:
    record = some(week)
    week.business.app.delete(next(iter(record.leads)))
    assert breaches(week) == {LOST}
    record.is_deleted = True
    record.leads.clear()


def test_a_record_that_never_became_a_lead_is_seen(week: Week) -> None:
    record = some(week)
    week.business.app.delete(next(iter(record.leads)))
    record.leads.clear()
    assert breaches(week) == {LOST}
    record.is_deleted = True


def test_a_doubled_lead_is_seen(week: Week) -> None:
    record = some(week)
    lead = week.business.lead_of(record)
    assert lead is not None
    copy_id = week.business.app.insert({**lead, "_id": "d" * 24})
    assert breaches(week) == {DOUBLED}
    week.business.app.delete(copy_id)
    del record.leads[copy_id]


def test_an_overwritten_edit_is_seen(week: Week) -> None:
    record = some(week, edited=True)
    (lead_id, edits), *_ = record.leads.items()
    name = next(iter(edits))
    week.business.app.edit(lead_id, **{name: "something else"})
    assert breaches(week) == {OVERWRITTEN}
    week.business.app.edit(lead_id, **{name: edits[name]})


def test_a_value_that_nobody_has_said_is_seen(week: Week) -> None:
    record = some(week)
    (lead_id,) = record.leads
    week.business.app.edit(lead_id, name="Nobody")
    assert breaches(week) == {OVERWRITTEN}
    week.business.app.edit(lead_id, name=record.said[-1]["name"])


def test_a_lead_that_comes_back_is_seen(week: Week) -> None:
    record = some(week)
    lead = week.business.lead_of(record)
    assert lead is not None
    week.business.app.delete(lead["_id"])
    record.leads.clear()
    record.is_deleted = True
    week.business.app.insert(lead)
    assert breaches(week) == {BACK}


def test_news_of_a_file_that_does_not_come_is_seen(week: Week) -> None:
    record = next(each for each in week.business.records if each.leads and not each.key[1])
    record.said.append({**record.said[-1], "attendedBy": "Somebody new"})
    assert breaches(week) == set()  # the file is still to be imported
    record.passed += 1
    assert breaches(week) == {LOST}
    record.said.pop()
    record.passed -= 1


def test_a_corrected_phone_number_that_does_not_come_is_seen(week: Week) -> None:
    record = some(week)
    record.said.append({**record.said[-1], "phone": "9000000001"})
    assert breaches(week) == {LOST}
    record.said.pop()


def test_a_lead_of_nobody_is_seen(week: Week) -> None:
    lead = week.business.lead_of(some(week))
    assert lead is not None
    stranger = week.business.app.insert({**lead, "_id": "e" * 24, "bookingNo": "1", "phone": "9000000000"})
    assert breaches(week) == {STRANGE}
    week.business.app.delete(stranger)


@pytest.mark.mongo
def test_documents_are_counted_that_a_killed_server_has_forgotten_the_number_of() -> None:
    with skipped_without_mongod(own_mongod()) as server:
        url = with_database(server.uri, "syncctl_soak")
        with MongoClient[dict[str, object]](url) as client:
            collection = client.get_default_database()["syncruns"]
            collection.insert_many([{} for _ in range(50)])
            client.admin.command("fsync")
            durable = collection.with_options(write_concern=WriteConcern(j=True))
            durable.insert_many([{} for _ in range(50)])
            server.kill()
            server.start()
            assert sizes(url)["syncruns"][0] == 100


def test_the_document_has_the_figures_of_a_whole_week() -> None:
    document = DOCUMENT.read_text("utf-8")
    made = document.partition(PART.begin)[2].partition(PART.end)[0]
    assert all(f"| {title} |" in made for title in COUNTED.values())
    assert all(f"| {promise.capitalize()} | **0** | **0** |" in made for promise in PROMISES)
    assert "| Runs of `api` | 2,017 | 2,017 |" in made


def test_the_table_shows_each_database(week: Week) -> None:
    made = table([week.figures, week.figures])
    assert {line.count("|") for line in made.splitlines()} == {4}
    assert f"| Bookings | {week.figures.counts['bookings']:,} |" in made
