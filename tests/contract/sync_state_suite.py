"""What every storage must do with the stores and with what a sync keeps of itself."""

from contextlib import closing
from datetime import datetime, timedelta

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect, LocationIds, Mode, Trial
from syncctl.domain.identity import KEY_RULES
from syncctl.domain.records import RejectAnswer
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.domain.stores import Store
from syncctl.errors import ExitCode, NewerDatabaseError
from syncctl.ports.storage import Storage
from syncctl.storage.dry_run import DryRunStorage
from syncctl.storage.registry import open_storage
from tests.contract.lead_suite import MANY, Database
from tests.contract.samples import DIALECT, HOSTILE_TEXTS, MOMENT, reject, text_id


def prepare(url: str, *, read_only: bool) -> None:
    with closing(open_storage(url, for_reading_only=read_only)) as storage:
        DryRunStorage(storage).prepare()


class RejectSuite:
    def test_a_row_is_listed_once_until_it_is_cleared(self, storage: Storage) -> None:
        twin = reject(2, position="row 1")
        assert storage.add_rejects([reject(1), twin]) == 2
        assert storage.add_rejects([reject(1, run_id="run 2"), reject(3)]) == 1
        assert storage.add_rejects([]) == 0
        assert {
            position: sorted(ids) for position, ids in storage.reject_positions("booking", "7")["7"].items()
        } == {
            "row 1": [text_id(1), text_id(2)],
            "row 3": [text_id(3)],
        }

        storage.clear_rejects([text_id(1), text_id(3), text_id(9)])
        storage.clear_rejects([])
        assert storage.reject_positions("booking", "7") == {"7": {"row 1": [text_id(2)]}}
        assert storage.add_rejects([reject(1)]) == 1

    def test_positions_are_of_one_source_and_location(self, storage: Storage) -> None:
        storage.add_rejects([reject(1), reject(2, location="8"), reject(3, source="return")])
        assert storage.reject_positions("booking", "7") == {"7": {"row 1": [text_id(1)]}}
        assert storage.reject_positions("booking", "9") == {}
        assert storage.reject_positions("booking") == {
            "7": {"row 1": [text_id(1)]},
            "8": {"row 2": [text_id(2)]},
        }

    def test_thousands_of_rejects_at_once(self, storage: Storage) -> None:
        assert storage.add_rejects([reject(n) for n in range(MANY)]) == MANY
        assert len(storage.reject_positions("booking", "7")["7"]) == MANY
        assert len(storage.rejects()) == MANY
        storage.clear_rejects([text_id(n) for n in range(1, MANY)])
        assert storage.reject_positions("booking", "7") == {"7": {"row 0": [text_id(0)]}}

    def test_hostile_text_in_rejects_is_only_data(self, storage: Storage) -> None:
        odd = {
            hostile: reject(n, reject_id=f"id {hostile}", location=hostile, position=hostile, reason=hostile)
            for n, hostile in enumerate(HOSTILE_TEXTS)
        }
        storage.add_rejects([*odd.values(), reject(99)])
        for hostile in odd:
            assert storage.reject_positions("booking", hostile) == {hostile: {hostile: [f"id {hostile}"]}}
            storage.clear_rejects([f"id {hostile}"])
            assert storage.reject_positions("booking", hostile) == {}
        assert storage.reject_positions("booking", "7") == {"7": {"row 99": [text_id(99)]}}

    def test_the_list_comes_back_newest_first(self, storage: Storage) -> None:
        assert storage.rejects() == []
        later = MOMENT + timedelta(milliseconds=1)
        oldest = reject(9, rejected_at=MOMENT - timedelta(days=1), source="walkin", location="a.xlsx")
        of_one_run = [
            reject(8, position="row 1"),
            reject(3, position="row 2"),
            reject(2, location="8", position="row 1", store="", reason="", row=""),
            reject(1, source="walkin", location="a.xlsx", position="row 1"),
        ]
        newest = reject(5, rejected_at=later)
        storage.add_rejects([oldest, *reversed(of_one_run)])
        storage.add_rejects([newest])

        assert storage.rejects() == [newest, *of_one_run, oldest]
        assert storage.rejects("walkin") == [of_one_run[-1], oldest]
        assert storage.rejects("booking") == [newest, *of_one_run[:-1]]
        assert storage.rejects("return") == []
        storage.clear_rejects([oldest.reject_id, newest.reject_id])
        assert storage.rejects() == of_one_run

    def test_a_reject_comes_back_as_it_was_listed(self, storage: Storage) -> None:
        hostile = [
            reject(
                n,
                **dict.fromkeys(("source", "location", "store", "position", "reason", "row", "run_id"), text),
            )
            for n, text in enumerate(HOSTILE_TEXTS)
        ]
        storage.add_rejects(hostile)
        assert sorted(storage.rejects(), key=lambda listed: listed.reject_id) == hostile
        for listed in hostile:
            assert storage.rejects(listed.source) == [listed]

    def test_an_answered_reject_is_off_the_list_and_can_not_come_back(self, storage: Storage) -> None:
        storage.add_rejects([reject(1), reject(2), reject(3)])
        storage.close_rejects([reject(1)], RejectAnswer.DISMISSED, MOMENT)
        storage.close_rejects([reject(2)], RejectAnswer.CORRECTED, MOMENT)
        assert storage.rejects() == [reject(3)]
        assert storage.closed_rejects("booking") == {text_id(1), text_id(2)}
        assert storage.closed_rejects("booking", "7") == {text_id(1), text_id(2)}
        assert storage.closed_rejects("booking", "8") == storage.closed_rejects("return") == set()
        assert storage.add_rejects([reject(1), reject(2), reject(4)]) == 1
        assert storage.rejects() == [reject(3), reject(4)]
        # The rows are known at their places all the same.
        assert {f"row {n}" for n in (1, 2, 3, 4)} == storage.reject_positions("booking", "7")["7"].keys()

        storage.clear_rejects([text_id(1)])
        assert storage.closed_rejects("booking") == {text_id(2)}
        assert storage.add_rejects([reject(1)]) == 1

    def test_an_answer_is_kept_where_the_row_has_left_the_list_meanwhile(self, storage: Storage) -> None:
        storage.close_rejects([reject(1)], RejectAnswer.CORRECTED, MOMENT)
        storage.close_rejects([], RejectAnswer.CORRECTED, MOMENT)
        assert storage.add_rejects([reject(1)]) == 0
        assert storage.rejects() == []
        assert storage.closed_rejects("booking", "7") == {text_id(1)}

    def test_answers_are_forgotten_by_age_and_number(self, storage: Storage) -> None:
        for number in range(5):
            at = MOMENT + timedelta(days=number)
            storage.close_rejects([reject(number)], RejectAnswer.DISMISSED, at)
        storage.add_rejects([reject(9, rejected_at=MOMENT - timedelta(days=999))])
        storage.forget_closed_rejects(MOMENT + timedelta(days=1), 10)
        assert storage.closed_rejects("booking") == {text_id(n) for n in (1, 2, 3, 4)}
        storage.forget_closed_rejects(MOMENT, 2)
        assert storage.closed_rejects("booking") == {text_id(3), text_id(4)}
        assert [listed.reject_id for listed in storage.rejects()] == [text_id(9)]

    def test_what_a_person_has_corrected_in_part_is_kept(self, storage: Storage) -> None:
        storage.add_rejects([reject(1), reject(2)])
        storage.close_rejects([reject(2)], RejectAnswer.DISMISSED, MOMENT)
        better = reject(1, reason="no store", row='{"phoneNo": "1"}', store="Zorucci - Edappally")
        storage.amend_rejects([better, reject(2, reason="other"), reject(3)])
        assert storage.rejects() == [better]
        assert storage.add_rejects([reject(1)]) == 0

    def test_when_a_row_was_listed_is_utc_in_milliseconds(self, storage: Storage) -> None:
        exact = MOMENT.replace(microsecond=123999)
        india = exact.astimezone(datetime.strptime("+0530", "%z").tzinfo)
        storage.add_rejects([reject(1, rejected_at=exact), reject(2, rejected_at=india)])
        assert [listed.rejected_at for listed in storage.rejects()] == [MOMENT] * 2
        assert {listed.rejected_at.utcoffset() for listed in storage.rejects()} == {timedelta(0)}


