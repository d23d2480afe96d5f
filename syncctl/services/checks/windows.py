"""How much each report is asked for, and on what evidence; what only audits found; which locations'
answers are in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.checks import Finding
from syncctl.domain.dialects import Dialect, Mode, Trial, Verdict
from syncctl.domain.sources import PLURALS, REPORT_STEPS, StepName
from syncctl.services.checks.freshness import ago, span
from syncctl.services.checks.progress import Progress
from syncctl.services.checks.severity import Trouble
from syncctl.text import and_more, plural, quantity

AUDITS = "Audits"
AUDIT_PERIOD = timedelta(days=7)
"""The time for which the leads found only by audits are summed up."""

LOCATIONS_NAMED = 10

_FAILINGS = {
    Verdict.MISSING: "leave rows out",
    Verdict.IGNORED: "are ignored",
    Verdict.FAILED: "give no answer",
}


class Doubt(NamedTuple):
    """A location whose answers to one report are not trusted yet."""

    report: StepName
    location: str
    since: datetime


def doubts(progress: Mapping[StepName, Progress]) -> tuple[Doubt, ...]:
    """The locations whose last answers were too thin, or seemed to be cut at one length."""
    return tuple(
        Doubt(report, state.location, state.doubted_since)
        for report, of_report in progress.items()
        for state in of_report.active
        if state.doubted_since is not None
    )


def doubt_words(found: tuple[Doubt, ...], report: StepName, now: datetime) -> str:
    """Which locations of a report are in doubt, and since when; "" if none."""
    by_length: dict[str, list[str]] = {}
    for doubt in found:
        if doubt.report is report:
            by_length.setdefault(span(now - doubt.since), []).append(doubt.location)
    shown = [f"{_some(locations)} for {length}" for length, locations in by_length.items()]
    return f"too few rows, or answers cut off at one length, from {'; '.join(shown)}" if shown else ""


def _some(locations: list[str]) -> str:
    noun = plural(len(locations), "location")
    return f"{noun} " + ", ".join(locations[:LOCATIONS_NAMED]) + and_more(len(locations) - LOCATIONS_NAMED)


def check_windows(
    dialects: Mapping[StepName, Dialect],
    progress: Mapping[StepName, Progress],
    saved_by_audits: Mapping[str, int],
    audit_locations: int,
    now: datetime,
) -> Iterator[Finding]:
    """A finding for each report, one for the audits, and one for each report with locations in doubt.
    `saved_by_audits`: within AUDIT_PERIOD; `audit_locations`: the setting; `now` as for `window_words`."""
    for report in REPORT_STEPS:
        yield _window(dialects.get(report, Dialect(report)), now)
    yield _audits(progress, saved_by_audits, audit_locations, now)
    found = doubts(progress)
    for report in REPORT_STEPS:
        if words := doubt_words(found, report, now):
            first = next(doubt for doubt in found if doubt.report is report)
            yield Trouble.IN_DOUBT.found(
                f"In doubt: {PLURALS[report]}",
                f"{words}; the rows that came are stored, the watermarks stay as they were",
                "Each run asks again; after two days the answer is accepted. "
                f"`syncctl {report} --location {first.location} -v` shows what comes; ask the API's provider "
                "whether they limit their answers.",
            )


def audit_words(saved_by_audits: Mapping[str, int]) -> str:
    """What only audits found within AUDIT_PERIOD; "" if nothing."""
    if not (total := sum(saved_by_audits.values())):
        return ""
    by_report = ", ".join(f"{PLURALS[StepName(name)]} {number:,}" for name, number in saved_by_audits.items())
    return f"only audits found {quantity(total, 'lead')} in the last {AUDIT_PERIOD.days} days ({by_report})"


def _window(dialect: Dialect, now: datetime) -> Finding:
    name, words = f"Windows: {PLURALS[dialect.report]}", window_words(dialect, now)
    if dialect.lost_by is None:
        return Finding.passed(name, words)
    return Finding.warning(
        name,
        words,
        "Nothing is missing: that much is asked for again, and once a day it is measured whether less is "
        "enough. `syncctl doctor --evidence FILE` shows how the API answers.",
    )


def asked_for(dialect: Dialect) -> str:
    """How much a report is asked for in an ordinary run."""
    match dialect.mode:
        case Mode.DATES:
            return "by dates"
        case Mode.MONTHS:
            return "the last month" if dialect.months == 1 else f"the last {dialect.months} months"
        case Mode.WHOLE:
            return "everything in each run"


def window_words(dialect: Dialect, now: datetime) -> str:
    """What a report is asked for, since when, and on what evidence. `now`: in the zone of the reader's
    days."""
    since = f"since {reader_day(dialect.since, now)}" if dialect.since else "for an unknown time"
    measured = f", measured {ago(dialect.measured_at, now)}" if dialect.measured_at else ""
    asked = asked_for(dialect)
    lost = (
        f"; a narrower one was given up because of {dialect.lost_by}" if dialect.lost_by is not None else ""
    )
    if dialect.mode is not Mode.WHOLE:
        return f"{asked} {since}; {_agreement(dialect.trials)}{measured}{lost}"
    if dialect.measured_at is None:
        return f"{asked}; not measured yet"
    if lost:
        return f"{asked} {since}{lost}"
    return f"{asked} {since}; {_failings(dialect.trials)}{measured}"


def reader_day(moment: datetime, now: datetime) -> str:
    """The day of a moment in the zone of `now`, with the zone's name."""
    local = moment.astimezone(now.tzinfo)
    return f"{local.day} {local:%b %Y %Z}"


