"""Renders `status`: one screen on a terminal, refreshed on request; plain lines in a pipe; or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, NoReturn

from syncctl.cli.render.checks import SIGNS
from syncctl.cli.render.printer import console, escape, plain_table, print_fields, print_result
from syncctl.cli.run_words import STEP_STYLES, next_sync_words
from syncctl.domain.records import CorrectionOutcome
from syncctl.domain.run_documents import instant
from syncctl.domain.sources import PLURALS
from syncctl.domain.steps import StepStatus
from syncctl.ports.machine import StartedBy
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone, redacted
from syncctl.services.checks.attention import LastImport, age_words
from syncctl.services.checks.environment_checks import lock_words
from syncctl.services.checks.severity import worst_of
from syncctl.services.checks.status import DAYS, StepHealth
from syncctl.services.checks.status_document import status_document
from syncctl.services.checks.windows import audit_words
from syncctl.text import Number, grouped, quantity

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from syncctl.cli.render.clock import Clock
    from syncctl.domain.run_history import SyncLog
    from syncctl.ports.admin import DuplicateCount
    from syncctl.ports.machine import NextStart
    from syncctl.ports.stop import Stop
    from syncctl.services.checks.attention import Corrections
    from syncctl.services.checks.freshness import ApiStep
    from syncctl.services.checks.status import Status

Redact = Callable[[str], str]
When = Callable[[datetime], str]
"""Shows a moment: in the reader's clock on a terminal, in UTC in a pipe."""

_BARS = " ▁▂▃▄▅▆▇█"
_COUNT_COLUMNS = (
    ("Added", "saved"),
    ("Changed", "updated"),
    ("Already there", "existing"),
    ("Rejected", "invalid"),
)
_WIDEST_DAY = 6
_WIDE = 80
"""Columns of a terminal on which no title has to be broken."""


def render_status(
    status: Status, clock: Clock, redact: Redact, *, as_json: bool, quiet: bool = False
) -> None:
    """The status once; `redact` removes secrets and phone numbers. `quiet`: only what is wrong."""
    if as_json:
        print_result(redacted(status_document(status), redact))
    elif sys.stdout.isatty():
        out = console()
        if not quiet:
            out.print(_screen(status, clock, redact, out.width))
        elif status.findings:
            out.print(_reasons(status, redact))
    elif quiet:
        for reason in status.findings:
            print_fields(("reason", reason.words), redact, {1: SIGNS[reason.result][1]})
    else:
        _print_lines(status, clock, redact)


def watch_status(
    look: Callable[[], Status], clock: Clock, redact: Redact, interval_s: float, stop: Stop
) -> NoReturn:
    """Show what `look` sees, again every `interval_s` seconds; in a pipe one status after the other. Only an
    exception, such as StopRequestedError, ends it."""
    if not sys.stdout.isatty():
        while True:
            _print_lines(look(), clock, redact)
            sys.stdout.flush()
            stop.wait(interval_s)
    from rich.live import Live

    out = console()
    with Live(console=out, auto_refresh=False) as live:
        while True:
            live.update(_screen(look(), clock, redact, out.width), refresh=True)
            stop.wait(interval_s)


