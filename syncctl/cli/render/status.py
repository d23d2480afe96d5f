"""Renders `status`: one screen on a terminal, refreshed on request; plain lines in a pipe; or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, NoReturn

from syncctl.cli.render.printer import console, plain_table, print_json, print_line
from syncctl.domain.records import CorrectionOutcome
from syncctl.domain.run_documents import instant
from syncctl.domain.steps import StepStatus
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone, redacted
from syncctl.services.checks.environment_checks import lock_words
from syncctl.services.checks.freshness import ago, span
from syncctl.services.checks.status import DAYS, DatabaseContent, Health, StepHealth
from syncctl.services.checks.status_document import status_document
from syncctl.services.checks.windows import audit_words
from syncctl.text import quantity

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from syncctl.domain.run_history import SyncLog
    from syncctl.ports.admin import DuplicateCount
    from syncctl.ports.stop import Stop
    from syncctl.services.checks.corrected_numbers import Corrections
    from syncctl.services.checks.freshness import ApiStep
    from syncctl.services.checks.status import Status

Redact = Callable[[str], str]

_STYLES = {Health.OK: "green", Health.LATE: "yellow", Health.FAILING: "red"}
_STEP_STYLES = {StepStatus.SUCCESS: "green", StepStatus.PARTIAL: "yellow", StepStatus.FAILED: "red"}
_BARS = " ▁▂▃▄▅▆▇█"
_COUNT_COLUMNS = (("Saved", "saved"), ("Updated", "updated"), ("There", "existing"), ("Rejected", "invalid"))
_WIDEST_DAY = 6


def render_status(status: Status, redact: Redact, *, as_json: bool) -> None:
    """The status once; `redact` removes secrets and phone numbers."""
    if as_json:
        print_json(redacted(status_document(status), redact))
    elif sys.stdout.isatty():
        out = console()
        out.print(_screen(status, redact, out.width))
    else:
        _print_lines(status, redact)


def watch_status(look: Callable[[], Status], redact: Redact, interval_s: float, stop: Stop) -> NoReturn:
    """Show what `look` sees, again every `interval_s` seconds; in a pipe one status after the other. Only an
    exception, such as StopRequestedError, ends it."""
    if not sys.stdout.isatty():
        while True:
            _print_lines(look(), redact)
            sys.stdout.flush()
            stop.wait(interval_s)
    from rich.live import Live

    out = console()
    with Live(console=out, auto_refresh=False) as live:
        while True:
            live.update(_screen(look(), redact, out.width), refresh=True)
            stop.wait(interval_s)


def _screen(status: Status, redact: Redact, width: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    style = _STYLES[status.health]
    checked = f"  {status.checked_at:%Y-%m-%d %H:%M:%S} UTC"
    parts: list[RenderableType] = [Text.assemble((status.health.value, f"bold {style}"), (checked, "dim"))]
    for reason in status.reasons:
        parts.append(Text(f"! {printable(redact(reason))}", style=style if not status.ok else "yellow"))
    if status.steps:
        parts += [Text(), _steps_table(status)]
    parts += [Text(), _facts_table(status)]
    if status.content:
        parts += [Text(), Text("New leads a day", style="bold"), _days(status.content.per_day, width)]
    if status.next_step:
        parts += [Text(), Text.assemble(("→ ", style), status.next_step)]
    return Group(*parts)


def _table() -> Table:

    return plain_table(header_style="dim")


def _steps_table(status: Status) -> Table:
    table = _table()
    for title in ("API", "Last run", "Result"):
        table.add_column(title)
    for title, _ in _COUNT_COLUMNS:
        table.add_column(title, justify="right")
    for step_health in status.steps:
        last = step_health.step.last
        result = f"[{_STEP_STYLES.get(last.status, 'dim')}]{last.status.value}[/]" if last else "[dim]-[/dim]"
        seen = ago(last.at, status.checked_at) if last else "never"
        if step_health.step.last_is_misdated:
            seen = "?"
        table.add_row(step_health.step.step.value, seen, result, *_numbers(step_health))
    return table


def _numbers(step_health: StepHealth) -> list[str]:
    """Counts of the last run; if only synclogs know of it, the number of leads it wrote."""
    if step_health.counts:
        return [f"{getattr(step_health.counts, field):,}" for _, field in _COUNT_COLUMNS]
    return [f"{step_health.step.last.count:,}" if step_health.step.last else "-"]


def _facts_table(status: Status) -> Table:
    from rich.markup import escape

    table = _table()
    table.show_header = False
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, value in _facts(status):
        table.add_row(title, escape(printable(value)))
    return table


def _facts(status: Status) -> Iterator[tuple[str, str]]:
    now = status.checked_at
    in_ = f"in {span(status.next_sync_at - now)}, {status.next_sync_at:%H:%M} UTC"
    yield "Next sync", in_ if status.sync_enabled else "none: API_SYNC_ENABLED=false"
    if status.content:
        yield from _content_facts(status.content, now)
    if audits := audit_words(status.saved_by_audits):
        yield "Audits", audits
    yield from _correction_facts(status.corrections)
    yield "Lock", status.lock.problem or lock_words(status.lock, now)


_CORRECTED = {
    CorrectionOutcome.TAKEN: "the lead has the new number",
    CorrectionOutcome.LEFT: "worked on, left as it was",
    CorrectionOutcome.NEW_LEAD: "a new lead, as nobody had been reached",
    CorrectionOutcome.FINISHED: "finished, stays away",
    CorrectionOutcome.DELETED: "deleted, stays away",
    CorrectionOutcome.SECOND_LEAD: "two leads of one booking",
}
_LEFT_SHOWN = 3


def _correction_facts(corrections: Corrections) -> Iterator[tuple[str, str]]:
    """Recent corrections at the source, and the first leads that need a look."""
    if not corrections.count:
        return
    parts = [f"{number:,} {_CORRECTED[outcome]}" for outcome, number in corrections.by_outcome.items()]
    yield "Corrected phones", f"{corrections.count:,} in {DAYS} days: {'; '.join(parts)}"
    for left in corrections.left[:_LEFT_SHOWN]:
        numbers = f"{mask_phone(left.phone_before)} is now {mask_phone(left.phone)}"
        yield "Left as it was", f"booking {left.booking_no}, {left.store}: {numbers}"
    if (more := len(corrections.left) - _LEFT_SHOWN) > 0:
        yield "Left as it was", f"{more:,} more: see syncctl status --json"
    for each in corrections.second_leads[:_LEFT_SHOWN]:
        old = f"{each.lead_id_before} has the old number {mask_phone(each.phone_before)}"
        new = f"{each.lead_id} has {mask_phone(each.phone)}"
        yield "Two leads", f"booking {each.booking_no}, {each.store}: {old}, {new}; delete one in the web app"
    if (more := len(corrections.second_leads) - _LEFT_SHOWN) > 0:
        yield "Two leads", f"{more:,} more: see syncctl status --json"


def _content_facts(content: DatabaseContent, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Leads", f"{content.leads:,}"
    yield "Duplicates", _duplicates(content.duplicates, now)
    yield "Rejects", f"{content.rejects:,}: see syncctl rejects list" if content.rejects else "none"


def _duplicates(count: DuplicateCount | None, now: datetime) -> str:
    """As the last pass over all leads counted them, and when that was."""
    if count is None:
        return "not counted yet: `syncctl verify data` counts them"
    sets, copies = quantity(count.sets, "set"), quantity(count.extra_copies, "copy", "copies")
    found = f"{sets}, {copies} too many" if count.sets else "none"
    return f"{found}, counted {ago(count.counted_at, now)} by `syncctl {count.counted_by}`"


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


def _print_lines(status: Status, redact: Redact) -> None:
    for line in _lines(status):
        print_line("\t".join(printable(redact(part)) for part in line))


def _lines(status: Status) -> Iterator[tuple[str, ...]]:
    now = status.checked_at
    yield "health", status.health.value, instant(now)
    for reason in status.reasons:
        yield "reason", reason
    for step_health in status.steps:
        last = step_health.step.last
        if last is None:
            yield step_health.step.step.value, "never"
            continue
        cells = [instant(last.at), last.status.value, _seconds_ago(step_health.step, last, now)]
        if step_health.counts:
            cells += [
                f"{getattr(step_health.counts, field)} {title.lower()}" for title, field in _COUNT_COLUMNS
            ]
        else:
            cells.append(f"{last.count} saved or updated")
        yield step_health.step.step.value, *cells
    for title, value in _facts(status):
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
