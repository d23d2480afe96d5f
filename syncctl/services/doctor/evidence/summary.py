"""The findings in plain sentences: enough to identify the API's dialect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations

from syncctl.domain.dialects import MIN_ROWS_TO_JUDGE, Dialect, Trial, Verdict
from syncctl.domain.requests import BodyForm
from syncctl.domain.sources import REPORT_STEPS, SOURCES, StepName
from syncctl.services.checks.windows import window_words
from syncctl.services.doctor.evidence.calls import DORMANT, EMPTY, STORE_LIST, WHOLE, Call, EvidenceResults
from syncctl.services.doctor.evidence.comparing import EVERYTHING, Comparison
from syncctl.services.doctor.evidence.scrubbing import Scrubber
from syncctl.services.doctor.evidence.shapes import OWN_DATE
from syncctl.services.sync.checkpoints import AnswerSize, capped_answers
from syncctl.services.windows.trials import DATED_FORMS
from syncctl.text import quantity

_EVENTS = {report: source.date[0] for report, source in SOURCES.items()}
CLOCK_GRAIN_S = 1.0
"""Seconds: a Date header has no fractions."""

TITLES = {report: source.plural.capitalize() for report, source in SOURCES.items()}


def summary(
    findings: EvidenceResults,
    stored: Mapping[StepName, Dialect] | None,
    scrubber: Scrubber,
    local_now: datetime,
) -> list[str]:
    """The sentences. `stored`: what syncctl itself has measured, None: unknown; `local_now`: the current time
    in the business's zone."""
    result = [_calls(findings, scrubber)]
    for report in REPORT_STEPS:
        result += _whole(findings, report)
        result += _outcomes(findings.comparisons, report, scrubber)
    result += _ids(findings, scrubber)
    result += _clock(findings, local_now)
    if stored is None:
        return [*result, "The database can't be used, so it is not known what syncctl has measured."]
    result += [
        f"How syncctl asks for {TITLES[report].lower()}: "
        f"{window_words(_scrubbed(stored.get(report, Dialect(report)), scrubber), local_now)}."
        for report in REPORT_STEPS
    ]
    return result


def _scrubbed(dialect: Dialect, scrubber: Scrubber) -> Dialect:
    """Stored dialects may quote errors of the API."""
    trials = (trial._replace(error=scrubber.text_or_none(trial.error)) for trial in dialect.trials)
    return dialect._replace(trials=tuple(trials), lost_by=scrubber.text_or_none(dialect.lost_by))


def _calls(findings: EvidenceResults, scrubber: Scrubber) -> str:
    seconds = sum(call.wire.seconds for call in findings.calls if call.wire)
    failed = [call for call in findings.calls if call.error is not None]
    result = f"{quantity(len(findings.calls), 'call')}, {seconds:.1f} s of waiting for answers"
    if failed:
        result += f"; {len(failed)} without rows, the first for {failed[0].why}: "
        result += scrubber.text(failed[0].error or "")
    if findings.stopped:
        result += f"; not all were made: {findings.stopped}"
    return f"{result}."


def _whole(findings: EvidenceResults, report: StepName) -> Iterator[str]:
    answers = findings.whole(report)
    if not answers:
        asked = [call for call in findings.calls if call.why == WHOLE and call.request.report is report]
        is_answered = any(call.rows is not None for call in asked)
        yield (
            f"{TITLES[report]}: no location that was asked for everything "
            f"{'has a row' if is_answered else 'gave an answer'}."
        )
        return
    of_each = ", ".join(
        f"{quantity(facts.rows, 'row')} at {f'location {location}' if location else 'the empty location id'}"
        for location, facts in answers.items()
    )
    sizes = {
        location: AnswerSize(facts.rows, hash(frozenset(facts.places))) for location, facts in answers.items()
    }
    cut = ""
    if capped := capped_answers(sizes):
        cut = f": {sizes[capped[0]].rows:,} {len(capped)} times, so the API may cut its answers there"
    yield f"{TITLES[report]}, everything: {of_each}{cut}."


def _outcomes(comparisons: Sequence[Comparison], report: StepName, scrubber: Scrubber) -> Iterator[str]:
    """A sentence for all forms of the body in which days have the same result, and one for the numbers of
    months."""
    by_question: dict[tuple[bool, str, BodyForm], list[Comparison]] = defaultdict(list)
    for each in comparisons:
        if each.report is report:
            by_question[each.is_of_days, each.asked, each.form].append(each)
    for is_of_days in (True, False):
        alike: dict[str, list[tuple[str, BodyForm]]] = defaultdict(list)
        for (of_days, asked, form), same in by_question.items():
            if of_days is is_of_days:
                alike[outcome(same, scrubber)].append((asked, form))
        for words, questions in alike.items():
            yield f"{TITLES[report]}, {_asked(questions, is_of_days=is_of_days)}: {words}."


def _asked(questions: Sequence[tuple[str, BodyForm]], *, is_of_days: bool) -> str:
    if not is_of_days:
        return f"{', '.join(asked for asked, _ in questions)} asked"
    if len(questions) == len(DATED_FORMS):
        forms = "in every form of the body"
    else:
        forms = f"body {' or '.join(form for _, form in questions)}"
    return f"{questions[0][0]} asked, {forms}"


