"""`verify data`: whether the leads are as the web app and the sync expect, one finding per check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC
from itertools import pairwise

from syncctl.domain.checks import CheckReport, Finding, Tally
from syncctl.domain.lead_values import Document
from syncctl.domain.row_decisions import shown_value
from syncctl.domain.sources import LEAD_TYPE_NAMES, LEAD_TYPE_PLURALS
from syncctl.domain.stores import Store
from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.safe_output.redact import mask_phone
from syncctl.services.checks.finished_leads import FinishedLeads
from syncctl.services.checks.lead_tallies import FIELDS, LeadProblem, LeadTallies, check_duplicates
from syncctl.services.cleanup.duplicate_search import DuplicateSearch
from syncctl.services.cleanup.duplicates import CachedStores, DuplicateSets, OnCounted, keep_no_count
from syncctl.services.matching.legacy_leads import text_of
from syncctl.services.run import Clock
from syncctl.text import quantity

COMMAND = "verify data"
MAX_LINES = 40
"""Lines of a tally; anything further is summed up in the last one."""

MAX_MONTHS = 24
_LOOK_UPS = ("reports", "leads", "stores", "duplicates")
"""What is looked up, in this order; duplicates only where there are leads."""


def check_data(
    database: Database, locations: Locations, clock: Clock, on_counted: OnCounted = keep_no_count
) -> CheckReport:
    """All checks, in one pass over the reports and one over the leads. Raises StorageError.

    ✗ is a violation of the contract or of one of the sync's promises; ! is what a person should look at.
    """
    times = [clock.monotonic()]
    finished = FinishedLeads.from_reports(database.scan_reports(), database, CachedStores(locations))
    times.append(clock.monotonic())
    wall_clock = clock.now().astimezone(clock.business_zone).replace(tzinfo=UTC)
    leads = LeadTallies(DuplicateSearch(locations, database), finished, wall_clock)
    for lead in database.scan_leads(FIELDS):
        leads.add(lead)
    times.append(clock.monotonic())
    stores = database.stores()
    times.append(clock.monotonic())
    names = StoreSpellings(leads.by_store, stores, locations)
    checks = [_amount(leads.count, finished.reports), _stores(stores, locations)]
    if leads.count:
        duplicates = leads.duplicates()
        times.append(clock.monotonic())
        on_counted(duplicates)
        checks += _of_leads(leads, names, duplicates)
    took = dict(zip(_LOOK_UPS, (end - start for start, end in pairwise(times)), strict=False))
    return CheckReport(COMMAND, tuple(checks), tuple(_tallies(leads, names)), took)


def _of_leads(leads: LeadTallies, names: StoreSpellings, duplicates: DuplicateSets) -> list[Finding]:
    return [
        _required(leads.missing),
        _phones(leads.bad_phones),
        *_store_names(names),
        _dates(leads),
        *_finished(leads),
        check_duplicates(duplicates),
        *(Finding.passed("Newest lead", _sample(lead)) for lead in leads.newest()),
    ]


class StoreSpellings:
    """The leads' store names compared with the canonical ones. `misspelt`: "written -> canonical",
    `unknown`: the name; each with the number of leads."""

    def __init__(self, by_store: Mapping[str, int], stores: list[Store], locations: Locations) -> None:
        known = set(locations.store_names)
        known.update(name for store in stores if (name := locations.canonical(store.name)))
        self.misspelt: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        for written, count in by_store.items():
            canonical = locations.canonical(written)
            if canonical is None or canonical not in known:
                self.unknown[written] += count
            elif canonical != written:
                self.misspelt[f"{written} -> {canonical}"] += count


def _amount(leads: int, reports: int) -> Finding:
    if not leads and not reports:
        return Finding.warning("Leads", "none yet", "`syncctl api` syncs for the first time.")
    return Finding.passed("Leads", f"{leads:,}, and {reports:,} finished (in reports)")


def _stores(stores: list[Store], locations: Locations) -> Finding:
    known = locations.store_names
    if not stores:
        return Finding.warning(
            "Stores", f"none stored; locations.toml has {len(known)}", "`syncctl stores` fetches them."
        )
    active = sum(store.is_active for store in stores)
    missing = known - {locations.canonical(store.name) for store in stores}
    found = f"{len(stores)}, {active} of them active; locations.toml has {len(known)}"
    if missing:
        found += f", of which {len(missing)} are not stored"
    return Finding.passed("Stores", found)


def _required(missing: Mapping[str, LeadProblem]) -> Finding:
    name = "Required fields"
    if not any(problem.count for problem in missing.values()):
        return Finding.passed(name, "every lead has a name, a phone and a store")
    shown = [
        f"{quantity(problem.count, 'lead')} without {field}"
        for field, problem in missing.items()
        if problem.count
    ]
    examples = next(problem for problem in missing.values() if problem.count)
    return Finding.failed(name, f"{', '.join(shown)} {_examples(examples)}", "Add them in the database.")


def _phones(bad: LeadProblem) -> Finding:
    name = "Phone numbers"
    if not bad.count:
        return Finding.passed(name, "each has 10 digits")
    return Finding.failed(
        name,
        f"{bad.count:,} without 10 digits {_examples(bad)}",
        "Correct them in the database: 10 digits, nothing else.",
    )


def _store_names(names: StoreSpellings) -> Iterator[Finding]:
    name = "Store names"
    if names.misspelt:
        yield Finding.warning(
            name,
            f"{_leads_of(names.misspelt)} with {quantity(len(names.misspelt), 'misspelt name')} (see below)",
            "`syncctl cleanup stores` shows what it would rename.",
        )
    if names.unknown:
        yield Finding.warning(
            name,
            f"{_leads_of(names.unknown)} of {quantity(len(names.unknown), 'unknown store')} (see below)",
            "Leads under Default Store: import their files again, which sets the store. A new shop is known "
            "after `syncctl stores`. Correct the rest in the database.",
        )
    if not names.misspelt and not names.unknown:
        yield Finding.passed(name, "all canonical")


def _leads_of(counts: Counter[str]) -> str:
    return quantity(counts.total(), "lead")


def _dates(leads: LeadTallies) -> Finding:
    name = "Dates"
    shown = [
        f"{quantity(problem.count, 'lead')} {what} {_examples(problem)}"
        for problem, what in (
            (leads.in_future, "with createdAt in the future"),
            (leads.undated, "without a date in createdAt"),
        )
        if problem.count
    ]
    if not shown:
        return Finding.passed(
            name, "every createdAt is there, and none is in the future by the business's clock"
        )
    return Finding.warning(
        name, "; ".join(shown), "Correct the date where the record was made: rental system, file or web app."
    )


def _finished(leads: LeadTallies) -> Iterator[Finding]:
    name = "Finished leads"
    if leads.in_reports.count:
        yield Finding.failed(
            name,
            f"{leads.in_reports.count:,} both in leads and in reports {_examples(leads.in_reports)}",
            "`syncctl cleanup finished` shows each beside its report, and which it would delete; finish the "
            "rest in the web app.",
        )
    perhaps = leads.perhaps_in_reports()
    if perhaps.count:
        yield Finding.warning(
            name,
            f"{perhaps.count:,} may be finished: a report fits them in part {_examples(perhaps)}",
            "The report may be another lead's: `syncctl cleanup finished` shows them side by side, and which "
            "it would delete.",
        )
    if not leads.in_reports.count and not perhaps.count:
        yield Finding.passed(name, "none of them is still in leads")


def _examples(problem: LeadProblem) -> str:
    dots = ", …" if problem.count > len(problem.lead_ids) else ""
    return f"(_id {', '.join(problem.lead_ids)}{dots})"


def _sample(lead: Document) -> str:
    booking = f"booking {number}" if (number := text_of(lead, "bookingNo")) else "no booking number"
    lead_type = text_of(lead, "leadType")
    texts = (
        LEAD_TYPE_NAMES.get(lead_type, lead_type),
        text_of(lead, "name"),
        mask_phone(text_of(lead, "phone")),
    )
    return ", ".join((shown_value(lead["createdAt"]) or "", *texts, text_of(lead, "store"), booking))


def _tallies(leads: LeadTallies, names: StoreSpellings) -> Iterator[Tally]:
    months = sorted(leads.by_month.items(), reverse=True)
    recent = {f"{month // 100:04}-{month % 100:02}": count for month, count in months[:MAX_MONTHS]}
    if earlier := sum(count for _, count in months[MAX_MONTHS:]):
        recent["earlier"] = earlier
    for tally in (
        Tally("Leads by type", _largest(leads.by_type), LEAD_TYPE_PLURALS),
        Tally("Leads by source", _largest(leads.by_source)),
        Tally("Leads by store", _largest(leads.by_store)),
        Tally("Leads by month", recent),
        Tally("Leads with a misspelt store", _largest(names.misspelt)),
        Tally("Leads of an unknown store", _largest(names.unknown)),
    ):
        if tally.counts:
            yield tally


def _largest(counts: Counter[str]) -> dict[str, int]:
    shown = dict(counts.most_common(MAX_LINES))
    if rest := counts.total() - sum(shown.values()):
        shown[quantity(len(counts) - len(shown), "other")] = rest
    return shown