def _screen(status: Status, clock: Clock, redact: Redact, width: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    clock = clock._replace(now=status.checked_at)
    style = SIGNS[worst_of(status.findings)][1]
    health = status.health.value
    if status.ok and status.findings:
        health += f", {quantity(len(status.findings), 'thing')} to look at"
    checked = f"  {clock.moment(status.checked_at)}"
    parts: list[RenderableType] = [Text.assemble((health, f"bold {style}"), (checked, "dim"))]
    parts.append(_reasons(status, redact))
    if status.steps:
        parts += [Text(), _steps_table(status, clock, width)]
    parts += [Text(), _facts_table(status, clock)]
    if status.content:
        parts += [Text(), Text("New leads a day", style="bold"), _days(status.content.per_day, width)]
    if status.next_step:
        parts += [Text(), Text.assemble(("→ ", style), status.next_step)]
    return Group(*parts)


def _reasons(status: Status, redact: Redact) -> Table:
    from rich.text import Text

    table = plain_table(gap=1, show_header=False)
    for reason in status.findings:
        sign, style = SIGNS[reason.result]
        table.add_row(*(Text(text, style) for text in (sign, printable(redact(reason.words)))))
    return table


def _steps_table(status: Status, clock: Clock, width: int) -> Table:
    table = plain_table(gap=2 if width >= _WIDE else 1, header_style="dim")
    for title in ("API", "Last run", "Result"):
        table.add_column(title, no_wrap=True, vertical="bottom")
    for title, _ in _COUNT_COLUMNS:
        table.add_column(title if width >= _WIDE else title.replace(" ", "\n"), justify="right")
    for step_health in status.steps:
        last = step_health.step.last
        result = f"[{STEP_STYLES.get(last.status, 'dim')}]{last.status.value}[/]" if last else "[dim]-[/dim]"
        seen = clock.ago(last.at) if last else "never"
        if step_health.step.last_is_misdated:
            seen = "?"
        table.add_row(PLURALS[step_health.step.step], seen, result, *_numbers(step_health))
    return table


def _numbers(step_health: StepHealth) -> list[str]:
    """Counts of the last run; if only synclogs know of it, the number of leads it wrote."""
    if step_health.counts:
        return [f"{getattr(step_health.counts, field):,}" for _, field in _COUNT_COLUMNS]
    return [f"{step_health.step.last.count:,}" if step_health.step.last else "-"]


def _facts_table(status: Status, clock: Clock) -> Table:
    table = plain_table(show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, value in _facts(status, clock, clock.time, grouped):
        table.add_row(title, escape(printable(value)))
    return table


def _facts(status: Status, clock: Clock, when: When, number: Number) -> Iterator[tuple[str, str]]:
    yield "Next sync", _next_sync(status.start, clock, when)
    for each in status.imports:
        yield PLURALS[each.kind].capitalize(), _import_words(each, clock, when, number)
    if content := status.content:
        yield "Leads", number(content.leads)
        yield "Duplicates", _duplicates(content.duplicates, when, number)
        rejects = content.rejects
        age = age_words(rejects, status.checked_at)
        yield "Rejects", f"{number(rejects.count)}{age}" if rejects.count else "none"
    if audits := audit_words(status.saved_by_audits):
        yield "Audits", audits
    yield from _correction_facts(status.corrections, number)
    yield "Lock", status.lock.problem or lock_words(status.lock, status.checked_at)


def _next_sync(start: NextStart, clock: Clock, when: When) -> str:
    other = ", not from this user's crontab" if start.by is StartedBy.OTHER else ""
    return next_sync_words(start, lambda at: f"{when(at)}, {clock.ago(at)}{other}")


def _import_words(each: LastImport, clock: Clock, when: When, number: Number) -> str:
    how = f"{quantity(each.log.count, 'lead', shown=number)} added or changed"
    if each.failed:
        how = "failed" if each.log.status is StepStatus.FAILED else f"failed in part, {how}"
    return f"last import {when(each.log.at)}, {clock.ago(each.log.at)}: {how}"


_CORRECTED = {
    CorrectionOutcome.TAKEN: "changed in the lead",
    CorrectionOutcome.LEFT: "left alone, as the lead was worked on",
    CorrectionOutcome.NEW_LEAD: "added as a new lead, as nobody had been reached",
    CorrectionOutcome.FINISHED: "of finished leads",
    CorrectionOutcome.DELETED: "of deleted leads",
    CorrectionOutcome.SECOND_LEAD: "with two leads of one booking",
}
_LEFT_SHOWN = 3


def _correction_facts(corrections: Corrections, number: Number) -> Iterator[tuple[str, str]]:
    """Recent corrections at the source, and the first leads that need a look."""
    if not corrections.count:
        return
    parts = [f"{number(count)} {_CORRECTED[outcome]}" for outcome, count in corrections.by_outcome.items()]
    yield "Corrected phones", f"{number(corrections.count)} in {DAYS} days: {'; '.join(parts)}"
    for left in corrections.left[:_LEFT_SHOWN]:
        numbers = f"{mask_phone(left.phone_before)} is now {mask_phone(left.phone)}"
        yield "Left as it was", f"booking {left.booking_no}, {left.store}: {numbers}"
    if (more := len(corrections.left) - _LEFT_SHOWN) > 0:
        yield "Left as it was", f"{number(more)} more: see `syncctl status --json`"
    for each in corrections.second_leads[:_LEFT_SHOWN]:
        old = f"{each.lead_id_before} has the old number {mask_phone(each.phone_before)}"
        new = f"{each.lead_id} has {mask_phone(each.phone)}"
        yield "Two leads", f"booking {each.booking_no}, {each.store}: {old}, {new}; delete one in the web app"
    if (more := len(corrections.second_leads) - _LEFT_SHOWN) > 0:
        yield "Two leads", f"{number(more)} more: see `syncctl status --json`"


def _duplicates(count: DuplicateCount | None, when: When, number: Number) -> str:
    """As the last pass over all leads counted them, and when that was."""
    if count is None:
        return "not counted yet: `syncctl verify data` counts them"
    copies = quantity(count.extra_copies, "copy", "copies", number)
    found = f"{quantity(count.sets, 'set', shown=number)}, {copies} too many" if count.sets else "none"
    return f"{found}, counted {when(count.counted_at)} by `syncctl {count.counted_by}`"


def _days(per_day: Mapping[date, int], width: int) -> Table:
    """One column per day, narrow enough for all to fit: bar, number, day of the month."""
    from rich.table import Table

    cell = max(3, min(_WIDEST_DAY, width // len(per_day)) - 1)
    largest = max(per_day.values())
    table = Table.grid(padding=(0, 1, 0, 0))
    for _ in per_day:
        table.add_column(justify="right", no_wrap=True, width=cell)
    table.add_row(*(f"[cyan]{_bar(count, largest) * cell}[/cyan]" for count in per_day.values()))
    table.add_row(*(_short(count) for count in per_day.values()))
    table.add_row(*(f"[dim]{day.day}[/dim]" for day in per_day))
    return table


def _bar(count: int, largest: int) -> str:
    eighths = round(count / largest * 8) if largest else 0
    return _BARS[max(eighths, 1) if count else 0]


def _short(count: int) -> str:
    """A number in at most three characters, for any realistic number of leads per day."""
    return str(count) if count < 1000 else f"{count // 1000}k"


def _print_lines(status: Status, clock: Clock, redact: Redact) -> None:
    styles = [{1: SIGNS[worst_of(status.findings)][1]}]
    styles += [{1: SIGNS[reason.result][1]} for reason in status.findings]
    styles += [
        {2: STEP_STYLES.get(each.step.last.status, "")} if each.step.last else {} for each in status.steps
    ]
    lines = _lines(status, clock._replace(now=status.checked_at))
    for line, of_line in zip_longest(lines, styles):
        print_fields(line, redact, of_line)


def _lines(status: Status, clock: Clock) -> Iterator[tuple[str, ...]]:
    now = status.checked_at
    yield "health", status.health.value, instant(now)
    for reason in status.findings:
        yield "reason", reason.words
    for step_health in status.steps:
        name, last = PLURALS[step_health.step.step], step_health.step.last
        if last is None:
            yield name, "never"
            continue
        cells = [instant(last.at), last.status.value, _seconds_ago(step_health.step, last, now)]
        if step_health.counts:
            cells += [
                f"{getattr(step_health.counts, field)} {title.lower()}" for title, field in _COUNT_COLUMNS
            ]
        else:
            cells.append(f"{last.count} added or changed")
        yield name, *cells
    for title, value in _facts(status, clock, instant, str):
        yield title.lower(), value
    if status.content:
        for day, count in status.content.per_day.items():
            yield "leads of a day", day.isoformat(), str(count)
    if status.next_step:
        yield "next step", status.next_step


def _seconds_ago(step: ApiStep, last: SyncLog, now: datetime) -> str:
    """How long ago the last run was, readable by scripts; a clock may be slightly ahead."""
    if step.last_is_misdated:
        return "dated in the future"
    return f"{max(0, int((now - last.at).total_seconds()))} s ago"