class FileSuite:
    def test_the_last_hash_of_each_file_is_kept(self, storage: Storage) -> None:
        assert storage.file_hashes("walkin") == {}
        storage.save_file_hash("walkin", "walkin_z_edappally.csv", "hash 1")
        storage.save_file_hash("walkin", "walkin_sg_calicut.xlsx", "hash 2")
        storage.save_file_hash("lossofsale", "walkin_z_edappally.csv", "hash 3")
        storage.save_file_hash("walkin", "walkin_z_edappally.csv", "hash 4")

        assert storage.file_hashes("walkin") == {
            "walkin_z_edappally.csv": "hash 4",
            "walkin_sg_calicut.xlsx": "hash 2",
        }
        assert storage.file_hashes("lossofsale") == {"walkin_z_edappally.csv": "hash 3"}
        assert storage.file_hashes("booking") == {}

    def test_a_file_may_have_any_name(self, storage: Storage) -> None:
        hashes = {
            name: f"hash {name[:9]}" for name in (*HOSTILE_TEXTS, "walkin:a", "7", "store-list", "A", "a")
        }
        for name, content_hash in hashes.items():
            storage.save_file_hash("walkin", name, content_hash)
        assert storage.file_hashes("walkin") == hashes

    def test_files_are_no_locations_and_no_store_list(self, storage: Storage) -> None:
        storage.save_location_states(StepName.WALKIN, [LocationState("7", MOMENT)])
        storage.save_store_list({"7": "Z- Calicut"})
        storage.save_file_hash(StepName.WALKIN, "7", "hash")

        assert storage.location_states(StepName.WALKIN) == {"7": LocationState("7", MOMENT)}
        assert storage.store_list() == {"7": "Z- Calicut"}
        assert storage.file_hashes(StepName.WALKIN) == {"7": "hash"}


