"""Foreign documents in syncctl's own collections are skipped, with one warning each."""

import json
import logging
from collections.abc import Callable, Sized
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.lead_values import Document
from syncctl.domain.run_history import RunEntry
from syncctl.domain.sources import StepName
from syncctl.errors import StorageError
from syncctl.ports.admin import Database, RunSpan
from syncctl.ports.storage import RecordEntry
from syncctl.storage.common.own_collections import LATER_STATE_FIELDS, reject_document, state_document
from syncctl.storage.common.records import record_document
from syncctl.storage.mongo.documents import to_stored
from syncctl.storage.mongo.storage import MongoStorage
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.mongo_database import MongoDatabase
from tests.contract.samples import DIALECT, MOMENT, phone, record, reject, text_id
from tests.contract.sqlite_database import SqliteDatabase

OWN = "syncctl.storage.common.own_documents"
RUN = RunEntry("good", MOMENT, {"steps": [{"name": "booking", "status": "success"}]})
LATER = MOMENT + timedelta(days=1)

ODD_RUNS: list[Document] = [
    {"_id": 7},
    {"_id": {"a": []}, "startedAt": LATER, "document": {"steps": []}},
    {"_id": "bad1", "startedAt": "zz", "document": "nope"},
    {"_id": "bad2", "startedAt": LATER, "document": "nope"},
    {"_id": "bad3", "startedAt": LATER},
    {"_id": "bad4", "startedAt": LATER, "document": {}},
    {"_id": "bad5", "startedAt": LATER, "document": {"steps": "booking"}},
    {"_id": "bad6", "startedAt": LATER, "document": {"steps": [None]}},
    {"_id": "bad7", "startedAt": "zz", "document": {"steps": []}},
]

TIMED = RunEntry("timed", MOMENT, {**RUN.document, "duration_s": 1.5})
SPAN = RunSpan(MOMENT, MOMENT + timedelta(seconds=1.5), ("booking",))
ODD_SPANS: list[Document] = [
    {"_id": f"odd {number}", "startedAt": LATER, "document": document}
    for number, document in enumerate(
        [
            {"steps": []},
            {"steps": [], "duration_s": "1"},
            {"steps": [], "duration_s": float("nan")},
            {"steps": [], "duration_s": 1e300},
            {"steps": [{"name": None}], "duration_s": 1},
            {"steps": [{}], "duration_s": 1},
        ]
    )
]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {each.name for each in caplog.records} <= {OWN}
    assert {each.levelno for each in caplog.records} <= {logging.WARNING}
    return [each.getMessage() for each in caplog.records]


