"""What a preview of an import shows is what the import then does."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from syncctl.domain.row_decisions import Reason, RowAction, RowDecision
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.errors import PreviewOutdatedError
from syncctl.sandbox import Sandbox
from syncctl.services.imports.preview import Preview, PreviewHash
from tests.chaos.store_file_model import KINDS, PLACES, REMARKS, StoreFile, rows
from tests.support.cleanups import InterleavedDatabase
from tests.support.store_files import counts, row, snapshot, write
from tests.support.webapp import MOSTLY_CURRENT_SHAPES, Lead, any_shape, finish, old_lead
from tests.support.world import World

WALKIN, LOSS = StepName.WALKIN, StepName.LOSS_OF_SALE
COLLECTIONS = ("leads", "syncrecords", "syncrejects", "syncstate", "synclogs", "syncruns")
COUNTED = {
    RowAction.CREATE: "saved",
    RowAction.UPDATE: "updated",
    RowAction.KEEP: "existing",
    RowAction.FINISHED: "reported",
    RowAction.MERGE: "merged",
    RowAction.REJECT: "invalid",
}


def previewed(world: World, kind: StepName, *files: Path, dry_run: bool = True) -> tuple[Preview, RunResult]:
    """The preview, still open; with `dry_run` false, of a real import."""
    preview = Preview()
    return preview, world.import_files(kind, *files, dry_run=dry_run, preview=preview)


def decisions(world: World, kind: StepName, *files: Path) -> list[RowDecision]:
    preview, _ = previewed(world, kind, *files)
    with preview:
        return list(preview)


def stored(world: World) -> dict[str, Any]:
    return {collection: world.app.all(collection) for collection in COLLECTIONS}


def assert_as_previewed(
    shown: Sequence[RowDecision], result: RunResult, before: dict[str, Lead], after: dict[str, Lead]
) -> None:
    """Count by count, lead by lead, field by field."""
    step = result.steps[0].counts
    actions = Counter(decision.action for decision in shown)
    for reason in {f"{each.action}: {each.reason}" for each in shown if each.action is not RowAction.REJECT}:
        event(reason)
    assert {action: actions[action] for action in COUNTED} == {
        action: getattr(step, name) for action, name in COUNTED.items()
    }
    with_lead = [decision for decision in shown if decision.lead_id is not None]
    by_lead = {decision.lead_id: decision for decision in with_lead}
    assert len(by_lead) == len(with_lead)
    for lead_id, decision in by_lead.items():
        assert lead_id is not None
        was, lead = before.get(lead_id), after.get(lead_id)
        match decision.action:
            case RowAction.CREATE:
                assert was is None
                assert lead is not None
            case RowAction.UPDATE:
                assert was is not None
                assert was != lead
            case RowAction.KEEP:
                assert was == lead
            case _:
                assert was is lead is None
        if lead is not None:
            assert {field.field: field.becomes for field in decision.fields} == {
                field.field: lead.get(field.field) for field in decision.fields
            }
        assert {field.field: field.now for field in decision.fields} == {
            field.field: (was or {}).get(field.field) for field in decision.fields
        }
        changed = {field.field for field in decision.fields if field.is_change}
        if was is not None and lead is not None:
            differing = {name for name in {*was, *lead} if was.get(name) != lead.get(name)}
            assert differing - {"updatedAt"} == changed
    changed_leads = {lead_id for lead_id in {*before, *after} if before.get(lead_id) != after.get(lead_id)}
    assert changed_leads == {
        lead_id
        for lead_id, decision in by_lead.items()
        if decision.action in (RowAction.CREATE, RowAction.UPDATE)
    }


@contextmanager
def small_world(folder: Path) -> Iterator[World]:
    world = World(Sandbox(locations=1, bookings=1, today=date(2026, 3, 11)), f"sqlite:///{folder / 'x.db'}")
    with closing(world):
        yield world


def people_at_work(world: World, random: Random) -> None:
    """Edits, finished, deleted, legacy and copied leads."""
    for lead in world.app.leads():
        match random.choice((*["edit"] * 4, "move", "finish", "delete", "legacy", "copy", *["leave"] * 3)):
            case "edit":
                fields = random.sample(("remarks", "closingStatus", "callStatus", "functionDate"), 3)
                values = {"functionDate": lead["createdAt"], "remarks": random.choice(REMARKS)}
                world.app.edit(lead["_id"], **{each: values.get(each, "mine") for each in fields})
            case "move":
                world.app.edit(lead["_id"], **{random.choice(("name", "phone")): "9400000003"})
            case "finish":
                finish(world.app, lead, any_shape(lead, random.choice(MOSTLY_CURRENT_SHAPES)))
            case "delete":
                world.app.delete(lead["_id"])
            case "legacy":
                world.app.delete(lead["_id"])
                store = random.choice((lead["store"], lead["store"].upper(), "Default Store"))
                world.app.insert({**old_lead(lead), "store": store})
            case "copy":
                world.app.insert(old_lead(lead))


files = st.builds(
    StoreFile,
    st.sampled_from([*KINDS]),
    st.sampled_from([*PLACES]),
    st.lists(rows, max_size=8),
)
histories = st.lists(st.tuples(st.lists(files, min_size=1, max_size=2), st.integers(0, 2**16)), max_size=3)


def check_history(history: Sequence[tuple[Sequence[StoreFile], int]], last: Sequence[StoreFile]) -> None:
    """Import the files of the history, with people at work between; each preview must hold."""
    with TemporaryDirectory() as name, small_world(Path(name)) as world:
        for number, (group, seed) in enumerate([*history, (last, 0)]):
            folder = Path(name) / str(number)
            for kind in KINDS.values():
                paths = []
                for place, each in enumerate(file for file in group if file.step is kind):
                    (folder / str(place)).mkdir(parents=True, exist_ok=True)
                    paths.append(each.write_in(folder / str(place)))
                if paths:
                    check_import(world, kind, paths)
            people_at_work(world, Random(seed))  # noqa: S311 - no secret
            world.now += timedelta(days=1)


def check_import(world: World, kind: StepName, paths: Sequence[Path]) -> None:
    untouched, before = stored(world), snapshot(world)
    preview, would = previewed(world, kind, *paths)
    with preview:
        shown = list(preview)
    assert stored(world) == untouched
    with pytest.raises(PreviewOutdatedError):
        world.import_files(kind, *paths, only_if="0" * 16)
    assert stored(world) == untouched
    result = world.import_files(kind, *paths, only_if=preview.hash)
    assert counts(result) == counts(would)
    assert_as_previewed(shown, result, before, snapshot(world))


@given(histories, st.lists(files, min_size=1, max_size=3))
@settings(max_examples=15)
def test_an_import_does_what_its_preview_showed(
    history: Sequence[tuple[Sequence[StoreFile], int]], last: Sequence[StoreFile]
) -> None:
    check_history(history, last)


@pytest.mark.slow
@given(histories, st.lists(files, min_size=1, max_size=3))
@settings(max_examples=40)
def test_an_import_does_what_its_preview_showed_at_length(
    history: Sequence[tuple[Sequence[StoreFile], int]], last: Sequence[StoreFile]
) -> None:
    check_history(history, last)


def file_of(decision: RowDecision) -> dict[str, Any]:
    return {field.field: field.file for field in decision.fields}


def test_a_preview_shows_each_row_and_what_becomes_of_each_field(world: World, tmp_path: Path) -> None:
    file = tmp_path / "walkin_sg_calicut.csv"
    write(file, row(), row(Contact="9000000001"), row(Contact="9000000002"), row(Contact="9000000003"))
    world.import_files(WALKIN, file)
    leads = {lead["phone"]: lead for lead in world.app.leads()}
    world.app.edit(leads["7796831125"]["_id"], remarks="mine")
    finish(world.app, leads["9000000001"], "flat")
    world.app.delete(leads["9000000002"]["_id"])
    world.now += timedelta(days=1)
    write(
        file,
        row(Remarks="news", Staff="Other"),
        row(Contact="9000000001"),
        row(Contact="9000000002"),
        row(Contact="9000000003"),
        row(Contact="9000000004", Remarks="first"),
        row(Contact="9000000004", Remarks="second"),
        row(Contact="12"),
    )
    update, finished, deleted, same, merged, new, reject = decisions(world, WALKIN, file)
    assert (update.action, update.reason) == (RowAction.UPDATE, Reason.NEWS)
    fields = {field.field: field[1:] for field in update.fields}
    assert fields["attendedBy"] == ("RAYAN", "Other", "Other", False)
    assert fields["remarks"] == ("mine", "news", "mine", True)
    assert fields["closingStatus"] == ("Booked", "Booked", "Booked", False)
    assert [field.field for field in update.changes] == ["attendedBy", "remarks"]
    assert (finished.action, finished.lead_id) == (RowAction.FINISHED, leads["9000000001"]["_id"])
    assert (deleted.action, deleted.reason) == (RowAction.KEEP, Reason.DELETED)
    assert (same.action, same.reason, same.changes) == (RowAction.KEEP, Reason.SAME, [])
    assert {field.now for field in same.fields} >= {"RAYAN", "Booked"}
    assert (merged.action, merged.lead_id, file_of(merged)["remarks"]) == (RowAction.MERGE, None, "first")
    assert (new.action, file_of(new)["remarks"]) == (RowAction.CREATE, "second")
    assert all(field.now is None and field.file == field.becomes for field in new.fields)
    assert (reject.action, reject.reason) == (RowAction.REJECT, "too few digits in the phone number")
    assert (reject.name, reject.phone, reject.store) == ("Anagha S", "12", "Suitor Guy - Calicut")
    assert [each.row for each in (update, finished, deleted, same, merged, new, reject)] == [*range(3, 10)]


def test_only_what_was_previewed_is_imported(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row(), row(Contact="12"))
    preview, _ = previewed(world, WALKIN, file)
    with preview:
        pass
    other, _ = previewed(world, WALKIN, file)
    with other:
        assert other.hash == preview.hash
    before = stored(world)
    write(file, row(Remarks="other"), row(Contact="12"))
    with pytest.raises(PreviewOutdatedError):
        world.import_files(WALKIN, file, only_if=preview.hash)
    with pytest.raises(PreviewOutdatedError):
        world.import_files(WALKIN, file, only_if=preview.hash, dry_run=True, preview=PreviewHash())
    assert stored(world) == before
    write(file, row(), row(Contact="12"))
    assert counts(world.import_files(WALKIN, file, only_if=preview.hash)) == (1, 0, 0, 0, 0, 1)
    with world.storage() as storage:
        assert len(storage.rejects()) == 1
    with pytest.raises(PreviewOutdatedError):  # it would do nothing now
        world.import_files(WALKIN, file, only_if=preview.hash)


def test_the_order_of_files_that_decides_nothing_leaves_the_hash(world: World, tmp_path: Path) -> None:
    one = write(tmp_path / "walkin_sg_calicut.csv", row(), row(Contact="12"))
    other = write(tmp_path / "walkin_sg_kannur.csv", row(Contact="9000000001"))
    hashes = set()
    for files in ((one, other), (other, one)):
        preview, _ = previewed(world, WALKIN, *files)
        with preview:
            hashes.add(preview.hash)
    assert len(hashes) == 1
    with pytest.raises(PreviewOutdatedError, match=r"would not do what preview .* showed"):
        world.import_files(WALKIN, one, only_if=hashes.copy().pop())
    assert counts(world.import_files(WALKIN, other, one, only_if=hashes.pop())) == (2, 0, 0, 0, 0, 1)


def test_what_a_telecaller_does_to_a_lead_that_stays_as_it_is_leaves_the_hash(
    world: World, tmp_path: Path
) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row())
    world.import_files(WALKIN, file)
    write(file, row(), row(Contact="9000000001"))
    preview, _ = previewed(world, WALKIN, file)
    with preview:
        world.app.edit(world.app.leads()[0]["_id"], callStatus="Connected", remarks="mine")
    assert counts(world.import_files(WALKIN, file, only_if=preview.hash)) == (1, 0, 1, 0, 0, 0)


def test_a_telecaller_who_is_faster_is_counted_as_it_went(world: World, tmp_path: Path) -> None:
    """Decided before, applied after: a guarded write loses, and the row is told as what became of it."""
    file = write(tmp_path / "walkin_sg_calicut.csv", row())
    world.import_files(WALKIN, file)
    lead_id = world.app.leads()[0]["_id"]
    write(file, row(Staff="Other"))
    storages: list[InterleavedDatabase] = []

    def wrap(storage: Any) -> Any:
        storages.append(
            InterleavedDatabase(storage, "update_leads", lambda: world.app.edit(lead_id, attendedBy="Mine"))
        )
        return storages[0]

    with Preview() as preview:
        result = world.import_files(WALKIN, file, wrap=wrap, preview=preview)
        (decision,) = preview
    assert (decision.action, decision.reason) == (RowAction.KEEP, Reason.EDITED_MEANWHILE)
    assert counts(result) == (0, 0, 1, 0, 0, 0)


def test_an_unreadable_file_has_no_rows_and_the_others_have(world: World, tmp_path: Path) -> None:
    good = write(tmp_path / "walkin_sg_calicut.csv", row())
    bad = tmp_path / "walkin_sg_kannur.csv"
    bad.write_bytes(good.read_bytes().replace(b"Contact", b"Nothing"))
    nowhere = write(tmp_path / "walkin_december.csv", row(Contact="12"), row())
    shown = decisions(world, WALKIN, bad, nowhere, good)
    assert [(each.file, each.action) for each in shown] == [(good.name, RowAction.CREATE)]