class StoreSuite:
    def test_a_store_comes_back_as_it_was_added(self, storage: Storage) -> None:
        stores = [
            Store("Suitor Guy - Calicut", "13", "Suitor Guy", "Calicut", True),
            Store("Zorucci - Edappally", "1", "Zorucci", "", False),
        ]
        assert storage.add_stores(stores) == 2
        assert sorted(storage.stores(), key=lambda store: store.name) == stores

    def test_one_whose_name_or_code_is_there_is_skipped(self, storage: Storage) -> None:
        first = Store("Zorucci - Edappally", "1", "Zorucci", "Kochi", True)
        storage.add_stores([first])
        skipped = [
            Store("ZORUCCI - Edappally", "6", "Zorucci", "Kochi", True),
            Store("Zorucci - Elsewhere", "1", "Zorucci", "Kochi", True),
        ]
        new = Store("Zorucci - Kottakkal", "8", "Zorucci", "Kottakkal", True)

        assert storage.add_stores([*skipped, new, Store(new.name, "122", "", "", True)]) == 1
        assert sorted(storage.stores(), key=lambda store: store.name) == [first, new]
        assert storage.add_stores([]) == 0

    def test_stores_without_a_code_are_told_apart_by_name(self, storage: Storage) -> None:
        assert storage.add_stores([Store("A - B", "", "A", "", True), Store("A - C", "", "A", "", True)]) == 2

    def test_the_store_list_is_replaced_as_a_whole(self, storage: Storage) -> None:
        assert storage.store_list() == {}
        odd = {code: f"Store {code[:9]}" for code in HOSTILE_TEXTS} | {" ": "blank", "7": ""}
        storage.save_store_list(odd)
        assert storage.store_list() == odd
        storage.save_store_list({"8": "Z- Kottakkal"})
        assert storage.store_list() == {"8": "Z- Kottakkal"}


