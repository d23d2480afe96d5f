"""Retries the rejects list: rows that are valid by now are saved on the normal path and leave the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from syncctl.domain.dialects import Dialect
from syncctl.domain.records import Reject
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.errors import InvalidRowError
from syncctl.locations import ALL_LOCATIONS, Locations
from syncctl.mapping.file_rows import file_record, usable_cells
from syncctl.parsing.values import text
from syncctl.services.imports.file_intake import FileIntake
from syncctl.services.imports.file_stores import FileStores
from syncctl.services.imports.staging import StagedRow
from syncctl.services.imports.tally import FileTally
from syncctl.services.rejects.file_rejects import CellsOf
from syncctl.services.rejects.raw_rows import raw_row
from syncctl.services.rejects.reject_list import sheet_and_row
from syncctl.services.run import Run
from syncctl.services.sync.answer_intake import AnswerIntake
from syncctl.services.sync.store_list import add_stores, store_of_row
from syncctl.services.windows.answer_classifier import AnswerClassifier, known_shop_names

SOURCES = frozenset(step.value for step in StepName)
"""The sources of listed rows; anything else belongs to another program or is damaged, and stays."""


def retry_rejects(run: Run, rejects: Iterable[Reject], locations: Locations, cells_of: CellsOf) -> Counts:
    """Map each row again, and store those that now make a lead. Gives what became of them: `rows` were tried,
    `invalid` of them are still on the list.

    Raises:
        StorageError: the database refused; a row leaves the list only after it was stored.
        StopRequestedError: between two batches.
    """
    by_source: dict[tuple[str, str], list[Reject]] = defaultdict(list)
    for reject in rejects:
        by_source[reject.source, reject.location].append(reject)
    retry = _Retry(run, locations, cells_of)
    counts = Counts()
    try:
        for (source, location), listed in run.stop.between(by_source.items()):
            if source in SOURCES:
                counts += retry.source(StepName(source), location, listed)
            else:
                counts += Counts(rows=len(listed), invalid=len(listed))
    finally:
        run.report_newly_rejected()
    return counts


class _Retry:
    def __init__(self, run: Run, locations: Locations, cells_of: CellsOf) -> None:
        self._run = run
        self._locations = locations
        self._cells_of = cells_of
        self._store_names = run.storage.store_list()
        self._dialects = run.storage.dialects()
        self._file_stores = FileStores(locations, [store.name for store in run.storage.stores()])

    def source(self, source: StepName, location: str, rejects: Sequence[Reject]) -> Counts:
        """Retry one location's or file's rejects."""
        rows = [(reject, row) for reject in rejects if isinstance(row := raw_row(reject), Mapping)]
        if source is StepName.STORES:
            valid, counts = self._stores(rows)
        elif source in FILE_STEPS:
            valid, counts = self._file(source, location, rows)
        else:
            valid, counts = self._report(source, location, rows)
        self._run.storage.clear_rejects([reject.reject_id for reject in valid])
        return counts + Counts(rows=len(rejects) - len(valid), invalid=len(rejects) - len(valid))

    def _stores(self, rows: Sequence[tuple[Reject, Mapping[str, Any]]]) -> tuple[list[Reject], Counts]:
        valid, stores = [], []
        for reject, row in rows:
            try:
                stores.append(store_of_row(row, self._locations))
            except InvalidRowError:
                continue
            valid.append(reject)
        saved = add_stores(self._run, self._locations, stores)
        return valid, Counts(rows=len(valid), saved=saved, existing=len(valid) - saved)

    def _report(
        self, report: StepName, location: str, rows: Sequence[tuple[Reject, Mapping[str, Any]]]
    ) -> tuple[list[Reject], Counts]:
        dialect = self._dialects.get(report, Dialect(report))
        shops = known_shop_names(self._store_names, self._locations, self._dialects)
        stores = AnswerClassifier(shops, dialect, self._run.clock.business_zone)
        store_from_row = dialect.store_from_row or location == ALL_LOCATIONS
        invalid = stores.classify(location, [row for _, row in rows], store_from_row=store_from_row).invalid
        still_invalid = {id(row) for row, _ in invalid}
        valid = [(reject, row) for reject, row in rows if id(row) not in still_invalid]
        answer = stores.classify(location, [row for _, row in valid], store_from_row=store_from_row)
        stored_answer = AnswerIntake(self._run, self._locations).ingest(answer)
        for warning in stored_answer.warnings:
            self._run.listener.warning(f"{report}, location {location}: {warning}")
        refused = {id(row) for row in (*stored_answer.refused, *stored_answer.held_back)}
        return [reject for reject, row in valid if id(row) not in refused], _without_invalid(
            stored_answer.counts
        )

    def _file(
        self, kind: StepName, name: str, rows: Sequence[tuple[Reject, Mapping[str, Any]]]
    ) -> tuple[list[Reject], Counts]:
        tally, zone = FileTally(Path(name), name), self._run.clock.business_zone
        valid: list[tuple[Reject, str]] = []
        staged: dict[str, StagedRow] = {}
        placed = [(sheet_and_row(reject), reject, row) for reject, row in rows]
        for (sheet, number), reject, row in sorted(placed, key=lambda entry: (entry[0][0], entry[0][1] or 0)):
            cells = usable_cells(self._cells_of(kind, row))
            try:
                record = file_record(kind, cells, self._store_of(reject, sheet, cells), zone)
            except InvalidRowError:
                continue
            valid.append((reject, record.record.lead_id))
            staged[record.record.lead_id] = StagedRow(record, 0, sheet, number or 0)
        intake = FileIntake(self._run, kind, self._locations)
        refused = intake.ingest(list(staged.values()), [tally], only_new=True)
        refused |= intake.ingest_undecided([tally], only_new=True)
        stored = [reject for reject, lead_id in valid if lead_id not in refused]
        counts = _without_invalid(tally.result().counts)
        return stored, replace(counts, rows=len(stored), merged=len(stored) - counts.rows)

    def _store_of(self, reject: Reject, sheet: str, cells: Mapping[str, object]) -> str | None:
        stores = self._file_stores
        return (
            reject.store
            or stores.of_file(reject.location)
            or stores.named(sheet)
            or stores.named(text(cells.get("store")))
        )


def _without_invalid(counts: Counts) -> Counts:
    """The counts of stored or existing rows only; the rest are counted as still on the list."""
    return replace(counts, rows=counts.rows - counts.invalid, invalid=0)