class TestOnMongo:
    def test_runs(
        self, mongo: MongoStorage, mongo_database: MongoDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        mongo_database.raw.syncruns.insert_many(ODD_RUNS)
        mongo.save_run(RUN)
        assert mongo.runs(0) == mongo.runs(1) == mongo.runs(1, run_id="good") == [RUN]
        assert mongo.runs(0, run_id="bad") == mongo.runs(1, failed_only=True) == []
        warnings = warnings_of(caplog)
        assert len(warnings) == len(ODD_RUNS)
        assert "The document 'bad1' of syncruns is not one that syncctl writes" in "\n".join(warnings)

    def test_when_runs_were_at_work(
        self, mongo: MongoStorage, mongo_database: MongoDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        mongo_database.raw.syncruns.insert_many([*ODD_RUNS, *ODD_SPANS])
        mongo.save_run(TIMED)
        dated = [run for run in (*ODD_RUNS, *ODD_SPANS) if run.get("startedAt") == LATER]
        assert mongo.run_spans(MOMENT) == [SPAN]
        assert mongo.saved_by_audits(MOMENT) == {}
        assert mongo.first_run_at(["booking"]) == MOMENT
        assert len(warnings_of(caplog)) == len(dated)

    @pytest.mark.parametrize("odd", [None, 4, ["a"], {"a": 1}])
    @pytest.mark.parametrize("field", [key for key in record_document(record(1)) if key != "_id"])
    def test_records(self, mongo: MongoStorage, mongo_database: MongoDatabase, field: str, odd: Any) -> None:
        if (field, odd) == ("values", {"a": 1}):
            return
        good = {**to_stored(record_document(record(2))), "leadId": text_id(2)}
        bad = {**to_stored(record_document(record(1))), "leadId": text_id(1), field: odd}
        mongo_database.raw.syncrecords.insert_many([good, bad, {"_id": "x", "key": None}])
        both = [text_id(1), text_id(2)]
        fine = RecordEntry(record(2), None)
        assert list(mongo.scan_records("booking", "7")) == [fine]
        assert mongo.records_about([phone(1), phone(2)], [], [*both, "a"]) == [fine]
        assert mongo.find_records([*both, "x"]).keys() - {text_id(1)} == {text_id(2)}
        assert mongo.record_values([*both, "x"]).keys() - {text_id(1)} == {text_id(2)}
        assert mongo.recorded_leads([*both, "a"]) - {text_id(1)} == {text_id(2)}

    def test_rejects(
        self, mongo: MongoStorage, mongo_database: MongoDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        whole = to_stored(reject_document(reject(1)))
        fields = [field for field in whole if field not in ("_id", "source", "location")]
        odd = [{**whole, "_id": f"odd {field}", field: ["x"]} for field in fields]
        mongo_database.raw.syncrejects.insert_many([{"_id": "y", "source": 4}, *odd])
        mongo.add_rejects([reject(1)])
        assert mongo.rejects() == mongo.rejects("booking") == [reject(1)]
        assert len(warnings_of(caplog)) == len(odd) + 1
        positions = mongo.reject_positions("booking", "7")["7"]
        assert positions.keys() == {"row 1"}
        assert text_id(1) in positions["row 1"]

    def test_states(
        self, mongo: MongoStorage, mongo_database: MongoDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        good = LocationState("1", MOMENT, None, MOMENT, True, 3)
        whole = state_document(StepName.BOOKING, good)
        odd: list[Document] = [
            {**whole, "_id": f"{field} {odd}", field: odd}
            for field in whole
            for odd in ["x", 4.5]
            if field != "report" and (field, odd) != ("location", "x")
        ]
        mongo_database.raw.syncstate.insert_many(
            [
                *odd,
                {"_id": "o1", "report": "booking"},
                {"_id": "o2", "kind": "walkin"},
                {"_id": "o3", "kind": "walkin", "name": ["a"], "contentHash": "x"},
                {"_id": ObjectId(), "odd": 1},
            ]
        )
        mongo.save_location_states(StepName.BOOKING, [good])
        mongo.save_file_hash("walkin", "a.csv", "hash")
        assert mongo.location_states(StepName.BOOKING) == {"1": good}
        assert mongo.file_hashes("walkin") == {"a.csv": "hash"}
        assert len(warnings_of(caplog)) == len(odd) + 3

    def test_states_of_before_audits(self, mongo: MongoStorage, mongo_database: MongoDatabase) -> None:
        state = LocationState("1", MOMENT, due_again=3)
        older = {"_id": "booking:1", **state_document(StepName.BOOKING, state)}
        for field in LATER_STATE_FIELDS:
            del older[field]
        mongo_database.raw.syncstate.insert_one(older)
        assert mongo.location_states(StepName.BOOKING) == {"1": LocationState("1", MOMENT, due_again=3)}

    @pytest.mark.parametrize("odd", [None, 4, "x", [], {}, {"report": "return"}])
    def test_dialects(
        self,
        mongo: MongoStorage,
        mongo_database: MongoDatabase,
        caplog: pytest.LogCaptureFixture,
        odd: Any,
    ) -> None:
        mongo_database.raw.syncstate.insert_one({"_id": "dialect:booking", "dialect": odd})
        mongo.save_dialect(DIALECT)
        assert mongo.dialects() == mongo.dialects() == {DIALECT.report: DIALECT}
        (warning,) = warnings_of(caplog)
        assert "'dialect:booking' of syncstate" in warning

    @pytest.mark.parametrize("names", [None, "x", ["x"], [{"code": 5}], [{"code": "5", "name": None}], {}])
    def test_the_store_list(self, mongo: MongoStorage, mongo_database: MongoDatabase, names: Any) -> None:
        mongo_database.raw.syncstate.insert_one({"_id": "store-list", "names": names})
        assert mongo.store_list() == {}
        mongo.save_store_list({"5": "Zorucci - Edappally"})
        assert mongo.store_list() == {"5": "Zorucci - Edappally"}


class TestOnSqlite:
    @pytest.mark.parametrize("document", ["5", "[]", "{}", '{"steps": 4}', '{"steps": [4]}', b"{}"])
    def test_runs(
        self,
        sqlite: SqliteStorage,
        sqlite_database: SqliteDatabase,
        caplog: pytest.LogCaptureFixture,
        document: Any,
    ) -> None:
        sqlite.save_run(RUN)
        sqlite_database.run("INSERT INTO syncruns VALUES ('odd', '2026-01-01', ?)", document)
        assert sqlite.runs(0) == sqlite.runs(1) == [RUN]
        (warnings,) = warnings_of(caplog)
        assert "'odd' of syncruns" in warnings

    @pytest.mark.parametrize(
        "document",
        ["[]", '{"steps": [4]}', b"{}", *(json.dumps(run["document"]) for run in ODD_SPANS)],
    )
    def test_when_runs_were_at_work(
        self,
        sqlite: SqliteStorage,
        sqlite_database: SqliteDatabase,
        caplog: pytest.LogCaptureFixture,
        document: Any,
    ) -> None:
        sqlite.save_run(TIMED)
        sqlite_database.run("INSERT INTO syncruns VALUES ('odd', '2026-01-01', ?)", document)
        sqlite_database.run("INSERT INTO syncruns VALUES ('odder', '1026-01-01', ?)", document)
        assert sqlite.run_spans(MOMENT) == [SPAN]
        assert sqlite.saved_by_audits(MOMENT) == {}
        assert sqlite.first_run_at(["booking"]) == MOMENT
        assert len(warnings_of(caplog)) <= 2

    @pytest.mark.parametrize(
        ("change", "look"),
        [
            ("syncrecords SET key = x'00'", lambda each: list(each.scan_records("booking", "7"))),
            ("syncrecords SET \"values\" = '[1]'", lambda each: list(each.scan_records("booking", "7"))),
            ("syncrecords SET \"values\" = '[1]'", lambda each: each.record_values([text_id(1)])),
            ("syncrecords SET firstRunId = x'00'", lambda each: each.records_about([phone(1)], [], [])),
            ("syncrecords SET leadId = x'00'", lambda each: each.find_records([text_id(1)])),
            ("syncrecords SET fingerprint = x'00'", lambda each: each.find_records([text_id(1)])),
            ("syncrejects SET reason = x'00'", lambda each: each.rejects()),
            ("syncrejects SET position = x'00'", lambda each: each.reject_positions("booking")),
            ("syncrejects SET location = x'00'", lambda each: each.reject_positions("booking")),
            ("syncstorelist SET code = x'00'", lambda each: each.store_list()),
            ("syncstorelist SET name = x'00'", lambda each: each.store_list()),
            ("syncfiles SET name = x'00'", lambda each: each.file_hashes("walkin")),
            ("syncfiles SET contentHash = x'00'", lambda each: each.file_hashes("walkin")),
            ("syncstate SET dueAgain = 'many'", lambda each: each.location_states(StepName.BOOKING)),
            ("syncstate SET recent = 'many'", lambda each: each.location_states(StepName.BOOKING)),
            ("syncdialects SET document = x'00'", lambda each: each.dialects()),
            ("syncdialects SET document = '{'", lambda each: each.dialects()),
            ("syncdialects SET document = '4'", lambda each: each.dialects()),
            ("syncdialects SET document = '{}'", lambda each: each.dialects()),
        ],
    )
    def test_rows(
        self,
        sqlite_database: SqliteDatabase,
        caplog: pytest.LogCaptureFixture,
        change: str,
        look: Callable[[Database], Sized],
    ) -> None:
        with closing(SqliteStorage(sqlite_database.path)) as sqlite:
            sqlite.prepare()
            sqlite.store_leads([], [record(1)])
            sqlite.add_rejects([reject(1)])
            sqlite.save_location_states(StepName.BOOKING, [LocationState("7", MOMENT)])
            sqlite.save_store_list({"5": "Zorucci - Edappally"})
            sqlite.save_file_hash("walkin", "a.csv", "hash")
            sqlite.save_dialect(DIALECT)
            assert len(look(sqlite)) == 1
            sqlite_database.run(f"UPDATE {change}")
            assert len(look(sqlite)) == len(look(sqlite)) == 0
        assert len(warnings_of(caplog)) == 1

    def test_damaged_json_is_an_error_as_before(
        self, sqlite: SqliteStorage, sqlite_database: SqliteDatabase
    ) -> None:
        sqlite.save_run(RUN)
        sqlite_database.run("UPDATE syncruns SET document = '{'")
        with pytest.raises(StorageError, match="damaged JSON"):
            sqlite.runs(1)