class SyncStateSuite:
    def test_states_of_locations_come_back_and_are_replaced(self, storage: Storage) -> None:
        india = MOMENT.astimezone(datetime.strptime("+0530", "%z").tzinfo)
        states = {
            "7": LocationState(
                "7", MOMENT, MOMENT + timedelta(milliseconds=1), MOMENT + timedelta(days=1), False, 157
            ),
            "10": LocationState(
                "10",
                MOMENT,
                due_again=157,
                recent=15,
                audited_at=MOMENT + timedelta(minutes=1),
                audit_tried_at=MOMENT + timedelta(minutes=2),
                doubted_since=MOMENT + timedelta(minutes=3),
            ),
            "8": LocationState("8", None, MOMENT, None, True, 0),
            "9": LocationState("9"),
            "$a.b:c": LocationState("$a.b:c", india),
        }
        storage.save_location_states(StepName.BOOKING, [])
        storage.save_location_states(StepName.BOOKING, list(states.values()))
        assert storage.location_states(StepName.BOOKING) == states
        assert storage.location_states(StepName.RETURN) == {}
        watermark = storage.location_states(StepName.BOOKING)["7"].watermark
        assert watermark is not None
        assert watermark.utcoffset() == timedelta(0)

        storage.save_location_states(StepName.BOOKING, [LocationState("7")])
        storage.save_location_states(StepName.RETURN, [states["8"]])
        assert storage.location_states(StepName.BOOKING) == states | {"7": LocationState("7")}
        assert storage.location_states(StepName.RETURN) == {"8": states["8"]}

    def test_what_was_measured_of_a_report_comes_back_and_is_replaced(self, storage: Storage) -> None:
        assert storage.dialects() == {}
        booking = DIALECT._replace(report=StepName.BOOKING)
        storage.save_dialect(booking)
        storage.save_dialect(DIALECT)
        assert storage.dialects() == {StepName.BOOKING: booking, StepName.RETURN: DIALECT}
        storage.save_dialect(Dialect(StepName.RETURN))
        assert storage.dialects() == {StepName.BOOKING: booking, StepName.RETURN: Dialect(StepName.RETURN)}
        hostile = DIALECT._replace(lost_by=HOSTILE_TEXTS[5], trials=tuple(map(_hostile_trial, HOSTILE_TEXTS)))
        storage.save_dialect(hostile)
        assert storage.dialects()[StepName.RETURN] == hostile

    def test_a_dialect_is_no_state_of_a_location_nor_the_other_way_round(self, storage: Storage) -> None:
        storage.save_dialect(DIALECT)
        assert storage.location_states(DIALECT.report) == {}
        storage.save_location_states(DIALECT.report, [LocationState("dialect", MOMENT)])
        assert storage.dialects() == {DIALECT.report: DIALECT}
        assert storage.location_states(DIALECT.report) == {"dialect": LocationState("dialect", MOMENT)}
        assert storage.store_list() == {}
        assert storage.file_hashes("walkin") == {}

    def test_what_is_known_of_a_report_comes_back(self, storage: Storage) -> None:
        assert storage.dialects() == {}
        booking = Dialect(
            StepName.BOOKING,
            mode=Mode.MONTHS,
            months=2,
            ids=LocationIds.IGNORED,
            ids_since=MOMENT,
            ids_seen="location 7 gave rows of several shops",
            spellings=(("16", "Z- Edapally"), ("5.$", HOSTILE_TEXTS[0])),
        )
        storage.save_dialect(Dialect(StepName.BOOKING))
        storage.save_dialect(booking)
        storage.save_dialect(Dialect(StepName.RETURN, ids=LocationIds.EMPTY))
        assert storage.dialects() == {
            StepName.BOOKING: booking,
            StepName.RETURN: Dialect(StepName.RETURN, ids=LocationIds.EMPTY),
        }
        assert storage.location_states(StepName.BOOKING) == {}

    def test_an_empty_location_id_is_one_like_others(self, storage: Storage) -> None:
        states = {"": LocationState("", MOMENT), "7": LocationState("7")}
        storage.save_location_states(StepName.BOOKING, list(states.values()))
        assert storage.location_states(StepName.BOOKING) == states

    def test_the_store_list_is_no_state_of_a_location(self, storage: Storage) -> None:
        storage.save_store_list({"7": "Z- Calicut"})
        assert storage.location_states(StepName.STORES) == {}
        assert storage.location_states(StepName.BOOKING) == {}

    def test_every_sync_log_is_kept(self, storage: Storage, database: Database) -> None:
        entry = SyncLog("booking", Trigger.AUTO, MOMENT, 15, StepStatus.PARTIAL, None)
        storage.add_sync_log(entry)
        storage.add_sync_log(entry)
        assert database.count("synclogs") == 2

    def test_a_run_is_replaced(self, storage: Storage, database: Database) -> None:
        storage.save_run(RunEntry("run 1", MOMENT, {"ok": True, "steps": [{"error": None}]}))
        storage.save_run(RunEntry("run 1", MOMENT, {"ok": False}))
        storage.save_run(RunEntry("run 2", MOMENT, {}))
        assert database.count("syncruns") == 2

    def test_runs_from_before_a_moment_are_forgotten(self, storage: Storage, database: Database) -> None:
        for number in range(4):
            storage.save_run(RunEntry(f"run {number}", MOMENT + timedelta(seconds=number), {}))
        storage.forget_runs(MOMENT + timedelta(seconds=2))
        assert database.count("syncruns") == 2
        storage.forget_runs(MOMENT + timedelta(seconds=2))
        assert database.count("syncruns") == 2

    def test_the_oldest_runs_are_forgotten_first(self, storage: Storage, database: Database) -> None:
        for number in (2, 0, 3, 1):
            storage.save_run(RunEntry(f"run {number}", MOMENT + timedelta(seconds=number), {}))
        storage.forget_runs(MOMENT + timedelta(days=365), most=3)
        assert database.count("syncruns") == 1
        storage.forget_runs(MOMENT + timedelta(seconds=3), most=3)  # the newest one is left
        assert database.count("syncruns") == 1

    def test_no_run_is_forgotten_without_a_witness(self, storage: Storage, database: Database) -> None:
        for number in range(4):
            storage.save_run(RunEntry(f"run {number}", MOMENT + timedelta(days=number), {}))
        second, third = MOMENT + timedelta(days=1), MOMENT + timedelta(days=2)
        for since, until, left in (
            (third + timedelta(seconds=1), third + timedelta(hours=1), 4),
            (second + timedelta(seconds=1), third, 4),
            (second, third, 2),
        ):
            storage.forget_runs(third, if_any_in=(since, until))
            assert database.count("syncruns") == left

    def test_the_version_of_the_key_rules_is_noted_and_a_newer_one_refused(
        self, storage: Storage, database: Database
    ) -> None:
        assert database.key_rules() == KEY_RULES
        for earlier in (None, KEY_RULES - 1):
            database.set_key_rules(earlier)
            storage.prepare()
            assert database.key_rules() == KEY_RULES
        database.set_key_rules(KEY_RULES + 1)
        for read_only in (False, True):
            with pytest.raises(NewerDatabaseError, match="newer syncctl: upgrade this one") as refusal:
                prepare(database.url, read_only=read_only)
            assert refusal.value.exit_code is ExitCode.CONFIG
        assert database.key_rules() == KEY_RULES + 1

    def test_for_reading_only_an_earlier_version_of_the_key_rules_stays(
        self, storage: Storage, database: Database
    ) -> None:
        database.set_key_rules(None)
        prepare(database.url, read_only=True)
        assert database.key_rules() is None

    def test_preparing_and_closing_again_changes_nothing(self, storage: Storage) -> None:
        storage.save_store_list({"7": "Z- Calicut"})
        storage.prepare()
        storage.close()
        storage.close()
        storage.prepare()
        assert storage.store_list() == {"7": "Z- Calicut"}


def _hostile_trial(text: str) -> Trial:
    return DIALECT.trials[0]._replace(location=text, asked=text, error=text)