def outcome(same: Sequence[Comparison], scrubber: Scrubber) -> str:
    """The result of one narrower question at all locations that were asked it."""
    answered = [each for each in same if each.rows is not None]
    if not answered:
        return f"an error, {scrubber.text(same[0].error or '')}"
    if not any(each.rows for each in answered):
        return f"nothing comes, though {_inside(answered, OWN_DATE)} rows have such dates"
    if fitting := fitting_fields(answered):
        best, *others = fitting
        found = sum(each.trials[best].found for each in answered)
        undated = sum(each.undated[best] for each in answered)
        result = f"the rows with such a {best} come ({found} of {_inside(answered, best)})"
        if undated:
            result += f", and {undated} without that date"
        if found < MIN_ROWS_TO_JUDGE:
            result += ", which is not much to go by"
        if others:
            result += f"; {', '.join(others)} would fit too"
        return result
    for words in {each.same_as for each in answered}:
        if words is not None and all(each.same_as == words for each in answered):
            return f"it is ignored: {words if words == EVERYTHING else f'what {words} brings'} comes"
    own = [each.trials[OWN_DATE] for each in answered]
    return (
        f"{sum(trial.found for trial in own)} of {_inside(answered, OWN_DATE)} rows with such dates come, "
        f"and {sum(trial.outside for trial in own)} with other dates: no single date explains it"
    )


def fitting_fields(answered: Sequence[Comparison]) -> list[str]:
    """The fields whose dates explain the answers, the best explanation first: the one that most rows have."""

    def trials(name: str) -> list[Trial]:
        return [each.trials[name] for each in answered if name in each.trials]

    names = dict.fromkeys(name for each in answered for name in each.trials if name != OWN_DATE)
    fitting = [
        name
        for name in names
        if len(trials(name)) == len(answered)
        and all(trial.verdict is Verdict.AGREES for trial in trials(name))
        and sum(trial.found for trial in trials(name)) > sum(each.undated[name] for each in answered)
    ]
    return sorted(fitting, key=lambda name: sum(each.undated[name] for each in answered))


def _inside(comparisons: Sequence[Comparison], name: str) -> int:
    return sum(each.trials[name].inside for each in comparisons)


def _ids(findings: EvidenceResults, scrubber: Scrubber) -> Iterator[str]:
    for report in REPORT_STEPS:
        whole = findings.whole(report)
        shared = {
            (one, other): len(whole[one].places & whole[other].places)
            for one, other in combinations(whole, 2)
        }
        if any(shared.values()):
            pairs = ", ".join(
                f"{one} and {other} {number}" for (one, other), number in shared.items() if number
            )
            yield f"{TITLES[report]}: rows are in the answers of several ids ({pairs}): is the id ignored?"
        elif shared:
            yield f"{TITLES[report]}: no row is in the answers of two ids."
    for why in (DORMANT, EMPTY, STORE_LIST):
        for call in findings.calls:
            if call.why == why:
                yield f"{TITLES.get(call.request.report, 'Stores')}, {why}: {_answer(call, scrubber)}."


def _answer(call: Call, scrubber: Scrubber) -> str:
    if call.rows is None:
        return scrubber.text(call.error or "no answer")
    shops = [len(counted) for counted in call.rows.shops.values()]
    of_shops = f" of {quantity(max(shops), 'shop')}" if shops else ""
    return f"{quantity(call.rows.rows, 'row')}{of_shops}"


def _clock(findings: EvidenceResults, local_now: datetime) -> Iterator[str]:
    ahead = [seconds for call in findings.calls if (seconds := seconds_ahead(call)) is not None]
    if ahead:
        middle = sorted(ahead)[len(ahead) // 2]
        how = f"{abs(middle):.0f} s {'ahead of' if middle > 0 else 'behind'} the API's"
        if abs(middle) <= CLOCK_GRAIN_S:
            how = "as the API's, to a second"
        yield f"This machine's clock is {how}."
    for report, name in _EVENTS.items():
        found = [facts.dates[name] for facts in findings.whole(report).values() if name in facts.dates]
        newest = max(filter(None, (dates.last_not_ahead for dates in found)), default=None)
        if newest is not None:
            yield (
                f"{TITLES[report]}: the newest {name} that is not ahead is {newest:%Y-%m-%d %H:%M}; the "
                f"clocks of {local_now.tzinfo} show {local_now:%Y-%m-%d %H:%M}."
            )


def date_of(call: Call) -> datetime | None:
    """The time in an answer's Date header; None: it has none."""
    from email.utils import parsedate_to_datetime

    if call.wire is None or "Date" not in call.wire.headers:
        return None
    try:
        result = parsedate_to_datetime(call.wire.headers["Date"])
    except ValueError:
        return None
    return result if result.tzinfo else None


def seconds_ahead(call: Call) -> float | None:
    """How far this machine's clock is ahead of the server's, by an answer's Date header; None: unknown."""
    result = date_of(call)
    if result is None or call.wire is None or call.wire.came_at is None:
        return None
    return (call.wire.came_at - result).total_seconds()
