"""Connects `doctor --evidence` to the API, the database and the machine."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from syncctl import __version__
from syncctl.api.client import RecordingRentalApi
from syncctl.domain.requests import ReportRequest
from syncctl.domain.sources import REPORT_STEPS
from syncctl.errors import LockHeldError, StorageError
from syncctl.ports.api import WireFacts
from syncctl.ports.stop import Stop
from syncctl.run_lock import RunLock
from syncctl.services.checks.environment_checks import LOCK_MARGIN
from syncctl.services.doctor.evidence.calls import EvidenceContext, ask_the_api
from syncctl.services.doctor.evidence.document import Installation, evidence_document
from syncctl.services.doctor.evidence.scrubbing import Scrubber
from syncctl.settings import urls
from syncctl.storage.common.dialect_documents import dialect_document
from syncctl.storage.registry import BACKENDS
from syncctl.wiring.adapters import api_config, locations_of, opened_database

if TYPE_CHECKING:
    from syncctl.domain.checkpoints import LocationState
    from syncctl.domain.dialects import Dialect
    from syncctl.domain.sources import StepName
    from syncctl.settings.settings import Settings

PACKAGES = ("requests", "urllib3")


class Evidence(NamedTuple):
    document: Mapping[str, Any]
    """The evidence as JSON-like data."""

    is_answered: bool
    """Whether any report answered; otherwise the document only says why not."""


class _DatabaseFacts(NamedTuple):
    """What the database knows; empty if it can't be used."""

    facts: Mapping[str, str]
    dialects: Mapping[StepName, Dialect] | None
    states: Mapping[StepName, Mapping[str, LocationState]]


def gather_evidence(
    settings: Settings,
    redact: Callable[[str], str],
    on_wait: Callable[[], None],
    asks: Callable[[int], None],
    stop: Stop,
) -> Evidence:
    """Ask the API, one call after the other, while no run is at work, so that the two together don't burden
    it. Nothing is written to the database. `on_wait` is called where a run must be waited for, `asks` before
    each call with its number.

    Raises:
        LockHeldError: a run did not end within the time that it has.
        StopRequestedError: `stop` was requested.
    """
    lock = RunLock(settings.lock_file, sleep=stop.wait)
    try:
        lock.acquire()
    except LockHeldError:
        on_wait()
        _wait(lock, settings)
    try:
        return _gathered(settings, redact, asks, stop)
    finally:
        lock.release()


def _wait(lock: RunLock, settings: Settings) -> None:
    try:
        lock.acquire(settings.api_run_deadline_s + LOCK_MARGIN.total_seconds())
    except LockHeldError:
        raise LockHeldError(
            f"{settings.lock_file} was held for longer than a run may take, and the API is not asked during "
            "a run: `syncctl verify sync` says who holds it. Try again when it is free."
        ) from None


def _gathered(
    settings: Settings, redact: Callable[[str], str], asks: Callable[[int], None], stop: Stop
) -> Evidence:
    hosts = [urlsplit(endpoint.url).netloc for endpoint in settings.endpoints.values()]
    known, scrubber = _database_facts(settings), Scrubber(redact, hosts)
    wire: dict[ReportRequest, WireFacts] = {}
    config = api_config(settings)._replace(concurrency=1, max_tries=1)
    api = RecordingRentalApi(config, wire.__setitem__, stop=stop)
    asking = EvidenceContext(
        api=api,
        wire=wire,
        locations=locations_of(settings),
        states=known.states,
        months=settings.first_months,
        zone=settings.business_timezone,
        started_at=datetime.now(UTC),
        deadline=time.monotonic() + settings.api_run_deadline_s,
        asks=asks,
    )
    try:
        findings = ask_the_api(asking, scrubber)
    finally:
        api.close()
    place = Installation(
        parts=_parts(),
        database=known.facts,
        settings=_settings(settings),
        stored=known.dialects,
        stored_documents={report: dialect_document(each) for report, each in (known.dialects or {}).items()},
    )
    return Evidence(
        evidence_document(findings, asking, place, scrubber),
        is_answered=any(call.rows and call.request.report in REPORT_STEPS for call in findings.calls),
    )


def _database_facts(settings: Settings) -> _DatabaseFacts:
    try:
        with opened_database(settings) as database:
            facts = database.facts()
            return _DatabaseFacts(
                {"kind": facts.kind, "version": facts.version, "topology": facts.topology},
                database.dialects(),
                {report: database.location_states(report) for report in REPORT_STEPS},
            )
    except StorageError:
        return _DatabaseFacts({"problem": "it can't be used: `syncctl doctor` says why"}, None, {})


def _parts() -> dict[str, str]:
    return {
        "syncctl": __version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **{name: version(name) for name in PACKAGES},
        **dict(backend.driver() for backend in BACKENDS),
    }


def _settings(settings: Settings) -> dict[str, str]:
    return {
        **{
            step.source.plural if step.source else "store list": urls.masked_url(endpoint.url)
            for step, endpoint in settings.endpoints.items()
        },
        "everything": f"{settings.first_months} months",
        "looked at again": f"{settings.incremental_days} days",
        "audits": f"{settings.audit_locations} locations in each run",
        "calls": f"{settings.api_concurrency} at a time, {settings.api_call_delay_s:g} s between, "
        f"{settings.api_timeout_s:g} s each, {settings.api_run_deadline_s:g} s for a run",
    }
