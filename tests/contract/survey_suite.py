"""What every database must tell of itself: ports.admin.Survey."""

from datetime import UTC, datetime, timedelta
from typing import Any

from syncctl.domain.identity import first_id_at
from syncctl.domain.lead_values import Document
from syncctl.domain.records import RejectAnswer
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import LeadType
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.admin import Database as LeadDatabase
from syncctl.ports.admin import LastLogs, RunSpan
from syncctl.ports.storage import OpenRejects, RecordEntry
from syncctl.storage.registry import backend_for
from tests.contract.lead_suite import MANY, Database
from tests.contract.samples import CORRECTION, HOSTILE_TEXTS, MOMENT, lead, phone, record, reject, text_id


def log(sync_type: str, status: StepStatus, count: int = 0, at: datetime = MOMENT) -> SyncLog:
    return SyncLog(sync_type, Trigger.AUTO, at, count, status, None)


def run(run_id: str, minutes: int, *statuses: StepStatus) -> RunEntry:
    steps = [{"name": "booking", "status": str(status)} for status in statuses]
    return RunEntry(run_id, MOMENT + timedelta(minutes=minutes), {"run_id": run_id, "steps": steps})


class SurveySuite:
    def test_an_empty_database_has_nothing_to_tell(self, storage: LeadDatabase) -> None:
        assert storage.open_rejects() == OpenRejects(0, None)
        assert list(storage.scan_leads(["phone"])) == []
        assert list(storage.scan_reports()) == []
        assert list(storage.scan_records("booking", "7")) == []
        assert storage.records_about([phone(1)], ["1"], [text_id(1)]) == []
        assert storage.last_sync_logs() == {}
        assert list(storage.sync_logs(MOMENT, MOMENT + timedelta(days=1))) == []
        assert list(storage.leads_by_age(MOMENT, datetime.now(UTC), list(LeadType), ["phone"])) == []
        assert list(storage.leads_created(MOMENT, datetime.now(UTC), ["phone"])) == []
        assert list(storage.reports_on_leads_created(MOMENT, datetime.now(UTC))) == []
        assert storage.first_run_at(["booking"]) is None
        assert storage.run_spans(MOMENT) == []
        assert storage.saved_by_audits(MOMENT) == {}
        assert storage.corrected_records(MOMENT) == []
        assert storage.runs(0) == []

    def test_what_it_is(self, storage: LeadDatabase, database: Database) -> None:
        facts = storage.facts()
        assert facts.kind == backend_for(database.url).name
        assert facts.place.split("/")[-1] == database.url.split("/")[-1]
        assert all((facts.version, facts.topology, facts.durability))
        assert facts.caveats == ()

    def test_how_many_rejects_there_are_and_since_when(self, storage: LeadDatabase) -> None:
        storage.store_leads([lead(n) for n in range(6)], [record(n) for n in range(4)])
        older = reject(1)._replace(rejected_at=MOMENT - timedelta(days=9))
        storage.add_rejects([older, reject(2)._replace(rejected_at=MOMENT)])
        assert storage.open_rejects() == OpenRejects(2, MOMENT - timedelta(days=9))
        storage.clear_rejects([older.reject_id])
        assert storage.open_rejects() == OpenRejects(1, MOMENT)
        storage.close_rejects([reject(2), reject(3)], RejectAnswer.DISMISSED, MOMENT)
        assert storage.open_rejects() == OpenRejects(0, None)

    def test_what_was_corrected_since(self, storage: LeadDatabase) -> None:
        corrected = record(2, corrections=(CORRECTION,))
        storage.store_leads([], [record(1), corrected])
        assert storage.corrected_records(MOMENT) == [RecordEntry(corrected, None)]
        assert storage.corrected_records(MOMENT + timedelta(milliseconds=1)) == []
        storage.replace_records({text_id(2): phone(1)})
        (entry,) = storage.corrected_records(MOMENT)
        assert entry.record.replaced_by == phone(1)

    def test_which_records_are_finished_or_have_a_lead_of_another_id(self, storage: LeadDatabase) -> None:
        finished_before = CORRECTION._replace(report_id=text_id(21))
        records = [
            record(1, lead_id=text_id(1)),
            record(2, lead_id=text_id(12)),
            record(3, lead_id=text_id(3), report_id=text_id(23)),
            record(4, lead_id=text_id(4), corrections=(finished_before,)),
        ]
        storage.store_leads([], records)
        found = set(storage.finished_or_linked_records())
        assert {each.record_id for each in records[1:]} <= found
        every = storage.find_records([each.record_id for each in records])
        assert {key for key, each in every.items() if each.report_id or each.lead_id != key} <= found

    def test_leads_come_with_the_fields_asked_for(self, storage: LeadDatabase) -> None:
        bare = lead(2, followUpFlag=True)
        del bare["bookingNo"]
        storage.store_leads([lead(1), bare], [])
        fields = ("bookingNo", "functionDate", "assignedTo", "followUpFlag", "noSuchField")
        found = sorted(storage.scan_leads(fields), key=lambda each: str(each["_id"]))
        assert found == [
            {
                "_id": text_id(1),
                "bookingNo": lead(1)["bookingNo"],
                "functionDate": datetime(2025, 3, 1, tzinfo=UTC),
                "followUpFlag": False,
            },
            {"_id": text_id(2), "functionDate": datetime(2025, 3, 1, tzinfo=UTC), "followUpFlag": True},
        ]
        assert {each["functionDate"].utcoffset() for each in found} == {timedelta(0)}
        assert sorted(map(str, storage.scan_leads([]))) == sorted(
            map(str, ({"_id": text_id(1)}, {"_id": text_id(2)}))
        )
        assert [each.keys() for each in storage.scan_leads(["_id", "phone"])] == [{"_id", "phone"}] * 2

    def test_what_people_typed_comes_as_it_is(self, storage: LeadDatabase, database: Database) -> None:
        storage.store_leads([lead(1)], [])
        odd = {"securityAmount": "a lot", "visitDate": "next week", "rating": 4.5, "remarks": "😀 അനഘ\n\0"}
        for field, value in odd.items():
            database.edit_lead(text_id(1), field, value)
        assert list(storage.scan_leads(odd.keys())) == [{"_id": text_id(1), **odd}]

    def test_thousands_of_leads_come_once_each(self, storage: LeadDatabase) -> None:
        storage.store_leads([lead(n) for n in range(MANY)], [])
        assert sorted(each["_id"] for each in storage.scan_leads(["phone"])) == [
            text_id(n) for n in range(MANY)
        ]

    def test_a_scan_may_be_left_and_written_beside(self, storage: LeadDatabase) -> None:
        storage.store_leads([lead(n) for n in range(300)], [])
        scan = storage.scan_leads(["phone"])
        first = next(scan)["_id"]
        storage.delete_unchanged(storage.snapshots([text_id(299)]))
        storage.store_leads([lead(n) for n in range(300, 310)], [])
        seen = {first, *(each["_id"] for each in scan)}
        assert seen >= {text_id(n) for n in range(299)}

        next(storage.scan_leads(["phone"]))
        storage.close()
        storage.prepare()
        assert len(list(storage.scan_leads(["phone"]))) == 309

    def test_reports_come_whole(self, storage: LeadDatabase, database: Database) -> None:
        reports = {
            text_id(n): {"phone": 90000, "leadData": {"name": text, "ids": [1, None, text]}}
            for n, text in enumerate(HOSTILE_TEXTS)
        }
        for report_id, report in reports.items():
            database.add_report(report_id, report)
        assert {report.pop("_id"): report for report in storage.scan_reports()} == reports

    def test_records_are_those_of_one_source_and_location(self, storage: LeadDatabase) -> None:
        others = [record(3, location="8"), record(4, source="return")]
        storage.store_leads([], [record(1), record(2, lead_id=text_id(9)), *others])
        found = {entry.record.record_id: entry for entry in storage.scan_records("booking", "7")}
        assert found == {
            text_id(1): RecordEntry(record(1), None),
            text_id(2): RecordEntry(record(2, lead_id=text_id(9)), None),
        }

    def test_a_record_tells_when_its_source_changed_it(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(1)])
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        storage.update_records([record(1, values={"name": "Other", "functionDate": MOMENT})])
        (entry,) = storage.scan_records("booking", "7")
        assert entry.record == record(1, values={"name": "Other", "functionDate": MOMENT})
        assert entry.changed_at is not None
        assert before <= entry.changed_at <= datetime.now(UTC)

    def test_records_about_a_phone_a_booking_or_a_lead(self, storage: LeadDatabase) -> None:
        storage.store_leads(
            [],
            [
                record(1, values={"phone": phone(1), "bookingNo": "b1"}),
                record(2, values={"phone": phone(2), "bookingNo": "b2"}),
                record(3, values={"phone": phone(3)}, lead_id=text_id(33)),
                record(4, values={"phone": phone(1), "bookingNo": "b4"}),
            ],
        )

        def about(phones: list[str], numbers: list[str], leads: list[str]) -> list[str]:
            found = storage.records_about(phones, numbers, leads)
            return sorted(entry.record.record_id for entry in found)

        assert about([phone(1)], [], []) == [text_id(1), text_id(4)]
        assert about([], ["b2"], []) == [text_id(2)]
        assert about([], [], [text_id(33)]) == [text_id(3)]
        all_of_them = [text_id(n) for n in (1, 2, 3, 4)]
        assert about([phone(1)], ["b1", "b2"], [text_id(33), text_id(1)]) == all_of_them
        assert about([], [], []) == []
        assert about(list(HOSTILE_TEXTS), list(HOSTILE_TEXTS), list(HOSTILE_TEXTS)) == []
        everyone = [phone(n) for n in range(MANY)]
        assert about(everyone, ["b4"], [text_id(n) for n in range(MANY + 9)]) == all_of_them

    def test_the_last_logs_are_the_newest_by_insertion(self, storage: LeadDatabase) -> None:
        earlier = MOMENT - timedelta(days=400)
        booking = [
            log("booking", StepStatus.SUCCESS, 1),
            log("booking", StepStatus.SUCCESS, 2, at=earlier),
            log("booking", StepStatus.PARTIAL, 3),
            log("booking", StepStatus.FAILED, 4, at=earlier),
        ]
        others = [log("return", StepStatus.FAILED), log("$a.b", StepStatus.SUCCESS)]
        for entry in (*booking[:2], *others, *booking[2:]):
            storage.add_sync_log(entry)
        assert storage.last_sync_logs() == {
            "booking": LastLogs(booking[3], booking[1]),
            "return": LastLogs(others[0], None),
            "$a.b": LastLogs(others[1], others[1]),
        }

    def test_logs_of_a_time_come_oldest_first(self, storage: LeadDatabase) -> None:
        entries = [log("booking", StepStatus.SUCCESS, n, MOMENT + timedelta(minutes=n)) for n in range(5)]
        for number in (3, 1, 4, 0, 2):
            storage.add_sync_log(entries[number])
        assert list(storage.sync_logs(entries[1].at, entries[4].at)) == entries[1:4]
        many = [log("return", StepStatus.FAILED, n, MOMENT - timedelta(minutes=n)) for n in range(1, 300)]
        for entry in many:
            storage.add_sync_log(entry)
        assert list(storage.sync_logs(many[-1].at, MOMENT)) == many[::-1]

    def test_the_first_run_that_had_a_step(self, storage: LeadDatabase) -> None:
        def of_step(run_id: str, minutes: int, *names: str) -> RunEntry:
            steps = [{"name": name, "status": "success"} for name in names]
            return RunEntry(run_id, MOMENT + timedelta(minutes=minutes), {"steps": steps})

        for entry in (
            of_step("later", 9, "stores", "booking"),
            of_step("import", 1, "walkin"),
            of_step("none", 2),
            of_step("first", 3, "stores", "booking"),
        ):
            storage.save_run(entry)
        assert storage.first_run_at(["booking", "return"]) == MOMENT + timedelta(minutes=3)
        assert storage.first_run_at(["walkin"]) == MOMENT + timedelta(minutes=1)
        assert storage.first_run_at(["return"]) is None
        assert storage.first_run_at([]) is None

    def test_when_runs_were_at_work(self, storage: LeadDatabase) -> None:
        def of_length(run_id: str, minutes: int, seconds: float, *names: str) -> RunEntry:
            steps = [{"name": name, "status": "success", "details": []} for name in names]
            document = {"duration_s": seconds, "steps": steps}
            return RunEntry(run_id, MOMENT + timedelta(minutes=minutes), document)

        for entry in (
            of_length("second", 5, 60, "booking", "return"),
            of_length("before", -1, 1, "stores"),
            of_length("first", 0, 1.5, "stores"),
            of_length("retry", 7, 0),
            RunEntry("damaged", MOMENT + timedelta(minutes=9), {"duration_s": "long", "steps": []}),
        ):
            storage.save_run(entry)
        assert storage.run_spans(MOMENT) == [
            RunSpan(MOMENT, MOMENT + timedelta(seconds=1.5), ("stores",)),
            RunSpan(MOMENT + timedelta(minutes=5), MOMENT + timedelta(minutes=6), ("booking", "return")),
            RunSpan(MOMENT + timedelta(minutes=7), MOMENT + timedelta(minutes=7), ()),
        ]
        assert storage.run_spans(MOMENT)[0].started_at.utcoffset() == timedelta(0)

    def test_what_only_audits_brought(self, storage: LeadDatabase) -> None:
        def audited(minutes: int, **saved: Any) -> RunEntry:
            steps = [{"name": name, "status": "success", "audit": audit} for name, audit in saved.items()]
            steps.append({"name": "stores", "status": "success"})
            return RunEntry(f"run {minutes}", MOMENT + timedelta(minutes=minutes), {"steps": steps})

        for entry in (
            audited(-1, booking={"locations": 2, "saved": 100, "failed": 0}),
            audited(0, booking={"locations": 2, "saved": 3, "failed": 0}),
            audited(5, booking={"locations": 2, "saved": 0, "failed": 2}),
            audited(6, booking={"saved": 4}, **{"return": {"saved": 1}}),
            audited(7, booking=None, **{"return": None}),
            audited(8, booking={"saved": "many"}, **{"return": {"saved": 2}}),
            RunEntry("older", MOMENT + timedelta(minutes=9), {"steps": [{"name": "booking"}]}),
        ):
            storage.save_run(entry)
        assert storage.saved_by_audits(MOMENT) == {"booking": 7, "return": 3}
        assert storage.saved_by_audits(MOMENT + timedelta(minutes=8)) == {"return": 2}
        assert storage.saved_by_audits(MOMENT + timedelta(days=1)) == {}

    def test_leads_by_the_time_that_their_ids_say(self, storage: LeadDatabase) -> None:
        def made(minutes: int, end: str = "0") -> str:
            return first_id_at(MOMENT + timedelta(minutes=minutes))[:-1] + end

        ids = [made(minutes) for minutes in range(-2, 5)]
        of_time = {*ids[2:5], made(2, "8")}
        others = [
            lead(1),
            lead(2, _id=made(2, "8"), leadType=LeadType.RETURN),
            lead(3, _id=made(2, "9"), leadType=LeadType.GENERAL),
            *(lead(4, _id=odd) for odd in (made(2)[:8], made(2) + "00", made(2, "g"), made(2, "A"))),
        ]
        storage.store_leads([*(lead(10, _id=lead_id) for lead_id in ids), *others], [])
        wanted = (LeadType.BOOKING, LeadType.RETURN)
        until = MOMENT + timedelta(minutes=3)
        found = list(storage.leads_by_age(MOMENT, until, wanted, ["phone"]))
        assert {each["_id"] for each in found} == of_time
        assert {frozenset(each) for each in found} == {frozenset(("_id", "phone"))}
        ever = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
        assert len(list(storage.leads_by_age(*ever, wanted, []))) == len(ids) + 2

    def test_runs_come_newest_first(self, storage: LeadDatabase) -> None:
        runs = [run(f"run {n}", -n, StepStatus.SUCCESS, StepStatus.SKIPPED) for n in range(4)]
        for entry in (runs[2], runs[0], runs[3], runs[1]):
            storage.save_run(entry)
        assert storage.runs(0) == runs
        assert storage.runs(2) == runs[:2]
        assert storage.runs(9) == runs
        assert storage.runs(1, until=runs[1].started_at) == runs[2:3]
        assert storage.runs(0, until=runs[3].started_at) == []
        assert storage.runs(1)[0].started_at.utcoffset() == timedelta(0)

    def test_failed_runs_have_a_step_that_is_neither_success_nor_skipped(self, storage: LeadDatabase) -> None:
        fine = [run("fine", 0, StepStatus.SUCCESS, StepStatus.SKIPPED), run("none", 1)]
        failed = [
            run("partial", 4, StepStatus.PARTIAL),
            run("failed", 3, StepStatus.SUCCESS, StepStatus.FAILED),
            run("both", 2, StepStatus.PARTIAL, StepStatus.FAILED),
        ]
        for entry in (*fine, *failed):
            storage.save_run(entry)
        assert storage.runs(0, failed_only=True) == failed
        assert storage.runs(1, failed_only=True) == failed[:1]
        assert storage.runs(0, failed_only=True, run_id="fa") == failed[1:2]

    def test_a_run_is_found_by_how_its_id_begins(self, storage: LeadDatabase) -> None:
        for minutes, run_id in enumerate(("a-b", "x-y", "a.b", "%_", "^a", "[", "'; --", "😀 അ")):
            wanted = [run(f"{run_id}-x", 10 * minutes + 2), run(run_id, 10 * minutes + 1)]
            for entry in (*wanted, run(f"other {run_id}", 10 * minutes)):
                storage.save_run(entry)
            assert storage.runs(0, run_id=run_id) == wanted
        assert storage.runs(0, run_id="no such run") == []

    def test_leads_by_when_they_were_created(self, storage: LeadDatabase) -> None:
        moments = [MOMENT + timedelta(hours=hours) for hours in range(4)]
        leads = [lead(n, createdAt=moment) for n, moment in enumerate(moments)]
        storage.store_leads(leads, [])
        found = list(storage.leads_created(moments[1], moments[3], ["phone", "createdAt"]))
        wanted = [{name: each[name] for name in ("_id", "phone", "createdAt")} for each in leads[1:3]]
        assert sorted(found, key=lambda each: each["_id"]) == [
            {**each, "createdAt": each["createdAt"].replace(microsecond=123_000)} for each in wanted
        ]

    def test_reports_by_when_their_leads_were_created(
        self, storage: LeadDatabase, database: Database
    ) -> None:
        inside, before = MOMENT, MOMENT - timedelta(days=1)
        reports: dict[str, Document] = {
            "flat": {"created_at": inside, "createdAt": before},
            "text": {"created_at": f"{inside:%Y-%m-%dT%H:%M:%S}.123Z"},
            "data": {"leadData": {"created_at": inside}},
            "snapshot": {"leadSnapshot": {"createdAt": inside}},
            "both": {"created_at": inside, "beforeSnapshot": {"createdAt": inside}},
            "its own date": {"createdAt": inside},
            "before": {"created_at": before},
            "none": {"created_at": None},
        }
        for number, report in enumerate(reports.values()):
            database.add_report(text_id(number), report)
        found = storage.reports_on_leads_created(MOMENT, MOMENT + timedelta(seconds=1))
        assert sorted(each["_id"] for each in found) == [text_id(n) for n in range(5)]
