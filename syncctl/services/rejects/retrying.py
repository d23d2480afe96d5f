"""Retries the rejects list: rows that are valid by now are saved on the normal path and leave the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from syncctl.domain.dialects import Dialect
from syncctl.domain.records import Reject, RejectAnswer
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.errors import InvalidRowError
from syncctl.locations import ALL_LOCATIONS, Locations
from syncctl.mapping.file_rows import file_record, usable_cells
from syncctl.parsing.values import text
from syncctl.services.imports.file_intake import FileIntake
from syncctl.services.imports.file_stores import FileStores
from syncctl.services.imports.noting import noting_changes
from syncctl.services.imports.staging import StagedRow
from syncctl.services.imports.tally import FileTally
from syncctl.services.rejects.file_rejects import CellsOf
from syncctl.services.rejects.list_updates import is_as_it_came
from syncctl.services.rejects.raw_rows import raw_row
from syncctl.services.rejects.reject_list import sheet_and_row
from syncctl.services.run import Run
from syncctl.services.sync.answer_intake import AnswerIntake
from syncctl.services.sync.store_list import add_stores, store_of_row
from syncctl.services.windows.answer_classifier import AnswerClassifier, known_shop_names

SOURCES = frozenset(step.value for step in StepName)
"""The sources of listed rows; anything else belongs to another program or is damaged, and stays."""

NOT_A_ROW = "the row can't be read: it is too long, or has no fields"
HELD_BACK = (
    "the booking is known under another phone number: only the source can say whether it was corrected"
)
REFUSED = "the database's own rules refuse the lead"
UNKNOWN_SOURCE = "this version doesn't know its source"

Rows = Sequence[tuple[Reject, Mapping[str, Any]]]
"""Rejects with their raw rows."""


@dataclass(slots=True)
class Attempt:
    """What became of some rejects that were tried again."""

    counts: Counts = field(default_factory=Counts)
    """`invalid`: how many are still no lead."""

    left: dict[str, str] = field(default_factory=dict)
    """The ids of these, and why."""


class RejectsRetry:
    """A stage of a run: maps each of the rejects again, and stores those that now make a lead. `counts` grows
    with each file or location: `rows` were tried, `invalid` of them are still on the list."""

    def __init__(self, rejects: Iterable[Reject], locations: Locations, cells_of: CellsOf) -> None:
        self._rejects = rejects
        self._locations = locations
        self._cells_of = cells_of
        self.counts = Counts()

    @noting_changes
    def __call__(self, run: Run) -> None:
        """Try them.

        Raises:
            StorageError: the database refused; a row leaves the list only after it was stored.
            StopRequestedError: between two batches.
        """
        retry = Retry(run, self._locations, self._cells_of)
        run.corrected_lines = self._outcomes()
        for listed in run.stop.between(by_source(self._rejects)):
            attempt = retry.attempt(listed)
            stored = [reject for reject in listed if reject.reject_id not in attempt.left]
            # What a person has corrected in part may come again from the source, as it was.
            corrected = [reject for reject in stored if not is_as_it_came(reject)]
            if corrected:
                run.storage.close_rejects(corrected, RejectAnswer.CORRECTED, run.started_at)
            if as_it_came := [each.reject_id for each in stored if is_as_it_came(each)]:
                run.storage.clear_rejects(as_it_came)
            self.counts += attempt.counts
            run.corrected_lines = self._outcomes()

    def _outcomes(self) -> dict[str, int]:
        """The counts as those of a corrected sheet (`LineOutcome`)."""
        return {"fixed": self.counts.rows - self.counts.invalid, "still_invalid": self.counts.invalid}


def by_source(rejects: Iterable[Reject]) -> list[list[Reject]]:
    """Rejects by location or file."""
    groups: dict[tuple[str, str], list[Reject]] = defaultdict(list)
    for reject in rejects:
        groups[reject.source, reject.location].append(reject)
    return list(groups.values())


class Retry:
    """Tries rejects again: stores what is valid, and leaves the rejects list as it is. `only_new`: leaves
    leads alone that are known, as a later row of the file may have changed them."""

    def __init__(self, run: Run, locations: Locations, cells_of: CellsOf, *, only_new: bool = True) -> None:
        self._run = run
        self._locations = locations
        self._cells_of = cells_of
        self._only_new = only_new
        self._store_names = run.storage.store_list()
        self._dialects = run.storage.dialects()
        self.file_stores = FileStores(locations, [store.name for store in run.storage.stores()])

    def attempt(self, rejects: Sequence[Reject]) -> Attempt:
        """Try one location's or file's rejects."""
        source, location = rejects[0].source, rejects[0].location
        attempt = Attempt()
        if source not in SOURCES:
            attempt.left = dict.fromkeys((reject.reject_id for reject in rejects), UNKNOWN_SOURCE)
        else:
            rows = [(reject, row) for reject in rejects if isinstance(row := raw_row(reject), Mapping)]
            readable = {reject.reject_id for reject, _ in rows}
            attempt.left = {each.reject_id: NOT_A_ROW for each in rejects if each.reject_id not in readable}
            step = StepName(source)
            if step is StepName.STORES:
                self._stores(rows, attempt)
            elif step in FILE_STEPS:
                self._file(step, location, rows, attempt)
            else:
                self._report(step, location, rows, attempt)
        attempt.counts += Counts(rows=len(attempt.left), invalid=len(attempt.left))
        return attempt

    def _stores(self, rows: Rows, attempt: Attempt) -> None:
        stores = []
        for reject, row in rows:
            try:
                stores.append(store_of_row(row, self._locations))
            except InvalidRowError as reason:
                attempt.left[reject.reject_id] = str(reason)
        saved = add_stores(self._run, self._locations, stores)
        attempt.counts += Counts(rows=len(stores), saved=saved, existing=len(stores) - saved)

    def _report(self, report: StepName, location: str, rows: Rows, attempt: Attempt) -> None:
        dialect = self._dialects.get(report, Dialect(report))
        shops = known_shop_names(self._store_names, self._locations, self._dialects)
        stores = AnswerClassifier(shops, dialect, self._run.clock.business_zone)
        store_from_row = dialect.store_from_row or location == ALL_LOCATIONS
        invalid = stores.classify(location, [row for _, row in rows], store_from_row=store_from_row).invalid
        reasons = {id(row): reason for row, reason in invalid}
        valid = [row for _, row in rows if id(row) not in reasons]
        answer = stores.classify(location, valid, store_from_row=store_from_row)
        taken = AnswerIntake(self._run, self._locations).ingest(answer, updates_list=False)
        for warning in taken.warnings:
            self._run.listener.warning(f"{report}, location {location}: {warning}")
        reasons |= {id(row): reason for row, reason in answer.invalid}
        reasons |= {id(row): HELD_BACK for row in taken.held_back}
        attempt.left |= {reject.reject_id: reasons[id(row)] for reject, row in rows if id(row) in reasons}
        held_back = len(taken.held_back)
        attempt.counts += _without_invalid(taken.counts) + Counts(rows=-held_back, existing=-held_back)

    def _file(self, kind: StepName, name: str, rows: Rows, attempt: Attempt) -> None:
        tally, zone = FileTally(Path(name), name), self._run.clock.business_zone
        valid: list[tuple[Reject, str]] = []
        staged: dict[str, StagedRow] = {}
        placed = [(sheet_and_row(reject), reject, row) for reject, row in rows]
        for (sheet, number), reject, row in sorted(placed, key=lambda entry: (entry[0][0], entry[0][1] or 0)):
            cells = usable_cells(self._cells_of(kind, row))
            try:
                record = file_record(kind, cells, self._store_of(reject, sheet, cells), zone)
            except InvalidRowError as reason:
                attempt.left[reject.reject_id] = str(reason)
                continue
            valid.append((reject, record.record.lead_id))
            staged[record.record.lead_id] = StagedRow(record, 0, sheet, number or 0)
        intake = FileIntake(self._run, kind, self._locations)
        refused = intake.ingest(list(staged.values()), [tally], only_new=self._only_new)
        refused |= intake.ingest_undecided([tally], only_new=self._only_new)
        attempt.left |= {reject.reject_id: REFUSED for reject, lead_id in valid if lead_id in refused}
        counts = _without_invalid(tally.result().counts)
        for conflict in tally.conflicts:
            self._run.listener.warning(f"{name}, {conflict}")
        stored = sum(lead_id not in refused for _, lead_id in valid)
        attempt.counts += replace(counts, rows=stored, merged=stored - counts.rows)

    def _store_of(self, reject: Reject, sheet: str, cells: Mapping[str, object]) -> str | None:
        stores = self.file_stores
        return (
            reject.store
            or stores.of_file(reject.location)
            or stores.named(sheet)
            or stores.named(text(cells.get("store")))
        )


def _without_invalid(counts: Counts) -> Counts:
    """The counts of stored or existing rows only; the rest are counted as still on the list."""
    return replace(counts, rows=counts.rows - counts.invalid, invalid=0)
