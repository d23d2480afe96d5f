"""Jobs long enough to be interrupted by a signal, run as separate processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from syncctl.domain.sources import StepName
from tests.chaos.jobs import (
    JOBS,
    Job,
    Workspace,
    bring_some_back,
    phone,
    rejected_till_now,
    telecallers_at_work,
)
from tests.chaos.states import App
from tests.support.store_files import row, write
from tests.support.webapp import SqliteApp, old_lead


@dataclass(frozen=True)
class Size:
    bookings: int
    """Of each sandbox location."""

    latency_s: float
    """Of each answer; a sync asks all known locations."""

    rows: int
    """Of each file."""

    copies: int
    """Additional copies of each duplicated lead."""


SMALL = Size(bookings=30, latency_s=0.01, rows=300, copies=1)
LARGE = Size(bookings=100, latency_s=0.03, rows=1_000, copies=3)


def long_jobs(size: Size) -> tuple[Job, ...]:
    """The jobs of JOBS, in their order."""
    otherwise: dict[str, Callable[[Size, Workspace], None]] = {
        "an import": _sent_again,
        "a retry of rejects": _many_rejected,
        "a cleanup of finished leads": _many_brought_back,
        "a cleanup of duplicates": _all_doubled,
        "a cleanup of stores": _all_misspelt,
    }
    return tuple(
        replace(job, prepare=partial(otherwise[job.name], size)) if job.name in otherwise else job
        for job in JOBS
    )


def _sent_again(size: Size, workspace: Workspace) -> None:
    """Two files, imported and then sent again: rows changed, added, left out and invalid."""
    for number, file in enumerate(("walkin_sg_calicut.csv", "walkin_z_edappally.csv")):
        path = workspace.folder / file
        write(path, *(row(Contact=phone(10_000 * number + n), Remarks="old") for n in range(size.rows)))
        workspace.world.import_files(StepName.WALKIN, path)
        news = (
            row(Contact=phone(10_000 * number + n), Remarks=("old", "new")[n % 2])
            for n in range(size.rows // 10, size.rows * 4 // 3)
        )
        write(path, *news, row(Contact="12"), row(Date="31-02-2025"))
    telecallers_at_work(workspace)


def _many_rejected(size: Size, workspace: Workspace) -> None:
    """A rejects list of which nearly all has become valid."""
    rejected_till_now(workspace, 2 * size.rows)


def _all_doubled(size: Size, workspace: Workspace) -> None:
    workspace.world.run()
    app = workspace.world.app
    with _together(app):
        for lead in app.leads():
            for _ in range(size.copies):
                app.insert(old_lead(lead))
    telecallers_at_work(workspace)


def _many_brought_back(size: Size, workspace: Workspace) -> None:
    workspace.world.run()
    app = workspace.world.app
    count = len(app.leads())
    with _together(app):
        bring_some_back(workspace, finished=count * 2 // 3, deleted=count // 6)
    telecallers_at_work(workspace)


def _all_misspelt(size: Size, workspace: Workspace) -> None:
    workspace.world.run()
    app = workspace.world.app
    with _together(app):
        for lead in app.leads():
            app.edit(lead["_id"], store=lead["store"].upper())


@contextmanager
def _together(app: App) -> Iterator[None]:
    """Many SQLite changes in one transaction, as each single one waits for the disk."""
    if not isinstance(app, SqliteApp):
        yield
        return
    app._database.execute("BEGIN")
    yield
    app._database.execute("COMMIT")
