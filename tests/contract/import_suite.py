"""What every database must keep of imports, and put back: ports.import_undo.ImportUndo."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from syncctl.domain.import_notes import Change, ImportNote, NotedImport, NoteKind, ValuesChange, WriteChange
from syncctl.domain.records import Write
from syncctl.ports.admin import Database as LeadDatabase
from tests.contract.samples import HOSTILE_TEXTS, MOMENT, record, text_id

LATER = MOMENT + timedelta(days=1)
NOTHING: Mapping[str, Any] = {}


def note(
    number: int, *items: str, run: str = "run 1", kind: NoteKind = NoteKind.LEAD, **after: Any
) -> ImportNote:
    changes = {item: Change(NOTHING, after) for item in items or "a"}
    return ImportNote(run, kind, f"0-{number:06}", changes)


class ImportSuite:
    def test_notes_come_back_by_kind_in_order_and_in_pages(self, storage: LeadDatabase) -> None:
        of_one = [note(3, "b", "a"), note(2), note(1, "a", "a.b/$c d")]
        others = [note(1, run="run 2"), note(1, kind=NoteKind.VALUES), note(1, run="run 10")]
        storage.add_import_notes([*of_one, *others])
        storage.add_import_notes([])
        found = storage.import_notes("run 1", NoteKind.LEAD, "", 10)
        assert found == of_one[::-1]
        assert list(found[2].changes) == ["b", "a"]
        first = storage.import_notes("run 1", NoteKind.LEAD, "", 2)
        assert first == found[:2]
        assert storage.import_notes("run 1", NoteKind.LEAD, first[-1].note_id, 2) == found[2:]
        assert storage.import_notes("run 1", NoteKind.LEAD, found[-1].note_id, 2) == []
        assert storage.import_notes("run", NoteKind.LEAD, "", 2) == []

    def test_the_first_note_of_a_write_stays(self, storage: LeadDatabase) -> None:
        storage.add_import_notes([note(1, name="first"), note(1, name="second")])
        storage.add_import_notes([note(1, name="third"), note(2)])
        found = storage.import_notes("run 1", NoteKind.LEAD, "", 10)
        assert found == [note(1, name="first"), note(2)]

    def test_values_keep_their_types(self, storage: LeadDatabase) -> None:
        values: dict[str, Any] = {
            **{f"text {number}": text for number, text in enumerate(HOSTILE_TEXTS)},
            "nothing": None,
            "flag": False,
            "number": 4.5,
            "whole": 9000012345,
            "moment": MOMENT,
            "bytes": b"\x00\xff",
            "nested": {"remarks": {"value": "2025-01-01", "at": MOMENT}, "list": [MOMENT, {}]},
        }
        values = {name.replace(".", ""): value for name, value in values.items()}
        change = Change(values, {"fields": values})
        storage.add_import_notes([ImportNote("run 1", NoteKind.WRITES, "0", {"a": change})])
        (found,) = storage.import_notes("run 1", NoteKind.WRITES, "", 10)
        before, after = found.changes["a"]
        assert before == values
        assert after == {"fields": values}
        assert isinstance(before["moment"], datetime)
        assert before["flag"] is False

    def test_imports_are_found_by_the_beginning_of_their_id(self, storage: LeadDatabase) -> None:
        assert storage.noted_imports("") == []
        old, new = NotedImport("ab1", "import walkin", MOMENT), NotedImport("ab2", "all", LATER)
        storage.save_import(new)
        storage.save_import(old)
        storage.add_import_notes([note(1, run="ab1"), note(1, run="ab2")])
        assert storage.noted_imports("") == [new, old]
        assert storage.noted_imports("ab1") == [old]
        assert storage.noted_imports("b") == []
        undone = NotedImport("ab1", "import walkin", MOMENT, undone_at=LATER, created_only=True)
        storage.save_import(undone)
        assert storage.noted_imports("ab") == [new, undone]

    def test_old_imports_are_forgotten_with_their_notes(self, storage: LeadDatabase) -> None:
        for number in range(4):
            storage.save_import(NotedImport(f"run {number}", "all", MOMENT + timedelta(days=number)))
            storage.add_import_notes([note(1, run=f"run {number}"), note(2, run=f"run {number}")])
        storage.forget_runs(LATER + timedelta(days=1), most=1)
        assert [each.run_id for each in storage.noted_imports("")] == ["run 3", "run 2", "run 1"]
        assert storage.import_notes("run 0", NoteKind.LEAD, "", 10) == []
        assert len(storage.import_notes("run 1", NoteKind.LEAD, "", 10)) == 2
        storage.forget_runs(LATER + timedelta(days=1))
        assert [each.run_id for each in storage.noted_imports("")] == ["run 3", "run 2"]

    def test_notes_are_replaced_and_forgotten(self, storage: LeadDatabase) -> None:
        storage.add_import_notes([note(number, "a", "b") for number in range(3)])
        emptied = [ImportNote("run 1", NoteKind.LEAD, f"0-{number:06}", {}) for number in (0, 4)]
        shorter, further = note(2, "b", name="new"), note(3)
        storage.replace_import_notes([*emptied, shorter, further])
        storage.replace_import_notes([])
        found = storage.import_notes("run 1", NoteKind.LEAD, "", 10)
        assert found == [note(1, "a", "b"), shorter, further]

    def test_records_of_a_run(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(1), record(2, first_run_id="run 2"), record(3)])
        found = sorted(entry.record.record_id for entry in storage.records_of_run("run 1"))
        assert found == [text_id(1), text_id(3)]
        assert list(storage.records_of_run("run 3")) == []

    def test_records_are_removed_that_are_still_the_runs(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(n) for n in range(4)])
        storage.remove_records(
            [record(0), record(1, first_run_id="run 2"), record(2, fingerprint="newer"), record(9)]
        )
        storage.remove_records([])
        assert storage.find_records([text_id(n) for n in range(4)]).keys() == {
            text_id(n) for n in range(1, 4)
        }
        assert storage.store_leads([], [record(0)]) == set()
        assert text_id(0) in storage.find_records([text_id(0)])

    def test_values_are_put_back_where_they_are_still_those(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(1), record(2)])
        former = {"name": "Former", "createdAt": MOMENT}
        changes = [
            ValuesChange(text_id(1), "print 1", former, "former"),
            ValuesChange(text_id(2), "another", former, "former"),
            ValuesChange(text_id(3), "print 3", former, "former"),
        ]
        storage.restore_values(changes)
        storage.restore_values([])
        assert storage.record_values([text_id(1)]) == {text_id(1): former}
        assert storage.find_records([text_id(1)])[text_id(1)].fingerprint == "former"
        assert storage.record_values([text_id(2)]) == {text_id(2): record(2).values}

    def test_notes_of_writes_are_put_back_where_they_are_still_those(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(1), record(2)])
        old = {"remarks": "old", "functionDate": MOMENT}
        storage.add_writes({text_id(1): old, text_id(2): {"reason": "other"}}, MOMENT)
        storage.add_writes({text_id(1): {"remarks": "new", "reason": None, "store": "kept"}}, LATER)
        storage.restore_writes(
            [
                WriteChange(text_id(1), "remarks", LATER, Write("old", MOMENT)),
                WriteChange(text_id(1), "reason", LATER, None),
                WriteChange(text_id(1), "functionDate", LATER, None),
                WriteChange(text_id(2), "reason", MOMENT, None),
                WriteChange(text_id(3), "reason", MOMENT, None),
            ]
        )
        storage.restore_writes([])
        assert storage.writes([text_id(1), text_id(2)]) == {
            text_id(1): {
                "remarks": Write("old", MOMENT),
                "functionDate": Write(MOMENT, MOMENT),
                "store": Write("kept", LATER),
            }
        }

    def test_a_files_hash_is_put_back_where_it_is_still_that(self, storage: LeadDatabase) -> None:
        for name in ("a", "b", "c"):
            storage.save_file_hash("walkin", name, "2")
        storage.restore_file_hash("walkin", "a", "2", "1")
        storage.restore_file_hash("walkin", "b", "2", None)
        storage.restore_file_hash("walkin", "c", "3", None)
        storage.restore_file_hash("lossofsale", "c", "2", None)
        assert storage.file_hashes("walkin") == {"a": "1", "c": "2"}
