"""Runs `verify source` and its repair as the program does, with helpers that lose and count leads."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from syncctl.api.client import HttpRentalApi
from syncctl.domain.sources import REPORT_STEPS as REPORTS
from syncctl.domain.steps import Trigger
from syncctl.locations import load_locations
from syncctl.ports.admin import Database
from syncctl.services.reconcile.completeness import ReconcileRequest, prepare_check
from syncctl.services.reconcile.results import Completeness, SourceCounts
from syncctl.services.run import Run, RunRequest
from syncctl.services.sync.planning import SyncOptions, WindowSettings
from syncctl.storage.registry import open_storage
from tests.support.webapp import Lead
from tests.support.world import KOLKATA, Recorder, World

COLLECTIONS = (
    "leads",
    "reports",
    "stores",
    "synclogs",
    "syncrecords",
    "syncrejects",
    "syncstate",
    "syncruns",
)


def question(options: dict[str, Any], deadline_s: float) -> ReconcileRequest:
    return ReconcileRequest(WindowSettings(12, KOLKATA), deadline_s, SyncOptions(**options))


def look(world: World, *, deadline_s: float = 60.0, **options: Any) -> Completeness:
    """Check without changing anything. Options are SyncOptions' fields."""
    with closing(HttpRentalApi(world.config)) as api:
        database = open_storage(world.url, for_reading_only=True)
        with closing(database):
            database.prepare()
            check = prepare_check(
                database, api, load_locations(), question(options, deadline_s), world._clock()
            )
            found = check.check_only()
    assert all(location.counts.balanced for location in found.locations)
    return found


def repair(
    world: World, *, wrap: Callable[[Database], Any] = lambda database: database, **options: Any
) -> Completeness:
    """Check, and sync what is missing."""
    world.recorder = Recorder()
    with closing(HttpRentalApi(world.config)) as api, closing(open_storage(world.url)) as database:
        database.prepare()
        port = wrap(database)
        check = prepare_check(port, api, load_locations(), question(options, 60.0), world._clock())
        run = Run(RunRequest("verify source", REPORTS, Trigger.MANUAL), port, world.recorder, world._clock())
        result = run.execute([check])
        assert all(step.counts.balanced for step in result.steps)
        return check.result(result)


def totals(found: Completeness) -> SourceCounts:
    return sum((location.counts for location in found.locations), SourceCounts())


def content(world: World) -> dict[str, Any]:
    return {name: world.app.all(name) for name in COLLECTIONS}


def numbered(world: World) -> list[Lead]:
    leads = [lead for lead in world.app.leads() if lead.get("bookingNo")]
    return sorted(leads, key=lambda lead: lead["_id"])


def lose_lead(world: World, lead: Lead) -> None:
    """Delete a lead and everything that the sync knows of it."""
    world.app.delete(lead["_id"])
    forget(world, lead["_id"])


def forget(world: World, lead_id: str) -> None:
    database: Any = world.app._database
    if world.url.startswith("sqlite"):
        database.execute("DELETE FROM syncrecords WHERE leadId = ?", (lead_id,))
    else:
        assert database.syncrecords.delete_one({"leadId": lead_id}).deleted_count == 1


def assert_nothing_found(found: Completeness) -> None:
    assert found.ok
    assert [location.error for location in found.locations if location.error] == []
    assert [location.missing for location in found.locations if location.missing] == []
    assert [location.differences for location in found.locations if location.differences] == []
    assert found.withdrawn == ()
    assert found.warnings == ()
