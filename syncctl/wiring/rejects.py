"""Connects the rejects list to the database and to the files that it is written to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from syncctl.errors import UsageError
from syncctl.run_lock import RunLock
from syncctl.wiring.adapters import cells_of, locations_of, opened_database

if TYPE_CHECKING:
    from syncctl.domain.records import Reject
    from syncctl.ports.storage import Storage
    from syncctl.services.rejects.reject_list import RejectFilter
    from syncctl.settings.settings import Settings

WORKBOOK = ".xlsx"
OTHER_WORKBOOKS = (".xls", ".xlsm", ".xlsb", ".ods")


def wanted_rejects(settings: Settings, storage: Storage, wanted: RejectFilter) -> list[Reject]:
    """The rejects that are asked for, newest first. Raises UsageError if the store is unknown."""

    from syncctl.services.imports.file_stores import FileStores
    from syncctl.services.rejects.reject_list import find_rejects

    if wanted.store is not None:
        stores = FileStores(locations_of(settings), [store.name for store in storage.stores()])
        wanted = wanted._replace(store=stores.requested_store(wanted.store))
    return find_rejects(storage, wanted)


def listed_rejects(settings: Settings, wanted: RejectFilter) -> list[Reject]:
    """The same, of the configured database."""
    with opened_database(settings) as storage:
        return wanted_rejects(settings, storage, wanted)


def is_any_listed(settings: Settings, wanted: RejectFilter, wait_s: float | None) -> bool:
    """Whether there is anything to retry: with nothing, no run begins and no database is made. A run under
    way may add some, so it is waited for. `wait_s`: how long, None: not at all. Raises LockHeldError."""
    found = listed_rejects(settings, wanted)
    if found or wait_s is None:
        return bool(found)
    with RunLock(settings.lock_file).hold(wait_s):
        return bool(listed_rejects(settings, wanted))


def export_rejects(settings: Settings, wanted: RejectFilter, file: Path, *, overwrite: bool) -> int:
    """Write rejects with their raw values, for correction: .xlsx as a workbook, else as CSV. The file is
    readable only by this user, and written completely or not at all; no rejects, no file. Gives how many.

    Raises:
        UsageError: the file exists, is one of our own or can't be written; or XlsxWriter is missing.
        StorageUnavailableError: the database can't be reached.
    """
    from syncctl.files.sheet_writing import check_workbooks_can_be_written
    from syncctl.filesystem.private_files import check_target, private_file

    suffix = file.suffix.casefold()
    if suffix in OTHER_WORKBOOKS:
        raise UsageError(f"{file} can't be written as {suffix}: name it .xlsx or .csv.")
    if suffix == WORKBOOK:
        check_workbooks_can_be_written()
    with suppress(FileExistsError):  # only where there is something to write
        check_target(file, overwrite=overwrite, own=settings.own_files)
    found = listed_rejects(settings, wanted)
    if not found:
        return 0
    with private_file(file, overwrite=overwrite, own=settings.own_files) as out:
        _write(settings, found, out, as_workbook=suffix == WORKBOOK)
    return len(found)


def write_rejects(settings: Settings, wanted: RejectFilter, out: BinaryIO) -> int:
    """The same as CSV, to a stream."""
    found = listed_rejects(settings, wanted)
    _write(settings, found, out, as_workbook=False)
    return len(found)


def _write(settings: Settings, rejects: Sequence[Reject], out: BinaryIO, *, as_workbook: bool) -> None:
    from syncctl.files.limits import MOST_COLUMNS
    from syncctl.files.sheet_writing import write_csv, write_workbook
    from syncctl.services.rejects.reject_sheets import lines_of, sheet_of_all, sheets_of

    lines = lines_of(rejects)
    cells = cells_of(settings)
    sheets = sheets_of(lines, cells) if as_workbook else [sheet_of_all(lines, cells)]
    if any(len(sheet.titles) > MOST_COLUMNS for sheet in sheets):
        raise UsageError(
            f"The rejects have more than {MOST_COLUMNS} columns together: export them by --kind, --file or "
            "--store."
        )
    if as_workbook:
        write_workbook(sheets, out)
    else:
        write_csv(sheets[0].titles, sheets[0].rows, out)


def rejects_to_dismiss(settings: Settings, ids: Sequence[str]) -> list[Reject]:
    """The rejects with these ids or beginnings of ids. Raises UsageError if that is not clear of one."""
    from syncctl.services.rejects.dismissing import rejects_by_id

    with opened_database(settings) as storage:
        return rejects_by_id(storage, ids)


def dismiss_rejects(settings: Settings, rejects: Sequence[Reject]) -> None:
    """Take rejects off the list for good. Beside a run, too: what it does to the same rejects changes nothing
    in what is kept of them."""
    from syncctl.services.rejects.dismissing import dismiss

    with opened_database(settings, for_reading_only=False) as storage:
        dismiss(storage, rejects, datetime.now(UTC))