def _agreement(trials: tuple[Trial, ...]) -> str:
    """How many locations agreed in the last trials, which proved the mode: that many months, or days in
    that form of the body."""

    def tried(trial: Trial) -> tuple[str, str]:
        return (trial.asked if trial.is_of_months else "days", trial.form)

    same = [trial for trial in trials if tried(trial) == tried(trials[-1])]
    locations = {trial.location for trial in same}
    against = {trial.location for trial in same if trial.verdict is not Verdict.AGREES}
    rows = quantity(sum(trial.found for trial in same), "row")
    return f"{len(locations - against)} of {quantity(len(locations), 'location')} agreed ({rows})"


def _failings(trials: tuple[Trial, ...]) -> str:
    """Why neither dates nor months were proven."""
    shown = []
    for kind in ("dates", "months"):
        failed = [
            trial
            for trial in trials
            if trial.is_of_months == (kind == "months") and trial.verdict is not Verdict.AGREES
        ]
        verdicts = dict.fromkeys(trial.verdict for trial in failed)
        if Verdict.INCONCLUSIVE in verdicts:
            shown.append(f"too few rows to try {kind}")
        elif verdicts:
            error = next((f" ({trial.error})" for trial in failed if trial.error), "")
            shown.append(f"{kind} {' or '.join(_FAILINGS[verdict] for verdict in verdicts)}{error}")
    return ", ".join(shown) or "nothing narrower could be tried"


def _audits(
    progress: Mapping[StepName, Progress], saved_by_audits: Mapping[str, int], locations: int, now: datetime
) -> Finding:
    brought = audit_words(saved_by_audits)
    if not locations:
        return Finding.warning(
            AUDITS,
            "off (API_AUDIT_LOCATIONS=0): only one measurement a day, at three locations, still checks the "
            f"narrower windows{'; ' + brought if brought else ''}",
            "Set API_AUDIT_LOCATIONS=2 in .env.local, or what the usual calls leave out stays missing. "
            "`syncctl verify source` shows whether anything is.",
        )
    active = [state for report in progress.values() for state in report.active]
    asked = _round(active, now)
    if asked and not brought:
        brought = "they found nothing new lately"
    words = [asked or "no location has been asked for everything yet", *filter(None, [brought])]
    return Finding.passed(AUDITS, f"{quantity(locations, 'location')} in each run; {'; '.join(words)}")


def _round(active: list[LocationState], now: datetime) -> str:
    """How long ago the location that has waited longest was asked for everything; "" if none was."""
    times = [state.audited_at for state in active]
    asked = [at for at in times if at is not None]
    if not asked:
        return ""
    never = f", {len(times) - len(asked)} not yet" if len(asked) < len(times) else ""
    return f"each was asked for everything within the last {span(now - min(asked))}{never}"
